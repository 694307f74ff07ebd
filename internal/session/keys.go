package session

import (
	"hash/maphash"

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

// KeysOf returns the keys of an event.
func KeysOf(ev *smtp.Event) (k Keys) {
	k.Queue, k.MessageID, k.QueuedAs = key(ev.Queue), key(ev.MessageID), key(ev.QueuedAs)
	if k.Queue != 0 {
		k.Owner = mix(key(ev.Host), key(instance(ev.Service)))
	}
	address := key(ev.Peer.IP)
	if k.Host = key(ev.Peer.Name); k.Host == 0 {
		k.Host = address
	}
	if address == 0 {
		address = k.Host
	}
	switch {
	case ev.Format == smtp.FormatTranscript:
		k.Session = mix(key(ev.Session), uint64(ev.Format))
	case ev.Direction == smtp.Inbound:
		k.Session = client(ev, address)
	case ev.Direction == smtp.Outbound:
		k.Session = speaker(ev, k.Queue)
		k.Contact = mix(k.Session, address)
	}
	return k
}

// client tells what ties the lines of a client's session: the process for Postfix's
// smtpd, the client's address for postscreen, which serves all of them in one process,
// and for Exim what its log_selector lets it show.
func client(ev *smtp.Event, address uint64) uint64 {
	writer := writer(ev)
	switch {
	case ev.Format == smtp.FormatPostfix && string(ev.Process) != "postscreen":
		return mix(writer, uint64(ev.PID))
	case len(ev.Session) > 0:
		return mix(writer, key(ev.Session))
	}
	return mix(mix(writer, address), uint64(ev.Peer.Port))
}

// speaker is who speaks on our side: the process, or for Exim the message.
func speaker(ev *smtp.Event, queue uint64) uint64 {
	if ev.Format == smtp.FormatExim {
		return mix(writer(ev), queue)
	}
	return mix(writer(ev), uint64(ev.PID))
}

// writer is the program that wrote the line.
func writer(ev *smtp.Event) uint64 {
	return mix(mix(key(ev.Host), key(ev.Service)), key(ev.Process)+uint64(ev.Direction))
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

func key(b []byte) uint64 {
	if len(b) == 0 {
		return 0
	}
	return max(1, maphash.Bytes(seed, b))
}

// mix makes one key of two. The constants are those of MurmurHash3's finalizer.
func mix(a, b uint64) uint64 {
	h := a ^ (b+0x9e3779b97f4a7c15)*0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 29
	return max(1, h)
}
