package incident

import (
	"math"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// unlikely is how likely it may be, at most, that what came before or after an incident
	// is of it too, for it to count as its end.
	unlikely = 0.02
	// silence is for how long a log must go on after the last sign of an incident, where
	// nothing was tried since, for it to count as over.
	silence = 3600
)

// status tells whether it is over, and whether the log shows its ends.
func (b *builder) status() {
	from, to := minuteOf(b.from), minuteOf(b.to)
	before, after := b.calm(0, from), b.calm(to+1, endless)
	b.out.OpenStart = before > unlikely
	b.besideGaps(from, to)
	b.out.Recovered = b.recovered()
	calm := b.observed(b.to, b.last)
	switch {
	case after <= unlikely:
		b.out.Status = Recovered
	case b.out.Direction == smtp.Inbound && calm >= silence:
		b.out.Status = Recovered
	case calm >= silence || calm < b.last-b.to:
		b.out.Status = Unknown // nothing was tried since, or there is no log of it
		b.out.OpenEnd = true
	default:
		b.out.Status, b.out.OpenEnd = Ongoing, true
	}
	if b.out.Status == Ongoing {
		b.out.Recovered = time.Time{}
	}
}

// besideGaps tells the gaps of the log in which it may have begun, and gone on.
func (b *builder) besideGaps(from, to minute) {
	for i := range b.found.Gaps {
		g := &b.found.Gaps[i]
		start, end := minuteOf(g.Start.Unix()), minuteOf(g.End.Unix())
		if end <= from+1 && b.calm(end, from) > unlikely {
			b.out.GapBefore = g // the last one of them
		}
		if start >= to && b.out.GapAfter == nil && b.calm(to+1, start) > unlikely {
			b.out.GapAfter = g
		}
	}
}

// strange reports that whom the deliveries failed with never took any: a relay of ours that
// refuses us, or a filter that is down, may look so where the log knows others by the names of
// those behind it.
func (b *builder) strange() bool {
	for who, n := range b.whos {
		if n > 0 && who != nobody && b.parties.all[who].sent > 0 {
			return false
		}
	}
	return b.out.Direction == smtp.Outbound
}

// calm is how likely it is that nothing of the incident is seen in a time though it goes on.
func (b *builder) calm(since, until minute) float64 {
	im := &b.out.Impact
	if b.out.Direction == smtp.Inbound {
		start, end := max(since.unix(), b.first), min(until.unix(), b.last)
		pace := float64(b.lineCount()) / float64(b.to-b.from+60)
		return math.Exp(-pace * float64(b.observed(start, max(start, end))))
	}
	tried, part, of := 0.0, im.Share, b.flowOf
	if b.strange() {
		part, of = im.ShareAll, b.directionOf
	}
	of(since, until, func(_ minute, c *flow) { tried += float64(b.tries(c)) })
	return math.Pow(1-min(part, 0.99), tried)
}

// recovered is when the first delivery succeeded after the incident, to one of those that
// were hit.
func (b *builder) recovered() time.Time {
	if b.out.Direction == smtp.Inbound {
		return time.Time{}
	}
	first := int64(0)
	take := func(at int64) {
		if at >= b.to && (first == 0 || at < first) {
			first = at
		}
	}
	for who, n := range b.whos {
		if n > 0 && who != nobody {
			for _, at := range b.parties.all[who].resumed {
				if at <= b.last {
					take(at)
				}
			}
		}
	}
	if first == 0 {
		// It is known by the minute only.
		of := b.flowOf
		if b.strange() {
			of = b.directionOf
		}
		of(minuteOf(b.to)+1, endless, func(m minute, c *flow) {
			if c.sent > 0 {
				take(m.unix())
			}
		})
	}
	return b.time(first)
}
