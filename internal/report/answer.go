package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Prose is set usualWidth columns wide where nothing is known of the output, and never
// wider than widestProse: longer lines are hard to follow.
const (
	usualWidth  = 80
	widestProse = 110
)

// prose is the terminal as sentences are set on it.
func (t Terminal) prose() Terminal {
	if t.Width <= 0 {
		t.Width = usualWidth
	}
	t.Width = min(t.Width, widestProse)
	return t
}

// Text prints an answer for a terminal.
func (e *Explainer) Text(out io.Writer, a *Answer) error {
	w := bufio.NewWriter(out)
	t, said := e.Terminal.prose(), e.tell(a)
	asked := a.name() + "  "
	if a.Digit != 0 {
		asked = "" // the name of the class begins with it
	}
	if a.Text != "" {
		asked = ""
		for _, line := range shownLines(a) {
			t.hanging(w, "  ", line)
		}
		fmt.Fprintln(w)
	}
	for _, line := range broken(printable(said.title), t.Width-len(asked)) {
		fmt.Fprintln(w, t.bold(t.paint(asked+line, said.style)))
		asked = strings.Repeat(" ", len(asked))
	}
	fmt.Fprintln(w)
	t.facts(w, said.facts)
	fmt.Fprintf(w, "\n%s\n", t.bold(e.Words.Text("explain.todo")))
	t.hanging(w, "  ", said.fix)
	for i, s := range said.steps {
		t.hanging(w, fmt.Sprintf("  %d. ", i+1), s)
	}
	if len(said.contexts) > 0 {
		fmt.Fprintf(w, "\n%s\n", t.bold(e.Words.Text("explain.contexts")))
		t.contexts(w, said.contexts)
	}
	fmt.Fprintln(w)
	t.facts(w, said.after)
	return w.Flush()
}

// shownLines are the lines of the reply as they may be shown.
func shownLines(a *Answer) []string {
	return strings.Split(string(smtp.AppendMasked(nil, []byte(a.Text))), "\n")
}

// contexts prints what a code means where: the place and what it is there, and below it
// what that means and what to do.
func (t Terminal) contexts(w io.Writer, all []contextWords) {
	for _, c := range all {
		if head := "  " + t.paint(printable(c.where), Dim) + "  "; twwidth.Width(head+c.Title) <= t.Width {
			t.hanging(w, head, c.Title)
		} else {
			t.hanging(w, "  ", c.where)
			t.hanging(w, "    ", c.Title)
		}
		t.hanging(w, "      ", c.Meaning)
		t.hanging(w, "      "+underMark, c.Fix)
	}
}

// facts prints names and texts in two columns.
func (t Terminal) facts(w io.Writer, facts []fact) {
	width := 0
	for _, f := range facts {
		if f.text != "" {
			width = max(width, twwidth.Width(f.name))
		}
	}
	width = min(width, t.Width/3)
	for _, f := range facts {
		if f.text == "" {
			continue
		}
		name := clip(printable(f.name), width)
		pad := strings.Repeat(" ", width-twwidth.Width(name))
		t.hanging(w, "  "+t.paint(name, Dim)+pad+"  ", f.text)
	}
}

// hanging prints a text behind a head, its further lines as far in as the first.
func (t Terminal) hanging(w io.Writer, head, text string) {
	indent := strings.Repeat(" ", twwidth.Width(head))
	for i, line := range broken(printable(text), max(t.Width-len(indent), min(t.Width, 20))) {
		if i > 0 {
			head = indent
		}
		fmt.Fprintln(w, head+line)
	}
}

// broken breaks a text at blanks into lines of a width; a longer word has its own.
// A width of 0 or less is no limit.
func broken(text string, width int) (lines []string) {
	line, n := "", 0
	for _, word := range strings.Fields(text) {
		k := twwidth.Width(word)
		if n > 0 && n+1+k > width && width > 0 {
			lines = append(lines, line)
			line, n = "", 0
		}
		if n > 0 {
			line += " "
			n++
		}
		line += word
		n += k
	}
	return append(lines, line)
}

// Markdown prints an answer for a ticket.
func (e *Explainer) Markdown(out io.Writer, a *Answer) error {
	w := bufio.NewWriter(out)
	said := e.tell(a)
	fmt.Fprintf(w, "## %s\n\n", markdown(heading(a.name(), said.title)))
	if a.Text != "" {
		for _, line := range shownLines(a) {
			fmt.Fprintf(w, "> %s  \n", markdown(line)) // two blanks: a new line stays one
		}
		fmt.Fprintln(w)
	}
	markdownFacts(w, said.facts)
	fmt.Fprintf(w, "\n### %s\n\n%s\n", markdown(e.Words.Text("explain.todo")), markdown(said.fix))
	if len(said.steps) > 0 {
		fmt.Fprintln(w)
	}
	for i, s := range said.steps {
		fmt.Fprintf(w, "%d. %s\n", i+1, markdown(s))
	}
	if len(said.contexts) > 0 {
		fmt.Fprintf(w, "\n### %s\n\n", markdown(e.Words.Text("explain.contexts")))
		markdownContexts(w, said.contexts)
	}
	fmt.Fprintln(w)
	markdownFacts(w, said.after)
	return w.Flush()
}

// heading is a code with its title, which for a first digit begins with the code.
func heading(code, title string) string {
	if strings.HasPrefix(title, code) {
		return title
	}
	return code + " " + title
}

func markdownFacts(w io.Writer, facts []fact) {
	for _, f := range facts {
		switch {
		case f.text == "":
		case f.name == "":
			fmt.Fprintf(w, "- %s\n", markdown(f.text))
		default:
			fmt.Fprintf(w, "- **%s** %s\n", markdown(labelled(f.name)), markdown(f.text))
		}
	}
}

// labelled ends the name of a fact with a colon, but not a name that is a question.
func labelled(name string) string {
	if strings.HasSuffix(name, "?") {
		return name
	}
	return name + ":"
}

func markdownContexts(w io.Writer, all []contextWords) {
	for _, c := range all {
		fmt.Fprintf(w, "- **%s** %s  \n  %s  \n  %s%s\n", markdown(c.where+":"), markdown(c.Title), markdown(c.Meaning), underMark, markdown(c.Fix))
	}
}

// AppendAnswer appends one JSON object, without a newline: smtp.stage, smtp.reply.* and
// explain.* as events has them, with the words of the language. A code alone has its
// contexts in explain.contexts.
func (e *Explainer) AppendAnswer(b []byte, a *Answer) []byte {
	said := e.tell(a)
	o := object{b: append(b, '{')}
	str := func(name, v string) { o.str(name, []byte(v)) }
	o.open("smtp")
	o.word("stage", a.Stage.String())
	o.open("reply")
	if a.Code != 0 {
		o.num("code", int64(a.Code))
	}
	o.enhanced("enhanced_code", a.Enhanced)
	o.text("text", []byte(a.Text))
	o.close()
	o.close()
	o.open("explain")
	o.word("cause", a.Cause.ID())
	str("class", e.Words.Class(cmp.Or(a.Code, smtp.Code(a.Digit*100))))
	o.word("severity", a.Severity.String())
	o.word("permanence", permanence(a).String())
	o.word("actor", a.Cause.ActorOf(a.Direction).String())
	o.word("basis", a.Basis.String())
	o.word("provider", e.Base.ProviderID(a.Provider))
	str("title", said.title)
	str("meaning", e.meant(a))
	str("when", e.seen(a))
	str("fix", said.fix)
	o.list("steps", said.steps)
	str("normal", e.normal(a))
	str("standard", e.reference(a))
	o.details(a)
	o.contexts(e.Base, said.contexts)
	o.word("lang", e.Words.Lang)
	o.close()
	return append(o.b, '}')
}

// details writes what the reply itself tells.
func (o *object) details(a *Answer) {
	d := &a.Details
	o.str("blocklist", []byte(d.Blocklist))
	o.str("removal", []byte(d.Removal))
	o.str("refused", []byte(d.Refused))
	o.list("links", d.Links)
	o.str("reference", []byte(d.Reference))
	if d.RetryAfter > 0 {
		o.seconds("retry_after", d.RetryAfter)
	}
	if d.Contradicts {
		o.raw("contradicts", "true")
	}
	if d.Nonstandard {
		o.raw("nonstandard", "true")
	}
}

// contexts writes what a code means where, an object each.
func (o *object) contexts(base *knowledge.Base, all []contextWords) {
	if len(all) == 0 {
		return
	}
	o.key("contexts")
	for i, c := range all {
		x := object{b: append(append(o.b, "[,"[min(i, 1)]), '{')}
		var stages, statuses []string
		for _, s := range c.At() {
			stages = append(stages, s.String())
		}
		for _, s := range c.Statuses() {
			statuses = append(statuses, pattern(s))
		}
		x.list("stages", stages)
		x.list("enhanced_codes", statuses)
		if c.Unasked() {
			x.raw("unasked", "true")
		}
		x.word("cause", base.Entry(c.Entry).Cause.ID())
		x.str("title", []byte(c.Title))
		x.str("meaning", []byte(c.Meaning))
		x.str("fix", []byte(c.Fix))
		o.b = append(x.b, '}')
	}
	o.b = append(o.b, ']')
}

// list writes a field of several texts.
func (o *object) list(name string, all []string) {
	if len(all) == 0 {
		return
	}
	o.key(name)
	for i, s := range all {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		o.b = appendString(append(o.b, sep), []byte(s))
	}
	o.b = append(o.b, ']')
}
