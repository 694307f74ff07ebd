package live

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
)

const (
	// stopped is how many deliveries must fail one after the other for a flow to count as
	// stopped, and stood for how long at least; flowing is how long none may fail after the
	// first success. Less than that is the usual coming and going.
	stopped = 3
	stood   = time.Minute
	flowing = time.Minute
)

// flow is how deliveries to a party go.
type flow struct {
	party string
	of    []*Trouble // that keep mail from it
	fails int        // in a row
	since time.Time  // of the first of them
	sent  time.Time  // the first that went through again; zero: none did
	gone  bool       // it is not among flows any more
}

// flows are the parties to which deliveries failed. Of each delivery that went through it is
// asked whether it went to one of them, and mostly it did not: that is told by marks of the
// last two labels of names, which are few enough to stay in the processor's caches.
type flows struct {
	byParty map[string]*flow
	again   []*flow // those to which mail flows again, but not for long enough to say so

	hosts map[string][]string  // what the hosts of a provider end with, by its name
	marks [1 << 16 / 64]uint64 // those of byParty, and of some that are gone
	gone  int                  // how many
}

// maxGone is how many flows may be gone whose marks are still there, and more where there are
// more flows: each of them makes one in 65536 other names be looked up in vain.
const maxGone = 256

func newFlows(base *knowledge.Base) flows {
	hosts := map[string][]string{}
	for i := range base.Providers {
		hosts[base.Providers[i].Name] = base.Providers[i].Hosts
	}
	return flows{byParty: map[string]*flow{}, hosts: hosts}
}

// mark is a number of the last two labels of a name, in any case. Who chooses names that have
// the number of another's makes them be looked up, and nothing else.
func mark(name []byte) uint16 {
	const prime = 16777619 // FNV-1a's
	h, dots, i := uint32(2166136261), 0, len(name)-1
	if i >= 0 && name[i] == '.' {
		i--
	}
	for ; i >= 0; i-- {
		c := name[i]
		if c == '.' {
			if dots++; dots == 2 {
				break
			}
		}
		h = (h ^ uint32(c|' ')) * prime // letters of either case are one, and so are some others
	}
	return uint16(h >> 16)
}

// marked reports that the mark may be that of a party to which deliveries fail.
func (f *flows) marked(mark uint16) bool { return f.marks[mark/64]>>(mark%64)&1 != 0 }

// setMarks marks a party: a provider by all the names that its hosts have.
func (f *flows) setMarks(party string) {
	f.setMark(party)
	for _, host := range f.hosts[party] {
		f.setMark(host)
	}
}

func (f *flows) setMark(name string) {
	mark := mark([]byte(name))
	f.marks[mark/64] |= 1 << (mark % 64)
}

func (f *flows) failed(w *Watch, t *Trouble) {
	p := t.flow
	if p == nil || p.gone {
		p = f.of(t.Party)
		t.flow, p.of = p, append(p.of, t)
	}
	if p.fails == 0 {
		p.since = w.now
	}
	p.fails++
	if !p.sent.IsZero() {
		p.sent = time.Time{}
		f.again = slices.DeleteFunc(f.again, func(a *flow) bool { return a == p })
	}
}

// of returns the flow of a party.
func (f *flows) of(party string) *flow {
	p := f.byParty[party]
	if p == nil {
		if len(f.byParty) >= maxParties {
			for _, old := range f.byParty {
				f.drop(old)
			}
			f.again = f.again[:0]
		}
		p = &flow{party: party}
		f.byParty[party] = p
		f.setMarks(party)
	}
	return p
}

// drop lets a flow go: deliveries do not fail any more.
func (f *flows) drop(p *flow) {
	p.gone = true
	delete(f.byParty, p.party)
	if f.gone++; f.gone > max(maxGone, len(f.byParty)) {
		clear(f.marks[:])
		for party := range f.byParty {
			f.setMarks(party)
		}
		f.gone = 0
	}
}

// sent takes a delivery to a recipient, by way of a party: a party may be known by either.
func (f *flows) sent(w *Watch, l *summary.Line, words Words) {
	if len(f.byParty) == 0 {
		return
	}
	if l.Host != 0 {
		if host := words.Host(); f.marked(mark(host)) {
			f.went(w, f.byParty[w.parties.all[w.party(l, words)].name])
		}
	}
	if domain := words.Domain(); f.marked(mark(domain)) {
		var room [64]byte
		f.went(w, f.byParty[string(appendLower(room[:0], domain))])
	}
}

func (f *flows) went(w *Watch, p *flow) {
	switch {
	case p == nil || !p.sent.IsZero():
	case p.fails < stopped || w.now.Sub(p.since) < stood:
		f.drop(p)
	default:
		p.sent = w.now
		f.again = append(f.again, p)
	}
}

// over tells of the parties to which mail flows again, the one to which it did first first.
func (f *flows) over(w *Watch) {
	for len(f.again) > 0 && w.now.Sub(f.again[0].sent) >= flowing {
		p := f.again[0]
		f.again = slices.Delete(f.again, 0, 1)
		f.drop(p)
		w.tell(&Notice{What: Over, Time: w.now, Party: p.party, For: p.sent.Sub(p.since)})
		for _, t := range p.of {
			t.began, t.held, t.over = false, false, t.Total
		}
	}
}
