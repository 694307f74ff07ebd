package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Text prints the page for a terminal.
func (p *Page) Text(out io.Writer, t Terminal) error {
	t = t.prose()
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, t.bold(printable(p.Title)))
	if len(p.About) > 0 {
		about := make([]string, len(p.About))
		for i, s := range p.About {
			about[i] = printable(s)
		}
		t.parts(w, about)
	}
	t.lead(w, p.Lead, p.Style)
	for i := range p.Sections {
		s := &p.Sections[i]
		if s.Title != "" {
			title := s.Title
			if !s.Sub && p.nested() {
				title = "━━ " + title
			}
			fmt.Fprintf(w, "\n%s\n", t.bold(printable(title)))
		}
		for j := range s.Blocks {
			if err := t.block(w, &s.Blocks[j]); err != nil {
				return err
			}
		}
	}
	if len(p.Foot) > 0 {
		fmt.Fprintln(w)
	}
	for _, s := range p.Foot {
		t.hanging(w, "", s)
	}
	return w.Flush()
}

// nested reports that there are sections within sections.
func (p *Page) nested() bool {
	for i := range p.Sections {
		if p.Sections[i].Sub {
			return true
		}
	}
	return false
}

// lead prints the answer, which stands apart.
func (t Terminal) lead(w io.Writer, lead string, style Style) {
	if lead == "" {
		return
	}
	fmt.Fprintln(w)
	width := 0
	if t.Width > 0 {
		width = t.Width - 1
	}
	for _, line := range broken(printable(lead), width) {
		fmt.Fprintln(w, t.paint(line, style))
	}
}

func (t Terminal) block(w *bufio.Writer, b *Block) error {
	t.lead(w, b.Lead, b.Style)
	if b.Para != "" {
		t.hanging(w, "  ", b.Para)
	}
	t.facts(w, tileFacts(b.Tiles))
	t.facts(w, plainFacts(b.Facts))
	if b.List != nil {
		t.list(w, b.List)
	}
	if b.Table != nil {
		if err := t.grid(w, b.Table); err != nil {
			return err
		}
	}
	if b.Lines != nil {
		t.verbatim(w, b.Lines)
	}
	if b.Chart != nil {
		t.chart(w, b.Chart)
	}
	for i := range b.Cards {
		c := &b.Cards[i]
		fmt.Fprintf(w, "  %s  %s  %s\n", t.paint(printable(c.Title), c.Style), printable(c.Value), printable(c.Badge))
		t.facts(w, plainFacts(c.Facts))
		t.list(w, &List{Items: []string{c.Advice}})
	}
	return nil
}

func tileFacts(tiles []Tile) (facts []fact) {
	for _, t := range tiles {
		text := t.Value
		if t.Note != "" {
			text += "  (" + t.Note + ")"
		}
		facts = append(facts, fact{t.Label, text})
	}
	return facts
}

func plainFacts(all []Fact) (facts []fact) {
	for _, f := range all {
		facts = append(facts, fact{f.Name, f.Text})
	}
	return facts
}

func (t Terminal) list(w io.Writer, l *List) {
	for i, s := range l.Items {
		head := "  - "
		if l.Ordered {
			head = fmt.Sprintf("  %d. ", i+1)
		}
		t.hanging(w, head, s)
	}
	for _, k := range l.Links {
		t.hanging(w, "  - ", strings.TrimSpace(k.Text+" "+k.URL))
	}
}

// verbatim prints lines as they are, unbroken: they are to be copied.
func (t Terminal) verbatim(w io.Writer, l *Lines) {
	if l.Title != "" {
		t.hanging(w, "  ", labelled(l.Title))
	}
	for _, line := range l.All {
		if line.Place != "" {
			fmt.Fprintf(w, "    %s\n", t.paint(printable(line.Place), Dim))
		}
		fmt.Fprintf(w, "    %s\n", printable(line.Text))
	}
}

// chartColours are the styles of a chart's rows.
var chartColours = map[string]Style{"deferred": Warn, "bounced": Bad, "incident": Bad, "sent": Good}

// chart draws a chart as wide as there is room for.
func (t Terminal) chart(w io.Writer, c *Chart) {
	width := t.Width - 4
	if t.Width == 0 {
		width = markdownBars + 40
	}
	for _, line := range c.drawn(width-c.beside(), t.paint) {
		fmt.Fprintln(w, "  "+line)
	}
	for _, n := range c.Notes {
		t.hanging(w, "  ", n)
	}
}

// beside is how much room stands left and right of a chart's bars.
func (c *Chart) beside() int {
	name, total := 0, 0
	for i := range c.Rows {
		name = max(name, twwidth.Width(printable(c.Rows[i].Name)))
		total = max(total, len(count(c.Words, c.Rows[i].total())))
	}
	return name + total + 4
}

// leastBars is how many bars a chart has on the narrowest terminal.
const leastBars = 12

// drawn draws the chart in lines of text, of no more than so many bars: the marks, a row of
// bars each, the axis.
func (c *Chart) drawn(bars int, paint func(string, Style) string) (lines []string) {
	f := c.folded(max(bars, leastBars))
	name := 0
	for i := range f.Rows {
		name = max(name, twwidth.Width(printable(f.Rows[i].Name)))
	}
	indent := strings.Repeat(" ", name+2)
	if len(f.Marks) > 0 {
		marks := blanks(f.Bars)
		for _, m := range f.Marks {
			put(marks, int(f.at(m.At)*float64(f.Bars)), m.Label)
		}
		lines = append(lines, strings.TrimRight(indent+string(marks), " "))
	}
	for i := range f.Rows {
		r := &f.Rows[i]
		label := printable(r.Name)
		pad := strings.Repeat(" ", name-twwidth.Width(label)+2)
		lines = append(lines, label+pad+paint(spark(r.Values), chartColours[r.Class])+"  "+count(c.Words, r.total()))
	}
	axis := blanks(f.Bars)
	for _, k := range f.Ticks() {
		put(axis, int(k.At*float64(f.Bars)), printable(k.Text))
	}
	return append(lines, strings.TrimRight(indent+paint(strings.TrimRight(string(axis), " "), Dim), " "))
}

func blanks(n int) []rune { return []rune(strings.Repeat(" ", n)) }

// put writes a text into a line where there is room for it.
func put(line []rune, at int, text string) {
	s := []rune(text)
	if at+len(s) > len(line) {
		at = len(line) - len(s)
	}
	if at < 0 || at > 0 && line[at-1] != ' ' {
		return
	}
	for i := range s {
		if line[at+i] != ' ' {
			return
		}
	}
	copy(line[at:], s)
}
