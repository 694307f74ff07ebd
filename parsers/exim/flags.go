package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// message reads what stands behind the head of a line.
func message(b []byte, ev *smtp.Event) bool {
	if ev.Queue != nil && len(b) >= 2 && (len(b) == 2 || b[2] == ' ') {
		if flag := flagOf(b[0], b[1]); flag != smtp.EximNone {
			flagged(flag, blanks(b[2:]), ev)
			return true
		}
	}
	if !unflagged(b, ev) {
		ev.Kind = smtp.KindUnknown
		return false
	}
	return true
}

// completed reads the line with which a message leaves the queue.
func completed(b []byte, ev *smtp.Event) bool {
	if ev.Queue == nil {
		return false
	}
	ev.Flag, ev.Kind, ev.Direction, ev.Text = smtp.EximCompleted, smtp.KindRemoved, smtp.Internal, nil
	fields(b, ev, atDelivery)
	return true
}

// flagOf returns the flag that two bytes make.
func flagOf(a, b byte) smtp.EximFlag {
	switch {
	case a == '<' && b == '=':
		return smtp.EximArrival
	case a == '(' && b == '=':
		return smtp.EximFakeReject
	case a == '=' && b == '>':
		return smtp.EximDelivery
	case a == '-' && b == '>':
		return smtp.EximAdditional
	case a == '>' && b == '>':
		return smtp.EximCutthrough
	case a == '*' && b == '>':
		return smtp.EximSuppressed
	case a == '*' && b == '*':
		return smtp.EximFailed
	case a == '=' && b == '=':
		return smtp.EximDeferred
	}
	return smtp.EximNone
}

func flagged(flag smtp.EximFlag, b []byte, ev *smtp.Event) {
	ev.Flag = flag
	switch flag {
	case smtp.EximArrival, smtp.EximFakeReject:
		arrival(b, ev)
		return
	case smtp.EximFailed:
		failure(b, ev)
	case smtp.EximDeferred:
		deferral(b, ev)
	default:
		delivery(b, ev)
	}
	ev.Kind = smtp.KindDelivery
	if len(ev.Text) == 0 {
		ev.Text = nil
	}
	if ev.Direction == smtp.DirectionNone {
		ev.Direction = smtp.Internal
		// A reply shows another server even where no host is named, as with LMTP over a socket.
		if !ev.Peer.IsZero() || ev.Reply.Code != 0 {
			ev.Direction = smtp.Outbound
		}
	}
}

// arrival reads a message's reception, "<= sender fields [from <raw>] [for r1 r2 ...]".
func arrival(b []byte, ev *smtp.Event) {
	ev.Kind, ev.Direction = smtp.KindReceived, smtp.Internal
	from, n := address(b)
	ev.From = from
	b = blanks(b[n:])
	for len(b) > 0 {
		name, n := fieldAt(b)
		switch {
		case n > 0:
			b = value(name, b[n:], ev, atArrival)
		case hasPrefix(b, "from <"):
			if _, m := angle(b[5:]); m > 0 {
				b = b[5+m:]
			} else {
				b = b[5:]
			}
		case hasPrefix(b, "for ") && ev.Size > 0: // the list stands last, so the size was told
			recipients(b[4:], ev)
			b = nil
		default:
			b = b[word(b):]
		}
		b = blanks(b)
	}
	if !ev.Peer.IsZero() {
		ev.Direction = smtp.Inbound
	}
}

// recipients counts the addresses of a list and keeps the only one.
func recipients(b []byte, ev *smtp.Event) {
	for b = blanks(b); len(b) > 0; b = blanks(b) {
		a, n := address(b)
		if n == 0 {
			return
		}
		ev.Recipients++
		ev.To = a
		b = b[n:]
	}
	if ev.Recipients > 1 {
		ev.To = nil
	}
}

// delivery reads "=> address fields".
func delivery(b []byte, ev *smtp.Event) {
	rest := recipient(b, ev)
	fields(rest, ev, atDelivery)
	switch {
	case ev.Flag == smtp.EximSuppressed:
		ev.Probe = true
	case thrownAway(ev):
		ev.Outcome = smtp.Discarded
		if why, ok := cutPrefix(rest, ": "); ok {
			ev.Text = why
		}
	default:
		ev.Outcome = smtp.Sent
	}
}

// thrownAway reports a delivery to nowhere: an alias :blackhole:, a filter that "seen
// finish"es without delivering, an ACL's discard, a transport that was bypassed because
// the file is /dev/null.
func thrownAway(ev *smtp.Event) bool {
	switch string(ev.To) {
	case ":blackhole:", "blackhole", "discarded":
		return true
	}
	return string(ev.Transport) == "**bypassed**"
}

// failure reads "** address fields: text", with a blank before the colon since 4.99.
func failure(b []byte, ev *smtp.Event) {
	text := fields(recipient(b, ev), ev, atFailure)
	text = cutTime(blanks(bytes.TrimPrefix(text, []byte{':'})))
	ev.Outcome, ev.Failed, ev.Text = smtp.Bounced, true, text
	if !conversation(text, ev) {
		connection(text, ev)
		ownCode(text, ev)
	}
	if !ev.Reply.Code.Permanent() && gaveUp(text) {
		// The reply of the last try stands before Exim's words.
		ev.Reply.Text = bytes.TrimSuffix(ev.Reply.Text, []byte(": "+timeoutExceeded))
		ev.Outcome = smtp.Expired
	}
}

// cutTime takes off the " DT=1s" that ends the line of a failure (log_selector
// deliver_time), so that it does not end the reply.
func cutTime(b []byte) []byte {
	i := bytes.LastIndexByte(b, ' ')
	if i > 0 && hasPrefix(b[i+1:], "DT=") && duration(b[i+1+len("DT="):]) != smtp.NoDelay {
		return b[:i:i]
	}
	return b
}

const timeoutExceeded = "retry timeout exceeded"

// gaveUp reports the texts of a bounce that comes from the end of Exim's patience
// (src/deliver.c, src/retry.c).
func gaveUp(text []byte) bool {
	return bytes.HasSuffix(text, []byte(timeoutExceeded)) ||
		bytes.HasSuffix(text, []byte("have been failing for a long time (and retry time not reached)")) ||
		bytes.Contains(text, []byte("after a long failure period"))
}

// deferral reads "== address fields defer (errno)[: error][ H=host][ DT=time][: text]".
func deferral(b []byte, ev *smtp.Event) {
	ev.Outcome, ev.Failed = smtp.Deferred, true
	b = fields(recipient(b, ev), ev, atFailure)
	if r, ok := cutPrefix(b, "routing"); ok {
		b = blanks(r)
	}
	b, ok := cutPrefix(b, "defer (")
	if !ok {
		ev.Text = blanks(bytes.TrimPrefix(b, []byte{':'}))
		return
	}
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	number, n := digits(b)
	if negative {
		number = -number
	}
	ev.Errno = int32(number)
	b = blanks(bytes.TrimPrefix(b[n:], []byte{')'}))

	reason := blanks(bytes.TrimPrefix(b, []byte{':'}))
	if number > 0 {
		b = reason[systemError(reason):]
	}
	text := fields(b, ev, atFailure)
	told := len(b) - len(text) // how much of it were fields
	text = blanks(bytes.TrimPrefix(text, []byte{':'}))
	switch {
	case number > 0 && told == 0:
		ev.Text = reason // the system's words and Exim's in one piece
	case number > 0 && len(text) == 0:
		ev.Text = reason[:systemError(reason)]
	default:
		ev.Text = text
	}
	if !conversation(text, ev) {
		connection(ev.Text, ev)
		ownCode(text, ev)
	}
}

// systemError returns the length of the system's own words in "Connection timed out
// H=host [ip]: text". They hold neither a colon and a blank nor a field.
func systemError(b []byte) int {
	end := len(b)
	if i := bytes.Index(b, []byte(": ")); i >= 0 {
		end = i
	}
	for _, field := range systemErrorEnds {
		if i := bytes.Index(b[:end], field); i >= 0 {
			end = i
		}
	}
	return end
}

var systemErrorEnds = [][]byte{[]byte(" H="), []byte(" DT=")}

// ownCode reads the reply that an alias's ":fail:" or ":defer:" begins its text with.
// No server said it.
func ownCode(text []byte, ev *smtp.Event) {
	if !ev.Peer.IsZero() {
		return
	}
	if r := smtp.ParseReply(text); r.Code >= 400 {
		ev.Reply, ev.Direction = r, smtp.Internal
	}
}

// recipient reads "address[ (parent, ...)][ <original>]" and returns what follows. An
// address may be a pipe, a file or anything else that an alias yields, blanks and
// quotes included, so it goes up to the first thing that only a field or a verdict can
// be.
func recipient(b []byte, ev *smtp.Event) (rest []byte) {
	end := -1 // of the address, once parents or the original were seen behind it
	i := 0
	for i < len(b) && (i == 0 || !endsRecipient(b[i:])) {
		if n := origin(b, i, ev); n > 0 {
			if end < 0 {
				end = i
			}
			i += n + gap(b[i+n:])
			continue
		}
		n := addressWord(b[i:])
		if n > 1 && b[i+n-1] == ':' && bytes.IndexByte([]byte("|/>:"), b[0]) < 0 {
			i += n - 1 // "address: why", where the address is no command, file or special item
			break
		}
		i += n + gap(b[i+n:])
	}
	if end < 0 {
		end = i
	}
	ev.To = bytes.TrimRight(b[:end:end], " ")
	return b[i:]
}

// origin returns the length of the "(parent, ...)" or "<original>" that stands at b[i],
// behind an address.
func origin(b []byte, i int, ev *smtp.Event) (n int) {
	if i == 0 {
		return 0
	}
	var original []byte
	switch b[i] {
	case '<':
		original, n = angle(b[i:])
	case '(':
		n = bytes.IndexByte(within(b[i:], maxGroup), ')') + 1
	}
	if n == 0 || i+n < len(b) && b[i+n] != ' ' && b[i+n] != ':' {
		return 0 // it is a piece of the address
	}
	if original != nil {
		ev.OrigTo = original
	}
	return n
}

// addressWord returns the length of a word that may begin with a quoted string.
func addressWord(b []byte) int {
	if b[0] == '"' {
		if q := quoted(b); q < len(b) {
			return q + word(b[q:])
		}
	}
	return word(b)
}

// endsRecipient reports whether b starts with what can only follow an address: a field,
// the verdict of a deferral, or the colon before a failure's text.
func endsRecipient(b []byte) bool {
	switch b[0] {
	case ':':
		return len(b) == 1 || b[1] == ' '
	case 'r':
		return hasPrefix(b, "routing ")
	case 'd':
		return hasPrefix(b, "defer (")
	}
	name, n := fieldAt(b)
	if n == 0 {
		return false
	}
	switch string(name) {
	case "R", "T", "H", "Q", "S", "SRS", "QT", "DT", "P", "F":
		return true
	case "C":
		return len(b) > n && b[n] == '"'
	}
	return false
}
