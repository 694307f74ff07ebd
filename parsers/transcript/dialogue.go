package transcript

import (
	"bytes"
	"strconv"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Limits of a dialogue, so that no input can make it large or slow.
const (
	maxPending    = 1024 // commands without a reply: a pipeline of a thousand recipients is the longest that mail programs send
	maxReplyLines = 512  // lines of one reply; no server says more, the rest is counted and not kept
	maxHeld       = 8    // commands behind a dot that may not have been the end of the body
	maxSecrets    = 8    // answers of an AUTH exchange that a server could quote back
	maxSessions   = 4096 // open at one time; the oldest is closed for a new one
)

// mask stands where a secret stood.
const mask = "****"

// A command waits for its reply.
type command struct {
	stage    smtp.Stage
	from, to []byte
	last     bool // BDAT ... LAST: the reply decides the message's fate
}

// held is a command seen behind a dot, before it is sure that the dot ended the body.
type held struct {
	text []byte
	line int
}

// session is one conversation as far as it has been read.
type session struct {
	id    []byte
	key   string
	peer  smtp.Peer
	stamp smtp.Stamp

	pending  []command
	from     []byte
	replies  int
	commands int
	last     smtp.Stage // the stage reached, for a connection that breaks

	body  bool   // between 354 and the end of the body
	dot   bool   // a dot was seen in the body, perhaps its end
	after []held // commands behind that dot
	chunk int    // bytes of a BDAT body still to come
	auth  bool   // within an AUTH exchange: what the client says is secret
	many  bool   // the end of the body has several replies (LMTP, PRDR)
	lmtp  bool

	connected, over, closed, ended bool
	refused                        bool // 421, or a refusal as the greeting: the server hangs up

	reply      [][]byte // the lines of the reply being read
	code       smtp.Code
	answers    command
	replyLine  int
	replyStamp smtp.Stamp
	more       bool // its last line had a hyphen

	secrets [][]byte
}

// waiting returns the stage that the session is at: the oldest command without a reply,
// or the last one that had one.
func (s *session) waiting() smtp.Stage {
	if s.body && s.dot {
		return smtp.StageDOT
	}
	if len(s.pending) > 0 {
		return s.pending[0].stage
	}
	return s.last
}

// session returns the open session of a key, "" for dialects that show none.
func (p *parser) session(key []byte) *session {
	if s := p.sessions[string(key)]; s != nil {
		return s
	}
	return p.open(string(key))
}

func (p *parser) open(key string) *session {
	if len(p.order) >= maxSessions {
		p.end(p.order[0])
	}
	s := &session{key: key}
	p.sessions[key] = s
	p.order = append(p.order, s)
	return s
}

// end finishes a session and forgets it.
func (p *parser) end(s *session) {
	p.finish(s)
	p.endBody(s)
	if s.over {
		p.disconnect(s)
	}
	delete(p.sessions, s.key)
	for i, o := range p.order {
		if o == s {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
}

func (p *parser) renew(s *session) *session {
	p.end(s)
	n := p.open(s.key)
	n.peer, n.stamp = s.peer, s.stamp
	return n
}

// turn marks that a session speaks. A reply of another one that is complete is emitted
// now, so that events keep the order of the lines.
func (p *parser) turn(s *session) {
	if p.spoke != nil && p.spoke != s && !p.spoke.more {
		p.finish(p.spoke)
	}
	p.spoke = s
}

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

// client takes a line that the client said: a command, an answer to AUTH, or a line of a
// body.
func (p *parser) client(s *session, line []byte) {
	p.turn(s)
	text := bytes.TrimRight(line, " \t\r\\")
	if s.body {
		p.bodyLine(s, text)
		return
	}
	if !p.d.interleaved {
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
	if !p.d.interleaved {
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

func (s *session) push(c command) {
	if len(s.pending) == maxPending {
		s.pending = s.pending[1:]
	}
	s.pending = append(s.pending, c)
}

// name gives a session its id when it shows up for the first time: the dialect's own, or
// its number in order of appearance. A process or port that is used again gets a number
// behind it.
func (p *parser) name(s *session) {
	p.count++
	if s.key == "" {
		s.id = strconv.AppendInt(nil, int64(p.count), 10)
		return
	}
	s.id = []byte(s.key)
	if n := p.seen[s.key]; n > 0 {
		s.id = strconv.AppendInt(append(s.id, '-'), int64(n+1), 10)
	}
	if len(p.seen) < maxSessions || p.seen[s.key] > 0 {
		p.seen[s.key]++
	}
}

// event begins an event of a session.
func (p *parser) event(s *session, kind smtp.Kind) *smtp.Event {
	if s.id == nil {
		p.name(s)
	}
	p.ev.Reset()
	p.ev.Kind, p.ev.Format, p.ev.Direction = kind, smtp.FormatTranscript, p.direction
	p.ev.Session, p.ev.Peer, p.ev.Stamp = s.id, s.peer, s.stamp
	return &p.ev
}

// happened takes what a tool tells about the connection itself.
func (p *parser) happened(s *session, kind smtp.Kind, failed bool, peer smtp.Peer, line []byte) {
	p.finish(s)
	switch kind {
	case smtp.KindConnect:
		if s.replies > 0 {
			s = p.renew(s)
			s.peer = smtp.Peer{}
		}
		s.peer = merge(s.peer, peer)
		if s.connected {
			return // a second address tried, or the same told twice
		}
		s.connected = true
	case smtp.KindDisconnect:
		p.endBody(s)
		p.disconnect(s)
		return
	case smtp.KindLost, smtp.KindTimeout, smtp.KindClosed:
		if s.closed || s.over {
			return
		}
		p.endBody(s)
		s.closed = kind != smtp.KindTimeout
	}
	ev := p.event(s, kind)
	ev.Failed = failed
	if kind != smtp.KindConnect {
		ev.Stage = s.waiting()
	}
	if kind == smtp.KindTLS && !failed {
		ev.TLSVersion, ev.TLSCipher = tlsOf(line)
	}
	p.emit(ev, p.line)
}

// merge adds what a tool tells later to what it told before: first the address that it
// tries, then the name.
func merge(old, new smtp.Peer) smtp.Peer {
	if new.Name != nil {
		old.Name = new.Name
	}
	if new.IP != nil {
		old.IP = new.IP
	}
	if new.Port != 0 {
		old.Port = new.Port
	}
	return old
}

// tlsOf reads "TLSv1.3:TLS_AES_256_GCM_SHA384:256" or "TLSv1.3 / TLS_AES_256_GCM_SHA384"
// anywhere in a line.
func tlsOf(line []byte) (version, cipher []byte) {
	i := bytes.Index(line, []byte("TLSv"))
	if i < 0 {
		return nil, nil
	}
	words := bytes.FieldsFunc(line[i:], func(r rune) bool { return r == ' ' || r == ':' || r == '/' || r == ',' })
	if len(words) > 1 && bytes.ContainsAny(words[1], "_-") {
		cipher = words[1]
	}
	return words[0], cipher
}

func (p *parser) disconnect(s *session) {
	s.closed = true
	if s.ended || s.replies+s.commands == 0 && !s.connected {
		return
	}
	s.ended = true
	p.emit(p.event(s, smtp.KindDisconnect), p.line)
}
