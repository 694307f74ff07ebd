package main

import (
	"fmt"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/source"
)

// maxOthers is how many marks of logs that are not followed now are kept: those of a machine's
// logs, and not those of years of names with a date.
const maxOthers = 100

// marks reads where an earlier run stopped, by path.
func (c *tailCmd) marks() (map[string]*source.Mark, error) {
	all := map[string]*source.Mark{}
	if c.State == "" {
		return all, nil
	}
	marks, err := source.LoadMarks(c.State)
	if err == nil {
		err = source.NewState(c.State).Close(append([]source.Mark{}, marks...)) // whether that can be done
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

// save keeps how far the logs were handled, once what was said of them is out: after a sudden
// end the batch at work comes twice, and no other. The hub is held.
func (h *hub) save() { h.kept(h.state.Save(h.allMarks(true))) }

// allMarks are the marks to be kept. open says that the run goes on.
func (h *hub) allMarks(open bool) []source.Mark {
	marks := h.marks()
	for i := range marks {
		marks[i].Open = open
	}
	return append(marks, h.others...)
}

// kept takes how keeping marks went. A full disk is no reason to end: that is told once, and
// tried again with the next lines.
func (h *hub) kept(err error) {
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
	if h.state != nil {
		h.save()
	}
}

// finish keeps the marks for good.
func (h *hub) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != nil {
		h.kept(h.state.Close(h.allMarks(false)))
	}
}
