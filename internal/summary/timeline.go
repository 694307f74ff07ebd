package summary

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxBuckets is how many stretches of time there are counts of. A chart has no room for
// more, and a day in stretches of five minutes has 288.
const maxBuckets = 512

// widths are how wide a bucket may be, in seconds. Each is a multiple of the one before
// it, so that buckets fold into wider ones exactly, and people know them from the clock.
// Beyond the last they double.
var widths = [...]int64{1, 2, 10, 30, 60, 5 * 60, 15 * 60, 30 * 60, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600}

// Timeline counts outcomes by the time of their lines, in buckets that are as narrow as
// their number allows. Only buckets in which something happened are kept: one line with a
// wrong year costs one of them. The zero value is ready.
type Timeline struct {
	Untimed int64 // lines that show no time

	width   int64 // in seconds; buckets begin at its multiples since 1970 in UTC
	buckets map[int64]*Bucket
	last    *Bucket // most lines fall where the one before them fell
	from    int64   // when it begins
}

// Bucket is a stretch of time.
type Bucket struct {
	Start    time.Time
	Outcomes [smtp.NumOutcomes]int64
}

// Total is how many outcomes it has.
func (b *Bucket) Total() (n int64) {
	for _, o := range b.Outcomes {
		n += o
	}
	return n
}

// count counts n outcomes at a time.
func (t *Timeline) count(when time.Time, o smtp.Outcome, n int64) {
	at := when.Unix()
	if t.last == nil || uint64(at-t.from) >= uint64(t.width) {
		if when.IsZero() {
			t.Untimed += n
			return
		}
		t.move(at)
	}
	t.last.Outcomes[o] += n
}

// move makes last the bucket that a time falls into.
func (t *Timeline) move(at int64) {
	if t.buckets == nil {
		t.fold(max(t.width, widths[0]))
	}
	t.from = floor(at, t.width)
	if t.last = t.buckets[t.from]; t.last != nil {
		return
	}
	for len(t.buckets) >= maxBuckets {
		t.fold(wider(t.width))
		t.from = floor(at, t.width)
		if t.last = t.buckets[t.from]; t.last != nil {
			return
		}
	}
	t.last = &Bucket{Start: time.Unix(t.from, 0).UTC()}
	t.buckets[t.from] = t.last
}

// fold makes the buckets so wide, which is a multiple of what they are.
func (t *Timeline) fold(width int64) {
	narrow := t.buckets
	t.width, t.buckets, t.last = width, make(map[int64]*Bucket, maxBuckets), nil
	for at, b := range narrow {
		from := floor(at, width)
		if t.buckets[from] == nil {
			t.buckets[from] = &Bucket{Start: time.Unix(from, 0).UTC()}
		}
		t.buckets[from].add(b)
	}
}

func (b *Bucket) add(other *Bucket) {
	for o, n := range other.Outcomes {
		b.Outcomes[o] += n
	}
}

// Add adds what another timeline counted: the same as if all had been counted in one.
func (t *Timeline) Add(other *Timeline) {
	t.Untimed += other.Untimed
	if t.width < other.width {
		t.fold(other.width)
	}
	for from, b := range other.buckets {
		t.move(from)
		t.last.add(b)
	}
}

// Width is how long a bucket is, 0 when there is none.
func (t *Timeline) Width() time.Duration { return time.Duration(t.width) * time.Second }

// Buckets returns the buckets in which something happened, by their time.
func (t *Timeline) Buckets() []Bucket {
	all := make([]Bucket, 0, len(t.buckets))
	for _, b := range t.buckets {
		all = append(all, *b)
	}
	slices.SortFunc(all, func(a, b Bucket) int { return a.Start.Compare(b.Start) })
	return all
}

// NewTimeline returns the timeline whose Width, Buckets and Untimed these are.
func NewTimeline(width time.Duration, buckets []Bucket, untimed int64) *Timeline {
	t := &Timeline{Untimed: untimed}
	if len(buckets) > 0 {
		t.fold(wider(int64(width/time.Second) - 1)) // as it is, unless a file says what no width is
	}
	for i := range buckets {
		t.move(buckets[i].Start.Unix())
		t.last.add(&buckets[i])
	}
	return t
}

// wider is the next width.
func wider(width int64) int64 {
	for _, w := range widths {
		if w > width {
			return w
		}
	}
	w := widths[len(widths)-1]
	for w <= width {
		w *= 2
	}
	return w
}

// floor is the multiple of width at or before a time, also before 1970.
func floor(at, width int64) int64 {
	rest := at % width
	if rest < 0 {
		rest += width
	}
	return at - rest
}
