package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// What Exim says of a conversation with another server (src/transports/smtp.c,
// check_response and smtp_deliver; src/transports/lmtp.c). Up to 4.84 the host stands
// in the text, since then before it.
const (
	errorAfter  = " error after "
	remoteError = "SMTP error from remote mail" // "... server after", before 4.10 "... er after"
	closed      = "Remote host "
	malformed   = "Malformed SMTP reply"
	timeout     = "SMTP timeout "
	needTLS     = "a TLS session is required"
	responseTo  = "response to \""
)

// conversation reads such a text into the event: the stage, the reply, the host where
// the text has it. ok is false when the text tells of no conversation.
func conversation(b []byte, ev *smtp.Event) (ok bool) {
	switch {
	case hasPrefix(b, remoteError), hasPrefix(b, "LMTP"+errorAfter), hasPrefix(b, "PRDR"+errorAfter):
		_, command, found := cut(b, " after ")
		if !found {
			return false
		}
		answered(command, ev)
		if b[0] == 'P' { // PRDR: each recipient's reply after the message (after the body of DATA)
			ev.Stage = smtp.StageDOT
		}
	case hasPrefix(b, closed):
		rest := b[len(closed):]
		if !hasPrefix(rest, "closed ") {
			rest = namedHost(rest, ev)
		}
		_, rest, _ = cut(rest, "response to ")
		lastCommand(rest, ev)
		if _, reply, ok := cut(rest, "EHLO response was: "); ok {
			ev.Reply = smtp.ParseReply(bytes.TrimSuffix(reply, []byte{')'}))
		}
	case hasPrefix(b, malformed):
		rest := blanks(b[len(malformed):])
		rest, _ = cutPrefix(rest, "(an empty line) ")
		if r, ok := cutPrefix(rest, "from "); ok {
			rest = blanks(namedHost(r, ev))
		}
		if rest, ok = cutPrefix(rest, "in response to "); ok {
			answered(rest, ev)
		}
	case hasPrefix(b, timeout):
		rest := b[len(timeout):]
		if r, ok := cutPrefix(rest, "while connected to "); ok {
			rest = blanks(namedHost(r, ev))
		}
		if rest, ok = cutPrefix(rest, "after "); ok {
			lastCommand(rest, ev)
		}
	case hasPrefix(b, needTLS):
		ev.Stage = smtp.StageSTARTTLS
		if r, ok := cutPrefix(b[len(needTLS):], " for "); ok {
			namedHost(r, ev)
		}
	case hasPrefix(b, "host "):
		p, _, rest := peer(b[len("host "):])
		if p.IP == nil || !hasPrefix(rest, ": ") {
			return false // "host lookup did not complete"
		}
		if ev.Peer.IsZero() {
			ev.Peer = p
		}
		ev.Reply = smtp.ParseReply(rest[2:])
	default:
		return false
	}
	ev.Direction = smtp.Outbound
	return true
}

// answered reads "COMMAND: [host name [ip]: ]reply".
func answered(b []byte, ev *smtp.Event) {
	rest := lastCommand(b, ev)
	rest, ok := cutPrefix(rest, ": ")
	if !ok {
		return
	}
	if r, ok := cutPrefix(rest, "host "); ok {
		if p, _, after := peer(r); p.IP != nil && hasPrefix(after, ": ") {
			if ev.Peer.IP == nil {
				ev.Peer = p
			}
			rest = after[2:]
		}
	}
	ev.Reply = smtp.ParseReply(rest)
}

// lastCommand reads what was answered, or after which the connection broke, and
// returns what follows: a colon, or words in brackets.
func lastCommand(b []byte, ev *smtp.Event) (rest []byte) {
	stage, rest := commandAt(b)
	ev.Stage = stage
	return rest
}

// commandAt reads one of Exim's names for a point of the session: a command as sent, or
// "initial connection", "end of data" and the like, perhaps "pipelined". What follows
// starts with a colon, or is empty.
func commandAt(b []byte) (stage smtp.Stage, rest []byte) {
	b, pipelined := cutPrefix(b, "pipelined ")
	switch {
	case hasPrefix(b, "initial connection"):
		return smtp.StageConnect, toColon(b)
	case hasPrefix(b, "end of data"):
		return smtp.StageDOT, toColon(b)
	case hasPrefix(b, "sending data block"):
		if pipelined {
			return smtp.StageBDAT, toColon(b)
		}
		return smtp.StageDATA, toColon(b)
	case hasPrefix(b, "final dot"):
		return smtp.StageDOT, toColon(b)
	}
	n := 0
	for n < len(b) && isLetter(b[n]) {
		n++
	}
	stage = smtp.ParseStage(b[:n])
	switch {
	case stage == smtp.StageBDAT:
		rest := toColon(b)
		if bytes.HasSuffix(b[:len(b)-len(rest)], []byte(" LAST")) {
			stage = smtp.StageDOT
		}
		return stage, rest
	case stage == smtp.StageMAIL || stage == smtp.StageRCPT:
		// The path may hold a colon and a blank of its own.
		if i := bytes.IndexByte(within(b, maxAddress), '<'); i > 0 {
			if _, m := angle(b[i:]); m > 0 {
				return stage, toColon(b[i+m:])
			}
		}
	}
	return stage, toColon(b)
}

// toColon returns b from its first colon and blank on, nil when there is none.
func toColon(b []byte) []byte {
	if i := bytes.Index(b, []byte(": ")); i >= 0 {
		return b[i:]
	}
	return nil
}

// namedHost reads a host that stands in a text, as the peer unless H= told it, and
// returns what follows.
func namedHost(b []byte, ev *smtp.Event) (rest []byte) {
	p, _, rest := peer(b)
	if ev.Peer.IsZero() {
		ev.Peer = p
	}
	return rest
}

// connection reads the system's words for a connection that did not come about. They
// are the same in every locale that daemons run in.
func connection(b []byte, ev *smtp.Event) {
	for _, words := range noConnection {
		if hasPrefix(b, words) {
			ev.Direction, ev.Stage = smtp.Outbound, smtp.StageConnect
			return
		}
	}
}

var noConnection = []string{
	"Connection refused", "Connection timed out", "Operation timed out", "Connection reset by peer",
	"Network is unreachable", "No route to host", "Host is down", "Network is down",
}

// quotedReply reads a reply that another server gave while an address was verified
// against it: "host [ip] : SMTP error from remote mail server after COMMAND: reply",
// up to 4.88 `response to "COMMAND" from host [ip] was: reply`. The stage stays that of
// our own session.
func quotedReply(b []byte, ev *smtp.Event) {
	if i := bytes.Index(b, []byte(remoteError)); i >= 0 {
		if _, command, ok := cut(b[i:], " after "); ok {
			_, rest := commandAt(command)
			if rest, ok = cutPrefix(rest, ": "); ok {
				byOther(hostBefore(b[:i]), rest, ev)
			}
		}
		return
	}
	i := bytes.Index(b, []byte(responseTo))
	if i < 0 {
		return
	}
	said := b[i+len(responseTo):]
	at := bytes.Index(said, []byte(" was: "))
	if at < 0 {
		return
	}
	host := hostBefore(b[:i])
	if j := bytes.LastIndex(said[:at], []byte("\" from ")); j >= 0 {
		host, _, _ = peer(said[j+len("\" from ") : at])
	}
	byOther(host, said[at+len(" was: "):], ev)
}

// byOther stores a reply of another host than the peer; a text without a code, like
// "connection dropped", is none.
func byOther(host smtp.Peer, reply []byte, ev *smtp.Event) {
	if r := smtp.ParseReply(reply); r.Code != 0 {
		ev.Reply, ev.ReplyHost = r, host
	}
}

// hostBefore reads the "name [ip]" at the end of b, before " : ".
func hostBefore(b []byte) smtp.Peer {
	b = bytes.TrimRight(b, ": ")
	i := bytes.LastIndexByte(b, ' ')
	if i < 0 {
		return smtp.Peer{}
	}
	p, _, _ := peer(b[bytes.LastIndexByte(b[:i], ' ')+1:])
	return p
}
