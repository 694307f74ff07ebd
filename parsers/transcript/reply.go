package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// server takes a line that the server said. It reports whether the line is part of a
// reply.
func (p *parser) server(s *session, text []byte) bool {
	p.turn(s)
	if !isReply(text) {
		if s.more {
			s.add(text, p.line, false)
			return true
		}
		return false
	}
	code, more := smtp.ParseCode(text), len(text) > 3 && text[3] == '-'
	if s.more && code == s.code {
		s.add(text, p.line, true)
		s.more = more
		return true
	}
	p.finish(s)
	if s.isNew(code, text) {
		s = p.renew(s)
		p.spoke = s
	}
	p.endBody(s)
	s.answers = s.pair(code, text)
	s.code, s.more, s.replyLine, s.replyStamp = code, more, p.line, s.stamp
	s.reply = append(s.reply[:0], text)
	return true
}

// add appends a line to the reply being read.
func (s *session) add(text []byte, line int, counts bool) {
	if len(s.reply) < maxReplyLines && (counts || len(text) > 0) {
		s.reply = append(s.reply, text)
	}
	s.replyLine = line
}

// isNew reports that a reply must be the greeting of another session: a 220 that no
// STARTTLS asked for, or a refusal after the end.
func (s *session) isNew(code smtp.Code, text []byte) bool {
	if s.replies == 0 {
		return false
	}
	if code != 220 {
		return (s.over || s.closed || s.refused) && len(s.pending) == 0 && code >= 400
	}
	if s.over || s.closed || s.refused && len(s.pending) == 0 {
		return true
	}
	if len(s.pending) > 0 {
		stage := s.pending[0].stage
		return stage != smtp.StageSTARTTLS && stage != smtp.StageXCLIENT && stage != smtp.StageTURN
	}
	// Where commands are not shown, only the words tell a greeting from "go ahead".
	r := smtp.ParseReply(text)
	return r.Enhanced.IsZero() && !bytes.Contains(text, []byte("TLS")) && s.commands > 0 || bytes.Contains(text, []byte("SMTP"))
}

// pair finds the command that a reply answers (RFC 2920, 3.1: in the order sent), and
// moves the dialogue on.
func (s *session) pair(code smtp.Code, text []byte) command {
	first := s.replies == 0
	s.replies++
	var c command
	switch {
	case first && s.greets(code):
		c.stage = smtp.StageConnect
	case len(s.pending) > 0:
		c = s.pending[0]
		s.pending = s.pending[1:]
	case s.auth:
		c.stage = smtp.StageAUTH
	case s.many && code != 421:
		c.stage, c.from = smtp.StageDOT, s.from
	default:
		c.stage = s.guess(code, text)
	}
	s.last = c.stage
	s.refused = code == 421 || c.stage == smtp.StageConnect && code >= 400
	s.auth = c.stage == smtp.StageAUTH && code/100 == 3
	if len(s.pending) == 0 {
		s.chunk = 0
	}
	switch c.stage {
	case smtp.StageDATA:
		s.body = code/100 == 3 && s.commands > 0
	case smtp.StageDOT:
		s.many = s.lmtp || s.many || code == 353 // RFC 2033, 4.2; 353: PRDR
	case smtp.StageQUIT:
		s.over = code == 221 || s.over
	}
	return c
}

// greets reports that the first reply seen is the greeting: nothing was asked, or what
// was asked cannot be answered with 220.
func (s *session) greets(code smtp.Code) bool {
	if len(s.pending) > 0 {
		return code == 220 && s.pending[0].stage != smtp.StageSTARTTLS
	}
	return code == 220 || code >= 400 && code != 535 && code != 530
}

// guess names the stage of a reply whose command is not shown. When commands are shown
// and none waits, nobody asked: the server spoke out of turn, and what it says belongs to
// no command.
func (s *session) guess(code smtp.Code, text []byte) smtp.Stage {
	switch code {
	case 334, 235, 535:
		return smtp.StageAUTH
	case 354:
		return smtp.StageDATA
	}
	if s.commands > 0 {
		return smtp.StageUNKNOWN
	}
	switch e := smtp.ParseReply(text).Enhanced; {
	case code == 221:
		return smtp.StageQUIT
	case e[1] == 1 && e[2] == 0:
		return smtp.StageMAIL
	case e[1] == 1:
		return smtp.StageRCPT
	case code == 250 && (len(text) > 3 && text[3] == '-' || isKeyword(text[min(4, len(text)):])):
		return smtp.StageEHLO
	}
	return smtp.StageUNKNOWN
}

// isKeyword reports that the text of a reply is a keyword of EHLO (RFC 5321, 4.1.1.1), as
// the last line of a reply to it is that openssl s_client shows alone.
func isKeyword(text []byte) bool {
	w, _ := word(text)
	for _, c := range w {
		if c-'A' >= 26 && !isDigit(c) {
			return false
		}
	}
	return len(w) > 2
}

// finish emits the reply that is being read.
func (p *parser) finish(s *session) {
	if len(s.reply) == 0 {
		return
	}
	ev := p.event(s, smtp.KindAnswer)
	ev.Stamp, ev.Stage, ev.From, ev.To = s.replyStamp, s.answers.stage, s.answers.from, s.answers.to
	ev.Reply = smtp.Reply{Code: s.code, Text: p.replyText(s)}
	for _, l := range s.reply {
		if r := smtp.ParseReply(l); r.Code != 0 && !r.Enhanced.IsZero() {
			ev.Reply.Enhanced = r.Enhanced
			break
		}
	}
	if s.code/100 == 2 && (s.answers.stage == smtp.StageDOT || s.answers.last) {
		ev.Outcome = smtp.Sent
	}
	s.reply, s.more = s.reply[:0], false
	p.emit(ev, s.replyLine)
}

// replyText joins the lines of the reply, without the secrets that a server quoted back.
func (p *parser) replyText(s *session) []byte {
	n := 0
	for _, l := range s.reply {
		n += len(l) + 1
	}
	text := s.reply[0]
	if len(s.reply) > 1 {
		text = p.ev.Scratch(n)[:0]
		for i, l := range s.reply {
			if i > 0 {
				text = append(text, '\n')
			}
			text = append(text, l...)
		}
	}
	for _, secret := range s.secrets {
		if bytes.Contains(text, secret) {
			text = bytes.ReplaceAll(text, secret, []byte(mask))
		}
	}
	return text
}
