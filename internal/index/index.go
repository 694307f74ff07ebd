// Package index finds places in a slice by a hash.
package index

// None is the place of what is not there.
const None = int32(-1)

// Index finds places in a slice by the hash of what stands there. It is an open-addressing
// table with linear probing: a lookup touches one cache line where Go's map touches
// several, and this is asked for every line of a log. A slot has half of the hash, so
// that twice as many fit into the cache; whether the other half fits too is asked of the
// slice, where the caller will look next anyway. The hash is taken as the key itself: 64
// bits of a seeded hash do not meet by chance, nor by a stranger's design.
type Index struct {
	slots []slot // a power of two, at most half full
	n     int
	key   func(place int32) uint64
}

type slot struct {
	tag   uint32 // the upper half of the key; its lower bits say where the key belongs
	place int32  // 1 + the place; 0 is a free slot
}

const smallest = 1 << 10

// New returns an empty index. key returns the key of what stands at a place that is in
// the index.
func New(key func(place int32) uint64) Index { return Index{key: key} }

func tagOf(key uint64) uint32 { return uint32(key >> 32) }

// Get returns the place of key, or None.
func (t *Index) Get(key uint64) int32 {
	if t.n == 0 {
		return None
	}
	tag, mask := tagOf(key), uint32(len(t.slots)-1)
	for i := tag & mask; ; i = (i + 1) & mask {
		s := t.slots[i]
		if s.place == 0 {
			return None
		}
		if s.tag == tag && t.key(s.place-1) == key {
			return s.place - 1
		}
	}
}

// Warm reads what Get reads first, so that it is in the cache when Get comes. The sum of
// what it returns is to be kept somewhere, lest it be optimised away.
func (t *Index) Warm(key uint64) int32 {
	if t.n == 0 {
		return 0
	}
	tag := tagOf(key)
	if s := t.slots[tag&uint32(len(t.slots)-1)]; s.tag == tag {
		return int32(t.key(s.place - 1))
	}
	return 0
}

// Set makes place the place of key, which stands there already.
func (t *Index) Set(key uint64, place int32) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	tag, mask := tagOf(key), uint32(len(t.slots)-1)
	i := tag & mask
	for t.slots[i].place != 0 && (t.slots[i].tag != tag || t.key(t.slots[i].place-1) != key) {
		i = (i + 1) & mask
	}
	if t.slots[i].place == 0 {
		t.n++
	}
	t.slots[i] = slot{tag, place + 1}
}

// Remove forgets key. The slots behind it move up, so that there are no graves.
func (t *Index) Remove(key uint64) {
	if t.n == 0 {
		return
	}
	tag, mask := tagOf(key), uint32(len(t.slots)-1)
	i := tag & mask
	for t.slots[i].tag != tag || t.slots[i].place == 0 || t.key(t.slots[i].place-1) != key {
		if t.slots[i].place == 0 {
			return
		}
		i = (i + 1) & mask
	}
	t.n--
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s.place == 0 {
			break
		}
		// What stands at j may move to i unless its own chain begins behind i.
		if home := s.tag & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = slot{}
}

// Len returns the number of keys.
func (t *Index) Len() int { return t.n }

// grow doubles the table. Keys that it holds are all different, so they need not be
// compared.
func (t *Index) grow() {
	old := t.slots
	t.slots = make([]slot, max(smallest, 2*len(old)))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.place == 0 {
			continue
		}
		i := s.tag & mask
		for t.slots[i].place != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}
