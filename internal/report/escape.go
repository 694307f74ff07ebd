package report

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259, 7). Bytes that are no UTF-8 become
// U+FFFD; control characters, DEL and the C1 range are escaped, so that a terminal that
// shows the line is not driven by a stranger's text; the line and paragraph separators
// too, for JavaScript's sake.
func appendString(b, s []byte) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			b = append(append(b, s[start:i]...), '\\')
			switch c {
			case '"', '\\':
				b = append(b, c)
			case '\n':
				b = append(b, 'n')
			case '\r':
				b = append(b, 'r')
			case '\t':
				b = append(b, 't')
			default:
				b = append(b, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(append(b, s[start:i]...), `\ufffd`...)
		case r < 0xA0 || r == 0x2028 || r == 0x2029:
			b = append(append(b, s[start:i]...), '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			i += n
			continue
		}
		i += n
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// plain tells the ASCII bytes that stand in a JSON string as they are.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < 0x7F; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()
