package live

import (
	"encoding/binary"
	"math/bits"
)

// Ends are what the names in a line end with: that of the other side, and the recipient's address.
type Ends struct{ Host, To End }

// End is a number of the last two labels of a name, or of its last sixteen bytes where those are
// longer, in any case. Other names may have the same.
type End uint16

// EndOf returns the end of a host's name or of an address, whose domain's it is then. The dot at the
// end of a name that is fully qualified is none of it.
func EndOf(name []byte) End {
	n := len(name)
	if n > 0 && name[n-1] == '.' {
		n--
	}
	before, last := lastBytes(name[:n])
	// What ends a label has the high bit of its byte set.
	d1, d2 := equal(before, '.'), equal(last, '.')
	if d2 != 0 {
		d2 -= top(d2)
	} else {
		d1 -= top(d1)
	}
	if d2 |= equal(last, '@'); d2 != 0 {
		before, last = 0, behind(last, d2)
	} else if d1 |= equal(before, '@'); d1 != 0 {
		before = behind(before, d1)
	}
	const lower = 0x2020_2020_2020_2020 // letters of either case are one, and so are some others
	return End(((before|lower)*0x9e37_79b9_7f4a_7c15 ^ (last|lower)*0xe703_7ed1_a0b4_28db) >> 48)
}

// lastBytes returns the last sixteen bytes as words, filled up with zeros at the front.
func lastBytes(b []byte) (before, last uint64) {
	n := len(b)
	switch {
	case n >= 16:
		return binary.LittleEndian.Uint64(b[n-16:]), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 8:
		return binary.LittleEndian.Uint64(b) << (8 * (16 - n)), binary.LittleEndian.Uint64(b[n-8:])
	}
	for i := range n {
		last |= uint64(b[i]) << (8 * (8 - n + i))
	}
	return 0, last
}

// equal sets the high bit of those bytes of a word that are c.
func equal(w uint64, c byte) uint64 {
	const ones, low = 0x0101_0101_0101_0101, 0x7f7f_7f7f_7f7f_7f7f
	w ^= uint64(c) * ones
	return ^(w&low + low | w | low)
}

// top is the highest bit that is set, 0 where none is.
func top(w uint64) uint64 {
	if w == 0 {
		return 0
	}
	return 1 << (63 - bits.LeadingZeros64(w))
}

// behind keeps those bytes of a word that stand behind the last one that is marked.
func behind(w, marked uint64) uint64 { return w & (^uint64(0) << (64 - bits.LeadingZeros64(marked))) }

// marks are the ends of names. Who chooses names that end like another's makes them be looked
// up, and nothing else.
type marks struct {
	bits [1 << 16 / 64]uint64 // of those ends that are marked
	n    [1 << 16]uint16      // how often each is
}

// set marks an end once more, or once less.
func (m *marks) set(e End, marked bool) {
	if marked {
		m.n[e]++
	} else {
		m.n[e]--
	}
	bit := uint64(1) << (e % 64)
	if m.bits[e/64] |= bit; m.n[e] == 0 {
		m.bits[e/64] &^= bit
	}
}

// has reports that a name with that end may be one of those that are marked, or in its domain.
func (m *marks) has(e End) bool { return m.bits[e/64]>>(e%64)&1 != 0 }
