package dashboard

import (
	"github.com/mailwhy/mailwhy/internal/report"
)

// seen is what the causes' pane shows, as a table of an incident report: all rows that
// pass the filter, in the order that was chosen.
func (m *Model) seen() report.Table {
	w := m.words
	t := report.Table{
		Title: w.Text("dash.now", "time", m.pic.Now.Format("2006-01-02 15:04:05")),
		Columns: []report.Column{{Name: w.Text("report.column_cause")}, {Name: w.Text("dash.party")}, {Name: ""}, {Name: w.Text("report.column_reply")}, {Name: w.Text("report.column_at")},
			{Name: w.Text("dash.last_minute"), Right: true}, {Name: w.Text("report.column_total"), Right: true}, {Name: w.Text("report.column_span")}, {Name: w.Text("report.column_todo")}, {Name: w.Text("dash.last_lines")}},
	}
	for _, x := range m.troubles() {
		last := ""
		if n := len(x.Lines); n > 0 {
			last = where(&x.Lines[n-1]) + " " + x.Lines[n-1].Text
		}
		t.Rows = append(t.Rows, []report.Cell{{Text: w.Cause(x.Cause).Title}, {Text: x.Party}, {Text: m.side(x.Direction)}, {Text: replyOf(x)}, {Text: x.Stage.String()},
			{Text: report.Count(w, x.Recent(m.pic.Now))}, {Text: report.Count(w, x.Total)}, {Text: span(x)}, {Text: report.Advice(w, m.by, &x.Facts)}, {Text: last}})
	}
	if len(t.Rows) == 0 {
		t.Notes = []string{w.Text("dash.none_lately")}
	}
	if m.filter != "" {
		t.Notes = append(t.Notes, "/"+m.filter)
	}
	return t
}
