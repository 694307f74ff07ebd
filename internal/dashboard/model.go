package dashboard

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
)

// The panes.
const (
	causes = iota
	sessions
	peers
	numPanes
)

// Where the window is narrower or lower than this, nothing can be told on it.
const (
	leastWidth  = 40
	leastHeight = 12
)

// Model is what is shown and what the user has chosen to see of it.
type Model struct {
	pic    *Picture
	latest *Picture // what goes on while pic is held
	held   bool

	words   *knowledge.Words
	by      *classify.Classifier
	colour  bool
	light   bool
	plain   bool // no block characters
	palette palette

	width, height int

	pane   int
	views  [numPanes]list
	detail bool   // the detail has the whole window
	scroll int    // the detail's first line, or the help's
	help   bool   // the keys are explained
	typing bool   // keys go into the filter
	filter string // in lower case letters or not; compared without regard to it
	before string // the filter before it was typed at

	notice *News // the last thing to be told, until the next key
}

// list is where the user is in a pane.
type list struct {
	order  int    // which of its orders
	chosen string // the key of the row; "" is the first
	top    int    // the first row that is shown
}

// orders are the words for the orders of each pane's rows; the first is where it begins.
var orders = [numPanes][]string{
	causes:   {"dash.by_worst", "dash.by_recent", "dash.by_count", "dash.by_last"},
	sessions: {"dash.by_age", "dash.by_last", "dash.by_peer"},
	peers:    {"dash.by_trouble", "dash.by_count", "dash.by_peer"},
}

func newModel(words *knowledge.Words, by *classify.Classifier, colour, plain bool) *Model {
	m := &Model{pic: &Picture{}, words: words, by: by, colour: colour, plain: plain, width: 80, height: 24}
	m.setLight(false)
	return m
}

func (m *Model) setLight(light bool) {
	m.light = light
	m.palette = paletteOf(m.colour, light)
}

// see takes a new picture; it is shown unless the screen is held.
func (m *Model) see(p *Picture) {
	m.latest = p
	if !m.held {
		m.pic = p
	}
}

// matches reports whether a row with these texts passes the filter.
func (m *Model) matches(texts ...string) bool {
	if m.filter == "" {
		return true
	}
	want := strings.ToLower(m.filter)
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), want) })
}

// troubles returns the causes that pass the filter, in the chosen order.
func (m *Model) troubles() []*live.Trouble {
	var all []*live.Trouble
	for i := range m.pic.Troubles {
		t := &m.pic.Troubles[i]
		if m.matches(m.words.Cause(t.Cause).Title, t.Cause.ID(), t.Party, t.Code.String(), t.Enhanced.String(), t.Reply, t.Stage.String()) {
			all = append(all, t)
		}
	}
	order := m.views[causes].order
	slices.SortStableFunc(all, func(a, b *live.Trouble) int { // as they come, the worst is the first
		switch order {
		case 1:
			return cmp.Compare(b.Recent(m.pic.Now), a.Recent(m.pic.Now))
		case 2:
			return cmp.Compare(b.Total, a.Total)
		case 3:
			return b.Last.Compare(a.Last)
		}
		return 0
	})
	return all
}

// sessions returns the open sessions that pass the filter, in the chosen order.
func (m *Model) sessions() []*Session {
	var all []*Session
	for i := range m.pic.Sessions {
		s := &m.pic.Sessions[i]
		if m.matches(s.Peer, s.IP, s.Stage.String()) {
			all = append(all, s)
		}
	}
	order := m.views[sessions].order
	slices.SortStableFunc(all, func(a, b *Session) int {
		by := 0
		switch order {
		case 1:
			by = b.Last.Compare(a.Last)
		case 2:
			by = strings.Compare(a.Peer, b.Peer)
		}
		return cmp.Or(by, a.Start.Compare(b.Start), strings.Compare(a.Key, b.Key))
	})
	return all
}

// peers returns the peers that pass the filter, in the chosen order.
func (m *Model) peers() []*Peer {
	var all []*Peer
	for i := range m.pic.Peers {
		if p := &m.pic.Peers[i]; m.matches(p.Name) {
			all = append(all, p)
		}
	}
	order := m.views[peers].order
	slices.SortStableFunc(all, func(a, b *Peer) int {
		by := 0
		switch order {
		case 0:
			by = cmp.Compare(b.failed(), a.failed())
		case 2:
			by = strings.Compare(a.Name, b.Name)
		}
		return cmp.Or(by, cmp.Compare(b.Counts[live.Sent]+b.failed(), a.Counts[live.Sent]+a.failed()), strings.Compare(a.key(), b.key()))
	})
	return all
}

func troubleKey(t *live.Trouble) string { return strconv.FormatInt(t.ID, 10) }

func (p *Peer) failed() int64 {
	return p.Counts[live.Deferred] + p.Counts[live.Bounced] + p.Counts[live.Rejected]
}

func (p *Peer) key() string { return p.Direction.String() + " " + p.Name }

// keys returns the rows' keys of a pane, in the order in which they are shown.
func (m *Model) keys(pane int) (keys []string) {
	switch pane {
	case causes:
		for _, t := range m.troubles() {
			keys = append(keys, troubleKey(t))
		}
	case sessions:
		for _, s := range m.sessions() {
			keys = append(keys, s.Key)
		}
	case peers:
		for _, p := range m.peers() {
			keys = append(keys, p.key())
		}
	}
	return keys
}

// chosen is the place of the chosen row; the first when it is gone.
func (m *Model) chosen(pane int, keys []string) int {
	return max(0, slices.Index(keys, m.views[pane].chosen))
}

// move chooses the row that is n further.
func (m *Model) move(n int) {
	keys := m.keys(m.pane)
	if len(keys) == 0 {
		return
	}
	at := min(max(0, m.chosen(m.pane, keys)+n), len(keys)-1)
	m.views[m.pane].chosen = keys[at]
	m.scroll = 0
}

// selected is the trouble whose detail is shown; nil when there is none.
func (m *Model) selected() *live.Trouble {
	all := m.troubles()
	if len(all) == 0 {
		return nil
	}
	at := max(0, slices.IndexFunc(all, func(t *live.Trouble) bool { return troubleKey(t) == m.views[causes].chosen }))
	return all[at]
}
