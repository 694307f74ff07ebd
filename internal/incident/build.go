package incident

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// builder makes an incident of a cluster.
type builder struct {
	*Finder
	*cluster
	out    *Incident
	found  *Report
	series []*series
	whos   map[partyID]int64 // lines by party
}

// build gathers all that is told of a cluster.
func (f *Finder) build(c *cluster, found *Report) *Incident {
	b := &builder{Finder: f, cluster: c, found: found, whos: map[partyID]int64{}}
	main := c.parts[0]
	b.out = &Incident{Kind: main.of, Direction: main.direction, Start: f.time(c.from), End: f.time(c.to)}
	for _, p := range c.parts {
		for _, s := range p.series {
			if !slices.Contains(b.series, s) {
				b.series = append(b.series, s)
			}
		}
	}
	b.causes()
	b.replies()
	b.count()
	b.scope()
	b.usual()
	b.peak()
	b.status()
	b.severity()
	b.evidence()
	b.timeline()
	b.spared()
	b.triggers()
	b.example()
	b.commands()
	return b.out
}

func (f *Finder) time(unix int64) time.Time {
	if unix == 0 {
		return time.Time{}
	}
	t := time.Unix(unix, 0)
	if f.zone != nil {
		t = t.In(f.zone)
	}
	return t
}

// in is how many lines of a series lie in the incident: by its records, and where those were
// given up by the minute.
func (b *builder) in(s *series) (n int64) {
	if s.gone == 0 {
		s.within(b.from, b.to, func(r *record) { n += int64(r.count) })
		return n
	}
	s.hits.within(minuteOf(b.from), minuteOf(b.to)+1, func(_ minute, h *hits) { n += int64(*h) })
	return n
}

func (b *builder) causes() {
	for _, s := range b.series {
		n := b.in(s)
		if s.party == nobody {
			s.within(b.from, b.to, func(r *record) { b.whos[r.party] += int64(r.count) })
		} else {
			b.whos[s.party] += n
		}
		i := slices.IndexFunc(b.out.Causes, func(c CauseCount) bool { return c.Cause == s.cause })
		if i < 0 {
			i = len(b.out.Causes)
			b.out.Causes = append(b.out.Causes, CauseCount{Cause: s.cause, Entry: s.note.Entry})
		}
		b.out.Causes[i].Count += n
	}
	slices.SortStableFunc(b.out.Causes, func(x, y CauseCount) int { return -cmp.Compare(x.Count, y.Count) })
	b.out.Cause = b.parts[0].cause
	if len(b.out.Causes) > 0 && b.out.Kind == Failures {
		b.out.Cause = b.out.Causes[0].Cause
	}
}

// maxReplies is how many wordings are told of an incident.
const maxReplies = 12

func (b *builder) replies() {
	type wordingOf struct {
		wording uint64
		cause   knowledge.Cause
	}
	place := map[wordingOf]int{}
	for _, s := range b.series {
		n := b.in(s)
		if n == 0 {
			continue
		}
		k := wordingOf{s.wording, s.cause}
		i, ok := place[k]
		if !ok {
			i = len(b.out.Replies)
			place[k] = i
			b.out.Replies = append(b.out.Replies, s.reply)
			b.out.Replies[i].New = true
		}
		r := &b.out.Replies[i]
		r.Count += n
		r.New = r.New && s.began() >= b.from
		s.within(b.from, b.to, func(x *record) {
			if t := b.time(x.at); r.First.IsZero() || t.Before(r.First) {
				r.First = t
			}
			if t := b.time(x.at); t.After(r.Last) {
				r.Last = t
			}
		})
	}
	slices.SortStableFunc(b.out.Replies, func(x, y Reply) int { return cmp.Or(-cmp.Compare(x.Count, y.Count), strings.Compare(x.Text, y.Text)) })
	if len(b.out.Replies) > 0 {
		b.out.Stage = b.out.Replies[0].Stage
	}
	b.out.Replies = b.out.Replies[:min(len(b.out.Replies), maxReplies)]
}

// scope tells how many are hit.
func (b *builder) scope() {
	if b.out.Direction != smtp.Outbound {
		b.out.Scope = All
		return
	}
	top, total, known := nobody, int64(0), 0
	for who, n := range b.whos {
		total += n
		if n > b.whos[top] || n == b.whos[top] && who < top {
			top = who
		}
		if who != nobody && n > 0 {
			known++
		}
	}
	if top != nobody && float64(b.whos[top]) >= oneParty*float64(total) {
		b.out.Scope = One
		b.out.Party, b.out.Provider = b.parties.all[top].name, b.parties.all[top].provider
		return
	}
	b.out.Scope = Several
	if active := b.active(); known >= 3 && float64(known) >= allParties*float64(active) {
		b.out.Scope = All
	}
}

const (
	// oneParty is which part of the lines are of one party for the incident to be with that
	// one alone, and allParties which part of those with whom there was anything to do are hit
	// for it to be with all.
	oneParty, allParties = 0.9, 0.6
)

// active is with how many parties there was anything to do in the incident.
func (b *builder) active() (n int) {
	for _, p := range b.parties.all[1:] {
		any := false
		p.flow.within(minuteOf(b.from), minuteOf(b.to)+1, func(minute, *flow) { any = true })
		if any {
			n++
		}
	}
	return n
}

// flowOf calls f for the buckets of the flow that is hit.
func (b *builder) flowOf(since, until minute, f func(minute, *flow)) {
	switch {
	case b.out.Direction == smtp.Inbound:
		b.flows[allIn].within(since, until, f)
		b.flows[submitted].within(since, until, f)
	case b.out.Direction == smtp.Internal:
		b.flows[allInternal].within(since, until, f)
	case b.out.Scope == All:
		b.flows[allOut].within(since, until, f)
	default:
		for who, n := range b.whos {
			if n > 0 {
				b.parties.all[who].flow.within(since, until, f)
			}
		}
	}
}

// directionOf calls f for the buckets of all that goes the same way.
func (b *builder) directionOf(since, until minute, f func(minute, *flow)) {
	which := allOut
	switch b.out.Direction {
	case smtp.Inbound:
		which = allIn
	case smtp.Internal:
		which = allInternal
	}
	b.flows[which].within(since, until, f)
}

// tries is what could have failed.
func (b *builder) tries(c *flow) int64 {
	if b.out.Direction == smtp.Inbound {
		return int64(c.received) + int64(c.rejected) + int64(c.logins) + int64(c.broken)
	}
	return c.attempts()
}

// usual compares with the rest of the log.
func (b *builder) usual() {
	u, im := &b.out.Usual, &b.out.Impact
	from, to := minuteOf(b.from), minuteOf(b.to)
	b.flowOf(from, to+1, func(_ minute, c *flow) { im.Attempts += b.tries(c) })
	b.directionOf(from, to+1, func(_ minute, c *flow) { im.All += b.tries(c) })
	n := b.lineCount()
	im.Attempts, im.All = max(im.Attempts, n), max(im.All, n)
	if im.Attempts > 0 {
		im.Share, im.ShareAll = float64(n)/float64(im.Attempts), float64(n)/float64(im.All)
	}
	var rest int64
	b.flowOf(0, from, func(_ minute, c *flow) { u.Attempts += b.tries(c) })
	b.flowOf(to+1, endless, func(_ minute, c *flow) { u.Attempts += b.tries(c) })
	causes := map[knowledge.Cause]bool{}
	for _, c := range b.out.Causes {
		causes[c.Cause] = true
	}
	for _, s := range b.Finder.all {
		if !causes[s.cause] || s.of != b.out.Kind || s.direction != b.out.Direction || b.out.Scope != All && b.whos[s.party] == 0 {
			continue
		}
		s.hits.within(0, from, func(_ minute, h *hits) { rest += int64(*h) })
		s.hits.within(to+1, endless, func(_ minute, h *hits) { rest += int64(*h) })
	}
	u.Count = rest
	u.Span = time.Duration(b.observed(b.first, b.from)+b.observed(b.to, b.last)) * time.Second
	u.Known = u.Span >= time.Hour && u.Attempts > 0
	if u.Attempts > 0 {
		u.Share = float64(rest) / float64(u.Attempts)
	}
	if hours := u.Span.Hours(); hours > 0 {
		u.PerHour = float64(rest) / hours
	}
	u.Expected = u.Share * float64(im.Attempts)
	if b.out.Direction == smtp.Inbound {
		u.Expected = u.PerHour * b.out.End.Sub(b.out.Start).Hours()
	}
	u.Score, u.Daily = math.Round(b.score*10)/10, b.parts[0].daily
}

func (b *builder) lineCount() (n int64) {
	for _, c := range b.out.Causes {
		n += c.Count
	}
	return n
}

func (b *builder) peak() {
	at := map[minute]int64{}
	shift := uint8(0)
	for _, s := range b.series {
		shift = max(shift, s.hits.shift)
	}
	for _, s := range b.series {
		s.hits.within(minuteOf(b.from)>>shift<<shift, minuteOf(b.to)+1, func(m minute, h *hits) { at[m>>shift<<shift] += int64(*h) })
	}
	top := minute(0)
	for m, n := range at {
		if n > at[top] || n == at[top] && m < top {
			top = m
		}
	}
	b.out.Peak, b.out.PeakCount, b.out.PeakWidth = b.time(top.unix()), at[top], time.Minute<<shift
}

// severity is that of the cause, less where little of what goes that way is hit, and of what
// strangers do.
func (b *builder) severity() {
	for _, s := range b.series {
		if s.cause == b.out.Cause {
			b.out.Severity = max(b.out.Severity, s.note.Severity)
		}
	}
	im := &b.out.Impact
	switch {
	case b.out.Direction == smtp.Inbound && b.out.Severity < knowledge.Error:
		b.out.Severity = knowledge.Warning
	case b.out.Severity == knowledge.Info:
		b.out.Severity = knowledge.Warning
	}
	if b.out.Direction != smtp.Inbound && im.ShareAll >= mostOfAll && b.lineCount() >= 20 {
		b.out.Severity = min(b.out.Severity+1, knowledge.Critical)
	}
	if b.out.Direction != smtp.Inbound && im.Lost > 0 && im.Share >= mostOfAll {
		b.out.Severity = max(b.out.Severity, knowledge.Error)
	}
}

// mostOfAll is which part of all that goes one way fails for an incident to be a step worse.
const mostOfAll = 0.5

// domainOf is the domain of an address, "" for none.
func domainOf(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return strings.ToLower(address[i+1:])
	}
	return ""
}

// hostDomain is the domain that a host is in.
func hostDomain(host string) string { return summary.Domain(strings.ToLower(host)) }
