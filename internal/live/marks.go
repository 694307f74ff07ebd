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
	h, dotted, rest := uint64(0), false, name
	for len(rest) >= 8 {
		w := binary.LittleEndian.Uint64(rest[len(rest)-8:])
		if dots, ats := equal(w, '.'), equal(w, '@'); dots|ats != 0 {
			var at int
			if at, dotted = begin(dots, ats, dotted); at >= 0 {
				return end(mix(h, folded(w)>>(at+1)))
			}
		}
		h = mix(h, folded(w))
		rest = rest[:len(rest)-8]
	}
	if len(rest) == 0 {
		return end(h)
	}
	w, none := firstBytes(name, len(rest))
	at, _ := begin(equal(w, '.'), equal(w, '@')|none, dotted)
	return end(mix(h, folded(w)>>(at+1)))
}

// begin finds where an end begins in eight bytes, by the highest bits of those that are dots and of those
// that stand before it for certain: at is that of the byte before it, -1 where it begins in those before them.
// dotted says that a dot of it was met.
func begin(dots, before uint64, dotted bool) (at int, dottedNow bool) {
	at = 63 - bits.LeadingZeros64(dots|before)
	if dot := dots &^ (1<<at - 1); !dotted && dot != 0 {
		at = 63 - bits.LeadingZeros64((dots|before)^dot)
		dotted = true
	}
	return at, dotted
}

// firstBytes returns the first n bytes of a name, less than eight, the last one as the highest of a word. none is
// the highest bit of the byte before them.
func firstBytes(name []byte, n int) (w, none uint64) {
	if len(name) >= 8 {
		w = binary.LittleEndian.Uint64(name)
	} else {
		for i, c := range name {
			w |= uint64(c) << (8 * i)
		}
	}
	return w << (8 * (8 - n)), 1 << (8*(8-n) - 1)
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
