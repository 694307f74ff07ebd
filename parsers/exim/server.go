package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// unflagged reads a line without a flag. What it is about is told by how it begins:
// with fields, with one of the openings, or with a name and a few words.
func unflagged(b []byte, ev *smtp.Event) bool {
	if _, n := fieldAt(b); n > 0 || hasPrefix(b, "DS H=") {
		if !hasPrefix(b, "cwd=") {
			return led(b, ev)
		}
	}
	var first byte
	if len(b) > 0 {
		first = b[0]
	}
	for _, o := range openingsBy[first] {
		if hasPrefix(b, o.text) {
			ev.Kind, ev.Text, ev.Failed = o.kind, b, o.kind == smtp.KindWarning
			return o.read == nil || o.read(b[len(o.text):], ev)
		}
	}
	if named(b, ev) {
		return true
	}
	ev.Text = b
	return false
}

// An opening is how a line begins, and its kind or what reads the rest. The event's
// text is the whole line unless that sets it.
type opening struct {
	text string
	kind smtp.Kind
	read func(rest []byte, ev *smtp.Event) bool
}

// openings are in the order of how often they are seen, and the longer before its own
// beginning.
var openings = []opening{
	{text: "SMTP connection ", read: smtpConnection},
	{text: "no host name found for IP address ", read: noName},
	{text: "no IP address found for host ", read: noAddress},
	{text: "no MAIL in ", read: noMail},
	{text: "no immediate delivery: ", kind: smtp.KindMessage},
	{text: "unexpected disconnection while reading SMTP command from ", read: disconnected},
	{text: "SMTP call from ", read: dropped},
	{text: "SMTP command timeout on ", read: commandTimeout},
	{text: "SMTP data timeout (message abandoned) on ", read: dataTimeout},
	{text: "SMTP protocol synchronization error (", read: synchronization},
	{text: "SMTP protocol error in \"", read: badCommand},
	{text: "SMTP syntax error in \"", read: badCommand},
	{text: "Connection from ", read: refused},
	{text: "connection from ", read: refused},
	{text: "refused connection from ", read: refused},
	{text: "temporarily refused connection from ", read: refused},
	{text: "unqualified ", read: unqualified},
	{text: "too many recipients: ", read: tooMany},
	{text: "local_scan() function ", read: localScan},

	{text: "TLS error on connection from ", read: tlsFrom},
	{text: "TLS recv error on connection from ", read: tlsFrom},
	{text: "TLS send error on connection from ", read: tlsFrom},
	{text: "TLS error on connection to ", read: tlsTo},
	{text: "TLS session", read: tlsFallback},
	{text: "DANE attempt failed; TLS connection to ", read: tlsTo},
	{text: "DANE error", kind: smtp.KindTLS},
	{text: "TLS ", kind: smtp.KindWarning},

	{text: "ETRN ", read: etrn},
	{text: "ATRN ", read: atrn},
	{text: "VRFY failed for ", read: vrfyFailed},
	{text: "sender verify ", kind: smtp.KindWarning},
	{text: "SA: ", read: saExim},
	{text: "Failed to connect to ", read: notConnected},

	{text: "Completed", read: completed},
	{text: "Frozen", kind: smtp.KindMessage},
	{text: "frozen ", kind: smtp.KindMessage},
	{text: "*** frozen", kind: smtp.KindMessage},
	{text: "Unfrozen ", kind: smtp.KindMessage},
	{text: "unfrozen ", kind: smtp.KindMessage},
	{text: "Message is frozen", kind: smtp.KindMessage},
	{text: "removed by ", kind: smtp.KindMessage},
	{text: "cancelled by ", kind: smtp.KindMessage},
	{text: "address <", kind: smtp.KindMessage},
	{text: "recipient <", kind: smtp.KindMessage},
	{text: "sender address changed ", kind: smtp.KindMessage},
	{text: "moved from ", kind: smtp.KindMessage},
	{text: "DKIM: signing failed", kind: smtp.KindWarning},
	{text: "DKIM: ", kind: smtp.KindMessage},
	{text: "PDKIM: ", kind: smtp.KindWarning},
	{text: "ARC: ", kind: smtp.KindMessage},
	{text: "SPF", kind: smtp.KindMessage},
	{text: "DMARC ", kind: smtp.KindMessage},
	{text: "Spool file ", kind: smtp.KindNotice},
	{text: "spool file ", kind: smtp.KindNotice},
	{text: "Format error in spool file ", kind: smtp.KindWarning},

	{text: "Start ", kind: smtp.KindNotice}, // of a queue run
	{text: "End ", kind: smtp.KindNotice},
	{text: "Abandon queue run", kind: smtp.KindNotice},
	{text: "exim user lost privilege for ", kind: smtp.KindWarning},
	{text: "exim ", read: daemon},
	{text: "pid ", kind: smtp.KindNotice},
	{text: "cwd=", kind: smtp.KindNotice},
	{text: "daemon: ", kind: smtp.KindWarning},
	{text: "queue run", kind: smtp.KindWarning}, // crashed, or could not start

	{text: "Warning: ", kind: smtp.KindWarning}, // an ACL's has the client before it
	{text: "Exim configuration ", kind: smtp.KindWarning},
	{text: "Tainted ", kind: smtp.KindWarning},
	{text: "tainted ", kind: smtp.KindWarning},
	{text: "malware acl condition: ", kind: smtp.KindWarning},
	{text: "spam acl condition: ", kind: smtp.KindWarning},
	{text: "DNS list lookup defer ", kind: smtp.KindWarning},
	{text: "ACL ", kind: smtp.KindWarning},
	{text: "failed ", kind: smtp.KindWarning},
	{text: "Failed ", kind: smtp.KindWarning},
	{text: "unable ", kind: smtp.KindWarning},
	{text: "Unable ", kind: smtp.KindWarning},
	{text: "Cannot ", kind: smtp.KindWarning},
	{text: "cannot ", kind: smtp.KindWarning},
	{text: "internal problem in ", kind: smtp.KindWarning},
	{text: "Internal error", kind: smtp.KindWarning},
	{text: "lowest numbered MX record points to local host", kind: smtp.KindWarning},
	{text: "remote host address is the local host", kind: smtp.KindWarning},
	{text: "all relevant MX records point to non-existent hosts", kind: smtp.KindWarning},
	{text: "SIGSEGV ", kind: smtp.KindWarning},
	{text: "socket bind() ", kind: smtp.KindWarning},
	{text: "***", kind: smtp.KindWarning},
}

// openingsBy are the openings by their first byte, in the same order.
var openingsBy = func() (by [256][]*opening) {
	for i := range openings {
		first := openings[i].text[0]
		by[first] = append(by[first], &openings[i])
	}
	return by
}()

// client reads the other side of an inbound line, "[H=]name (helo) [ip]:port" with the
// fields behind it, or the local user who called Exim. It returns what follows.
func client(b []byte, ev *smtp.Event) (rest []byte) {
	ev.Direction = smtp.Inbound
	b, _ = cutPrefix(b, "H=")
	if hasPrefix(b, "U=") {
		return fields(b, ev, atServer)
	}
	p, helo, rest := peer(b)
	if p.IP == nil && helo == nil {
		ev.User = p.Name
	} else {
		ev.Peer, ev.Helo = p, helo
	}
	return fields(rest, ev, atServer)
}

// failed stores what an inbound session came to.
func failed(ev *smtp.Event, kind smtp.Kind, stage smtp.Stage, text []byte) bool {
	ev.Kind, ev.Stage, ev.Direction, ev.Failed, ev.Text = kind, stage, smtp.Inbound, true, nil
	if len(text) > 0 {
		ev.Text = text
	}
	return true
}

// smtpConnection reads how a connection opened, closed or was lost (log_selector
// smtp_connection; "lost" is always logged).
func smtpConnection(b []byte, ev *smtp.Event) bool {
	if hasPrefix(b, "Ci=") {
		b = fields(b, ev, atServer)
	}
	if r, ok := cutPrefix(b, "lost after final dot "); ok {
		client(r, ev)
		return failed(ev, smtp.KindLost, smtp.StageDOT, nil)
	}
	b, ok := cutPrefix(b, "from ")
	if !ok {
		return false
	}
	rest := client(b, ev)
	switch {
	case len(rest) == 0, hasPrefix(rest, "(TCP/IP connection count"):
		ev.Kind, ev.Text = smtp.KindConnect, nil
	case hasPrefix(rest, "lost while reading message data"):
		failed(ev, smtp.KindLost, smtp.StageDATA, rest)
	case hasPrefix(rest, "lost"), hasPrefix(rest, "closed by EOF"):
		failed(ev, smtp.KindLost, smtp.StageNone, rest)
	case hasPrefix(rest, "closed by QUIT"):
		ev.Kind, ev.Stage, ev.Text = smtp.KindDisconnect, smtp.StageQUIT, nil
	case hasPrefix(rest, "closed "):
		failed(ev, smtp.KindClosed, smtp.StageNone, rest)
	default:
		ev.Text = rest
		return false
	}
	return true
}

func disconnected(b []byte, ev *smtp.Event) bool {
	rest := client(b, ev)
	return failed(ev, smtp.KindLost, smtp.StageNone, rest)
}

// dropped reads "SMTP call from HOST dropped: why", a client whom Exim hung up on.
func dropped(b []byte, ev *smtp.Event) bool {
	rest := client(b, ev)
	if r, ok := cutPrefix(rest, "dropped: "); ok {
		rest = r
	}
	return failed(ev, smtp.KindClosed, smtp.StageNone, maskCommand(rest, ev))
}

func commandTimeout(b []byte, ev *smtp.Event) bool {
	b, _ = cutPrefix(b, "TLS ")
	b, _ = cutPrefix(b, "connection from ")
	client(b, ev)
	return failed(ev, smtp.KindTimeout, smtp.StageNone, nil)
}

func dataTimeout(b []byte, ev *smtp.Event) bool {
	b, _ = cutPrefix(b, "connection from ")
	client(b, ev)
	return failed(ev, smtp.KindTimeout, smtp.StageDATA, nil)
}

// noMail reads the line for a session that tried no message (log_selector
// smtp_no_mail), whose C= lists its commands. It comes beside the line for the end of
// the connection and does not say whether that was logged, so it ends nothing itself.
func noMail(b []byte, ev *smtp.Event) bool {
	b, _ = cutPrefix(b, "TFO")
	b, ok := cutPrefix(bytes.TrimLeft(b, "* "), "SMTP connection from ")
	if !ok {
		return false
	}
	ev.Kind, ev.Text = smtp.KindNotice, nil // C= makes the commands the text
	client(b, ev)
	return true
}

// badCommand reads `SMTP protocol error in "COMMAND" HOST why`. The command is the
// client's and may hold a quote and a host of its own, so the last host counts; what
// follows it is Exim's.
func badCommand(b []byte, ev *smtp.Event) bool {
	i := commandEnd(b)
	if i < 0 {
		ev.Text = nil // it may hold a secret
		return false
	}
	rest := client(b[i+2:], ev)
	return failed(ev, smtp.KindReject, verb(b[:i]), rest)
}

// commandEnd returns the place of the quote that ends a client's command, before the
// host or the local user.
func commandEnd(b []byte) int {
	return max(bytes.LastIndex(b, []byte("\" H=")), bytes.LastIndex(b, []byte("\" U=")))
}

// verb returns the stage of a command line.
func verb(command []byte) smtp.Stage {
	n := 0
	for n < len(command) && isLetter(command[n]) {
		n++
	}
	if n == 0 && len(command) > 0 {
		return smtp.StageUNKNOWN
	}
	return smtp.ParseStage(command[:n])
}

// synchronization reads the refusal of a client that did not wait its turn.
func synchronization(b []byte, ev *smtp.Event) bool {
	why, what, ok := cut(b, "): rejected ")
	if !ok {
		ev.Text = nil // it may hold a secret
		return false
	}
	if r, ok := cutPrefix(what, "connection from "); ok {
		client(r, ev)
		return hungUp(ev, smtp.StageConnect, why)
	}
	stage := smtp.StageNone
	// Both the command and the input behind it are the client's.
	command, _, _ := cut(what, " next input=")
	if i := commandEnd(command); i > 0 {
		stage = verb(command[1:i])
		client(command[i+2:], ev)
	}
	return hungUp(ev, stage, why)
}

// hungUp is a verdict after which the server closes the connection.
func hungUp(ev *smtp.Event, stage smtp.Stage, why []byte) bool {
	ok := verdict(ev, stage, why)
	ev.Kind = smtp.KindClosed
	return ok
}

// refused reads a connection that was refused before anything was said. "[ip]" is in
// front of the word or, where the line begins with it, behind.
func refused(b []byte, ev *smtp.Event) bool {
	rest := client(b, ev)
	if r, ok := cutPrefix(rest, "refused"); ok {
		rest = r
	}
	failed(ev, smtp.KindReject, smtp.StageConnect, bytes.TrimLeft(rest, ": "))
	ev.Outcome = smtp.Rejected
	return true
}

// noName reads a client's address that has no name in the DNS.
func noName(b []byte, ev *smtp.Event) bool {
	ip := b[:word(b)]
	ev.Peer.IP = ip
	return failed(ev, smtp.KindWarning, smtp.StageNone, bytes.TrimRight(ev.Text[:len(ev.Text)-len(b)], " "))
}

// noAddress reads a host name that has no address, which may be that of a client.
func noAddress(b []byte, ev *smtp.Event) bool {
	ev.Kind = smtp.KindWarning
	if _, from, ok := cut(b, "(during SMTP connection from "); ok {
		client(from, ev)
	}
	return true
}

func tlsFrom(b []byte, ev *smtp.Event) bool {
	rest := client(b, ev)
	return failed(ev, smtp.KindTLS, smtp.StageSTARTTLS, bytes.TrimLeft(rest, ": "))
}

// daemon reads "exim 4.98 daemon started: ...", unlike a syslog host of that name.
func daemon(b []byte, ev *smtp.Event) bool {
	ev.Kind = smtp.KindNotice
	return bytes.Contains(b, []byte(" daemon started"))
}

// etrn and atrn read a client's wish for its mail.
func etrn(b []byte, ev *smtp.Event) bool { return turn(b, smtp.StageETRN, ev) }
func atrn(b []byte, ev *smtp.Event) bool { return turn(b, smtp.StageATRN, ev) }

func turn(b []byte, stage smtp.Stage, ev *smtp.Event) bool {
	ev.Kind, ev.Stage = smtp.KindCommand, stage
	i := bytes.LastIndex(b, []byte(" received from "))
	if i < 0 {
		return false
	}
	client(b[i+len(" received from "):], ev)
	ev.Text = b[:i]
	return true
}

func vrfyFailed(b []byte, ev *smtp.Event) bool {
	a, n := address(b)
	ev.To = a
	client(blanks(b[n:]), ev)
	return failed(ev, smtp.KindReject, smtp.StageVRFY, nil)
}

// saExim reads sa-exim's verdict: "Action: .... From <a> (host=name [ip]) for b".
func saExim(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = smtp.KindFilter, smtp.Inbound
	i := bytes.LastIndex(b, []byte(" (host="))
	if i < 0 {
		return true
	}
	p, _, rest := peer(b[i+len(" (host="):])
	if string(p.Name) == "NULL" {
		p.Name = nil
	}
	ev.Peer = p
	if to, ok := cutPrefix(rest, ") for "); ok {
		ev.To = to[:word(to)]
	}
	if j := bytes.LastIndex(b[:i], []byte(" From <")); j >= 0 {
		ev.From, _ = angle(b[j+len(" From "):])
	}
	return true
}
