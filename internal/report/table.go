package report

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// Table is a part of a report: what each output format prints in its own way.
type Table struct {
	Name    string // for --section and machine-readable forms
	Title   string
	Columns []Column
	Rows    [][]Cell
	Notes   []string // lines below it
}

// Column is a column of a table.
type Column struct {
	Name  string
	Right bool // numbers
}

// Cell is a cell: its text, raw, and how it should stand out. The renderers make the text harmless.
type Cell struct {
	Text  string
	Style Style
}

// Style is how a cell stands out on a terminal that may be coloured.
type Style uint8

// The styles.
const (
	Normal Style = iota
	Bad
	Warn
	Good
	Dim
)

var ansi = [...]string{Normal: "", Bad: "\x1b[31m", Warn: "\x1b[33m", Good: "\x1b[32m", Dim: "\x1b[2m"}

const ansiReset = "\x1b[0m"

// Terminal says what the output can do.
type Terminal struct {
	Width  int // columns; 0 is no limit, for what is piped
	Colour bool
}

// widest is how many characters a cell has at the most when nothing limits the width:
// a hostile line must not make a table unreadable.
const widest = 200

// Text prints tables for a terminal: no borders, columns in line, within the width.
func (t Terminal) Text(out io.Writer, tables ...Table) error {
	w := bufio.NewWriter(out)
	for _, tab := range tables {
		fmt.Fprintf(w, "\n%s\n", t.bold(printable(tab.Title)))
		if len(tab.Rows) > 0 {
			if err := t.grid(w, &tab); err != nil {
				return err
			}
		}
		for _, n := range tab.Notes {
			t.wrap(w, "  ", printable(n))
		}
	}
	return w.Flush()
}

func (t Terminal) bold(s string) string {
	if !t.Colour {
		return s
	}
	return "\x1b[1m" + s + ansiReset
}

// grid prints a table's rows. This is the only place that knows tablewriter.
func (t Terminal) grid(w io.Writer, tab *Table) error {
	options := []tablewriter.Option{
		tablewriter.WithRenderer(renderer.NewBlueprint()),
		tablewriter.WithRendition(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithRowAutoWrap(tw.WrapNormal),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: "  ", Overwrite: true}),
		tablewriter.WithAlignment(alignment(tab.Columns)),
	}
	if t.Width > 0 {
		options = append(options, tablewriter.WithMaxWidth(t.Width-1))
	}
	g := tablewriter.NewTable(w, options...)
	header := make([]any, len(tab.Columns))
	for i, c := range tab.Columns {
		header[i] = t.paint(c.Name, Dim)
	}
	g.Header(header...)
	for _, r := range tab.Rows {
		row := make([]string, len(r))
		for i, c := range r {
			row[i] = t.paint(clip(printable(c.Text), widest), c.Style)
		}
		if err := g.Append(row); err != nil {
			return err
		}
	}
	return g.Render()
}

func alignment(columns []Column) tw.Alignment {
	a := make(tw.Alignment, len(columns))
	for i, c := range columns {
		a[i] = tw.AlignLeft
		if c.Right {
			a[i] = tw.AlignRight
		}
	}
	return a
}

func (t Terminal) paint(s string, style Style) string {
	if !t.Colour || style == Normal || s == "" {
		return s
	}
	return ansi[style] + s + ansiReset
}

// wrap prints a line, broken at blanks where it would pass the width.
func (t Terminal) wrap(w io.Writer, indent, s string) {
	column := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			fmt.Fprint(w, indent, word)
			column = len(indent) + n
		case t.Width > 0 && column+1+n >= t.Width:
			fmt.Fprint(w, "\n", indent, "   ", word)
			column = len(indent) + 3 + n
		default:
			fmt.Fprint(w, " ", word)
			column += 1 + n
		}
	}
	fmt.Fprintln(w)
}

// clip cuts s to n characters.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// Markdown prints tables as GitHub's and GitLab's Markdown.
func Markdown(out io.Writer, tables ...Table) error {
	w := bufio.NewWriter(out)
	for _, tab := range tables {
		fmt.Fprintf(w, "\n## %s\n", markdown(tab.Title))
		if len(tab.Rows) > 0 {
			fmt.Fprintln(w)
			rule := ""
			for _, c := range tab.Columns {
				fmt.Fprintf(w, "| %s ", markdown(c.Name))
				if c.Right {
					rule += "|---:"
				} else {
					rule += "|---"
				}
			}
			fmt.Fprintf(w, "|\n%s|\n", rule)
			for _, r := range tab.Rows {
				for _, c := range r {
					fmt.Fprintf(w, "| %s ", markdown(c.Text))
				}
				fmt.Fprintln(w, "|")
			}
		}
		if len(tab.Notes) > 0 {
			fmt.Fprintln(w)
		}
		for _, n := range tab.Notes {
			fmt.Fprintf(w, "- %s\n", markdown(n))
		}
	}
	return w.Flush()
}

// CSV prints tables as RFC 4180 has them, with an empty line between two.
func CSV(out io.Writer, tables ...Table) error {
	for i, tab := range tables {
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		w := csv.NewWriter(out)
		row := make([]string, len(tab.Columns))
		for i, c := range tab.Columns {
			row[i] = c.Name
		}
		w.Write(row) // errors stay with w until Flush
		for _, r := range tab.Rows {
			for i, c := range r {
				row[i] = cell(c.Text)
			}
			w.Write(row)
		}
		if w.Flush(); w.Error() != nil {
			return w.Error()
		}
	}
	return nil
}
