package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// led reads a line that begins with fields: what the server said of a client, or what
// came of one host that a message was taken to.
func led(b []byte, ev *smtp.Event) bool {
	rest := fields(b, ev, atServer)
	if isRejection(rest) {
		return rejection(rest, ev)
	}
	if r, ok := cutPrefix(rest, "Warning: "); ok {
		ev.Kind, ev.Direction, ev.Text = smtp.KindFilter, smtp.Inbound, r
		return true
	}
	if r, ok := cutPrefix(rest, "sender verify "); ok {
		return senderVerify(r, rest, ev)
	}
	if r, ok := cutPrefix(rest, "RCPT "); ok {
		return discarded(r, ev)
	}
	if r, ok := cutPrefix(rest, "dropped by 'connect' ACL"); ok {
		return failed(ev, smtp.KindClosed, smtp.StageConnect, bytes.TrimLeft(r, ": "))
	}
	if hasPrefix(rest, "incomplete transaction") {
		ev.Kind, ev.Direction, ev.Text = smtp.KindNotice, smtp.Inbound, rest
		return true
	}
	if !hasPrefix(rest, ":") && bytes.Contains(rest, []byte(fromCutthrough)) {
		return cutthrough(rest, ev)
	}
	if ev.Queue != nil && !ev.Peer.IsZero() {
		attempt(rest, ev)
		return true
	}
	ev.Text = rest
	return false
}

// attempt reads what went wrong with one host; whether the message goes to another or
// waits is told by a later line.
func attempt(b []byte, ev *smtp.Event) {
	b = blanks(bytes.TrimPrefix(b, []byte{':'}))
	ev.Kind, ev.Direction, ev.Failed, ev.Text = smtp.KindAttempt, smtp.Outbound, true, b
	if hasPrefix(b, "TLS ") || hasPrefix(b, "DANE ") {
		ev.Stage = smtp.StageSTARTTLS
	} else if !conversation(b, ev) {
		connection(b, ev)
	}
}

// verdict stores a refusal of our own.
func verdict(ev *smtp.Event, stage smtp.Stage, why []byte) bool {
	failed(ev, smtp.KindReject, stage, why)
	ev.Flag, ev.Outcome = smtp.EximRejected, smtp.Rejected
	return true
}

// isRejection reports whether b starts with Exim's words for a refusal.
func isRejection(b []byte) bool {
	return hasPrefix(b, "rejected ") || hasPrefix(b, "temporarily rejected ")
}

// rejection reads "[temporarily ]rejected WHAT[: why]". The client got 550 for the one
// and 451 for the other unless the text begins with another code, but the log shows no
// code that was not in the configuration. So none is made up: the text of a temporary
// one keeps the word, which is all that tells it apart.
func rejection(b []byte, ev *smtp.Event) bool {
	what, temporarily := cutPrefix(b, "temporarily ")
	what = what[len("rejected "):]
	stage, why := rejectedWhat(what, ev)
	why = blanks(bytes.TrimPrefix(why, []byte{':'}))
	direction := ev.Direction
	verdict(ev, stage, why)
	if direction == smtp.Internal {
		ev.Direction = direction
	}
	if r := smtp.ParseReply(why); r.Code >= 400 {
		ev.Reply = r
	} else {
		quotedReply(why, ev)
	}
	if temporarily {
		ev.Text = b
	}
	if hasPrefix(why, "discarded by ") {
		// Up to 4.69 an ACL's discard was called a rejection, though the client saw none.
		ev.Kind, ev.Outcome, ev.Failed = smtp.KindFilter, smtp.Discarded, false
	}
	return true
}

// rejectedWhat reads what was refused and returns its stage and what follows.
func rejectedWhat(b []byte, ev *smtp.Event) (stage smtp.Stage, rest []byte) {
	n := word(b)
	name, arg := b[:n], blanks(b[n:])
	switch string(name) {
	case "connection":
		if r, ok := cutPrefix(arg, "from "); ok {
			return smtp.StageConnect, client(r, ev)
		}
		return smtp.StageConnect, toColon(arg)
	case "after", "during", "DKIM", "PRDR", "by": // DATA, MIME ACL checks; local_scan()
		if hasPrefix(arg, "non-SMTP") {
			ev.Direction = smtp.Internal
			return smtp.StageNone, toColon(arg)
		}
		return smtp.StageDOT, toColon(arg)
	case "from": // a message that grew too big, or broke off
		a, m := address(arg)
		ev.From = a
		return smtp.StageDOT, client(blanks(arg[m:]), ev)
	case "RCPT":
		a, m := address(arg)
		ev.To = a
		return smtp.StageRCPT, arg[m:]
	case "MAIL":
		switch {
		case hasPrefix(arg, "from "):
			return smtp.StageMAIL, client(arg[len("from "):], ev)
		case hasPrefix(arg, "command "):
			return smtp.StageMAIL, client(arg[len("command "):], ev)
		case hasPrefix(arg, "FROM:<"):
			a, m := angle(arg[len("FROM:"):])
			ev.From = a
			return smtp.StageMAIL, client(blanks(arg[len("FROM:")+m:]), ev)
		}
		a, m := address(arg)
		set(&ev.From, a)
		return smtp.StageMAIL, arg[m:]
	}
	stage = smtp.ParseStage(bytes.TrimSuffix(name, []byte{':'}))
	if r, ok := cutPrefix(arg, "from "); ok {
		return stage, client(r, ev)
	}
	return stage, toColon(b)
}

// senderVerify reads "fail for <address>[: why]" or "defer for ...", which stands
// before the rejection that it leads to. A reply in it is that of the server which was
// asked.
func senderVerify(b, whole []byte, ev *smtp.Event) bool {
	failed(ev, smtp.KindWarning, smtp.StageMAIL, whole)
	b, _ = cutPrefix(b, "fail ")
	b, _ = cutPrefix(b, "defer ")
	if b, ok := cutPrefix(b, "for "); ok {
		a, n := address(b)
		set(&ev.From, a)
		quotedReply(b[n:], ev)
	}
	return true
}

// discarded reads "<address>: discarded by RCPT ACL": accepted and thrown away.
func discarded(b []byte, ev *smtp.Event) bool {
	a, n := address(b)
	ev.To = a
	ev.Kind, ev.Direction, ev.Stage, ev.Outcome = smtp.KindFilter, smtp.Inbound, smtp.StageRCPT, smtp.Discarded
	ev.Text = bytes.TrimLeft(b[n:], ": ")
	return true
}

const fromCutthrough = "reject from cutthrough after "

// cutthrough reads a refusal that hands on what the next server said while the message
// was on its way to it: "address F=<sender> tmp-reject from cutthrough after DATA:
// R=... T=... H=... C="459 ..."".
func cutthrough(b []byte, ev *smtp.Event) bool {
	rest := fields(recipient(b, ev), ev, atServer)
	_, command, ok := cut(rest, fromCutthrough)
	if !ok {
		return false
	}
	stage, rest := commandAt(command)
	if stage == smtp.StageDATA {
		stage = smtp.StageDOT // the message was read by then
	}
	client := ev.Peer
	ev.Peer = smtp.Peer{}
	fields(blanks(bytes.TrimPrefix(rest, []byte{':'})), ev, atDelivery)
	ev.ReplyHost, ev.Peer = ev.Peer, client
	failed(ev, smtp.KindReject, stage, ev.Reply.Text)
	ev.Outcome = smtp.Rejected
	return true
}

// tooMany reads "excess rejected: sender=<address> HOST", recipients over the limit.
func tooMany(b []byte, ev *smtp.Event) bool {
	if _, r, ok := cut(b, ": sender="); ok {
		a, n := address(r)
		ev.From = a
		client(blanks(r[n:]), ev)
	}
	return verdict(ev, smtp.StageRCPT, ev.Text)
}

// unqualified reads "sender|recipient|verify rejected: <address> HOST", an address
// without a domain.
func unqualified(b []byte, ev *smtp.Event) bool {
	what, r, ok := cut(b, " rejected: ")
	if !ok {
		return false
	}
	a, n := address(r)
	client(blanks(r[n:]), ev)
	switch string(what) {
	case "sender":
		ev.From = a
		return verdict(ev, smtp.StageMAIL, ev.Text)
	case "recipient":
		ev.To = a
		return verdict(ev, smtp.StageRCPT, ev.Text)
	}
	return verdict(ev, smtp.StageVRFY, ev.Text)
}

// localScan reads what became of a message whose local_scan() broke down.
func localScan(b []byte, ev *smtp.Event) bool {
	if !bytes.Contains(b, []byte("rejected")) {
		ev.Kind = smtp.KindWarning
		return true
	}
	return verdict(ev, smtp.StageDOT, ev.Text)
}

// named reads the lines that begin with the name of something: an authenticator, a
// host, a router, an address.
func named(b []byte, ev *smtp.Event) bool {
	if isRejection(b) {
		return rejection(b, ev)
	}
	n := word(b)
	if r, ok := cutPrefix(b[n:], " authenticator failed "); ok {
		ev.AuthMethod = b[:n]
		return authenticator(r, ev)
	}
	if hasPrefix(b[n:], " router: ") {
		ev.Kind, ev.Text, ev.Router = smtp.KindWarning, b, b[:n]
		return true
	}
	if hasPrefix(b[n:], " transport process returned ") {
		ev.Kind, ev.Text, ev.Transport = smtp.KindWarning, b, b[:n]
		return true
	}
	if ev.Queue != nil && conversation(b, ev) {
		ev.Kind, ev.Failed, ev.Text = smtp.KindAttempt, true, b
		return true
	}
	if p, _, rest := peer(b); p.IP != nil {
		return aboutHost(p, rest, ev)
	}
	if ev.Queue == nil {
		return false
	}
	if i := bytes.Index(b, []byte(": error ignored")); i >= 0 {
		recipient(b[:i], ev)
		ev.Kind, ev.Text = smtp.KindMessage, b[i+2:]
		return true
	}
	if hasPrefix(b, "<") && bytes.Contains(b, []byte(" transport output: ")) {
		if a, n := angle(b); n > 0 {
			ev.Kind, ev.To, ev.Text = smtp.KindMessage, a, bytes.TrimLeft(b[n:], ": ")
			return true
		}
	}
	return false
}

// authenticator reads "for HOST: reply" of our own server, or "HOST reply" of the
// server that we logged in to.
func authenticator(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Stage, ev.Failed = smtp.KindAuth, smtp.StageAUTH, true
	if r, ok := cutPrefix(b, "for "); ok {
		rest := client(r, ev)
		ev.User = nil // the one that logged in, not the one that called Exim
		rest = blanks(bytes.TrimPrefix(rest, []byte{':'}))
		ev.Reply, ev.Text = smtp.ParseReply(rest), rest
		if _, id, ok := cut(rest, "(set_id="); ok {
			if i := bytes.IndexByte(id, ')'); i >= 0 {
				ev.User = id[:i]
			}
		}
		return true
	}
	rest := blanks(server(b, ev))
	ev.Reply, ev.Text = smtp.ParseReply(rest), rest
	return true
}

// aboutHost reads "host [ip] why", the older form of an attempt, and what TLS has to
// say of a host's certificate.
func aboutHost(p smtp.Peer, rest []byte, ev *smtp.Event) bool {
	rest = blanks(rest)
	ev.Peer = p
	switch {
	case hasPrefix(rest, "SSL verify error"):
		ev.Kind, ev.Failed, ev.Stage, ev.Text = smtp.KindTLS, true, smtp.StageSTARTTLS, rest
		ev.Direction = smtp.Inbound
		if ev.Queue != nil {
			ev.Direction = smtp.Outbound
		}
		return true
	case ev.Queue == nil:
		ev.Peer = smtp.Peer{}
		return false
	}
	attempt(rest, ev)
	return true
}

// server reads the other side of an outbound line and returns what follows.
func server(b []byte, ev *smtp.Event) (rest []byte) {
	b, _ = cutPrefix(b, "H=")
	ev.Direction = smtp.Outbound
	return namedHost(b, ev)
}

// notConnected reads "host [ip]: why" (up to 3.x).
func notConnected(b []byte, ev *smtp.Event) bool {
	rest := server(b, ev)
	if ev.Queue == nil || ev.Peer.IP == nil {
		ev.Kind = smtp.KindWarning
		return true
	}
	attempt(rest, ev)
	return true
}

func tlsTo(b []byte, ev *smtp.Event) bool {
	rest := bytes.TrimLeft(server(b, ev), ": ")
	ev.Kind, ev.Stage, ev.Failed, ev.Text = smtp.KindTLS, smtp.StageSTARTTLS, true, rest
	return true
}

// tlsFallback reads "TLS session: why: delivering unencrypted to H=host [ip] (...)".
func tlsFallback(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Stage, ev.Failed, ev.Direction = smtp.KindTLS, smtp.StageSTARTTLS, true, smtp.Outbound
	const to = "delivering unencrypted to "
	if i := bytes.LastIndex(b, []byte(to)); i >= 0 {
		server(b[i+len(to):], ev)
	}
	return true
}
