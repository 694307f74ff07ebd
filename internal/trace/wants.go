package trace

import (
	"bytes"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// wants is what is looked for at one time. It does not change: whoever learns a new name
// makes another.
type wants struct {
	what    *What           // nil when it is not looked for any more
	ids     map[string]bool // queue IDs, here and at the next servers
	mids    map[string]bool // Message-IDs
	version int
	rows    bool                             // the lines of these IDs, for a table, which tells nothing of what other programs write
	seeds   bool                             // which queue IDs were asked for, not their lines
	near    bool                             // note what is nearly what was asked for
	pass    func(*smtp.Event) bool           // instead of all that: which lines
	times   func(time.Time) bool             // and of which times
	make    func(*smtp.Event, []byte) []byte // then what is wanted of it
	keep    func(*smtp.Event) bool           // and whether it is wanted itself
	done    *What                            // its lines, as what it was asked for, are known already; nil for nothing

	learns bool       // the names that lines tell are looked for in the rest of their block
	news   lineFinder // finds those that were added to another's
	like   []byte     // text as it is searched

	finder lineFinder
	inJSON lineFinder // for lines that may be, or hold, JSON
}

// matched says how a line has to do with what is wanted.
type matched struct {
	seed     As
	id, mid  bool   // it holds a name that is followed in a field of its own
	mentions string // or the words of another program do: that name
	near     bool
}

func (m *matched) any() bool { return m.seed != 0 || m.id || m.mid || m.mentions != "" }

// newWants makes the finders. like is a piece of the text that they are for.
func newWants(w wants, like []byte) *wants {
	var names, safe []needle
	there := map[needle]bool{}
	add := func(n needle) {
		if there[n] || there[needle{n.text, true}] {
			return
		}
		there[n] = true
		names = append(names, n)
		safe = append(safe, needle{safest(n.text), n.anyCase})
	}
	if w.what != nil && !w.rows {
		n := w.what.needle()
		n.anyCase = (n.anyCase || w.near) && hasLetter(n.text)
		add(n)
	}
	for id := range w.ids {
		if !w.isDone(id, AsQueueID) {
			add(needle{id, false})
		}
	}
	for id := range w.mids {
		if !w.isDone(id, AsMessageID) {
			add(needle{id, false})
		}
	}
	w.like = like
	w.finder = newFinder(names, like)
	w.inJSON = newJSONFinder(safe, like)
	return &w
}

// isDone reports that all lines that show a name as one of the kind are known already.
func (w *wants) isDone(name string, as As) bool {
	return w.done != nil && w.done.Text == name && w.done.As&as != 0
}

// in returns the finder for a text.
func (w *wants) in(b []byte) lineFinder {
	if bytes.IndexByte(b, '{') >= 0 {
		return w.inJSON
	}
	return w.finder
}

// match says what a line that was found has to do with what is wanted.
func (w *wants) match(ev *smtp.Event, line []byte) (m matched) {
	if w.pass != nil {
		m.id = w.pass(ev)
		return m
	}
	if w.what != nil {
		m.seed = w.what.match(ev)
	}
	m.id = w.ids[string(ev.Queue)] || w.ids[string(ev.QueuedAs)] || w.ids[string(ev.Related)]
	m.mid = ev.MessageID != nil && w.mids[string(ev.MessageID)]
	if !m.any() && ev.Queue == nil && !w.rows {
		m.mentions = w.mentioned(line)
	}
	m.near = w.near && !m.any() && contains(line, w.what.Text)
	return m
}

// mentioned returns the followed name that a line of another program holds as a word; of
// several, the first by its letters.
func (w *wants) mentioned(line []byte) (name string) {
	for _, names := range []map[string]bool{w.ids, w.mids} {
		for id := range names {
			if len(id) >= minMention && (name == "" || id < name) && hasWord(line, id) {
				name = id
			}
		}
	}
	return name
}

// minMention is how long a name must be to be known in what other programs write: shorter
// ones are numbers of anything.
const minMention = 8

// contains reports that a text holds a word in any case.
func contains(text []byte, word string) bool {
	for i := 0; i+len(word) <= len(text); i++ {
		if equalFold(text[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
