package live

import (
	"math"
	"slices"
	"time"
)

// troubles are those that are kept. What is asked of all of them stands in rows of its own, which
// are small: a trouble is large, and most are not in the processor's caches.
type troubles struct {
	all   []*Trouble // by place
	free  []uint16   // places of those that were given up
	last  []int64    // by place, when each was met last, in seconds; never for one that was given up
	again []bool     // by place, whether it was since the hand passed
	hand  int        // goes round the places to find one that was not
}

const never = math.MaxInt64

// n is how many are kept.
func (k *troubles) n() int { return len(k.all) - len(k.free) }

// met notes that a trouble was met.
func (k *troubles) met(t *Trouble) { k.last[t.place], k.again[t.place] = t.Last.Unix(), true }

// tooMany returns one that was not met since it was last looked at, where there is no room for another; nil
// where there is.
func (k *troubles) tooMany() *Trouble {
	if k.n() < maxTroubles {
		return nil
	}
	for k.again[k.hand] {
		k.again[k.hand] = false
		k.hand = (k.hand + 1) % len(k.all)
	}
	t := k.all[k.hand]
	k.hand = (k.hand + 1) % len(k.all)
	return t
}

// unused returns a trouble to be used.
func (k *troubles) unused() *Trouble {
	n := len(k.free)
	if n == 0 {
		t := &Trouble{kept: true, place: uint16(len(k.all))}
		k.all, k.last, k.again = append(k.all, t), append(k.last, never), append(k.again, false)
		return t
	}
	t := k.all[k.free[n-1]]
	k.free = k.free[:n-1]
	place, listed := t.place, t.listed
	*t = Trouble{} // by itself, for it is large: a value with fields would be made elsewhere and moved
	t.kept, t.place, t.listed = true, place, listed
	return t
}

func (k *troubles) forget(t *Trouble) {
	t.who.troubles = slices.DeleteFunc(t.who.troubles, func(o *Trouble) bool { return o == t })
	t.began, t.kept = false, false // it may still be among those that go on
	k.last[t.place] = never
	k.free = append(k.free, t.place)
}

// sweep forgets those that are long over, so that they are new when they come again.
func (k *troubles) sweep(now time.Time) {
	long := now.Add(-forgotten).Unix()
	for place, last := range k.last {
		if last < long {
			k.forget(k.all[place])
		}
	}
}
