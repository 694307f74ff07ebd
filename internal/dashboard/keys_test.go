package dashboard

import (
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func firstRow(m *Model) string {
	m.colour = false
	_, rows, _ := m.rows(m.pane, m.width)
	if len(rows) == 0 {
		return ""
	}
	return rows[0][0].text
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		want func(m *Model) bool
	}{
		{"order by last minute", []string{"s"}, func(m *Model) bool { return firstRow(m) == "relaying refused" }},
		{"order goes round", []string{"s", "s", "s", "s"}, func(m *Model) bool { return m.selected().Party == "Microsoft" }},
		{"down", []string{"down"}, func(m *Model) bool { return m.selected().Party == "Google" }},
		{"not beyond the end", []string{"end", "down", "j", "pgdown"}, func(m *Model) bool { return m.selected() == m.troubles()[4] }},
		{"home", []string{"end", "home"}, func(m *Model) bool { return m.selected().Party == "Microsoft" }},
		{"filter", []string{"/", "m", "I", "c", "r", "o", "enter"}, func(m *Model) bool { return m.selected().Party == "Microsoft" && !m.typing }},
		{"filter by code", []string{"/", "5", ".", "1", ".", "1"}, func(m *Model) bool { return m.selected().Enhanced == smtp.EnhancedCode{5, 1, 1} && m.typing }},
		{"filter is taken back", []string{"/", "x", "esc"}, func(m *Model) bool { return m.filter == "" && !m.typing }},
		{"filter is removed", []string{"/", "x", "enter", "esc"}, func(m *Model) bool { return m.filter == "" }},
		{"letters of keys are text in the filter", []string{"/", "q", "p", "backspace"}, func(m *Model) bool { return m.filter == "q" && !m.held }},
		{"nothing fits the filter", []string{"/", "z", "z", "z", "enter", "enter", "down", "j"}, func(m *Model) bool { return m.selected() == nil && strings.Contains(m.frame(), "zzz") }},
		{"language", []string{"l"}, func(m *Model) bool { return m.words.Lang == "hi" }},
		{"languages go round", []string{"l", "l", "l"}, func(m *Model) bool { return m.words.Lang == "en" }},
		{"language within help", []string{"?", "l", "?"}, func(m *Model) bool { return m.words.Lang == "hi" && !m.help }},
		{"pane", []string{"tab"}, func(m *Model) bool { return m.pane == sessions }},
		{"panes go round", []string{"shift+tab", "tab"}, func(m *Model) bool { return m.pane == causes }},
		{"detail", []string{"enter"}, func(m *Model) bool { return m.detail }},
		{"detail and back", []string{"enter", "esc"}, func(m *Model) bool { return !m.detail }},
		{"no detail of a peer", []string{"tab", "enter"}, func(m *Model) bool { return !m.detail }},
		{"scrolled as far as there is text", []string{"enter", "end"}, func(m *Model) bool { m.frame(); return m.scroll < 40 }},
		{"q within help goes back", []string{"?", "q"}, func(m *Model) bool { return !m.help }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := modelOf("en", 80, 24)
			press(m, c.keys...)
			if !c.want(m) {
				t.Errorf("after %v:\n%s", c.keys, m.frame())
			}
		})
	}
}

func TestActions(t *testing.T) {
	m := modelOf("en", 80, 24)
	for key, want := range map[string]action{"q": quit, "ctrl+c": quit, "ctrl+z": suspend, "i": writeReport, "x": nothing} {
		if got := m.key(key, key); got != want {
			t.Errorf("%s: %v, not %v", key, got, want)
		}
	}
}

// While the screen is held, nothing on it changes; afterwards it shows what goes on now.
func TestHeld(t *testing.T) {
	m := modelOf("en", 80, 24)
	press(m, "p")
	before := m.frame()
	later := busy()
	later.Lines++
	m.see(later)
	if m.frame() != before {
		t.Error("a held screen has changed")
	}
	press(m, "p")
	if !strings.Contains(m.frame(), "1,204,332") {
		t.Error("the screen still shows what was when it was held")
	}
}

// The chosen row stays chosen when others overtake it.
func TestChosenStays(t *testing.T) {
	m := modelOf("en", 80, 24)
	press(m, "s", "down", "down")
	id := m.selected().ID
	later := busy()
	for i := range later.Troubles {
		if later.Troubles[i].ID == id {
			later.Troubles[i].PerMinute[live.Minutes-1] = 1000
		}
	}
	m.see(later)
	if m.selected().ID != id || m.troubles()[0].ID != id {
		t.Errorf("%d was chosen, and now %d", id, m.selected().ID)
	}
}
