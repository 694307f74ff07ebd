// Package days writes logs of days on a relay in which it is known what went wrong: calm
// traffic with the shape of a day and its ordinary noise, and incidents that are planted in
// it, with the truth of what each did.
//
// All hosts are below .example (RFC 2606) or those of providers, all addresses from RFC 5737.
package days

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// Options say what to write.
type Options struct {
	Format string    // "postfix" or "exim"
	Start  time.Time // midnight of the first day
	Days   int
	PerDay int // messages
	Seed   uint64
	Plans  []Plan
	From   time.Duration      // the log begins so long after Start, though mail flowed before
	Length time.Duration      // and ends so long after Start; zero: after the last day
	Gaps   [][2]time.Duration // since Start: lines of these times are lost
	Relay  bool               // all that goes out goes to the provider's relay
}

// Plan is an incident to be planted.
type Plan struct {
	What  What
	At    time.Duration // since Start
	Long  time.Duration
	Hosts []int   // whom it meets, places in remotes; nil: everybody
	Share float64 // of the deliveries that it meets, or how many a minute of what strangers do
}

// Truth is what an incident did.
type Truth struct {
	What                                       What
	Start, End                                 time.Time // as planned; the end is not part of it
	First, Last                                time.Time // its lines
	Deferred, Bounced, Rejected, Auth, Broken  int64
	DeliveredLate, Recipients, Domains, Queued int64
}

// line is a line of the log.
type line struct {
	at   time.Time
	text string
}

// world is the relay while it is being simulated.
type world struct {
	Options
	rng    *rand.Rand
	lines  []line
	serial int
	truths []*truth
	writer writer
	end    time.Time
}

type truth struct {
	Truth
	plan       *Plan
	recipients map[string]bool
	domains    map[string]bool
	late       map[string]bool
	waiting    map[string]bool
}

// hours is the load of each hour of a day, as on a relay that serves offices.
var hours = [24]float64{2, 2, 2, 2, 2, 3, 4, 6, 7, 8, 8, 7, 6, 7, 8, 8, 7, 6, 4, 3, 3, 3, 2, 2}

const hoursTotal = 112

// Write writes a log and returns what each of its incidents did.
func Write(out io.Writer, o Options) ([]Truth, error) {
	w := &world{Options: o, rng: rand.New(rand.NewPCG(o.Seed, 7))}
	w.end = o.Start.Add(time.Duration(o.Days) * 24 * time.Hour)
	if o.Length > 0 {
		w.end = o.Start.Add(o.Length)
	}
	switch o.Format {
	case "postfix":
		w.writer = postfix{w}
	case "exim":
		w.writer = exim{w}
	default:
		return nil, fmt.Errorf("days: format %q is not known: use postfix or exim", o.Format)
	}
	for i := range o.Plans {
		p := &o.Plans[i]
		w.truths = append(w.truths, &truth{
			Truth: Truth{What: p.What, Start: o.Start.Add(p.At), End: o.Start.Add(p.At + p.Long)}, plan: p,
			recipients: map[string]bool{}, domains: map[string]bool{}, late: map[string]bool{}, waiting: map[string]bool{},
		})
	}
	for d := range o.Days {
		w.day(o.Start.Add(time.Duration(d) * 24 * time.Hour))
	}
	for _, t := range w.truths {
		w.plant(t)
	}
	return w.finish(out)
}

// finish prints the lines in their order.
func (w *world) finish(out io.Writer) ([]Truth, error) {
	slices.SortStableFunc(w.lines, func(a, b line) int { return a.at.Compare(b.at) })
	b := bufio.NewWriterSize(out, 1<<18)
	for _, l := range w.lines {
		if !w.lost(l.at) {
			b.WriteString(l.text)
			b.WriteByte('\n')
		}
	}
	var truths []Truth
	for _, t := range w.truths {
		t.Recipients, t.Domains, t.DeliveredLate, t.Queued = int64(len(t.recipients)), int64(len(t.domains)), int64(len(t.late)), int64(len(t.waiting))
		truths = append(truths, t.Truth)
	}
	return truths, b.Flush()
}

// lost reports a time of which the log has nothing.
func (w *world) lost(at time.Time) bool {
	if at.Before(w.Start.Add(w.From)) || !at.Before(w.end) {
		return true
	}
	for _, g := range w.Gaps {
		if !at.Before(w.Start.Add(g[0])) && at.Before(w.Start.Add(g[1])) {
			return true
		}
	}
	return false
}

// day makes the messages of a day, and what strangers do on it.
func (w *world) day(start time.Time) {
	weekday := 1.0
	if d := start.Weekday(); d == time.Saturday || d == time.Sunday {
		weekday = 0.4
	}
	for range w.poisson(float64(w.PerDay) * weekday * 0.5) {
		w.outgoing(w.moment(start), w.ours(), "", w.remote())
	}
	for range w.poisson(float64(w.PerDay) * weekday * 0.5) {
		w.incoming(w.moment(start))
	}
	for range w.poisson(float64(w.PerDay) / 26) {
		w.stranger(start.Add(time.Duration(w.rng.Float64() * 24 * float64(time.Hour))))
	}
	// Scanners come at any hour, some of them stay for a while.
	for range w.poisson(6) {
		at := start.Add(time.Duration(w.rng.Float64() * 24 * float64(time.Hour)))
		for range 1 + w.rng.IntN(12) {
			w.writer.login(at, w.bot(), w.guessed())
			at = at.Add(time.Duration(1+w.rng.IntN(40)) * time.Second)
		}
	}
}

// moment is a time of a day, as busy as its hour is.
func (w *world) moment(start time.Time) time.Time {
	x := w.rng.Float64() * hoursTotal
	for h, load := range hours {
		if x < load {
			return start.Add(time.Duration((float64(h) + x/load) * float64(time.Hour)))
		}
		x -= load
	}
	return start
}

func (w *world) poisson(mean float64) int {
	n := mean + w.rng.NormFloat64()*sqrt(mean)
	return max(0, int(n+0.5))
}

func sqrt(x float64) float64 {
	r := x
	for range 40 {
		r = (r + x/max(r, 1e-9)) / 2
	}
	return r
}

func (w *world) add(at time.Time, text string) { w.lines = append(w.lines, line{at, text}) }

// happened notes a line of an incident.
func (t *truth) happened(w *world, at time.Time, n *int64) bool {
	if w.lost(at) {
		return false
	}
	*n++
	if t.First.IsZero() || at.Before(t.First) {
		t.First = at
	}
	if at.After(t.Last) {
		t.Last = at
	}
	return true
}
