package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// The logs of servers that write columns: who speaks stands in one of them.

// isExchange knows the protocol log of Microsoft Exchange (SmtpReceive and SmtpSend):
// date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,context.
func isExchange(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool {
		if bytes.HasPrefix(l, []byte("#Log-type: SMTP ")) {
			return true
		}
		if stampAt(l).Flags == 0 || l[10] != 'T' {
			return false
		}
		cols, _ := columns(l, exchangeColumns)
		if cols == nil { // a paste with line breaks
			return bytes.Count(l, []byte{','}) >= 4 && l[len(l)-1] == ',' && bytes.IndexByte(l, '\\') > 0
		}
		return len(cols[6]) == 1 && bytes.IndexByte([]byte("+-<>*"), cols[6][0]) >= 0
	})
}

// exchangeColumns is the number of commas before the data.
const exchangeColumns = 7

func readExchange(p *parser, line []byte) verdict {
	if len(p.state.half) > 0 {
		line = append(p.state.half, trim(line)...)
		p.state.half = nil
	}
	if bytes.HasPrefix(line, []byte("#")) {
		return understood
	}
	cols, data := columns(line, exchangeColumns)
	if cols == nil {
		if len(line) > 0 && line[len(line)-1] == ',' && stampAt(line).Flags != 0 {
			p.state.half = append([]byte(nil), line...) // pasted with line breaks
			return understood
		}
		return foreign
	}
	if end := bytes.LastIndexByte(data, ','); end >= 0 {
		data = data[:end]
	}
	data = bytes.Trim(data, `"`)
	s := p.session(cols[2])
	s.stamp = stampAt(line)
	switch event := string(cols[6]); event {
	case "+":
		p.happened(s, smtp.KindConnect, false, peerOf(cols[5]), line)
	case "-":
		p.happened(s, smtp.KindDisconnect, false, smtp.Peer{}, line)
	case "<", ">":
		return p.roles(s, event == ">", data, line)
	}
	return understood
}

// columns cuts a line at its first n commas; nil when it has fewer.
func columns(line []byte, n int) (cols [][]byte, rest []byte) {
	for range n {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			return nil, nil
		}
		cols, line = append(cols, line[:i]), line[i+1:]
	}
	return cols, line
}

// roles hands on a line of a log that a server writes in both roles. ours tells that we
// sent it; a reply that we sent makes us the server.
func (p *parser) roles(s *session, ours bool, text, line []byte) verdict {
	who := client
	if isReply(text) {
		who = server
		p.direction = smtp.Outbound
		if ours {
			p.direction = smtp.Inbound
		}
	}
	return p.said(s, who, text, line)
}

// isHMail knows hMailServer's log: quoted columns, the first of them the service.
func isHMail(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool {
		return bytes.HasPrefix(l, []byte("\"SMTPD\"\t")) || bytes.HasPrefix(l, []byte("\"SMTPC\"\t"))
	})
}

func readHMail(p *parser, line []byte) verdict {
	cols := bytes.Split(line, []byte{'\t'})
	if len(cols) < 6 || !bytes.HasPrefix(line, []byte("\"SMTP")) {
		return foreign
	}
	ours, text := false, bytes.Trim(cols[5], `"`)
	switch {
	case bytes.HasPrefix(text, []byte("SENT: ")):
		ours, text = true, text[len("SENT: "):]
	case bytes.HasPrefix(text, []byte("RECEIVED: ")):
		text = text[len("RECEIVED: "):]
	default:
		return understood
	}
	service := bytes.Trim(cols[0], `"`)
	s := p.session(append(append(service[:len(service):len(service)], '-'), cols[2]...))
	s.peer.IP = bytes.Trim(cols[4], `"`)
	stamp := bytes.Trim(cols[3], `"`)
	v := understood
	for more := true; more; {
		var one []byte
		one, text, more = bytes.Cut(text, []byte("[nl]"))
		v = p.roles(s, ours, one, stamp)
	}
	return v
}

// isMailEnable knows MailEnable's SMTP log: tabs, the third column names the direction.
func isMailEnable(sample []byte) bool {
	return bytes.Contains(sample, []byte("\tSMTP-OU\t")) || bytes.Contains(sample, []byte("\tSMTP-IN\t"))
}

func readMailEnable(p *parser, line []byte) verdict {
	cols := bytes.Split(line, []byte{'\t'})
	if len(cols) < 8 {
		return foreign
	}
	p.direction = smtp.Outbound
	if string(cols[1]) == "SMTP-IN" {
		p.direction = smtp.Inbound
	}
	s := p.session(append(append(cols[3][:len(cols[3]):len(cols[3])], '@'), cols[4]...))
	s.peer.IP = cols[4]
	if len(cols[6]) > 0 {
		s.body = false // only the last dot is shown
		p.client(s, cols[6])
	}
	return p.said(s, server, cols[7], nil)
}

// isW3C knows the W3C log of the SMTP service of IIS by its header.
func isW3C(sample []byte) bool {
	return startsLine(sample, "#Fields: ") && bytes.Contains(sample, []byte("cs-method")) && bytes.Contains(sample, []byte("SMTP"))
}

func readW3C(p *parser, line []byte) verdict {
	words := bytes.Fields(line)
	if bytes.HasPrefix(line, []byte("#Fields:")) {
		p.state.fields = p.state.fields[:0]
		for _, w := range words[1:] {
			p.state.fields = append(p.state.fields, string(w))
		}
	}
	if bytes.HasPrefix(line, []byte("#")) {
		return understood
	}
	get := func(name string) []byte {
		for i, f := range p.state.fields {
			if f == name && i < len(words) {
				return words[i]
			}
		}
		return nil
	}
	verb, code := get("cs-method"), get("sc-status")
	if verb == nil || code == nil {
		return foreign
	}
	return p.iis(get("c-ip"), get("cs-username"), verb, get("cs-uri-query"), code, line)
}

// isNCSA knows the NCSA log of the same service.
func isNCSA(sample []byte) bool {
	return anyLine(sample, func(l []byte) bool {
		return bytes.Contains(l, []byte(` SMTP" `)) && stampOf(l).Flags != 0
	})
}

func readNCSA(p *parser, line []byte) verdict {
	words := bytes.Fields(line)
	if len(words) < 8 || !bytes.Contains(line, []byte(` SMTP" `)) {
		return foreign
	}
	verb := bytes.TrimPrefix(words[5], []byte{'"'})
	query := bytes.TrimPrefix(words[6], []byte("-?"))
	return p.iis(words[0], words[2], verb, query, words[len(words)-2], line)
}

// iis hands on one row of IIS: a command with the code of its reply, or, when we are the
// client, one side's line. Blanks are written as +.
func (p *parser) iis(ip, who, verb, query, code, line []byte) verdict {
	text := trim(bytes.ReplaceAll(query, []byte{'+'}, []byte{' '}))
	if string(text) == "-" {
		text = nil
	}
	cmd := append(append(verb[:len(verb):len(verb)], ' '), text...)
	if bytes.HasPrefix(who, []byte("OutboundConnection")) {
		p.direction = smtp.Outbound
		s := p.session(append(ip[:len(ip):len(ip)], "-out"...))
		s.peer.IP = ip
		if string(who) == "OutboundConnectionResponse" {
			v := p.said(s, server, text, line)
			s.more = false // only the first line of a reply is logged
			return v
		}
		return p.said(s, client, cmd, line)
	}
	p.direction = smtp.Inbound
	s := p.session(ip)
	s.peer.IP, s.stamp = ip, stampOf(line)
	s.replies++ // the greeting is not logged
	p.turn(s)
	p.command(s, cmd, p.line)
	v := p.said(s, server, code, line)
	s.body = false
	return v
}

// startsLine reports whether a line of a sample begins with word.
func startsLine(sample []byte, word string) bool {
	return anyLine(sample, func(l []byte) bool { return bytes.HasPrefix(l, []byte(word)) })
}

// anyLine reports whether f is true of any line of a sample.
func anyLine(sample []byte, f func([]byte) bool) bool {
	for len(sample) > 0 {
		line := sample
		if i := bytes.IndexByte(sample, '\n'); i >= 0 {
			line, sample = sample[:i], sample[i+1:]
		} else {
			sample = nil
		}
		if f(bytes.TrimRight(line, "\r")) {
			return true
		}
	}
	return false
}
