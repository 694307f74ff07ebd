package glance

import (
	"bytes"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Host finds what the other side is known by where it usually stands in a line. name, which is
// session.Name of it, tells whether that is it; nil when it is not.
func Host(line []byte, name uint64) []byte {
	for _, m := range marks {
		i := bytes.Index(line, m.before)
		if i < 0 {
			continue
		}
		p := m.peer(line[i+len(m.before):])
		if session.Name(&p) == name {
			if len(p.Name) > 0 {
				return p.Name
			}
			return p.IP
		}
	}
	return nil
}

// marks stand before the other side.
var marks = []struct {
	before []byte
	peer   func([]byte) smtp.Peer
}{
	{[]byte(" relay="), postfixPeer},
	{[]byte(" H="), eximPeer},
	{[]byte(" from "), postfixPeer},
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
