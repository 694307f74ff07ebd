package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxMarks is how many marks a chart has: each has a number, and a line below it.
const maxMarks = 9

// timeline is how it went, with what is to be seen in it.
func (r Incidents) timeline(in *incident.Incident) Section {
	t := &in.Timeline
	if len(t.Buckets) == 0 {
		return Section{}
	}
	c := &Chart{Title: r.text("timeline"), Words: r.Words, Start: t.Start, Width: t.Width, Bars: len(t.Buckets), Bands: []Band{{From: in.Start, To: in.End}}}
	for i, b := range t.Buckets {
		if b.Gap {
			from := t.Start.Add(time.Duration(i) * t.Width)
			c.Bands = append(c.Bands, Band{From: from, To: from.Add(t.Width), Class: "gap"})
		}
	}
	r.rows(in, c)
	marks := Table{Title: r.text("marks"), Columns: []Column{left("#"), left(r.text("time")), left(r.text("what")).min(24), left(r.text("where")).min(12).drop(1)}}
	chosen := chosenMarks(t.Marks)
	for i := range chosen {
		m := &chosen[i]
		label := fmt.Sprint(i + 1)
		c.Marks = append(c.Marks, ChartMark{At: m.Time, Label: label})
		marks.Rows = append(marks.Rows, []Cell{{Text: label}, {Text: atClock(m.Time, in.Start)}, {Text: r.markText(in, m)}, {Text: place(&m.Line)}})
	}
	for range blankRows {
		marks.Rows = append(marks.Rows, []Cell{{Text: "–"}, {Text: "__:__"}, {Text: r.text("human"), Style: Dim}, {}})
	}
	c.Notes = append(c.Notes, r.Words.Text("page.measure", "width", Span(r.Words, c.Width)))
	c.Seen = r.text("shaded")
	return section(r.text("timeline"), Block{Chart: c}, Block{Table: &marks})
}

// blankRows are for what people did: no log has it.
const blankRows = 2

// rows gives the chart its rows: the incident's own lines, then what else went the same way,
// where that is not the same again.
func (r Incidents) rows(in *incident.Incident, c *Chart) {
	add := func(name, class string, value func(*incident.Bucket) int64) {
		row := ChartRow{Name: name, Class: class}
		for i := range in.Timeline.Buckets {
			row.Values = append(row.Values, value(&in.Timeline.Buckets[i]))
		}
		same := func(o ChartRow) bool { return slices.Equal(o.Values, row.Values) }
		if row.total() == 0 || slices.ContainsFunc(c.Rows, same) {
			return
		}
		c.Rows = append(c.Rows, row)
		c.Desc += r.Words.Text("page.row_described", "name", name, "n", r.n(row.total()), "peak", r.n(row.peak()), "when", c.label(slices.Index(row.Values, row.peak()))) + " "
	}
	add(r.text("this_incident"), "incident", func(b *incident.Bucket) int64 { return b.Incident })
	if in.Direction == smtp.Inbound {
		add(r.Words.Text("report.column_received"), "sent", func(b *incident.Bucket) int64 { return b.Received })
	} else {
		add(r.Words.Text("report.column_delivered"), "sent", func(b *incident.Bucket) int64 { return b.Sent })
		add(r.Words.Text("report.column_deferred"), "deferred", func(b *incident.Bucket) int64 { return b.Deferred })
		add(r.Words.Text("report.column_bounced"), "bounced", func(b *incident.Bucket) int64 { return b.Bounced })
	}
	add(r.Words.Text("report.column_rejected"), "rejected", func(b *incident.Bucket) int64 { return b.Rejected })
	add(r.text("tries_logins"), "deferred", func(b *incident.Bucket) int64 { return b.Logins })
	add(r.text("tries_broken"), "bounced", func(b *incident.Bucket) int64 { return b.Broken })
}

// chosenMarks are the marks that tell most, in the order of time.
func chosenMarks(all []incident.Mark) []incident.Mark {
	rank := func(w incident.What) int { return slices.Index(markRank, w) }
	best := slices.Clone(all)
	slices.SortStableFunc(best, func(a, b incident.Mark) int { return cmp.Compare(rank(a.What), rank(b.What)) })
	best = best[:min(len(best), maxMarks)]
	slices.SortStableFunc(best, func(a, b incident.Mark) int { return a.Time.Compare(b.Time) })
	return best
}

// markRank is which marks go first where there are too many.
var markRank = []incident.What{
	incident.FirstSeen, incident.LastSeen, incident.FirstSent, incident.PeakSeen, incident.GapBegins, incident.Started, incident.StoppedMark, incident.ConfigError,
	incident.FatalLine, incident.TLSError, incident.SenderSpike, incident.ManyRcpt, incident.OtherStart, incident.WarningLine, incident.LogBegins, incident.LogEnds,
}

// markText says what a mark marks.
func (r Incidents) markText(in *incident.Incident, m *incident.Mark) string {
	s := r.what(m.What)
	switch {
	case m.What == incident.OtherStart:
		return s + " (#" + fmt.Sprint(m.Count) + ")"
	case m.What == incident.PeakSeen:
		return s + ": " + r.n(cmp.Or(m.Count, in.PeakCount))
	case m.Text != "":
		s += ": " + shortened(m.Text)
	}
	if m.Count > 1 {
		s += " ×" + r.n(m.Count)
	}
	return s
}

// what names what may be marked.
func (r Incidents) what(w incident.What) string {
	switch w {
	case incident.FirstSeen:
		return r.text("mark_first")
	case incident.PeakSeen:
		return r.text("mark_peak")
	case incident.LastSeen:
		return r.text("mark_last")
	case incident.FirstSent:
		return r.text("mark_sent")
	case incident.Started:
		return r.text("mark_started")
	case incident.StoppedMark:
		return r.text("mark_stopped")
	case incident.ConfigError:
		return r.text("mark_config")
	case incident.TLSError:
		return r.text("mark_tls")
	case incident.WarningLine:
		return r.text("mark_warning")
	case incident.FatalLine:
		return r.text("mark_fatal")
	case incident.SenderSpike:
		return r.text("mark_spike")
	case incident.ManyRcpt:
		return r.text("mark_many")
	case incident.OtherStart:
		return r.text("mark_other")
	case incident.LogBegins:
		return r.text("mark_begins")
	case incident.LogEnds:
		return r.text("mark_ends")
	case incident.GapBegins:
		return r.text("mark_gap")
	}
	return w.String()
}

// place says where a line stands.
func place(l *incident.Line) string {
	if l.Path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", l.Path, l.Number)
}

// alertFor is an alert that would have told of the incident, for the configuration; nil where
// there is none that is simple.
func alertFor(in *incident.Incident) []Line {
	if in.Kind != incident.Failures && in.Kind != incident.Logins || in.Cause == knowledge.Unknown {
		return nil
	}
	least := max(alertLeast, in.PeakCount/2)
	return []Line{
		{Text: "[[alert]]"}, {Text: fmt.Sprintf("name = %q", in.Cause.ID())}, {Text: fmt.Sprintf("cause = [%q]", in.Cause.ID())},
		{Text: fmt.Sprintf("direction = %q", in.Direction.String())}, {Text: fmt.Sprintf("at_least = %d", least)}, {Text: `within = "10m"`},
	}
}

// alertLeast is the least that an alert is proposed for.
const alertLeast = 5
