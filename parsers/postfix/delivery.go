package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// delivery reads the line of a recipient's fate (src/global/log_adhoc.c):
//
//	to=<a>, orig_to=<b>, relay=R, conn_use=n, delay=d, delays=a/b/c/d, dsn=x.y.z, status=S (text)
//
// Old versions lack some fields and later ones may have more.
func delivery(b []byte, ev *smtp.Event) bool {
	rest, ok := after(b, "to=")
	if !ok {
		return false
	}
	var n int
	ev.Kind = smtp.KindDelivery
	if ev.Direction != smtp.Outbound {
		ev.Direction = smtp.Internal // until relay= shows a server
	}
	ev.To, n = angle(rest)
	for rest = separator(rest[n:]); len(rest) > 0; rest = separator(rest) {
		name, value, ok := key(rest)
		if !ok {
			break
		}
		if string(name) == "status" {
			status(value, ev)
			break
		}
		rest = deliveryField(name, value, ev)
	}
	return true
}

// deliveryField takes one field in and returns what follows it.
func deliveryField(name, value []byte, ev *smtp.Event) []byte {
	n := 0
	switch string(name) {
	case "orig_to":
		ev.OrigTo, n = angle(value)
	case "relay":
		var word []byte
		word, n = plain(value)
		relay(word, ev)
	case "conn_use":
		ev.ConnUse = count(value)
		_, n = plain(value)
	case "delay":
		ev.Delay, _ = seconds(value)
		_, n = plain(value)
	case "delays":
		var word []byte
		word, n = plain(value)
		delays(word, ev)
	case "dsn":
		ev.DSN, n = smtp.ParseEnhanced(value)
		if n == 0 {
			_, n = plain(value)
		}
	default:
		_, n = angle(value)
	}
	return value[n:]
}

// delays reads "a/b/c/d". Fewer than four are of a cut line and do not count.
func delays(b []byte, ev *smtp.Event) {
	d := ev.Delays
	for i := range d {
		v, n := seconds(b)
		if n == 0 || (i < 3 && (n == len(b) || b[n] != '/')) {
			return
		}
		d[i] = v
		b = b[min(n+1, len(b)):]
	}
	ev.Delays = d
}

// relay reads who took the message: a server, or the word of an agent that needs none.
func relay(b []byte, ev *smtp.Event) {
	if string(b) == "none" {
		return
	}
	if p, n := peer(b); n > 0 {
		ev.Peer, ev.Direction = p, smtp.Outbound
		return
	}
	switch {
	case bytes.IndexByte(b, '[') >= 0:
		// Cut within the address.
	case ev.Direction == smtp.Outbound:
		ev.Peer.Name = b
	default:
		ev.Transport = b
	}
}

// status reads "sent (text)". The text is another's: only the last parenthesis ends it,
// and a cut line has none.
func status(b []byte, ev *smtp.Event) {
	word, n := plain(b)
	switch string(word) {
	case "sent":
		ev.Outcome = smtp.Sent
	case "deferred", "SOFTBOUNCE":
		ev.Outcome, ev.Failed = smtp.Deferred, true
	case "bounced":
		ev.Outcome, ev.Failed = smtp.Bounced, true
	case "expired", "force-expired":
		ev.Outcome, ev.Failed = smtp.Expired, true
	case "deliverable":
		ev.Probe = true
	case "undeliverable", "undeliverable-but-not-cached":
		ev.Probe, ev.Failed = true, true
	}
	text := bytes.TrimRight(separator(b[n:]), " ")
	if len(text) > 0 && text[0] == '(' {
		text = text[1:]
		if len(text) > 0 && text[len(text)-1] == ')' {
			text = text[:len(text)-1]
		}
	}
	if len(text) == 0 {
		return
	}
	ev.Text = text
	if ev.Outcome != smtp.Sent || text[0]-'0' < 10 {
		reason(text, ev) // and not the "delivered to maildir" of an agent
	}
	if ev.Direction == smtp.Internal && ev.Reply.Code != 0 && !ev.ReplyHost.IsZero() {
		ev.Direction = smtp.Outbound // error(8) repeats what a server said that is left alone for now
	}
	if ev.Stage == smtp.StageNone && ev.Reply.Code != 0 && ev.Direction != smtp.Internal {
		if ev.Outcome == smtp.Sent {
			ev.Stage = smtp.StageDOT
		} else if ev.Probe {
			ev.Stage = smtp.StageRCPT
		}
	}
	if ev.Outcome == smtp.Sent {
		ev.QueuedAs = queuedAs(text)
	}
}

// QueuedAs returns the queue ID that the text of a verdict "sent" tells, nil for none.
func QueuedAs(text []byte) []byte { return queuedAs(text) }

// queuedAs finds the queue ID that the next server gave the message: Postfix says
// "queued as X" (through a filter inside the filter's own reply), local "forwarded as
// X", Exim "OK id=X", Sendmail "2.0.0 X Message accepted for delivery".
func queuedAs(text []byte) []byte {
	if i := lastIndex(text, " as "); i >= 6 {
		if before := text[:i]; bytes.HasSuffix(before, []byte("queued")) || bytes.HasSuffix(before, []byte("forwarded")) {
			return word(text[i+4:])
		}
	}
	if rest, ok := after(text, "250 OK id="); ok {
		return word(rest)
	}
	if rest, ok := after(text, "250 2.0.0 "); ok {
		if id := word(rest); id != nil {
			if _, ok := after(rest[len(id):], " Message accepted for delivery"); ok {
				return id
			}
		}
	}
	return nil
}

// word reads letters, digits and the hyphens of Exim's IDs at the start of b; nil for
// none.
func word(b []byte) []byte {
	n := 0
	for n < len(b) && (idClass[b[n]] != 0 || b[n] == '-') {
		n++
	}
	if n == 0 {
		return nil
	}
	return b[:n]
}
