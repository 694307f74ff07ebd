package incident

import (
	"slices"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// absorb adds to the incidents what failed in them in the same wording with others, too few
// times to tell by itself that it is no chance.
func (f *Finder) absorb(all []*cluster) {
	taken := map[*series][]span{}
	for _, c := range all {
		for _, p := range c.parts {
			for _, s := range p.series {
				taken[s] = append(taken[s], span{c.from, c.to})
			}
		}
	}
	for _, c := range all {
		said := map[kind]bool{}
		for _, p := range c.parts {
			for _, s := range p.series {
				k := s.kind
				k.party = nobody
				said[k] = true
			}
		}
		// By wording, with all of those who are not hit so far.
		others := map[kind][]*series{}
		var order []kind
		for _, s := range f.all {
			k := s.kind
			k.party = nobody
			if said[k] && !slices.ContainsFunc(taken[s], func(t span) bool { return t.from <= c.to && c.from <= t.to }) {
				if others[k] == nil {
					order = append(order, k)
				}
				others[k] = append(others[k], s)
			}
		}
		for _, k := range order {
			if !f.more(others[k], c) {
				continue
			}
			for _, s := range others[k] {
				f.take(s, c)
				taken[s] = append(taken[s], span{c.from, c.to})
			}
		}
		c.bound()
	}
}

// more reports that series of a wording have many more lines in an incident than they have, for
// as much mail, in the rest of the log.
func (f *Finder) more(all []*series, c *cluster) bool {
	from, to := minuteOf(c.from)-1, minuteOf(c.to)+2
	in, out := 0.0, 0.0
	for _, s := range all {
		i, o := s.split(from, to, nil)
		in, out = in+i, out+o
	}
	if in == 0 || out == 0 && c.wide() {
		return in > 0
	}
	inside, outside := 0.0, 0.0
	f.flows[directions[c.parts[0].direction]].within(0, endless, func(m minute, o *flow) {
		n := float64(o.attempts()) + float64(o.received) + float64(o.rejected)
		if m >= from && m < to {
			inside += n
		} else {
			outside += n
		}
	})
	return llr(rate, in, 1, (out+0.5)*inside/max(outside, 1)) >= muchMore
}

// directions are the flows of the directions.
var directions = [...]int{smtp.DirectionNone: allIn, smtp.Inbound: allIn, smtp.Outbound: allOut, smtp.Internal: allInternal}

// muchMore is how sure it must be that a wording belongs to an incident that is told by others
// already: see minScore.
const muchMore = 8

// wide reports that a cluster is with more than one party.
func (c *cluster) wide() bool {
	first := c.parts[0].series[0].party
	for _, p := range c.parts {
		for _, s := range p.series {
			if s.party != first {
				return true
			}
		}
	}
	return false
}

func (f *Finder) take(s *series, c *cluster) {
	p := &candidate{of: s.of, direction: s.direction, cause: s.cause, series: []*series{s}, party: s.party, score: c.score}
	p.clip(minuteOf(c.from)-1, minuteOf(c.to)+2)
	if p.lines > 0 {
		c.add(p)
	}
}
