package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Markdown prints the page for a ticket, as GitHub and GitLab show it.
func (p *Page) Markdown(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "# %s\n", markdown(p.Title))
	if len(p.About) > 0 {
		fmt.Fprintf(w, "\n%s\n", markdown(strings.Join(p.About, " · ")))
	}
	markdownLead(w, p.Lead)
	for i := range p.Sections {
		s := &p.Sections[i]
		if s.Title != "" {
			fmt.Fprintf(w, "\n%s %s\n", s.hashes(), markdown(s.Title))
		}
		for j := range s.Blocks {
			if err := s.Blocks[j].markdown(w, s.hashes()+"#"); err != nil {
				return err
			}
		}
	}
	if len(p.Foot) > 0 {
		fmt.Fprint(w, "\n---\n")
	}
	for _, s := range p.Foot {
		fmt.Fprintf(w, "\n%s\n", markdown(s))
	}
	return w.Flush()
}

func (s *Section) hashes() string {
	if s.Sub {
		return "###"
	}
	return "##"
}

func markdownLead(w io.Writer, lead string) {
	if lead != "" {
		fmt.Fprintf(w, "\n> **%s**\n", markdown(lead))
	}
}

// markdown prints a block; hashes are those of a heading below its section's.
func (b *Block) markdown(w *bufio.Writer, hashes string) error {
	markdownLead(w, b.Lead)
	if b.Para != "" {
		fmt.Fprintf(w, "\n%s\n", markdown(b.Para))
	}
	if len(b.Tiles) > 0 {
		markdownTiles(w, b.Tiles)
	}
	markdownPageFacts(w, b.Facts)
	if b.List != nil {
		b.List.markdown(w)
	}
	if b.Table != nil {
		fmt.Fprintln(w)
		markdownRows(w, b.Table)
	}
	if b.Lines != nil {
		b.Lines.markdown(w)
	}
	if b.Chart != nil {
		b.Chart.markdown(w)
	}
	for i := range b.Cards {
		b.Cards[i].markdown(w, hashes)
	}
	return nil
}

// markdownTiles prints figures that count beside each other.
func markdownTiles(w io.Writer, tiles []Tile) {
	names, rule, values := "", "", ""
	for _, t := range tiles {
		names += "| " + markdown(t.Label) + " "
		rule += "|---"
		values += "| **" + markdown(t.Value) + "** "
		if t.Note != "" {
			values += "(" + markdown(t.Note) + ") "
		}
	}
	fmt.Fprintf(w, "\n%s|\n%s|\n%s|\n", names, rule, values)
}

func markdownPageFacts(w io.Writer, facts []Fact) {
	if len(facts) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range facts {
		text := markdown(f.Text)
		if f.Raw {
			text = codeSpan(f.Text)
		}
		fmt.Fprintf(w, "- **%s** %s\n", markdown(labelled(f.Name)), text)
	}
}

func (l *List) markdown(w io.Writer) {
	fmt.Fprintln(w)
	for i, s := range l.Items {
		if l.Ordered {
			fmt.Fprintf(w, "%d. %s\n", i+1, markdown(s))
		} else {
			fmt.Fprintf(w, "* %s\n", markdown(s)) // another sign than facts have, so that it is another list
		}
	}
	for _, k := range l.Links {
		fmt.Fprintf(w, "* %s", markdown(k.Text))
		if k.URL != "" {
			fmt.Fprintf(w, " <%s>", k.URL)
		}
		fmt.Fprintln(w)
	}
}

// markdown prints lines within a fence that nothing in them can end.
func (l *Lines) markdown(w io.Writer) {
	if l.Title != "" {
		fmt.Fprintf(w, "\n%s\n", markdown(labelled(l.Title)))
	}
	var all []string
	for _, line := range l.All {
		text := printable(line.Text)
		if line.Place != "" {
			text = printable(line.Place) + " " + text
		}
		all = append(all, text)
	}
	fenced(w, all)
}

// fenced prints lines as code. The fence is longer than any run of its sign in them.
func fenced(w io.Writer, lines []string) {
	fence := strings.Repeat("`", max(3, longestRun(lines...)+1))
	fmt.Fprintf(w, "\n%stext\n", fence)
	for _, s := range lines {
		fmt.Fprintln(w, s)
	}
	fmt.Fprintln(w, fence)
}

// longestRun is how many backticks stand in a row at the most.
func longestRun(all ...string) (longest int) {
	for _, s := range all {
		n := 0
		for i := range len(s) {
			if s[i] != '`' {
				n = 0
				continue
			}
			n++
			longest = max(longest, n)
		}
	}
	return longest
}

// codeSpan returns a text as code within a line: no name in it becomes a mention, no
// number an issue. It may not stand in a table, where a bar would end its cell.
func codeSpan(s string) string {
	s = strings.TrimSpace(printable(s))
	if s == "" {
		return ""
	}
	ticks := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return ticks + s + ticks
}

// markdown prints a card as a section of its own.
func (c *Card) markdown(w io.Writer, hashes string) {
	fmt.Fprintf(w, "\n%s %s", hashes, markdown(c.Title))
	for _, s := range []string{c.Value, c.Badge} {
		if s != "" {
			fmt.Fprintf(w, " · %s", markdown(s))
		}
	}
	fmt.Fprintln(w)
	if c.Text != "" {
		fmt.Fprintf(w, "\n%s\n", markdown(c.Text))
	}
	markdownPageFacts(w, c.Facts)
	if c.Advice != "" {
		fmt.Fprintf(w, "\n%s**%s**\n", underMark, markdown(c.Advice))
	}
	if len(c.Steps) > 0 {
		(&List{Ordered: true, Items: c.Steps}).markdown(w)
	}
	if c.Lines != nil {
		c.Lines.markdown(w)
	}
}

// How wide a chart is in Markdown, and how many rows its figures have: a ticket is narrow.
const (
	markdownBars = 72
	markdownRow  = 24
)

// markdown draws the chart in lines of text, with the figures folded away below.
func (c *Chart) markdown(w io.Writer) {
	fenced(w, c.drawn(markdownBars, func(s string, _ Style) string { return printable(s) }))
	for _, n := range c.Notes {
		fmt.Fprintf(w, "\n%s\n", markdown(n))
	}
	t := c.table(markdownRow)
	fmt.Fprintf(w, "\n<details><summary>%s</summary>\n\n", markdown(c.Words.Text("page.figures")))
	markdownRows(w, &t)
	fmt.Fprint(w, "\n</details>\n")
}
