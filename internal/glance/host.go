package glance

import (
	"bytes"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Host finds what the other side is known by, its name or else its address, where that usually
// stands in a line. key, the Host of the line's step, tells whether that is it; nil when it is not.
func Host(line []byte, f smtp.Format, key uint64) []byte {
	marks := postfixMarks
	if f == smtp.FormatExim {
		marks = eximMarks
	}
	for _, m := range marks {
		i := m.index(line)
		if i < 0 {
			continue
		}
		p := m.peer(line[i+len(m.before):])
		host := p.Name
		if len(host) == 0 {
			host = p.IP
		}
		if session.Key(host) == key {
			return host
		}
	}
	return nil
}

// A mark stands before the other side.
type mark struct {
	before []byte
	rare   int // the place in it of a byte that lines have few of
	peer   func([]byte) smtp.Peer
}

var (
	postfixMarks = []mark{{[]byte(">, relay="), 0, postfixPeer}, {[]byte(" from "), 1, postfixPeer}}
	eximMarks    = []mark{{[]byte(" H="), 1, eximPeer}, {[]byte("H="), 0, eximPeer}, {[]byte(" for "), 1, eximPeer}}
)

// index returns where the mark stands first, -1 for nowhere.
func (m *mark) index(line []byte) int {
	for at := m.rare; at < len(line); at++ {
		n := span(line[at:], m.before[m.rare])
		if n < 0 {
			break
		}
		if at += n; bytes.HasPrefix(line[at-m.rare:], m.before) {
			return at - m.rare
		}
	}
	return -1
}

func postfixPeer(b []byte) (p smtp.Peer) {
	ip, _ := address(b)
	if ip == nil {
		return p
	}
	if p.Name = b[:span(b, '[')]; string(p.Name) == "unknown" {
		p.Name = nil
	}
	p.IP = ip
	return p
}

func eximPeer(b []byte) smtp.Peer {
	p, _, _ := exim.Host(b)
	return p
}
