package report

import (
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// IncidentFormats are the forms in which incidents are printed.
var IncidentFormats = []string{"table", "md", "html", "json", "csv"}

// Print prints the report in one of the formats. short leaves in it what somebody in a
// chat has to know.
func (r Incidents) Print(out io.Writer, format string, t Terminal, short bool) error {
	if format == "json" {
		return r.JSON(out)
	}
	if format == "csv" {
		r.Words = knowledge.In(knowledge.English).Of(r.By.Base()) // for machines
		return CSV(out, r.hitList())
	}
	r.brief = format == "table"
	p := r.Page()
	if short {
		p = r.Short()
	}
	switch format {
	case "md":
		return p.Markdown(out)
	case "html":
		return p.HTML(out)
	}
	return p.Text(out, t)
}

// Page returns the report as a page: of each incident, worst first, what is read first by
// somebody who has to decide something; and last what only people know, as headings with
// nothing below them.
func (r Incidents) Page() *Page {
	p := r.page()
	many := len(r.Incidents) > 1
	if many {
		p.Sections = append(p.Sections, r.overview())
	}
	for _, in := range r.Incidents {
		parts := r.parts(in)
		if many {
			p.Sections = append(p.Sections, section(r.text("nth", "n", in.ID, "title", r.title(in)), Block{Lead: Verdict(r.Words, in), Style: leadStyle(in)}))
			for i := range parts {
				parts[i].Sub = true
			}
		}
		p.Sections = append(p.Sections, parts...)
	}
	p.Sections = append(append(p.Sections, r.server()...), r.limits())
	if !r.brief && len(r.Incidents) > 0 {
		p.Sections = append(p.Sections, r.blanks()...)
	}
	p.Sections = slices.DeleteFunc(p.Sections, func(s Section) bool { return len(s.Blocks) == 0 })
	return p
}

// parts are the sections of one incident, in their order.
func (r Incidents) parts(in *incident.Incident) []Section {
	return []Section{
		r.impact(in), r.window(in), r.reply(in), r.timeline(in), r.hit(in), r.spared(in), r.triggers(in), r.evidence(in), r.next(in),
	}
}

// Short returns what somebody in a chat has to know: the verdict, what it did, when, and
// what to do.
func (r Incidents) Short() *Page {
	p := r.page()
	p.About, p.Foot = nil, nil
	many := len(r.Incidents) > 1
	told := r.Incidents[:min(len(r.Incidents), shortIncidents)]
	for _, in := range told {
		if many {
			p.Sections = append(p.Sections, section(r.text("nth", "n", in.ID, "title", r.title(in)), Block{Lead: Verdict(r.Words, in), Style: leadStyle(in)}))
		}
		facts := slices.Concat(r.status(in), []Fact{{Name: r.text("window"), Text: bothEnds(in.Start, in.End)}})
		p.Sections = append(p.Sections, section("", Block{Facts: facts}, Block{Tiles: r.harm(in)}, Block{List: r.firstSteps(in)}))
	}
	if more := len(r.Incidents) - len(told); more > 0 {
		p.Sections = append(p.Sections, section(r.text("rest"), Block{Para: r.text("short_more", "n", more)}))
	}
	p.Sections = append(p.Sections, r.server()...)
	return p
}

// shortIncidents is how many incidents a chat is told of, the worst first.
const shortIncidents = 3

// server is what the lines tell of the server itself, where they tell of no mail.
func (r Incidents) server() []Section {
	if len(r.Server) == 0 {
		return nil
	}
	t := Table{Title: r.text("server"), Columns: []Column{left(r.text("time")), left(r.text("what")).min(24), left(r.text("where")).min(12).drop(1)}}
	for i := range r.Server {
		m := &r.Server[i]
		t.Rows = append(t.Rows, []Cell{{Text: atClock(m.Time, r.Coverage.First)}, {Text: r.markText(nil, m)}, {Text: place(&m.Line)}})
	}
	return []Section{section(t.Title, Block{Table: &t})}
}

// page is the head of the report.
func (r Incidents) page() *Page {
	day := Day{Summary: &summary.Summary{Coverage: r.Coverage}, Words: r.Words, By: r.By}
	p := &Page{Words: r.Words, Kicker: r.text("kicker"), About: day.Headline(0), Foot: []string{r.text("made")}}
	switch len(r.Incidents) {
	case 0:
		p.Title, p.Style, p.Lead = r.text("none_title"), Good, r.none()
		if r.Asked == nil && (r.Whole == incident.Counts{}) {
			p.Title, p.Style = r.text("unjudged_title"), Warn
		}
	case 1:
		in := r.Incidents[0]
		p.Title, p.Lead, p.Style = r.title(in), Verdict(r.Words, in), leadStyle(in)
	default:
		p.Title = r.text("several_title", "n", len(r.Incidents), "when", strings.TrimSpace(months(r.Words, " "+days(r.Coverage.First, r.Coverage.Last)+" ")))
	}
	return p
}

// none says that there is no incident, and what that was judged by.
func (r Incidents) none() string {
	n := count(r.Words, r.Coverage.Lines)
	switch {
	case r.Asked != nil && r.Asked.AnyCause:
		return r.text("none_asked")
	case r.Asked != nil:
		return r.text("none_asked_cause", "cause", r.Words.Cause(r.Asked.Cause).Title)
	case r.Coverage.Lines == 0:
		return r.text("none_read")
	case r.Coverage.First.IsZero():
		return r.text("none_untimed", "n", n)
	case r.Whole == incident.Counts{}:
		return r.text("none_nothing", "n", n)
	case r.Thin:
		return r.text("none_thin", "n", n)
	}
	return r.text("none", "n", n, "sent", count(r.Words, r.Whole.Sent), "failed", count(r.Words, r.Whole.Failed()))
}

// text is a phrase of the report of incidents.
func (r Incidents) text(key string, args ...any) string {
	return r.Words.Text("incident."+key, args...)
}

func (r Incidents) n(n int64) string { return count(r.Words, n) }

// title says in some words what an incident is.
func (r Incidents) title(in *incident.Incident) string {
	what := causeTitle(r.Words, in)
	switch in.Kind {
	case incident.Logins:
		what = r.text("title_logins")
	case incident.Stopped:
		what = r.text("title_stopped")
	case incident.Burst:
		what = r.text("title_burst")
	}
	switch {
	case in.Party != "":
		what += ", " + in.Party
	case in.Direction == smtp.Inbound:
		what += ", " + r.Words.Text("report.inbound")
	}
	return what
}

func leadStyle(in *incident.Incident) Style {
	if s := severityStyle(in.Severity); s != Normal {
		return s
	}
	return Warn
}

// overview lists the incidents where there are several.
func (r Incidents) overview() Section {
	t := Table{Title: r.text("overview"), Columns: []Column{left("#"), left(r.text("what")).min(20), left(r.text("severity")), left(r.text("status")), left(r.text("from")), left(r.text("to")), right(r.text("lines"))}}
	for _, in := range r.Incidents {
		t.Rows = append(t.Rows, []Cell{
			{Text: count(r.Words, int64(in.ID))}, {Text: r.title(in), Style: leadStyle(in)}, {Text: r.Words.Severity(in.Severity)}, {Text: r.statusWord(in)},
			{Text: in.Start.Format("2006-01-02 15:04")}, {Text: in.End.Format("2006-01-02 15:04")}, num(r.Words, linesOfIncident(in)),
		})
	}
	return section(t.Title, Block{Table: &t})
}

// linesOfIncident is how many lines of the log are of an incident.
func linesOfIncident(in *incident.Incident) (n int64) {
	for _, c := range in.Causes {
		n += c.Count
	}
	return n
}

// instant writes a point in time with its zone, and in UTC where that is another.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if _, offset := t.Zone(); offset == 0 {
		return t.Format("2006-01-02 15:04:05") + " UTC"
	}
	layout := "15:04:05"
	if t.UTC().YearDay() != t.YearDay() {
		layout = "2006-01-02 15:04:05"
	}
	return t.Format("2006-01-02 15:04:05 -07:00") + " (" + t.UTC().Format(layout) + " UTC)"
}

// bothEnds writes from when to when, with the zone and in UTC.
func bothEnds(a, b time.Time) string { return instant(a) + " – " + instant(b) }

// atClock is a time within a report of one day or a few.
func atClock(t, whole time.Time) string {
	if t.Format(time.DateOnly) == whole.Format(time.DateOnly) {
		return t.Format("15:04:05")
	}
	return t.Format("2006-01-02 15:04:05")
}

// roughly writes how long something takes, by the two units that tell it.
func roughly(w *knowledge.Words, d time.Duration) string {
	switch {
	case d < 2*time.Minute && d%time.Minute != 0:
		return w.Text("time.seconds", "n", int(d.Round(time.Second)/time.Second))
	case d < 2*time.Hour:
		return w.Text("time.minutes", "n", int(d.Round(time.Minute)/time.Minute))
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		s := w.Text("time.hours", "n", int(d/time.Hour))
		if m := d % time.Hour; m > 0 {
			s += " " + w.Text("time.minutes", "n", int(m/time.Minute))
		}
		return s
	}
	if d = d.Round(time.Hour); d%(24*time.Hour) == 0 {
		return w.Text("time.days", "n", int(d/(24*time.Hour)))
	}
	return w.Text("time.days", "n", decimal(w, d.Hours()/24, 1))
}
