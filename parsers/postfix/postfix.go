// Package postfix turns the lines that Postfix logs into events.
//
// The shapes are those of Postfix's own sources, 2.2 to 3.11: smtpd (src/smtpd/smtpd.c,
// smtpd_check.c, smtpd_proxy.c), postscreen, cleanup (cleanup_message.c,
// cleanup_milter.c), the queue manager, the delivery agents (src/global/log_adhoc.c for
// the line of a verdict, src/smtp/smtp_connect.c, smtp_proto.c and smtp_trouble.c for
// its text) and bounce. A line is told apart by its own text; the name of the daemon
// only says which shapes to try first and which side we are on. So a head that lost the
// daemon's name, as rsyslog's RFC 5424 format does, costs little.
//
// Strangers write parts of these lines: HELO names, addresses, headers, replies. Fields
// are therefore cut where Postfix's own words must stand, and a tail that Postfix puts
// last is read from the right.
package postfix

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/mailwhy/mailwhy/parsers/smtp"
	"github.com/mailwhy/mailwhy/parsers/syslog"
)

// Parser reads Postfix's log lines, with their syslog heads.
type Parser struct{}

// Parse fills ev from a line. A line of another program is KindForeign. It returns false
// for a line of Postfix's own that it does not understand.
func (Parser) Parse(line []byte, ev *smtp.Event) bool {
	ev.Reset()
	msg := syslog.Parse(line, ev)
	if Owns(&ev.Head) {
		return ParseMessage(msg, ev)
	}
	// A bare message, or a tag without its instance: the text must tell.
	d := daemonOf(ev.Process)
	if (ev.Process == nil || (d != noDaemon && d != quiet)) && ParseMessage(msg, ev) && ev.Kind != smtp.KindNotice {
		return true
	}
	return foreign(ev)
}

// foreign leaves of an event nothing but its head.
func foreign(ev *smtp.Event) bool {
	head := ev.Head
	ev.Reset()
	ev.Head, ev.Kind = head, smtp.KindForeign
	return true
}

// own is Postfix's default syslog_name.
const own = "postfix"

// Owns reports whether the program that a head names is one of Postfix's: an instance
// whose name begins with "postfix", a daemon's name under any other instance
// ("mta-in/smtpd"), or Postfix's own scripts.
func Owns(h *smtp.Head) bool {
	if len(h.Service) >= len(own) && string(h.Service[:len(own)]) == own {
		return true
	}
	if h.Service != nil && daemonOf(h.Process) != noDaemon {
		return true
	}
	switch string(h.Process) {
	case own, "postfix-script", "postfix-wrapper":
		return true
	}
	return instance(h.Process) // by what it says
}

// instance reports that a tag may be the name of an instance whose daemon was cut off:
// "postfix-out" is, "postfix-policyd-spf" only begins like one.
func instance(tag []byte) bool {
	return len(tag) > len(own) && string(tag[:len(own)]) == own && (tag[len(own)] == '-' || tag[len(own)] == '_')
}

// ParseMessage fills ev from a message whose head is in ev.Head already. It returns
// false when it does not understand the message.
func ParseMessage(msg []byte, ev *smtp.Event) bool {
	ev.Format = smtp.FormatPostfix
	d := daemonOf(ev.Process)
	ev.Direction = directions[d]
	b := queueID(msg, ev)
	if understood(d, b, ev) {
		if d == noDaemon && instance(ev.Process) {
			if ev.Kind == smtp.KindNotice || ev.Kind == smtp.KindWarning {
				return foreign(ev) // any program could have said that
			}
			ev.Service, ev.Process = ev.Process, nil
		}
		return true
	}
	if d == quiet {
		ev.Kind, ev.Text = smtp.KindNotice, b
		return true
	}
	if d == noDaemon && len(ev.Process) > 0 && string(ev.Process) != "postfix" {
		// A policy server under an instance's name, for example.
		return foreign(ev)
	}
	ev.Kind, ev.Text = smtp.KindUnknown, b
	return false
}

// understood tries the shapes that the daemon writes, then all others: heads get lost,
// and small daemons log through the libraries of the great ones.
func understood(d daemon, b []byte, ev *smtp.Event) bool {
	switch d {
	case server:
		if session(b, ev) || verdict(b, ev) {
			return true
		}
	case screen:
		if screening(b, ev) || verdict(b, ev) {
			return true
		}
	case filter:
		if queued(b, ev) || verdict(b, ev) {
			return true
		}
	case queue:
		if queued(b, ev) {
			return true
		}
	case client, agent:
		if delivery(b, ev) || attempt(b, ev) {
			return true
		}
	}
	return warning(b, ev) || delivery(b, ev) || session(b, ev) || queued(b, ev) || verdict(b, ev) ||
		attempt(b, ev) || screening(b, ev) || notice(b, ev)
}

// daemon is the kind of a Postfix program.
type daemon uint8

const (
	noDaemon daemon = iota
	server          // speaks to clients
	screen          // speaks to clients before a server does
	filter          // looks at headers and bodies, and talks to milters
	queue           // moves messages, speaks to nobody
	client          // speaks to servers
	agent           // delivers without a session
	quiet           // nothing that it logs concerns a session or a message, warnings apart
)

var directions = [...]smtp.Direction{
	server: smtp.Inbound, screen: smtp.Inbound, filter: smtp.Inbound, queue: smtp.Internal,
	client: smtp.Outbound, agent: smtp.Internal, quiet: smtp.DirectionNone,
}

// daemonOf knows the programs of Postfix's master.cf and its commands by their names.
func daemonOf(name []byte) daemon {
	switch string(name) {
	case "smtpd", "qmqpd":
		return server
	case "postscreen", "tlsproxy", "dnsblog":
		return screen
	case "cleanup":
		return filter
	case "qmgr", "nqmgr", "oqmgr", "pickup", "bounce", "defer", "trace", "postsuper":
		return queue
	case "smtp", "lmtp", "relay":
		return client
	case "local", "virtual", "pipe", "error", "retry", "discard", "verify", "spawn":
		return agent
	case "master", "postfix-script", "postfix-wrapper", "postfix-tls-script", "postmulti-script", "post-install", "postlog", "postlogd",
		"anvil", "scache", "tlsmgr", "flush", "showq", "proxymap", "proxywrite", "trivial-rewrite", "rewrite", "sendmail", "postdrop",
		"postqueue", "postmap", "postalias", "postcat", "postconf", "postkick", "postlock", "postmulti", "fsstone", "smtp-sink", "smtp-source":
		return quiet
	}
	return noDaemon
}

// queueID takes a queue ID and its colon off the start of a message. "NOQUEUE" says
// that there was none yet.
func queueID(b []byte, ev *smtp.Event) []byte {
	n, any, all := idRun(b)
	if n == 0 || n == len(b) || b[n] != ':' {
		return b
	}
	if string(b[:n]) != "NOQUEUE" {
		if !canBeID(n, any, all) {
			return b
		}
		ev.Queue = b[:n]
	}
	b = b[n+1:]
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// QueueID returns the length of the queue ID at the start of a message, which its colon
// follows; 0 when there is none.
func QueueID(msg []byte) int {
	if n := shortID(msg); n > 0 {
		return n
	}
	n, any, all := idRun(msg)
	if n == 0 || n == len(msg) || msg[n] != ':' || !canBeID(n, any, all) || string(msg[:n]) == "NOQUEUE" {
		return 0
	}
	return n
}

// shortID is QueueID for IDs of six to fifteen upper-case hex digits, as most are, eight bytes
// at a time; 0 for what is written otherwise.
func shortID(msg []byte) int {
	const ones, low, high = 0x0101_0101_0101_0101, 0x7f7f_7f7f_7f7f_7f7f, 0x8080_8080_8080_8080
	if len(msg) < 16 {
		return 0
	}
	for n := 0; n < 16; n += 8 {
		w := binary.LittleEndian.Uint64(msg[n:])
		// The high bit of each byte says: a digit, or A to F.
		hex := ((w|high)-'0'*ones)&(('9'*ones|high)-w&low) | ((w|high)-'A'*ones)&(('F'*ones|high)-w&low)
		if stop := high &^ (hex &^ w); stop != 0 {
			if n += bits.TrailingZeros64(stop) / 8; n < 6 || msg[n] != ':' {
				return 0
			}
			return n
		}
	}
	return 0
}

// maxQueueID bounds a queue ID: inode numbers and microseconds of hex digits make 21 on
// great file systems.
const maxQueueID = 32

// idRun returns the number of letters and digits at the start of b, and which classes any
// and all of them are of.
func idRun(b []byte) (n int, any, all uint8) {
	all = 0xff
	for n < len(b) && n <= maxQueueID {
		class := idClass[b[n]]
		if class == 0 {
			break
		}
		any |= class
		all &= class
		n++
	}
	return n, any, all
}

// What a byte may be in a queue ID.
const (
	digit = 1 << iota
	hexLetter
	vowel
	consonant
)

var idClass = func() (class [256]uint8) {
	for c := range class {
		switch {
		case c >= '0' && c <= '9':
			class[c] = digit
		case c|0x20 < 'a' || c|0x20 > 'z' || c > 'z':
		case bytes.IndexByte([]byte("aeiou"), byte(c|0x20)) >= 0:
			class[c] = vowel
		default:
			class[c] = consonant
		}
		if c >= 'A' && c <= 'F' {
			class[c] |= hexLetter
		}
	}
	return class
}()

// isQueueID tells a queue ID (src/global/mail_queue.h) from a word. The short form is of
// upper-case hex digits, five of them for the microseconds and the inode behind; the
// long one of 52 characters, the digits and the consonants, at least eleven. Nearly all
// have a digit; without one, only what no word can be is an ID.
func isQueueID(id []byte) bool {
	n, any, all := idRun(id)
	return n == len(id) && canBeID(n, any, all)
}

// canBeID is isQueueID for a run of letters and digits.
func canBeID(n int, any, all uint8) bool {
	if n < 5 || n > maxQueueID {
		return false
	}
	return any&digit != 0 || (all&hexLetter != 0 && n >= 6) || (any&vowel == 0 && n >= 10)
}
