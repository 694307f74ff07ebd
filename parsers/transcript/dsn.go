package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// A delivery status notification (RFC 3464) tells the same reply two or three times: in
// words for people, in the Diagnostic-Code for programs, and in sendmail's transcript.
// What people read comes first and says most: which host, at which command. The fields for
// programs count only when it said nothing.

// dsnState is how far a notification has been read.
type dsnState struct {
	done      bool   // the returned message has begun: nothing in it is ours
	report    bool   // within the fields for programs
	answers   int    // replies found
	paragraph []byte // unfolded text up to here
	line      int    // the last line of it
	recipient []byte
	command   smtp.Stage // what Exim says the reply answers
	to        []byte
}

// dsnSigns begin lines of a notification.
var dsnSigns = []string{
	"Reporting-MTA:", "Diagnostic-Code:", "... while talking to ", "This is the mail system at host ",
	"This message was created automatically by mail delivery software",
}

func isDSN(sample []byte) bool {
	at := -1
	for _, sign := range dsnSigns {
		if i := bytes.Index(sample, []byte(sign)); i >= 0 && (i == 0 || sample[i-1] == '\n') && (at < 0 || i < at) {
			at = i
		}
	}
	// Behind a greeting it would be the body of a message.
	return at >= 0 && !bytes.Contains(sample[:at], []byte(" 220 ")) && !bytes.Contains(sample[:at], []byte("\n220"))
}

// returned are the words behind which the returned message stands.
var returned = []string{"content-type: message/rfc822", "content-type: text/rfc822-headers", "------ this is a copy of", "----- original message follows",
	"----- message header follows", "--- below this line is a copy"}

func readDSN(p *parser, line []byte) verdict {
	st := &p.state.dsn
	if st.done {
		return understood
	}
	text := trim(line)
	for _, r := range returned {
		if hasPrefixFold(text, r) {
			p.endParagraph()
			st.done = true
			return understood
		}
	}
	switch {
	case bytes.HasPrefix(text, []byte("... while talking to ")):
		p.talkTo(peerOf(text[len("... while talking to "):]))
		st.answers++ // what follows is a dialogue
		return understood
	case bytes.HasPrefix(text, []byte("<<< ")) && isReply(text[4:]):
		st.answers++
		return p.said(p.session(nil), server, text[4:], nil)
	case bytes.HasPrefix(text, []byte(">>> ")):
		return p.said(p.session(nil), client, text[4:], nil)
	case hasPrefixFold(text, "content-type: message/delivery-status"), hasPrefixFold(text, "reporting-mta:"):
		p.endParagraph()
		st.report = true
		return understood
	case st.command != smtp.StageNone && p.eximReply(text):
		return understood
	case len(text) == 0 || line[0] != ' ' && line[0] != '\t':
		p.endParagraph()
	}
	p.eximError(text)
	if n := len(st.paragraph) + len(text) + 1; n < maxParagraph {
		st.paragraph = append(append(st.paragraph, ' '), text...)
	}
	if len(text) > 0 {
		st.line = p.line
	}
	return understood
}

// maxParagraph is the longest unfolded text that is looked at. Postfix cuts replies far
// below it.
const maxParagraph = 16 << 10

// talkTo begins the session with a host, unless it is the one that goes on.
func (p *parser) talkTo(peer smtp.Peer) *session {
	s := p.session(nil)
	if s.connected && bytes.Equal(s.peer.Name, peer.Name) && bytes.Equal(s.peer.IP, peer.IP) {
		return s
	}
	p.happened(s, smtp.KindConnect, false, peer, nil)
	return p.session(nil)
}

// endParagraph looks at the text that was unfolded: Postfix's "host ... said: ..." or a
// field for programs.
func (p *parser) endParagraph() {
	st := &p.state.dsn
	line := p.line
	p.line = st.line // a paragraph is known to end one line too late
	defer func() { p.line = line }()
	text := trim(st.paragraph)
	st.paragraph = nil // events may point into it
	st.command = smtp.StageNone
	if _, code, ok := cutField(text, "diagnostic-code:"); ok && st.report {
		kind, reply, _ := bytes.Cut(code, []byte{';'})
		if st.answers == 0 && equalFold(trim(kind), "smtp") && isReply(trim(reply)) {
			p.answer(p.session(nil), smtp.StageNone, st.recipient, trim(reply))
			return
		}
	}
	if _, rcpt, ok := cutField(text, "final-recipient:"); ok {
		_, rcpt, _ = bytes.Cut(rcpt, []byte{';'})
		st.recipient = trim(rcpt)
	}
	stage, to := smtp.StageNone, []byte(nil)
	host, said, ok := bytes.Cut(text, []byte(" said: "))
	if !ok {
		host, said, ok = bytes.Cut(text, []byte(" refused to talk to me: "))
		stage = smtp.StageConnect
	}
	if !ok || st.report || !isReply(said) {
		return
	}
	if i := bytes.LastIndex(said, []byte("(in reply to ")); i >= 0 {
		words := said[i+len("(in reply to "):]
		stage, said = replyTo(words), trim(said[:i])
	}
	if i := bytes.Index(host, []byte(">: ")); i > 0 && host[0] == '<' {
		to, host = host[1:i], host[i+3:]
	}
	st.answers++
	p.answer(p.talkTo(peerOf(host)), stage, to, said)
}

// cutField cuts the name of a header field off, in any case.
func cutField(b []byte, name string) (field, value []byte, ok bool) {
	if !hasPrefixFold(b, name) {
		return nil, nil, false
	}
	return b[:len(name)], trim(b[len(name):]), true
}

// replyTo reads what a reply answered, in the words of Postfix ("RCPT TO command", "end
// of DATA command") or of Exim ("RCPT TO:<a@b>", "end of data", "initial connection").
func replyTo(words []byte) smtp.Stage {
	words = bytes.TrimPrefix(words, []byte("pipelined "))
	switch {
	case hasPrefixFold(words, "end of data"):
		return smtp.StageDOT
	case hasPrefixFold(words, "initial "):
		return smtp.StageConnect
	case hasPrefixFold(words, "sending data block"):
		return smtp.StageDOT
	}
	verb, _ := word(words)
	verb, _, _ = bytes.Cut(verb, []byte{':'})
	return stageOf(verb)
}

// eximError notes what the reply below the line answers: "SMTP error from remote mail
// server after RCPT TO:<a@b>:".
func (p *parser) eximError(text []byte) {
	_, after, ok := bytes.Cut(text, []byte("SMTP error from remote mail"))
	if !ok {
		return
	}
	_, after, ok = bytes.Cut(after, []byte(" after "))
	if !ok {
		return
	}
	st := &p.state.dsn
	st.command, st.to = replyTo(after), nil
	if st.command == smtp.StageRCPT {
		st.to = address(after)
	}
	if i := bytes.Index(st.paragraph, []byte("host ")); i >= 0 {
		p.talkTo(peerOf(st.paragraph[i+len("host "):]))
	}
}

// eximReply takes a line of the reply that Exim quotes, behind "host mx [192.0.2.1]: " on
// its first line in older versions.
func (p *parser) eximReply(text []byte) bool {
	st := &p.state.dsn
	if bytes.HasPrefix(text, []byte("host ")) {
		if i := bytes.Index(text, []byte("]: ")); i >= 0 && isReply(text[i+3:]) {
			p.talkTo(peerOf(text[len("host "):]))
			text = text[i+3:]
		}
	}
	if !isReply(text) {
		return false
	}
	s := p.session(nil)
	if len(s.reply) == 0 || !s.more {
		st.answers++
		p.finish(s)
		s.push(command{stage: st.command, to: st.to})
		s.commands++
	}
	s.replies++
	p.server(s, text)
	return true
}

// answer emits a reply that stands alone.
func (p *parser) answer(s *session, stage smtp.Stage, to, text []byte) {
	p.finish(s)
	code := smtp.ParseCode(text)
	if stage == smtp.StageNone {
		stage = s.guess(code, text)
	}
	s.replies++
	s.code, s.replyLine, s.reply = code, p.line, append(s.reply[:0], text)
	s.answers = command{stage: stage, to: to}
	p.finish(s)
}
