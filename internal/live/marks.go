package live

import (
	"encoding/binary"
	"math/bits"
)

// Ends are what the names in a line end with: that of the other side, and the recipient's address.
type Ends struct{ Host, To End }

// End is a number of the last two labels of a name, in any case. Other names may have the same.
type End uint16

// EndOf returns the end of a host's name or of an address, whose domain's it is then. The dot at the
// end of a name that is fully qualified is none of it. It takes eight bytes at a time, from the
// last one on, for it is asked of each delivery.
func EndOf(name []byte) End {
	if n := len(name); n > 0 && name[n-1] == '.' {
		name = name[:n-1]
	}
	h, dotted := uint64(0), false
	for n := len(name); n > 0; n -= 8 {
		w, begins := lastBytes(name[:n])
		dots := equal(w, '.')
		for stops := begins | equal(w, '@') | dots; stops != 0; {
			at := 63 - bits.LeadingZeros64(stops)
			stop := uint64(1) << at
			if dotted || dots&stop == 0 {
				return end(mix(h, folded(w)>>(at+1)))
			}
			dotted = true
			stops ^= stop
		}
		h = mix(h, folded(w))
	}
	return end(h)
}

// lastBytes returns the last eight bytes of a name, the last one as the highest. Of a shorter name there
// are fewer; begins is then the highest bit of the byte before them.
func lastBytes(name []byte) (w, begins uint64) {
	n := len(name)
	if n >= 8 {
		return binary.LittleEndian.Uint64(name[n-8:]), 0
	}
	for i, c := range name {
		w |= uint64(c) << (8 * (8 - n + i))
	}
	return w, 1 << (8*(8-n) - 1)
}

// equal has the highest bit of each byte of w that is c.
func equal(w uint64, c byte) uint64 {
	const low = 0x7f7f_7f7f_7f7f_7f7f
	w ^= uint64(c) * 0x0101_0101_0101_0101
	return ^((w&low + low) | w | low)
}

// folded makes letters of either case one, and some others, too.
func folded(w uint64) uint64 { return w | 0x2020_2020_2020_2020 }

// mix makes a hash of another and of further bytes; of none it is the same.
func mix(h, w uint64) uint64 {
	if w == 0 {
		return h
	}
	h = (h ^ w) * golden
	return h ^ h>>32
}

func end(h uint64) End { return End(h * golden >> 48) }

const golden = 0x9e37_79b9_7f4a_7c15 // by it the high bits depend on all

// marks are the ends of names. Who chooses names that end like another's makes them be looked
// up, and nothing else.
type marks struct {
	ends                 // those that are marked
	n    [1 << 16]uint16 // how often each is
}

// set marks an end once more, or once less.
func (m *marks) set(e End, marked bool) {
	if marked {
		m.n[e]++
	} else {
		m.n[e]--
	}
	if m.ends.set(e); m.n[e] == 0 {
		m.ends[e/64] &^= 1 << (e % 64)
	}
}

// ends is a set of them.
type ends [1 << 16 / 64]uint64

func (s *ends) set(e End) { s[e/64] |= 1 << (e % 64) }

// has reports that a name with that end may be one of those that were set, or in its domain.
func (s *ends) has(e End) bool { return s[e/64]>>(e%64)&1 != 0 }
