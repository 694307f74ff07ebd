package live

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
)

const (
	// stopped is how many deliveries must fail one after the other for a flow to count as
	// stopped, and stood for how long at least; flowing is how long none may fail after the
	// first success. Less than that is the usual coming and going.
	stopped = 3
	stood   = time.Minute
	flowing = time.Minute
)

// flow is how deliveries to a party go, from the first that failed on.
type flow struct {
	fails  int       // in a row; 0: none did
	since  time.Time // of the first of them
	sent   time.Time // the first that went through again; zero: none did
	marked bool      // the next one that goes through is waited for
}

// flows are how deliveries go to the parties to which some failed. Of each delivery that went
// through it is asked whether it went to one of them, and mostly it did not: that is told by
// marks of their ends, which are few enough to stay in the processor's caches.
type flows struct {
	marks marks
	again []*party         // those to which mail flows again, but not for long enough to say so
	hosts map[string][]End // what the hosts of a provider end with, by its name
}

func newFlows(base *knowledge.Base) *flows {
	hosts := map[string][]End{}
	for i := range base.Providers {
		p := &base.Providers[i]
		for _, host := range p.Hosts {
			hosts[p.Name] = append(hosts[p.Name], EndOf([]byte(host)))
		}
	}
	return &flows{hosts: hosts}
}

// failed takes a delivery to a party that failed.
func (f *flows) failed(w *Watch, who *party) {
	p := &who.flow
	if p.fails == 0 {
		p.since = w.now
	}
	p.fails++
	if !p.sent.IsZero() {
		p.sent = time.Time{}
		f.again = slices.DeleteFunc(f.again, func(a *party) bool { return a == who })
	}
	f.mark(who, true)
}

// mark has the next delivery to a party that goes through waited for, or not any more.
func (f *flows) mark(who *party, wait bool) {
	if who.flow.marked == wait {
		return
	}
	who.flow.marked = wait
	f.marks.set(who.end, wait)
	for _, e := range f.hosts[who.name] {
		f.marks.set(e, wait)
	}
}

// end lets a flow go: deliveries do not fail any more.
func (f *flows) end(who *party) {
	f.mark(who, false)
	who.flow = flow{}
}

// sweep takes those whose flow was let go out of those to which mail flows again.
func (f *flows) sweep() {
	f.again = slices.DeleteFunc(f.again, func(who *party) bool { return who.flow.sent.IsZero() })
}

// mayWait reports that a delivery may have gone to a party of which one is waited for, by what its names end with; zero
// where that is not known.
func (f *flows) mayWait(ends Ends) bool {
	return f.marks.has(ends.Host) || f.marks.has(ends.To) || ends == Ends{}
}

// sent takes a delivery to a recipient, by way of a party: a party may be known by either.
func (f *flows) sent(w *Watch, s *session.Step, words Words) {
	ends := words.Ends()
	if s.Host != 0 && f.marks.has(ends.Host) {
		f.went(w, w.parties.all[w.party(s, words)])
	}
	if f.marks.has(ends.To) {
		var room [64]byte
		if number, ok := w.parties.byName[string(appendLower(room[:0], words.Domain()))]; ok {
			f.went(w, w.parties.all[number])
		}
	}
}

func (f *flows) went(w *Watch, who *party) {
	p := &who.flow
	switch {
	case !p.marked:
	case p.fails < stopped || w.now.Sub(p.since) < stood:
		f.end(who)
	default:
		p.sent = w.now
		f.again = append(f.again, who)
		f.mark(who, false)
	}
}

// over tells of the parties to which mail flows again, the one to which it did first first.
func (f *flows) over(w *Watch) {
	for len(f.again) > 0 && w.now.Sub(f.again[0].flow.sent) >= flowing {
		who := f.again[0]
		f.again = slices.Delete(f.again, 0, 1)
		w.tell(&Notice{What: Over, Time: w.now, Party: who.name, For: who.flow.sent.Sub(who.flow.since)})
		for _, t := range who.troubles {
			if t.stops() && !t.Last.Before(who.flow.since) {
				t.began, t.held, t.over = false, false, t.Total
			}
		}
		f.end(who)
	}
}
