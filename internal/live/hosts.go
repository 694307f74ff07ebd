package live

const (
	// maxHosts is of how many hosts something is remembered. The table of them is never
	// more than half full.
	maxHosts  = 1 << 15
	hostSlots = 1 << 16
	keptBits  = ^uint64(hostSlots - 1) // the part of a hash that is kept; the place tells the rest
)

// hosts remembers a number of each host. There are many, and none of them is in the processor's
// caches: so a host is one word of a table that is open-addressed, with the number where the
// hash had what its place tells. The hashes are seeded, and no stranger can choose names that
// meet.
type hosts struct {
	slots []uint64 // 0 is a free one
	n     int
}

func newHosts() hosts { return hosts{slots: make([]uint64, hostSlots)} }

// slot returns where a host is, or belongs.
func (h *hosts) slot(host uint64) *uint64 {
	for i := host; ; i++ {
		if s := &h.slots[i%hostSlots]; *s == 0 || (*s^host)&keptBits == 0 {
			return s
		}
	}
}

// get returns what was put.
func (h *hosts) get(host uint64) (number uint16, ok bool) {
	s := *h.slot(host)
	return uint16(s), s != 0
}

// put remembers a number. Where there are too many, all are forgotten before: what is
// remembered is only what can be looked up.
func (h *hosts) put(host uint64, number uint16) {
	if h.n >= maxHosts {
		h.clear()
	}
	h.n++
	*h.slot(host) = host&keptBits | uint64(number)
}

func (h *hosts) clear() {
	clear(h.slots)
	h.n = 0
}
