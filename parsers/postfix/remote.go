package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// attempt reads what smtp and lmtp log of one host before the verdict: the same words
// as a verdict's text, without a status (src/smtp/smtp_trouble.c, smtp_connect.c).
func attempt(b []byte, ev *smtp.Event) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case 'h', 'l', 'c', 'T', 'S', 'C', 'A', 'U', 'V', 's', 'e', 'd':
	default:
		return false
	}
	if tlsLine(b, ev) {
		return true
	}
	if rest, ok := after(b, "enabling PIX "); ok {
		ev.Kind, ev.Direction, ev.Text = smtp.KindNotice, smtp.Outbound, b
		if i := lastIndex(rest, " for "); i >= 0 {
			ev.Peer, _ = peer(rest[i+5:])
		}
		return true
	}
	if !reason(b, ev) {
		return false
	}
	ev.Kind, ev.Direction, ev.Failed, ev.Text = smtp.KindAttempt, smtp.Outbound, true, b
	if ev.Peer.IsZero() {
		ev.Peer, ev.ReplyHost = ev.ReplyHost, smtp.Peer{}
	}
	switch ev.Stage {
	case smtp.StageAUTH:
		ev.Kind = smtp.KindAuth
	case smtp.StageSTARTTLS:
		if ev.Reply.Text == nil {
			ev.Kind = smtp.KindTLS
		}
	}
	return true
}

// reason reads the text of a verdict or an attempt: a reply and who said it, or what
// went wrong instead. It fills Reply, Stage, and ReplyHost where that is not the peer,
// and returns false when the text is of neither kind.
func reason(text []byte, ev *smtp.Event) bool {
	for {
		rest, ok := after(text, "delivery temporarily suspended: ")
		if !ok {
			break
		}
		text = rest
	}
	if len(text) == 0 {
		return false
	}
	if text[0]-'2' < 4 {
		if r := smtp.ParseReply(text); r.Code != 0 {
			ev.Reply = r
			return true
		}
	}
	for i := range troubles {
		t := &troubles[i]
		rest, ok := after(text, t.start)
		if !ok {
			continue
		}
		ev.Stage = t.stage
		p, n := peer(rest)
		if n == 0 {
			p, n = nameOnly(rest)
		}
		rest = rest[n:]
		switch t.form {
		case connecting:
			connectReason(p, rest, ev)
		case whileDoing:
			speaker(p, ev)
			ev.Stage = whileStage(rest)
		case hostSaid:
			if n == 0 {
				return false
			}
			speaker(p, ev)
			said(rest, ev)
		case justHost:
			if n > 0 {
				speaker(p, ev)
			}
		}
		return true
	}
	return quoted(text, ev)
}

// The forms of a text that tells of trouble.
type form uint8

const (
	hostSaid   form = iota // a host, then what it said
	connecting             // a host and its port, then why there was no connection
	whileDoing             // a host, then what was going on when the connection broke
	justHost               // perhaps a host, nothing more that is told apart
)

// troubles are the beginnings of the texts, the usual ones first. Those that name no
// host stand behind those that do.
var troubles = [...]struct {
	start string
	form  form
	stage smtp.Stage
}{
	{"host ", hostSaid, smtp.StageNone},
	{"connect to ", connecting, smtp.StageConnect},
	{"lost connection with ", whileDoing, smtp.StageNone},
	{"conversation with ", whileDoing, smtp.StageNone},
	{"delivery via ", hostSaid, smtp.StageNone},
	{"TLS is required, but host ", hostSaid, smtp.StageSTARTTLS},
	{"TLS is required, but was not offered by host ", justHost, smtp.StageSTARTTLS},
	{"TLS is required, ", justHost, smtp.StageSTARTTLS},
	{"Cannot start TLS: ", justHost, smtp.StageSTARTTLS},
	{"Server certificate not ", justHost, smtp.StageSTARTTLS},
	{"SASL authentication failed; server ", hostSaid, smtp.StageAUTH},
	{"SASL [CACHED] authentication failed; server ", hostSaid, smtp.StageAUTH},
	{"SASL authentication failed; cannot authenticate to server ", justHost, smtp.StageAUTH},
	{"SASL authentication failed", justHost, smtp.StageAUTH},
	{"SASL [CACHED] authentication failed", justHost, smtp.StageAUTH},
}

// nameOnly reads a host that shows no address: a name up to a colon or a blank.
func nameOnly(b []byte) (smtp.Peer, int) {
	n := 0
	for n < len(b) && b[n] != ' ' && b[n] != ':' {
		n++
	}
	if n == 0 || bytes.IndexByte(b[:n], '.') < 0 {
		return smtp.Peer{}, 0
	}
	return smtp.Peer{Name: b[:n]}, n
}

// speaker notes who said the reply, where that is not the peer that the line names.
func speaker(p smtp.Peer, ev *smtp.Event) {
	if !same(&p, &ev.Peer) {
		ev.ReplyHost = p
	}
}

// said reads what follows a host: " said: REPLY (in reply to X command)", or that it
// refused something.
func said(b []byte, ev *smtp.Event) {
	if rest, ok := after(b, " said: "); ok {
		reply(rest, ev)
		return
	}
	if rest, ok := after(b, " refused to talk to me: "); ok {
		reply(rest, ev)
		ev.Stage = smtp.StageConnect
		return
	}
	if rest, ok := after(b, " refused to start TLS: "); ok {
		reply(rest, ev)
		ev.Stage = smtp.StageSTARTTLS
		return
	}
	if rest, ok := after(b, ": "); ok {
		quoted(rest, ev)
	}
}

// reply reads a remote's reply and the command that Postfix adds. The remote may have
// written the same words: the last ones are Postfix's.
func reply(b []byte, ev *smtp.Event) {
	const command = " (in reply to "
	if i := lastIndex(b, command); i >= 0 {
		ev.Stage = stageOf(b[i+len(command):])
		b = b[:i]
	}
	ev.Reply = smtp.ParseReply(b)
}

// stageOf reads the name of a command as Postfix writes it, "RCPT TO command)".
func stageOf(b []byte) smtp.Stage {
	if _, ok := after(b, "end of DATA"); ok {
		return smtp.StageDOT
	}
	n := 0
	for n < len(b) && b[n] != ' ' && b[n] != ')' {
		n++
	}
	return smtp.ParseStage(b[:n])
}

// quoted looks for a host and its reply further on in a text whose beginning is not
// known.
func quoted(text []byte, ev *smtp.Event) bool {
	i := index(text, "] said: ")
	if i < 0 {
		return false
	}
	start := bytes.LastIndexByte(text[:i], ' ') + 1
	p, n := peer(text[start:])
	if n == 0 {
		return false
	}
	speaker(p, ev)
	said(text[start+n:], ev)
	return true
}

// connectReason reads why a connection was not made. Versions before 2.3 tell a
// refusal here, with the port behind it.
func connectReason(p smtp.Peer, b []byte, ev *smtp.Event) {
	speaker(p, ev)
	rest, ok := after(b, ": server refused to talk to me: ")
	if !ok {
		return
	}
	if i := lastIndex(rest, "(port "); i >= 0 {
		rest = bytes.TrimRight(rest[:i], " ")
	}
	ev.Reply = smtp.ParseReply(rest)
}

// whileStage reads what was going on: " while sending RCPT TO", " timed out while
// receiving the initial server greeting".
func whileStage(b []byte) smtp.Stage {
	_, doing, ok := cut(b, " while ")
	if !ok {
		return smtp.StageNone
	}
	for i := range doings {
		if rest, ok := after(doing, doings[i].words); ok && (doings[i].stage != smtp.StageNone || len(rest) > 0) {
			if doings[i].stage == smtp.StageNone {
				return stageOf(rest)
			}
			return doings[i].stage
		}
	}
	return smtp.StageNone
}

// doings are the states of src/smtp/smtp_proto.c; where no stage stands, a verb
// follows.
var doings = [...]struct {
	words string
	stage smtp.Stage
}{
	{"receiving the initial server greeting", smtp.StageConnect},
	{"receiving the initial SMTP greeting", smtp.StageConnect},
	{"performing the HELO handshake", smtp.StageEHLO},
	{"performing the EHLO handshake", smtp.StageEHLO},
	{"performing the LHLO handshake", smtp.StageEHLO},
	{"performing the initial protocol handshake", smtp.StageEHLO},
	{"performing the TLS handshake", smtp.StageSTARTTLS},
	{"performing the SASL", smtp.StageAUTH},
	{"receiving the STARTTLS response", smtp.StageSTARTTLS},
	{"sending end of data", smtp.StageDOT},
	{"sending final \".\"", smtp.StageDOT},
	{"sending message body", smtp.StageDOT},
	{"sending ", smtp.StageNone},
	{"receiving the ", smtp.StageNone},
}
