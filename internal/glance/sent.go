package glance

import (
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/postfix"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// sent reads "QUEUEID: to=<a>, relay=R, delay=d, delays=a/b/c/d, dsn=x.y.z, status=sent (text)",
// and a client's TLS line.
func (e *Eye) sent(b []byte, s *session.Step, w *writer) bool {
	if w.program == client && b[0]-'T' < 3 {
		rest, ok := trust(b, " TLS connection established to ")
		s.Kind, s.Stage = smtp.KindTLS, smtp.StageSTARTTLS
		return ok && server(rest, ':', s, w) != nil
	}
	b = queued(b, s, w)
	if !hasPrefix(b, "to=<") {
		return false
	}
	b = b[len("to=<"):]
	i := span(b, '>')
	to := b[:max(i, 0)]
	if i >= 0 && hasPrefix(b[i:], ">, orig_to=<") {
		b = b[i+len(">, orig_to=<"):]
		i = span(b, '>')
	}
	if i < 0 || !hasPrefix(b[i:], ">, relay=") {
		return false
	}
	e.To = to
	b = b[i+len(">, relay="):]
	n := span(b, ' ')
	if n < 1 || b[n-1] != ',' {
		return false
	}
	s.Kind, s.Outcome, s.Direction = smtp.KindDelivery, smtp.Sent, smtp.Internal
	if relay := b[:n]; span(relay, '[') >= 0 {
		if e.Host = server(relay, ',', s, w); e.Host == nil {
			return false
		}
	} else if w.program == client {
		return false
	}
	return delivered(b[n+1:], s)
}

// server reads "name[ip]:port", or "name[path]" of a socket, with what follows it, and notes who
// speaks to whom. It returns what the other side is known by, nil where it is not as usual.
func server(b []byte, follows byte, s *session.Step, w *writer) []byte {
	ip, rest := address(b)
	if len(ip) == 0 || len(rest) == 0 {
		return nil
	}
	name := b[:span(b, '[')]
	named := len(name) > 0 && string(name) != "unknown"
	switch {
	case isAddress(ip):
		port, n := number(rest[1:])
		if rest[0] != ':' || n == 0 || port >= 1<<16 || len(rest) < n+2 {
			return nil
		}
		rest = rest[n+1:]
	case named && span(ip, '/') >= 0:
		ip = name
	default:
		return nil
	}
	if rest[0] != follows {
		return nil
	}
	s.Direction, s.Peer = smtp.Outbound, true
	s.Session = w.Process(smtp.Outbound, s.PID)
	at := session.Key(ip)
	s.Contact = session.Contact(s.Session, at)
	if s.Host = at; !named {
		return ip
	}
	s.Host = session.Key(name)
	return name
}

// isAddress reports that ip is of the bytes of an address, and no name.
func isAddress(ip []byte) bool {
	found := false
	for _, c := range ip {
		switch {
		case c == '.' || c == ':':
			found = true
		case c-'0' >= 10 && (c|0x20)-'a' >= 6:
			return false
		}
	}
	return found
}

// delivered reads "delay=d, delays=a/b/c/d, dsn=x.y.z, status=sent (text)", perhaps with
// "conn_use=n, " before.
func delivered(b []byte, s *session.Step) bool {
	for {
		n := span(b, ' ')
		if n < len("delay=0,") {
			return false
		}
		field := b[:n]
		b = b[n+1:]
		switch {
		case string(field) == "status=sent":
			return answered(b, s)
		case field[n-1] != ',':
			return false
		case hasPrefix(field, "delay=") || hasPrefix(field, "delays="):
		case hasPrefix(field, "dsn="):
			if s.Enhanced, n = smtp.ParseEnhanced(field[4:]); n != len(field)-len("dsn=,") {
				return false
			}
		case hasPrefix(field, "conn_use="):
			uses, digits := number(field[len("conn_use="):])
			if digits == 0 || digits == 10 {
				return false
			}
			s.Reused = uses > 1
		default:
			return false
		}
	}
}

// answered reads what the other side said, or that the message was put somewhere.
func answered(text []byte, s *session.Step) bool {
	if len(text) < 2 || text[0] != '(' || text[len(text)-1] != ')' {
		return false
	}
	text = text[1 : len(text)-1]
	if len(text) > 0 && text[0]-'0' < 10 {
		r := smtp.ParseReply(text)
		if !r.Code.Positive() {
			return false
		}
		s.Code, s.Enhanced = r.Code, r.Enhanced
		if s.Direction == smtp.Outbound {
			s.Stage = smtp.StageDOT
		}
	}
	s.QueuedAs = session.Key(postfix.QueuedAs(text))
	return true
}
