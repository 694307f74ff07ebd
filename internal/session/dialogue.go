package session

import "github.com/mailwhy/mailwhy/parsers/smtp"

// transcript takes a line of a dialogue. Here the log shows everything.
func (a *Assembler) transcript(ev *smtp.Event, k *Keys) {
	if len(ev.Session) == 0 {
		return
	}
	s := a.at(k.Session)
	if s == nil {
		s = a.start(k.Session, ev, true)
		if a.options.Exchanges {
			s.ID = append(s.ID[:0], cut(ev.Session, MaxAddress)...)
		}
	}
	a.touch(s, ev)
	switch ev.Kind {
	case smtp.KindLost:
		s.broke(smtp.EndLost, ev)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, ev)
	case smtp.KindClosed:
		s.broke(smtp.EndServerClosed, ev)
	case smtp.KindTLS:
		if ev.Failed {
			s.broke(smtp.EndAborted, ev)
		}
	case smtp.KindAnswer:
		s.answer(ev)
		a.exchange(s, ev)
	case smtp.KindDisconnect:
		if s.End == smtp.EndNotLogged {
			s.End = smtp.EndAborted
		}
	}
}

// answer notes a reply whose command is known.
func (s *Session) answer(ev *smtp.Event) {
	code := ev.Reply.Code
	if code >= 400 {
		s.Refused++
	}
	switch {
	case ev.Stage == smtp.StageDOT && code.Positive():
		s.Messages++
	case ev.Stage == smtp.StageQUIT && code.Positive():
		s.Graceful = true
		if s.End != smtp.EndRefused { // a client takes its leave from a 554 greeting too (RFC 5321, 3.1)
			s.End, s.EndStage = smtp.EndQuit, smtp.StageNone
		}
	case code == 221 || code == 421:
		s.broke(smtp.EndServerClosed, ev)
		if code == 421 && ev.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case ev.Stage == smtp.StageConnect && code >= 400:
		s.broke(smtp.EndRefused, ev)
	}
}
