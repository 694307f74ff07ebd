package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/olekukonko/tablewriter/pkg/twwidth"
)

// Text prints for a terminal.
func (t *Trace) Text(out io.Writer) error {
	w := bufio.NewWriter(out)
	term, prose := t.Terminal, t.Terminal.prose()
	for i, p := range t.parts() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if p.title != "" {
			title := []string{printable(p.title)}
			if term.Width > 0 && twwidth.Width(title[0]) > term.Width {
				title = broken(title[0], term.Width)
			}
			for _, line := range title {
				fmt.Fprintln(w, term.bold(line))
			}
			if p.level == 1 {
				fmt.Fprintln(w)
			}
		}
		for _, s := range p.sentences {
			prose.styled(w, "  ", s)
		}
		if len(p.facts) > 0 && len(p.sentences) > 0 {
			fmt.Fprintln(w)
		}
		prose.facts(w, p.facts)
		if p.verbatim != "" {
			prose.hanging(w, "  > ", p.verbatim)
		}
		if p.table != nil && len(p.table.Rows) > 0 {
			if err := term.grid(w, p.table); err != nil {
				return err
			}
		}
		if p.table != nil {
			p.notes = append(p.table.Notes, p.notes...)
		}
		for _, n := range p.notes {
			prose.hanging(w, "  ", n)
		}
	}
	return w.Flush()
}

// styled prints a sentence in its colour, its further lines a little further in.
func (t Terminal) styled(w io.Writer, indent string, s sentence) {
	for i, line := range broken(printable(s.text), t.Width-len(indent)-2) {
		if i == 1 {
			indent += "  "
		}
		fmt.Fprintln(w, indent+t.paint(line, s.style))
	}
}

// Markdown prints for a ticket.
func (t *Trace) Markdown(out io.Writer) error {
	w := bufio.NewWriter(out)
	for i, p := range t.parts() {
		if i > 0 {
			fmt.Fprintln(w)
		}
		if p.title != "" {
			fmt.Fprintf(w, "%s %s\n\n", "####"[:p.level+1], markdown(p.title))
		}
		for _, s := range p.sentences {
			fmt.Fprintf(w, "- %s\n", markdown(s.text))
		}
		if len(p.facts) > 0 && len(p.sentences) > 0 {
			fmt.Fprintln(w)
		}
		markdownFacts(w, p.facts)
		if p.verbatim != "" {
			fmt.Fprintf(w, "\n> %s\n", markdown(p.verbatim))
		}
		if p.table != nil && len(p.table.Rows) > 0 {
			markdownRows(w, p.table)
		}
		if p.table != nil {
			p.notes = append(p.table.Notes, p.notes...)
		}
		if len(p.notes) > 0 {
			fmt.Fprintln(w)
		}
		for _, n := range p.notes {
			fmt.Fprintf(w, "- %s\n", markdown(n))
		}
	}
	return w.Flush()
}
