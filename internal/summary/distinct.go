package summary

import "github.com/axiomhq/hyperloglog"

// maxExact is how many different things are counted exactly. A sketch of 16 KiB goes on
// from there, whose error is 1 %.
const maxExact = 1024

// distinct counts different things by their hashes.
type distinct struct {
	few  map[uint64]struct{}
	many *hyperloglog.Sketch // nil while few is enough
}

func (d *distinct) add(hash uint64) {
	if d.many != nil {
		d.many.InsertHash(hash)
		return
	}
	if d.few == nil {
		d.few = map[uint64]struct{}{}
	}
	if d.few[hash] = struct{}{}; len(d.few) <= maxExact {
		return
	}
	d.many = hyperloglog.NewNoSparse() // a sparse one is slow to fill
	for h := range d.few {
		d.many.InsertHash(h)
	}
	d.few = nil
}

func (d *distinct) len() int64 {
	if d.many != nil {
		return int64(d.many.Estimate())
	}
	return int64(len(d.few))
}

// causePeers is how many hosts there are counts of for each cause.
const causePeers = 64

// hosts counts hosts, the first causePeers that come.
type hosts struct {
	list []hostCount
	slot [4 * causePeers]uint8 // 1 + the place in list of who has the slot, by the hash; 0 for free
	rest int64                 // of the others, and where no host is named
}

type hostCount struct {
	hash uint64
	name string
	n    int64
}

// count counts n for the host whose hash is host.
func (h *hosts) count(host uint64, n int64, words Words) {
	if host == 0 {
		h.rest += n
		return
	}
	for i := host; ; i++ {
		switch at := &h.slot[i%uint64(len(h.slot))]; {
		case *at == 0 && len(h.list) == causePeers:
			h.rest += n
			return
		case *at == 0:
			h.list = append(h.list, hostCount{host, cut(words.Host()), n})
			*at = uint8(len(h.list))
			return
		case h.list[*at-1].hash == host:
			h.list[*at-1].n += n
			return
		}
	}
}

// all returns the counts by name; "" has the rest.
func (h *hosts) all() map[string]int64 {
	all := make(map[string]int64, len(h.list)+1)
	for _, c := range h.list {
		all[c.name] += c.n
	}
	if h.rest > 0 {
		all[""] += h.rest
	}
	return all
}
