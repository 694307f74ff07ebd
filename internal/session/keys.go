package session

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Keys are the hashes by which the lines that belong together find each other. They are
// computed apart from the assembly because that has to go in order and this has not.
// Zero is no key.
type Keys struct {
	Queue     uint64 // the queue ID
	Owner     uint64 // whose queue it is: queue IDs are unique within one only
	MessageID uint64
	QueuedAs  uint64
	Session   uint64 // what ties the lines of an inbound session, or who speaks in an outbound one
	Contact   uint64 // who speaks to which host
	Host      uint64 // the other side's name, or its address where it has none
}

// seed makes the keys of each run others, so that nobody can choose names that meet.
var seed = maphash.MakeSeed()

var secrets = [2]uint64{maphash.Bytes(seed, []byte("first")), maphash.Bytes(seed, []byte("last"))}

// KeysOf returns the keys of an event.
func KeysOf(ev *smtp.Event) (k Keys) {
	k.Queue, k.MessageID, k.QueuedAs = key(ev.Queue), key(ev.MessageID), key(ev.QueuedAs)
	host, service := key(ev.Host), key(ev.Service)
	if k.Queue != 0 {
		owner := service
		if own := instance(ev.Service); len(own) < len(ev.Service) {
			owner = key(own)
		}
		k.Owner = mix(host, owner)
	}
	if k.Host = key(ev.Peer.Name); k.Host == 0 {
		k.Host = key(ev.Peer.IP)
	}
	if ev.Format == smtp.FormatTranscript {
		k.Session = mix(key(ev.Session), uint64(ev.Format))
		return k
	}
	if ev.Direction != smtp.Inbound && ev.Direction != smtp.Outbound {
		return k
	}
	// The writer is the program that wrote the line.
	writer := mix(mix(host, service), key(ev.Process)+uint64(ev.Direction))
	if ev.Direction == smtp.Inbound {
		k.Session = client(ev, writer, k.Host)
	} else {
		k.Session = speaker(ev, writer, k.Queue)
		k.Contact = mix(k.Session, address(ev, k.Host))
	}
	return k
}

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
