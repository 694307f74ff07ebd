package glance

import (
	"bytes"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/postfix"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// program is one of Postfix's whose usual lines are known here.
type program uint8

const (
	other program = iota
	smtpd
	cleanup
	qmgr
	client // smtp and lmtp
	agent  // virtual, local, pipe
)

var programs = map[string]program{
	"smtpd": smtpd, "cleanup": cleanup, "qmgr": qmgr, "smtp": client, "lmtp": client, "virtual": agent, "local": agent, "pipe": agent,
}

// maxWriter bounds "host instance/program".
const maxWriter = 80

// writer is who writes a line, by the bytes of its head: "mx1 postfix/smtpd".
type writer struct {
	length  int
	bytes   [maxWriter]byte
	program program
	session.Writer
}

// writerOf returns who has the name that head is.
func (e *Eye) writerOf(head []byte) *writer {
	n := len(head)
	if n < 8 || n > maxWriter {
		return nil
	}
	w := &e.writers[(word(head, 0)*31+word(head, n-8)+uint64(n))*0x9e3779b97f4a7c15>>58]
	if w.length != n || !bytes.Equal(w.bytes[:n], head) {
		w.length = n
		copy(w.bytes[:], head)
		w.learn()
	}
	return w
}

// learn finds out who the writer is. Its name must be such that it means the same in every line.
func (w *writer) learn() {
	w.program = other
	host, tag, ok := bytes.Cut(w.bytes[:w.length], []byte(" "))
	slash := bytes.LastIndexByte(tag, '/')
	if !ok || slash < 0 || len(host) < 2 || host[0]-'a' >= 26 || host[0] == 's' && host[1] == 't' || !ordinary(host) || !ordinary(tag) {
		return
	}
	if last := host[len(host)-1]; last == ':' || last == ']' {
		return
	}
	h := smtp.Head{Host: host, Service: tag[:slash], Process: tag[slash+1:]}
	if postfix.Owns(&h) {
		w.program, w.Writer = programs[string(h.Process)], session.WriterOf(&h)
	}
}

// ordinary reports that a name is of the bytes that names are of.
func ordinary(name []byte) bool {
	for _, c := range name {
		if c <= ',' || c > '9' && c < '@' || c == '[' || c > '~' {
			return false
		}
	}
	return true
}
