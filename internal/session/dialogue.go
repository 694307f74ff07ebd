package session

import "github.com/mailwhy/mailwhy/parsers/smtp"

// transcript takes a line of a dialogue. Here the log shows everything.
func (a *Assembler) transcript(st *Step, ev *smtp.Event) {
	if !st.Named {
		return
	}
	s := a.at(st.Session)
	if s == nil {
		s = a.start(st.Session, st, ev, true)
		if a.options.Exchanges {
			s.ID = append(s.ID[:0], cut(ev.Session, MaxAddress)...)
		}
	}
	a.touch(s, st, ev)
	switch st.Kind {
	case smtp.KindLost:
		s.broke(smtp.EndLost, st)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, st)
	case smtp.KindClosed:
		s.broke(smtp.EndServerClosed, st)
	case smtp.KindTLS:
		if st.Failed {
			s.broke(smtp.EndAborted, st)
		}
	case smtp.KindAnswer:
		s.answer(st)
		a.exchange(s, ev)
	case smtp.KindDisconnect:
		if s.End == smtp.EndNotLogged {
			s.End = smtp.EndAborted
		}
	}
}

// answer notes a reply whose command is known.
func (s *Session) answer(st *Step) {
	code := st.Code
	if code >= 400 {
		s.Refused++
	}
	switch {
	case st.Stage == smtp.StageDOT && code.Positive():
		s.Messages++
	case st.Stage == smtp.StageQUIT && code.Positive():
		s.Graceful = true
		if s.End != smtp.EndRefused { // a client takes its leave from a 554 greeting too (RFC 5321, 3.1)
			s.End, s.EndStage = smtp.EndQuit, smtp.StageNone
		}
	case code == 221 || code == 421:
		s.broke(smtp.EndServerClosed, st)
		if code == 421 && st.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case st.Stage == smtp.StageConnect && code >= 400:
		s.broke(smtp.EndRefused, st)
	}
}
