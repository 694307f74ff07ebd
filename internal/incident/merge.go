package incident

import (
	"cmp"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

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
		i := slices.IndexFunc(out, func(o *cluster) bool { return o.takes(c) })
		if i < 0 {
			out = append(out, &cluster{})
			i = len(out) - 1
		}
		out[i].add(c)
	}
	out = again(out)
	for _, c := range out {
		c.bound()
	}
	return out
}

// again unites clusters until none are left that are one: two may have met a third.
func again(all []*cluster) []*cluster {
	for i := 0; i < len(all); i++ {
		for j := i + 1; j < len(all); j++ {
			if !slices.ContainsFunc(all[j].parts, all[i].takes) {
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

// takes reports that a candidate is of the same incident as the cluster's. What is with many
// parties already is so with one more, even where that one's few lines begin late.
func (c *cluster) takes(p *candidate) bool {
	parties := map[partyID]bool{p.party: true}
	for _, o := range c.parts {
		parties[o.party] = true
		for _, s := range o.series {
			parties[s.party] = true
		}
	}
	chances := float64(chance)
	if len(parties) >= manyParties {
		chances *= 2
		if c.holds(p) {
			return true
		}
	}
	return slices.ContainsFunc(c.parts, func(o *candidate) bool { return same(o, p, chances) })
}

// holds reports that a candidate is a small part of what a cluster with many parties is at the
// same time.
func (c *cluster) holds(p *candidate) bool {
	return slices.ContainsFunc(c.parts, func(o *candidate) bool {
		return o.of == p.of && o.cause == p.cause && o.direction == p.direction && p.from >= o.from && p.to <= o.to && p.lines <= smallPart*o.lines
	})
}

// smallPart is which part of the lines of many parties are no incident of one of them.
const smallPart = 0.1

// manyParties is how many parties are many.
const manyParties = 4

// same reports that two candidates are one incident.
func same(a, b *candidate, chances float64) bool {
	switch {
	case a.of != b.of:
		// Those who guess passwords break their sessions too.
		return (a.of == Logins || b.of == Logins) && (a.of == Sessions || b.of == Sessions) && together(a, b, chances)
	case !related(a.cause, b.cause):
		return false
	case a.direction != b.direction:
		return a.cause == b.cause && a.cause != knowledge.Login && together(a, b, chances)
	case a.cause == b.cause && a.party == b.party:
		return together(a, b, chances) || near(a, b)
	case a.cause != b.cause && a.party != b.party && a.party != nobody && b.party != nobody:
		return false
	}
	return together(a, b, chances) || a.cause == b.cause && alike(a, b)
}

// alike reports that one of two candidates that are short of lines is what failed alike with
// many others, in the same words and at the same time: too few to tell when each began.
func alike(a, b *candidate) bool {
	if (a.party == nobody) == (b.party == nobody) || min(a.lines, b.lines) > shortOfLines {
		return false
	}
	both := min(a.to, b.to) - max(a.from, b.from)
	return float64(both) >= overlap*float64(min(a.to-a.from, b.to-b.from)) && slices.ContainsFunc(a.series, func(x *series) bool {
		return slices.ContainsFunc(b.series, func(y *series) bool { return x.wording == y.wording })
	})
}

const (
	shortOfLines = 20
	overlap      = 0.8 // of the shorter one's time
)

// chance is how many lines may lie between two beginnings, or ends, that are the same one:
// when so many are to be expected, none at all is hardly ever met by chance.
const chance = 5

// together reports that two candidates began and ended together, as far as the one that has
// fewer lines can tell: a few of them may lie outside by chance, and where it begins later or
// ends earlier than the other one, few of its lines were to be expected there.
func together(a, b *candidate, chances float64) bool {
	few, many := a, b
	if few.lines > many.lines {
		few, many = many, few
	}
	first, last, inside, outside, within := int64(0), int64(0), 0.0, 0.0, 0.0
	tried := map[uint64]bool{} // that one delivery is tried again tells nothing
	for _, s := range few.series {
		s.within(few.from, few.to, func(r *record) {
			again := r.pair != none && tried[uint64(r.message)<<32|uint64(r.to)]
			if r.pair != none {
				tried[uint64(r.message)<<32|uint64(r.to)] = true
			}
			switch {
			case r.at < many.from || r.at > many.to:
				outside += float64(r.count)
				return
			case !again:
				inside += float64(r.count)
			}
			within += float64(r.count)
			if first == 0 || r.at < first {
				first = r.at
			}
			last = max(last, r.at)
		})
	}
	if within < 1 || outside > max(2, strayed*(within+outside)) {
		return false
	}
	inside = max(inside, 1)
	pace := inside / float64(last-first+60)
	return pace*float64(first-many.from) <= chances && pace*float64(many.to-last) <= chances
}

// strayed is which part of a candidate's lines may lie outside of the other one's time.
const strayed = 0.2

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
