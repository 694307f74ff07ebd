package incident

import (
	"math"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// fewDeliveries and fewMessages are how many deliveries of how many messages to how many
	// recipients fail in an incident, at least: one message with a wrong address that is tried
	// again and again is none.
	fewDeliveries = 4
	// fewScore is the least score when each delivery counts once, however often it was tried.
	fewScore    = minScore * 0.6
	fewMessages = 3
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
	if c.score*float64(len(deliveries)) < fewScore*c.lines {
		return false // a few messages that are tried often
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
	tried = max(tried-c.lines, 0) + failed
	if failed < enoughPart*tried {
		return false
	}
	// Where there are thousands of parties, a few of them are met by a row of bad luck: the
	// more there are, and the shorter the time is, the surer it must be that it is none.
	places := float64(len(f.parties.all)) * float64(f.last-f.first+3600) / float64(c.to-c.from+3600)
	return llr(share, failed, tried, tried*min(c.parts[0].prior, mostUsual)) >= luck+math.Log(places)
}

// luck is how sure it must be, in nats, that deliveries fail by more than chance, where there is
// but one place to look at.
const luck = 4

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
