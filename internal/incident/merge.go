package incident

import (
	"cmp"
	"math"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// cluster is candidates that are one incident: they came and went together.
type cluster struct {
	parts    []*candidate // the one with the most lines first
	from, to int64
	lines    float64
	score    float64
}

func (c *cluster) add(p *candidate) {
	c.parts = append(c.parts, p)
	slices.SortStableFunc(c.parts, func(a, b *candidate) int { return -cmp.Compare(a.lines, b.lines) })
	if c.from == 0 || p.from < c.from {
		c.from = p.from
	}
	c.to = max(c.to, p.to)
	c.lines += p.lines
	c.score = max(c.score, p.score)
}

// families are causes that one trouble may show as, at the same time: who cannot be reached,
// who does not want our mail, what is wrong with our own machine.
var families = [knowledge.NumCauses]uint8{
	knowledge.Connection: 1, knowledge.DomainNotFound: 1, knowledge.ServerTrouble: 1, knowledge.TLS: 1, knowledge.Protocol: 1,
	knowledge.RateLimited: 2, knowledge.Reputation: 2, knowledge.Blocklisted: 2, knowledge.SpamContent: 2, knowledge.ClientBlocked: 2, knowledge.Policy: 2,
	knowledge.AuthDMARC: 3, knowledge.ReverseDNS: 3, knowledge.SenderRejected: 3,
	knowledge.RecipientUnknown: 4, knowledge.RecipientMoved: 4, knowledge.MailboxDisabled: 4, knowledge.RecipientRefused: 4, knowledge.DomainNoMail: 4,
	knowledge.Login: 5, knowledge.RelayDenied: 5,
}

func related(a, b knowledge.Cause) bool {
	return a == b || families[a] != 0 && families[a] == families[b]
}

// unite puts the candidates together that are one incident.
func unite(all []*candidate) []*cluster {
	slices.SortStableFunc(all, func(a, b *candidate) int {
		return cmp.Or(-cmp.Compare(a.lines, b.lines), cmp.Compare(a.from, b.from), cmp.Compare(a.cause, b.cause), cmp.Compare(a.party, b.party))
	})
	var out []*cluster
	for _, c := range all {
		i := slices.IndexFunc(out, func(o *cluster) bool {
			return slices.ContainsFunc(o.parts, func(p *candidate) bool { return same(p, c) })
		})
		if i < 0 {
			out = append(out, &cluster{})
			i = len(out) - 1
		}
		out[i].add(c)
	}
	return again(out)
}

// again unites clusters until none are left that are one: two may have met a third.
func again(all []*cluster) []*cluster {
	for i := 0; i < len(all); i++ {
		for j := i + 1; j < len(all); j++ {
			if !slices.ContainsFunc(all[i].parts, func(a *candidate) bool {
				return slices.ContainsFunc(all[j].parts, func(b *candidate) bool { return same(a, b) })
			}) {
				continue
			}
			for _, p := range all[j].parts {
				all[i].add(p)
			}
			all = slices.Delete(all, j, j+1)
			j = i
		}
	}
	return all
}

// same reports that two candidates are one incident.
func same(a, b *candidate) bool {
	switch {
	case a.of != b.of:
		// Those who guess passwords break their sessions too.
		sessions, other := a, b
		if b.of == Sessions {
			sessions, other = b, a
		}
		return sessions.of == Sessions && other.direction == smtp.Inbound && together(a, b)
	case !related(a.cause, b.cause):
		return false
	case a.direction != b.direction:
		return a.cause == b.cause && a.cause != knowledge.Login && together(a, b)
	case a.cause == b.cause && a.party == b.party:
		return together(a, b) || near(a, b)
	case a.cause != b.cause && a.party != b.party && a.party != nobody && b.party != nobody:
		return false
	}
	return together(a, b)
}

// chance is how many lines may lie between two beginnings, or ends, that are the same one:
// when so many are to be expected, none at all is hardly ever met by chance.
const chance = 5

// together reports that two candidates began and ended together, as far as the one that has
// fewer lines can tell.
func together(a, b *candidate) bool {
	first, last := max(a.from, b.from), min(a.to, b.to)
	if last < first {
		return false
	}
	few := min(a.pace(), b.pace())
	began, ended := math.Abs(float64(a.from-b.from)), math.Abs(float64(a.to-b.to))
	return few*began <= chance && few*ended <= chance
}

// pace is how many lines come in a second.
func (c *candidate) pace() float64 { return c.lines / float64(c.to-c.from+60) }

// near reports that one candidate goes on soon after the other ends: it only drew breath.
func near(a, b *candidate) bool {
	if b.from < a.from {
		a, b = b, a
	}
	pause := float64(b.from - a.to)
	return pause <= breath || pause <= float64(min(a.to-a.from, b.to-b.from))/2
}

// breath is how many seconds of calm do not end an incident.
const breath = 900

const (
	// fewDeliveries and fewMessages are how many deliveries of how many messages to how many
	// recipients fail in an incident, at least: one message with a wrong address that is tried
	// again and again is none.
	fewDeliveries = 4
	fewMessages   = 3
	// fewRefused and fewBroken are how many lines of what strangers do that is as it should
	// be, refused, are one; and how many times more than usual that is.
	fewRefused  = 50
	fewBroken   = 20
	timesUsual  = 4
	fewestOurs  = 8 // refusals of ours that are our own trouble
	recurrences = 4 // so many others alike, and in a longer log one of them in every third day, are the usual course of things
)

// matters reports that a cluster is one that somebody has to know of.
func (f *Finder) matters(c *cluster) bool {
	main := c.parts[0]
	severity := knowledge.Info
	for _, p := range c.parts {
		for _, s := range p.series {
			severity = max(severity, s.note.Severity)
		}
	}
	expected := 0.0
	for _, p := range c.parts {
		expected += p.expected
	}
	switch {
	case main.direction == smtp.Inbound && main.of == Sessions:
		return c.lines >= fewBroken && c.lines >= timesUsual*expected
	case main.direction == smtp.Inbound && (severity <= knowledge.Warning || main.of == Logins):
		return c.lines >= fewRefused && c.lines >= timesUsual*expected
	case main.direction == smtp.Inbound:
		return c.lines >= fewestOurs && c.lines >= 2*expected
	}
	deliveries, messages, recipients := map[uint64]bool{}, map[uint32]bool{}, map[name]bool{}
	thinned := false
	for _, p := range c.parts {
		for _, s := range p.series {
			thinned = thinned || s.thinned >= c.from
			s.within(c.from, c.to, func(r *record) {
				deliveries[uint64(r.message)<<32|uint64(r.to)] = true
				messages[r.message] = true
				recipients[r.to] = true
			})
		}
	}
	if thinned {
		return true
	}
	if len(deliveries) < fewDeliveries || len(messages) < fewMessages || len(recipients) < fewMessages && main.cause != knowledge.Expired {
		return false
	}
	return c.lines >= 2*expected && (f.worked(c) || aboutUs(main.cause))
}

// aboutUs reports a cause that is about a whole way of mail, ours or theirs, and not about an
// address: a domain that never took any mail may be one that somebody mistyped.
func aboutUs(c knowledge.Cause) bool {
	switch c {
	case knowledge.DomainNotFound, knowledge.DomainNoMail, knowledge.RecipientUnknown, knowledge.MailboxFull, knowledge.MailboxDisabled, knowledge.RecipientMoved, knowledge.Connection:
		return false
	}
	return true
}

// worked reports that one of those that are hit took mail at some time in the log, or that
// they are many.
func (f *Finder) worked(c *cluster) bool {
	parties := map[partyID]bool{}
	for _, p := range c.parts {
		if p.direction != smtp.Outbound {
			return true
		}
		for _, s := range p.series {
			who := f.parties.all[s.party]
			if s.party == nobody || who.sent > 0 || who.provider != 0 {
				return true
			}
			parties[s.party] = true
		}
	}
	return len(parties) > 3
}

// recurs reports that a cluster is one of many alike: the usual course of things in this
// log.
func (f *Finder) recurs(c *cluster, all []*cluster) bool {
	alike := 0
	for _, o := range all {
		if o == c || o.parts[0].cause != c.parts[0].cause || o.parts[0].direction != c.parts[0].direction || o.parts[0].of != c.parts[0].of {
			continue
		}
		if o.parts[0].party == c.parts[0].party && o.lines >= c.lines/3 {
			alike++
		}
	}
	days := float64(f.last-f.first) / (24 * 3600)
	return alike >= recurrences && float64(alike) >= days/3
}
