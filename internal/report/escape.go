package report

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259, 7). Bytes that are no UTF-8 become
// U+FFFD; control characters, DEL, the C1 range and what changes the direction of writing
// are escaped, so that a terminal that shows the line is not driven by a stranger's text;
// the line and paragraph separators too, for JavaScript's sake.
func appendString(b, s []byte) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			for i+8 <= len(s) && allPlain(binary.LittleEndian.Uint64(s[i:])) {
				i += 8
			}
			if i == len(s) {
				break
			}
			if c = s[i]; c >= utf8.RuneSelf {
				continue
			}
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
		case r < 0x10000 && harmful(r) && r != utf8.RuneError:
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

// allPlain reports that the eight bytes of a word stand in a JSON string as they are. Where a
// byte is less than another, the borrow may make it doubt the one above, which does no harm.
func allPlain(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	quote, backslash, del := w^ones*'"', w^ones*'\\', w^ones*0x7f
	return (w|(w-ones*' ')&^w|(quote-ones)&^quote|(backslash-ones)&^backslash|(del-ones)&^del)&tops == 0
}

// plain tells the ASCII bytes that stand in a JSON string as they are.
var plain = func() (t [utf8.RuneSelf]bool) {
	for c := byte(' '); c < 0x7F; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// quiet escapes in finished JSON what encoding/json leaves as it is and a terminal obeys:
// DEL, the C1 range, and what changes the direction of writing. All of it stands in
// strings only, where an escape means the same.
func quiet(b []byte) []byte {
	if bytes.IndexFunc(b, loud) < 0 {
		return b
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if loud(r) {
			out = append(out, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		} else {
			out = append(out, b[i:i+n]...)
		}
		i += n
	}
	return out
}

func loud(r rune) bool {
	return r != '\n' && r != utf8.RuneError && harmful(r)
}

// Printable returns s as it may go to a terminal. Log text is written by strangers: a
// control character could move the cursor or rename the window, an override of the
// writing direction could show a reply as another one. Each becomes "?", line ends and
// tabs a blank.
func Printable(s string) string { return printable(s) }

func printable(s string) string {
	if simple(s) || strings.IndexFunc(s, harmful) < 0 && utf8.ValidString(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case harmful(r):
			return '?'
		}
		return r
	}, s)
}

// simple reports that s is of nothing but printable ASCII, as most is.
func simple(s string) bool {
	for i := range len(s) {
		if s[i]-' ' >= 0x7f-' ' {
			return false
		}
	}
	return true
}

// harmful reports control characters (C0, DEL, C1), bytes that are no UTF-8, and the
// invisible ones that change the order in which text is shown.
func harmful(r rune) bool {
	if r < 0x7f { // most are
		return r < ' '
	}
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0x2028 || r == 0x2029 || r == 0xFEFF
}

// markdown returns s as it may stand in a cell of a Markdown table: nothing in it is
// markup, a link or HTML.
func markdown(s string) string {
	var b strings.Builder
	s = strings.TrimLeft(strings.NewReplacer("://", "\x00//", "www.", "www\x01").Replace(printable(s)), " \u00a0")
	s, before := beginning(&b, s), rune(0)
	for i, r := range s {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '@', 0, 1:
			// Bare addresses and URLs become links; with an entity in them they do not.
			b.WriteString(map[rune]string{'@': "&#64;", 0: "&#58;", 1: "&#46;"}[r])
		case '\\', '`', '*', '_', '{', '}', '[', ']', '(', ')', '#', '+', '!', '|', '~', '$':
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		if summons(r, before, s[i:]) {
			b.WriteString(nothingWide)
		}
		before = r
	}
	return b.String()
}

// beginning writes what a line may not begin with as it is, or it would be a list, a
// heading or a rule, and returns the rest.
func beginning(b *strings.Builder, s string) string {
	number := strings.TrimLeft(s, "0123456789")
	switch {
	case s == "":
	case s[0] == '-' || s[0] == '=':
		b.WriteString(`\` + s[:1])
		return s[1:]
	case len(number) < len(s) && number != "" && strings.ContainsRune(".)", rune(number[0])) && (len(number) == 1 || number[1] == ' '):
		n := len(s) - len(number)
		b.WriteString(s[:n] + `\` + number[:1])
		return number[1:]
	}
	return s
}

// nothingWide parts two signs and cannot be seen.
const nothingWide = "&#8203;"

// summons reports that at a sign begins what GitHub and GitLab would make something of,
// however it is escaped: a mention of a person, who is told of it, an issue or other
// thing by its number, a picture by its name.
func summons(r, before rune, rest string) bool {
	next, inWord := firstRune(rest[min(len(rest), 1):]), unicode.IsLetter(before) || unicode.IsDigit(before)
	switch r {
	case '@':
		return !inWord && unicode.IsLetter(next)
	case '#', '!', '~', '%', '$':
		return !inWord && (unicode.IsLetter(next) || unicode.IsDigit(next) || next == '"')
	case ':':
		name, _, closed := strings.Cut(rest[1:], ":")
		return closed && isPicture(name)
	}
	return false
}

// isPicture reports that a name between colons may be that of a picture. Parts of a time
// and of an IPv6 address stand between colons too, and few of those are.
func isPicture(name string) bool {
	if len(name) <= 4 && strings.Trim(name, "0123456789abcdef") == "" {
		return slices.Contains(hexPictures, name)
	}
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_+-") == ""
}

var hexPictures = []string{"a", "ab", "abc", "abcd", "b", "bed", "bee", "cd", "100", "1234"}

// cell returns s as it may stand in a CSV cell: a spreadsheet takes what begins with one
// of = + - @ for a formula, some of them behind blanks and quotes too, so such a text
// gets an apostrophe before it. Numbers stay.
func cell(s string) string {
	s = printable(s)
	first := strings.TrimLeftFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '"' || r == '\'' })
	if first == "" || !strings.ContainsRune("=+-@\uFF1D\uFF0B\uFF0D\uFF20", firstRune(first)) || isNumber(s) {
		return s
	}
	return "'" + s
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func isNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && strings.Trim(s, "0123456789.") == ""
}
