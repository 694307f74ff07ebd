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

// Sections are the parts of the report of a log, in their order.
var Sections = []string{"files", "sessions", "messages", "new", "causes", "codes", "peers", "senders", "recipients"}

// Day makes the tables of the report of a log.
type Day struct {
	Summary *summary.Summary
	News    *summary.Comparison // with what was before; nil: there is none
	Words   *knowledge.Words
	By      *classify.Classifier
	Top     int    // rows of a table; 0 is all
	More    string // the flag that asks for all rows; --all when ""
}

// Tables returns the sections that are asked for, in their usual order; all but the
// list of files when none is named. Senders and recipients are among them where they were counted.
func (d Day) Tables(sections []string) []Table {
	make := map[string]func() Table{
		"files": d.files, "sessions": d.sessions, "messages": d.messages, "new": d.news, "causes": d.causes, "codes": d.codes, "peers": d.peers,
		"senders":    func() Table { return d.people(&senderWords, d.Summary.Senders) },
		"recipients": func() Table { return d.people(&recipientWords, d.Summary.Recipients) },
	}
	var tables []Table
	for _, name := range Sections {
		wanted := slices.Contains(sections, name)
		if len(sections) == 0 {
			wanted = name != "files" || len(d.Summary.Coverage.Files) > 1
		}
		switch name {
		case "new":
			wanted = wanted && d.News != nil
		case "senders":
			wanted = d.Summary.Senders != nil
		case "recipients":
			wanted = d.Summary.Recipients != nil
		}
		if wanted {
			t := make[name]()
			t.Name = name
			tables = append(tables, t)
		}
	}
	return tables
}

// Headline says what was read, in its parts: the files, their format, the time, how much
// of it was understood.
func (d Day) Headline(took time.Duration) []string {
	c := &d.Summary.Coverage
	parts := []string{fileNames(c.Files)}
	if f := formats(c.Files); f != "" {
		parts = append(parts, f)
	}
	if !c.First.IsZero() {
		parts = append(parts, months(d.Words, period(c.First, c.Last)))
	}
	lines := d.text("lines", "n", count(d.Words, c.Lines))
	if took > 0 {
		lines = d.text("lines_in", "n", count(d.Words, c.Lines), "time", decimal(d.Words, took.Seconds(), 1))
	}
	return append(parts, lines+", "+d.understood(c))
}

// text is a phrase of the report.
func (d Day) text(key string, args ...any) string { return d.Words.Text("report."+key, args...) }

// understood says how much of the input was. Foreign lines are other programs' and not
// ours to understand.
func (d Day) understood(c *summary.Coverage) string {
	ours := c.Understood + c.Unknown
	switch {
	case ours == 0:
		return d.text("none_understood")
	case c.Foreign > 0:
		return d.text("understood_foreign", "percent", percent(d.Words, c.Understood, ours), "n", count(d.Words, c.Foreign))
	}
	return d.text("understood", "percent", percent(d.Words, c.Understood, ours))
}

func fileNames(files []summary.File) string {
	var names []string
	for i, f := range files {
		if i == 3 {
			return strings.Join(append(names, fmt.Sprintf("+%d", len(files)-i)), ", ")
		}
		names = append(names, f.Path)
	}
	return strings.Join(names, ", ")
}

func formats(files []summary.File) string {
	var all []string
	for _, f := range files {
		for _, name := range strings.Split(f.Format, ", ") {
			if name != "" && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return strings.Join(all, ", ")
}

// Notes are what a reader must know of how far the figures can be trusted.
func (d Day) Notes() []string {
	s, c := d.Summary, &d.Summary.Coverage
	var notes []string
	add := func(n int64, key string) {
		if n > 0 {
			notes = append(notes, d.text(key, "n", count(d.Words, n)))
		}
	}
	if c.Interrupted {
		notes = append(notes, d.text("interrupted"))
	}
	if c.Redacted {
		notes = append(notes, d.text("redacted"))
	}
	add(c.Unknown, "unknown_lines")
	add(c.Guessed, "guessed")
	add(c.Duplicate, "duplicate")
	add(c.Cut, "cut")
	add(s.Messages.Evicted, "evicted")
	add(s.Dropped.Sessions, "dropped_sessions")
	add(s.Dropped.Replies+s.Dropped.Causes, "dropped_replies")
	add(s.Dropped.Peers, "dropped_peers")
	add(s.Dropped.Wordings, "dropped_wordings")
	if s.Parts > 1 {
		notes = append(notes, d.text("merged", "n", count(d.Words, int64(s.Parts))))
		if slices.Contains(s.Estimates(), "causes.recipients") {
			notes = append(notes, d.text("merged_recipients"))
		}
	}
	for _, f := range c.Files {
		if f.Err != nil {
			notes = append(notes, d.text("not_read", "error", f.Err.Error()))
		}
	}
	return notes
}

func (d Day) files() Table {
	t := Table{Title: d.text("files"), Columns: []Column{left(d.text("column_file")).min(12), left(d.text("column_format")).min(7), left(d.text("column_from")).drop(2), left(d.text("column_to")).drop(2), right(d.text("column_lines")), right(d.text("column_understood")).drop(1), right(d.text("column_foreign")), right(d.text("column_unknown"))}}
	for _, f := range d.Summary.Coverage.Files {
		format := f.Format
		if format == "" {
			format = d.text("none_recognised")
		}
		if f.Compression != "" {
			format += ", " + f.Compression
		}
		t.Rows = append(t.Rows, []Cell{{Text: f.Path}, {Text: format}, {Text: moment(f.First)}, {Text: moment(f.Last)}, num(d.Words, f.Lines), num(d.Words, f.Understood), num(d.Words, f.Foreign), num(d.Words, f.Unknown)})
	}
	return t
}

func (d Day) sessions() Table {
	t := Table{Title: d.text("sessions"), Columns: []Column{left(""), right(d.text("column_total"))}}
	ends := []smtp.End{smtp.EndQuit, smtp.EndServerClosed, smtp.EndLost, smtp.EndTimedOut, smtp.EndRefused, smtp.EndAborted, smtp.EndOpen, smtp.EndNotLogged}
	both := d.Summary.Sessions
	ends = slices.DeleteFunc(ends, func(e smtp.End) bool { return both[0].Ended[e]+both[1].Ended[e] == 0 })
	for _, e := range ends {
		t.Columns = append(t.Columns, right(d.Words.End(e)))
	}
	for i, direction := range []smtp.Direction{smtp.Inbound, smtp.Outbound} {
		s := both[i]
		if s.Total == 0 {
			continue
		}
		row := []Cell{{Text: side(d.Words, direction)}, num(d.Words, s.Total)}
		for _, e := range ends {
			c := num(d.Words, s.Ended[e])
			if s.Ended[e] > 0 && e != smtp.EndQuit && e != smtp.EndOpen && e != smtp.EndNotLogged {
				c.Style = Warn
			}
			row = append(row, c)
		}
		t.Rows = append(t.Rows, row)
	}
	if len(t.Rows) == 0 {
		t.Notes = []string{d.text("none")}
	}
	return t
}

func (d Day) messages() Table {
	m := d.Summary.Messages
	t := Table{Title: d.text("messages"), Columns: []Column{right(d.text("column_received")), right(d.text("column_delivered")), right(d.text("column_deferred")), right(d.text("column_queued")), right(d.text("column_bounced")), right(d.text("column_expired")), right(d.text("column_discarded")), right(d.text("column_rejected"))}}
	warn := func(n int64, s Style) Cell {
		c := num(d.Words, n)
		if n > 0 {
			c.Style = s
		}
		return c
	}
	t.Rows = [][]Cell{{num(d.Words, m.Received), num(d.Words, m.Sent), warn(m.Deferred, Warn), warn(m.Queued, Warn), warn(m.Bounced, Bad), warn(m.Expired, Bad), num(d.Words, m.Discarded), num(d.Words, m.Rejected)}}
	return t
}

// causes is what went wrong, worst first, with what to do about it.
func (d Day) causes() Table {
	t := Table{Title: d.text("causes"), Columns: []Column{left(""), left(d.text("column_cause")).min(36), left(d.text("column_reply")), left(d.text("column_at")).drop(1), left(d.text("column_side")).min(10), right(d.text("column_count")), left(d.text("column_peers")).min(12).drop(3), left(d.text("column_span")).drop(2), left(d.text("column_todo")).under()}}
	groups := d.Summary.Groups()
	whole := d.Summary.Coverage.First
	for i, g := range groups {
		if d.Top > 0 && i == d.Top {
			t.Notes = append(t.Notes, d.text("more_causes", "flag", cmp.Or(d.More, "--all"), "n", len(groups)-i))
			break
		}
		main := g.Rows[0]
		reply := replyOf(main.Code, main.Enhanced)
		if n := len(g.Rows) - 1; n > 0 {
			reply = strings.TrimSpace(fmt.Sprintf("%s +%d", reply, n))
		}
		t.Rows = append(t.Rows, []Cell{
			{Text: side(d.Words, g.Direction), Style: Dim},
			{Text: d.Words.Cause(g.Cause).Title, Style: severityStyle(g.Severity)},
			{Text: reply},
			{Text: stagesOf(g)},
			{Text: d.Words.Side(g.Cause.ActorOf(g.Direction), g.Direction)},
			num(d.Words, g.Count),
			{Text: hostsOf(g)},
			{Text: months(d.Words, between(g.First, g.Last, whole)), Style: Dim},
			{Text: d.advice(g.Direction, main)},
		})
	}
	if len(groups) == 0 {
		t.Notes = []string{d.text("no_failure")}
	}
	return t
}

// advice is what to do about a cause, in one line. What the reply itself tells, whom to
// ask for what, goes with it.
func (d Day) advice(direction smtp.Direction, c *summary.Cause) string {
	fix, _ := d.Words.Advice(knowledge.EntryID(c.Note.Entry), direction)
	if direction == smtp.Inbound || c.Reply == "" {
		return fix
	}
	details := d.By.Details(&classify.Said{Code: c.Code, Enhanced: c.Enhanced, Text: []byte(c.Reply)})
	if removal := Removal(d.Words, &details); removal != "" {
		fix += " " + removal
	}
	return fix
}

// side is which side we are on, for a narrow column.
func side(w *knowledge.Words, d smtp.Direction) string {
	switch d {
	case smtp.Inbound:
		return w.Text("report.in")
	case smtp.Outbound:
		return w.Text("report.out")
	}
	return w.Text("report.here")
}

func severityStyle(s knowledge.Severity) Style {
	switch s {
	case knowledge.Critical, knowledge.Error:
		return Bad
	case knowledge.Warning:
		return Warn
	}
	return Normal
}

func replyOf(c smtp.Code, e smtp.EnhancedCode) string {
	return strings.TrimSpace(c.String() + " " + e.String())
}

// stagesOf names the stages at which a cause was met, the most frequent first.
func stagesOf(g *summary.Group) string {
	var names []string
	for _, r := range g.Rows {
		if s := r.Stage.String(); s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	if len(names) > 2 {
		names = append(names[:2], "…")
	}
	return strings.Join(names, ", ")
}

// hostsOf names the domains that a cause came from, the most frequent first.
func hostsOf(g *summary.Group) string {
	byDomain := map[string]int64{}
	for _, r := range g.Rows {
		for host, n := range r.Hosts() {
			if host != "" {
				byDomain[summary.Domain(host)] += n
			}
		}
	}
	names := make([]string, 0, len(byDomain))
	for n := range byDomain {
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int {
		if byDomain[a] != byDomain[b] {
			return int(byDomain[b] - byDomain[a])
		}
		return strings.Compare(a, b)
	})
	switch {
	case len(names) == 0:
		return ""
	case len(names) > 2:
		return fmt.Sprintf("%s +%d", names[0], len(names)-1)
	}
	return strings.Join(names, ", ")
}

// codes is the catalogue of what was said.
func (d Day) codes() Table {
	t := Table{Title: d.text("codes"), Columns: []Column{left(d.text("column_code")), left(d.text("column_name")).min(20), left(d.text("column_class")).drop(1), left(d.text("column_said_by")), right(d.text("column_count")), left(d.text("column_meaning")).min(20)}}
	rows := codeRows(d.Summary, d.Words)
	if n := len(rows) - 2*d.Top; d.Top > 0 && n > 0 {
		rows = frequent(rows, 2*d.Top)
		t.Notes = append(t.Notes, d.text("more_codes", "flag", cmp.Or(d.More, "--all"), "n", n))
	}
	for _, r := range rows {
		said := d.text("us")
		if r.direction == smtp.Outbound {
			said = d.text("them")
		}
		t.Rows = append(t.Rows, []Cell{{Text: r.code.String(), Style: codeStyle(r.code)}, {Text: d.Words.Code(r.code).Name}, {Text: d.Words.Class(r.code)}, {Text: said}, num(d.Words, r.count), {Text: r.meaning, Style: Dim}})
	}
	if len(rows) == 0 {
		t.Notes = []string{d.text("none_read")}
	}
	return t
}

func codeStyle(c smtp.Code) Style {
	switch {
	case c.Permanent():
		return Bad
	case c.Transient():
		return Warn
	}
	return Normal
}

type codeRow struct {
	direction smtp.Direction
	code      smtp.Code
	meaning   string
	count     int64
}

// frequent returns the n most frequent rows, in the order they had.
func frequent(rows []codeRow, n int) []codeRow {
	byCount := slices.Clone(rows)
	slices.SortStableFunc(byCount, func(a, b codeRow) int { return int(b.count - a.count) })
	least := byCount[n-1].count
	kept := rows[:0:0]
	for _, r := range rows {
		if r.count >= least && len(kept) < n {
			kept = append(kept, r)
		}
	}
	return kept
}

// codeRows adds the replies up by code, side and meaning, in the order of the codes.
func codeRows(s *summary.Summary, words *knowledge.Words) []codeRow {
	var rows []codeRow
	index := map[codeRow]int{}
	for _, r := range s.Replies() {
		key := codeRow{direction: r.Direction, code: r.Code, meaning: meaningOf(r, words)}
		i, ok := index[key]
		if !ok {
			i = len(rows)
			index[key] = i
			rows = append(rows, key)
		}
		rows[i].count += r.Count
	}
	slices.SortStableFunc(rows, func(a, b codeRow) int {
		if a.code != b.code {
			return int(a.code) - int(b.code)
		}
		return int(b.count - a.count)
	})
	return rows
}

// meaningOf is what a reply comes down to: for the steps of a session the entry's own
// words, which tell a 221 after QUIT from one that nobody asked for.
func meaningOf(r *summary.Reply, words *knowledge.Words) string {
	if r.Code < 400 {
		return words.Entry(knowledge.EntryID(r.Note.Entry)).Title
	}
	return words.Cause(r.Note.Cause).Title
}

func (d Day) peers() Table {
	t := Table{Title: d.text("peers"), Columns: append([]Column{left(d.text("column_peer")).min(16), left("")}, d.fates()...)}
	rows, missed := d.Summary.Peers(), int64(0)
	for i, p := range rows {
		if d.Top > 0 && i == d.Top {
			t.Notes = append(t.Notes, d.text("more_peers", "flag", cmp.Or(d.More, "--all"), "n", len(rows)-i))
			break
		}
		t.Rows = append(t.Rows, append([]Cell{{Text: p.Name}, {Text: side(d.Words, p.Direction), Style: Dim}}, d.fatesOf(&p.Deliveries)...))
		missed = max(missed, p.Missed)
	}
	if missed > 0 {
		t.Notes = append(t.Notes, d.text("missed", "n", count(d.Words, missed)))
	}
	if len(rows) == 0 {
		t.Notes = []string{d.text("none_read")}
	}
	return t
}

// fates are the columns of what became of deliveries, and fatesOf their cells.
func (d Day) fates() []Column {
	return []Column{right(d.text("column_delivered")), right(d.text("column_deferred")), right(d.text("column_bounced")), right(d.text("column_rejected"))}
}

func (d Day) fatesOf(n *[smtp.NumOutcomes]int64) []Cell {
	return []Cell{num(d.Words, n[smtp.Sent]), num(d.Words, n[smtp.Deferred]), num(d.Words, n[smtp.Bounced]+n[smtp.Expired]), num(d.Words, n[smtp.Rejected])}
}

// peopleWords are the phrases of a table of people.
type peopleWords struct{ title, column, more, dropped, unnamed string }

var (
	senderWords    = peopleWords{"people.senders", "people.column_senders", "people.more_senders", "people.dropped_senders", "people.unnamed_senders"}
	recipientWords = peopleWords{"people.recipients", "people.column_recipients", "people.more_recipients", "people.dropped_recipients", "people.unnamed_recipients"}
)

// people are the senders or the recipients, the most frequent first.
func (d Day) people(words *peopleWords, p *summary.People) Table {
	t := Table{Title: d.Words.Text(words.title), Columns: append([]Column{left(d.Words.Text(words.column)).min(16)}, d.fates()...)}
	rows, missed := p.Rows(), int64(0)
	for i := range rows {
		if d.Top > 0 && i == d.Top {
			t.Notes = append(t.Notes, d.Words.Text(words.more, "flag", cmp.Or(d.More, "--all"), "n", len(rows)-i))
			break
		}
		r := &rows[i]
		t.Rows = append(t.Rows, append([]Cell{{Text: r.Address}}, d.fatesOf(&r.Deliveries)...))
		missed = max(missed, r.Missed)
	}
	for _, note := range []struct {
		n   int64
		key string
	}{{missed, "report.missed"}, {p.Dropped(), words.dropped}, {p.Unnamed(), words.unnamed}} {
		if note.n > 0 {
			t.Notes = append(t.Notes, d.Words.Text(note.key, "n", count(d.Words, note.n)))
		}
	}
	if len(rows) == 0 {
		t.Notes = append([]string{d.text("none_read")}, t.Notes...)
	}
	return t
}

// Text prints the report for a terminal.
func (d Day) Text(out io.Writer, t Terminal, tables []Table, took time.Duration) error {
	parts := d.Headline(took)
	for i, p := range parts {
		parts[i] = printable(p)
	}
	t.parts(out, parts)
	if notes := d.Notes(); len(notes) > 0 {
		tables = append(tables, Table{Title: d.text("notes"), Notes: notes})
	}
	return t.Text(out, tables...)
}

// Markdown prints the report as Markdown.
func (d Day) Markdown(out io.Writer, tables []Table) error {
	if _, err := fmt.Fprintf(out, "# %s\n\n%s\n", markdown(d.text("title")), markdown(strings.Join(d.Headline(0), "; "))); err != nil {
		return err
	}
	if notes := d.Notes(); len(notes) > 0 {
		tables = append(tables, Table{Title: d.text("notes"), Notes: notes})
	}
	return Markdown(out, tables...)
}
