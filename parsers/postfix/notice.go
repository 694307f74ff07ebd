package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// warning reads "warning: ...", "error: ...", "fatal: ..." and "panic: ..." (msg(3) of
// Postfix), and who and which message they are about where they tell.
func warning(b []byte, ev *smtp.Event) bool {
	var rest []byte
	ok := false
	for _, severity := range [...]string{"warning:", "error:", "fatal:", "panic:"} {
		if rest, ok = after(b, severity); ok {
			break
		}
	}
	if !ok {
		return false
	}
	rest = separator(rest)
	if ev.Queue == nil {
		rest = queueID(rest, ev)
	} else if checked(rest, ev) {
		// cleanup's WARN: "Q: warning: header Subject: x from <client>; from=..."
		ev.Kind = smtp.KindFilter
		return true
	}
	ev.Kind, ev.Failed, ev.Text = smtp.KindWarning, true, rest
	if b[0] != 'w' {
		ev.Text = b // worse than a warning, which the word tells
	}
	warned(rest, ev)
	return true
}

// warned looks into a warning for the other side of the session.
func warned(b []byte, ev *smtp.Event) {
	if sasl(b, ev) {
		return
	}
	if rest, ok := after(b, "host "); ok {
		if p, n := peer(rest); n > 0 {
			ev.Peer, ev.Direction = p, smtp.Outbound
		}
		return
	}
	if claimed(b, ev) {
		return
	}
	if p, n := peer(b); n > 0 && p.IP != nil {
		ev.Peer = p
		return
	}
	what, rest, ok := cut(b, " from ")
	p, n := peer(rest)
	if !ok || (p.IP == nil && p.Name != nil) || n == 0 {
		return
	}
	ev.Peer = p
	if ev.Direction == smtp.DirectionNone {
		ev.Direction = smtp.Inbound
	}
	if ev.Direction == smtp.Inbound && hungUp(what) {
		ev.Kind = smtp.KindClosed
		maskAnswer(rest[n:], ev)
	}
	// "Illegal address syntax from <client> in RCPT command: ..."
	if verb, ok := after(rest[n:], " in "); ok {
		ev.Stage = stageOf(verb)
	}
}

// hungUp reports whether smtpd ends the session with what it warns of: with 421 for too
// many connections or TLS sessions, with a 221 that nobody asked for when a web browser
// or another stranger to SMTP speaks (src/smtpd/smtpd.c).
func hungUp(what []byte) bool {
	for _, reason := range [...]string{"Connection concurrency limit exceeded", "Connection rate limit exceeded", "New TLS session rate limit exceeded", "non-SMTP command"} {
		if bytes.HasPrefix(what, []byte(reason)) {
			return true
		}
	}
	return false
}

// maskAnswer takes a lone word of base64 out of the text, which is what a client gets wrong
// that answers a login where none was asked for. said is the end of the text.
func maskAnswer(said []byte, ev *smtp.Event) {
	word, ok := after(said, ": ")
	if !ok || !smtp.LooksEncoded(word) {
		return
	}
	keep := len(ev.Text) - len(word)
	masked := ev.Scratch(keep + len(smtp.Mask))
	copy(masked[copy(masked, ev.Text[:keep]):], smtp.Mask)
	ev.Text = masked
}

// claimed reads the warnings about a client whose name and address do not belong
// together. The name is what a stranger's DNS claims; only the address is the client's.
func claimed(b []byte, ev *smtp.Event) bool {
	var addr []byte
	if rest, ok := after(b, "hostname "); ok {
		if _, rest, ok = cut(rest, " does not resolve to address "); !ok {
			return false
		}
		addr, _ = plain(rest)
	} else {
		if rest, ok := after(b, "smtpd_peer_init: "); ok {
			b = rest
		}
		var n int
		addr, n = plain(b)
		rest, ok := after(b[n:], ": ")
		if !ok || !isAddress(addr) || !(hasWord(rest, "hostname") || hasWord(rest, "address")) {
			return false
		}
	}
	ev.Peer.IP = addr
	if ev.Direction == smtp.DirectionNone {
		ev.Direction = smtp.Inbound
	}
	return true
}

// sasl reads a failed login: "<client>: SASL LOGIN authentication failed: reason,
// sasl_username=u", and the library's own line, which names no client.
func sasl(b []byte, ev *smtp.Event) bool {
	p, n := peer(b)
	rest, ok := after(b[n:], ": SASL ")
	if n == 0 || !ok {
		if _, ok := after(b, "SASL authentication failure: "); !ok {
			return false
		}
		ev.Kind, ev.Stage = smtp.KindAuth, smtp.StageAUTH
		return true
	}
	told := b[n+len(": "):]
	method, _, ok := cut(rest, " authentication ")
	if !ok {
		return false
	}
	ev.Kind, ev.Stage, ev.Peer = smtp.KindAuth, smtp.StageAUTH, p
	if ev.Direction == smtp.DirectionNone {
		ev.Direction = smtp.Inbound
	}
	ev.AuthMethod = method
	if i := lastIndex(told, ", sasl_username="); i >= 0 {
		ev.User = told[i+len(", sasl_username="):]
		told = told[:i]
	}
	ev.Text = told
	return true
}

// notice knows the lines that say nothing of a session or a message.
func notice(b []byte, ev *smtp.Event) bool {
	ok := underscored(b) || bytes.Contains(b, []byte(": wanted attribute: "))
	for i := 0; i < len(notices) && !ok; i++ {
		_, ok = after(b, notices[i])
	}
	if !ok {
		// "Deleted: 115 messages" and its like, of postsuper.
		ok = bytes.HasSuffix(b, []byte(" messages")) || bytes.HasSuffix(b, []byte(" message"))
	}
	if !ok {
		// "host[address]: Untrusted: subject_CN=...": what TLS logs of a host besides.
		p, n := peer(b)
		if _, ok = after(b[n:], ": "); n == 0 || !ok {
			return false
		}
		ev.Peer = p
	}
	ev.Kind, ev.Text = smtp.KindNotice, b
	return true
}

// notices are the beginnings of such lines, in the order of the alphabet.
var notices = [...]string{
	"/", "Host offered STARTTLS", "Matched ", "Passing ", "Peer ", "SMTPS wrappermode", "SSL", "TLS", "Trusted: ", "Untrusted: ",
	"Unverified: ", "Using ", "Verified: ", "abort all milters", "adding ", "after input_transp_cleanup: ", "auto_clnt_",
	"before input_transp_cleanup: ", "breaking line > ", "cache ", "close database ", "connect to subsystem ",
	"connection established", "daemon started", "dict_", "discarding ", "disconnect event to all milters", "disposing ",
	"entering STRESS mode", "event: ", "fd=", "fingerprint", "free ", "fsspace: ", "giving up on ", "idle", "initializing ",
	"input attribute ", "last message repeated ", "leaving STRESS mode", "looking for plugins", "looking for session ", "lookup ",
	"mail_stream_", "masquerading ", "name_mask: ", "open database ", "private key ", "private/", "proxymap stream ", "public/",
	"query milter states ", "read from ", "refreshing ", "reload", "removing ", "replacing command ", "reply: SMFIR_", "report ",
	"rewriting ", "save session ", "send ", "server features", "skipping ", "start ", "starting ", "statistics: ", "stopping ",
	"subject_CN=", "table ", "terminating on signal ", "the Postfix mail system ", "too many connections", "trying... ", "using ",
	"vstream_buf_get_ready: ", "write to ",
}

// underscored reports that b begins with the name of a C function and a colon: what a
// daemon logs with -v.
func underscored(b []byte) bool {
	seen := false
	for i, c := range b[:min(len(b), maxFunction)] {
		switch {
		case c == '_':
			seen = true
		case c == ':':
			return seen && i > 0
		case idClass[c] == 0:
			return false
		}
	}
	return false
}

// maxFunction bounds the name of a function of Postfix.
const maxFunction = 48
