package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// How many of each kind of those who are hit are shown, and how many lines of the log; -o csv
// has more of the former.
const (
	shownHit      = 5
	briefHit      = 3
	briefEvidence = 3
)

// whoKind is one kind of those who are hit.
type whoKind struct {
	key, name string
	all       []incident.Who
	of        int64 // how many there are
}

func (r Incidents) kinds(in *incident.Incident) []whoKind {
	h, im := &in.Hit, &in.Impact
	return []whoKind{
		{"party", r.text("party"), h.Parties, im.Parties}, {"domain", r.text("domain"), h.Domains, im.Domains}, {"host", r.text("host"), h.Hosts, 0},
		{"sender", r.text("sender"), h.Senders, im.Senders}, {"user", r.text("user"), h.Users, im.Users}, {"client", r.text("client"), h.Clients, im.Clients},
		{"recipient", r.text("recipient"), h.Recipients, im.Recipients}, {"instance", r.text("instance"), h.Instances, 0}, {"own_address", r.text("own_address"), r.addresses(in), 0},
	}
}

// hit is who is hit, the most first.
func (r Incidents) hit(in *incident.Incident) Section {
	t := Table{Title: r.text("hit"), Columns: []Column{left(r.text("kind")), left(r.text("name")).min(20), right(r.text("lines")), left(r.text("from")).drop(1), left(r.text("to")).drop(1)}}
	most := shownHit
	if r.brief {
		most = briefHit
	}
	for _, k := range r.kinds(in) {
		for i, w := range k.all {
			if i == most {
				t.Rows = append(t.Rows, []Cell{{Text: k.name}, {Text: r.text("more", "n", r.n(max(k.of, int64(len(k.all)))-int64(most))), Style: Dim}, {}, {}, {}})
				break
			}
			t.Rows = append(t.Rows, []Cell{{Text: k.name}, {Text: w.Name}, num(r.Words, w.Count), {Text: atClock(w.First, in.Start)}, {Text: atClock(w.Last, in.Start)}})
		}
	}
	if len(t.Rows) == 0 {
		return Section{}
	}
	return section(t.Title, Block{Table: &t})
}

// hitList is who is hit of all incidents, for other programs: whom to write to, for one.
func (r Incidents) hitList() Table {
	t := Table{Columns: []Column{left("incident"), left("kind"), left("name"), right("lines"), left("first"), left("last")}}
	for _, in := range r.Incidents {
		for _, k := range r.kinds(in) {
			for _, w := range k.all {
				t.Rows = append(t.Rows, []Cell{{Text: fmt.Sprint(in.ID)}, {Text: k.key}, {Text: w.Name}, {Text: fmt.Sprint(w.Count)}, {Text: w.First.Format(time.RFC3339)}, {Text: w.Last.Format(time.RFC3339)}})
			}
		}
	}
	return t
}

// spared is what kept working: it rules causes out.
func (r Incidents) spared(in *incident.Incident) Section {
	t := Table{Title: r.text("spared"), Columns: []Column{left(r.text("what")).min(20), right(r.text("worked")), right(r.text("failed")), right(r.text("usually"))}}
	for _, f := range in.Spared {
		usual := Cell{}
		if f.Usual > 0 {
			usual.Text = "≈ " + r.n(int64(f.Usual+0.5))
		}
		t.Rows = append(t.Rows, []Cell{{Text: r.flow(&f)}, {Text: r.n(f.Sent), Style: Good}, num(r.Words, f.Failed), usual})
	}
	if len(t.Rows) == 0 {
		return section(t.Title, Block{Para: r.text("nothing_spared")})
	}
	return section(t.Title, Block{Table: &t})
}

func (r Incidents) flow(f *incident.Flow) string {
	switch f.What {
	case incident.ToParty:
		return r.text("flow_to", "who", f.Name)
	case incident.Outgoing:
		return r.text("flow_out")
	case incident.Incoming:
		return r.text("flow_in")
	case incident.Submission:
		return r.text("flow_submission")
	}
	return r.text("flow_local")
}

// triggers is what was new near the beginning. It says nothing of why.
func (r Incidents) triggers(in *incident.Incident) Section {
	t := Table{Title: r.text("triggers"), Columns: []Column{left(r.text("when")), left(r.text("what")).min(24), left(r.text("where")).min(12).drop(1)}}
	for i := range in.Triggers {
		g := &in.Triggers[i]
		when := r.text("before", "time", roughly(r.Words, g.Before))
		if g.Before < 0 {
			when = r.text("after", "time", roughly(r.Words, -g.Before))
		}
		what := r.markText(in, &g.Mark)
		switch {
		case g.What == incident.SenderSpike:
			what = r.text("spike", "who", g.Name, "n", r.n(g.Count), "usual", decimal(r.Words, g.Usual, 1))
		case g.What == incident.ManyRcpt:
			what = r.text("many", "who", g.Name, "n", r.n(g.Count))
		}
		t.Rows = append(t.Rows, []Cell{{Text: when}, {Text: what}, {Text: place(&g.Line)}})
	}
	if len(t.Rows) == 0 {
		return section(t.Title, Block{Para: r.text("no_trigger")})
	}
	return section(t.Title, Block{Para: r.text("correlation"), Dim: true}, Block{Table: &t})
}

// evidence is the lines of the log that all of it rests on, one message, and the commands by
// which the figures can be had again.
func (r Incidents) evidence(in *incident.Incident) Section {
	s := section(r.text("evidence"))
	lines := in.Evidence
	if r.brief {
		lines = lines[:min(len(lines), briefEvidence)]
	}
	if len(lines) > 0 {
		s.Blocks = append(s.Blocks, Block{Lines: logLines(r.text("lines_of_log"), lines)})
	}
	if e := in.Example; e != nil {
		s.Blocks = append(s.Blocks, Block{Para: r.text("example")}, Block{Facts: notEmpty(r.example(e))})
		if others := unseen(e.Lines, lines); len(others) > 0 {
			s.Blocks = append(s.Blocks, Block{Lines: logLines("", others)})
		}
	}
	again := &Lines{Title: r.text("again")}
	for _, c := range in.Commands {
		what := c.What
		if c.Gives > 0 {
			what += fmt.Sprintf(": %d", c.Gives)
		}
		again.All = append(again.All, Line{Text: "# " + what}, Line{Text: c.Line})
	}
	if len(again.All) > 0 {
		s.Blocks = append(s.Blocks, Block{Lines: again})
	}
	return s
}

// EvidenceLines prints the lines that the report rests on, each behind its place and made
// harmless for a terminal.
func (r Incidents) EvidenceLines(out io.Writer) error {
	w := bufio.NewWriter(out)
	for _, in := range r.Incidents {
		all := slices.Clone(in.Evidence)
		if in.Example != nil {
			all = append(all, unseen(in.Example.Lines, all)...)
		}
		fmt.Fprintf(w, "# %s\n", printable(r.text("nth", "n", in.ID, "title", r.title(in))))
		for i := range all {
			fmt.Fprintf(w, "%s:%s\n", printable(place(&all[i])), printable(all[i].Text))
		}
	}
	return w.Flush()
}

// unseen are the lines that do not stand among those that are shown.
func unseen(all, shown []incident.Line) (others []incident.Line) {
	for _, l := range all {
		if !slices.Contains(shown, l) {
			others = append(others, l)
		}
	}
	return others
}

func logLines(title string, all []incident.Line) *Lines {
	l := &Lines{Title: title}
	for i := range all {
		l.All = append(l.All, Line{Place: place(&all[i]), Text: strings.ReplaceAll(all[i].Text, "\n", " ")})
	}
	return l
}

func (r Incidents) example(e *incident.Example) []Fact {
	fate := e.Outcome.String()
	switch e.Outcome {
	case smtp.Sent:
		fate = r.text("fate_sent", "when", instant(e.Done), "time", roughly(r.Words, e.Done.Sub(e.First)))
	case smtp.Deferred:
		fate = r.text("fate_waits")
	case smtp.Bounced, smtp.Expired:
		fate = r.text("fate_lost", "when", instant(e.Done))
	case smtp.Rejected:
		fate = r.text("fate_refused", "when", instant(e.Done))
	}
	return []Fact{
		{Name: r.text("queue_id"), Text: e.Queue, Raw: true}, {Name: r.text("of"), Text: e.Sender, Raw: true}, {Name: r.text("for"), Text: e.Recipient, Raw: true},
		{Name: r.text("arrived"), Text: instant(e.Arrived)}, {Name: r.text("first_failed"), Text: instant(e.First)}, {Name: r.text("tries"), Text: r.n(e.Tries)},
		{Name: r.text("fate"), Text: fate},
	}
}

// limits is what was read and what cannot be told from it.
func (r Incidents) limits() Section {
	c := &r.Coverage
	day := Day{Words: r.Words}
	items := []string{day.text("lines", "n", r.n(c.Lines)) + ", " + day.understood(c)}
	add := func(n int64, key string) {
		if n > 0 {
			items = append(items, r.text(key, "n", r.n(n)))
		}
	}
	if c.Interrupted {
		items = append(items, day.text("interrupted"))
	}
	if c.Redacted {
		items = append(items, day.text("redacted"))
	}
	if c.Unknown > 0 {
		items = append(items, day.text("unknown_lines", "n", r.n(c.Unknown)))
	}
	if c.Guessed > 0 {
		items = append(items, day.text("guessed"))
	}
	if len(r.Hosts) > 0 {
		items = append(items, r.text("hosts", "hosts", strings.Join(r.Hosts[:min(len(r.Hosts), shownHosts)], ", ")))
	}
	for i := range r.Gaps {
		items = append(items, r.gap(&r.Gaps[i]))
	}
	add(r.Dropped.Gaps, "more_gaps")
	for i := range r.Jumps {
		items = append(items, r.jump(&r.Jumps[i]))
	}
	for _, s := range r.Strays {
		items = append(items, r.text("stray", "where", fmt.Sprintf("%s:%d", s.Path, s.Number), "when", instant(s.Time), "n", r.n(s.Lines)))
	}
	if r.Thin {
		items = append(items, r.text("thin"))
	}
	if r.Width > time.Minute {
		items = append(items, r.text("coarse", "time", roughly(r.Words, r.Width)))
	}
	add(r.Dropped.Details, "dropped_details")
	add(r.Dropped.Series+r.Dropped.Parties+r.Dropped.Names, "dropped_names")
	add(r.Dropped.Messages, "dropped_messages")
	add(r.Dropped.Lines, "dropped_lines")
	add(r.Dropped.Untimed, "untimed")
	items = append(items, r.text("caveat"))
	return section(r.text("limits"), Block{List: &List{Items: items}})
}

// shownHosts is how many of the machines that logged are named.
const shownHosts = 10

// blanks are the headings of a postmortem that no log can fill.
func (r Incidents) blanks() []Section {
	actions := Table{Title: r.text("pm_actions"), Columns: []Column{left(r.text("pm_action")), left(r.text("pm_owner")), left(r.text("pm_due"))}}
	for range blankRows {
		actions.Rows = append(actions.Rows, []Cell{{Text: "…"}, {Text: "…"}, {Text: "…"}})
	}
	lessons := []Fact{{Name: r.text("pm_well"), Text: "…"}, {Name: r.text("pm_wrong"), Text: "…"}, {Name: r.text("pm_lucky"), Text: "…"}}
	all := []Section{section(r.text("postmortem"), Block{Para: r.text("pm_blank"), Dim: true})}
	for _, title := range []string{r.text("pm_cause"), r.text("pm_trigger"), r.text("pm_detection"), r.text("pm_resolution")} {
		all = append(all, Section{Title: title, Sub: true, Blocks: paras("…")})
	}
	return append(all, Section{Title: r.text("pm_lessons"), Sub: true, Blocks: []Block{{Facts: lessons}}}, Section{Title: actions.Title, Sub: true, Blocks: []Block{{Table: &actions}}})
}
