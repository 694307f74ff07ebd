package session

import (
	"hash/maphash"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// mix makes one hash of two. It is never 0, which is a free slot of an index. The
// constants are those of MurmurHash3's finalizer.
func mix(a, b uint64) uint64 {
	h := a ^ (b+0x9e3779b97f4a7c15)*0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 29
	return max(1, h)
}

// memo remembers the hash of the program that wrote the last line. A log has a handful
// of them that come in runs, so it is seldom computed.
type memo struct {
	host, service, process []byte
	hash                   uint64
}

// of returns a hash of the host, the service and the program that wrote ev.
func (m *memo) of(seed maphash.Seed, ev *smtp.Event) uint64 {
	if m.hash != 0 && string(m.host) == string(ev.Host) && string(m.service) == string(ev.Service) && string(m.process) == string(ev.Process) {
		return m.hash
	}
	m.host, m.service, m.process = append(m.host[:0], ev.Host...), append(m.service[:0], ev.Service...), append(m.process[:0], ev.Process...)
	m.hash = mix(mix(maphash.Bytes(seed, ev.Host), maphash.Bytes(seed, ev.Service)), maphash.Bytes(seed, ev.Process))
	return m.hash
}

// queueOf returns a hash of the queue that ev's message is in: of the host and of the
// part of the service's name that shares a queue, "postfix" of "postfix/submission".
func (m *memo) queueOf(seed maphash.Seed, ev *smtp.Event) uint64 {
	service := instance(ev.Service)
	if m.hash != 0 && string(m.host) == string(ev.Host) && string(m.service) == string(service) {
		return m.hash
	}
	m.host, m.service = append(m.host[:0], ev.Host...), append(m.service[:0], service...)
	m.hash = mix(maphash.Bytes(seed, ev.Host), maphash.Bytes(seed, service))
	return m.hash
}

func instance(service []byte) []byte {
	for i, c := range service {
		if c == '/' {
			return service[:i]
		}
	}
	return service
}
