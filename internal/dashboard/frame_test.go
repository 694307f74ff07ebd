package dashboard

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

var update = flag.Bool("update", false, "write the golden files anew")

func modelOf(lang string, width, height int) *Model {
	m := newModel(knowledge.In(lang), classify.Default(), false, false)
	m.width, m.height = width, height
	m.see(busy())
	return m
}

// press presses keys by their names, and types what is no name.
func press(m *Model, keys ...string) {
	for _, k := range keys {
		text := ""
		if len([]rune(k)) == 1 {
			text = k
		}
		m.key(k, text)
	}
}

// Every language on a small and a wide window, as it is drawn without styles.
func TestGolden(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		for name, c := range map[string]struct {
			width, height int
			keys          []string
		}{
			"80x24":          {80, 24, nil},
			"150x45":         {150, 45, nil},
			"80x24-detail":   {80, 24, []string{"j", "enter"}},
			"80x24-help":     {80, 24, []string{"?"}},
			"80x24-sessions": {80, 24, []string{"tab"}},
			"80x24-peers":    {80, 24, []string{"tab", "tab", "p"}},
			"40x12":          {40, 12, nil},
		} {
			t.Run(lang+"-"+name, func(t *testing.T) {
				m := modelOf(lang, c.width, c.height)
				press(m, c.keys...)
				var b strings.Builder
				for line := range strings.Lines(bare(m.frame()) + "\n") {
					b.WriteString(strings.TrimRight(line, " \n") + "\n")
				}
				golden(t, filepath.Join("testdata", lang+"-"+name+".txt"), b.String())
			})
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (want -, got +):\n%s", path, diff)
	}
}

// Whatever the window's size and whatever is shown, no line is wider than the window, and
// there are no more lines than it has; nothing that a stranger wrote drives the terminal.
func TestFits(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		for _, keys := range [][]string{nil, {"tab"}, {"tab", "tab"}, {"enter"}, {"?"}, {"p"}, {"/", "g", "o", "o"}, {"/", "ह", "enter"}, {"end"}, {"enter", "end"}} {
			for width := 1; width < 170; width += 3 {
				for height := 1; height < 60; height += 5 {
					m := modelOf(lang, width, height)
					m.colour = true
					m.setLight(width%2 == 0)
					press(m, keys...)
					frame := m.frame()
					lines := strings.Split(frame, "\n")
					where := fmt.Sprintf("%s %dx%d %v", lang, width, height, keys)
					if len(lines) > height || len(lines) != height && width >= leastWidth && height >= leastHeight {
						t.Fatalf("%s: %d lines", where, len(lines))
					}
					for i, l := range lines {
						if n := cells(bare(l)); n > width {
							t.Fatalf("%s: line %d has %d cells: %q", where, i, n, l)
						}
					}
					if strings.ContainsAny(frame, "\a\r\t") || strings.Contains(frame, "\x1b]") {
						t.Fatalf("%s: a control character got through: %q", where, frame)
					}
				}
			}
		}
	}
}

// Without colours there are none, and with them only the terminal's own.
func TestColours(t *testing.T) {
	m := modelOf("en", 150, 45)
	for _, code := range []string{"\x1b[3", "\x1b[4", "\x1b[9"} {
		if strings.Contains(m.frame(), code) {
			t.Errorf("%q without colour", code)
		}
	}
	m.colour = true
	for _, light := range []bool{false, true} {
		m.setLight(light)
		frame := m.frame()
		if strings.Contains(frame, "\x1b[38") || strings.Contains(frame, "\x1b[48") {
			t.Error("a colour that is not the terminal's own")
		}
		if light == strings.Contains(frame, "\x1b[33m") {
			t.Errorf("light %v: yellow is not to be read on white", light)
		}
	}
}

// In each language the columns of all rows begin at the same cells.
func TestColumns(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		m := modelOf(lang, 80, 24)
		for pane := range numPanes {
			columns, rows, _ := m.rows(pane, 80)
			columns, rows = narrowed(columns, rows, 80)
			want := cells(bare(m.row(" ", columns, rows[0], false)))
			for _, r := range rows {
				if got := cells(bare(m.row(" ", columns, r, false))); got != want {
					t.Errorf("%s: a row has %d cells, the first %d: %q", lang, got, want, m.row(" ", columns, r, false))
				}
			}
		}
	}
}
