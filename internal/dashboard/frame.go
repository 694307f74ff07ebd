package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/report"
)

// wide is from how many columns on the panes stand side by side.
const wide = 140

// roomy is from how many lines on the rates are drawn and not only told.
const roomy = 18

// leastLag is from how many bytes on the reader is said to be behind: less is read in the
// next moment.
const leastLag = 64 << 10

// frame draws the whole window: height lines of at most width cells.
func (m *Model) frame() string {
	if m.width < leastWidth || m.height < leastHeight {
		return m.tooSmall()
	}
	lines := []string{m.headline()}
	room := m.height - 2 // the headline and the last line
	switch {
	case m.help:
		lines = append(lines, m.scrolled(m.helpText(), room)...)
	case m.detail && m.selected() != nil:
		lines = append(lines, m.scrolled(m.detailText(m.selected(), m.width, true), room)...)
	default:
		rates := m.rates()
		lines = append(lines, rates...)
		lines = append(lines, m.body(room-len(rates))...)
	}
	lines = append(lines, m.lastLine())
	return strings.Join(lines, "\n")
}

// tooSmall says so, in as many lines and columns as there are.
func (m *Model) tooSmall() string {
	lines := wrapped(m.words.Text("dash.small", "width", leastWidth, "height", leastHeight), m.width)
	return strings.Join(lines[:min(len(lines), max(1, m.height))], "\n")
}

// body draws the panes: one and the detail below it, or all three side by side.
func (m *Model) body(height int) []string {
	if m.width < wide {
		return m.column(m.pane, m.width, height)
	}
	const gap = "   "
	right := min(max(m.width/3, 56), 80)
	left := m.width - right - len(gap)
	first := m.column(causes, left, height)
	half := height / 2
	second := append(m.table(sessions, right, half), m.table(peers, right, height-half)...)
	lines := make([]string, height)
	for i := range lines {
		lines[i] = m.end(first[i], left) + gap + second[i]
	}
	return lines
}

// column draws a pane and what there is to tell of its chosen row.
func (m *Model) column(pane, width, height int) []string {
	t := m.selected()
	if pane != causes || t == nil || height < 9 {
		return m.table(pane, width, height)
	}
	detail := m.detailText(t, width, false)
	below := max(height/2, height-2-len(m.pic.Troubles)) // what the rows do not need
	below = min(below, len(detail)+1)
	lines := m.table(pane, width, height-below)
	lines = append(lines, m.palette.paint(strings.Repeat(m.glyphs().rule, width), dim))
	return append(lines, fit(detail, below-1)...)
}

// scrolled shows a text from the chosen line on.
func (m *Model) scrolled(text []string, height int) []string {
	m.scroll = max(0, min(m.scroll, len(text)-height))
	return fit(text[m.scroll:], height)
}

// fit makes it height lines.
func fit(lines []string, height int) []string {
	lines = append([]string(nil), lines[:min(len(lines), max(0, height))]...)
	for len(lines) < height {
		lines = append(lines, "")
	}
	return lines
}

// headline says what is followed and how far it was read.
func (m *Model) headline() string {
	p, w := m.pic, m.words
	name, short := w.Text("dash.no_file"), ""
	if len(p.Paths) > 0 {
		name, short = foreign(p.Paths[0]), foreign(base(p.Paths[0]))
	}
	if n := len(p.Paths) - 1; n > 0 {
		name, short = fmt.Sprintf("%s +%d", name, n), fmt.Sprintf("%s +%d", short, n)
	}
	clock := ""
	if !p.Now.IsZero() {
		clock = p.Now.Format("15:04:05")
	}
	lag := w.Text("dash.no_lag")
	if p.Lag >= leastLag {
		lag = m.palette.paint(w.Text("dash.lag", "size", size(p.Lag)), warn)
	}
	parts := []string{w.Text("dash.per_second", "n", report.Count(w, p.PerSecond)), lag, w.Text("dash.lines", "n", report.Count(w, p.Lines))}
	if p.Waiting > 0 {
		parts = slices.Insert(parts, 0, m.palette.paint(w.Text("dash.waiting", "n", report.Count(w, int64(p.Waiting))), warn))
	}
	if m.held {
		parts = slices.Insert(parts, 0, m.palette.paint(" "+w.Text("dash.held")+" ", title))
	}
	const gap = "  "
	const leastName = 16
	room := m.width - cells("mailwhy"+gap+gap) - cells(clock) // of the name and the parts
	used := func() int { return cells(bare(gap + strings.Join(parts, gap))) }
	for len(parts) > 0 && min(leastName, cells(name))+used() > room {
		parts = parts[:len(parts)-1]
	}
	if cells(name) > room-used() && short != "" {
		name = short
	}
	line := m.palette.paint("mailwhy", bold) + gap + clip(name, room-used())
	if len(parts) > 0 {
		line += gap + strings.Join(parts, gap)
	}
	return m.end(line, m.width-cells(clock)) + m.palette.paint(clock, bold)
}

// size writes bytes for people.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	f := float64(n)
	for ; f >= 1000 && len(units) > 1; f /= 1024 {
		units = units[1:]
	}
	return fmt.Sprintf("%.0f %s", f, units[0])
}

// lastLine shows what is being typed, the last news, or the keys.
func (m *Model) lastLine() string {
	w := m.words
	switch {
	case m.typing:
		return m.palette.paint("/", bold) + tail(m.filter, m.width-3) + m.palette.paint(" ", chosen)
	case m.notice != nil:
		st := good
		if m.notice.Bad {
			st = bad
		}
		return m.palette.paint(clip(foreign(m.notice.Text(w)), m.width), st)
	case m.help:
		return m.keyLine(w.Text("dash.help_keys"))
	case m.detail:
		return m.keyLine(w.Text("dash.detail_keys"))
	}
	return m.keyLine(w.Text("dash.keys"))
}

// keyLine shows keys and what they do, as many as there is room for; the words have them
// with a bar between two, the most needed first.
func (m *Model) keyLine(text string) string {
	line, used := "", 0
	for part := range strings.SplitSeq(text, "|") {
		key, does, _ := strings.Cut(part, " ")
		n := cells(part) + 2
		if used == 0 {
			n -= 2
		}
		if used+n > m.width {
			break
		}
		if used > 0 {
			line += "  "
		}
		line += m.palette.paint(key, bold) + " " + m.palette.paint(does, dim)
		used += n
	}
	return line
}

// tail is the end of a text, of at most n cells.
func tail(s string, n int) string {
	for cells(s) > n {
		_, s = firstRune(s)
	}
	return s
}

// end pads a line that may hold styles, or cuts nothing: lines are made to fit before.
func (m *Model) end(line string, width int) string {
	return line + strings.Repeat(" ", max(0, width-cells(bare(line))))
}
