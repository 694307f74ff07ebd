package main

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// asked tells of a line by itself whether a filter asks for it, so that workers can. Only its
// time is settled later, in the order of the lines: see holds.
type asked struct {
	want  filter.Filter
	line  filter.Filter // without its times
	all   bool          // and nothing is left of it then
	names []trace.Name  // one of which stands in each such line
}

// askedBy returns what tells so, nil where everything is asked for; false where a line alone does not
// tell it: a sender stands in one line of his message, and is asked for in all.
func askedBy(want *filter.Filter) (*asked, bool) {
	if want.IsZero() || want.From != "" {
		return nil, want.From == ""
	}
	a := &asked{line: *want, want: *want}
	a.line.Since, a.line.Until = time.Time{}, time.Time{}
	a.all = a.line.IsZero()
	for _, n := range a.line.Names() {
		a.names = append(a.names, trace.Name(n))
	}
	return a, true
}

// event reports whether the event of a line is asked for.
func (a *asked) event(ev *smtp.Event, n *note) bool {
	return a.all || a.line.Match(ev, nil, n.cause())
}

// glance reports whether a line is asked for of which only the note is known. sure is false where a
// parser is to read it first. names are those that it looks for.
func (a *asked) glance(line []byte, n *note, names *trace.Names) (asked, sure bool) {
	if a.all {
		return true, true
	}
	s := &n.step
	cause, open := n.cause(), n.known && s.Code == 0 && a.line.Cause != "" // nods leave it open
	if open {
		cause = a.line.Cause
	}
	could, does := a.line.Could(s.Outcome, s.Direction, s.Code, s.Enhanced, cause)
	if does && !open {
		return true, true
	}
	return false, !could || !names.In(line)
}

// holds reports whether the line of a note is asked for, now that its time is known.
func (a *asked) holds(n *note, when time.Time) bool {
	return n.asked && a.want.Within(when)
}

// cause is the ID of the cause that a note names, "" for none.
func (n *note) cause() string {
	if n == nil || !n.known {
		return ""
	}
	return n.Cause.ID()
}
