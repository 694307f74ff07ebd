package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Dialogues that are wrapped in something else: HTML, JSON, dumps of bytes, a log.

// readerState is what the readers of this file and of dsn.go keep from line to line.
type readerState struct {
	half   []byte   // the beginning of a row that was pasted with line breaks
	fields []string // the columns that a log announced

	marked   bool   // a plain paste marks its commands, as sendmail -v does
	lastBody []byte // the last line of a plain paste's body

	who  side   // whose bytes follow
	left int    // how many of them
	buf  []byte // the line that they make up

	dsn dsnState
}

// readPHPMailer reads PHPMailer's debug output. In a browser it is HTML, with <br>
// between the lines and the replies' own line ends lost.
func readPHPMailer(p *parser, line []byte) verdict {
	v := foreign
	for more := true; more; {
		var one []byte
		one, line, more = bytes.Cut(line, []byte("<br"))
		if v = max(v, readMarked(p, unescape(one))); more {
			line = bytes.TrimLeft(line, " /")
			line = bytes.TrimPrefix(line, []byte{'>'})
			more = len(trim(line)) > 0
		}
	}
	return v
}

// unescape undoes the entities of HTML.
func unescape(b []byte) []byte {
	if !bytes.Contains(b, []byte{'&'}) {
		return b
	}
	for _, e := range [][2]string{{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", `"`}, {"&#039;", "'"}, {"&amp;", "&"}} {
		b = bytes.ReplaceAll(b, []byte(e[0]), []byte(e[1]))
	}
	return b
}

func isSwiftJSON(sample []byte) bool {
	return bytes.Contains(sample, []byte(`++ Starting Swift`)) && bytes.Contains(sample, []byte(`\n<< `))
}

// readSwiftJSON reads a Swift Mailer log that was stored as one string.
func readSwiftJSON(p *parser, line []byte) verdict {
	v := foreign
	line = bytes.ReplaceAll(line, []byte(`\r`), nil)
	for more := true; more; {
		var one []byte
		one, line, more = bytes.Cut(line, []byte(`\n`))
		switch {
		case bytes.HasPrefix(one, []byte("<< ")):
			v = p.said(p.session(nil), server, one[3:], nil)
		case bytes.HasPrefix(one, []byte(">> ")):
			v = p.said(p.session(nil), client, one[3:], nil)
		default:
			v = max(v, p.unmarked(one))
		}
	}
	return v
}

func isSMTPCLI(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool { return smtpCLI(l) != nil })
}

// smtpCLI returns what a line of smtp-cli shows of a reply, "[220] 'mx.example.net'", as
// the server said it.
func smtpCLI(line []byte) []byte {
	if len(line) < 8 || line[0] != '[' || string(line[4:7]) != "] '" || smtp.ParseCode(line[1:4]) == 0 {
		return nil
	}
	return append(append(line[1:4:4], ' '), bytes.TrimSuffix(trim(line[7:]), []byte{'\''})...)
}

// readSMTPCLI reads smtp-cli --verbose: each line of a reply shows the code and none the
// hyphen, so lines of one code without a command between are one reply.
func readSMTPCLI(p *parser, line []byte) verdict {
	s := p.session(nil)
	text := smtpCLI(line)
	switch {
	case text != nil && len(s.reply) > 0 && smtp.ParseCode(text) == s.code:
		s.add(text, p.line, true)
		return understood
	case text != nil:
		return p.said(s, server, text, nil)
	case bytes.HasPrefix(line, []byte("> ")):
		return p.said(s, client, line[2:], nil)
	}
	return p.unmarked(line)
}

func isOldNodemailer(sample []byte) bool {
	return bytes.Contains(sample, []byte("type: 'server',")) && bytes.Contains(sample, []byte("message: '"))
}

// readOldNodemailer reads the objects that Nodemailer before 2.0 logged, on one line or
// on several: { type: 'server', message: '220 mx.example.net' }.
func readOldNodemailer(p *parser, line []byte) verdict {
	v := foreign
	for _, side := range []struct {
		sign string
		who  side
	}{{"type: 'server'", server}, {"type: 'client'", client}} {
		if bytes.Contains(line, []byte(side.sign)) {
			p.state.who, v = side.who, understood
		}
	}
	_, text, ok := bytes.Cut(line, []byte("message: '"))
	if !ok || p.state.who == nobody {
		return max(v, p.unmarked(line))
	}
	if i := bytes.LastIndexByte(text, '\''); i >= 0 {
		text = text[:i]
	}
	return p.said(p.session(nil), p.state.who, text, nil)
}

// isRawlog knows Dovecot's raw logs: seconds and microseconds before each line. One file
// holds one direction, unless somebody sorted two together.
func isRawlog(sample []byte) bool {
	return len(sample) > 18 && sample[17] == ' ' && sample[10] == '.' && digits(sample[:10]) > 1e9 && digits(sample[11:17]) >= 0
}

func readRawlog(p *parser, line []byte) verdict {
	_, text, _ := bytes.Cut(line, []byte{' '})
	return readPlain(p, text)
}

// isPostfixVerbose knows a Postfix log with the dialogue that -v or debug_peer_list adds.
func isPostfixVerbose(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool {
		_, _, _, text := postfixVerbose(l)
		return isReply(text) || isCommand(text)
	})
}

// postfixVerbose takes "postfix/smtpd[8590]: > localhost[127.0.0.1]: 220 ..." apart
// (vstream_printf in Postfix's src/smtpd/smtpd_chat.c and src/smtp/smtp_chat.c).
func postfixVerbose(line []byte) (pid []byte, ours bool, peer smtp.Peer, text []byte) {
	head := line[:min(len(line), maxPrefix)]
	i := bytes.Index(head, []byte("]: "))
	if i < 0 || len(line) < i+6 || (line[i+3] != '<' && line[i+3] != '>') || line[i+4] != ' ' {
		return nil, false, peer, nil
	}
	rest := line[i+5:]
	end := bytes.Index(rest, []byte("]:"))
	if end < 0 || bytes.IndexByte(rest[:end], '[') < 0 {
		return nil, false, peer, nil
	}
	colon := bytes.Index(rest[end+1:], []byte(": "))
	if colon < 0 {
		return nil, false, peer, nil
	}
	return line[bytes.LastIndexByte(line[:i], '[')+1 : i], line[i+3] == '>', peerOf(rest), rest[end+1+colon+2:]
}

func readPostfixVerbose(p *parser, line []byte) verdict {
	pid, ours, peer, text := postfixVerbose(line)
	if text != nil {
		s := p.session(pid)
		s.peer = peer
		return p.roles(s, ours, text, line)
	}
	if i := bytes.Index(line, []byte("]: disconnect from ")); i > 0 {
		if s := p.sessions[string(line[bytes.LastIndexByte(line[:i], '[')+1:i])]; s != nil {
			p.happened(s, smtp.KindDisconnect, false, smtp.Peer{}, line)
		}
	}
	if bytes.Contains(line[:min(len(line), maxPrefix)], []byte("postfix")) {
		return understood
	}
	return foreign
}

func isFollow(sample []byte) bool { return startsLine(sample, "Follow: tcp,") }

// readFollow reads tshark's "Follow TCP stream": as text, each side's bytes under their
// number, or as a dump. What the second node sent, the server, is indented by a tab.
func readFollow(p *parser, line []byte) verdict {
	st := &p.state
	if st.left > 0 {
		p.said(p.session(nil), st.who, line, nil)
		st.left -= len(line) + len("\r\n")
		return understood
	}
	who, rest := client, line
	if len(line) > 0 && line[0] == '\t' {
		who, rest = server, line[1:]
	}
	if len(rest) > 12 && rest[8] == ' ' && rest[9] == ' ' {
		p.bytesOf(who, rest[10:])
		return understood
	}
	if n := digits(rest); len(rest) > 0 && len(rest) < 8 && n >= 0 {
		st.who, st.left = who, n
	}
	return understood
}

// bytesOf takes a line of a dump: up to 16 bytes in hex.
func (p *parser) bytesOf(who side, dump []byte) {
	st := &p.state
	if who != st.who && len(st.buf) > 0 {
		p.said(p.session(nil), st.who, st.buf, nil)
		st.buf = nil
	}
	st.who = who
	for n := 0; n < 16 && len(dump) >= 2 && isHex(dump[0]) && isHex(dump[1]); n++ {
		c := unhex(dump[0])<<4 | unhex(dump[1])
		if c == '\n' {
			p.said(p.session(nil), who, bytes.TrimRight(st.buf, "\r"), nil)
			st.buf = nil
		} else {
			st.buf = append(st.buf, c)
		}
		if dump = dump[2:]; len(dump) > 0 && dump[0] == ' ' {
			dump = dump[1:]
		}
		if n == 7 && len(dump) > 0 && dump[0] == ' ' {
			dump = dump[1:]
		}
	}
}

func unhex(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return (c | 0x20) - 'a' + 10
}

func isCurlTrace(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool {
		rest := stripHead(l)
		return bytes.HasPrefix(rest, []byte("<= Recv header, ")) || bytes.HasPrefix(rest, []byte("=> Send header, "))
	})
}

// readCurlTrace reads curl --trace and --trace-ascii: a headline says who and how many
// bytes, the dump follows, with the bytes in hex or not.
func readCurlTrace(p *parser, line []byte) verdict {
	st := &p.state
	if rest := stripHead(line); bytes.HasPrefix(rest, []byte("<= Recv")) || bytes.HasPrefix(rest, []byte("=> Send")) || bytes.HasPrefix(rest, []byte("== Info")) {
		p.flushBytes()
		st.who = nobody
		switch {
		case bytes.HasPrefix(rest, []byte("<= Recv header")):
			st.who = server
		case bytes.HasPrefix(rest, []byte("=> Send header")):
			st.who = client
		case bytes.HasPrefix(rest, []byte("== Info")):
			p.unmarked(rest)
		}
		return understood
	}
	offset, text, ok := bytes.Cut(line, []byte(": "))
	if !ok || len(offset) != 4 {
		return p.unmarked(line)
	}
	if st.who == nobody {
		return understood // TLS records and bodies
	}
	if dumped := hexDump(text); dumped != nil {
		st.buf = append(st.buf, dumped...)
		return understood
	}
	// A row holds 64 bytes; a shorter one ended with a line end that is not shown.
	st.buf = append(st.buf, text...)
	if len(text) < 64 {
		p.flushBytes()
	}
	return understood
}

// flushBytes hands on what a dump held so far.
func (p *parser) flushBytes() {
	text := p.state.buf
	p.state.buf = nil
	for len(text) > 0 {
		var one []byte
		one, text, _ = bytes.Cut(text, []byte{'\n'})
		p.said(p.session(nil), p.state.who, bytes.TrimRight(one, "\r"), nil)
	}
}

// hexDump returns the bytes of a row like "32 32 30 20 6d  220 m", nil when it is none.
func hexDump(b []byte) []byte {
	var out []byte
	for len(out) < 16 && len(b) >= 3 && isHex(b[0]) && isHex(b[1]) && b[2] == ' ' {
		out, b = append(out, unhex(b[0])<<4|unhex(b[1])), b[3:]
	}
	if len(out) == 0 || len(b) > 0 && len(out) < 16 && b[0] != ' ' {
		return nil
	}
	return out
}
