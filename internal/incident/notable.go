package incident

import (
	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxNotable = 512  // wordings of notable lines that are told apart
	noteGap    = 3600 // seconds of silence after which a notable line is told of again
	maxTimes   = 64   // runs of one wording that are kept, the later ones when there are more
	manyRcpt   = 50   // recipients from which on a message is notable
	maxMany    = 256  // such messages that are kept
)

// notable keeps the lines that tell of the server itself: starts, warnings, fatal errors,
// and the messages with very many recipients.
type notable struct {
	all     map[uint64]*notice
	many    []manyTo
	dropped int64
}

// notice is a wording of such lines.
type notice struct {
	what What
	runs []noticeRun
}

type noticeRun struct {
	first, last int64
	n           int64
	line        sample
	text        string
}

type manyTo struct {
	at   int64
	n    int32
	line sample
	id   string
}

var marked = map[knowledge.Mark]What{
	knowledge.MarkStarted: Started, knowledge.MarkStopped: StoppedMark, knowledge.MarkConfig: ConfigError, knowledge.MarkTLS: TLSError,
	knowledge.MarkDisk: DiskError, knowledge.MarkFatal: FatalLine,
}

// line keeps a warning, or a notice that is a mark.
func (t *notable) line(base *knowledge.Base, ev *smtp.Event, note *classify.Annotation, now int64, file uint16, at *Place) {
	what, ok := marked[base.Mark(ev.Text)]
	if !ok {
		if ev.Kind != smtp.KindWarning || !ev.Peer.IsZero() {
			return // what is said of one client is nothing about the server
		}
		what = WarningLine
	} else if ev.Kind == smtp.KindNotice && what != Started && what != StoppedMark {
		return
	}
	w := summary.WordingOf(ev.Text) + uint64(what)
	n := t.all[w]
	if n == nil {
		if len(t.all) >= maxNotable {
			t.dropped++
			return
		}
		if t.all == nil {
			t.all = map[uint64]*notice{}
		}
		n = &notice{what: what}
		t.all[w] = n
	}
	if last := len(n.runs) - 1; last >= 0 && now-n.runs[last].last <= noteGap && now >= n.runs[last].first-noteGap && what != Started && what != StoppedMark {
		n.runs[last].n++
		n.runs[last].last = max(n.runs[last].last, now)
		return
	}
	if len(n.runs) >= maxTimes {
		n.runs = append(n.runs[:0], n.runs[1:]...)
		t.dropped++
	}
	n.runs = append(n.runs, noticeRun{
		first: now, last: now, n: 1, line: sample{at: now, line: uint32(at.Number), file: file, text: clip(at.Text())}, text: clip(string(smtp.AppendMasked(nil, ev.Text))),
	})
}

// many keeps a message with very many recipients.
func (f *Finder) many(ev *smtp.Event, at *Place, now int64) {
	if ev.Recipients < manyRcpt {
		return
	}
	t := &f.notable
	if len(t.many) >= maxMany {
		t.dropped++
		return
	}
	for i := len(t.many) - 1; i >= 0 && i >= len(t.many)-8; i-- {
		if t.many[i].id == string(ev.Queue) {
			return // it is tried again
		}
	}
	t.many = append(t.many, manyTo{now, ev.Recipients, sample{at: now, line: uint32(at.Number), file: f.file(at.Path), text: clip(at.Text())}, string(ev.Queue)})
}
