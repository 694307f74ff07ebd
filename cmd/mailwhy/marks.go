package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/source"
)

const (
	// saveEvery is how often marks are kept at the most: what was read since may be read again
	// after a sudden end. A batch that comes later than that after the last time is marked
	// at once, so that of a log with few lines only the batch at work can come twice.
	saveEvery = 50 * time.Millisecond
	// maxOthers is how many marks of logs that are not followed now are kept: those of a
	// machine's logs, and not those of years of names with a date.
	maxOthers = 100
)

// marks reads where an earlier run stopped, by path.
func (c *tailCmd) marks() (map[string]*source.Mark, error) {
	all := map[string]*source.Mark{}
	if c.State == "" {
		return all, nil
	}
	marks, err := source.LoadMarks(c.State)
	if err == nil {
		err = source.SaveMarks(c.State, append([]source.Mark{}, marks...)) // whether that can be done
	}
	if err != nil {
		return nil, err
	}
	for i := range marks {
		all[marks[i].Path] = &marks[i]
	}
	return all, nil
}

// goOn tells where an earlier run ended suddenly, and remembers the marks of the logs that are
// not followed this time.
func (h *hub) goOn(marks map[string]*source.Mark, words *knowledge.Words) {
	var sudden bool
	now := h.marks()
	for path, m := range marks {
		if slices.ContainsFunc(now, func(n source.Mark) bool { return n.Path == path }) {
			sudden = sudden || m.Open
		} else if len(h.others) < maxOthers {
			h.others = append(h.others, *m)
		}
	}
	if sudden {
		fmt.Fprintln(h.stderr, words.Text("tail.sudden"))
	}
}

// marks is how far each log was handled.
func (h *hub) marks() (all []source.Mark) {
	for _, f := range h.followed {
		all = append(all, f.Mark())
	}
	for _, j := range h.journals {
		all = append(all, j.Mark())
	}
	return all
}

// save keeps how far the logs were handled, once what was said of them is out. open says that
// the run goes on. The hub is held.
// A full disk is no reason to end: that is told once, and tried again with the next lines.
func (h *hub) save(open bool) {
	if h.states == "" {
		return
	}
	h.dirty, h.saved = false, time.Now()
	marks := h.marks()
	for i := range marks {
		marks[i].Open = open
	}
	err := source.SaveMarks(h.states, append(marks, h.others...))
	if err != nil && !h.unsaved {
		h.warn(err)
	}
	h.unsaved = err != nil
}

// begin keeps the marks that the logs begin at, so that a sudden end at any moment is
// noticed, and no line lost that comes before the first that was handled.
func (h *hub) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.save(true)
}

// saveLater keeps the marks of what was handled since.
func (h *hub) saveLater() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dirty {
		h.save(true)
	}
}

// finish keeps the marks for good.
func (h *hub) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.save(false)
}
