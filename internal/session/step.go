package session

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Step is what a line means to its session and its message: all that an Assembler needs
// of most events. It is made apart from the assembly, because that has to go in order and
// this has not, and it is small, because one of each line waits for its turn.
type Step struct {
	// The hashes by which the lines that belong together find each other. Zero is none.
	Host      uint64 // the other side's name, or its address where it has none; left out of a Postfix smtpd's lines that tell of neither a reply nor a failure nor a fate
	queue     uint64 // the queue ID
	messageID uint64
	queuedAs  uint64 // the next server's queue ID
	related   uint64 // the other message that the line names
	session   uint64 // what ties the lines of an inbound session, or who speaks in an outbound one
	contact   uint64 // who speaks to which host
	owner     uint32 // whose queue it is: queue IDs are unique within one only
	PID       uint32

	Stamp     smtp.Stamp
	Repeat    uint32
	Code      smtp.Code
	Kind      smtp.Kind
	Format    smtp.Format
	Direction smtp.Direction
	Stage     smtp.Stage
	Outcome   smtp.Outcome

	Failed, probe bool
	tagged        bool     // the line's head names a program
	cleanup       bool     // that program is cleanup
	screened      bool     // or postscreen
	named         bool     // the line shows what ties its session (Exim's Ci=, a transcript's)
	peer, port    bool     // it shows the other side, and its port
	local         bool     // by a local program or from this machine's own address
	admitted      bool     // the queue manager has the message
	reused        bool     // not the first message over the connection
	unverified    bool     // a certificate was not as it should be
	finding       finding  // what postscreen found
	breaks        smtp.End // how an outbound connection broke off; EndNotLogged for not at all
	commands      commands
}

// seed makes the keys of each run others, so that nobody can choose names that meet.
var seed = maphash.MakeSeed()

var secrets = [2]uint64{maphash.Bytes(seed, []byte("first")), maphash.Bytes(seed, []byte("last"))}

// StepOf fills s with what an event means.
func StepOf(ev *smtp.Event, s *Step) {
	*s = Step{}
	s.PID, s.Stamp, s.Repeat, s.Code = ev.PID, ev.Stamp, ev.Repeat, ev.Reply.Code
	s.Kind, s.Format, s.Direction, s.Stage, s.Outcome = ev.Kind, ev.Format, ev.Direction, ev.Stage, ev.Outcome
	s.Failed, s.probe, s.tagged = ev.Failed, ev.Probe, ev.Process != nil
	if s.Kind == smtp.KindForeign {
		return
	}
	s.queue, s.messageID, s.queuedAs, s.related = key(ev.Queue), key(ev.MessageID), key(ev.QueuedAs), key(ev.Related)
	s.named, s.port, s.peer = len(ev.Session) > 0, ev.Peer.Port != 0, !ev.Peer.IsZero()
	s.local = ev.Direction == smtp.Internal || isLoopback(ev.Peer.IP)
	s.admitted, s.reused = ev.Recipients > 0, ev.ConnUse > 1
	if ev.Direction == smtp.Inbound {
		s.cleanup, s.screened = string(ev.Process) == "cleanup", screened(ev)
	}
	s.tie(ev)
	s.read(ev)
}

// tie fills in what ties a line to others.
func (s *Step) tie(ev *smtp.Event) {
	host, service := key(ev.Host), key(ev.Service)
	if s.queue != 0 {
		owner := service
		if own := instance(ev.Service); len(own) < len(ev.Service) {
			owner = key(own)
		}
		s.owner = uint32(mix(host, owner))
	}
	if s.Failed || s.Outcome != smtp.OutcomeNone || s.Code != 0 || ev.Direction != smtp.Inbound || s.screened || ev.Format != smtp.FormatPostfix {
		if s.Host = key(ev.Peer.Name); s.Host == 0 {
			s.Host = key(ev.Peer.IP)
		}
	}
	if ev.Format == smtp.FormatTranscript {
		s.session = mix(key(ev.Session), uint64(ev.Format))
		return
	}
	if ev.Direction != smtp.Inbound && ev.Direction != smtp.Outbound {
		return
	}
	// The writer is the program that wrote the line.
	writer := mix(mix(host, service), key(ev.Process)+uint64(ev.Direction))
	if ev.Direction == smtp.Inbound {
		s.session = client(ev, writer, s.Host)
	} else {
		s.session = speaker(ev, writer, s.queue)
		s.contact = mix(s.session, address(ev, s.Host))
	}
}

// read fills in what only the words of a line tell.
func (s *Step) read(ev *smtp.Event) {
	switch {
	case ev.Kind == smtp.KindDisconnect:
		s.commands = commandsOf(ev)
	case ev.Kind == smtp.KindTLS:
		s.unverified = ev.Failed && unverified(ev.Text)
	case s.screened && (ev.Kind == smtp.KindFilter || ev.Kind == smtp.KindWarning):
		s.finding = findingOf(ev.Text)
	}
	if ev.Direction == smtp.Outbound && ev.Failed && ev.Reply.Code == 0 {
		s.breaks = breaks(ev)
	}
}

// count returns how often the line happened.
func (s *Step) count() int { return 1 + int(s.Repeat) }

// address is the key of the other side's address, or of its name where it has none.
func address(ev *smtp.Event, host uint64) uint64 {
	if ev.Peer.Name == nil || len(ev.Peer.IP) == 0 {
		return host
	}
	return key(ev.Peer.IP)
}

// client tells what ties the lines of a client's session: the process for Postfix's
// smtpd, the client's address for postscreen, which serves all of them in one process,
// and for Exim what its log_selector lets it show.
func client(ev *smtp.Event, writer, host uint64) uint64 {
	switch {
	case ev.Format == smtp.FormatPostfix && !screened(ev):
		return mix(writer, uint64(ev.PID))
	case len(ev.Session) > 0:
		return mix(writer, key(ev.Session))
	}
	return mix(mix(writer, address(ev, host)), uint64(ev.Peer.Port))
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

// speaker is who speaks on our side: the process, or for Exim the message.
func speaker(ev *smtp.Event, writer, queue uint64) uint64 {
	if ev.Format == smtp.FormatExim {
		return mix(writer, queue)
	}
	return mix(writer, uint64(ev.PID))
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

// key is the hash of b. Most of what is hashed is short: up to sixteen bytes are two words,
// and a multiplication with the run's own secrets is all it takes.
func key(b []byte) uint64 {
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
	if s.queue == 0 {
		return 0
	}
	return mix(s.queue, uint64(s.owner))
}
