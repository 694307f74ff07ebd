package incident

import (
	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/index"
)

const (
	// maxNames is how many different addresses, hosts and logins are kept of those that
	// failures are about, some 60 bytes each. A record has six, most of them met before.
	maxNames = 1 << 18
	maxName  = 320 // bytes of one: more than RFC 5321, 4.5.3.1, allows of an address
)

// name stands for a text in a table of names; noName is none, or one there was no room for.
type name int32

const noName name = 0

// names keeps each text once.
type names struct {
	bytes   []byte
	ends    []uint32 // where each ends in bytes
	byHash  index.Index
	dropped int64
}

func newNames() *names {
	return &names{ends: []uint32{0}}
}

// of returns the name that stands for b, made if there is room.
func (n *names) of(b []byte) name {
	if len(b) == 0 {
		return noName
	}
	b = b[:min(len(b), maxName)]
	h := xxhash.Sum64(b)
	if i := n.byHash.Get(h); i != index.None {
		return name(i)
	}
	if len(n.ends) >= maxNames {
		n.dropped++
		return noName
	}
	n.bytes = append(n.bytes, b...)
	n.ends = append(n.ends, uint32(len(n.bytes)))
	n.byHash.Set(h, int32(len(n.ends)-1))
	return name(len(n.ends) - 1)
}

// known returns the name that stands for b if there is one.
func (n *names) known(b []byte) name {
	if len(b) == 0 {
		return noName
	}
	if i := n.byHash.Get(xxhash.Sum64(b[:min(len(b), maxName)])); i != index.None {
		return name(i)
	}
	return noName
}

// text returns what a name stands for.
func (n *names) text(i name) string {
	if i == noName {
		return ""
	}
	return string(n.bytes[n.ends[i-1]:n.ends[i]])
}
