package incident

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// triggerBefore and triggerAfter are how long before and after the beginning of an
	// incident something happens that may have to do with it.
	triggerBefore, triggerAfter = 15 * 60, 2 * 60
	// restartBefore is how long before it a start, a stop or a configuration error does: what
	// it changes may show later.
	restartBefore = 60 * 60
	mostTriggers  = 10
)

// triggers lists what was new near the beginning: correlation, not cause.
func (b *builder) triggers() {
	for _, n := range b.notable.all {
		for i, r := range n.runs {
			before := b.from - r.first
			limit := int64(triggerBefore)
			if n.what == Started || n.what == StoppedMark || n.what == ConfigError {
				limit = restartBefore
			}
			if before > limit || before < -triggerAfter || n.what == WarningLine && i > 0 && recent(n.runs[:i], r.first) {
				continue
			}
			m := Mark{Time: b.time(r.first), What: n.what, Count: r.n, Text: r.text, Line: b.line(&r.line)}
			b.out.Triggers = append(b.out.Triggers, Trigger{Mark: m, Before: time.Duration(before) * time.Second})
		}
	}
	for i := range b.notable.many {
		m := &b.notable.many[i]
		if before := b.from - m.at; before <= triggerBefore && before >= -triggerAfter {
			mark := Mark{Time: b.time(m.at), What: ManyRcpt, Count: int64(m.n), Line: b.line(&m.line)}
			b.out.Triggers = append(b.out.Triggers, Trigger{Mark: mark, Before: time.Duration(before) * time.Second, Name: m.id})
		}
	}
	b.spikes()
	slices.SortStableFunc(b.out.Triggers, func(x, y Trigger) int {
		if x, y := ranks[x.What], ranks[y.What]; x != y {
			return x - y
		}
		if c := y.Time.Compare(x.Time); c != 0 {
			return c
		}
		return int(seedless(x.Text)>>40) - int(seedless(y.Text)>>40)
	})
	b.out.Triggers = b.out.Triggers[:min(len(b.out.Triggers), mostTriggers)]
}

// recent reports that a warning was seen in the day before: it is none that is new.
func recent(runs []noticeRun, at int64) bool {
	last := runs[len(runs)-1]
	return at-last.last < 24*3600
}

// spikes finds senders who sent much more than usual, from an hour before the beginning on.
func (b *builder) spikes() {
	if b.out.Direction == smtp.Inbound { // what comes to us is sent by strangers
		return
	}
	from, to := minuteOf(b.from), minuteOf(b.to)
	for i := range b.senders.all {
		s := &b.senders.all[i]
		if s.total < spikeLeast {
			continue
		}
		near, all, first := int64(0), int64(0), minute(0)
		s.track.within(0, endless, func(m minute, n *hits) {
			all += int64(*n)
			if m >= from-spikeSpan && m <= to {
				near += int64(*n)
				if first == 0 {
					first = m
				}
			}
		})
		long := float64(to-from+spikeSpan) / 60 // hours
		usual := float64(all-near) / max(float64(b.last-b.first)/3600-long, 1)
		if near >= spikeLeast && float64(near) >= spikeTimes*(usual*long+1) {
			m := Mark{Time: b.time(first.unix()), What: SenderSpike, Count: near}
			b.out.Triggers = append(b.out.Triggers, Trigger{Mark: m, Before: time.Duration(from-first) * time.Minute, Name: s.name, Usual: usual})
		}
	}
}

const (
	spikeSpan  = 60 // minutes
	spikeLeast = 30 // deliveries in it
	spikeTimes = 6  // times what is usual
)
