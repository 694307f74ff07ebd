package incident

import (
	"math"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// missed is how many deliveries, or messages, must be missing for a flow to count as
	// stopped: that none comes by chance where so many are usual does not happen.
	missed = 30
	// stopLeast is how many minutes it is still, at least.
	stopLeast = 10
	// alive is which part of the time there must be other lines for it to be the flow that
	// stopped, and not the log.
	alive = 0.3
)

// still is a time in which a flow stood still.
type still struct {
	direction smtp.Direction
	from, to  minute // from the first still one, to the first that is not
	expected  float64
	daily     bool
	begins    bool // the log begins with it
	ends      bool // the log ends with it
}

// stops finds the flows that stopped though the log goes on.
func (f *Finder) stops(r *Report) {
	var all []still
	for _, x := range []struct {
		direction smtp.Direction
		track     *flowTrack
	}{{smtp.Outbound, &f.flows[allOut]}, {smtp.Inbound, &f.flows[allIn]}, {smtp.Internal, &f.flows[allInternal]}} {
		for _, s := range f.stillIn(x.direction, x.track) {
			// Where all flows stopped, it is told once.
			if !slices.ContainsFunc(all, func(o still) bool { return s.from < o.to && o.from < s.to }) && f.alive(s) && !f.explained(s, r) {
				all = append(all, s)
			}
		}
	}
	for _, s := range all {
		if c := f.refusedInstead(s); c != nil {
			r.Incidents = append(r.Incidents, f.build(c, r))
			continue
		}
		r.Incidents = append(r.Incidents, f.stop(s, r))
	}
}

const (
	// instead is which part of what should have come we refused, at least, for that to be why
	// nothing came, and insteadTimes how many times more often than in the rest of the log.
	instead      = 0.25
	insteadTimes = 8
)

// refusedInstead finds the refusals of ours because of which nothing came in. They are the
// incident then, though each of them may be what strangers are told every day.
func (f *Finder) refusedInstead(s still) *cluster {
	if s.direction == smtp.Outbound {
		return nil
	}
	var top *candidate
	for _, g := range f.groups() {
		if g.direction != smtp.Inbound || g.of != Failures {
			continue
		}
		c := &candidate{of: g.of, direction: g.direction, cause: g.cause, score: s.expected, daily: s.daily, prior: leastShare}
		out := 0.0
		for _, x := range g.series {
			in, rest := x.split(s.from-1, s.to+1, nil)
			part := float64(s.to-s.from) / max(float64(f.observed(f.first, f.last))/60, 1)
			if in >= fewestOurs && in >= insteadTimes*rest*part {
				c.series = append(c.series, x)
				out += rest * part
			}
		}
		if len(c.series) == 0 {
			continue
		}
		c.expected = out
		if c.clip(s.from-1, s.to+1); c.lines >= instead*s.expected && (top == nil || c.lines > top.lines) {
			top = c
		}
	}
	if top == nil {
		return nil
	}
	found := &cluster{from: top.from, to: top.to}
	found.add(top)
	return found
}

// explained reports that a flow stood still because what should move in it was refused, or
// failed, before: that is told of already.
func (f *Finder) explained(s still, r *Report) bool {
	for _, in := range r.Incidents {
		lines := int64(0)
		for _, c := range in.Causes {
			lines += c.Count
		}
		if in.Kind == Logins || 2*float64(lines) < s.expected || (in.Direction == smtp.Outbound) != (s.direction == smtp.Outbound) {
			continue
		}
		both := min(s.to.unix(), in.End.Unix()+60) - max(s.from.unix(), in.Start.Unix()-60)
		if 5*both >= 3*(s.to.unix()-s.from.unix()) {
			return true
		}
	}
	return false
}

// activity is what shows that a flow moves.
func activity(d smtp.Direction, c *flow) float64 {
	if d == smtp.Inbound {
		return float64(c.received)
	}
	return float64(c.attempts())
}

// moves is when a flow moved and how much: the sum of all up to each time, so that what
// moved within a time is a difference, however long it is.
type moves struct {
	at  []minute
	sum []float64
}

// movesOf returns the moves of a flow.
func movesOf(d smtp.Direction, t *flowTrack) (m moves) {
	total := 0.0
	for i := range t.cells {
		if n := activity(d, &t.cells[i].n); n > 0 {
			total += n
			m.at, m.sum = append(m.at, t.cells[i].at), append(m.sum, total)
		}
	}
	return m
}

// between is how much moved from a minute on, up to another.
func (m moves) between(from, to minute) float64 { return m.before(to) - m.before(from) }

func (m moves) before(at minute) float64 {
	if i, _ := slices.BinarySearch(m.at, at); i > 0 {
		return m.sum[i-1]
	}
	return 0
}

// stillIn finds the times in which a flow stood still.
func (f *Finder) stillIn(d smtp.Direction, t *flowTrack) []still {
	t.sort()
	m := movesOf(d, t)
	at, width := m.at, minute(1)<<t.shift
	if len(at) == 0 {
		return nil
	}
	var out []still
	add := func(from, to minute, begins, ends bool) {
		if to-from < stopLeast {
			return
		}
		s := still{direction: d, from: from, to: to, begins: begins, ends: ends}
		if s.expected, s.daily = f.missing(m, s); s.expected >= missed {
			out = append(out, s)
		}
	}
	add(minuteOf(f.first), at[0], true, false)
	for i := 1; i < len(at); i++ {
		add(at[i-1]+width, at[i], false, false)
	}
	add(at[len(at)-1]+width, minuteOf(f.last), false, true)
	return out
}

// missing is how much would have moved in a time: as much as on most other days at the same
// hours, where there are such, and else as much as in the quieter one of the hours before and
// after.
func (f *Finder) missing(m moves, s still) (expected float64, daily bool) {
	before, after := m.between(s.from-around, s.from), m.between(s.to, s.to+around)
	near := min(before, after)
	switch {
	case s.begins:
		near = after
	case s.ends:
		near = before
	}
	near *= float64(s.to-s.from) / around
	var days []float64
	for shift := minute(-28 * perDay); shift <= 28*perDay; shift += perDay {
		if s.from+shift < minuteOf(f.first) || s.to+shift > minuteOf(f.last) || shift == 0 {
			continue
		}
		days = append(days, m.between(s.from+shift, s.to+shift))
	}
	if len(days) >= enoughDays {
		slices.Sort(days)
		quiet := days[len(days)/8] // nights of weekends are quieter than most
		if s.begins || s.ends {
			return quiet, true
		}
		return min(max(near, quiet), quiet*2), true
	}
	return near, false
}

// alive reports that other lines were logged meanwhile.
func (f *Finder) alive(s still) bool {
	lines, before := 0.0, 0.0
	f.lines.within(s.from, s.to, func(_ minute, n *hits) { lines++ })
	f.lines.within(s.from-(s.to-s.from), s.from, func(_ minute, n *hits) { before++ })
	return lines >= alive*max(before, 1) && lines >= 3
}

// stop makes an incident of a flow that stopped.
func (f *Finder) stop(s still, r *Report) *Incident {
	c := &cluster{from: s.from.unix(), to: s.to.unix(), score: s.expected}
	in := &Incident{
		Kind: Stopped, Direction: s.direction, Start: f.time(c.from), End: f.time(c.to), Scope: All, Severity: knowledge.Error,
		OpenStart: s.begins, OpenEnd: s.ends, Status: Recovered, Recovered: f.time(c.to),
	}
	if s.ends {
		in.Status, in.Recovered = Ongoing, time.Time{}
	}
	b := &builder{Finder: f, cluster: c, out: in, found: r, whos: map[partyID]int64{}}
	in.Usual = Usual{
		Known: true, Expected: math.Round(s.expected*10) / 10, PerHour: s.expected / in.End.Sub(in.Start).Hours(), Score: math.Round(s.expected*10) / 10, Daily: s.daily,
		Span: time.Duration(f.observed(f.first, c.from)+f.observed(c.to, f.last)) * time.Second,
	}
	if s.direction == smtp.Outbound {
		b.lateAfterStop()
	}
	b.timeline()
	b.spared()
	b.triggers()
	b.commands()
	return in
}

// lateAfterStop counts the messages that waited because nothing was delivered.
func (b *builder) lateAfterStop() {
	im := &b.out.Impact
	var delays []time.Duration
	for _, l := range b.lates {
		if l.from < b.to && l.to >= b.to && l.to <= b.last {
			im.DeliveredLate++
			delays = append(delays, time.Duration(l.to-max(l.from, b.from))*time.Second)
		}
	}
	im.Delay = distribution(delays)
	if b.out.Status == Ongoing {
		for i := range b.queue.mails {
			if m := &b.queue.mails[i]; b.queue.byKey.Get(m.key) == int32(i) && m.arrived >= b.from {
				im.Queued++
			}
		}
	}
}
