package trace

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxInBlock is how many lines of a block may tell names that are looked for in the rest of
// the block at once.
const maxInBlock = 16

// lineAtPlace is where a line of a block is.
type lineAtPlace struct{ start, end int }

// learning searches a block, and behind each line that tells new names for these, too: a
// message's next ID mostly stands a few lines further on, and looking for it now saves another
// pass. Whether these lines are of the message is for the tracer to say, who sees all.
func (w *worker) learning(want *wants, b *searched) {
	data := w.blk.data
	var lines []lineAtPlace
	want.in(data).eachLine(data, func(start, end int) { lines = append(lines, lineAtPlace{start, end}) })
	learned := 0
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		m := w.found(want, b, l.start, l.end)
		if n := len(b.findings) - 1; learned > 0 && n >= 0 && b.findings[n].line.At == w.blk.at+int64(l.start) {
			b.findings[n].local = true
		}
		if m.seed == 0 && !m.id && !m.mid || w.ev.Queue == nil || learned == maxInBlock {
			continue
		}
		more := want.with(&w.ev)
		if more == nil {
			continue
		}
		learned++
		more.news.eachLine(data[l.end:], func(start, end int) {
			lines = append(lines, lineAtPlace{l.end + start, l.end + end})
		})
		rest := lines[i+1:]
		slices.SortFunc(rest, func(a, b lineAtPlace) int { return cmp.Compare(a.start, b.start) })
		lines = lines[:i+1+len(slices.Compact(rest))]
		want = more
	}
}

// with returns wants of the names, too, that a line tells; nil where it tells none that are new.
func (w *wants) with(ev *smtp.Event) *wants {
	var news []needle
	ids, mids := w.ids, w.mids
	for _, id := range idsIn(ev) {
		if id != "" && !ids[id] {
			ids = added(ids, w.ids, id)
			news = append(news, needle{safest(id), false})
		}
	}
	if mid := midIn(ev); mid != "" && !mids[mid] {
		mids = added(mids, w.mids, mid)
		news = append(news, needle{safest(mid), false})
	}
	finder := newFinder(news, w.like)
	if finder == nil {
		return nil // what has no part that JSON leaves alone is looked for in the next pass
	}
	more := *w
	more.ids, more.mids, more.news = ids, mids, finder
	return &more
}

// added returns a set with a name more; the first time it is a copy.
func added(set, old map[string]bool, name string) map[string]bool {
	if len(set) == len(old) {
		set = maps.Clone(old)
		if set == nil {
			set = map[string]bool{}
		}
	}
	set[name] = true
	return set
}

// idsIn returns the queue IDs that a line tells, of those that can be followed; some may be "".
func idsIn(ev *smtp.Event) (ids [3]string) {
	for i, b := range [][]byte{ev.Queue, ev.QueuedAs, ev.Related} {
		if len(b) >= minID && hasDigit(b) {
			ids[i] = string(b)
		}
	}
	return ids
}

// midIn returns the Message-ID that a line tells, "" for none that can be followed.
func midIn(ev *smtp.Event) string {
	if len(ev.MessageID) < minMention {
		return ""
	}
	return string(ev.MessageID)
}

// recheck says again what a line has to do with what is followed, where it was found by names
// that its block told.
func (t *Tracer) recheck(f *finding) {
	ev := f.line.Event
	f.id = t.ids[string(ev.Queue)] || t.ids[string(ev.QueuedAs)] || t.ids[string(ev.Related)]
	f.mid = ev.MessageID != nil && t.mids[string(ev.MessageID)]
	if f.mentions != "" && !t.ids[f.mentions] && !t.mids[f.mentions] {
		f.mentions = ""
	}
}
