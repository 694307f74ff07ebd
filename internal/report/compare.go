package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// comparison is two or more codes side by side, in words.
type comparison struct {
	summary     []string // a sentence or two for each code
	codes       []comparedCode
	differences []string
	which       []fact // the code, and when it is the one
}

type comparedCode struct {
	name     string // "221", "5.7.1"
	title    string
	facts    []fact
	contexts []contextWords
}

// compare puts codes, as Answers to them alone, into words.
func (e *Explainer) compare(all []*Answer) (c comparison) {
	w := e.Words
	for _, a := range all {
		name, title, when := a.name(), e.title(a), e.when(a)
		first := w.Text(fmt.Sprintf("class.%d", class(a)))
		c.summary = append(c.summary, w.Text("compare.one", "code", name, "name", title, "class", e.className(a), "meaning", first))
		fix, _ := e.advice(a)
		var contexts []contextWords
		if a.Enhanced.IsZero() {
			contexts = e.contexts(a.Code)
		}
		c.codes = append(c.codes, comparedCode{name: name, title: title, contexts: contexts, facts: []fact{
			{w.Text("compare.class"), e.className(a)},
			{w.Text("explain.meaning"), e.meaning(a)},
			{w.Text("explain.when"), when},
			{w.Text("explain.todo"), fix},
			{w.Text("explain.normal"), e.normal(a)},
			{w.Text("explain.reference"), e.reference(a)},
		}})
		c.which = append(c.which, fact{name, when})
	}
	c.differences = e.differences(all)
	return c
}

// title, meaning and when are the words of what was asked about itself: of the code, or
// of the enhanced code, which tells more where both are given.
func (e *Explainer) title(a *Answer) string {
	if a.Digit != 0 {
		return e.Words.Class(smtp.Code(a.Digit * 100))
	}
	if a.Enhanced.IsZero() {
		return e.Words.Code(a.Code).Name
	}
	if name := e.Words.Enhanced(a.Enhanced).Name; name != "" {
		return name
	}
	return e.Words.Text("explain.unregistered")
}

func (e *Explainer) meaning(a *Answer) string {
	if a.Enhanced.IsZero() {
		return e.Words.Code(a.Code).Meaning
	}
	if s := e.Words.Enhanced(a.Enhanced); s.Meaning != "" {
		return s.Meaning
	}
	return e.Words.Text("explain.by_class", "class", e.Words.Enhanced(a.Enhanced).Class)
}

func (e *Explainer) when(a *Answer) string {
	if a.Digit != 0 {
		return ""
	}
	if a.Enhanced.IsZero() {
		return e.Words.Code(a.Code).When
	}
	if s := e.Words.Cause(a.Cause).When; s != "" && a.Cause != knowledge.Unknown {
		return s
	}
	if a.Code != 0 {
		return e.Words.Code(a.Code).When
	}
	var codes []string
	if known := e.Base.Status(a.Enhanced); known != nil {
		for _, c := range known.With {
			if c.Class() == class(a) { // the registry lists those of all classes together
				codes = append(codes, c.String())
			}
		}
	}
	if codes == nil {
		return e.Words.Text("compare.beside_any")
	}
	return e.Words.Text("compare.beside", "codes", strings.Join(codes, ", "))
}

func (e *Explainer) className(a *Answer) string {
	if a.Digit != 0 {
		return "" // its name says it
	}
	if a.Code != 0 {
		return e.Words.Class(a.Code)
	}
	return e.Words.Enhanced(a.Enhanced).Class
}

// differences lists in what the codes differ, and last what they share.
func (e *Explainer) differences(all []*Answer) (out []string) {
	w := e.Words
	var same []string
	each := func(key string, value func(*Answer) string) {
		first, differ := value(all[0]), false
		var parts []string
		for _, a := range all {
			v := value(a)
			if v == "" {
				return // not all of them say it
			}
			differ = differ || v != first
			parts = append(parts, a.name()+": "+strings.TrimSuffix(v, "."))
		}
		what := w.Text("compare." + key)
		if differ {
			out = append(out, w.Text("compare.difference", "what", what, "each", strings.Join(parts, "; ")))
		} else if first != "" {
			same = append(same, what+" – "+first)
		}
	}
	each("class", e.className)
	each("stages", e.stages)
	each("retry", func(a *Answer) string { return w.Text(fmt.Sprintf("retry.%d", class(a))) })
	each("who", func(a *Answer) string {
		return e.each(a, func(c knowledge.Cause) string { return w.Actor(c.Actor()) })
	})
	each("severity", func(a *Answer) string { return w.Severity(a.Severity) })
	each("connection", func(a *Answer) string {
		if e.Base.Code(a.Code) == nil {
			return ""
		}
		if a.Code == 221 || a.Code == 421 {
			return w.Text("compare.closes")
		}
		return w.Text("compare.stays")
	})
	each("cause", func(a *Answer) string {
		return e.each(a, func(c knowledge.Cause) string { return w.Cause(c).Title })
	})
	if len(same) > 0 {
		out = append(out, w.Text("compare.same", "what", strings.Join(same, "; ")))
	}
	return out
}

// stages says which commands a code answers.
func (e *Explainer) stages(a *Answer) string {
	if a.Code == 0 {
		return "" // an enhanced code tells no command
	}
	known := e.Base.Code(a.Code)
	if known == nil || len(known.At) == 0 {
		return e.Words.Text("compare.any_command")
	}
	var names []string
	for _, s := range known.At {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

// OfDigit returns the answer to all codes of a first digit, 2 to 5.
func OfDigit(digit int) *Answer {
	a := &Answer{Digit: digit, Direction: smtp.Outbound}
	switch digit {
	case 4:
		a.Severity = knowledge.Warning
	case 5:
		a.Severity = knowledge.Error
	}
	return a
}

// Alone returns the answer to a code or an enhanced code that stands for itself.
func Alone(c *classify.Classifier, code smtp.Code, status smtp.EnhancedCode) *Answer {
	s := classify.Said{Code: code, Enhanced: status, Direction: smtp.Outbound, Stage: smtp.StageNone}
	if code == 221 {
		s.Stage = smtp.StageQUIT // as it is meant to be said
	}
	a := &Answer{Code: code, Enhanced: status, Direction: smtp.Outbound, Annotation: c.Reply(&s)}
	a.Details.Nonstandard = c.Details(&s).Nonstandard
	return a
}

// CompareText prints a comparison for a terminal.
func (e *Explainer) CompareText(out io.Writer, all []*Answer) error {
	w := bufio.NewWriter(out)
	t, c := e.Terminal.prose(), e.compare(all)
	t.hanging(w, "", strings.Join(c.summary, " "))
	for _, code := range c.codes {
		fmt.Fprintf(w, "\n%s\n", t.bold(printable(code.name+"  "+code.title)))
		t.facts(w, code.facts)
		t.contexts(w, code.contexts)
	}
	fmt.Fprintf(w, "\n%s\n", t.bold(e.Words.Text("compare.differences")))
	for i, d := range c.differences {
		t.hanging(w, fmt.Sprintf("  %d. ", i+1), d)
	}
	fmt.Fprintf(w, "\n%s\n", t.bold(e.Words.Text("compare.which")))
	t.facts(w, c.which)
	return w.Flush()
}

// CompareMarkdown prints a comparison for a ticket.
func (e *Explainer) CompareMarkdown(out io.Writer, all []*Answer) error {
	w := bufio.NewWriter(out)
	c := e.compare(all)
	fmt.Fprintf(w, "%s\n", markdown(strings.Join(c.summary, " ")))
	for _, code := range c.codes {
		fmt.Fprintf(w, "\n## %s %s\n\n", markdown(code.name), markdown(code.title))
		markdownFacts(w, code.facts)
		markdownContexts(w, code.contexts)
	}
	fmt.Fprintf(w, "\n## %s\n\n", markdown(e.Words.Text("compare.differences")))
	for i, d := range c.differences {
		fmt.Fprintf(w, "%d. %s\n", i+1, markdown(d))
	}
	fmt.Fprintf(w, "\n## %s\n\n", markdown(e.Words.Text("compare.which")))
	markdownFacts(w, c.which)
	return w.Flush()
}

// AppendComparison appends a comparison as one JSON object.
func (e *Explainer) AppendComparison(b []byte, all []*Answer) []byte {
	c := e.compare(all)
	o := object{b: append(b, '{')}
	o.str("summary", []byte(strings.Join(c.summary, " ")))
	o.key("codes")
	for i, a := range all {
		sep := byte(',')
		if i == 0 {
			sep = '['
		}
		o.b = e.AppendAnswer(append(o.b, sep), a)
	}
	o.b = append(o.b, ']')
	o.list("differences", c.differences)
	var which []string
	for _, f := range c.which {
		which = append(which, f.name+": "+f.text)
	}
	o.list("when", which)
	o.word("lang", e.Words.Lang)
	return append(o.b, '}')
}
