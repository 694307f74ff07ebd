package smtp

import "time"

// Event is what one line says. A parser fills it; nothing in it is kept from line to
// line. Byte fields point into the line, or into the event's own scratch space where
// the line had to be decoded, and are good until the line's buffer or the event is
// used again. A nil field is one that the line does not show; an empty one that is not
// nil is shown as empty (the null reverse-path "<>", "helo=<>").
type Event struct {
	Kind      Kind
	Format    Format
	Direction Direction
	Stage     Stage
	Outcome   Outcome
	Flag      EximFlag
	Failed    bool   // the line tells of something that went wrong, though it may show no reply
	Probe     bool   // an address probe (Postfix verify, sendmail -bv): no mail was moved
	Repeat    uint32 // how often the line counts beyond once ("message repeated N times")

	Head

	Session   []byte // what ties the lines of a session where the line itself says so (Exim's Ci=, a transcript's session)
	Queue     []byte // the queue ID; nil for none and for NOQUEUE
	MessageID []byte // without its angle brackets
	From      []byte // reverse-path without brackets; empty and not nil is the null reverse-path
	To        []byte // forward-path without brackets
	OrigTo    []byte // the address before aliases

	Peer      Peer   // the other side: the client of an inbound line, the server of an outbound one
	ReplyHost Peer   // who said Reply, where that is another host than Peer
	Helo      []byte // what the client called itself
	Protocol  []byte // ESMTP, esmtpsa, ...

	Reply      Reply
	DSN        EnhancedCode // Postfix's own verdict, dsn=
	Errno      int32        // Exim's number in "defer (N)"; positive ones are the system's
	QueuedAs   []byte       // the queue ID that the next server, or a local re-injection, gave the message
	Related    []byte       // another message of this log that the line names: a bounce made of this one, orig_queue_id, R= of an Exim bounce
	Commands   []byte       // Postfix's disconnect counts as written: "ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4"; see EachCommand
	Text       []byte       // the rest of what the line tells people: a warning, a reason, a command with its secrets masked
	Router     []byte       // Exim R=
	Transport  []byte       // Exim T= of a delivery
	TLSVersion []byte
	TLSCipher  []byte
	AuthMethod []byte
	User       []byte // the login name

	Size       int64            // of the message in bytes; 0 when not told
	Recipients int32            // nrcpt=; 0 when not told
	ConnUse    int32            // conn_use=: the how-manieth message over this connection; 0 when not told; Exim tells only that it is not the first: 2
	Delay      time.Duration    // from arrival to this verdict; NoDelay when not told
	Delays     [4]time.Duration // before the queue, in the queue, connecting, transmitting; Delays[0] is NoDelay when not told

	scratch []byte
}

// NoDelay is the value of Delay and Delays[0] when the line does not tell them: a
// delay of zero is something else.
const NoDelay = time.Duration(-1)

// Head is what stands before the message of a line: who wrote it, and when.
type Head struct {
	Stamp   Stamp
	Time    time.Time // settled from Stamp behind the parsers, where year and zone are known
	Host    []byte
	Service []byte // the instance: "postfix", "postfix-out", "postfix/submission"; nil for others than Postfix
	Process []byte // the program, without its instance: "smtpd", "exim", "dovecot"
	PID     uint32
}

// Peer is the other side of a connection. IP is textual, without brackets and without
// the IPv6: tag; a name that the log calls unknown is nil.
type Peer struct {
	Name []byte
	IP   []byte
	Port uint16
}

// IsLoopback reports whether an address is one by which a machine speaks with itself, as it is
// written in logs.
func IsLoopback(ip []byte) bool { return string(ip) == "127.0.0.1" || string(ip) == "::1" }

// IsZero reports that nothing is known of the peer.
func (p *Peer) IsZero() bool { return p.Name == nil && p.IP == nil }

// Reset makes the event blank for the next line and keeps its scratch space.
func (ev *Event) Reset() {
	scratch := ev.scratch[:0]
	*ev = Event{} // cleared in place; a literal with values would be made elsewhere and copied
	ev.Delay, ev.Delays[0], ev.scratch = NoDelay, NoDelay, scratch
}

// Scratch returns n bytes of the event's own space, good until the next Reset. It is
// for what a line shows encoded, like a message inside JSON.
func (ev *Event) Scratch(n int) []byte {
	have := len(ev.scratch)
	if cap(ev.scratch)-have < n {
		// What was handed out before stays where it is; only the space behind it is new.
		ev.scratch = make([]byte, 0, max(2*cap(ev.scratch), n, 512))
		have = 0
	}
	ev.scratch = ev.scratch[:have+n]
	return ev.scratch[have : have+n : have+n]
}

// Said returns the reply's text, or what was told instead of one; it is for reading only.
func (ev *Event) Said() []byte {
	if len(ev.Reply.Text) > 0 {
		return ev.Reply.Text
	}
	return ev.Text
}

// Count returns how often the line happened: once, or as often as the log folded it.
func (ev *Event) Count() int { return 1 + int(ev.Repeat) }

// Decides reports whether the event decides what becomes of a recipient.
func (ev *Event) Decides() bool { return Decides(ev.Kind, ev.Outcome, ev.Probe) }

// Decides reports whether a line of that kind, with that outcome, decides what becomes of a recipient; probe
// is that no message was to be sent.
func Decides(k Kind, o Outcome, probe bool) bool {
	return k == KindDelivery && !probe || o == Rejected
}

// WentWrong reports whether the event decides something badly. A try at one host that failed
// does not: the recipient's fate is told by another line.
func (ev *Event) WentWrong() bool { return WentWrong(ev.Kind, ev.Outcome, ev.Failed, ev.Reply.Code) }

// WentWrong reports the same of a line that is known by what it takes.
func WentWrong(k Kind, o Outcome, failed bool, c Code) bool {
	if k == KindAttempt || k == KindWarning {
		return false
	}
	return failed || c >= 400 || o > Sent
}

// A Parser turns a line into an event. It keeps no state between lines and no
// reference to the line. ok is false when the line should have been understood and was
// not; ev.Kind is then KindUnknown and whatever else was found in it is filled in.
type Parser interface {
	Parse(line []byte, ev *Event) (ok bool)
}
