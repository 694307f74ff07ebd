package incident

import (
	"cmp"
	"slices"
	"time"
)

// minute is a minute since 1970.
type minute int32

// endless is later than any.
const endless minute = 1<<31 - 1

func minuteOf(unix int64) minute { return minute(min(max(unix/60, 0), int64(endless)-1)) }

func (m minute) unix() int64 { return int64(m) * 60 }

// flow is what passed in a bucket, by what it decided.
type flow struct {
	sent, deferred, bounced, rejected, logins, received, broken uint32
}

func (f *flow) add(o flow) {
	f.sent += o.sent
	f.deferred += o.deferred
	f.bounced += o.bounced
	f.rejected += o.rejected
	f.logins += o.logins
	f.received += o.received
	f.broken += o.broken
}

func (f *flow) attempts() int64 { return int64(f.sent) + int64(f.deferred) + int64(f.bounced) }

// hits is a plain count in a bucket.
type hits uint32

func (h *hits) add(o hits) { *h += o }

// adder is what a track can add up.
type adder[C any] interface {
	*C
	add(C)
}

// track is what happened when: only buckets in which something did are there. They are a
// minute wide, and twice as wide each time there are too many of them.
type track[C any, P adder[C]] struct {
	cells    []cell[C]
	shift    uint8 // a bucket is 1<<shift minutes wide
	unsorted bool
}

type cell[C any] struct {
	at minute // the first minute of the bucket
	n  C
}

// at returns the count of a minute, to be added to. cells is how many there are of all
// tracks, which a new one raises.
func (t *track[C, P]) at(m minute, cells *int) P {
	m = m >> t.shift << t.shift
	if last := len(t.cells) - 1; last >= 0 {
		if t.cells[last].at == m {
			return &t.cells[last].n
		}
		if t.cells[last].at > m {
			// A file of another machine begins, or lines are a little out of order.
			if last > 0 && t.cells[last-1].at == m {
				return &t.cells[last-1].n
			}
			t.unsorted = true
		}
	}
	*cells++
	t.cells = append(t.cells, cell[C]{at: m})
	return &t.cells[len(t.cells)-1].n
}

// sort puts the buckets into their order, each there once.
func (t *track[C, P]) sort() {
	if !t.unsorted {
		return
	}
	slices.SortStableFunc(t.cells, func(a, b cell[C]) int { return cmp.Compare(a.at, b.at) })
	t.unite()
	t.unsorted = false
}

// unite makes one bucket of neighbours of the same time.
func (t *track[C, P]) unite() {
	kept := t.cells[:0]
	for _, c := range t.cells {
		if n := len(kept); n > 0 && kept[n-1].at == c.at {
			P(&kept[n-1].n).add(c.n)
			continue
		}
		kept = append(kept, c)
	}
	t.cells = kept
}

// widen makes the buckets twice as wide, and returns how many fewer there are then.
func (t *track[C, P]) widen() int {
	before := len(t.cells)
	t.sort()
	t.shift++
	for i := range t.cells {
		t.cells[i].at = t.cells[i].at >> t.shift << t.shift
	}
	t.unite()
	return before - len(t.cells)
}

func (t *track[C, P]) width() time.Duration { return time.Minute << t.shift }

// within calls f for the buckets from since on and before until.
func (t *track[C, P]) within(since, until minute, f func(minute, *C)) {
	t.sort()
	i, _ := slices.BinarySearchFunc(t.cells, since, func(c cell[C], m minute) int { return cmp.Compare(c.at, m) })
	for ; i < len(t.cells) && t.cells[i].at < until; i++ {
		f(t.cells[i].at, &t.cells[i].n)
	}
}

type (
	flowTrack = track[flow, *flow]
	hitTrack  = track[hits, *hits]
)

const (
	// maxFlowCells and maxHitCells bound the buckets of all flows, 32 bytes each, and of
	// all kinds of failures, 8 bytes each. A month has 43,200 minutes.
	maxFlowCells = 1 << 19
	maxHitCells  = 1 << 19
)
