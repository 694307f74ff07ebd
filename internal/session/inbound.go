package session

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// inbound takes a line of our server about a client. i is its message, or none.
func (a *Assembler) inbound(st *Step, ev *smtp.Event, i int32) {
	if !ofSession[st.Kind] || st.Cleanup && st.Kind != smtp.KindReject {
		return
	}
	key := st.Session
	s := a.at(key)
	if st.Format == smtp.FormatExim {
		if st.PID != 0 && !st.Named && !st.Port && st.Kind != smtp.KindConnect {
			key, s = a.claim(key, s, st)
		}
		if s != nil && s.another(st) {
			a.finish(s)
			s = nil
		}
	}
	switch st.Kind {
	case smtp.KindConnect:
		if s != nil && (st.Format != smtp.FormatExim || s.depth >= maxSameClient) {
			a.finish(s)
		}
		s = a.start(key, st, ev, false)
	case smtp.KindReject, smtp.KindReceived, smtp.KindAuth, smtp.KindLost, smtp.KindTimeout, smtp.KindClosed, smtp.KindDisconnect:
		if s != nil {
			break
		}
		if i != none && st.Kind == smtp.KindReject && a.messages.slab[i].session != 0 {
			s = a.at(a.messages.slab[i].session) // cleanup speaks for the smtpd that the message came in by
		}
		if s == nil {
			if st.Cleanup {
				return
			}
			s = a.start(key, st, ev, true)
		}
	case smtp.KindTLS:
		if s == nil && st.Format == smtp.FormatExim && st.Failed && !st.unverified && st.Peer {
			s = a.start(key, st, ev, true) // all that Exim's default log shows of such a connection
		}
	}
	if s == nil {
		return
	}
	if st.Kind == smtp.KindReceived && i != none {
		a.messages.slab[i].session = s.key
	}
	a.touch(s, st, ev)
	a.take(s, st, ev)
}

// ofSession are the kinds of lines that tell something of an inbound session.
var ofSession = [smtp.NumKinds]bool{
	smtp.KindConnect: true, smtp.KindReject: true, smtp.KindReceived: true, smtp.KindAuth: true, smtp.KindLost: true, smtp.KindTimeout: true,
	smtp.KindClosed: true, smtp.KindDisconnect: true, smtp.KindTLS: true, smtp.KindFilter: true, smtp.KindHello: true, smtp.KindAnswer: true,
	smtp.KindCommand: true, smtp.KindWarning: true,
}

// claim finds the session of a line of Exim's that shows its process (+pid). The connect
// was logged by the daemon under its own number, so the first line of a process takes
// over a connection of the same client that waits for one.
func (a *Assembler) claim(key uint64, waiting *Session, st *Step) (uint64, *Session) {
	own := mix(key, uint64(st.PID))
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
func (s *Session) another(st *Step) bool {
	if !s.implied || st.Format != smtp.FormatExim {
		return false
	}
	switch st.Kind {
	case smtp.KindTLS:
		return st.Failed && s.Messages+s.Refused > 0 // a handshake comes before them
	case smtp.KindReceived, smtp.KindReject, smtp.KindAuth, smtp.KindTimeout, smtp.KindClosed:
		return s.Messages > 0 && !st.tied() || st.Stage == smtp.StageConnect && s.Messages+s.Refused > 0
	}
	return false
}

// tied reports whether an Exim line shows which connection it belongs to.
func (s *Step) tied() bool {
	return s.Named || s.Port || s.PID != 0
}

// take lets a session know what happened in it, and ends it where that ended it.
func (a *Assembler) take(s *Session, st *Step, ev *smtp.Event) {
	switch st.Kind {
	case smtp.KindReject:
		s.refuse(st)
		a.exchange(s, ev)
	case smtp.KindAuth:
		if st.Failed {
			s.Refused += st.Count()
			a.exchange(s, ev)
		}
	case smtp.KindReceived:
		s.Messages++
		s.greeting = false
		// Exim's line says that the message is there, Postfix's that it has a recipient.
		s.Deepest = max(s.Deepest, smtp.StageRCPT)
		if st.Format == smtp.FormatExim {
			s.Deepest = smtp.StageDOT
		}
	case smtp.KindTLS:
		if st.Failed && s.End == smtp.EndNotLogged {
			if !st.unverified {
				s.End, s.EndStage = smtp.EndAborted, smtp.StageSTARTTLS
			}
			a.exchange(s, ev)
		}
	case smtp.KindLost:
		s.broke(smtp.EndLost, st)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, st)
	case smtp.KindClosed:
		if st.Outcome == smtp.Rejected {
			s.refuse(st)
		}
		if s.greeting {
			s.broke(smtp.EndRefused, st)
		} else {
			s.broke(smtp.EndServerClosed, st)
		}
		a.exchange(s, ev)
	case smtp.KindFilter, smtp.KindWarning:
		s.screen(st)
	case smtp.KindDisconnect:
		s.disconnect(st)
		if a.options.Exchanges {
			s.Commands = append(s.Commands, cut(ev.Commands, MaxText)...)
		}
		a.finish(s)
		return
	}
	if st.Format == smtp.FormatExim && lastWord(s, st) {
		a.finish(s)
	}
}

// lastWord reports that ev is the last that Exim logs of a connection.
func lastWord(s *Session, st *Step) bool {
	switch st.Kind {
	case smtp.KindLost, smtp.KindTimeout, smtp.KindClosed:
		return true
	case smtp.KindReject:
		return s.implied && st.Stage == smtp.StageConnect // else its end is logged too
	}
	return false
}

// finding is what postscreen's tests made of a client.
type finding uint8

const (
	noFinding finding = iota
	passes            // it is given to smtpd
	suspect           // it failed a test before the greeting
	shutOut           // it is hung up on
)

// findingOf reads the words of postscreen(8), LOGGING.
func findingOf(text []byte) finding {
	word, rest, _ := bytes.Cut(text, []byte(" "))
	switch string(word) {
	case "PASS", "WHITELISTED", "ALLOWLISTED":
		return passes
	case "PREGREET", "DNSBL", "BLACKLISTED", "DENYLISTED":
		return suspect
	case "NON-SMTP":
		return shutOut
	case "COMMAND":
		if bytes.HasPrefix(rest, []byte("COUNT LIMIT")) || bytes.HasPrefix(rest, []byte("LENGTH LIMIT")) {
			return shutOut
		}
	}
	return noFinding
}

// screen notes what postscreen made of a client.
func (s *Session) screen(st *Step) {
	switch st.finding {
	case passes:
		// Unless it disconnects it next, as it does after its deeper tests, it gives the
		// client to smtpd, which logs the session.
		s.passed = true
	case suspect:
		s.greeting = s.Messages == 0
	case shutOut:
		s.broke(smtp.EndServerClosed, st)
	}
}

// refuse notes a refusal of our server.
func (s *Session) refuse(st *Step) {
	s.Refused += st.Count()
	s.greeting = st.Stage == smtp.StageConnect && s.Messages == 0
	if st.Code == 421 && s.End == smtp.EndNotLogged {
		s.End, s.EndStage = smtp.EndServerClosed, st.Stage
	}
	if st.Format == smtp.FormatPostfix && st.Stage == smtp.StageDOT && st.Queue != 0 && s.Messages > 0 {
		s.Messages-- // the one that client= had announced
	}
}

// broke notes how the connection ended; the first such line is right, as the ones after
// it only follow from it.
func (s *Session) broke(e smtp.End, st *Step) {
	if s.End == smtp.EndNotLogged || s.End == smtp.EndAborted {
		s.End, s.EndStage = e, st.Stage
	}
}

// Commands are the counts of a Postfix disconnect that tell how the session went.
type Commands struct {
	shown, quit             bool
	old                     bool   // of an smtpd that shows none
	bodies, chunks, refused uint16 // DATA, BDAT, and refused DATA
}

// commandsOf returns those of a disconnect.
func commandsOf(ev *smtp.Event) (c Commands) {
	if len(ev.Commands) > 0 {
		return CommandsOf(ev.Commands)
	}
	c.old = ev.Format == smtp.FormatPostfix && string(ev.Process) == "smtpd"
	return c
}

// CommandsOf reads the counts as smtpd writes them.
func CommandsOf(counts []byte) (c Commands) {
	quit, _ := smtp.CommandCount(counts, "quit")
	bodies, tried := smtp.CommandCount(counts, "data")
	chunks, _ := smtp.CommandCount(counts, "bdat")
	return Commands{shown: true, quit: quit > 0, bodies: few(bodies), refused: few(tried - bodies), chunks: few(chunks)}
}

// few keeps a count in 16 bits. A session has fewer messages.
func few(n int) uint16 { return uint16(max(0, min(n, 1<<16-1))) }

// disconnect reads the end of an inbound session off its last line.
func (s *Session) disconnect(st *Step) {
	s.passed = false
	c := &st.Commands
	switch {
	case (c.quit || st.Stage == smtp.StageQUIT) && s.End != smtp.EndServerClosed:
		s.End, s.Graceful = smtp.EndQuit, true
	case s.End != smtp.EndNotLogged:
	case c.bodies > 0 || c.chunks > 0:
		// The one way to go that smtpd does not log (src/smtpd/smtpd.c, smtpd_proto).
		s.End, s.EndStage = smtp.EndLost, smtp.StageDOT
	case s.greeting || (s.Refused > 0 && s.Format == smtp.FormatPostfix && st.Screened):
		s.End = smtp.EndRefused
	case c.old:
		s.End = smtp.EndQuit // before Postfix 3.0 there are no counts, but all else that can happen is logged
	default:
		s.End = smtp.EndAborted
	}
	if c.shown {
		s.passedBy(int(c.bodies), int(c.chunks), int(c.refused))
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
