package session

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// inbound takes a line of our server about a client.
func (a *Assembler) inbound(ev *smtp.Event, k *Keys, m *message) {
	key := k.Session
	s := a.at(key)
	if ev.Format == smtp.FormatExim && ev.PID != 0 && len(ev.Session) == 0 && ev.Peer.Port == 0 && ev.Kind != smtp.KindConnect {
		key, s = a.claim(key, s, ev)
	}
	if s != nil && s.another(ev) {
		a.finish(s)
		s = nil
	}
	switch ev.Kind {
	case smtp.KindConnect:
		if s != nil && (ev.Format != smtp.FormatExim || s.depth >= maxSameClient) {
			a.finish(s)
		}
		s = a.start(key, ev, false)
	case smtp.KindReject, smtp.KindReceived, smtp.KindAuth, smtp.KindLost, smtp.KindTimeout, smtp.KindClosed, smtp.KindDisconnect:
		if s == nil && m != nil && m.session != 0 && ev.Kind == smtp.KindReject {
			s = a.at(m.session) // cleanup speaks for the smtpd that the message came in by
		}
		if s == nil {
			if cleanup(ev) {
				return
			}
			s = a.start(key, ev, true)
		}
	case smtp.KindTLS:
		if s == nil && ev.Format == smtp.FormatExim && ev.Failed && !unverified(ev) && !ev.Peer.IsZero() {
			s = a.start(key, ev, true) // all that Exim's default log shows of such a connection
		}
		if s == nil {
			return
		}
	case smtp.KindFilter, smtp.KindHello, smtp.KindAnswer, smtp.KindCommand, smtp.KindWarning:
		if s == nil {
			return
		}
	default:
		return
	}
	if cleanup(ev) && ev.Kind != smtp.KindReject {
		return
	}
	if ev.Kind == smtp.KindReceived && m != nil {
		m.session = s.key
	}
	a.touch(s, ev)
	a.take(s, ev)
}

// claim finds the session of a line of Exim's that shows its process (+pid). The connect
// was logged by the daemon under its own number, so the first line of a process takes
// over a connection of the same client that waits for one.
func (a *Assembler) claim(key uint64, waiting *Session, ev *smtp.Event) (uint64, *Session) {
	own := mix(key, uint64(ev.PID))
	s := a.at(own)
	if s == nil && waiting != nil && !waiting.implied {
		s = waiting
		a.leave(s)
		s.key = own
		a.open.Set(own, s.place)
	}
	return own, s
}

// another reports that a line of Exim's is of another connection than the session, which
// was read from lines that nothing ties but the client's address: a session has one
// message then, and a refusal at the greeting is all that happens in it.
func (s *Session) another(ev *smtp.Event) bool {
	if !s.implied || ev.Format != smtp.FormatExim {
		return false
	}
	switch ev.Kind {
	case smtp.KindTLS:
		return ev.Failed && s.Messages+s.Refused > 0 // a handshake comes before them
	case smtp.KindReceived, smtp.KindReject, smtp.KindAuth, smtp.KindTimeout, smtp.KindClosed:
		return s.Messages > 0 && !tied(ev) || ev.Stage == smtp.StageConnect && s.Messages+s.Refused > 0
	}
	return false
}

func cleanup(ev *smtp.Event) bool { return string(ev.Process) == "cleanup" }

// tied reports whether an Exim line shows which connection it belongs to.
func tied(ev *smtp.Event) bool {
	return len(ev.Session) > 0 || ev.Peer.Port != 0 || ev.PID != 0
}

// take lets a session know what happened in it, and ends it where that ended it.
func (a *Assembler) take(s *Session, ev *smtp.Event) {
	switch ev.Kind {
	case smtp.KindReject:
		s.refuse(ev)
		a.exchange(s, ev)
	case smtp.KindAuth:
		if ev.Failed {
			s.Refused += ev.Count()
			a.exchange(s, ev)
		}
	case smtp.KindReceived:
		s.Messages++
		s.greeting = false
		// Exim's line says that the message is there, Postfix's that it has a recipient.
		s.Deepest = max(s.Deepest, smtp.StageRCPT)
		if ev.Format == smtp.FormatExim {
			s.Deepest = smtp.StageDOT
		}
	case smtp.KindTLS:
		if ev.Failed && s.End == smtp.EndNotLogged {
			if !unverified(ev) {
				s.End, s.EndStage = smtp.EndAborted, smtp.StageSTARTTLS
			}
			a.exchange(s, ev)
		}
	case smtp.KindLost:
		s.broke(smtp.EndLost, ev)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, ev)
	case smtp.KindClosed:
		if ev.Outcome == smtp.Rejected {
			s.refuse(ev)
		}
		if s.greeting {
			s.broke(smtp.EndRefused, ev)
		} else {
			s.broke(smtp.EndServerClosed, ev)
		}
		a.exchange(s, ev)
	case smtp.KindFilter, smtp.KindWarning:
		if screened(ev) {
			s.screen(ev)
		}
	case smtp.KindDisconnect:
		s.disconnect(ev)
		if a.options.Exchanges {
			s.Commands = append(s.Commands, cut(ev.Commands, MaxText)...)
		}
		a.finish(s)
		return
	}
	if ev.Format == smtp.FormatExim && lastWord(s, ev) {
		a.finish(s)
	}
}

// lastWord reports that ev is the last that Exim logs of a connection.
func lastWord(s *Session, ev *smtp.Event) bool {
	switch ev.Kind {
	case smtp.KindLost, smtp.KindTimeout, smtp.KindClosed:
		return true
	case smtp.KindReject:
		return s.implied && ev.Stage == smtp.StageConnect // else its end is logged too
	}
	return false
}

// screen reads what postscreen's tests made of a client (postscreen(8), LOGGING).
func (s *Session) screen(ev *smtp.Event) {
	word, rest, _ := bytes.Cut(ev.Text, []byte(" "))
	switch string(word) {
	case "PASS", "WHITELISTED", "ALLOWLISTED":
		// Unless it disconnects it next, as it does after its deeper tests, it gives the
		// client to smtpd, which logs the session.
		s.passed = true
	case "PREGREET", "DNSBL", "BLACKLISTED", "DENYLISTED":
		s.greeting = s.Messages == 0
	case "NON-SMTP":
		s.broke(smtp.EndServerClosed, ev)
	case "COMMAND":
		if bytes.HasPrefix(rest, []byte("COUNT LIMIT")) || bytes.HasPrefix(rest, []byte("LENGTH LIMIT")) {
			s.broke(smtp.EndServerClosed, ev)
		}
	}
}

// refuse notes a refusal of our server.
func (s *Session) refuse(ev *smtp.Event) {
	s.Refused += ev.Count()
	s.greeting = ev.Stage == smtp.StageConnect && s.Messages == 0
	if ev.Reply.Code == 421 && s.End == smtp.EndNotLogged {
		s.End, s.EndStage = smtp.EndServerClosed, ev.Stage
	}
	if ev.Format == smtp.FormatPostfix && ev.Stage == smtp.StageDOT && len(ev.Queue) > 0 && s.Messages > 0 {
		s.Messages-- // the one that client= had announced
	}
}

// broke notes how the connection ended; the first such line is right, as the ones after
// it only follow from it.
func (s *Session) broke(e smtp.End, ev *smtp.Event) {
	if s.End == smtp.EndNotLogged || s.End == smtp.EndAborted {
		s.End, s.EndStage = e, ev.Stage
	}
}

// disconnect reads the end of an inbound session off its last line.
func (s *Session) disconnect(ev *smtp.Event) {
	s.passed = false
	quit := ev.Stage == smtp.StageQUIT
	bodies, chunks, refused := 0, 0, 0
	smtp.EachCommand(ev.Commands, func(name []byte, ok, all int) {
		switch string(name) {
		case "quit":
			quit = quit || ok > 0
		case "data":
			bodies, refused = ok, all-ok
		case "bdat":
			chunks = ok
		}
	})
	switch {
	case quit && s.End != smtp.EndServerClosed:
		s.End, s.Graceful = smtp.EndQuit, true
	case s.End != smtp.EndNotLogged:
	case bodies+chunks > 0:
		// The one way to go that smtpd does not log (src/smtpd/smtpd.c, smtpd_proto).
		s.End, s.EndStage = smtp.EndLost, smtp.StageDOT
	case s.greeting || (s.Refused > 0 && s.Format == smtp.FormatPostfix && screened(ev)):
		s.End = smtp.EndRefused
	case len(ev.Commands) == 0 && ev.Format == smtp.FormatPostfix && string(ev.Process) == "smtpd":
		s.End = smtp.EndQuit // before Postfix 3.0 there are no counts, but all else that can happen is logged
	default:
		s.End = smtp.EndAborted
	}
	if len(ev.Commands) > 0 {
		s.passedBy(bodies, chunks, refused)
	}
}

// passedBy corrects the number of messages by the counts of DATA and BDAT: client= is
// logged at the first recipient, before it is known whether the message will come.
func (s *Session) passedBy(bodies, chunks, refused int) {
	if chunks == 0 {
		s.Messages = min(s.Messages, bodies)
		if s.Messages == bodies && bodies > 0 && refused == 0 && s.EndStage == smtp.StageDATA {
			s.Messages-- // it broke within the last one
		}
	}
	switch {
	case s.Messages > 0:
		s.Deepest = smtp.StageDOT
	case bodies > 0:
		s.Deepest = max(s.Deepest, smtp.StageDATA)
	}
}
