package alert

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean returns a text of the log as it may be handed to programs and people: one line, no
// control characters, nothing that changes the direction of writing, of bounded length.
func clean(s string) string {
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 || r == 0xFEFF:
			return '?'
		}
		return r
	}, s)
}
