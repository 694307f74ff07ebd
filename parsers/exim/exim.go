// Package exim turns the lines of Exim's main, reject and panic logs into events, in
// every wording from 4.69 to 4.99 and with any log_selector, as files of their own or
// through syslog.
//
// The source is Exim's own: the chapter "Log files" of its specification for the flags
// and fields, src/log.c for the head of a line, src/deliver.c for the flag lines,
// src/smtp_in.c and src/receive.c for what the server says, src/macros.h for the
// numbers in "defer (N)".
//
// HELO names, addresses, subjects and remote texts are strangers' words. So a line is
// read from the left in the order in which Exim writes its fields, a flag counts only
// directly behind a message id, and nothing is searched for in what a stranger wrote
// when it can be found by its place.
package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
	"github.com/mailwhy/mailwhy/parsers/syslog"
)

// Parser reads Exim logs. It implements smtp.Parser.
type Parser struct{}

// Parse reads a line with Exim's own head or behind that of syslog. Lines of other
// programs are foreign; the header lines of a reject log, and other lines that only
// continue an entry, are notices.
func (Parser) Parse(line []byte, ev *smtp.Event) bool {
	ev.Reset()
	line = trimEnd(line)
	if startsEntry(line) {
		return native(line, ev)
	}
	if continues(line) {
		ev.Format, ev.Kind = smtp.FormatExim, smtp.KindNotice
		return true
	}
	return wrapped(syslog.Parse(line, ev), ev)
}

// ParseMessage reads what stands behind a syslog head: Exim's stamp, zone and pid may
// follow there once more. It fills ev and sets its format; it does not reset it.
func ParseMessage(msg []byte, ev *smtp.Event) bool {
	ev.Format = smtp.FormatExim
	msg = trimEnd(msg)
	n, rest := fragment(msg)
	text := head(rest, ev)
	// Exim splits what is too long for syslog (src/log.c, write_syslog). Only the first
	// piece has a head and the words that say what it is about.
	if n > 1 || len(text) == len(rest) && continues(text) {
		ev.Kind = smtp.KindNotice
		return true
	}
	return message(text, ev)
}

// Owns reports whether Exim wrote the line that h heads: exim, exim4, exim-4.96-2 and
// the like. Another syslog_processname cannot be known.
func Owns(h *smtp.Head) bool {
	rest, ok := cutPrefix(h.Process, "exim")
	if !ok {
		return false
	}
	for len(rest) > 0 && isDigit(rest[0]) {
		rest = rest[1:]
	}
	return len(rest) == 0 || rest[0] == '-' || rest[0] == '_'
}

// native reads a line that has Exim's own head in front. A line without a message id
// may still be one of syslog, for some templates write the same stamp.
func native(line []byte, ev *smtp.Event) bool {
	if ok := ParseMessage(line, ev); ev.Queue != nil || ok && ev.Kind != smtp.KindUnknown {
		return ok
	}
	ev.Reset()
	msg := syslog.Parse(line, ev)
	if ev.Process == nil {
		ev.Reset()
		return ParseMessage(line, ev)
	}
	return wrapped(msg, ev)
}

// wrapped reads the message behind the syslog head that ev holds, if it is Exim's.
func wrapped(msg []byte, ev *smtp.Event) bool {
	switch {
	case Owns(&ev.Head):
		return ParseMessage(msg, ev)
	case ev.Process != nil || ev.Stamp.Flags&smtp.HasTime != 0:
		ev.Kind = smtp.KindForeign
		return true
	}
	ev.Format, ev.Text = smtp.FormatExim, msg
	return false
}

// continues reports whether a line without a head belongs to the entry above it: the
// envelope and the headers of a message that was rejected, each behind the letter of
// its type (Exim specification, "Reject log"), or the indented rest of a panic text.
func continues(line []byte) bool {
	if len(line) == 0 || line[0] == ' ' || line[0] == '\t' {
		return true
	}
	if bytes.HasPrefix(line, []byte("Envelope-")) || bytes.HasPrefix(line, []byte("*** truncated ***")) {
		return true
	}
	return len(line) > 2 && line[1] == ' ' && bytes.IndexByte([]byte("PFTCBSRI*"), line[0]) >= 0 && fieldName(line[2:])
}

// fieldName reports whether b starts with the name of a header field and its colon
// (RFC 5322, 2.2).
func fieldName(b []byte) bool {
	for i, c := range b {
		if c == ':' {
			return i > 0
		}
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return false
}

func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r') {
		b = b[:len(b)-1]
	}
	return b
}
