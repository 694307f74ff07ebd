package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// column is a column of a pane. The first of a pane takes what room the others leave.
type column struct {
	name  string
	width int
	right bool
}

// field is a cell of a row.
type field struct {
	text  string
	style style
}

var paneTitles = [numPanes]string{"report.causes", "dash.sessions", "report.peers"}

// table draws a pane: its title, the names of its columns, and the rows around the
// chosen one.
func (m *Model) table(pane, width, height int) []string {
	columns, rows, keys := m.rows(pane, width)
	lines := []string{m.title(pane, width, len(rows))}
	if len(rows) == 0 {
		none := m.words.Text("dash.none")
		if pane == causes && m.pic.Lines > 0 { // the totals may tell of older ones
			none = m.words.Text("dash.none_lately")
		}
		if m.filter != "" {
			none = m.words.Text("dash.none_filtered", "filter", m.filter)
		}
		return fit(append(lines, "  "+m.palette.paint(clip(none, width-2), dim)), height)
	}
	columns, rows = narrowed(columns, rows, width-2)
	names := make([]field, len(columns))
	for i, c := range columns {
		names[i] = field{c.name, dim}
	}
	lines = append(lines, m.row(" ", columns, names, false))

	room := height - len(lines)
	at := m.chosen(pane, keys)
	top := m.window(pane, at, len(rows), room)
	active := pane == m.pane
	for i := top; i < min(len(rows), top+room); i++ {
		mark := " "
		if i == at && (active || pane == causes) {
			mark = m.glyphs().mark
		}
		lines = append(lines, m.row(mark, columns, rows[i], i == at && active))
	}
	return fit(lines, height)
}

// leastFirst is how narrow the first column may become.
const leastFirst = 10

// narrowed gives the first column what the others leave of the width; where that is too
// little, it leaves out the columns behind it.
func narrowed(columns []column, rows [][]field, width int) ([]column, [][]field) {
	rest := width
	for _, c := range columns[1:] {
		rest -= c.width + 2
	}
	for rest < leastFirst && len(columns) > 1 {
		rest += columns[1].width + 2
		columns = slices.Delete(columns, 1, 2)
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 1, 2)
		}
	}
	columns[0].width = rest
	return columns, rows
}

// window is the first row to show, so that the chosen one is among those that are shown.
func (m *Model) window(pane, at, rows, room int) int {
	v := &m.views[pane]
	v.top = max(0, min(v.top, rows-room))
	v.top = min(v.top, at)
	v.top = max(v.top, at-room+1)
	return v.top
}

// title is a pane's headline: its name, the other panes where those are not to be seen,
// how many rows it has, in which order, and the filter.
func (m *Model) title(pane, width, rows int) string {
	w := m.words
	name := func(p int) string { return " " + w.Text(paneTitles[p]) + " " }
	line, used := "", 0
	add := func(s string, st style) {
		s = clip(s, width-used)
		line += m.palette.paint(s, st)
		used += cells(s)
	}
	for p := range numPanes {
		switch {
		case p == m.pane && (p == pane || m.width < wide):
			add(name(p), title)
		case p == pane:
			add(name(p), bold)
		case m.width < wide:
			add(name(p), dim)
		}
	}
	told := report.Count(w, int64(rows))
	if pane == sessions && m.filter == "" && m.pic.Open > rows {
		told = report.Count(w, int64(m.pic.Open))
	}
	add("  "+told+" · "+w.Text(orders[pane][m.views[pane].order]), dim)
	if m.filter != "" {
		add("  /"+m.filter, warn)
	}
	return line
}

// row draws a row: its cells in their columns, the whole of it reversed when it is chosen.
func (m *Model) row(mark string, columns []column, fields []field, isChosen bool) string {
	line := mark + " "
	for i, c := range columns {
		if i > 0 {
			line += "  "
		}
		text := fill(fields[i].text, c.width, c.right)
		if !isChosen {
			text = m.palette.paint(text, fields[i].style)
		}
		line += text
	}
	if isChosen {
		return m.palette.paint(line, chosen)
	}
	return line
}

// rows are a pane's columns, rows, and the rows' keys.
func (m *Model) rows(pane, width int) ([]column, [][]field, []string) {
	switch pane {
	case sessions:
		return m.sessionRows(width)
	case peers:
		return m.peerRows(width)
	}
	return m.causeRows(width)
}

// sparkWidth is how many minutes of a cause are drawn in its row.
const sparkWidth = 10

// A cause's reply and its direction are left out of rows that are too narrow for them.
const (
	replyFrom     = 84
	directionFrom = 60
)

func (m *Model) causeRows(width int) (columns []column, rows [][]field, keys []string) {
	w := m.words
	trendWidth := 2 + sparkWidth
	if width < replyFrom {
		trendWidth -= 3
	}
	columns = []column{{name: w.Text("report.column_cause")}, {name: w.Text("dash.party"), width: max(12, width/6)}}
	add := func(from int, c column) bool {
		if width >= from {
			columns = append(columns, c)
		}
		return width >= from
	}
	add(directionFrom, column{width: m.sideWidth()})
	add(replyFrom, column{name: w.Text("report.column_reply"), width: len("421 4.7.28")})
	add(0, column{w.Text("dash.last_minute"), max(5, cells(w.Text("dash.last_minute"))), true})
	add(0, column{w.Text("report.column_total"), 7, true})
	add(directionFrom, column{name: w.Text("dash.trend"), width: trendWidth})
	for _, t := range m.troubles() {
		row := []field{{w.Cause(t.Cause).Title, severityStyle(t.Severity)}, {foreign(t.Party), normal}}
		if width >= directionFrom {
			row = append(row, field{m.side(t.Direction), dim})
		}
		if width >= replyFrom {
			row = append(row, field{replyOf(t), normal})
		}
		row = append(row, field{report.Count(w, t.Recent(m.pic.Now)), normal}, field{report.Count(w, t.Total), normal})
		if width >= directionFrom {
			sign, st := m.trend(t)
			row = append(row, field{fill(sign, 2, false) + m.glyphs().spark(t.PerMinute[:], trendWidth-2, most(t.PerMinute[live.Minutes-trendWidth+2:])), st})
		}
		rows, keys = append(rows, row), append(keys, troubleKey(t))
	}
	return columns, rows, keys
}

func most(values []int64) (n int64) {
	for _, v := range values {
		n = max(n, v)
	}
	return n
}

func (m *Model) side(d smtp.Direction) string {
	switch d {
	case smtp.Inbound:
		return m.words.Text("report.in")
	case smtp.Outbound:
		return m.words.Text("report.out")
	}
	return m.words.Text("report.here")
}

func (m *Model) sideWidth() int {
	return max(cells(m.side(smtp.Inbound)), cells(m.side(smtp.Outbound)), cells(m.side(smtp.Internal)))
}

func severityStyle(s knowledge.Severity) style {
	switch s {
	case knowledge.Critical, knowledge.Error:
		return bad
	case knowledge.Warning:
		return warn
	}
	return normal
}

func replyOf(t *live.Trouble) string {
	return strings.TrimSpace(t.Code.String() + " " + t.Enhanced.String())
}

func (m *Model) sessionRows(width int) (columns []column, rows [][]field, keys []string) {
	w := m.words
	columns = []column{{name: w.Text("report.column_peer")}, {name: "", width: m.sideWidth()}, {name: w.Text("report.column_at"), width: 8},
		{w.Text("sessions.messages"), max(4, cells(w.Text("sessions.messages"))), true}, {w.Text("dash.since"), max(8, cells(w.Text("dash.since"))), true}}
	for _, s := range m.sessions() {
		peer := foreign(s.Peer)
		if width >= 70 && s.IP != "" && s.IP != s.Peer {
			peer += " [" + foreign(s.IP) + "]"
		}
		st := normal
		if s.Refused > 0 {
			st = warn
		}
		rows = append(rows, []field{{peer, st}, {m.side(s.Direction), dim}, {s.Stage.String(), normal}, {report.Count(w, int64(s.Messages)), normal}, {ago(m.pic.Now.Sub(s.Start)), dim}})
		keys = append(keys, s.Key)
	}
	return columns, rows, keys
}

// ago writes how long something takes, in few characters: 4:05, 1:02:03.
func ago(d time.Duration) string {
	s := int(max(0, d) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

func (m *Model) peerRows(int) (columns []column, rows [][]field, keys []string) {
	w := m.words
	columns = []column{{name: w.Text("report.column_peer")}, {name: "", width: m.sideWidth()}}
	for _, key := range rateWords {
		columns = append(columns, column{w.Text(key), max(6, cells(w.Text(key))), true})
	}
	for _, p := range m.peers() {
		row := []field{{foreign(p.Name), normal}, {m.side(p.Direction), dim}}
		for i, n := range p.Counts {
			f := field{report.Count(w, n), rateStyles[i]}
			if n == 0 {
				f = field{m.glyphs().level, dim}
			} else if live.Rate(i) == live.Sent {
				f.style = normal
			}
			row = append(row, f)
		}
		rows, keys = append(rows, row), append(keys, p.key())
	}
	return columns, rows, keys
}
