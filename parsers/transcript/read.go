package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// readMarked reads a line of a dialect that marks who speaks.
func readMarked(p *parser, line []byte) verdict {
	who, text, prefix := p.d.split(line)
	if who == nobody {
		return p.unmarked(line)
	}
	if p.d.parts {
		if text = p.join(text); text == nil {
			return understood
		}
	}
	if p.swapped {
		who = server + client - who
	}
	if p.d.byContent {
		reply := isReply(text)
		if reply {
			p.direction = p.d.direction
			if who != server {
				p.direction = smtp.Inbound + smtp.Outbound - p.d.direction
			}
		}
		who = client
		if reply {
			who = server
		}
	}
	var key []byte
	if p.d.key != nil {
		key = p.d.key(prefix)
	}
	return p.said(p.session(key), who, text, line)
}

// join puts a line together that is shown in parts, as recordio does: a part has a plus
// behind it, the end of the line a blank. It returns nil for a part.
func (p *parser) join(text []byte) []byte {
	half := p.state.half
	if n := len(text); n > 0 && text[n-1] == '+' && len(half) < maxFolded {
		p.state.half = append(half, text[:n-1]...)
		return nil
	}
	p.state.half = nil
	return append(half, text...)
}

// said hands on what one side said in a line. Tools that print a string as their
// language writes it show line ends as \r\n; each line between is said on its own.
func (p *parser) said(s *session, who side, text, line []byte) verdict {
	s.stamp = stampOf(line)
	if who == server {
		return p.serverSaid(s, text)
	}
	for {
		one, rest, more := bytes.Cut(text, escapedEnd)
		p.client(s, one)
		if s = p.session([]byte(s.key)); !more || len(rest) == 0 || rest[0] == ',' || s.body {
			return understood
		}
		text = rest
	}
}

func (p *parser) serverSaid(s *session, text []byte) verdict {
	v := understood
	for {
		one, rest, more := cutReply(text)
		if !p.server(s, bytes.TrimRight(one, " \t\r\\")) && !p.tells(s, one) && len(trim(one)) > 0 && trim(one)[0] != '<' {
			v = unknown
		}
		if s = p.session([]byte(s.key)); !more || len(rest) == 0 || rest[0] == ',' {
			return v
		}
		text = rest
	}
}

// cutReply cuts the first line off what a server said: at an escaped line end, or at a
// bare \n that a further line of a reply follows.
func cutReply(text []byte) (one, rest []byte, more bool) {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(`\n`))
		if i < 0 {
			return text, nil, false
		}
		i += from
		if bytes.HasSuffix(text[:i], []byte(`\r`)) {
			return text[:i-2], text[i+2:], true
		}
		if isReply(text[i+2:]) {
			return text[:i], text[i+2:], true
		}
		from = i + 2
	}
}

// escapedEnd is a line end as many languages write it in a string.
var escapedEnd = []byte(`\r\n`)

// cutEscapes returns text up to the first escaped line end.
func cutEscapes(text []byte) []byte {
	one, _, _ := bytes.Cut(text, escapedEnd)
	return one
}

// maxFolded is the longest line that is put together from folded ones. Postfix folds at
// 79 columns, and no reply has more than some hundred bytes.
const maxFolded = 8 << 10

// unmarked reads a line without a mark in a dialect that has some: the rest of a reply
// of several lines, of which only the first is marked, or what the tool itself tells.
func (p *parser) unmarked(line []byte) verdict {
	text := trim(line)
	if s := p.spoke; s != nil && len(s.reply) > 0 {
		if s.more && isReply(text) && smtp.ParseCode(text) == s.code {
			p.server(s, text)
			return understood
		}
		if p.d.folds && len(text) > 0 && bytes.HasPrefix(line, []byte("    ")) {
			if last := s.reply[len(s.reply)-1]; len(last) < maxFolded {
				s.reply[len(s.reply)-1] = append(append(last[:len(last):len(last)], ' '), text...)
			}
			s.replyLine = p.line
			return understood
		}
	}
	s := p.current(line)
	if s != nil && s.body && p.d.bareBody != "" && bytes.Contains(line, []byte(p.d.bareBody)) {
		return understood
	}
	if p.tells(s, line) || s != nil && s.body {
		return understood
	}
	if p.d.lockstep && s != nil && len(s.reply) > 0 {
		return understood // further lines of a reply, shown without their code
	}
	return foreign
}

// current returns the session that an unmarked line is about: the one whose key it
// shows, or the one that spoke last.
func (p *parser) current(line []byte) *session {
	if p.d.key != nil {
		if key := p.d.key(line[:min(len(line), maxPrefix)]); key != nil {
			if s := p.sessions[string(key)]; s != nil {
				return s
			}
			return nil
		}
	}
	if len(p.order) > 0 {
		return p.order[len(p.order)-1]
	}
	return nil
}

// readPlain reads a paste without marks: telnet, nc, openssl s_client, JavaMail, exim
// -bs, sendmail -v. What has the form of a reply is the server's, what has the form of a
// command the client's, unless it stands in a body.
func readPlain(p *parser, line []byte) verdict {
	text := trim(line)
	s := p.current(line)
	who, said, _ := splitPlain(line)
	if s != nil && who != server && s.oneSided() {
		s.body = true
	}
	// sendmail -v marks its commands and shows no bodies.
	p.state.marked = p.state.marked || who == client && len(said) < len(text)
	if s != nil && s.body && !p.state.marked {
		p.plainBody(s, line)
		return understood
	}
	if p.state.marked && who == nobody && bytes.HasPrefix(text, []byte(">>> ")) {
		return p.said(p.session(nil), client, text[len(">>> "):], line)
	}
	switch {
	case who == server && p.quoted(said):
		return understood
	case who != nobody:
		return p.said(p.session(nil), who, said, line)
	case s != nil && s.auth && len(text) > 0 && oneWord(text):
		p.client(s, text)
		return understood
	}
	if bytes.HasPrefix(text, []byte("050 ")) {
		return understood // sendmail's VERB: the dialogue of the next hop (RFC 821 has no such code)
	}
	p.echo = quotes(line)
	if p.tells(s, line) {
		return understood
	}
	return foreign
}

// plainBody takes a line of a body that is shown without marks. Only telnet's farewell
// cannot be part of it, and what the server said right before that was no body either.
func (p *parser) plainBody(s *session, line []byte) {
	if string(trim(line)) != "Connection closed by foreign host." {
		p.state.lastBody = trim(line)
		p.client(s, line)
		return
	}
	if last := p.state.lastBody; isReply(last) && last[0] >= '4' {
		p.server(s, last)
	}
	p.tells(p.session([]byte(s.key)), line)
}

// splitPlain tells by its form who said a line.
func splitPlain(line []byte) (side, []byte, []byte) {
	text := trim(line)
	if len(line)-len(bytes.TrimLeft(line, " \t")) > 8 {
		return nobody, nil, nil
	}
	if isReply(text) {
		return server, text, nil
	}
	if rest := bytes.TrimPrefix(text, []byte(">>> ")); isCommand(rest) || len(rest) < len(text) && len(rest) == 1 && rest[0] == '.' {
		return client, rest, nil // sendmail -v
	}
	return nobody, nil, nil
}

// quotes returns the code of a reply whose first line of several a line quotes, as the
// text of an exception does: its other lines follow, and look like a second reply.
func quotes(line []byte) smtp.Code {
	for i := 1; i+4 < len(line) && i < 1000; i++ {
		if line[i+3] == '-' && line[i-1] == ' ' && (line[i] == '4' || line[i] == '5') && isReply(line[i:]) {
			return smtp.ParseCode(line[i:])
		}
	}
	return 0
}

// quoted reports that a reply continues a quotation.
func (p *parser) quoted(text []byte) bool {
	if p.echo == 0 || smtp.ParseCode(text) != p.echo {
		p.echo = 0
		return false
	}
	if len(text) < 4 || text[3] != '-' {
		p.echo = 0
	}
	return true
}

// notice is what a tool tells about the connection, by the words that it uses.
type notice struct {
	words  string
	kind   smtp.Kind
	failed bool
}

// notices are tried in order on lines that neither side said.
var notices = []notice{
	{"Connection closed by foreign host", smtp.KindDisconnect, false},
	{"closed connection unexpectedly", smtp.KindLost, true},
	{"SMTP(closed)<<", smtp.KindLost, true},
	{"onnection reset by peer", smtp.KindLost, true},
	{"onnection unexpectedly closed", smtp.KindLost, true},
	{"reason: lost connection", smtp.KindLost, true},
	{"lost connection after", smtp.KindLost, true},
	{"Unexpected EOF", smtp.KindLost, true},
	{"SMTP(close)>>", smtp.KindDisconnect, false},
	{"Connection closed", smtp.KindDisconnect, false},
	{"Connection: closed", smtp.KindDisconnect, false},
	{"Closing connection", smtp.KindDisconnect, false},
	{"disconnect from ", smtp.KindDisconnect, false},
	{"closed by QUIT", smtp.KindDisconnect, false},
	{"read:errno=0", smtp.KindDisconnect, false},
	{"SMTP session finished", smtp.KindDisconnect, false},
	{"SMTP session successful", smtp.KindDisconnect, false},
	{"Session aborted, reason: timeout", smtp.KindTimeout, true},
	{"Timeout (", smtp.KindTimeout, true},
	{"timed out", smtp.KindTimeout, true},
	{"SMTP timeout", smtp.KindTimeout, true},
	{"*** Error connecting to", smtp.KindLost, true},
	{"curl: (7)", smtp.KindLost, true},
	{"TLS startup failed", smtp.KindTLS, true},
	{"SSL: error", smtp.KindTLS, true},
	{"handshake failure", smtp.KindTLS, true},
	{"handshake failed", smtp.KindTLS, true},
	{"certificate verify failed", smtp.KindTLS, true},
	{"TLS started with cipher", smtp.KindTLS, false},
	{"SSL connection using", smtp.KindTLS, false},
	{"Connection upgraded with STARTTLS", smtp.KindTLS, false},
	{"secured: cipher=", smtp.KindTLS, false},
	{"Connected to ", smtp.KindConnect, false},
	{"CONNECTED(", smtp.KindConnect, false},
	{"Connecting to ", smtp.KindConnect, false},
	{"connect: to ", smtp.KindConnect, false},
	{"Connection opened: ", smtp.KindConnect, false},
	{"Connection established to ", smtp.KindConnect, false},
	{"Connection: opening to ", smtp.KindConnect, false},
	{"rying to connect to host ", smtp.KindConnect, false},
	{"rying to connect to ", smtp.KindConnect, false},
	{"SMTP connection from ", smtp.KindConnect, false},
	{"]: connect from ", smtp.KindConnect, false},
	{"SMTP session started", smtp.KindConnect, false},
	{"Trying ", smtp.KindConnect, false},
}

// maxNotice is how much of a line is searched for the words of a notice.
const maxNotice = 400

// tells takes a line in which a tool tells about the connection. s is nil before the
// first session.
func (p *parser) tells(s *session, line []byte) bool {
	head := line[:min(len(line), maxNotice)]
	for i := range notices {
		n := &notices[i]
		at := bytes.Index(head, []byte(n.words))
		if at < 0 {
			continue
		}
		var peer smtp.Peer
		if n.kind == smtp.KindConnect {
			peer = peerOf(head[at+len(n.words):])
			if n.words == "Trying " && peer.IP == nil && peer.Port == 0 && bytes.IndexByte(peer.Name, '.') < 0 {
				return isTalk(line) // "Trying method login"
			}
		}
		if s == nil {
			if n.kind != smtp.KindConnect {
				return true
			}
			var key []byte
			if p.d.key != nil {
				key = p.d.key(head[:at])
			}
			s = p.session(key)
		}
		if n.kind == smtp.KindConnect {
			s.stamp = stampOf(line)
		}
		p.happened(s, n.kind, n.failed, peer, line)
		return true
	}
	return isTalk(line)
}

// talk are the beginnings of lines in which tools talk of themselves.
var talk = []string{"=== ", "*** ", "* ", "{ [", "} [", "DEBUG", "LOG:", "**** ", "cmdlog: ", ">>> ", "++ ", "!! ", "reply: retcode", "data: (", "connect: b", "connect: ",
	"msmtp: ", "ssmtp: ", "s-nail: ", "smtp-source: ", "curl: (", "SMTP ERROR: ", "SMTP Error: ", "SMTP INBOUND: ", "SMTP -> ", "??? ", "+++ ", "End of script", "SMTP(", "Net::"}

func isTalk(line []byte) bool {
	rest := stripHead(line)
	for _, t := range talk {
		if bytes.HasPrefix(rest, []byte(t)) {
			return true
		}
	}
	return false
}
