package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	Digit   int // 2 to 5: all codes that begin with it were asked about, and there is no code
}

// name is what was asked about: "553", "550 5.1.1", "5xx".
func (a *Answer) name() string {
	if a.Digit != 0 {
		return fmt.Sprintf("%dxx", a.Digit)
	}
	return replyOf(a.Code, a.Enhanced)
}

// Known reports whether anything but the first digit is known.
func (a *Answer) Known(b *knowledge.Base) bool {
	return a.Digit != 0 || b.Code(a.Code) != nil || a.Code == 0 && b.Status(a.Enhanced) != nil || a.Basis > classify.Context
}

// Explainer prints answers in one language.
type Explainer struct {
	Base     *knowledge.Base
	Words    *knowledge.Words // of Base
	Terminal Terminal
}

// telling is an answer in words, in the order in which it is read.
type telling struct {
	title    string
	style    Style
	facts    []fact // what one has to know first
	fix      string
	steps    []string
	contexts []contextWords // for a code alone: what it means where
	after    []fact         // what one reads who wants to know more
}

// fact is a text and what it is about; without a name it is about what stands before it.
type fact struct{ name, text string }

// contextWords tell of a code in one of its contexts.
type contextWords struct {
	*knowledge.Context
	where string
	knowledge.EntryWords
}

// tell puts an answer into words.
func (e *Explainer) tell(a *Answer) telling {
	w := e.Words
	out := telling{title: e.headline(a), style: severityStyle(a.Severity)}
	add := func(to *[]fact, key, text string) {
		if text != "" {
			*to = append(*to, fact{w.Text(key), text})
		}
	}
	add(&out.facts, "explain.meaning", e.meant(a))
	for _, s := range e.noted(&a.Details) {
		out.facts = append(out.facts, fact{"", s})
	}
	if a.asCode() {
		add(&out.facts, "compare.class", e.className(a))
	}
	if a.Entry != 0 || a.Code != 0 || !a.Enhanced.IsZero() {
		add(&out.facts, "explain.severity", w.Text("explain.severity_text", "severity", w.Severity(a.Severity), "permanence", w.Permanence(permanence(a))))
		add(&out.facts, "explain.who", e.each(a, func(c knowledge.Cause) string { return w.Side(c.ActorOf(a.Direction), a.Direction) }))
	}
	add(&out.facts, "explain.provider", e.Base.ProviderName(a.Provider))

	out.fix, out.steps = e.advice(a)
	if a.Stage == smtp.StageNone && a.Basis <= classify.Context && a.Enhanced.IsZero() {
		if out.contexts = e.contexts(a.Code); len(out.contexts) > 0 {
			out.steps = nil // they are of one context, and each has its own
		}
	}
	out.steps = append(e.offered(a), out.steps...)

	add(&out.after, "explain.when", e.seen(a))
	add(&out.after, "explain.normal", e.normal(a))
	if !a.asCode() {
		add(&out.after, "explain.code", e.codeLine(a))
		add(&out.after, "explain.enhanced", e.enhancedLine(a))
		add(&out.after, "explain.stage", a.Stage.String())
		add(&out.after, "explain.basis", w.Basis(a.Basis.String()))
	}
	add(&out.after, "explain.reference", e.reference(a))
	return out
}

// asCode reports that a code, or an enhanced code, was asked about by itself.
func (a *Answer) asCode() bool {
	return a.Text == "" && a.Stage == smtp.StageNone && (a.Code == 0) != a.Enhanced.IsZero() || a.Digit != 0
}

// each puts a cause into words. A code alone may come down to several, by where it is said.
func (e *Explainer) each(a *Answer, words func(knowledge.Cause) string) string {
	known := e.Base.Code(a.Code)
	if !a.asCode() || known == nil || len(known.Contexts) == 0 {
		return words(a.Cause)
	}
	var all []string
	for i := range known.Contexts {
		cause := e.Base.Entry(known.Contexts[i].Entry).Cause
		if s := words(cause); cause != knowledge.Unknown && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return strings.Join(all, " / ")
}

// headline is what it is, in a few words.
func (e *Explainer) headline(a *Answer) string {
	switch {
	case a.asCode():
		return e.title(a)
	case a.Code == 0 && a.Enhanced.IsZero() && a.Text == "":
		return e.Words.Text("explain.nothing")
	}
	return e.Words.Entry(a.Entry).Title
}

// meant is what it means: what the code says where nothing but the code is known, else
// what has been recognised.
func (e *Explainer) meant(a *Answer) string {
	byClass := e.Words.Text(fmt.Sprintf("class.%d", class(a)))
	switch {
	case (a.Digit != 0 || !a.Known(e.Base)) && byClass != "":
		return byClass
	case a.asCode():
		return e.meaning(a)
	}
	if s := e.Words.Entry(a.Entry).Meaning; s != "" {
		return s
	}
	if s := e.Words.Cause(a.Cause).Meaning; s != "" {
		return s
	}
	return byClass
}

// seen is when one sees it.
func (e *Explainer) seen(a *Answer) string {
	if a.asCode() {
		return e.when(a)
	}
	if s := e.Words.Entry(a.Entry).When; s != "" {
		return s
	}
	return e.Words.Cause(a.Cause).When
}

func (e *Explainer) codeLine(a *Answer) string {
	if a.Code == 0 {
		return ""
	}
	code := e.Words.Code(a.Code)
	return fmt.Sprintf("%s %s, %s", a.Code, code.Name, code.Class)
}

func (e *Explainer) enhancedLine(a *Answer) string {
	if a.Enhanced.IsZero() {
		return ""
	}
	status := e.Words.Enhanced(a.Enhanced)
	parts := []string{a.Enhanced.String() + " " + status.Name, status.Class, status.Subject}
	if status.Name == "" {
		parts[0] += e.Words.Text("explain.unregistered")
	}
	if status.Subject == "" {
		parts = parts[:2]
	}
	return strings.Join(parts, ", ")
}

// permanence says how long it lasts: the reply's own first digit speaks where the cause
// leaves it to it.
func permanence(a *Answer) knowledge.Permanence {
	switch p := a.Cause.Permanence(); {
	case p == knowledge.Success || p == knowledge.ByPolicy:
		return p
	case class(a) == 4:
		return knowledge.Transient
	case class(a) == 5:
		return knowledge.Permanent
	default:
		return p
	}
}

// class is the first digit of the reply, or of the enhanced code where it has no other.
func class(a *Answer) int {
	if a.Digit != 0 {
		return a.Digit
	}
	if a.Code != 0 {
		return a.Code.Class()
	}
	return int(a.Enhanced[0])
}

// advice is what to do: by the code alone where nothing else is known.
func (e *Explainer) advice(a *Answer) (fix string, steps []string) {
	fix, steps = e.Words.Advice(a.Entry, a.Direction)
	if a.asCode() && (a.Code != 0 || a.Digit != 0) {
		fix = e.Words.Code(a.Code).Fix
	}
	if a.Digit != 0 {
		steps = nil
	}
	return fix, steps
}

// normal says whether a postmaster should mind it.
func (e *Explainer) normal(a *Answer) string {
	failed := class(a) >= 4 || class(a) == 0 && a.Entry != 0
	switch c := class(a); {
	case a.asCode() && e.Words.Code(a.Code).Normal != "":
		return e.Words.Code(a.Code).Normal
	case failed && a.Direction == smtp.Inbound:
		return e.Words.Text("normal.inbound")
	case (c == 2 || c == 3) && a.Severity > knowledge.Info:
		return e.Words.Text("normal.unasked")
	case failed && e.Words.Cause(a.Cause).Normal != "":
		return e.Words.Cause(a.Cause).Normal
	case c >= 2 && c <= 5:
		return e.Words.Text(fmt.Sprintf("normal.%d", c))
	}
	return ""
}

func (e *Explainer) reference(a *Answer) string {
	var all []string
	if c := e.Base.Code(a.Code); c != nil && c.RFC != "" {
		all = append(all, c.RFC)
	}
	if s := e.Base.Status(a.Enhanced); s != nil && !a.Enhanced.IsZero() && s.RFC != "" {
		all = append(all, s.RFC)
	}
	for i, r := range all {
		all[i] = e.section(r)
	}
	return strings.Join(all, "; ")
}

// section says "RFC 5321, section 4.2.3; RFC 1870, section 6.1" in the language.
func (e *Explainer) section(reference string) string {
	refs := strings.Split(reference, "; ")
	for i, r := range refs {
		if rfc, n, ok := strings.Cut(r, ", section "); ok {
			refs[i] = e.Words.Text("explain.section", "rfc", rfc, "n", n)
		}
	}
	return strings.Join(refs, "; ")
}

// contexts says what a code means where, for one who asked about the code alone.
// Contexts that people are told the same of are told once.
func (e *Explainer) contexts(code smtp.Code) (out []contextWords) {
	known := e.Base.Code(code)
	if known == nil {
		return nil
	}
	for i := range known.Contexts {
		c := contextWords{&known.Contexts[i], e.where(&known.Contexts[i]), e.Words.Entry(known.Contexts[i].Entry)}
		if n := len(out) - 1; n >= 0 && out[n].Meaning == c.Meaning && out[n].Title == c.Title && out[n].Fix == c.Fix {
			out[n] = c // the later is the wider
			continue
		}
		out = append(out, c)
	}
	return out
}

// manyStages is from how many commands on it is told that it may be any.
const manyStages = 8

// where says what a context asks for: "MAIL, RCPT (x.7.1)".
func (e *Explainer) where(c *knowledge.Context) string {
	var stages, statuses []string
	for _, s := range c.At() {
		stages = append(stages, s.String())
	}
	if len(stages) > manyStages {
		stages = []string{e.Words.Text("compare.any_command")} // but those told apart before
	}
	if c.Unasked() {
		stages = append(stages, e.Words.Text("explain.unasked"))
	}
	for _, s := range c.Statuses() {
		statuses = append(statuses, pattern(s))
	}
	where := strings.Join(stages, ", ")
	if len(statuses) > 0 {
		where = strings.TrimSpace(where + " (" + strings.Join(statuses, ", ") + ")")
	}
	return where
}

// pattern writes an enhanced code whose class 0 is any: "x.7.1".
func pattern(s smtp.EnhancedCode) string {
	if s[0] == 0 {
		return fmt.Sprintf("x.%d.%d", s[1], s[2])
	}
	return s.String()
}

// noted is what is remarkable about a reply, a sentence each.
func (e *Explainer) noted(d *classify.Details) (out []string) {
	w := e.Words
	if d.Contradicts {
		out = append(out, w.Text("detail.contradicts"))
	}
	if d.Nonstandard {
		out = append(out, w.Text("detail.nonstandard"))
	}
	if d.Refused != "" && Removal(w, d) == "" {
		out = append(out, w.Text("detail.refused", "what", d.Refused))
	}
	if d.RetryAfter > 0 {
		out = append(out, w.Text("detail.retry_after", "time", Span(w, d.RetryAfter)))
	}
	return out
}

// offered is what to do by what the reply itself tells, a step each.
func (e *Explainer) offered(a *Answer) (out []string) {
	w, d := e.Words, &a.Details
	if s := Removal(w, d); s != "" && a.Direction != smtp.Inbound { // else it is the stranger's business
		out = append(out, s)
	}
	for _, l := range d.Links {
		out = append(out, w.Text("detail.link", "link", l))
	}
	if d.Reference != "" {
		out = append(out, w.Text("detail.reference", "reference", d.Reference))
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
