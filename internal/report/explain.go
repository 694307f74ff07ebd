package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Answer is what is known of a reply, or of a code that somebody asked about.
type Answer struct {
	Text      string // the reply as it was given, "" for a code alone
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode
	Stage     smtp.Stage     // StageNone when it is not known
	Direction smtp.Direction // Inbound: our own server said it
	classify.Annotation
	Details classify.Details
}

// Known reports whether anything but the first digit is known.
func (a *Answer) Known(b *knowledge.Base) bool {
	return b.Code(a.Code) != nil || a.Code == 0 && b.Status(a.Enhanced) != nil || a.Basis > classify.Context
}

// Explainer prints answers in one language.
type Explainer struct {
	Base     *knowledge.Base
	Words    *knowledge.Words // of Base
	Terminal Terminal
}

// telling is an answer in words, in the order in which it is read.
type telling struct {
	title   string
	style   Style
	facts   []fact // short ones
	fix     string
	steps   []string
	context []fact // for a code alone: what it means where
	after   []fact // what one reads who wants to know more
}

type fact struct{ name, text string }

// tell puts an answer into words.
func (e *Explainer) tell(a *Answer) telling {
	w := e.Words
	entry := w.Entry(a.Entry)
	out := telling{title: entry.Title, style: severityStyle(a.Severity)}
	add := func(to *[]fact, key, text string) {
		if text != "" {
			*to = append(*to, fact{w.Text("explain." + key), text})
		}
	}
	meaning, when := entry.Meaning, entry.When
	if a.Code != 0 {
		code := w.Code(a.Code)
		add(&out.facts, "code", fmt.Sprintf("%s %s, %s", a.Code, code.Name, code.Class))
		if meaning == "" && a.Enhanced.IsZero() {
			meaning = code.Meaning
		}
		if when == "" {
			when = code.When
		}
	}
	if !a.Enhanced.IsZero() {
		status := w.Enhanced(a.Enhanced)
		name := status.Name
		if name == "" {
			name = w.Text("explain.unregistered")
		}
		add(&out.facts, "enhanced", fmt.Sprintf("%s %s, %s, %s", a.Enhanced, name, status.Class, status.Subject))
		if meaning == "" {
			meaning = status.Meaning
		}
	}
	if a.Code == 0 && a.Enhanced.IsZero() && a.Text == "" {
		out.title = w.Text("explain.nothing")
	}
	if meaning != "" {
		out.facts = append([]fact{{w.Text("explain.meaning"), meaning}}, out.facts...)
	}
	if a.Entry != 0 || a.Code != 0 {
		add(&out.facts, "severity", w.Text("explain.severity_text", "severity", w.Severity(a.Severity), "permanence", e.permanence(a)))
		add(&out.facts, "who", w.Side(a.Cause.ActorOf(a.Direction), a.Direction))
	}
	add(&out.facts, "provider", e.Base.ProviderName(a.Provider))
	if a.Stage != smtp.StageNone {
		add(&out.facts, "stage", a.Stage.String())
	}
	if a.Text != "" {
		add(&out.facts, "basis", w.Basis(a.Basis.String()))
	}
	out.fix, out.steps = w.Advice(a.Entry, a.Direction)
	if details := DetailTexts(w, e.Base, &a.Details); len(details) > 0 {
		out.steps = append(details, out.steps...)
	}
	if a.Text == "" && a.Stage == smtp.StageNone {
		if out.context = e.contexts(a.Code); len(out.context) > 0 {
			out.steps = nil // they are of one context, and each has its own
		}
	}
	add(&out.after, "when", when)
	add(&out.after, "normal", e.normal(a))
	add(&out.after, "reference", e.reference(a))
	return out
}

// permanence says how long it lasts: the reply's own first digit speaks where the cause
// leaves it to it.
func (e *Explainer) permanence(a *Answer) string {
	if p := a.Cause.Permanence(); p != knowledge.Transient && p != knowledge.Permanent {
		return e.Words.Permanence(p)
	}
	switch class(a) {
	case 4:
		return e.Words.Permanence(knowledge.Transient)
	case 5:
		return e.Words.Permanence(knowledge.Permanent)
	}
	return e.Words.Permanence(a.Cause.Permanence())
}

// class is the first digit of the reply, or of the enhanced code where it has no other.
func class(a *Answer) int {
	if a.Code != 0 {
		return a.Code.Class()
	}
	return int(a.Enhanced[0])
}

// normal says whether a postmaster should mind it.
func (e *Explainer) normal(a *Answer) string {
	if a.Cause == knowledge.Greylisted {
		return e.Words.Text("normal.greylisted")
	}
	if a.Severity > knowledge.Info && class(a) < 4 {
		return e.Words.Text("normal.unasked")
	}
	switch c := class(a); {
	case c == 2 || c == 3:
		return e.Words.Text(fmt.Sprintf("normal.%d", c))
	case c != 4 && c != 5:
		return ""
	case a.Direction == smtp.Inbound:
		return e.Words.Text("normal.inbound")
	case a.Severity == knowledge.Critical:
		return e.Words.Text("normal.critical")
	default:
		return e.Words.Text(fmt.Sprintf("normal.%d", c))
	}
}

func (e *Explainer) reference(a *Answer) string {
	var all []string
	if c := e.Base.Code(a.Code); c != nil && c.RFC != "" {
		all = append(all, c.RFC)
	}
	if s := e.Base.Status(a.Enhanced); s != nil && !a.Enhanced.IsZero() && s.RFC != "" {
		all = append(all, s.RFC)
	}
	return strings.Join(all, "; ")
}

// contexts says what a code means where, for one who asked about the code alone.
func (e *Explainer) contexts(code smtp.Code) (out []fact) {
	known := e.Base.Code(code)
	if known == nil {
		return nil
	}
	for i := range known.Contexts {
		c := &known.Contexts[i]
		words := e.Words.Entry(c.Entry)
		out = append(out, fact{e.where(c), words.Title + ": " + words.Meaning + " " + words.Fix})
	}
	return out
}

// where says what a context asks for: "RCPT, 5.7.1".
func (e *Explainer) where(c *knowledge.Context) string {
	var parts []string
	for _, s := range c.At() {
		parts = append(parts, s.String())
	}
	if len(parts) > 3 {
		parts = append(parts[:3], "…")
	}
	if c.Unasked() {
		parts = append(parts, e.Words.Text("explain.unasked"))
	}
	for _, s := range c.Statuses() {
		class := "x"
		if s[0] != 0 {
			class = fmt.Sprint(s[0])
		}
		parts = append(parts, fmt.Sprintf("%s.%d.%d", class, s[1], s[2]))
	}
	return strings.Join(parts, ", ")
}

// DetailTexts says what a reply itself tells, a sentence each.
func DetailTexts(w *knowledge.Words, b *knowledge.Base, d *classify.Details) (out []string) {
	if d.Contradicts {
		out = append(out, w.Text("detail.contradicts"))
	}
	if d.Nonstandard {
		out = append(out, w.Text("detail.nonstandard"))
	}
	if s := Removal(w, d); s != "" {
		out = append(out, s)
	} else if d.Refused != "" {
		out = append(out, w.Text("detail.refused", "what", d.Refused))
	}
	for _, l := range d.Links {
		out = append(out, w.Text("detail.link", "link", l))
	}
	if d.Reference != "" {
		out = append(out, w.Text("detail.reference", "reference", d.Reference))
	}
	if d.RetryAfter > 0 {
		out = append(out, w.Text("detail.retry_after", "time", Span(w, d.RetryAfter)))
	}
	return out
}

// Removal is what to ask of the list that is named, "" for none.
func Removal(w *knowledge.Words, d *classify.Details) string {
	switch {
	case d.Blocklist == "" || d.Refused == "":
		return ""
	case d.Removal == "":
		return w.Text("detail.remove_unpaged", "list", d.Blocklist, "what", d.Refused)
	}
	return w.Text("detail.remove", "list", d.Blocklist, "what", d.Refused, "page", d.Removal)
}

// Span writes a span of time.
func Span(w *knowledge.Words, d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return w.Text("time.hours", "n", int(d/time.Hour))
	case d%time.Minute == 0:
		return w.Text("time.minutes", "n", int(d/time.Minute))
	}
	return w.Text("time.seconds", "n", int(d/time.Second))
}

// usualWidth is how wide text is set when nothing is known of the width.
const usualWidth = 80

// Text prints an answer for a terminal.
func (e *Explainer) Text(out io.Writer, a *Answer) error {
	w := bufio.NewWriter(out)
	t, said := e.Terminal, e.tell(a)
	if t.Width == 0 {
		t.Width = usualWidth
	}
	t.Width = min(t.Width, 110)
	head := said.title
	if a.Text != "" {
		t.block(w, "", shownText(a))
	} else {
		head = e.asked(a) + "  " + head
	}
	fmt.Fprintln(w, t.bold(t.paint(printable(head), said.style)))
	fmt.Fprintln(w)
	t.facts(w, said.facts)
	fmt.Fprintf(w, "\n  %s\n", t.bold(e.Words.Text("explain.todo")))
	t.block(w, "  ", said.fix)
	for i, s := range said.steps {
		t.hanging(w, fmt.Sprintf("  %d. ", i+1), s)
	}
	if len(said.context) > 0 {
		fmt.Fprintf(w, "\n  %s\n", t.bold(e.Words.Text("explain.contexts")))
		t.facts(w, said.context)
	}
	if len(said.after) > 0 {
		fmt.Fprintln(w)
		t.facts(w, said.after)
	}
	return w.Flush()
}

// asked is the code that was asked about.
func (e *Explainer) asked(a *Answer) string { return replyOf(a.Code, a.Enhanced) }

// shownText is the reply as it may be shown.
func shownText(a *Answer) string {
	return string(smtp.AppendMasked(nil, []byte(a.Text)))
}

// facts prints names and texts in two columns.
func (t Terminal) facts(w io.Writer, facts []fact) {
	width := 0
	for _, f := range facts {
		width = max(width, twwidth.Width(f.name))
	}
	width = min(width, t.Width/3)
	for _, f := range facts {
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

// block prints a text, each line indented.
func (t Terminal) block(w io.Writer, indent, text string) { t.hanging(w, indent, text) }

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
	head := strings.TrimSpace(e.asked(a) + " " + said.title)
	fmt.Fprintf(w, "## %s\n\n", markdown(head))
	if a.Text != "" {
		fmt.Fprintf(w, "> %s\n\n", markdown(shownText(a)))
	}
	list := func(facts []fact) {
		for _, f := range facts {
			fmt.Fprintf(w, "- **%s:** %s\n", markdown(f.name), markdown(f.text))
		}
	}
	list(said.facts)
	fmt.Fprintf(w, "\n### %s\n\n%s\n\n", markdown(e.Words.Text("explain.todo")), markdown(said.fix))
	for i, s := range said.steps {
		fmt.Fprintf(w, "%d. %s\n", i+1, markdown(s))
	}
	if len(said.context) > 0 {
		fmt.Fprintf(w, "\n### %s\n\n", markdown(e.Words.Text("explain.contexts")))
		list(said.context)
	}
	fmt.Fprintln(w)
	list(said.after)
	return w.Flush()
}

// AppendAnswer appends one JSON object, without a newline: smtp.reply.* and explain.* as
// events has them, with the words of the language.
func (e *Explainer) AppendAnswer(b []byte, a *Answer) []byte {
	w, entry := e.Words, e.Words.Entry(a.Entry)
	said := e.tell(a)
	o := object{b: append(b, '{')}
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
	str := func(name, v string) { o.str(name, []byte(v)) }
	str("class", w.Class(a.Code))
	o.word("severity", a.Severity.String())
	o.word("permanence", a.Cause.Permanence().String())
	o.word("actor", a.Cause.ActorOf(a.Direction).String())
	o.word("basis", a.Basis.String())
	o.word("provider", e.Base.ProviderID(a.Provider))
	str("title", said.title)
	str("meaning", entry.Meaning)
	str("when", entry.When)
	str("fix", said.fix)
	o.list("steps", said.steps)
	str("normal", e.normal(a))
	str("standard", e.reference(a))
	d := &a.Details
	str("blocklist", d.Blocklist)
	str("removal", d.Removal)
	str("refused", d.Refused)
	o.list("links", d.Links)
	str("reference", d.Reference)
	if d.RetryAfter > 0 {
		o.seconds("retry_after", d.RetryAfter)
	}
	if d.Contradicts {
		o.raw("contradicts", "true")
	}
	if d.Nonstandard {
		o.raw("nonstandard", "true")
	}
	o.word("lang", w.Lang)
	o.close()
	return append(o.b, '}')
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
