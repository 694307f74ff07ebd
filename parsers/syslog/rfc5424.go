package syslog

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// rfc5424 reads a head of RFC 5424, 6 from its TIMESTAMP on: TIMESTAMP HOSTNAME
// APP-NAME PROCID MSGID STRUCTURED-DATA MSG. "-" stands for what is not known.
func rfc5424(b []byte, ev *smtp.Event) (msg []byte, ok bool) {
	s, n := stamp(b)
	if n == 0 {
		if len(b) < 2 || b[0] != '-' {
			return nil, false
		}
		n = 1
	}
	var token [4][]byte
	rest := b[n:]
	for i := range token {
		rest = blanks(rest)
		j := bytes.IndexByte(rest, ' ')
		if j < 0 {
			j = len(rest)
		}
		token[i], rest = rest[:j], rest[j:]
	}
	if len(token[1]) == 0 {
		return nil, false
	}
	keep(ev, s)
	if string(token[0]) != "-" {
		ev.Host = token[0]
	}
	pid, _ := number(token[2], 10)
	if name := token[1]; string(name) == "postfix" {
		// rsyslog cuts the tag at its slash: the daemon is lost.
		ev.Service, ev.PID = name, uint32(pid)
	} else if string(name) != "-" {
		setName(ev, name, bytes.LastIndexByte(name, '/'))
		ev.PID = uint32(pid)
	}
	rest = structured(blanks(rest))
	if len(rest) > 2 && rest[0] == 0xef && rest[1] == 0xbb && rest[2] == 0xbf {
		rest = rest[3:]
	}
	return message(rest), true
}

// structured passes over STRUCTURED-DATA: "-", or elements in brackets whose values
// are quoted, with a backslash before a quote or a bracket.
func structured(b []byte) []byte {
	if len(b) > 0 && b[0] == '-' && (len(b) == 1 || b[1] == ' ') {
		return blanks(b[1:])
	}
	for len(b) > 0 && b[0] == '[' {
		quoted, i := false, 1
		for ; i < len(b); i++ {
			if c := b[i]; c == '\\' && quoted {
				i++
			} else if c == '"' {
				quoted = !quoted
			} else if c == ']' && !quoted {
				break
			}
		}
		b = b[min(i+1, len(b)):]
	}
	return blanks(b)
}
