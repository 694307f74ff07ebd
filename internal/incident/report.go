package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Report tells what was found. asked is the window that the user named, nil for none;
// nothing may be told to the finder afterwards.
func (f *Finder) Report(coverage summary.Coverage, asked *Asked) *Report {
	f.settle()
	f.gapsFound = f.gaps()
	f.divide()
	if f.clock.wrong > 0 {
		coverage.First, coverage.Last = f.time(f.first), f.time(f.last)
	}
	r := &Report{
		Coverage: coverage, Asked: asked, Jumps: f.clock.jumps, Strays: f.clock.strays, Hosts: slices.Sorted(maps.Keys(f.hosts)), Width: f.resolution(),
		Gaps: f.gapsFound, Thin: f.thin(), Whole: f.whole(),
		Dropped: Dropped{
			Details: f.table.details, Series: f.table.lumped, Parties: f.parties.dropped, Names: f.names.dropped, Messages: f.queue.evicted + f.queue.dropped,
			Lines: f.notable.dropped + f.table.samples.gone, Untimed: f.untimed, Astray: f.clock.wrong, Gaps: f.moreGaps,
		},
	}
	for _, c := range f.clusters(asked) {
		r.Incidents = append(r.Incidents, f.build(c, r))
	}
	if asked == nil {
		f.stops(r)
		f.bursts(r)
	}
	slices.SortStableFunc(r.Incidents, func(a, b *Incident) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), -cmp.Compare(a.weight(), b.weight()), a.Start.Compare(b.Start))
	})
	for i, in := range r.Incidents {
		in.ID = i + 1
	}
	if r.Whole == (Counts{}) {
		r.Server = f.notable.between(f, f.time(f.first), f.time(f.last+1))
		r.Server = r.Server[:min(len(r.Server), mostServer)]
	}
	return r
}

// mostServer is how many lines about the server itself are told where there are no others.
const mostServer = 10

// weight says how far up an incident belongs among those that are as severe.
func (in *Incident) weight() int64 {
	n := int64(0)
	for _, c := range in.Causes {
		n += c.Count
	}
	w := summary.Weight(in.Cause, max(in.Severity, knowledge.Warning), in.Direction, max(n, 1))
	if in.Direction == smtp.Inbound && in.Severity <= knowledge.Warning {
		w >>= 8 // what strangers do that is refused comes last
	}
	return w
}

// clusters finds what is an incident.
func (f *Finder) clusters(asked *Asked) []*cluster {
	if asked != nil {
		return f.asked(asked)
	}
	var all []*candidate
	for _, g := range f.groups() {
		all = append(all, f.candidates(g)...)
	}
	found := unite(all)
	f.absorb(found)
	var out []*cluster
	for _, c := range found {
		if f.matters(c) && !f.recurs(c, found) {
			out = append(out, c)
		}
	}
	return out
}

// asked makes an incident of the window that the user named: of the cause that was named, or
// of the one with the most trouble in it.
func (f *Finder) asked(a *Asked) []*cluster {
	from, to := f.first, f.last
	if !a.Since.IsZero() {
		from = a.Since.Unix()
	}
	if !a.Until.IsZero() {
		to = a.Until.Unix() - 1
	}
	var top *cluster
	most := int64(-1)
	for _, g := range f.groups() {
		if !a.AnyCause && g.cause != a.Cause {
			continue
		}
		c := &candidate{of: g.of, direction: g.direction, cause: g.cause, party: nobody}
		weight := int64(0)
		for _, s := range g.series {
			if in, _ := s.split(minuteOf(from), minuteOf(to)+1, nil); in > 0 {
				c.series = append(c.series, s)
				weight += summary.Weight(s.cause, s.note.Severity, s.direction, int64(in))
			}
		}
		if len(c.series) == 0 || weight <= most {
			continue
		}
		first, last := int64(0), int64(0)
		for _, s := range c.series {
			s.within(from, to, func(r *record) {
				if first == 0 || r.at < first {
					first = r.at
				}
				last = max(last, r.at)
			})
		}
		if first == 0 {
			first, last = from, to
		}
		c.from, c.to = first, last
		top, most = &cluster{from: first, to: last}, weight
		top.add(c)
	}
	if top == nil {
		return nil
	}
	return []*cluster{top}
}

func (f *Finder) resolution() time.Duration {
	w := f.flows[allOut].width()
	for _, s := range f.all {
		w = max(w, s.hits.width())
	}
	return w
}

// thin reports that there is too little to say what is usual.
func (f *Finder) thin() bool {
	var c flow
	for i := range f.flows {
		f.flows[i].within(0, endless, func(_ minute, o *flow) { c.add(*o) })
	}
	return f.last-f.first < thinSpan || c.attempts()+int64(c.received)+int64(c.rejected) < thinLines
}

const (
	thinSpan  = 3600 // seconds
	thinLines = 100  // deliveries, messages and refusals
)

func (f *Finder) whole() (c Counts) {
	for i := range f.flows {
		f.flows[i].within(0, endless, func(_ minute, o *flow) { c.add(o) })
	}
	return c
}

func (c *Counts) add(o *flow) {
	c.Sent += int64(o.sent)
	c.Deferred += int64(o.deferred)
	c.Bounced += int64(o.bounced)
	c.Rejected += int64(o.rejected)
	c.Logins += int64(o.logins)
	c.Received += int64(o.received)
	c.Broken += int64(o.broken)
}
