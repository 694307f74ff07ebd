package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
)

// The house style of pages that are handed on. They need nothing else, ask nobody for
// anything and run no script; on paper they are dark on light.
var (
	//go:embed page.css
	pageStyle string
	//go:embed page.html
	pageFrame string
)

// pageTemplate is parsed when the first page is asked for: most starts of the program ask for none.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"id":     func(s *int) int { *s++; return *s },
		"style":  func() template.CSS { return template.CSS(pageStyle) },
		"class":  func(s Style) string { return styleClass[s] },
		"figure": drawn,
		"badge":  func(s Style) string { return styleSign[s] },
		"dict":   dict,
	}).Parse(pageFrame))
})

var (
	styleClass = [...]string{Normal: "plain", Bad: "bad", Warn: "warn", Good: "good", Dim: "dim"}
	styleSign  = [...]string{Normal: "", Bad: "✕", Warn: "!", Good: "✓", Dim: ""} // colour alone tells nobody who does not see it
)

// PagePolicy is what a browser is to allow a page: its own style and nothing else,
// whatever a stranger may have smuggled into it.
var PagePolicy = "default-src 'none'; style-src 'sha256-" + styleHash() + "'; base-uri 'none'; form-action 'none'"

func styleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// HTML prints the page as one file that needs nothing else.
func (p *Page) HTML(out io.Writer) error {
	var b bytes.Buffer
	err := pageTemplate().Execute(&b, map[string]any{"P": p, "W": p.Words, "Policy": PagePolicy, "Seen": new(int)})
	if err != nil {
		return err
	}
	_, err = out.Write(append(bytes.TrimSpace(quietText(b.Bytes())), '\n'))
	return err
}

// quietText takes out of finished text what would drive a terminal or turn the direction
// of writing: none of it is ours.
func quietText(b []byte) []byte {
	if bytes.IndexFunc(b, loud) < 0 {
		return b
	}
	return bytes.Map(func(r rune) rune {
		if loud(r) {
			return '?'
		}
		return r
	}, b)
}

// The measures of a chart, in pixels: a row has its name and the bars below it.
const (
	rowName   = 18
	rowBars   = 44
	rowGap    = 12
	marksHigh = 22
	axisHigh  = 22
)

// drawing is a chart with its measures, as the template draws it.
type drawing struct {
	*Chart
	ID, Height, Axis, AxisTick, AxisText, Top, Plot int
	Figures                                         string // what the table of its figures is called
	Rows                                            []figureRow
	Bands                                           []figureBand
	Marks                                           []figureMark
	Ticks                                           []figureTick
	Slots                                           []figureSlot
	Table                                           Table
}

type (
	figureRow struct {
		Name, Class, Path, Total, Peak string
		Text, Base, Line               int
	}
	figureBand struct{ Class, X, Width string }
	figureMark struct{ X, Label string }
	figureTick struct{ X, Text, Anchor string }
	figureSlot struct{ X, Width, Title string }
)

// tableRows is how many rows the figures of a chart have at most.
const tableRows = 48

// dict gives a template more than one value.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// drawn gives a chart its measures.
func drawn(c *Chart, id int) *drawing {
	f := &drawing{Chart: c, ID: id, Table: c.table(tableRows), Figures: c.Words.Text("page.figures")}
	if len(c.Marks) > 0 {
		f.Top = marksHigh
	}
	y := f.Top
	for i := range c.Rows {
		r := &c.Rows[i]
		f.Rows = append(f.Rows, figureRow{
			Name: r.Name, Class: r.Class, Path: path(r.Values, rowBars), Total: count(c.Words, r.total()),
			Peak: c.Words.Text("page.peak", "n", count(c.Words, r.peak())), Text: y + rowName - 5, Base: y + rowName, Line: y + rowName + rowBars,
		})
		y += rowName + rowBars + rowGap
	}
	f.Axis, f.Plot = y-rowGap, y-rowGap-f.Top
	f.AxisTick, f.AxisText, f.Height = f.Axis+5, f.Axis+axisHigh-4, f.Axis+axisHigh
	for _, t := range c.Ticks() {
		anchor := "middle"
		switch {
		case t.At < 0.04:
			anchor = "start"
		case t.At > 0.96:
			anchor = "end"
		}
		f.Ticks = append(f.Ticks, figureTick{share(t.At), t.Text, anchor})
	}
	for _, b := range c.Bands {
		from, to := c.at(b.From), c.at(b.To)
		f.Bands = append(f.Bands, figureBand{b.Class, share(from), share(max(to-from, 0.004))})
	}
	f.Marks = figureMarks(c)
	f.Slots = slots(c)
	return f
}

// figureMarks gives each mark its line. Those close beside each other share a label.
func figureMarks(c *Chart) (all []figureMark) {
	before, labelled := -1.0, 0
	for _, m := range c.Marks {
		at := c.at(m.At)
		mark := figureMark{X: share(at)}
		if before >= 0 && at-before < closeMarks {
			all[labelled].Label += "," + m.Label
		} else {
			mark.Label, before, labelled = m.Label, at, len(all)
		}
		all = append(all, mark)
	}
	return all
}

// closeMarks is how near, as a part of the axis, two labels would lie on each other where the
// screen is narrow.
const closeMarks = 0.035

// slots are what the bars of one time say when one points at them.
func slots(c *Chart) (all []figureSlot) {
	for i := range c.Bars {
		var said []string
		for _, r := range c.Rows {
			if r.Values[i] > 0 {
				said = append(said, r.Name+" "+count(c.Words, r.Values[i]))
			}
		}
		if said != nil {
			all = append(all, figureSlot{share(float64(i) / float64(c.Bars)), share(1 / float64(c.Bars)), c.label(i) + ": " + strings.Join(said, ", ")})
		}
	}
	return all
}

func share(f float64) string { return fmt.Sprintf("%.4g%%", f*100) }
