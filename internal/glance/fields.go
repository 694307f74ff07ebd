package glance

import (
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// fields are those of a line of Exim's, "NAME=value" or a word, one after the other.
type fields struct {
	rest  []byte
	name  name
	value []byte // without its quotes; of H= all that follows, for it has blanks
	odd   bool   // it is not as usual, and a parser is to read the line
}

// name is the first two letters of a field's name.
type name uint16

const (
	word0 name = 0 // no field but a word
	nameC name = 'C'
	nameH name = 'H'
	nameR name = 'R'
	nameS name = 'S'
	nameT name = 'T'
	nameI name = 'i' | 'd'<<8
	conID name = 'C' | 'i'<<8
	shade name = 'S' | 'T'<<8
	long  name = 1 // of three letters or more
)

// longestName is that of a field, "DMARC".
const longestName = 5

// next goes to the next field.
func (f *fields) next() bool {
	b := f.rest
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	switch {
	case len(b) == 0:
		f.rest = nil
		return false
	case len(b) > 1 && b[1] == '=' && nameByte[b[0]]:
		f.name, b = name(b[0]), b[2:]
	case len(b) > 2 && b[2] == '=' && nameByte[b[0]] && nameByte[b[1]]:
		f.name, b = name(b[0])|name(b[1])<<8, b[3:]
	default:
		n := 0
		for n < len(b) && n <= longestName && nameByte[b[n]] {
			n++
		}
		f.name = word0
		if n < len(b) && b[n] == '=' && n <= longestName {
			if n == 0 || string(b[:n]) == "id*" {
				return f.stop()
			}
			f.name, b = long, b[n+1:]
		}
	}
	if len(b) > 0 && b[0] <= '<' && f.name != nameH {
		switch {
		case b[0] == '"' && f.name != word0:
			end := span(b[1:], '"') + 1
			if end == 0 || span(b[:end], '\\') >= 0 {
				return f.stop()
			}
			f.value, f.rest = b[1:end], b[end+1:]
			return true
		case b[0] == '<' && f.name != word0, f.name == word0 && (b[0] == '(' || b[0] == ':'):
			return f.stop()
		}
	}
	n := span(b, ' ')
	if n < 0 {
		n = len(b)
	}
	if n > 0 && b[n-1] == ':' {
		return f.stop()
	}
	if f.value, f.rest = b[:n], b[n:]; f.name == nameH {
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
	s.Peer = true
	if n := len(b) - len(f.rest); n > 0 && nameByte[b[0]] && b[n-1] != ',' { // "name [ip]"
		if len(f.rest) > 1 && f.rest[1] == '[' {
			if end := span(f.rest, ']'); end > 2 && (end+1 == len(f.rest) || f.rest[end+1] == ' ') && isAddress(f.rest[2:end]) {
				p.Name, p.IP, f.rest = b[:n], f.rest[2:end], f.rest[end+1:]
				return true
			}
		}
	}
	var rest []byte
	if *p, _, rest = exim.Host(b); p.IsZero() {
		return false
	}
	n := len(b) - len(rest)
	s.Reused, f.rest = n > 0 && b[n-1] == '*', rest
	return true
}

// nameByte tells what a field's name is of.
var nameByte = func() (is [256]bool) {
	for c := range is {
		is[c] = c-'0' < 10 && c >= '0' || (c|0x20) >= 'a' && (c|0x20) <= 'z' || c == '*'
	}
	return is
}()
