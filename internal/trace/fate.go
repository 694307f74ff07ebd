package trace

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Message is a message with all that is known of it.
type Message struct {
	Legs       []*Leg // the first first, then in the order in which it went on; the reports about it behind
	Recipients []*Recipient
	Start, End time.Time
	From       []byte
	MessageID  []byte
	Lines      []*Line // of all legs, in order of time
	Untold     int     // so many recipients more than lines tell of
}

// Recipient is what became of the message for one recipient.
type Recipient struct {
	To       string
	Outcome  smtp.Outcome  // of the last try; OutcomeNone when there was none
	Line     *Line         // that tells of it; nil for none
	Leg      *Leg          // where
	Reason   *Line         // of the tries that failed, the last that says why
	Tries    int           // at that server
	After    time.Duration // since the message came to the first server; smtp.NoDelay where that is not told
	Next     Retry         // of one that waits
	Handed   bool          // it was handed on, and the next server's log does not say what it did
	Notified *Leg          // the report that was made of its failure
}

// build makes a message of the leg that began it.
func build(root *Leg, ends func(*Line) time.Time) *Message {
	m := &Message{From: root.From, MessageID: root.MessageID, Start: root.Came()}
	m.walk(root, false)
	for _, g := range m.Legs {
		if m.MessageID == nil {
			m.MessageID = g.MessageID
		}
		if m.From == nil && g.How != HowBounce {
			m.From = g.From
		}
		m.Lines = append(append(m.Lines, g.Lines...), g.Around...)
		if g.End.After(m.End) {
			m.End = g.End
		}
	}
	m.sort()
	m.Recipients = fates(root, map[*Leg]bool{})
	told := 0
	came := map[*Leg]time.Time{} // it takes all lines of a leg to tell, and there may be a recipient a line
	for _, r := range m.Recipients {
		if r.Leg == root || r.Outcome != smtp.OutcomeNone {
			told++
		}
		r.After = smtp.NoDelay
		if r.Line != nil && !r.Line.When.IsZero() && !m.Start.IsZero() {
			r.After = max(0, r.Line.When.Sub(m.Start))
			if r.Leg == root && r.Line.Event.Delay != smtp.NoDelay {
				r.After = r.Line.Event.Delay
			}
		}
		if r.Outcome == smtp.Deferred && r.Leg.Removed == nil {
			if _, known := came[r.Leg]; !known {
				came[r.Leg] = r.Leg.Came()
			}
			r.Next = nextTry(r, came[r.Leg], ends(r.Line))
		}
	}
	m.Untold = max(0, root.Expected-told)
	return m
}

// walk lists the legs: those the message went on in before the reports about it.
func (m *Message) walk(g *Leg, reports bool) {
	m.Legs = append(m.Legs, g)
	for _, k := range g.Kids {
		if k.How != HowBounce {
			m.walk(k, reports)
		}
	}
	for _, k := range g.Kids {
		if k.How == HowBounce {
			m.walk(k, true)
		}
	}
}

// sort puts the lines in order of time; where some logs tell no fractions of a second, those
// of a second in the order of the legs.
func (m *Message) sort() {
	order := map[place]int{}
	coarse := false
	for i, g := range m.Legs {
		for _, l := range g.Lines {
			order[place{l.Input, l.At}] = i
			coarse = coarse || l.When.Nanosecond() == 0
		}
	}
	when := func(l *Line) time.Time {
		if coarse {
			return l.When.Truncate(time.Second)
		}
		return l.When
	}
	slices.SortStableFunc(m.Lines, func(a, b *Line) int {
		if c := when(a).Compare(when(b)); c != 0 {
			return c
		}
		if a.Input != b.Input {
			x, known := order[place{a.Input, a.At}]
			y, also := order[place{b.Input, b.At}]
			if known && also && x != y {
				return x - y
			}
		}
		return byTime(a, b)
	})
}

// fates returns what became of each recipient of a leg, wherever it went from there.
func fates(g *Leg, seen map[*Leg]bool) (all []*Recipient) {
	seen[g] = true
	known := map[string]*Recipient{}
	of := func(ev *smtp.Event) *Recipient {
		key := strings.ToLower(string(ev.To))
		r := known[key]
		if r == nil {
			r = &Recipient{To: string(ev.To), Leg: g}
			known[key] = r
			all = append(all, r)
		}
		return r
	}
	for _, l := range g.Lines {
		ev := l.Event
		switch {
		case ev.Probe:
		case ev.Outcome == smtp.OutcomeNone:
			if ev.Kind == smtp.KindAttempt && len(ev.To) > 0 {
				of(ev)
			}
		case len(ev.To) > 0:
			of(ev).try(l)
		default: // of all that are still there
			for _, r := range all {
				if r.Outcome == smtp.Deferred || r.Outcome == smtp.OutcomeNone {
					r.try(l)
				}
			}
			if len(all) == 0 {
				of(ev).try(l)
			}
		}
	}
	for _, r := range all {
		if r.Outcome == smtp.Bounced || r.Outcome == smtp.Expired {
			r.Notified = g.reportOf(r)
		}
	}
	return onward(g, all, seen)
}

// reportOf returns the report that tells the sender of a failure: the first that was made
// after it.
func (g *Leg) reportOf(r *Recipient) *Leg {
	for _, k := range g.Kids {
		if k.How == HowBounce && !k.Start.Before(r.Line.When.Add(-time.Second)) {
			return k
		}
	}
	return nil
}

// try takes in a line that decides the fate.
func (r *Recipient) try(l *Line) {
	r.Outcome, r.Line = l.Event.Outcome, l
	r.Tries += l.Event.Count()
	if r.Outcome == smtp.Deferred && (r.Reason == nil || l.Event.Reply.Code != 0 || r.Reason.Event.Reply.Code == 0) {
		r.Reason = l
	}
}

// onward puts for the recipients that were handed on to a leg what became of them there.
func onward(g *Leg, all []*Recipient, seen map[*Leg]bool) (out []*Recipient) {
	done := map[*Leg]bool{}
	for _, r := range all {
		next := nextOf(g, r)
		if next == nil || seen[next] && !done[next] {
			r.Handed = r.Outcome == smtp.Sent && len(r.Line.Event.QueuedAs) > 0
			out = append(out, r)
			continue
		}
		if done[next] {
			continue // several recipients went there together
		}
		done[next] = true
		there := fates(next, seen)
		if len(there) == 0 {
			r.Handed = true
			r.Leg = next
			there = []*Recipient{r}
		}
		out = append(out, there...)
	}
	if len(all) == 0 { // all that is known of them is further on
		for _, k := range g.Kids {
			if k.How != HowBounce && !seen[k] {
				out = append(out, fates(k, seen)...)
			}
		}
	}
	return out
}

// nextOf returns the leg in which a message went on for a recipient that was handed on.
func nextOf(g *Leg, r *Recipient) *Leg {
	if r.Outcome != smtp.Sent && !(r.Outcome == smtp.OutcomeNone) {
		return nil
	}
	for _, k := range g.Kids {
		switch k.How {
		case HowQueuedAs:
			if r.Line != nil && bytes.Equal(r.Line.Event.QueuedAs, []byte(k.Queue)) {
				return k
			}
		case HowLocal, HowOther, HowRequeued:
			if k.tellsOf(r.To) {
				return k
			}
		}
	}
	return nil
}

// tellsOf reports that a leg has a line about a recipient.
func (g *Leg) tellsOf(to string) bool {
	return slices.ContainsFunc(g.Lines, func(l *Line) bool {
		return len(to) > 0 && (equalFold(l.Event.To, to) || equalFold(l.Event.OrigTo, to))
	})
}

// Outcome is the outcome of all recipients where they have one in common; else the worst.
func (m *Message) Outcome() (worst smtp.Outcome) {
	for i, r := range m.Recipients {
		if i == 0 || Worse(r.Outcome) > Worse(worst) {
			worst = r.Outcome
		}
	}
	return worst
}

var fromGood = []smtp.Outcome{smtp.Sent, smtp.Discarded, smtp.OutcomeNone, smtp.Deferred, smtp.Rejected, smtp.Bounced, smtp.Expired}

// Worse puts outcomes in an order: the worse, the higher.
func Worse(o smtp.Outcome) int { return slices.Index(fromGood, o) }
