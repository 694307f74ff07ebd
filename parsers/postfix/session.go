package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// session reads what smtpd logs of a client's session, verdicts apart
// (src/smtpd/smtpd.c).
func session(b []byte, ev *smtp.Event) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case 'c':
		if rest, ok := after(b, "connect from "); ok {
			return with(smtp.KindConnect, rest, ev)
		}
		if rest, ok := after(b, "client="); ok {
			return received(rest, ev)
		}
	case 'd':
		if rest, ok := after(b, "disconnect from "); ok {
			return disconnect(rest, ev)
		}
	case 'l':
		if rest, ok := after(b, "lost connection after "); ok {
			return broken(smtp.KindLost, rest, ev)
		}
	case 't':
		if rest, ok := after(b, "timeout after "); ok {
			return broken(smtp.KindTimeout, rest, ev)
		}
		if rest, ok := after(b, "too many errors after "); ok {
			return broken(smtp.KindClosed, rest, ev)
		}
	case 'b':
		if rest, ok := after(b, "bare <LF> received after "); ok {
			ev.Text = b
			return broken(smtp.KindWarning, rest, ev)
		}
	case 'i':
		if rest, ok := after(b, "improper command pipelining after "); ok {
			ev.Text = b
			return pipelining(rest, ev)
		}
	case '<', '>':
		return verbose(b, ev)
	}
	return tlsLine(b, ev)
}

// with notes an inbound line of which only the client matters.
func with(k smtp.Kind, b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = k, smtp.Inbound
	ev.Peer, _ = peer(b)
	return true
}

// disconnect reads the client and, since 3.0, how many commands it gave.
func disconnect(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = smtp.KindDisconnect, smtp.Inbound
	var n int
	ev.Peer, n = peer(b)
	if counts := separator(b[n:]); n > 0 && len(counts) > 0 {
		ev.Commands = counts
	}
	return true
}

// broken reads "STAGE from <client>", where the stage may have "(n bytes)" behind it.
func broken(k smtp.Kind, b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction, ev.Failed = k, smtp.Inbound, true
	ev.Stage = stageOf(b)
	if i := lastIndex(b, " from "); i >= 0 {
		ev.Peer, _ = peer(b[i+6:])
	}
	return true
}

// pipelining reads "STAGE from <client>: what the client sent". The first " from " is
// Postfix's own.
func pipelining(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction, ev.Failed = smtp.KindWarning, smtp.Inbound, true
	ev.Stage = stageOf(b)
	if _, rest, ok := cut(b, " from "); ok {
		var n int
		ev.Peer, n = peer(rest)
		if ev.Stage == smtp.StageAUTH {
			ev.Text = ev.Text[:len(ev.Text)-len(rest)+n] // what came with it may be the answer, a secret
		}
	}
	return true
}

// received reads "client=<c>, sasl_method=PLAIN, sasl_username=u, orig_queue_id=Q, ...":
// a message begins.
func received(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = smtp.KindReceived, smtp.Inbound
	var n int
	ev.Peer, n = peer(b)
	for rest := separator(b[n:]); len(rest) > 0; rest = separator(rest) {
		name, value, ok := key(rest)
		if !ok {
			break
		}
		word, n := angle(value)
		switch string(name) {
		case "sasl_method":
			ev.AuthMethod = word
		case "sasl_username":
			ev.User = word
		case "orig_queue_id":
			if isQueueID(word) {
				ev.Related = word
			}
		case "helo":
			ev.Helo = word
		case "proto":
			ev.Protocol = word
		case "from":
			ev.From = word
		case "to":
			ev.To = word
		}
		rest = value[n:]
	}
	return true
}

// verbose reads the dialogue of a daemon that runs with -v: "< host[ip]: EHLO x" is
// what it heard, "> host[ip]: 250 ok" what it said.
func verbose(b []byte, ev *smtp.Event) bool {
	if len(b) < 3 || b[1] != ' ' {
		if rest, ok := after(b, ">>> "); ok && len(rest) > 0 {
			ev.Kind = smtp.KindNotice // ">>> START Client host RESTRICTIONS <<<"
			return true
		}
		return false
	}
	p, n := peer(b[2:])
	rest, ok := after(b[2+n:], ": ")
	if n == 0 || !ok {
		return false
	}
	ev.Peer = p
	if (b[0] == '<') == (ev.Direction == smtp.Outbound) {
		ev.Kind = smtp.KindAnswer
		ev.Reply = smtp.ParseReply(rest)
		return true
	}
	ev.Kind = smtp.KindCommand
	verb, args, _ := bytes.Cut(rest, []byte(" "))
	ev.Stage = smtp.ParseStage(verb)
	switch ev.Stage {
	case smtp.StageUNKNOWN:
		// It may be a step of AUTH, which is a secret, so that it is not shown.
	case smtp.StageAUTH:
		ev.AuthMethod, _, _ = bytes.Cut(args, []byte(" "))
		ev.Text = rest[:len(rest)-len(args)+len(ev.AuthMethod)]
	default:
		ev.Text = rest
	}
	return true
}
