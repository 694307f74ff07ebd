package live

import "math/bits"

// Ends are what the names in a line end with: that of the other side, and the recipient's address.
type Ends struct{ Host, To End }

// End is a number of the last two labels of a name, in any case. Other names may have the same.
type End uint16

// EndOf returns the end of a host's name or of an address, whose domain's it is then. The dot at the
// end of a name that is fully qualified is none of it.
func EndOf(name []byte) End {
	i, dots, h := len(name)-1, 0, uint32(0)
	if i >= 0 && name[i] == '.' {
		i--
	}
	for ; i >= 0; i-- {
		c := name[i]
		if c == '.' {
			if dots++; dots == 2 {
				break
			}
		} else if c == '@' {
			break
		}
		h = bits.RotateLeft32(h, 5) ^ uint32(c|' ') // letters of either case are one, and so are some others
	}
	return End(uint64(h) * 0x9e37_79b9_7f4a_7c15 >> 48)
}

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
