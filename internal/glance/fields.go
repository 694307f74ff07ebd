package glance

import (
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// fields are those of a line of Exim's, "NAME=value" or a word, one after the other.
type fields struct {
	rest  []byte
	name  string // "" of a word
	value []byte // without its quotes; of H= all that follows, for it has blanks
	odd   bool   // it is not as usual, and a parser is to read the line
}

// longestName is that of a field, "DMARC".
const longestName = 5

// next goes to the next field.
func (f *fields) next() bool {
	b := f.rest
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) == 0 {
		f.rest = nil
		return false
	}
	n := 0
	for n < len(b) && n <= longestName && nameByte[b[n]] {
		n++
	}
	f.name = ""
	if n < len(b) && b[n] == '=' && n <= longestName {
		if f.name = nameOf(b[:n]); f.name == "" {
			return f.stop()
		}
		b = b[n+1:]
	}
	return f.take(b)
}

// take takes the value, or the word, that b begins with.
func (f *fields) take(b []byte) bool {
	if len(b) > 0 && f.name != "" && f.name != "H" {
		switch b[0] {
		case '"':
			end := span(b[1:], '"') + 1
			if end == 0 || span(b[:end], '\\') >= 0 {
				return f.stop()
			}
			f.value, f.rest = b[1:end], b[end+1:]
			return true
		case '<':
			return f.stop()
		}
	}
	n := span(b, ' ')
	if n < 0 {
		n = len(b)
	}
	if n > 0 && (b[n-1] == ':' || f.name == "" && (b[0] == '(' || b[0] == ':')) {
		return f.stop()
	}
	if f.value, f.rest = b[:n], b[n:]; f.name == "H" {
		f.value = b
	}
	return true
}

// stop ends the walk where the line is not as usual.
func (f *fields) stop() bool {
	f.odd = true
	return false
}

// ended reports that the walk came to the end of the line.
func (f *fields) ended() bool { return !f.odd && len(f.rest) == 0 }

// host reads the value of the field H= into p.
func (f *fields) host(p *smtp.Peer, s *session.Step) bool {
	if s.Peer {
		return false // a second one
	}
	b := f.value
	var rest []byte
	if *p, _, rest = exim.Host(b); p.IsZero() {
		return false
	}
	n := len(b) - len(rest)
	s.Peer, s.Reused, f.rest = true, n > 0 && b[n-1] == '*', rest
	return true
}

// nameByte tells what a field's name is of.
var nameByte = func() (is [256]bool) {
	for c := range is {
		is[c] = c-'0' < 10 && c >= '0' || (c|0x20) >= 'a' && (c|0x20) <= 'z' || c == '*'
	}
	return is
}()

// nameOf is the name as a string that costs nothing: those that matter, and "-" for the others; ""
// for one that is nearly one of those.
func nameOf(b []byte) string {
	switch string(b) {
	case "H":
		return "H"
	case "S":
		return "S"
	case "R":
		return "R"
	case "T":
		return "T"
	case "C":
		return "C"
	case "id":
		return "id"
	case "Ci":
		return "Ci"
	case "ST":
		return "ST"
	case "", "id*":
		return ""
	}
	return "-"
}
