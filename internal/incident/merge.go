package incident

import (
	"cmp"
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
	c.lines += p.lines
	c.score = max(c.score, p.score)
}

const (
	// aPart is which part of an incident's lines its candidates must have to tell where it
	// begins and ends: a few lines can lie before it by chance.
	aPart = 0.15
	// strides is how many times the usual distance of its lines a line may lie off the others
	// to belong to them.
	strides = 6
)

// bound sets the ends: those of its greater parts, and from there on as far as its lines
// follow each other as closely as within.
func (c *cluster) bound() {
	c.from, c.to = c.parts[0].from, c.parts[0].to
	for _, p := range c.parts {
		if p.lines >= aPart*c.lines {
			c.from, c.to = min(c.from, p.from), max(c.to, p.to)
		}
	}
	stride := int64(strides * float64(c.to-c.from+60) / c.lines)
	var times []int64
	for _, p := range c.parts {
		for _, s := range p.series {
			s.within(min(p.from, c.from), max(p.to, c.to), func(r *record) { times = append(times, r.at) })
		}
	}
	slices.Sort(times)
	i, _ := slices.BinarySearch(times, c.from)
	for i--; i >= 0 && c.from-times[i] <= stride; i-- {
		c.from = times[i]
	}
	i, _ = slices.BinarySearch(times, c.to+1)
	for ; i < len(times) && times[i]-c.to <= stride; i++ {
		c.to = times[i]
	}
	c.trim()
	c.follow()
	c.only()
}

const (
	// lone is how many times the usual distance of its lines one of the outermost lies off the
	// others to be none of them, where its wording stands elsewhere in the log too.
	lone = 8
	// loners is how many lines may be left out so at either end.
	loners = 2
)

// trim moves the ends over lines that stand alone.
func (c *cluster) trim() {
	type at struct {
		time  int64
		usual bool
	}
	var all []at
	for _, p := range c.parts {
		for _, s := range p.series {
			usual := s.first < c.from-breath || s.last > c.to+breath
			s.within(c.from, c.to, func(r *record) { all = append(all, at{r.at, usual}) })
		}
	}
	slices.SortStableFunc(all, func(a, b at) int { return cmp.Compare(a.time, b.time) })
	if len(all) < lone {
		return
	}
	far := lone * (c.to - c.from) / int64(len(all))
	for i := range loners {
		if gap := all[i+1].time - all[i].time; gap > farAway*far || all[i].usual && gap > far {
			c.from = all[i+1].time
		}
		j := len(all) - 1 - i
		if gap := all[j].time - all[j-1].time; gap > farAway*far || all[j].usual && gap > far {
			c.to = all[j-1].time
		}
	}
}

// farAway is how many times as far away even a line is none of them whose wording stands
// nowhere else.
const farAway = 3

// only moves the ends on to all lines in wordings that stand nowhere else in the log, where
// they are not far away.
func (c *cluster) only() {
	from, to := c.from, c.to
	reach := min(breath, int64(lone*farAway*float64(c.to-c.from+60)/c.lines))
	for _, p := range c.parts {
		for _, s := range p.series {
			if s.first >= c.from-reach && s.last <= c.to+reach {
				from, to = min(from, s.first), max(to, s.last)
			}
		}
	}
	c.from, c.to = from, to
}

// follow moves the end on to the last line of those deliveries that fail again, and in the
// same way, soon after what seemed to be it: a provider that lets some mail through again does
// not take all of it yet.
func (c *cluster) follow() {
	pairs := map[int32]bool{}
	var later []record
	for _, p := range c.parts {
		for _, s := range p.series {
			for i := range s.records {
				switch r := &s.records[i]; {
				case r.pair == none || r.at < c.from:
				case r.at <= c.to:
					pairs[r.pair] = true
				default:
					later = append(later, *r)
				}
			}
		}
	}
	slices.SortFunc(later, func(a, b record) int { return cmp.Compare(a.at, b.at) })
	for _, r := range later {
		if r.at-c.to > breath {
			return
		}
		if pairs[r.pair] {
			c.to = r.at
		}
	}
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
	}
	return slices.ContainsFunc(c.parts, func(o *candidate) bool { return same(o, p, chances) })
}

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
	return together(a, b, chances)
}

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
	first, last, inside, outside := int64(0), int64(0), 0.0, 0.0
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
			if first == 0 || r.at < first {
				first = r.at
			}
			last = max(last, r.at)
		})
	}
	if inside < 1 || outside > max(2, strayed*(inside+outside)) {
		return false
	}
	pace := inside / float64(last-first+60)
	return pace*float64(first-many.from) <= chances && pace*float64(many.to-last) <= chances
}

// strayed is which part of a candidate's lines may lie outside of the other one's time.
const strayed = 0.2

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

// leastLines is how many lines an incident has at least.
func leastLines(of Kind, d smtp.Direction, severity knowledge.Severity) float64 {
	switch {
	case d != smtp.Inbound:
		return fewest
	case of == Sessions:
		return fewBroken
	case of == Logins || severity <= knowledge.Warning:
		return fewRefused
	}
	return fewestOurs
}

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
	if main.direction == smtp.Inbound {
		times := 2.0
		if main.of != Failures || severity <= knowledge.Warning {
			times = timesUsual
		}
		return c.lines >= leastLines(main.of, main.direction, severity) && c.lines >= times*expected
	}
	deliveries, messages, recipients := map[uint64]bool{}, map[uint32]bool{}, map[name]bool{}
	thinned := false
	for _, p := range c.parts {
		for _, s := range p.series {
			thinned = thinned || s.gone > 0
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
	return c.lines >= 2*expected && (f.worked(c) || aboutUs(main.cause)) && f.weighs(c, float64(len(deliveries)))
}

const (
	// enoughFailed deliveries, or enoughPart of those that were tried with those that are hit,
	// fail in an incident; fewer are no trouble, however unusual they are.
	enoughFailed = 20
	enoughPart   = 0.1
)

// weighs reports that enough of what was tried failed. A delivery counts once, however often
// it was tried.
func (f *Finder) weighs(c *cluster, failed float64) bool {
	if failed >= enoughFailed || c.parts[0].direction == smtp.Internal {
		return true
	}
	parties := map[partyID]bool{}
	for _, p := range c.parts {
		for _, s := range p.series {
			s.within(c.from, c.to, func(r *record) { parties[r.party] = true })
		}
	}
	tried := 0.0
	for who := range parties {
		f.parties.all[who].flow.within(minuteOf(c.from), minuteOf(c.to)+1, func(_ minute, o *flow) { tried += float64(o.attempts()) })
	}
	return failed >= enoughPart*(max(tried-c.lines, 0)+failed)
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
// mail for many is hit, whoever was to take it.
func (f *Finder) worked(c *cluster) bool {
	domains := map[string]bool{}
	for _, p := range c.parts {
		if p.direction != smtp.Outbound {
			return true
		}
		for _, s := range p.series {
			if who := f.parties.all[s.party]; s.party != nobody && (who.sent > 0 || who.provider != 0) {
				return true
			}
			s.within(c.from, c.to, func(r *record) {
				if len(domains) < fewMessages {
					domains[domainOf(f.names.text(r.to))] = true
				}
			})
		}
	}
	return len(domains) >= fewMessages
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
