package dashboard

import (
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
)

// glyphs are what is drawn with.
type glyphs struct {
	bars                        []rune // from nothing to the most
	rule, mark, up, down, level string
}

var (
	drawn   = glyphs{[]rune(" ▁▂▃▄▅▆▇█"), "─", "›", "▲", "▼", "·"}
	spelled = glyphs{[]rune(" .:-=+*#@"), "-", ">", "+", "-", "."}
)

func (m *Model) glyphs() *glyphs {
	if m.plain {
		return &spelled
	}
	return &drawn
}

// spark draws the last n of the values, each a cell high. most is what fills the cell.
// Whatever is not nothing is drawn as something.
func (g *glyphs) spark(values []int64, n int, most int64) string {
	values = values[len(values)-min(n, len(values)):]
	var b strings.Builder
	for _, v := range values {
		at := 0
		if v > 0 {
			at = 1 + int(min(v, most)*int64(len(g.bars)-2)/max(1, most))
		}
		b.WriteRune(g.bars[at])
	}
	return b.String()
}

var (
	rateWords  = [live.NumRates]string{"dash.sent", "dash.deferred", "dash.bounced", "dash.rejected"}
	rateStyles = [live.NumRates]style{good, warn, bad, bad}
)

// rates draws what became of mail, minute by minute: each with its own measure, for one
// bounce among a thousand deliveries is what matters.
func (m *Model) rates() []string {
	w, p := m.words, m.pic
	if m.height < roomy {
		return m.ratesTold()
	}
	var names, now, total [live.NumRates]string
	var nameWidth, nowWidth, totalWidth int
	for i := range names {
		names[i] = w.Text(rateWords[i])
		now[i] = w.Text("dash.per_minute", "n", report.Count(w, p.Rates[i][live.Minutes-1]))
		total[i] = report.Count(w, p.Totals[i])
		nameWidth, nowWidth, totalWidth = max(nameWidth, cells(names[i])), max(nowWidth, cells(now[i])), max(totalWidth, cells(total[i]))
	}
	const narrowest = 9 // of a number, so that the bars do not move when it grows
	nowWidth, totalWidth = max(nowWidth, narrowest), max(totalWidth, narrowest)
	room := m.width - nameWidth - nowWidth - totalWidth - 6
	twice := room >= 2*live.Minutes
	room = min(live.Minutes, room)
	var lines []string
	for i := range names {
		bars := m.glyphs().spark(p.Rates[i][:], room, slices.Max(p.Rates[i][live.Minutes-room:]))
		if twice {
			bars = doubled(bars)
		}
		st := rateStyles[i]
		if p.Totals[i] == 0 {
			st = dim
		}
		lines = append(lines, fill(names[i], nameWidth, false)+"  "+m.palette.paint(bars, st)+"  "+
			fill(now[i], nowWidth, true)+"  "+m.palette.paint(fill(total[i], totalWidth, true), dim))
	}
	return lines
}

func doubled(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteRune(r)
		b.WriteRune(r)
	}
	return b.String()
}

// ratesTold tells the running minute in as few lines as it takes.
func (m *Model) ratesTold() (lines []string) {
	line := ""
	for i, key := range rateWords {
		part := m.words.Text(key) + " " + report.Count(m.words, m.pic.Rates[i][live.Minutes-1])
		if line != "" && cells(line)+2+cells(part) > m.width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += "  "
		}
		line += clip(part, m.width)
	}
	return append(lines, line)
}

// trend tells whether a trouble grows: its last five minutes against the five before.
func (m *Model) trend(t *live.Trouble) (sign string, st style) {
	g := m.glyphs()
	var last, before int64
	for i, n := range t.PerMinute[live.Minutes-10:] {
		if i < 5 {
			before += n
		} else {
			last += n
		}
	}
	switch {
	case last > before+before/4:
		return g.up, bad
	case last+last/4 < before:
		return g.down, good
	}
	return g.level, dim
}
