package report

import (
	"cmp"
	"strings"

	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// news are what is new against what was before: shares, causes, wordings, peers, each with
// what differs most first.
func (d Day) news() Table {
	t := Table{Title: d.text("new"), Columns: []Column{left(""), left(d.text("column_what")).drop(2), left("").min(24), right(d.text("column_before")), right(d.text("column_now")), right(d.text("column_change")), right(d.text("column_chance")).drop(1)}}
	var told [summary.NewPeer + 1]int
	more := 0
	for i := range d.News.News {
		n := &d.News.News[i]
		if told[n.Kind]++; d.Top > 0 && told[n.Kind] > d.Top {
			more++
			continue
		}
		before, now := count(d.Words, int64(n.Expected()+0.5)), count(d.Words, n.New)
		if n.Kind == summary.NewShare && n.Direction != smtp.Inbound {
			before, now = percent(d.Words, n.Old, n.OldOf), percent(d.Words, n.New, n.NewOf)
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: side(d.Words, n.Direction), Style: Dim}, {Text: d.kind(n.Kind), Style: Dim}, {Text: d.newName(n), Style: newStyle(n)},
			{Text: before}, {Text: now}, {Text: d.change(n)}, {Text: d.chance(n.Chance), Style: Dim},
		})
	}
	if more > 0 {
		t.Notes = append(t.Notes, d.text("more_new", "flag", cmp.Or(d.More, "--all"), "n", more))
	}
	if len(t.Rows) == 0 {
		t.Notes = append(t.Notes, d.text("nothing_new"))
	}
	b := &d.News.Before
	when := "–"
	if !b.First.IsZero() {
		when = strings.TrimSpace(months(d.Words, " "+period(b.First, b.Last)+" "))
	}
	t.Notes = append(t.Notes, d.text("compared", "files", fileNames(b.Files), "when", when, "lines", count(d.Words, b.Lines), "n", count(d.Words, int64(d.News.Rows))))
	for _, way := range d.News.Unmeasured {
		t.Notes = append(t.Notes, d.text("uncompared", "what", d.direction(way)))
	}
	return t
}

// kind is what a row is.
func (d Day) kind(k summary.NewsKind) string {
	switch k {
	case summary.NewCause:
		return d.text("new_cause")
	case summary.NewWording:
		return d.text("new_wording")
	case summary.NewPeer:
		return d.text("new_peer")
	}
	return d.text("new_rate")
}

// newName is what a row is about.
func (d Day) newName(n *summary.News) string {
	switch n.Kind {
	case summary.NewCause:
		return d.Words.Cause(n.Cause).Title
	case summary.NewWording:
		return strings.Join(strings.Fields(n.Wording.Sample), " ") // a reply of several lines in one
	case summary.NewPeer:
		return n.Peer
	}
	switch n.Outcome {
	case smtp.Deferred:
		return d.text("column_deferred")
	case smtp.Bounced:
		return d.text("column_bounced")
	case smtp.Rejected:
		return d.text("column_rejected")
	}
	return d.text("column_delivered")
}

// newStyle tells what got worse from what got better.
func newStyle(n *summary.News) Style {
	better := n.Change() < 1
	if n.Outcome == smtp.Sent {
		better = !better
	}
	if better {
		return Good
	}
	return Warn
}

// change is how many times as much there is.
func (d Day) change(n *summary.News) string {
	switch {
	case n.Old == 0:
		return d.text("change_new")
	case n.New == 0:
		return d.text("change_over")
	case n.Change() >= 100:
		return "×" + count(d.Words, int64(n.Change()))
	}
	return "×" + decimal(d.Words, n.Change(), 2)
}

// leastChance is what a smaller chance is shown as.
const leastChance = 0.0001

func (d Day) chance(p float64) string {
	if p < leastChance {
		return "<" + decimal(d.Words, leastChance, 4)
	}
	return decimal(d.Words, p, 4)
}

// newJSON is a row of what is new.
type newJSON struct {
	Kind      string   `json:"kind"` // rate, cause, wording, peer
	Direction string   `json:"direction"`
	Outcome   string   `json:"outcome,omitempty"` // of a rate
	Cause     string   `json:"cause,omitempty"`
	Wording   string   `json:"wording,omitempty"` // '#' for what differs from line to line
	Sample    string   `json:"sample,omitempty"`
	Peer      string   `json:"peer,omitempty"`
	Old       int64    `json:"old"`
	OldOf     int64    `json:"old_of"`
	New       int64    `json:"new"`
	NewOf     int64    `json:"new_of"`
	Expected  float64  `json:"expected"`         // old for as much mail as now
	Change    *float64 `json:"change,omitempty"` // new to expected; left out where there was none
	G         float64  `json:"g"`
	Chance    float64  `json:"chance"`
}

func newsOf(c *summary.Comparison) *[]newJSON {
	rows := []newJSON{}
	for i := range c.News {
		n := &c.News[i]
		row := newJSON{
			Kind: n.Kind.String(), Direction: n.Direction.String(), Outcome: n.Outcome.String(), Peer: n.Peer, Old: n.Old, OldOf: n.OldOf, New: n.New, NewOf: n.NewOf,
			Expected: n.Expected(), G: n.G, Chance: n.Chance,
		}
		if n.Kind == summary.NewCause || n.Kind == summary.NewWording {
			row.Cause = n.Cause.ID()
		}
		if n.Wording != nil {
			row.Wording, row.Sample = n.Wording.Text, n.Wording.Sample
		}
		if n.Old > 0 {
			change := n.Change()
			row.Change = &change
		}
		rows = append(rows, row)
	}
	return &rows
}
