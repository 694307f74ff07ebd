package dashboard

import (
	"slices"
	"unicode/utf8"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// action is what a key asks for beyond what the model does itself.
type action uint8

const (
	nothing action = iota
	quit
	suspend
	writeReport
)

// maxFilter bounds what can be typed into the filter; the longest name in DNS is shorter.
const maxFilter = 256

// page is how far the page keys go in a pane.
func (m *Model) page() int { return max(1, m.height/3) }

// key obeys a key, by its name as Bubble Tea has it; text is what it writes.
func (m *Model) key(name, text string) action {
	m.notice = nil
	switch {
	case name == "ctrl+c":
		return quit
	case name == "ctrl+z":
		return suspend
	case m.typing:
		m.typed(name, text)
		return nothing
	case m.help:
		return m.helpKey(name)
	}
	switch name {
	case "q":
		return quit
	case "i":
		return writeReport
	case "p", "space":
		if m.held = !m.held; !m.held && m.latest != nil {
			m.pic = m.latest
		}
	case "s":
		m.views[m.pane].order = (m.views[m.pane].order + 1) % len(orders[m.pane])
		m.views[m.pane].chosen = ""
	case "/":
		m.typing, m.before = true, m.filter
	case "l":
		m.nextLanguage()
	case "tab", "right":
		m.turn(1)
	case "shift+tab", "left":
		m.turn(-1)
	case "?", "h", "f1":
		m.help, m.scroll = true, 0
	case "enter":
		if m.pane == causes {
			m.detail, m.scroll = !m.detail, 0
		}
	case "esc":
		if !m.detail {
			m.filter = ""
		}
		m.detail, m.scroll = false, 0
	default:
		m.walk(name)
	}
	return nothing
}

// walk obeys the keys that go through rows, or through the lines of what has the whole
// window.
func (m *Model) walk(name string) {
	const far = 1 << 20
	step, ok := map[string]int{
		"down": 1, "j": 1, "up": -1, "k": -1, "pgdown": m.page(), "ctrl+f": m.page(), "ctrl+d": m.page(), "pgup": -m.page(), "ctrl+b": -m.page(), "ctrl+u": -m.page(),
		"home": -far, "g": -far, "end": far, "G": far, "shift+g": far,
	}[name]
	switch {
	case !ok:
	case m.detail || m.help:
		m.scroll = max(0, m.scroll+step) // frame keeps it within the text
	default:
		m.move(step)
	}
}

func (m *Model) helpKey(name string) action {
	switch name {
	case "q", "?", "h", "f1", "esc", "enter":
		m.help, m.scroll = false, 0
	case "l":
		m.nextLanguage()
	default:
		m.walk(name)
	}
	return nothing
}

// typed obeys a key while the filter is being written.
func (m *Model) typed(name, text string) {
	switch name {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.filter = false, m.before
	case "backspace", "ctrl+h":
		_, n := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-n]
	case "ctrl+u":
		m.filter = ""
	default:
		m.write(text)
	}
}

// write adds to the filter what was typed or pasted.
func (m *Model) write(text string) {
	if text = foreign(text); len(m.filter)+len(text) <= maxFilter {
		m.filter += text
	}
}

func (m *Model) turn(by int) {
	m.detail, m.scroll = false, 0
	m.pane = (m.pane + by + numPanes) % numPanes
}

// nextLanguage goes on to the next language that there are words in.
func (m *Model) nextLanguage() {
	all := knowledge.Languages()
	next := all[(slices.Index(all, m.words.Lang)+1)%len(all)]
	m.words = m.words.To(next)
}

// say tells something in the last line until the next key.
func (m *Model) say(n News) { m.notice = &n }
