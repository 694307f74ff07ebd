package trace

import (
	"fmt"
	"sync"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Name is a text to be looked for. Letters of ASCII may be in any case where AnyCase says so.
type Name struct {
	Text    string
	AnyCase bool
}

// NewNames returns what tells whether a line holds one of a few names of two bytes at least, nil where there are none. like is
// a piece of such text, from which it learns what is rare.
func NewNames(names []Name, like []byte) *Names {
	if len(names) == 0 {
		return nil
	}
	var all []needle
	for _, n := range names {
		all = append(all, needle{n.Text, n.AnyCase})
	}
	return &Names{newRare(all, like)}
}

// Names are looked for in lines, one after the other.
type Names struct{ rare *rare }

// In reports whether a line holds one of them; without names it may be any line.
func (n *Names) In(line []byte) bool {
	if n == nil {
		return true
	}
	for i := range n.rare.names {
		r := &n.rare.names[i]
		for c := range r.cases {
			if r.find(line, 0, c) < len(line) {
				return true
			}
		}
	}
	return false
}

// Search finds the lines of one input that hold a name and pass a test.
type Search struct {
	Input *Input
	Names []Name                 // of at least four bytes; a line without any of them cannot pass
	Times func(time.Time) bool   // without names: a line whose time does not pass cannot; it is called by several goroutines
	Pass  func(*smtp.Event) bool // called by several goroutines; the event has no time yet
	Take  func(*Line) error      // called in order; its error ends the search

	// Make appends to buf what is wanted of a line that is found, which is then its Text. It is
	// called by several goroutines. The line itself Take gets only where Keep says so.
	Make func(ev *smtp.Event, buf []byte) []byte
	Keep func(ev *smtp.Event) bool

	Workers int
	Stop    <-chan struct{}
	Tick    func()
}

// OtherYear is what Run returns of a search by times where the year of a line is not the one
// that it would have for itself. What was taken before is right; from there on the input has to
// be read in full.
type OtherYear struct{ Line int64 }

// Error implements error.
func (e *OtherYear) Error() string { return fmt.Sprintf("another year from line %d on", e.Line) }

// Run searches. It returns what the input was found to hold, and Take's error.
func (s *Search) Run() (Span, error) {
	w := &wants{pass: s.Pass, make: s.Make, keep: s.Keep}
	if len(s.Names) == 0 {
		w.times = s.Times
	}
	var names, safe []needle
	for _, n := range s.Names {
		names = append(names, needle{n.Text, n.AnyCase})
		safe = append(safe, needle{safest(n.Text), n.AnyCase})
	}
	w.finder, w.inJSON = newFinder(names, s.Input.Head), newJSONFinder(safe, s.Input.Head)
	if w.finder == nil {
		w.finder = everyLine{}
	}
	stop := make(chan struct{})
	end := sync.OnceFunc(func() { close(stop) })
	done := make(chan struct{})
	go func() {
		select {
		case <-s.Stop:
		case <-done:
		}
		end()
	}()
	defer close(done)
	sc := &scanner{inputs: []*Input{s.Input}, workers: max(1, s.Workers), stop: stop, tick: s.Tick, marks: make([][]mark, 1), every: 1 << 62}
	sc.wants.Store(w)
	var span Span
	var failed error
	sc.otherYear = func(line int64) {
		if failed == nil {
			failed = &OtherYear{line}
			end()
		}
	}
	sc.scan(all, func(f *finding) {
		if failed == nil {
			if failed = s.Take(&f.line); failed != nil {
				end()
			}
		}
	}, func(_ int, e ending) { span = e.Span })
	return span, failed
}
