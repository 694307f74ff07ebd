package session

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// outbound takes a line of our client about a server.
func (a *Assembler) outbound(st *Step, ev *smtp.Event) {
	switch st.Kind {
	case smtp.KindDelivery, smtp.KindAttempt, smtp.KindTLS:
	default:
		return
	}
	if !st.Peer || st.Probe {
		return // no host was spoken to
	}
	scope, key := st.Session, st.Contact
	s := a.at(key)
	if s != nil && s.queue == 0 {
		s.queue = st.Queue
	}
	if s == nil || (st.Kind == smtp.KindTLS && s.Messages+s.Refused > 0) || s.fresh(st) {
		if s != nil {
			a.finish(s)
		}
		if p := a.current.Get(scope); p != none && st.Format == smtp.FormatPostfix {
			a.finish(a.slab[p]) // a process speaks to one host at a time
		}
		s = a.start(key, st, ev, true)
		s.queue = st.Queue
		if st.Format == smtp.FormatPostfix {
			s.scope = scope
			a.current.Set(scope, s.place)
		}
	}
	a.touch(s, st, ev)
	if st.Kind == smtp.KindTLS && !st.Failed {
		return
	}
	if st.Kind != smtp.KindTLS || !st.unverified {
		s.delivered(st)
	}
	a.exchange(s, ev)
}

// fresh reports that ev is of another connection than the session, to the same host: a
// message that did not say it reused the connection, or a later attempt.
func (s *Session) fresh(st *Step) bool {
	if st.Reused || st.Kind == smtp.KindTLS {
		return false
	}
	if s.queue != st.Queue && st.Queue != 0 {
		return true
	}
	if s.End == smtp.EndNotLogged {
		return st.Stage == smtp.StageConnect && s.Deepest > smtp.StageSTARTTLS
	}
	switch {
	case st.Outcome == smtp.Sent:
		return true
	case st.Kind != smtp.KindAttempt: // repeats for each recipient how it ended
		return false
	}
	// A break after a 421 only follows from it.
	return s.End != smtp.EndServerClosed || st.Code != 0 || st.Stage < s.EndStage
}

// delivered notes the outcome of a recipient or of a try at a host.
func (s *Session) delivered(st *Step) {
	code := st.Code
	switch {
	case st.Outcome == smtp.Sent:
		s.Messages++
		s.Deepest = smtp.StageDOT
	case code == 0 && st.Failed:
		s.failed(st)
	default:
		s.Refused += st.Count()
	}
	switch {
	case s.End != smtp.EndNotLogged:
	case code == 421 || code == 221:
		s.End, s.EndStage = smtp.EndServerClosed, st.Stage
		if st.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case st.Stage == smtp.StageConnect && code >= 400:
		s.End, s.EndStage = smtp.EndRefused, st.Stage
	}
}

// failed notes how a connection broke, where a line tells that shows no reply.
func (s *Session) failed(st *Step) {
	if s.End == smtp.EndNotLogged && st.breaks != smtp.EndNotLogged {
		s.End, s.EndStage = st.breaks, st.Stage
	}
}

// breaks reads how a connection broke off a line that shows no reply; EndNotLogged when
// it did not, for the client found that it cannot go on, as with a message too large, and
// says QUIT. The words are Postfix's (src/smtp/smtp_trouble.c, smtp_connect.c) and Exim's
// (transports/smtp.c).
func breaks(ev *smtp.Event) smtp.End {
	switch text := ev.Text; {
	case ev.Stage == smtp.StageSTARTTLS:
		return smtp.EndAborted
	case contains(text, "timed out") || contains(text, "timeout"):
		return smtp.EndTimedOut
	case contains(text, "lost connection") || contains(text, "closed connection") || contains(text, "reset by peer") || contains(text, "Broken pipe"):
		return smtp.EndLost
	case ev.Stage == smtp.StageConnect || contains(text, "refused") || contains(text, "No route") || contains(text, "unreachable"):
		return smtp.EndRefused
	case contains(text, "Malformed"):
		return smtp.EndAborted
	}
	return smtp.EndNotLogged
}

// unverified reports that a certificate was not as it should be. By itself that ends
// nothing: most clients and servers go on, and where one does not a line says so.
func unverified(text []byte) bool {
	return contains(text, "certificate verification failed for") || contains(text, "SSL verify error")
}

func contains(text []byte, word string) bool { return bytes.Contains(text, []byte(word)) }
