package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// verdict reads what an access rule, a content check or a milter decided:
//
//	reject: RCPT from <client>: 550 5.1.1 text; from=<a> to=<b> proto=ESMTP helo=<h>
//	proxy-reject: END-OF-MESSAGE: 550 5.7.1 text; from=<a> to=<b> proto=ESMTP helo=<h>
//	reject: header Subject: x from <client>; from=<a> to=<b> proto=ESMTP helo=<h>: text
//	reject: CONNECT from [address]:port: too many connections
//
// by smtpd (log_whatsup in src/smtpd/smtpd_check.c), smtpd's proxy, cleanup
// (src/cleanup/cleanup_message.c, cleanup_milter.c) and postscreen, which puts commas
// into the tail.
func verdict(b []byte, ev *smtp.Event) bool {
	colon := bytes.IndexByte(b[:min(len(b), maxAction)], ':')
	if colon < 0 || !action(b[:colon], ev) {
		return false
	}
	rest := separator(b[colon+1:])
	if checked(rest, ev) {
		return true
	}
	body, tail := splitTail(rest)
	fromTail(tail, ev)
	decision(decided(body, ev), ev)
	return true
}

// maxAction bounds the word of an action; the longest is "milter-header-redirect".
const maxAction = 32

// action knows the words of actions and says what kind of event they make.
func action(word []byte, ev *smtp.Event) bool {
	switch string(word) {
	case "reject", "milter-reject", "proxy-reject":
		ev.Kind, ev.Outcome = smtp.KindReject, smtp.Rejected
	case "discard", "milter-discard":
		ev.Kind, ev.Outcome = smtp.KindFilter, smtp.Discarded
	case "reject_warning", "warn", "hold", "filter", "redirect", "bcc", "prepend", "replace", "strip", "info", "delay",
		"trigger", "permit", "pass", "ignore", "proxy-accept", "milter-hold", "milter-accept", "milter-quarantine", "milter-redirect", "milter-bcc",
		"milter-header-hold", "milter-header-discard", "milter-header-redirect", "milter-header-filter", "milter-header-warn":
		ev.Kind = smtp.KindFilter
	default:
		return false
	}
	return true
}

// decided reads the stage and the client at the start of b and returns what was decided
// behind them.
func decided(b []byte, ev *smtp.Event) []byte {
	n := 0
	for n < len(b) && b[n] != ' ' && b[n] != ':' {
		n++
	}
	ev.Stage = smtp.ParseStage(b[:n])
	rest := b[n:]
	if from, ok := after(rest, " from "); ok {
		ev.Direction = smtp.Inbound
		p, m := peer(from)
		ev.Peer, rest = p, from[m:]
	}
	if rest, ok := after(rest, ":"); ok {
		return bytes.TrimRight(separator(rest), " ")
	}
	return nil
}

// decision takes in the words of a verdict: a reply, or plain text.
func decision(b []byte, ev *smtp.Event) {
	r := smtp.ParseReply(b)
	if r.Code == 0 && r.Enhanced.IsZero() {
		ev.Text = b
		ev.Failed = ev.Kind == smtp.KindReject
		return
	}
	ev.Reply = r
	if r.Code.Class() == 2 {
		ev.QueuedAs = queuedAs(b) // proxy-accept
	}
}

// checked reads a verdict of cleanup about a header or a line of the body. What it
// quotes is the sender's, so the client is looked for from the right.
func checked(b []byte, ev *smtp.Event) bool {
	switch {
	case hasWord(b, "header"), hasWord(b, "body"), hasWord(b, "content"), hasWord(b, "mime-error"), hasWord(b, "nested-header"), hasWord(b, "milter-header"):
	default:
		return false
	}
	ev.Stage = smtp.StageDOT
	ev.Failed = ev.Kind == smtp.KindReject
	body, tail := splitTail(b)
	ev.Text = body
	if i := lastIndex(body, " from "); i >= 0 && tail != nil {
		ev.Text = body[:i]
		if string(body[i+6:]) == "local" {
			ev.Direction = smtp.Internal
		} else {
			ev.Direction = smtp.Inbound
			ev.Peer, _ = peer(body[i+6:])
		}
	}
	words, ok := after(fromTail(tail, ev), ": ")
	if ok && ev.Kind == smtp.KindReject {
		// cleanup passes the code on to smtpd, which logs nothing: only the enhanced
		// one is in the line.
		ev.Failed = false
		ev.Reply = smtp.ParseReply(words)
	}
	return true
}

// hasWord reports that b begins with a word and a blank.
func hasWord(b []byte, word string) bool {
	rest, ok := after(b, word)
	return ok && len(rest) > 0 && rest[0] == ' '
}

// maxTails bounds how many places are tried as the beginning of a tail. A text that
// offers more is made to confuse; the line then shows no sender and no recipient.
const maxTails = 16

// splitTail finds the "; from=<a> to=<b> proto=ESMTP helo=<h>" at the end of a verdict.
// The text before it holds "; " of its own and may imitate a tail; so may an address
// or a HELO name within the tail. The last one that is whole is taken: one whose fields
// follow each other in Postfix's order with nothing between. The text itself remains
// when there is none.
func splitTail(b []byte) (body, tail []byte) {
	end := len(b)
	for range maxTails {
		i := lastIndex(b[:end], "; ")
		if i < 0 {
			break
		}
		if whole(b[i+2:]) {
			return b[:i], b[i+2:]
		}
		end = i
	}
	return b, nil
}

// whole reports that b consists of a tail's fields in their order.
func whole(b []byte) bool {
	last := 0
	for len(b) > 0 {
		name, value, ok := key(b)
		if !ok {
			return false
		}
		at := tailOrder(name)
		if at <= last {
			return false
		}
		last = at
		_, n := angle(value)
		b = value[n:]
		if len(b) > 0 && b[0] == ':' {
			return true // the text that cleanup puts last
		}
		b = separator(b)
	}
	return last > 0
}

// tailOrder gives the place of a tail's field, 0 for a word that is none.
func tailOrder(name []byte) int {
	switch string(name) {
	case "from":
		return 1
	case "to":
		return 2
	case "proto":
		return 3
	case "helo":
		return 4
	case "sasl_method":
		return 5
	case "sasl_username":
		return 6
	case "sasl_sender":
		return 7
	}
	return 0
}

// fromTail takes a tail's fields in and returns what follows them.
func fromTail(b []byte, ev *smtp.Event) []byte {
	for len(b) > 0 && b[0] != ':' {
		name, value, ok := key(b)
		if !ok {
			break
		}
		word, n := angle(value)
		switch string(name) {
		case "from":
			ev.From = word
		case "to":
			ev.To = word
		case "proto":
			ev.Protocol = word
		case "helo":
			ev.Helo = word
		case "sasl_method":
			ev.AuthMethod = word
		case "sasl_username":
			ev.User = word
		}
		if b = value[n:]; len(b) == 0 || b[0] != ':' {
			b = separator(b)
		}
	}
	return b
}
