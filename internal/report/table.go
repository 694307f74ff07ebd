package report

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
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

// Column is a column of a table. Where the terminal is too narrow for all of them,
// columns give way: first those with the highest Drop are left out, one after the other,
// then those with a Min are cut down to it. Before that, a column that may stand Under its
// row does: on a line of its own, whole.
type Column struct {
	Name  string
	Key   string // the name in CSV where that is not Name: what machines read is the same in every language
	Right bool   // numbers
	Min   int    // to how many characters its texts may be cut; 0 is not at all
	Drop  int    // the higher, the sooner it is left out; 0 is never
	Under bool   // a sentence: where the output is not known to be wide enough, below the row
}

func left(name string) Column  { return Column{Name: name} }
func right(name string) Column { return Column{Name: name, Right: true} }

func (c Column) min(n int) Column    { c.Min = n; return c }
func (c Column) key(k string) Column { c.Key = k; return c }
func (c Column) under() Column       { c.Under = true; return c }
func (c Column) drop(n int) Column   { c.Drop = n; return c }

// Cell is a cell: its text, raw, and how it should stand out. The renderers make the text harmless.
type Cell struct {
	Text  string
	Key   string // what CSV has, where that is not Text
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
			t.hanging(w, "  ", n)
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

// gap stands between two columns.
const gap = 2

// grid prints a table's rows, a line each. This is the only place that knows
// tablewriter.
func (t Terminal) grid(w io.Writer, tab *Table) error {
	shown, widths := t.fit(tab)
	lines := &rowLines{w: w, after: func(row int) { t.under(w, tab, shown, widths, row) }}
	options := []tablewriter.Option{
		tablewriter.WithRenderer(renderer.NewBlueprint()),
		tablewriter.WithRendition(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		}),
		tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off),
		tablewriter.WithRowAutoWrap(tw.WrapNone),
		tablewriter.WithHeaderAutoWrap(tw.WrapNone),
		tablewriter.WithPadding(tw.Padding{Left: "", Right: strings.Repeat(" ", gap), Overwrite: true}),
		tablewriter.WithAlignment(alignment(tab.Columns, shown)),
	}
	g := tablewriter.NewTable(lines, options...)
	header := make([]any, len(shown))
	for i, c := range shown {
		header[i] = t.paint(clip(tab.Columns[c].Name, widths[i]), Dim)
	}
	g.Header(header...)
	for _, r := range tab.Rows {
		row := make([]string, len(shown))
		for i, c := range shown {
			row[i] = t.paint(clip(printable(r[c].Text), widths[i]), r[c].Style)
		}
		if err := g.Append(row); err != nil {
			return err
		}
	}
	return g.Render()
}

// under prints what stands below a row: it begins where the row's second column does, so
// that the first, which is narrow, still tells where a row begins.
func (t Terminal) under(w io.Writer, tab *Table, shown, widths []int, row int) {
	for i, c := range tab.Columns {
		if text := tab.Rows[row][i].Text; c.Under && text != "" && !slices.Contains(shown, i) {
			t.wrap(w, strings.Repeat(" ", gap+widths[0]+gap), underMark+printable(text))
		}
	}
}

// underMark leads from a row to what stands below it.
const underMark = "→ "

// fit chooses which columns are shown and how wide.
func (t Terminal) fit(tab *Table) (shown, widths []int) {
	natural := make([]int, len(tab.Columns))
	for i, c := range tab.Columns {
		natural[i] = twwidth.Width(c.Name)
		for _, r := range tab.Rows {
			natural[i] = min(widest, max(natural[i], twwidth.Width(printable(r[i].Text))))
		}
		shown = append(shown, i)
	}
	least := func(i int) int {
		if m := tab.Columns[i].Min; m > 0 {
			return min(m, natural[i])
		}
		return natural[i]
	}
	room := t.Width - 1 // a full line makes some terminals break it
	if total(shown, func(i int) int { return natural[i] }) > room {
		shown = slices.DeleteFunc(shown, func(i int) bool { return tab.Columns[i].Under })
	}
	for t.Width > 0 && total(shown, least) > room {
		drop := slices.MaxFunc(shown, func(a, b int) int { return tab.Columns[a].Drop - tab.Columns[b].Drop })
		if tab.Columns[drop].Drop == 0 {
			break
		}
		shown = slices.DeleteFunc(shown, func(i int) bool { return i == drop })
	}
	for _, i := range shown {
		widths = append(widths, natural[i])
	}
	// The widest of those that may be cut gives way, a character at a time.
	for t.Width > 0 && sum(widths)+gap*len(widths) > room {
		most := -1
		for j, i := range shown {
			if widths[j] > least(i) && (most < 0 || widths[j] > widths[most]) {
				most = j
			}
		}
		if most < 0 {
			break
		}
		widths[most]--
	}
	return shown, widths
}

func total(shown []int, width func(int) int) (n int) {
	for _, i := range shown {
		n += width(i) + gap
	}
	return n
}

func sum(widths []int) (n int) {
	for _, w := range widths {
		n += w
	}
	return n
}

// rowLines takes a table's lines, first that of the columns' names and then one a row,
// indents them, takes the blanks off their ends, which a terminal would show as selected
// and a golden file as noise, and calls after behind each row.
type rowLines struct {
	w     io.Writer
	after func(row int)
	seen  int // lines so far
}

func (l *rowLines) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		text = bytes.TrimRight(text, " ")
		reset := ""
		for bytes.HasSuffix(text, []byte(ansiReset)) { // tablewriter pads within the colour
			reset = ansiReset
			text = bytes.TrimRight(bytes.TrimSuffix(text, []byte(ansiReset)), " ")
		}
		if _, err := fmt.Fprintf(l.w, "%*s%s%s", gap, "", text, reset); err != nil {
			return 0, err
		}
		if !whole {
			continue
		}
		fmt.Fprintln(l.w)
		if l.seen > 0 {
			l.after(l.seen - 1)
		}
		l.seen++
	}
	return len(p), nil
}

func alignment(columns []Column, shown []int) tw.Alignment {
	a := make(tw.Alignment, len(shown))
	for i, c := range shown {
		a[i] = tw.AlignLeft
		if columns[c].Right {
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
	const hang = "  " // what is broken goes on a little further in
	column := 0
	for i, word := range strings.Fields(s) {
		n := twwidth.Width(word)
		switch {
		case i == 0:
			fmt.Fprint(w, indent, word)
			column = len(indent) + n
		case t.Width > 0 && column+1+n >= t.Width:
			fmt.Fprint(w, "\n", indent, hang, word)
			column = len(indent) + len(hang) + n
		default:
			fmt.Fprint(w, " ", word)
			column += 1 + n
		}
	}
	fmt.Fprintln(w)
}

// parts prints what belongs on one line, but on more where it would pass the width: it
// is broken between its parts and not within them.
func (t Terminal) parts(w io.Writer, parts []string) {
	const apart = "   "
	line := ""
	for _, p := range parts {
		if line != "" && t.Width > 0 && twwidth.Width(line+apart+p) >= t.Width {
			fmt.Fprintln(w, line)
			line = ""
		}
		if line != "" {
			line += apart
		}
		line += p
	}
	fmt.Fprintln(w, line)
}

// clip cuts s to n columns.
func clip(s string, n int) string {
	if twwidth.Width(s) <= n {
		return s
	}
	return twwidth.Truncate(s, n, "…")
}

// Markdown prints tables as GitHub's and GitLab's Markdown.
func Markdown(out io.Writer, tables ...Table) error {
	w := bufio.NewWriter(out)
	for _, tab := range tables {
		fmt.Fprintf(w, "\n## %s\n", markdown(tab.Title))
		if len(tab.Rows) > 0 {
			fmt.Fprintln(w)
			markdownRows(w, &tab)
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

// markdownRows prints a table's rows below its head.
func markdownRows(w io.Writer, tab *Table) {
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

// CSV prints tables as RFC 4180 has them, with an empty line between two.
func CSV(out io.Writer, tables ...Table) error {
	for i, tab := range tables {
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		w := NewRows(out, tab.Columns)
		for _, r := range tab.Rows {
			w.Add(r)
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// Rows prints one table as CSV, row by row, so that it may have any number of them.
type Rows struct {
	w   *csv.Writer
	row []string
}

// NewRows begins a table with the names of its columns.
func NewRows(out io.Writer, columns []Column) *Rows {
	r := &Rows{w: csv.NewWriter(out), row: make([]string, len(columns))}
	for i, c := range columns {
		r.row[i] = cmp.Or(c.Key, c.Name)
	}
	r.w.Write(r.row) // errors stay with w until Flush
	return r
}

// Add prints a row, and returns the error of this or an earlier one where one has shown.
func (r *Rows) Add(cells []Cell) error {
	for i, c := range cells {
		r.row[i] = cell(cmp.Or(c.Key, ungrouped(c.Text)))
	}
	return r.w.Write(r.row)
}

// ungrouped takes the marks between thousands out of a number: a program would take
// "1,046" for a text.
func ungrouped(s string) string {
	if plain := strings.ReplaceAll(s, ",", ""); plain != s && plain != "" && strings.Trim(plain, "0123456789") == "" {
		return plain
	}
	return s
}

// Flush ends the table.
func (r *Rows) Flush() error {
	r.w.Flush()
	return r.w.Error()
}
