package session

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Step is what a line means to its session and its message: all that an Assembler needs
// of most events. It is made apart from the assembly, because that has to go in order and
// this has not, and it is small, because one of each line waits for its turn. StepOf makes it
// of an event; package glance makes the same of the usual lines without one.
type Step struct {
	// The hashes by which the lines that belong together find each other. Zero is none.
	Host      uint64 // the other side's name, or its address where it has none; left out of a Postfix smtpd's lines that tell of neither a reply nor a failure nor a fate
	Queue     uint64 // the queue ID
	MessageID uint64
	QueuedAs  uint64 // the next server's queue ID
	Related   uint64 // the other message that the line names
	Session   uint64 // what ties the lines of an inbound session, or who speaks in an outbound one
	Contact   uint64 // who speaks to which host
	Owner     uint32 // whose queue it is: queue IDs are unique within one only
	PID       uint32

	Stamp     smtp.Stamp
	Repeat    uint32
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode // the reply's, or Postfix's verdict where there is no reply
	Kind      smtp.Kind
	Format    smtp.Format
	Direction smtp.Direction
	Stage     smtp.Stage
	Outcome   smtp.Outcome

	Failed, Probe bool
	Tagged        bool     // the line's head names a program
	Cleanup       bool     // that program is cleanup
	Screened      bool     // or postscreen
	Named         bool     // the line shows what ties its session (Exim's Ci=, a transcript's)
	Peer          bool     // it shows the other side: of an outbound line or one of Exim's
	Port          bool     // and its port: of one of Exim's
	Local         bool     // received by a local program or from this machine's own address
	Admitted      bool     // the queue manager has the message
	Reused        bool     // not the first message over the connection
	unverified    bool     // a certificate was not as it should be
	finding       finding  // what postscreen found
	breaks        smtp.End // how an outbound connection broke off; EndNotLogged for not at all
	Commands      Commands
}

// seed makes the keys of each run others, so that nobody can choose names that meet.
var seed = maphash.MakeSeed()

var secrets = [2]uint64{maphash.Bytes(seed, []byte("first")), maphash.Bytes(seed, []byte("last"))}

// StepOf fills s with what an event means.
func StepOf(ev *smtp.Event, s *Step) {
	BriefStep(ev, s)
	if s.Kind != smtp.KindForeign {
		s.tieAll(ev)
	}
}

// BriefStep fills s with what an event says of itself, and nothing that ties it to others: all
// that is needed where no sessions are assembled.
func BriefStep(ev *smtp.Event, s *Step) {
	*s = Step{}
	s.PID, s.Stamp, s.Repeat = ev.PID, ev.Stamp, ev.Repeat
	s.Code, s.Enhanced = ev.Reply.Code, ev.Reply.Enhanced
	if s.Code == 0 && s.Enhanced.IsZero() {
		s.Enhanced = ev.DSN
	}
	s.Kind, s.Format, s.Direction, s.Stage, s.Outcome = ev.Kind, ev.Format, ev.Direction, ev.Stage, ev.Outcome
	s.Failed, s.Probe, s.Tagged = ev.Failed, ev.Probe, ev.Process != nil
}

// tieAll fills in what ties an event to others.
func (s *Step) tieAll(ev *smtp.Event) {
	s.Queue, s.MessageID, s.QueuedAs, s.Related = Key(ev.Queue), Key(ev.MessageID), Key(ev.QueuedAs), Key(ev.Related)
	s.Named, s.Reused = len(ev.Session) > 0, ev.ConnUse > 1
	s.Port = ev.Format == smtp.FormatExim && ev.Peer.Port != 0
	s.Peer = (ev.Format == smtp.FormatExim || ev.Direction == smtp.Outbound) && !ev.Peer.IsZero()
	switch ev.Kind {
	case smtp.KindReceived:
		s.Local = ev.Direction == smtp.Internal || smtp.IsLoopback(ev.Peer.IP)
	case smtp.KindMessage:
		s.Admitted = ev.Recipients > 0
	}
	if ev.Direction == smtp.Inbound {
		s.Cleanup, s.Screened = string(ev.Process) == "cleanup", screened(ev)
	}
	s.tie(ev)
	s.read(ev)
}

// tie fills in what ties a line to others.
func (s *Step) tie(ev *smtp.Event) {
	if ev.Format == smtp.FormatTranscript {
		s.Host = address(&ev.Peer, true)
		s.Session = mix(Key(ev.Session), uint64(ev.Format))
		return
	}
	w := WriterOf(&ev.Head)
	if s.Queue != 0 {
		s.Owner = w.Owner
	}
	if s.Failed || s.Outcome != smtp.OutcomeNone || s.Code != 0 || ev.Direction != smtp.Inbound || s.Screened || ev.Format != smtp.FormatPostfix {
		s.Host = address(&ev.Peer, true)
	}
	switch ev.Direction {
	case smtp.Inbound:
		s.Session = client(ev, &w, s.Screened)
	case smtp.Outbound:
		s.Session = w.Process(smtp.Outbound, ev.PID)
		if ev.Format == smtp.FormatExim {
			s.Session = w.Speaker(s.Queue)
		}
		s.Contact = Contact(s.Session, address(&ev.Peer, false))
	}
}

// read fills in what only the words of a line tell.
func (s *Step) read(ev *smtp.Event) {
	switch {
	case ev.Kind == smtp.KindDisconnect:
		s.Commands = commandsOf(ev)
	case ev.Kind == smtp.KindTLS:
		s.unverified = ev.Failed && unverified(ev.Text)
	case s.Screened && (ev.Kind == smtp.KindFilter || ev.Kind == smtp.KindWarning):
		s.finding = findingOf(ev.Text)
	}
	if ev.Direction == smtp.Outbound && ev.Failed && ev.Reply.Code == 0 {
		s.breaks = breaks(ev)
	}
}

// Decides reports whether the line decides what becomes of a recipient.
func (s *Step) Decides() bool { return smtp.Decides(s.Kind, s.Outcome, s.Probe) }

// WentWrong reports whether the line decides something badly.
func (s *Step) WentWrong() bool { return smtp.WentWrong(s.Kind, s.Outcome, s.Failed, s.Code) }

// Count returns how often the line happened: once, or as often as the log folded it.
func (s *Step) Count() int { return 1 + int(s.Repeat) }

// Writer is the program that wrote a line, by its keys: it can be kept for its next lines.
type Writer struct {
	Owner uint32 // whose queue it works with

	place   uint64 // its machine and instance
	process uint64
}

// WriterOf returns who a line's head says wrote it.
func WriterOf(h *smtp.Head) (w Writer) {
	host, service := Key(h.Host), Key(h.Service)
	w.place, w.process = mix(host, service), Key(h.Process)
	if own := instance(h.Service); len(own) < len(h.Service) {
		service = Key(own)
	}
	w.Owner = uint32(mix(host, service))
	return w
}

// as is who it is as a server or as a client.
func (w *Writer) as(d smtp.Direction) uint64 { return mix(w.place, w.process+uint64(d)) }

// Process ties the lines of one of the writer's processes, which serves one client at a time, or
// speaks to one server.
func (w *Writer) Process(d smtp.Direction, pid uint32) uint64 { return mix(w.as(d), uint64(pid)) }

// Client ties the lines about a client of whom no more than its address tells, by that.
func (w *Writer) Client(address uint64, port uint16) uint64 {
	return mix(mix(w.as(smtp.Inbound), address), uint64(port))
}

// Speaker ties what is said for one message.
func (w *Writer) Speaker(queue uint64) uint64 { return mix(w.as(smtp.Outbound), queue) }

// Contact ties what a speaker says to one host.
func Contact(speaker, address uint64) uint64 { return mix(speaker, address) }

// address is the key of the other side's address, or of its name where it has none; with
// named the name goes first.
func address(p *smtp.Peer, named bool) uint64 {
	first, second := p.IP, p.Name
	if named {
		first, second = second, first
	}
	if len(first) == 0 {
		first = second
	}
	return Key(first)
}

// client tells what ties the lines of a client's session: the process for Postfix's
// smtpd, the client's address for postscreen, which serves all of them in one process,
// and for Exim what its log_selector lets it show.
func client(ev *smtp.Event, w *Writer, screened bool) uint64 {
	switch {
	case ev.Format == smtp.FormatPostfix && !screened:
		return w.Process(smtp.Inbound, ev.PID)
	case len(ev.Session) > 0:
		return mix(w.as(smtp.Inbound), Key(ev.Session))
	}
	return w.Client(address(&ev.Peer, false), ev.Peer.Port)
}

// screened reports that postscreen wrote the line. Where the head does not tell the
// daemon (rsyslog's RFC 5424 template cuts it off), postscreen's way of naming a client
// does: an address with a port and no name.
func screened(ev *smtp.Event) bool {
	if len(ev.Process) == 0 {
		return ev.Format == smtp.FormatPostfix && ev.Peer.Port != 0 && len(ev.Peer.Name) == 0
	}
	return string(ev.Process) == "postscreen"
}

// instance is the part of a service's name that shares a queue: "postfix" of
// "postfix/submission".
func instance(service []byte) []byte {
	for i, c := range service {
		if c == '/' {
			return service[:i]
		}
	}
	return service
}

// Key is the hash of b, 0 for nothing. Most of what is hashed is short: up to sixteen bytes are two words,
// and a multiplication with the run's own secrets is all it takes.
func Key(b []byte) uint64 {
	n := len(b)
	if n == 0 {
		return 0
	}
	if n > 16 {
		return max(1, maphash.Bytes(seed, b))
	}
	var first, last uint64
	switch {
	case n >= 8:
		first, last = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		first, last = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	default:
		first = uint64(b[0])<<16 | uint64(b[n/2])<<8 | uint64(b[n-1])
	}
	hi, lo := bits.Mul64(first^secrets[0], last^secrets[1]^uint64(n))
	return max(1, hi^lo)
}

// mix makes one key of two, by a multiplication whose halves are folded (as wyhash does;
// the constants are its). Keys that were not seeded, like a pid, go into b.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return max(1, hi^lo)
}

// Message is a hash of the line's queue ID in its own queue, 0 for none.
func (s *Step) Message() uint64 {
	if s.Queue == 0 {
		return 0
	}
	return mix(s.Queue, uint64(s.Owner))
}
