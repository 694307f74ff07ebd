package transcript

import (
	"bytes"
	"strconv"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// mask stands where a secret stood.
const mask = smtp.Mask

// held is a command seen behind a dot, before it is sure that the dot ended the body.
type held struct {
	text []byte
	line int
}

// client takes a line that the client said: a command, an answer to AUTH, or a line of a
// body.
func (p *parser) client(s *session, line []byte) {
	p.turn(s)
	text := bytes.TrimRight(line, " \t\r\\")
	if s.body || s.oneSided() && !isCommand(text) {
		s.body = true
		p.bodyLine(s, text)
		return
	}
	if !p.d.interleaved || !s.more {
		p.finish(s)
	}
	if s.chunk > 0 && !p.d.hidesBody {
		// A chunk counts bytes, not lines (RFC 3030, 2): the next command may stand behind it.
		if verb, _ := word(text); equalFold(verb, "BDAT") && isCommand(text) {
			s.chunk = 0 // the body is not shown whole
		} else if n := len(line) + len("\r\n"); n <= s.chunk {
			s.chunk -= n
			return
		} else {
			text, s.chunk = line[min(s.chunk, len(line)):], 0
		}
	}
	text = trim(text)
	if len(text) == 0 || text[0] == '(' || text[0] == '<' {
		return // "(writing message)", "<opens connection>"
	}
	if p.authAnswer(s, text) {
		return
	}
	if text[0] == '[' && text[len(text)-1] == ']' {
		text = text[1 : len(text)-1] // "[AUTH PLAIN]"
	}
	if p.d.strict && !isCommand(text) && text[0] != '.' {
		return
	}
	if (s.closed || s.over) && s.replies > 0 && stageOf(firstWord(text)) == smtp.StageEHLO {
		s = p.renew(s)
	}
	p.command(s, text, p.line)
}

// oneSided reports that DATA was sent and the server is not shown at all: what follows is
// a body although nothing shows the 354.
func (s *session) oneSided() bool {
	return s.replies == 0 && len(s.pending) > 0 && s.pending[len(s.pending)-1].stage == smtp.StageDATA
}

func firstWord(b []byte) []byte {
	w, _ := word(b)
	return w
}

// authAnswer takes what a client says within an AUTH exchange. Some tools do not show
// the 334 between, so a line that is no command while AUTH waits is an answer, too, but
// not one that waits for a reply of its own.
func (p *parser) authAnswer(s *session, text []byte) bool {
	waits := len(s.pending) > 0 && s.pending[len(s.pending)-1].stage == smtp.StageAUTH
	if !s.auth && !waits || isCommand(text) {
		return false
	}
	s.hide(text)
	if !waits {
		s.push(command{stage: smtp.StageAUTH})
	}
	ev := p.event(s, smtp.KindCommand)
	ev.Stage, ev.Text = smtp.StageAUTH, []byte(mask)
	p.emit(ev, p.line)
	return true
}

// hide remembers a secret, so that a server cannot quote it into the open.
func (s *session) hide(secret []byte) {
	for _, label := range []string{"User: ", "Pass: "} { // tshark
		secret = bytes.TrimPrefix(secret, []byte(label))
	}
	if len(secret) < 4 {
		return // "=", "*": nothing that could be hidden
	}
	if len(s.secrets) == maxSecrets {
		s.secrets = append(s.secrets[:0], s.secrets[1:]...)
	}
	s.secrets = append(s.secrets, secret)
}

// bodyLine takes a line between 354 and the end of the body. Not every tool shows the
// body dot-stuffed (RFC 5321, 4.5.2), so a dot is the end only if nothing but commands
// stand between it and the next reply.
func (p *parser) bodyLine(s *session, text []byte) {
	switch {
	case len(text) == 1 && text[0] == '.' || string(text) == ". (EOM)":
		s.dot = true
		s.after = append(s.after[:0], held{text[:1], p.line})
		if p.d.stuffed {
			p.endBody(s)
		}
	case s.dot && isCommand(text) && len(s.after) < maxHeld:
		s.after = append(s.after, held{text, p.line})
	case len(text) > 0 && s.dot:
		s.dot = false
	case p.d.hidesBody && !s.dot && isCommand(text):
		// Neither body nor dot nor their reply are shown.
		s.body = false
		p.client(s, text)
	}
}

// endBody puts the end of the body, and the commands behind it, among those that wait.
func (p *parser) endBody(s *session) {
	if !s.body {
		return
	}
	s.body = false
	if !s.dot {
		s.push(command{stage: smtp.StageDOT, from: s.from})
		return
	}
	s.dot = false
	for _, h := range s.after {
		p.command(s, h.text, h.line)
	}
}

// command takes a command that is sure to be one.
func (p *parser) command(s *session, text []byte, line int) {
	if !p.d.interleaved || !s.more {
		p.finish(s)
	}
	verb, arg := word(text)
	c := command{stage: stageOf(verb)}
	ev := p.event(s, smtp.KindCommand)
	ev.Text = text
	switch {
	case verb[0] == '.':
		c.stage, c.from = smtp.StageDOT, s.from
	case c.stage == smtp.StageEHLO:
		ev.Kind, ev.Helo, s.from = smtp.KindHello, arg, nil
		s.lmtp = equalFold(verb, "LHLO")
	case c.stage == smtp.StageMAIL:
		s.from = address(arg)
		c.from = s.from
	case c.stage == smtp.StageRCPT:
		c.from, c.to = s.from, address(arg)
	case c.stage == smtp.StageBDAT:
		size, rest := word(arg)
		n, _ := strconv.Atoi(string(size[:min(len(size), 9)]))
		s.chunk = max(n, 0)
		c.from, c.last = s.from, equalFold(rest, "LAST")
	case c.stage == smtp.StageDATA:
		c.from = s.from
	case c.stage == smtp.StageAUTH:
		p.auth(s, ev, verb, arg)
	case c.stage == smtp.StageUNKNOWN:
		ev.Text = s.unknown(verb, arg)
	}
	ev.Stage, ev.From, ev.To = c.stage, c.from, c.to
	s.many = false
	s.commands++
	if p.d.lockstep {
		s.pending = s.pending[:0]
	}
	s.push(c)
	p.emit(ev, line)
}

// auth fills the event of an AUTH command: the mechanism is shown, the initial response
// (RFC 4954, 4) is not.
func (p *parser) auth(s *session, ev *smtp.Event, verb, arg []byte) {
	mech, response := word(arg)
	ev.AuthMethod = mechanism(mech)
	if ev.AuthMethod == nil {
		response = arg
	}
	ev.Text = ev.Scratch(len(verb) + len(ev.AuthMethod) + len(mask) + 2)[:0]
	ev.Text = append(ev.Text, verb...)
	if ev.AuthMethod != nil {
		ev.Text = append(append(ev.Text, ' '), ev.AuthMethod...)
	}
	if len(response) > 0 {
		ev.Text = append(append(ev.Text, ' '), mask...)
		s.hide(response)
	}
}

// unknown returns what may be shown of a command that no standard knows. It could be a
// password that was typed too early, or that stands in a transcript without its AUTH; so
// only a plain word is shown, and only where the dialogue was seen from its beginning.
func (s *session) unknown(verb, arg []byte) []byte {
	plain := s.replies > 0 && len(verb) <= 10
	for _, c := range verb {
		plain = plain && isLetter(c) && c&0x20 == verb[0]&0x20
	}
	if !plain {
		s.hide(verb)
		verb = []byte(mask)
	}
	if len(arg) == 0 {
		return verb
	}
	s.hide(arg)
	return append(append(append([]byte(nil), verb...), ' '), mask...)
}
