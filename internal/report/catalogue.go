package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Codes are the answers to all codes of the catalogue, then to all enhanced codes.
func Codes(base *knowledge.Base, c *classify.Classifier) (all []*Answer) {
	for i := range base.Codes {
		all = append(all, Alone(c, base.Codes[i].Code, smtp.EnhancedCode{}))
	}
	for i := range base.Enhanced {
		status := base.Enhanced[i].Code
		if status[0] == 0 {
			status[0] = 5
			if status == (smtp.EnhancedCode{5, 1, 5}) {
				status[0] = 2 // the only one that is a success alone
			}
		}
		all = append(all, Alone(c, 0, status))
	}
	return all
}

// CodesTable lists codes. The whole table has more columns than a terminal has room for.
func (e *Explainer) CodesTable(all []*Answer, whole bool) Table {
	w := e.Words
	t := Table{Name: "codes", Title: w.Text("codes.title"), Columns: []Column{
		left(w.Text("codes.code")).key("code"), left(w.Text("codes.name")).key("title").min(34), left(w.Text("codes.class")).key("class").drop(2),
		left(w.Text("codes.reference")).key("standard").min(22).drop(1), left(w.Text("codes.meaning")).key("meaning").under()}}
	if whole {
		t.Columns = append(t.Columns, left(w.Text("codes.when")).key("when"), left(w.Text("causes.fix")).key("fix"), left(w.Text("codes.normal")).key("normal"))
	}
	for _, a := range all {
		row := []Cell{{Text: a.name()}, {Text: e.title(a)}, {Text: e.className(a)}, {Text: e.reference(a)}, {Text: e.meaning(a)}}
		if whole {
			fix, _ := e.advice(a)
			row = append(row, Cell{Text: e.when(a)}, Cell{Text: fix}, Cell{Text: e.normal(a)})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// CausesTable lists the causes. The whole table has more columns than a terminal has room
// for.
func (e *Explainer) CausesTable(whole bool) Table {
	w := e.Words
	t := Table{Name: "causes", Title: w.Text("causes.title"), Columns: []Column{
		left(w.Text("causes.id")).key("cause"), left(w.Text("causes.name")).key("title").min(34), left(w.Text("causes.severity")).key("severity").drop(1),
		left(w.Text("causes.who")).key("actor").drop(2), left(w.Text("causes.fix")).key("fix").under()}}
	if whole {
		t.Columns = append(t.Columns, left(w.Text("codes.meaning")).key("meaning"), left(w.Text("codes.when")).key("when"), left(w.Text("codes.normal")).key("normal"), left(w.Text("causes.lasts")).key("permanence"))
	}
	for _, c := range knowledge.Causes() {
		words := w.Cause(c)
		row := []Cell{{Text: c.ID()}, {Text: words.Title}, {Text: w.Severity(c.Severity()), Key: c.Severity().String(), Style: severityStyle(c.Severity())}, {Text: w.Actor(c.Actor()), Key: c.Actor().String()}, {Text: words.Fix}}
		if whole {
			row = append(row, Cell{Text: words.Meaning}, Cell{Text: words.When}, Cell{Text: words.Normal}, Cell{Text: w.Permanence(c.Permanence()), Key: c.Permanence().String()})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// AppendCause appends a cause as one JSON object.
func (e *Explainer) AppendCause(b []byte, c knowledge.Cause) []byte {
	words := e.Words.Cause(c)
	o := object{b: append(b, '{')}
	o.word("cause", c.ID())
	o.str("title", []byte(words.Title))
	o.word("severity", c.Severity().String())
	o.word("permanence", c.Permanence().String())
	o.word("actor", c.Actor().String())
	o.str("meaning", []byte(words.Meaning))
	o.str("when", []byte(words.When))
	o.str("normal", []byte(words.Normal))
	o.str("fix", []byte(words.Fix))
	o.list("steps", words.Steps)
	o.word("lang", e.Words.Lang)
	return append(o.b, '}')
}

//go:embed codes.html
var codesPage string

var codesTemplate = sync.OnceValue(func() *template.Template { return template.Must(template.New("codes").Parse(codesPage)) })

// pageCode is a code on the page.
type pageCode struct {
	ID, Code, Title string
	Facts           []pageFact
	Contexts        []pageContext
}

type (
	pageFact    struct{ Name, Text string }
	pageContext struct{ Where, Title, Meaning, Fix string }
)

// CodesHTML writes the catalogue as one page that needs nothing else, with a chooser that
// sets one code against another.
func (e *Explainer) CodesHTML(out io.Writer, all []*Answer) error {
	var codes []pageCode
	for _, c := range e.compare(all).codes {
		p := pageCode{ID: "c" + strings.ReplaceAll(c.name, ".", "-"), Code: c.name, Title: c.title}
		for _, f := range c.facts {
			if f.text != "" {
				p.Facts = append(p.Facts, pageFact{f.name, f.text})
			}
		}
		for _, x := range c.contexts {
			p.Contexts = append(p.Contexts, pageContext{x.where, x.Title, x.Meaning, x.Fix})
		}
		codes = append(codes, p)
	}
	w := e.Words
	return codesTemplate().Execute(out, map[string]any{
		"Lang": w.Lang, "Title": w.Text("codes.title"), "Intro": w.Text("codes.intro"), "Compare": w.Text("codes.compare"),
		"Against": w.Text("codes.against"), "None": w.Text("codes.none"), "Codes": codes,
	})
}
