package report

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/mailwhy/mailwhy/internal/alert"
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// AlertText says in a line what an alert tells.
func AlertText(w *knowledge.Words, a *alert.Alert) string {
	name, span := a.Rule.Name, Span(w, a.Within)
	if a.Group != "" {
		name += " (" + a.Group + ")"
	}
	lasted := Span(w, rough(a.Time.Sub(a.Since)))
	switch silence := len(a.Rule.No) > 0; {
	case a.Resolved && silence:
		return w.Text("alert.over", "name", name, "time", lasted)
	case a.Resolved:
		return w.Text("alert.over_count", "name", name, "time", lasted, "n", count(w, a.Count))
	case silence:
		return w.Text("alert.silence", "name", name, "what", strings.Join(a.Rule.No, ", "), "time", span)
	case a.Of > 0:
		return w.Text("alert.share", "name", name, "share", percent(w, a.Count, a.Of), "n", count(w, a.Of), "time", span)
	}
	return w.Text("alert.count", "name", name, "n", count(w, a.Count), "time", span)
}

// AlertFacts is what an alert's command and webhook are told.
func AlertFacts(w *knowledge.Words, a *alert.Alert) alert.Facts {
	f := a.Facts()
	f.Text = AlertText(w, a)
	if f.Cause == "" {
		return f
	}
	f.Title = w.Cause(a.Last.Cause).Title
	f.Fix, _ = w.Advice(a.Last.Entry, a.Last.Direction)
	if !a.Resolved {
		f.Text += " " + lastReply(w, a)
	}
	return f
}

// lastReply is the last line that counted, as people read it.
func lastReply(w *knowledge.Words, a *alert.Alert) string {
	return w.Text("alert.last", "title", w.Cause(a.Last.Cause).Title, "reply", a.Last.Reply)
}

// Alert prints that an alert begins or is over, behind the time in a layout of package time.
func (l *Teller) Alert(w *bufio.Writer, a *alert.Alert, layout string) {
	at := a.Time.Format(layout) + "  "
	if a.Resolved {
		l.line(w, at, AlertText(l.Words, a), Good)
		return
	}
	l.line(w, at, AlertText(l.Words, a), Bad)
	if a.Last.Line != (alert.Line{}) {
		l.line(w, strings.Repeat(" ", len(at)), lastReply(l.Words, a), Dim)
	}
}

// AlertTable shows rules as they are understood. Conditions stand as they are written, so
// that they can be changed where they were.
func AlertTable(w *knowledge.Words, rules []alert.Rule) Table {
	t := Table{Name: "alerts", Title: w.Text("alert.alerts"), Columns: []Column{
		{Name: w.Text("alert.name"), Key: "alert"}, {Name: w.Text("alert.counts"), Key: "counts", Min: 20}, {Name: w.Text("alert.fires"), Key: "fires"},
		{Name: w.Text("alert.by"), Key: "by"}, {Name: w.Text("alert.hold_off"), Key: "hold_off", Drop: 2}, {Name: w.Text("alert.resolve_after"), Key: "resolve_after", Drop: 1},
		{Name: w.Text("alert.does"), Key: "does", Min: 12},
	}}
	for i := range rules {
		r := &rules[i]
		var cells []Cell
		for _, text := range []string{r.Name, alertCounts(r), alertFires(r), r.By, r.Holds(), r.Lasts(), alertDoes(r)} {
			cells = append(cells, Cell{Text: printable(text)})
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}

// alertCounts lists a rule's conditions.
func alertCounts(r *alert.Rule) string {
	var all []string
	for _, c := range []struct {
		name   string
		values []string
	}{{"cause", r.Cause}, {"outcome", r.Outcome}, {"no", r.No}, {"direction", []string{r.Direction}}, {"code", r.Code}, {"severity", []string{r.Severity}}} {
		if values := strings.Join(c.values, "|"); values != "" {
			all = append(all, c.name+" "+values)
		}
	}
	return strings.Join(all, ", ")
}

func alertFires(r *alert.Rule) string {
	switch {
	case len(r.No) > 0:
		return r.For
	case r.Share != "":
		return fmt.Sprintf("%s / %d / %s", r.Share, r.Sample(), r.Within)
	}
	return fmt.Sprintf("%d / %s", r.AtLeast, r.Within)
}

// alertDoes says what a rule does besides printing. Of a webhook only the host is told: the
// rest of its URL is often a secret.
func alertDoes(r *alert.Rule) string {
	var all []string
	if len(r.Run) > 0 {
		all = append(all, r.Program())
	}
	if r.Webhook != "" {
		all = append(all, r.WebhookHost())
	}
	return strings.Join(all, ", ")
}
