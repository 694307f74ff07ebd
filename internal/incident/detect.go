package incident

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// candidate is a window in which a kind of failure is not as it usually is.
type candidate struct {
	of        Kind
	direction smtp.Direction
	cause     knowledge.Cause // the most frequent one
	series    []*series
	party     partyID // the only one, nobody for several
	from, to  int64   // the first and the last line
	lines     float64
	expected  float64
	score     float64
	daily     bool
	prior     float64 // the share that fails so in the rest of the log, with whomever
}

// group is all series of one cause in one direction.
type group struct {
	of        Kind
	direction smtp.Direction
	cause     knowledge.Cause
	series    []*series
}

// few is how many lines an incident of the group has at least.
func (g *group) few() float64 {
	severity := knowledge.Info
	for _, s := range g.series {
		severity = max(severity, s.note.Severity)
	}
	return leastLines(g.of, g.direction, severity)
}

func (g *group) model() model {
	if g.direction == smtp.Inbound {
		return rate
	}
	return share
}

// groups returns the series by cause and direction, in an order that is the same in each run.
func (f *Finder) groups() []*group {
	var all []*group
	for _, s := range f.all {
		i := slices.IndexFunc(all, func(g *group) bool { return g.of == s.of && g.direction == s.direction && g.cause == s.cause })
		if i < 0 {
			i = len(all)
			all = append(all, &group{of: s.of, direction: s.direction, cause: s.cause})
		}
		all[i].series = append(all[i].series, s)
	}
	return all
}

const (
	// fewest is how many lines of one kind an incident has at least.
	fewest = 4
	// priorWeight is how many deliveries, or minutes, what is known of all parties weighs
	// when one of them is looked at of which little is known.
	priorWeight = 40
)

// candidates looks for windows in which a cause is not as usual: with each party first, and
// then with what is left, where small parties' failures may come to much together, and last
// for wordings that are new.
func (f *Finder) candidates(g *group) []*candidate {
	var found []*candidate
	if g.model() == rate && f.last-f.first < thinSpan {
		return nil // what is a usual rate, so short a log does not tell
	}
	prior, daily := f.prior(g)
	taken := map[*series][]span{}
	if g.direction == smtp.Outbound {
		for _, of := range byParty(g.series) {
			if of[0].party == nobody {
				continue
			}
			found = append(found, f.scan(g, of, of[0].party, prior, taken)...)
		}
	}
	for _, c := range found {
		for _, s := range c.series {
			taken[s] = append(taken[s], span{c.from, c.to})
		}
	}
	found = append(found, f.scan(g, g.series, nobody, prior, taken)...)
	for _, c := range found {
		c.daily, c.prior = daily, max(prior, leastShare)
	}
	return found
}

// span is a time, both ends included.
type span struct{ from, to int64 }

func (s span) has(at int64) bool { return at >= s.from && at <= s.to }

// prior is the share, or rate, of failures of a cause in all of its direction.
func (f *Finder) prior(g *group) (p0 float64, daily bool) {
	all := f.seen(g, g.series, nobody, nil)
	_, p0, daily = search(g.model(), all, 0, 100, g.few())
	return min(p0, mostUsual), daily
}

func byParty(all []*series) [][]*series {
	var out [][]*series
	place := map[partyID]int{}
	for _, s := range all {
		i, ok := place[s.party]
		if !ok {
			i = len(out)
			place[s.party] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	return out
}

// scan looks for windows among some series, which are those of a party or of all.
func (f *Finder) scan(g *group, of []*series, who partyID, prior float64, taken map[*series][]span) []*candidate {
	total := int64(0)
	for _, s := range of {
		total += s.total
	}
	if total < fewest {
		return nil
	}
	all := f.seen(g, of, who, taken)
	segs, _, _ := search(g.model(), all, prior, priorWeight, g.few())
	var found []*candidate
	for _, s := range segs {
		c := f.refine(g, of, who, all, s, taken)
		if c == nil {
			continue
		}
		for _, p := range f.pieces(c) {
			if p == c || p.score >= minScore && p.lines >= g.few() {
				found = append(found, p)
			}
		}
	}
	return found
}

// seen puts together what a scan looks at: the failures of some series, without those that
// are taken, and what was tried meanwhile.
func (f *Finder) seen(g *group, of []*series, who partyID, taken map[*series][]span) []seen {
	width := f.width(of, who)
	at := map[minute]*seen{}
	get := func(m minute) *seen {
		m = m >> width << width
		s := at[m]
		if s == nil {
			s = &seen{at: m}
			at[m] = s
		}
		return s
	}
	failed := func(s *series, each func(minute, float64)) {
		s.hits.within(0, endless, func(m minute, n *hits) {
			for _, t := range taken[s] {
				if t.has(m.unix()) || t.has(m.unix()+59) {
					return
				}
			}
			each(m, float64(*n))
		})
	}
	if g.model() == share {
		tried := &f.flows[allInternal]
		if g.direction == smtp.Outbound {
			tried = &f.flows[allOut]
			if who != nobody {
				tried = &f.parties.all[who].flow
			}
		}
		tried.within(0, endless, func(m minute, c *flow) { get(m).n += float64(c.attempts()) })
	}
	for _, s := range of {
		failed(s, func(m minute, n float64) { get(m).k += n })
	}
	if g.model() == share && who == nobody {
		// What failed in an incident that was found is neither failed nor tried here.
		for s, spans := range taken {
			s.hits.within(0, endless, func(m minute, n *hits) {
				for _, t := range spans {
					if t.has(m.unix()) || t.has(m.unix()+59) {
						x := get(m)
						x.n = max(x.n-float64(*n), 0)
						return
					}
				}
			})
		}
	}
	out := make([]seen, 0, len(at))
	for _, s := range at {
		s.n = max(s.n, 0)
		if g.model() == share {
			s.n = max(s.n, s.k)
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b seen) int { return cmp.Compare(a.at, b.at) })
	if g.model() == rate {
		out = f.fill(out, width)
	}
	return out
}

// fill adds the time in which nothing happened, hour by hour: in a rate, it counts. Days of
// which the log has no line are none of it.
func (f *Finder) fill(all []seen, width uint8) []seen {
	step := minute(1) << width
	var out []seen
	next := minuteOf(f.first) >> width << width
	idle := func(until minute) {
		for next < until {
			if day := next / perDay; !f.logged(day) {
				next = min((day+1)*perDay, until)
				continue
			}
			end := min((next/60+1)*60, until)
			out = append(out, seen{at: next, n: float64(end-next) * f.load(next)})
			next = end
		}
	}
	for _, s := range all {
		idle(s.at)
		s.n = float64(step) * f.load(s.at)
		out = append(out, s)
		next = s.at + step
	}
	idle(minuteOf(f.last) + 1)
	return out
}

// perDay is how many minutes a day has.
const perDay = 24 * 60

// logged reports whether the log has lines of a day.
func (f *Finder) logged(day minute) bool {
	if f.days == nil {
		f.days = map[minute]bool{}
		f.lines.within(0, endless, func(m minute, _ *hits) { f.days[m/perDay] = true })
	}
	return f.days[day]
}

// load is how many times as much mail as on average moved in the hour of a minute, 1 where it is
// less: when there is more of all, there is more of what goes wrong too.
func (f *Finder) load(m minute) float64 {
	if f.loads == nil {
		f.loads = map[minute]float64{}
		total := 0.0
		for _, t := range []*flowTrack{&f.flows[allIn], &f.flows[submitted], &f.flows[allOut], &f.flows[allInternal]} {
			t.within(0, endless, func(m minute, c *flow) {
				n := float64(c.received) + float64(c.sent)
				f.loads[m/60] += n
				total += n
			})
		}
		average := total / max(float64(f.observed(f.first, f.last))/3600, 1)
		for h, n := range f.loads {
			f.loads[h] = max(1, n/max(average, 1))
		}
	}
	return max(1, f.loads[m/60])
}

// width is the width of the widest buckets that are looked at.
func (f *Finder) width(of []*series, who partyID) uint8 {
	w := max(f.flows[allOut].shift, f.parties.all[who].flow.shift)
	for _, s := range of {
		w = max(w, s.hits.shift)
	}
	return w
}

// refine makes a candidate of a segment: of the wordings only those count that are more than
// usual in it, and it begins and ends with a line of theirs.
func (f *Finder) refine(g *group, of []*series, who partyID, all []seen, seg segment, taken map[*series][]span) *candidate {
	width := f.width(of, who)
	from, to := all[seg.from].at, all[seg.to].at+1<<width
	whole := 0.0
	for i := range all {
		whole += all[i].n
	}
	c := &candidate{of: g.of, direction: g.direction, cause: g.cause, party: who, score: seg.score, expected: seg.expected}
	in, out := map[uint64]float64{}, map[uint64]float64{}
	for _, s := range of {
		i, o := s.split(from, to, taken[s])
		in[s.wording] += i
		out[s.wording] += o
	}
	usual := false
	for _, s := range of {
		i, o := in[s.wording], out[s.wording]
		if expected := o * seg.n / max(whole-seg.n, seg.n, 1); o > 0 && i < 2*expected+3 && i < 0.2*seg.k {
			usual = usual || i > 0
			continue // as ever
		}
		if n, _ := s.split(from, to, taken[s]); n > 0 {
			c.series = append(c.series, s)
		}
	}
	if len(c.series) == 0 {
		return nil
	}
	if usual {
		// Without the others, its ends may be others.
		again := f.seen(g, c.series, who, taken)
		segs, _, _ := search(g.model(), again, 0, priorWeight, fewest)
		for _, s := range segs {
			if a, b := again[s.from].at, again[s.to].at+1<<width; a < to && b > from {
				from, to, c.score, c.expected = a, b, s.score, s.expected
			}
		}
	}
	c.clip(from, to)
	return c
}

// split counts a series' lines within and outside of a window.
func (s *series) split(from, to minute, taken []span) (in, out float64) {
	s.hits.within(0, endless, func(m minute, n *hits) {
		for _, t := range taken {
			if t.has(m.unix()) || t.has(m.unix()+59) {
				return
			}
		}
		if m >= from && m < to {
			in += float64(*n)
		} else {
			out += float64(*n)
		}
	})
	return in, out
}

// clip sets the ends of a candidate to its first and its last line within a window.
func (c *candidate) clip(from, to minute) {
	c.from, c.to, c.lines = 0, 0, 0
	for _, s := range c.series {
		s.hits.within(from>>s.hits.shift<<s.hits.shift, to, func(m minute, n *hits) {
			c.lines += float64(*n)
			if c.from == 0 || m.unix() < c.from {
				c.from = m.unix()
			}
			c.to = max(c.to, m.unix()+int64(s.hits.width()/time.Second)-1)
		})
	}
	first, last := int64(0), int64(0)
	for _, s := range c.series {
		s.within(c.from, c.to, func(r *record) {
			if first == 0 || r.at < first {
				first = r.at
			}
			last = max(last, r.at)
		})
	}
	thinned := slices.ContainsFunc(c.series, func(s *series) bool { return s.gone > 0 && s.thinned >= c.from })
	if first != 0 && !thinned {
		c.from = first
	}
	if last != 0 {
		c.to = last
	}
}
