package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// A scope says on what kind of line a field stands, for some names mean two things.
type scope uint8

const (
	atServer   scope = iota // what Exim says as a server: it ends at the first word that is no field
	atArrival               // <=: T= is the subject, R= the message that a bounce is made of
	atDelivery              // => and its like: R= is the router, T= the transport, P= the return path
	atFailure               // ** and ==: the same, but a text follows the fields
)

// maxFieldName is the length of the longest name, "DMARC".
const maxFieldName = 5

// again is what ConnUse becomes for a host with a star, "H=host [ip]*": the message was
// the second or a later one over its connection; which one is not told.
const again = 2

// fields reads "NAME=value" fields and bare marks at the start of b into ev and returns
// what follows, which begins with a colon when one ended the last field.
func fields(b []byte, ev *smtp.Event, on scope) []byte {
	for {
		b = blanks(b)
		if len(b) == 0 || b[0] == ':' {
			return b
		}
		name, n := fieldAt(b)
		if n == 0 {
			rest, ok := bare(b, on)
			if !ok {
				return b
			}
			b = rest
			continue
		}
		b = value(name, b[n:], ev, on)
	}
}

// fieldAt returns the name of the field at the start of b and its length with the "=".
// "id*" is a Message-ID that Exim made (since 4.93).
func fieldAt(b []byte) (name []byte, n int) {
	for i, c := range within(b, maxFieldName+1) {
		switch {
		case c == '=':
			return b[:i], i + 1
		case !isLetter(c) && !isDigit(c) && c != '*':
			return nil, 0
		}
	}
	return nil, 0
}

// bare passes over a mark without a value: DS (DNSSEC), TFO (TCP fast open), L
// (pipelined connect), K (chunking), PRDR, ARC and the like. On lines that consist of
// fields alone any other word is passed over too, so that what a new release adds does
// not hide the rest.
func bare(b []byte, on scope) (rest []byte, ok bool) {
	if on == atArrival || on == atDelivery {
		if b[0] == '(' {
			if i := bytes.IndexByte(within(b, maxGroup), ')'); i > 0 {
				return b[i+1:], true
			}
		}
		return b[word(b):], true
	}
	n := word(b)
	colon := n > 0 && b[n-1] == ':'
	if colon {
		n--
	}
	switch string(b[:n]) {
	case "DS", "TFO", "TFO*", "L", "L*", "L.", "L-", "L.-", "L*-", "K", "PRDR", "ARC", "SPF", "DMARC":
		return b[n:], true
	}
	return b, false
}

// value stores the field's value, which b starts with, and returns what follows.
func value(name, b []byte, ev *smtp.Event, on scope) []byte {
	if string(name) == "H" {
		p, helo, rest := peer(b)
		if ev.Peer.IsZero() {
			ev.Peer, ev.Helo = p, helo
			if n := len(b) - len(rest); n > 0 && b[n-1] == '*' {
				ev.ConnUse = again
			}
		}
		return rest
	}
	v, rest := span(b)
	switch string(name) {
	case "R":
		switch on {
		case atArrival:
			if messageID(v) == len(v) {
				set(&ev.Related, v)
			}
		default:
			set(&ev.Router, v)
		}
	case "T":
		if on != atArrival {
			set(&ev.Transport, v)
		}
	case "P":
		if !hasPrefix(b, "<") { // else the return path as a transport rewrote it; F= is the sender
			set(&ev.Protocol, v)
		}
	case "F":
		ev.From = v
	case "U":
		if ev.Peer.IsZero() {
			set(&ev.User, v) // the local login; with a host it is only what that host's ident said
		}
	case "A":
		auth(v, ev)
	case "X":
		tls(v, ev)
	case "S":
		if size, n := digits(v); n > 0 && ev.Size == 0 {
			ev.Size = int64(size)
		}
	case "id", "id*":
		set(&ev.MessageID, bytes.Trim(v, "<>"))
	case "C":
		confirmation(v, ev)
	case "Ci":
		set(&ev.Session, v)
	case "QT":
		ev.Delay = duration(v)
	case "ST":
		// A shadow transport that failed says why in brackets.
		if r := blanks(rest); len(r) > 0 && r[0] == '(' {
			if i := bytes.Index(within(r, maxGroup), []byte(") ")); i > 0 {
				rest = r[i+1:]
			}
		}
	}
	return rest
}

// span returns the value at the start of b without its quotes or angle brackets, and
// what follows. A colon that ends a bare value belongs to the line.
func span(b []byte) (v, rest []byte) {
	if len(b) == 0 {
		return b, nil
	}
	switch b[0] {
	case '"':
		n := quoted(b)
		return bytes.TrimSuffix(b[1:n:n], []byte{'"'}), b[n:]
	case '<':
		if a, n := angle(b); n > 0 {
			return a, b[n:]
		}
	}
	n := word(b)
	if n > 0 && b[n-1] == ':' {
		n--
	}
	return b[:n:n], b[n:]
}

// set keeps the first value of a field: a second one of the same name is a stranger's.
func set(field *[]byte, v []byte) {
	if *field == nil {
		*field = v
	}
}

// auth reads A=authenticator[:id[:sender]].
func auth(v []byte, ev *smtp.Event) {
	if ev.AuthMethod != nil {
		return
	}
	method, id, _ := cut(v, ":")
	ev.AuthMethod = method
	if id, _, _ = cut(id, ":"); len(id) > 0 {
		ev.User = id
	}
}

// tls reads X=version:cipher:bits, with a star behind it for a resumed session and,
// since 4.100, a key exchange group within the cipher.
func tls(v []byte, ev *smtp.Event) {
	version, cipher, ok := cut(bytes.TrimSuffix(v, []byte{'*'}), ":")
	if !ok || ev.TLSVersion != nil {
		return
	}
	ev.TLSVersion = version
	if i := bytes.LastIndexByte(cipher, ':'); i > 0 && allDigits(cipher[i+1:]) {
		cipher = cipher[:i]
	}
	ev.TLSCipher = cipher
}

// confirmation reads C="...", what the next server answered to the message. With -N
// nothing was said and the text is Exim's own.
func confirmation(v []byte, ev *smtp.Event) {
	if ev.Reply.Text != nil {
		return
	}
	if r := smtp.ParseReply(v); r.Code != 0 {
		ev.Reply, ev.Stage = r, smtp.StageDOT
		ev.QueuedAs = queuedAs(v)
	} else {
		ev.Text = v
	}
}

// QueuedAs returns the queue ID that a reply to the message tells, nil for none.
func QueuedAs(reply []byte) []byte { return queuedAs(reply) }

// queuedAs returns the queue ID that a reply to the message tells: Postfix's "queued as
// X", Exim's "id=X", both with other words around them.
func queuedAs(reply []byte) []byte {
	for _, mark := range marks {
		i := mark.find(reply)
		if i < 0 {
			continue
		}
		after := reply[i:]
		n := 0
		for n < len(after) && (class[after[n]]&(digit|letter) != 0 || after[n] == '-' || after[n] == '_' || after[n] == '.') {
			n++
		}
		if id := bytes.TrimRight(after[:n], "."); len(id) > 0 {
			return id
		}
	}
	return nil
}

// A mark stands before an ID.
type mark struct {
	text string
	rare int // where in it the byte stands that is searched for
}

var marks = [...]mark{{"queued as ", 0}, {" id=", 3}}

// find returns where the first mark in b ends, -1 for none.
func (m *mark) find(b []byte) int {
	for i := m.rare; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], m.text[m.rare])
		if j < 0 {
			break
		}
		i += j
		if start := i - m.rare; hasPrefix(b[start:], m.text) {
			return start + len(m.text)
		}
	}
	return -1
}
