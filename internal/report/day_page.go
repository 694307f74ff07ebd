package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// HTML prints the report as one page that needs nothing else. sections are those that are
// asked for; none are all.
func (d Day) HTML(out io.Writer, sections []string) error {
	p := d.Page(sections)
	return p.HTML(out)
}

// Page returns the report as a page.
func (d Day) Page(sections []string) *Page {
	c := &d.Summary.Coverage
	p := &Page{Words: d.Words, Title: d.text("title"), About: d.Headline(0), Foot: []string{d.Words.Text("page.made")}}
	if !c.First.IsZero() {
		p.Title = d.Words.Text("page.day_title", "when", strings.TrimSpace(months(d.Words, " "+days(c.First, c.Last)+" ")))
		p.Kicker = d.text("title")
	}
	p.Lead, p.Style = d.lead()
	wanted := func(name string) bool { return len(sections) == 0 || slices.Contains(sections, name) }
	if wanted("messages") {
		p.Sections = append(p.Sections, Section{Blocks: []Block{{Tiles: d.tiles()}}})
		if chart := d.chart(); chart != nil {
			p.Sections = append(p.Sections, section(chart.Title, Block{Chart: chart}))
		}
	}
	if wanted("causes") {
		p.Sections = append(p.Sections, d.causeCards())
	}
	for _, t := range d.Tables(sections) {
		if t.Name == "causes" || t.Name == "messages" {
			continue // they have been shown
		}
		p.Sections = append(p.Sections, section(t.Title, tableBlocks(t)...))
	}
	if notes := d.Notes(); len(notes) > 0 {
		p.Sections = append(p.Sections, section(d.text("notes"), Block{List: &List{Items: notes}}))
	}
	return p
}

// PageWith returns the report as a page with a table before it.
func (d Day) PageWith(seen Table) *Page {
	p := d.Page(nil)
	p.Sections = append([]Section{section(seen.Title, tableBlocks(seen)...)}, p.Sections...)
	return p
}

// tableBlocks are a table and what stands below it.
func tableBlocks(t Table) (all []Block) {
	notes := t.Notes
	if t.Notes = nil; len(t.Rows) > 0 {
		all = append(all, Block{Table: &t})
	}
	for _, n := range notes {
		all = append(all, Block{Para: n, Dim: true})
	}
	return all
}

// days says which days a report is of.
func days(first, last time.Time) string {
	switch {
	case first.Format(time.DateOnly) == last.Format(time.DateOnly):
		return last.Format("2 Jan 2006")
	case first.Year() == last.Year():
		return first.Format("2 Jan") + " – " + last.Format("2 Jan 2006")
	}
	return first.Format("2 Jan 2006") + " – " + last.Format("2 Jan 2006")
}

// lead is the report in a sentence or two: how much went well, and what is worst.
func (d Day) lead() (string, Style) {
	m := &d.Summary.Messages
	s := d.Words.Text("page.day_lead", "sent", count(d.Words, m.Sent), "deferred", count(d.Words, m.Deferred),
		"bounced", count(d.Words, m.Bounced+m.Expired), "rejected", count(d.Words, m.Rejected))
	groups := d.Summary.Groups()
	if len(groups) == 0 || groups[0].Severity == knowledge.Info {
		return s + " " + d.Words.Text("page.day_fine"), Good
	}
	g := groups[0]
	worst := d.Words.Text("page.day_worst", "cause", d.Words.Cause(g.Cause).Title, "n", count(d.Words, g.Count))
	if hosts := hostsOf(g); hosts != "" {
		worst = d.Words.Text("page.day_worst_at", "cause", d.Words.Cause(g.Cause).Title, "n", count(d.Words, g.Count), "peers", hosts)
	}
	return s + " " + worst, severityStyle(g.Severity)
}

// tiles are the messages by what became of them.
func (d Day) tiles() []Tile {
	m := &d.Summary.Messages
	came := m.Received + m.Rejected
	tile := func(label string, n, of int64, bad Style) Tile {
		t := Tile{Label: label, Value: count(d.Words, n)}
		if n > 0 {
			t.Style = bad
		}
		if n > 0 && n < of {
			t.Note = percent(d.Words, n, of)
		}
		return t
	}
	ended := m.Sent + m.Bounced + m.Expired
	return []Tile{
		tile(d.text("column_received"), m.Received, came, Normal),
		tile(d.text("column_delivered"), m.Sent, ended, Good),
		tile(d.text("column_deferred"), m.Deferred, m.Received, Warn),
		tile(d.text("column_queued"), m.Queued, m.Received, Warn),
		tile(d.text("column_bounced"), m.Bounced+m.Expired, ended, Bad),
		tile(d.text("column_rejected"), m.Rejected, came, Normal),
	}
}

// causeCards tell of what went wrong, worst first, each with what to do about it.
func (d Day) causeCards() Section {
	var cards []Card
	var more string
	groups := d.Summary.Groups()
	for i, g := range groups {
		if d.Top > 0 && i == d.Top {
			more = d.text("more_causes", "flag", cmp.Or(d.More, "--all"), "n", len(groups)-i)
			break
		}
		cards = append(cards, d.card(g))
	}
	if len(groups) == 0 {
		more = d.text("no_failure")
	}
	return section(d.text("causes"), Block{Cards: cards}, Block{Para: more, Dim: true})
}

func (d Day) card(g *summary.Group) Card {
	main := g.Rows[0]
	fix, steps := d.Words.Advice(knowledge.EntryID(main.Note.Entry), g.Direction)
	details := d.By.Details(&classify.Said{Code: main.Code, Enhanced: main.Enhanced, Text: []byte(main.Reply)})
	if removal := Removal(d.Words, &details); removal != "" && g.Direction != smtp.Inbound {
		fix += " " + removal
	}
	var replies []string
	for i, r := range g.Rows {
		if name := replyOf(r.Code, r.Enhanced); name != "" && !slices.Contains(replies, name) {
			if len(replies) == shownReplies {
				replies = append(replies, fmt.Sprintf("+%d", len(g.Rows)-i))
				break
			}
			replies = append(replies, name)
		}
	}
	words := d.Words.Entry(knowledge.EntryID(main.Note.Entry))
	facts := []Fact{
		{Name: d.text("column_direction"), Text: d.direction(g.Direction)},
		{Name: d.text("column_reply"), Text: strings.Join(replies, ", ")},
		{Name: d.text("column_at"), Text: stagesOf(g)},
		{Name: d.text("column_side"), Text: d.Words.Side(g.Cause.ActorOf(g.Direction), g.Direction)},
		{Name: d.text("column_peers"), Text: hostsOf(g)},
		{Name: d.text("column_span"), Text: months(d.Words, between(g.First, g.Last, d.Summary.Coverage.First))},
	}
	c := Card{
		Title: d.Words.Cause(g.Cause).Title, Style: severityStyle(g.Severity), Badge: d.Words.Severity(g.Severity), Value: count(d.Words, g.Count),
		Text: cmp.Or(words.Meaning, d.Words.Cause(g.Cause).Meaning), Facts: slices.DeleteFunc(facts, func(f Fact) bool { return f.Text == "" }), Advice: fix, Steps: steps,
	}
	if main.Sample.Text != "" {
		c.Lines = &Lines{Title: d.Words.Text("page.sample"), All: []Line{{fmt.Sprintf("%s:%d", main.Sample.File, main.Sample.Line), main.Sample.Text}}}
	}
	return c
}

// shownReplies is how many replies of a cause a card names.
const shownReplies = 4

// direction is which way mail goes, as a word.
func (d Day) direction(way smtp.Direction) string {
	switch way {
	case smtp.Inbound:
		return d.text("inbound")
	case smtp.Outbound:
		return d.text("outbound")
	}
	return d.text("local")
}
