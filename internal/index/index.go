// Package index finds places in a slice by a hash.
package index

// None is the place of what is not there.
const None = int32(-1)

// Index finds places in a slice by the hash of what stands there. It is an open-addressing
// table with linear probing: a lookup touches one cache line where Go's map touches
// several, and this is asked for every line of a log. The hash is taken as the key itself: 64
// bits of a seeded hash do not meet by chance, nor by a stranger's design. The zero value is ready.
type Index struct {
	slots []slot // a power of two, at most half full
	n     int
}

type slot struct {
	key   uint64
	place int32 // 1 + the place; 0 is a free slot
}

const smallest = 1 << 10

// home is where a key belongs when nothing is in its way.
func home(key uint64) uint32 { return uint32(key >> 32) }

// Get returns the place of key, or None.
func (t *Index) Get(key uint64) int32 {
	if t.n == 0 {
		return None
	}
	mask := uint32(len(t.slots) - 1)
	for i := home(key) & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.key == key || s.place == 0 {
			return s.place - 1
		}
	}
}

// Set makes place the place of key.
func (t *Index) Set(key uint64, place int32) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	mask := uint32(len(t.slots) - 1)
	i := home(key) & mask
	for t.slots[i].place != 0 && t.slots[i].key != key {
		i = (i + 1) & mask
	}
	if t.slots[i].place == 0 {
		t.n++
	}
	t.slots[i] = slot{key, place + 1}
}

// Remove forgets key. The slots behind it move up, so that there are no graves.
func (t *Index) Remove(key uint64) {
	if t.n == 0 {
		return
	}
	mask := uint32(len(t.slots) - 1)
	i := home(key) & mask
	for ; t.slots[i].place == 0 || t.slots[i].key != key; i = (i + 1) & mask {
		if t.slots[i].place == 0 {
			return
		}
	}
	t.n--
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s.place == 0 {
			break
		}
		// What stands at j may move to i unless its own chain begins behind i.
		if (j-home(s.key))&mask >= (j-i)&mask {
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
		i := home(s.key) & mask
		for t.slots[i].place != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}
