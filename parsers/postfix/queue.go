package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// queued reads the lines of a message on its way through the queue: cleanup, qmgr,
// pickup, bounce, postsuper.
func queued(b []byte, ev *smtp.Event) bool {
	if len(b) == 0 {
		return false
	}
	switch b[0] {
	case 'f':
		if rest, ok := after(b, "from="); ok {
			return active(rest, ev)
		}
	case 'm', 'r':
		if string(b) == "removed" {
			ev.Kind, ev.Direction = smtp.KindRemoved, smtp.Internal
			return true
		}
		rest, ok := after(b, "message-id=")
		if !ok {
			rest, ok = after(b, "resent-message-id=")
		}
		if ok {
			return messageID(rest, ev)
		}
	case 'u':
		if rest, ok := after(b, "uid="); ok {
			return picked(rest, ev)
		}
	case 's':
		if rest, ok := after(b, "skipped, still being delivered"); ok && len(rest) == 0 {
			ev.Kind, ev.Text = smtp.KindNotice, b
			return true
		}
		if _, ok := after(b, "status="); ok {
			// qmgr: the bounce daemon failed. No recipient is named.
			ev.Kind, ev.Direction, ev.Failed, ev.Text = smtp.KindWarning, smtp.Internal, true, b
			return true
		}
	}
	return notification(b, ev) || byHand(b, ev)
}

// active reads "from=<a>, size=n, nrcpt=n (queue active)", or with status=expired and
// its like that the queue's patience with a message ended.
func active(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = smtp.KindMessage, smtp.Internal
	var n int
	ev.From, n = angle(b)
	for rest := separator(b[n:]); len(rest) > 0; {
		name, value, ok := key(rest)
		if !ok {
			break
		}
		switch string(name) {
		case "size":
			ev.Size, _ = digits(value)
		case "nrcpt":
			ev.Recipients = count(value)
		case "status":
			ev.Kind, ev.Text = smtp.KindDelivery, rest
			status(value, ev)
			ev.Text = value
			return true
		}
		_, n = plain(value)
		rest = separator(value[n:])
	}
	return true
}

// messageID reads "<x>". Some have no brackets, and some have more behind them.
func messageID(b []byte, ev *smtp.Event) bool {
	ev.Kind = smtp.KindMessage
	if ev.Direction == smtp.DirectionNone {
		ev.Direction = smtp.Inbound
	}
	b = bytes.TrimRight(b, " ")
	if len(b) > 0 && b[0] == '<' {
		b = b[1:]
		if i := bytes.IndexByte(b, '>'); i >= 0 {
			b = b[:i]
		}
	}
	ev.MessageID = b
	return true
}

// picked reads pickup's "uid=0 from=<root>".
func picked(b []byte, ev *smtp.Event) bool {
	ev.Kind, ev.Direction = smtp.KindReceived, smtp.Internal
	_, n := plain(b)
	for rest := separator(b[n:]); len(rest) > 0; rest = separator(rest) {
		name, value, ok := key(rest)
		if !ok {
			break
		}
		word, n := angle(value)
		switch string(name) {
		case "from":
			ev.From = word
		case "orig_id", "orig_queue_id":
			if isQueueID(word) {
				ev.Related = word
			}
		}
		rest = value[n:]
	}
	return true
}

// notification reads "sender non-delivery notification: X": X is a new message about
// this one.
func notification(b []byte, ev *smtp.Event) bool {
	if len(b) == 0 || (b[0] != 's' && b[0] != 'p') {
		return false
	}
	what, id, ok := cut(b, " notification: ")
	if !ok {
		return false
	}
	switch string(what) {
	case "sender non-delivery", "sender delay", "sender delivery status", "postmaster non-delivery", "postmaster delay",
		"sender delivery", "postmaster delivery status":
	default:
		return false
	}
	ev.Kind, ev.Direction, ev.Text = smtp.KindNotification, smtp.Internal, what
	if n, any, all := idRun(id); canBeID(n, any, all) {
		ev.Related = id[:n]
	}
	return true
}

// byHand reads what postsuper did to a message.
func byHand(b []byte, ev *smtp.Event) bool {
	switch string(b) {
	case "requeued", "placed on hold", "released from hold", "expired", "expired and released", "renamed to match inode number":
		ev.Kind, ev.Direction, ev.Text = smtp.KindNotice, smtp.Internal, b
		return true
	}
	return false
}
