package glance

import (
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// eximLine reads a line of Exim's own main log about a message: "stamp ID flag ...".
func (e *Eye) eximLine(line []byte, s *session.Step) bool {
	if !e.stamps.eximStamp(line, &s.Stamp) {
		return false
	}
	b := line[eximLength:]
	n := exim.MessageID(b)
	if n == 0 || len(b) < n+len(" => a") || b[n] != ' ' {
		return false
	}
	s.Format = smtp.FormatExim
	s.Queue, s.Owner = session.Key(b[:n]), e.daemon.Owner
	b = b[n+1:]
	if b[0] == 'C' {
		s.Kind, s.Direction = smtp.KindRemoved, smtp.Internal
		return string(b) == "Completed"
	}
	if b[2] != ' ' || b[3] == ' ' {
		return false
	}
	switch string(b[:2]) {
	case "<=":
		return e.arrival(b[3:], s)
	case "=>", "->":
		return e.delivery(b[3:], s)
	}
	return false
}

// arrival reads "sender fields", of which only the client, the Message-ID and the message that a
// bounce is made of matter.
func (e *Eye) arrival(b []byte, s *session.Step) bool {
	n := span(b, ' ')
	if n < 1 || b[n-1] == ':' || b[0] == '"' || b[0] == '<' && string(b[:n]) != "<>" {
		return false
	}
	var peer smtp.Peer
	f := fields{rest: b[n:]}
	sized := false
	for f.next() {
		switch f.name {
		case nameH:
			if !f.host(&peer, s) {
				return false
			}
		case nameS:
			size, n := number(f.value)
			sized = sized || n > 0 && n < 9 && size > 0
		case nameR:
			if s.Related == 0 && len(f.value) > 0 && exim.MessageID(f.value) == len(f.value) {
				s.Related = session.Key(f.value)
			}
		case nameI:
			last := len(f.value) - 1
			if s.MessageID != 0 || last < 0 || f.value[0] == '<' || f.value[0] == '>' || f.value[last] == '<' || f.value[last] == '>' {
				return false
			}
			s.MessageID = session.Key(f.value)
		case nameC, conID, shade:
			return false
		case word0:
			if string(f.value) == "from" {
				return false
			}
			if string(f.value) == "for" && sized {
				f.rest = nil // the recipients, who stand last
			}
		}
	}
	if !f.ended() {
		return false
	}
	s.Kind, s.Direction, s.Local = smtp.KindReceived, smtp.Internal, true
	if s.Peer {
		host, at := keys(&peer)
		s.Direction, s.Local, s.Port = smtp.Inbound, smtp.IsLoopback(peer.IP), peer.Port != 0
		s.Host, s.Session = host, e.daemon.Client(at, peer.Port)
	}
	return true
}

// delivery reads "address fields", of which only the server and its reply matter.
func (e *Eye) delivery(b []byte, s *session.Step) bool {
	to, b := recipient(b)
	if to == nil {
		return false
	}
	e.To = to
	var peer smtp.Peer
	f := fields{rest: b}
	for f.next() {
		switch f.name {
		case nameH:
			if !f.host(&peer, s) {
				return false
			}
		case nameC:
			r := smtp.ParseReply(f.value)
			if s.Code != 0 || !r.Code.Positive() {
				return false
			}
			s.Code, s.Enhanced, s.Stage = r.Code, r.Enhanced, smtp.StageDOT
			s.QueuedAs = session.Key(exim.QueuedAs(f.value))
		case nameT:
			if len(f.value) > 0 && f.value[0] == '*' { // one that was bypassed
				return false
			}
		case nameI, conID, shade:
			return false
		}
	}
	if !f.ended() {
		return false
	}
	s.Kind, s.Outcome, s.Direction = smtp.KindDelivery, smtp.Sent, smtp.Internal
	if s.Peer || s.Code != 0 {
		host, at := keys(&peer)
		s.Direction, s.Port, s.Host = smtp.Outbound, peer.Port != 0, host
		if e.Host = peer.Name; len(e.Host) == 0 {
			e.Host = peer.IP
		}
		s.Session = e.daemon.Speaker(s.Queue)
		s.Contact = session.Contact(s.Session, at)
	}
	return true
}

// recipient reads "address" or "address <original>", which the field R= follows, and returns the
// address and what follows; a nil address for anything else: pipes, files, parents in brackets,
// what is thrown away.
func recipient(b []byte) (to, rest []byte) {
	n := span(b, ' ')
	if n < 1 || b[n-1] == ':' {
		return nil, nil
	}
	switch b[0] {
	case '"', '<', '(', ':', '|', '/', '>':
		return nil, nil
	}
	to, b = b[:n], b[n+1:]
	if string(to) == "blackhole" || string(to) == "discarded" {
		return nil, nil
	}
	if len(b) > 0 && b[0] == '<' {
		n = span(b, '>')
		if n < 0 || span(b[:n], '"') >= 0 || n+2 > len(b) || b[n+1] != ' ' {
			return nil, nil
		}
		b = b[n+2:]
	}
	if !hasPrefix(b, "R=") {
		return nil, nil
	}
	return to, b
}

// keys are those of a host's name and of its address; of the one it has where it has not both.
func keys(p *smtp.Peer) (name, at uint64) {
	switch {
	case len(p.Name) == 0:
		at = session.Key(p.IP)
		return at, at
	case len(p.IP) == 0:
		name = session.Key(p.Name)
		return name, name
	}
	return session.Key(p.Name), session.Key(p.IP)
}
