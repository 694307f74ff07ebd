// Package index finds places in a slice by a hash.
package index

// None is the place of what is not there.
const None = int32(-1)

// Index finds places in a slice by a hash. The zero value is empty. It is an open-addressing table with linear
// probing: a lookup touches one cache line where Go's map touches several, and this is
// asked for every line of a log. The hash is taken as the key itself: 64 bits of a
// seeded hash do not meet by chance, nor by a stranger's design.
type Index struct {
	slots []slot // a power of two, at most half full
	n     int
}

type slot struct {
	key   uint64 // 0 is a free slot
	place int32
}

const smallest = 1 << 10

// Get returns the place of key, or None.
func (t *Index) Get(key uint64) int32 {
	if t.n == 0 {
		return None
	}
	mask := uint64(len(t.slots) - 1)
	for i := key & mask; ; i = (i + 1) & mask {
		switch t.slots[i].key {
		case key:
			return t.slots[i].place
		case 0:
			return None
		}
	}
}

// Set makes place the place of key, which must not be 0.
func (t *Index) Set(key uint64, place int32) {
	if 2*t.n >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	i := key & mask
	for t.slots[i].key != 0 && t.slots[i].key != key {
		i = (i + 1) & mask
	}
	if t.slots[i].key == 0 {
		t.n++
	}
	t.slots[i] = slot{key, place}
}

// Remove forgets key. The slots behind it move up, so that there are no graves.
func (t *Index) Remove(key uint64) {
	if t.n == 0 {
		return
	}
	mask := uint64(len(t.slots) - 1)
	i := key & mask
	for t.slots[i].key != key {
		if t.slots[i].key == 0 {
			return
		}
		i = (i + 1) & mask
	}
	t.n--
	for j := i; ; {
		j = (j + 1) & mask
		k := t.slots[j].key
		if k == 0 {
			break
		}
		// What stands at j may move to i unless its own chain begins behind i.
		if home := k & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = slot{}
}

// Len returns the number of keys.
func (t *Index) Len() int { return t.n }

func (t *Index) grow() {
	old := t.slots
	t.slots, t.n = make([]slot, max(smallest, 2*len(old))), 0
	for _, s := range old {
		if s.key != 0 {
			t.Set(s.key, s.place)
		}
	}
}
