package session

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// outbound takes a line of our client about a server.
func (a *Assembler) outbound(ev *smtp.Event, k *Keys) {
	switch ev.Kind {
	case smtp.KindDelivery, smtp.KindAttempt, smtp.KindTLS:
	default:
		return
	}
	if ev.Peer.IsZero() || ev.Probe {
		return // no host was spoken to
	}
	scope, key := k.Session, k.Contact
	s := a.at(key)
	if s != nil && s.queue == 0 {
		s.queue = k.Queue
	}
	if s == nil || (ev.Kind == smtp.KindTLS && s.Messages+s.Refused > 0) || s.fresh(ev, k.Queue) {
		if s != nil {
			a.finish(s)
		}
		if p := a.current.Get(scope); p != none && ev.Format == smtp.FormatPostfix {
			a.finish(a.slab[p]) // a process speaks to one host at a time
		}
		s = a.start(key, ev, true)
		s.queue = k.Queue
		if ev.Format == smtp.FormatPostfix {
			s.scope = scope
			a.current.Set(scope, s.place)
		}
	}
	a.touch(s, ev)
	if ev.Kind == smtp.KindTLS && !ev.Failed {
		return
	}
	if ev.Kind != smtp.KindTLS || !unverified(ev) {
		s.delivered(ev)
	}
	a.exchange(s, ev)
}

// fresh reports that ev is of another connection than the session, to the same host: a
// message that did not say it reused the connection, or a later attempt.
func (s *Session) fresh(ev *smtp.Event, queue uint64) bool {
	if ev.ConnUse > 1 || ev.Kind == smtp.KindTLS {
		return false
	}
	if s.queue != queue && queue != 0 {
		return true
	}
	if s.End == smtp.EndNotLogged {
		return ev.Stage == smtp.StageConnect && s.Deepest > smtp.StageSTARTTLS
	}
	switch {
	case ev.Outcome == smtp.Sent:
		return true
	case ev.Kind != smtp.KindAttempt: // repeats for each recipient how it ended
		return false
	}
	// A break after a 421 only follows from it.
	return s.End != smtp.EndServerClosed || ev.Reply.Code != 0 || ev.Stage < s.EndStage
}

// delivered notes the outcome of a recipient or of a try at a host.
func (s *Session) delivered(ev *smtp.Event) {
	code := ev.Reply.Code
	switch {
	case ev.Outcome == smtp.Sent:
		s.Messages++
		s.Deepest = smtp.StageDOT
	case code == 0 && ev.Failed:
		s.failed(ev)
	default:
		s.Refused += ev.Count()
	}
	switch {
	case s.End != smtp.EndNotLogged:
	case code == 421 || code == 221:
		s.End, s.EndStage = smtp.EndServerClosed, ev.Stage
		if ev.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case ev.Stage == smtp.StageConnect && code >= 400:
		s.End, s.EndStage = smtp.EndRefused, ev.Stage
	}
}

// failed reads how a connection broke off a line that shows no reply. The words are
// Postfix's (src/smtp/smtp_trouble.c, smtp_connect.c) and Exim's (transports/smtp.c).
func (s *Session) failed(ev *smtp.Event) {
	if s.End != smtp.EndNotLogged {
		return
	}
	switch text := ev.Text; {
	case ev.Stage == smtp.StageSTARTTLS:
		s.End = smtp.EndAborted
	case contains(text, "timed out") || contains(text, "timeout"):
		s.End = smtp.EndTimedOut
	case contains(text, "lost connection") || contains(text, "closed connection") || contains(text, "reset by peer") || contains(text, "Broken pipe"):
		s.End = smtp.EndLost
	case ev.Stage == smtp.StageConnect || contains(text, "refused") || contains(text, "No route") || contains(text, "unreachable"):
		s.End = smtp.EndRefused
	case contains(text, "Malformed"):
		s.End = smtp.EndAborted
	default:
		return // the client found that it cannot go on, as with a message too large, and says QUIT
	}
	s.EndStage = ev.Stage
}

// unverified reports that a certificate was not as it should be. By itself that ends
// nothing: most clients and servers go on, and where one does not a line says so.
func unverified(ev *smtp.Event) bool {
	return contains(ev.Text, "certificate verification failed for") || contains(ev.Text, "SSL verify error")
}

func contains(text []byte, word string) bool { return bytes.Contains(text, []byte(word)) }
