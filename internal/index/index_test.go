package index

import (
	"math/rand/v2"
	"testing"
)

// TestIndex holds the table against Go's map through a long run of changes, with keys
// that fall on each other, wrap around the end and differ in the lower half only.
func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	places := int32(0)
	var got Index
	want := map[uint64]int32{}
	key := func() uint64 {
		k := uint64(r.IntN(300) + 1)
		if r.IntN(2) == 0 {
			k |= smallest - 1 // all at the end of the table
			k += uint64(r.IntN(300)) << 20
		}
		return k<<32 | uint64(r.IntN(2))
	}
	for range 200_000 {
		k := key()
		switch r.IntN(3) {
		case 0:
			places++
			got.Set(k, places)
			want[k] = places
		case 1:
			got.Remove(k)
			delete(want, k)
		default:
			v, ok := want[k]
			if !ok {
				v = None
			}
			if g := got.Get(k); g != v {
				t.Fatalf("Get(%#x) = %d, want %d", k, g, v)
			}
		}
		if got.Len() != len(want) {
			t.Fatalf("%d keys, want %d", got.Len(), len(want))
		}
	}
}
