package glance

import (
	"bytes"
	"math/bits"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/postfix"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// postfixLine reads "stamp host instance/program[pid]: message".
func (e *Eye) postfixLine(line []byte, s *session.Step) bool {
	n := e.stamps.syslogStamp(line, &s.Stamp)
	if n == 0 {
		return false
	}
	b := line[n:]
	i := span(b, '[')
	if i < 0 {
		return false
	}
	w := e.writerOf(b[:i])
	if w == nil || w.program == other {
		return false
	}
	b = b[i+1:]
	pid, n := number(b)
	if n == 0 || len(b) < n+4 || b[n] != ']' || b[n+1] != ':' || b[n+2] != ' ' || b[n+3] <= ' ' || b[n+3] == '[' {
		return false
	}
	s.Format, s.Tagged, s.PID = smtp.FormatPostfix, true, uint32(pid)
	b = b[n+3:]
	switch w.program {
	case smtpd:
		return e.smtpd(b, s, w)
	case cleanup:
		return messageID(b, s, w)
	case qmgr:
		return queueManager(b, s, w)
	}
	return e.sent(b, s, w)
}

// number reads up to ten digits.
func number(b []byte) (v, n int) {
	if len(b) >= 8 {
		const ones, low, high = 0x0101_0101_0101_0101, 0x7f7f_7f7f_7f7f_7f7f, 0x8080_8080_8080_8080
		w := word(b, 0)
		digits := ((w | high) - '0'*ones) & (('9'*ones | high) - w&low) &^ w
		if stop := high &^ digits; stop != 0 {
			// The digits are moved to the end of the word, and put together by pairs.
			n = bits.TrailingZeros64(stop) / 8
			w = w << (64 - 8*n) & (0x0f * ones)
			w = w * (10<<8 + 1) >> 8 & 0x00ff_00ff_00ff_00ff
			w = w * (100<<16 + 1) >> 16 & 0x0000_ffff_0000_ffff
			return int(w * (10000<<32 + 1) >> 32), n
		}
	}
	for n < len(b) && n < 10 && b[n]-'0' < 10 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// smtpd reads the lines of a session in which nothing goes wrong.
func (e *Eye) smtpd(b []byte, s *session.Step, w *writer) bool {
	s.Direction = smtp.Inbound
	s.Session = w.Process(smtp.Inbound, s.PID)
	switch b[0] {
	case 'c':
		if hasPrefix(b, "connect from ") {
			s.Kind = smtp.KindConnect
			return true
		}
	case 'd':
		if hasPrefix(b, "disconnect from ") {
			return e.disconnect(b[len("disconnect from "):], s)
		}
	case 'A', 'T', 'U', 'V':
		if _, ok := trust(b, " TLS connection established from "); ok {
			s.Kind, s.Stage = smtp.KindTLS, smtp.StageSTARTTLS
			return true
		}
	}
	b = queued(b, s, w)
	if !hasPrefix(b, "client=") {
		return false
	}
	ip, rest := address(b[len("client="):])
	if ip == nil || len(rest) > 0 && bytes.Contains(rest, []byte("orig_queue_id")) {
		return false
	}
	s.Kind, s.Local = smtp.KindReceived, smtp.IsLoopback(ip)
	return true
}

// address reads "name[ip]", whose name has no blank, and returns the address and what follows;
// a nil address when it is none.
func address(b []byte) (ip, rest []byte) {
	i := span(b, '[')
	if i < 0 || span(b[:i], ' ') >= 0 {
		return nil, nil
	}
	n := span(b[i:], ']')
	if n < 2 || b[i+1]|0x20 == 'i' { // "IPv6:" stands before some
		return nil, nil
	}
	return b[i+1 : i+n], b[i+n+1:]
}

// trust passes over what a TLS line says of its certificate.
func trust(b []byte, words string) (rest []byte, ok bool) {
	i := span(b, ' ')
	if i < 0 || !hasPrefix(b[i:], words) {
		return nil, false
	}
	switch string(b[:i]) {
	case "Anonymous", "Trusted", "Untrusted", "Verified":
		return b[i+len(words):], true
	}
	return nil, false
}

// counts are those of a disconnect with what they mean: few of them are ever new.
type counts struct {
	length int
	bytes  [120]byte
	means  session.Commands
}

// disconnect reads "name[ip] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5".
func (e *Eye) disconnect(b []byte, s *session.Step) bool {
	_, rest := address(b)
	if len(rest) < 9 || rest[0] != ' ' || rest[1] <= ' ' || rest[1] == ',' {
		return false
	}
	s.Kind = smtp.KindDisconnect
	rest = rest[1:]
	n := len(rest)
	c := &e.counts[session.Key(rest)%uint64(len(e.counts))]
	if n > len(c.bytes) {
		s.Commands = session.CommandsOf(rest)
		return true
	}
	if c.length != n || !bytes.Equal(c.bytes[:n], rest) {
		c.length = n
		copy(c.bytes[:], rest)
		c.means = session.CommandsOf(rest)
	}
	s.Commands = c.means
	return true
}

// queued takes a queue ID with its colon off b and notes it; nil when there is none.
func queued(b []byte, s *session.Step, w *writer) []byte {
	n := postfix.QueueID(b)
	if n == 0 || len(b) < n+3 || b[n+1] != ' ' || b[n+2] <= ' ' {
		return nil
	}
	s.Queue, s.Owner = session.Key(b[:n]), w.Owner
	return b[n+2:]
}

// messageID reads cleanup's "QUEUEID: message-id=<id>".
func messageID(b []byte, s *session.Step, w *writer) bool {
	b = queued(b, s, w)
	if !hasPrefix(b, "message-id=") || b[len(b)-1] == ' ' {
		return false
	}
	b = b[len("message-id="):]
	if len(b) > 0 && b[0] == '<' {
		b = b[1:]
		if i := span(b, '>'); i >= 0 {
			b = b[:i]
		}
	}
	s.Kind, s.Direction, s.Cleanup = smtp.KindMessage, smtp.Inbound, true
	s.Session = w.Process(smtp.Inbound, s.PID)
	s.MessageID = session.Key(b)
	return true
}

// queueManager reads "QUEUEID: removed" and "QUEUEID: from=<a>, size=n, nrcpt=n (queue active)".
func queueManager(b []byte, s *session.Step, w *writer) bool {
	b = queued(b, s, w)
	s.Direction = smtp.Internal
	if string(b) == "removed" {
		s.Kind = smtp.KindRemoved
		return true
	}
	if !hasPrefix(b, "from=<") {
		return false
	}
	b = b[len("from=<"):]
	i := span(b, '>')
	if i < 0 || !hasPrefix(b[i:], ">, size=") {
		return false
	}
	b = b[i+len(">, size="):]
	if _, n := number(b); n == 0 || n == 10 || !hasPrefix(b[n:], ", nrcpt=") {
		return false
	} else {
		b = b[n+len(", nrcpt="):]
	}
	recipients, n := number(b)
	if n == 0 || n == 10 || string(b[n:]) != " (queue active)" {
		return false
	}
	s.Kind, s.Admitted = smtp.KindMessage, recipients > 0
	return true
}
