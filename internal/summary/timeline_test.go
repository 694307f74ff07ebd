package summary

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestTimelineWidth holds how wide buckets become: as narrow as their number allows.
func TestTimelineWidth(t *testing.T) {
	for _, c := range []struct {
		name        string
		every, span time.Duration
		width       time.Duration
		buckets     int
	}{
		{"one line", time.Second, time.Second, time.Second, 1},
		{"all the room", time.Second, maxBuckets * time.Second, time.Second, maxBuckets},
		{"one more", time.Second, (maxBuckets + 1) * time.Second, 2 * time.Second, maxBuckets/2 + 1},
		{"an hour", time.Second, time.Hour, 10 * time.Second, 360},
		{"a day", time.Second, 24 * time.Hour, 5 * time.Minute, 288},
		{"a month", time.Minute, 30 * 24 * time.Hour, 3 * time.Hour, 240},
		{"ten years", time.Hour, 3652 * 24 * time.Hour, 8 * 24 * time.Hour, 457},
		{"two lines, ten years apart", 3652 * 24 * time.Hour, 3653 * 24 * time.Hour, time.Second, 2},
	} {
		var line Timeline
		lines := int64(0)
		for at := time.Duration(0); at < c.span; at += c.every {
			line.count(noon.Add(at), smtp.Deferred, 1)
			lines++
		}
		all, counted := line.Buckets(), int64(0)
		for i, b := range all {
			counted += b.Outcomes[smtp.Deferred]
			if i > 0 && b.Start.Sub(all[i-1].Start) < c.width {
				t.Errorf("%s: %v follows on %v", c.name, b.Start, all[i-1].Start)
			}
		}
		if line.Width() != c.width || len(all) != c.buckets || counted != lines {
			t.Errorf("%s: %d buckets of %v with %d lines, want %d of %v with %d", c.name, len(all), line.Width(), counted, c.buckets, c.width, lines)
		}
	}
}

// TestTimelineAdd holds that parts add up to the whole, in any order and from any pieces.
func TestTimelineAdd(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, span := range []int64{1, 100, 5000, 90000, 40 * 86400, 9000 * 86400} {
		var whole, sum Timeline
		parts := make([]Timeline, 5)
		for i := range 3000 {
			when := noon.Add(time.Duration(random.Int64N(span)-span/3) * time.Second)
			if i%100 == 0 {
				when = time.Time{}
			}
			outcome, n := smtp.Outcome(1+random.IntN(smtp.NumOutcomes-1)), random.Int64N(3)+1
			whole.count(when, outcome, n)
			parts[random.IntN(i/600+1)].count(when, outcome, n)
		}
		for _, i := range random.Perm(len(parts)) {
			copied := NewTimeline(parts[i].Width(), parts[i].Buckets(), parts[i].Untimed)
			if !reflect.DeepEqual(copied.Buckets(), parts[i].Buckets()) || copied.Width() != parts[i].Width() {
				t.Errorf("span %d: a copy is another", span)
			}
			sum.Add(copied)
		}
		if sum.Width() != whole.Width() || sum.Untimed != whole.Untimed || !reflect.DeepEqual(sum.Buckets(), whole.Buckets()) {
			t.Errorf("span %d: %d buckets of %v, want %d of %v", span, len(sum.Buckets()), sum.Width(), len(whole.Buckets()), whole.Width())
		}
	}
}

// TestTimelineOfSummary holds that it counts what the deliveries do.
func TestTimelineOfSummary(t *testing.T) {
	s := New()
	for i := range 50 {
		ev := refused("mx.example.net", "a@example.net", 550)
		ev.Time, ev.Repeat = noon.Add(time.Duration(i)*time.Minute), uint32(i%2)
		s.Event(ev, nil, 0, noSample)
	}
	n := int64(0)
	for _, b := range s.Timeline.Buckets() {
		n += b.Total()
	}
	if n != s.Deliveries[smtp.Bounced] || n < 50 {
		t.Errorf("the timeline has %d, the deliveries %d", n, s.Deliveries[smtp.Bounced])
	}
}
