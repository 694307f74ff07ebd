package dashboard

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
)

// widestProse is how wide sentences are set: longer lines are hard to follow.
const widestProse = 110

// detailText tells all about a trouble: what it is, what it means, what to do, and its
// last lines. whole adds what there is room for only in a window of its own.
func (m *Model) detailText(t *live.Trouble, width int, whole bool) []string {
	w := m.words
	entry, cause := w.Entry(t.Entry), w.Cause(t.Cause)
	var lines []string
	add := func(st style, text string) {
		for _, l := range wrapped(text, min(width, widestProse)) {
			lines = append(lines, m.palette.paint(l, st))
		}
	}
	hang := func(mark, text string, st style) {
		for i, l := range wrapped(text, min(width, widestProse)-cells(mark)) {
			if i > 0 {
				mark = strings.Repeat(" ", cells(mark))
			}
			lines = append(lines, m.palette.paint(mark+l, st))
		}
	}
	head := entry.Title
	if head == "" {
		head = cause.Title
	}
	lines = append(lines, m.palette.paint(clip(head, width), bold))
	lines = append(lines, m.palette.paint(clip(strings.Join(m.facts(t), " · "), width), dim))

	meaning := entry.Meaning
	if meaning == "" {
		meaning = cause.Meaning
	}
	add(normal, meaning)
	_, steps := w.Advice(t.Entry, t.Direction)
	arrow := "→ "
	if m.plain {
		arrow = "> "
	}
	hang(arrow, foreign(report.Advice(w, m.by, &t.Facts)), bold)
	if whole {
		for i, s := range steps {
			hang(fmt.Sprintf("  %d. ", i+1), s, normal)
		}
		if t.Reply != "" {
			lines = append(lines, "")
			add(dim, w.Text("report.column_reply"))
			hang("  ", foreign(t.Reply), normal)
		}
		if len(t.Lines) > 0 {
			lines = append(lines, "")
			add(dim, w.Text("dash.last_lines"))
		}
	}
	for i := len(t.Lines) - 1; i >= 0; i-- {
		l := &t.Lines[i]
		text := foreign(where(l) + " " + l.Text)
		if whole {
			hang("  ", text, normal)
		} else {
			hang("", text, dim)
		}
	}
	return lines
}

// facts are what is known of a trouble in a few words each.
func (m *Model) facts(t *live.Trouble) []string {
	w := m.words
	var all []string
	for _, f := range []string{
		replyOf(t), t.Stage.String(), m.side(t.Direction), foreign(t.Party), "×" + report.Count(w, t.Total), span(t), w.Severity(t.Severity),
		w.Text("dash.acts", "who", w.Side(t.Cause.ActorOf(t.Direction), t.Direction)),
	} {
		if f != "" {
			all = append(all, f)
		}
	}
	return all
}

func span(t *live.Trouble) string { return t.First.Format("15:04") + "–" + t.Last.Format("15:04") }

// where names a line's file and number.
func where(l *live.Line) string { return fmt.Sprintf("%s:%d", base(l.Path), l.Number) }

// helpKeys are the keys and the words for what each does.
var helpKeys = [][2]string{
	{"↑ ↓  j k", "dash.help_move"}, {"PgUp PgDn", "dash.help_page"}, {"Home End", "dash.help_ends"}, {"Tab ← →", "dash.help_tab"}, {"Enter", "dash.help_enter"},
	{"/", "dash.help_filter"}, {"Esc", "dash.help_esc"}, {"s", "dash.help_sort"}, {"p", "dash.help_pause"},
	{"l", "dash.help_language"}, {"i", "dash.help_report"}, {"?", "dash.help_help"}, {"q", "dash.help_quit"},
}

func (m *Model) helpText() []string {
	const keyWidth = 10
	lines := []string{"", m.palette.paint(m.words.Text("dash.help_title"), bold)}
	for _, k := range helpKeys {
		text := wrapped(m.words.Text(k[1]), min(m.width, widestProse)-keyWidth-4)
		for i, l := range text {
			key := k[0]
			if i > 0 {
				key = ""
			}
			lines = append(lines, "  "+m.palette.paint(fill(key, keyWidth, false), bold)+"  "+l)
		}
	}
	lines = append(lines, "")
	for _, l := range wrapped(m.words.Text("dash.help_signs"), min(m.width, widestProse)-2) {
		lines = append(lines, "  "+m.palette.paint(l, dim))
	}
	return lines
}

// bare is a text without its styles.
func bare(s string) string { return ansi.Strip(s) }

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func firstRune(s string) (rune, string) {
	r, n := utf8.DecodeRuneInString(s)
	return r, s[n:]
}
