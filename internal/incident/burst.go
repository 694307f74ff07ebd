package incident

import (
	"math"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// A user who sends at least burstLeast deliveries within burstLong minutes, burstTimes as
	// many as in the rest of the log in such a time, and more than burstPart of all that goes
	// out, is told of even where all of it goes through: that is how a stolen login looks.
	burstLeast = 300
	burstLong  = 6 * 60
	burstTimes = 30
	burstPart  = 0.3
)

// bursts finds the users who suddenly sent very much.
func (f *Finder) bursts(r *Report) {
	for i := range f.senders.all {
		s := &f.senders.all[i]
		if !s.user || s.total < burstLeast {
			continue
		}
		var all []seen
		s.track.within(0, endless, func(m minute, n *hits) { all = append(all, seen{at: m, k: float64(*n)}) })
		all = f.fill(all, s.track.shift)
		found, _, daily := search(rate, all, leastRate, priorWeight, burstLeast)
		for _, x := range found {
			from, to := all[x.from].at, all[x.to].at+1<<s.track.shift
			out := 0.0
			f.flows[allOut].within(from, to, func(_ minute, c *flow) { out += float64(c.attempts()) })
			usual := x.expected
			if to-from <= burstLong && x.k >= burstTimes*(usual+1) && x.k >= burstPart*out && !told(r, f, from, to) {
				r.Incidents = append(r.Incidents, f.burst(s, x, from, to, daily, r))
			}
		}
	}
}

// told reports that an incident of what goes out is told of at the same time, among whose
// triggers the sender is.
func told(r *Report, f *Finder, from, to minute) bool {
	for _, in := range r.Incidents {
		if in.Direction == smtp.Outbound && in.Kind == Failures && in.Start.Before(f.time(to.unix())) && in.End.After(f.time(from.unix())) {
			return true
		}
	}
	return false
}

func (f *Finder) burst(s *sender, x segment, from, to minute, daily bool, r *Report) *Incident {
	c := &cluster{from: from.unix(), to: min(to.unix()-1, f.last), score: x.score}
	in := &Incident{
		Kind: Burst, Direction: smtp.Outbound, Start: f.time(c.from), End: f.time(c.to), Scope: One, Party: s.name, Severity: knowledge.Warning,
		Status: Recovered,
	}
	if f.last-c.to < 600 {
		in.Status, in.OpenEnd = Ongoing, true
	}
	b := &builder{Finder: f, cluster: c, out: in, found: r, whos: map[partyID]int64{}}
	in.Impact.Attempts, in.Impact.Users = int64(x.k), 1
	in.Usual = Usual{Known: true, Expected: math.Round(x.expected*10) / 10, Score: math.Round(x.score*10) / 10, Daily: daily}
	in.Hit.Users = []Who{{Name: s.name, Count: int64(x.k), First: in.Start, Last: in.End}}
	in.Scope = All // the flow that is shown
	b.timeline()
	in.Scope = One
	b.triggers()
	b.commands()
	return in
}
