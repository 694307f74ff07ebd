package main

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/glance"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/pipeline"
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
	"github.com/mailwhy/mailwhy/parsers/transcript"
)

// line is a line of the input on its way to a command.
type line struct {
	ev      *smtp.Event // as it may be shown; nil when the command did not ask for it to be kept
	written *smtp.Event // as the log has it, for filters and for what tells things apart
	step    *session.Step
	note    *note  // nil when it shows neither a reply nor a failure
	text    []byte // what encode made of it; empty for nothing
	when    time.Time
	raw     []byte // nil where something of it is to be hidden; see shown
	hidden  []byte // the line then
	hide    *redact.Redactor
	path    string
	number  int64
	guessed bool
	name    uint64    // see note
	ends    live.Ends // and this

	parser smtp.Parser
	parsed smtp.Event
	safe   smtp.Event // what may be shown of what the log has
}

// have sets the event and the bytes that the log has.
func (l *line) have(ev *smtp.Event, raw []byte) {
	l.ev, l.written, l.raw = ev, ev, raw
	if l.hide == nil {
		return
	}
	l.raw, l.hidden = nil, raw
	if ev != nil {
		l.hide.Event(&l.safe, ev)
		l.ev = &l.safe
	}
}

// event is what the line says. Where it was not kept the line is parsed once more: that is done
// for so few that it costs less than to keep them all.
func (l *line) event() *smtp.Event {
	if l.ev == nil {
		raw := l.raw
		if l.hide != nil {
			raw = l.hidden
		}
		l.parser.Parse(raw, &l.parsed)
		l.parsed.Time = l.when
		l.have(&l.parsed, raw)
	}
	return l.ev
}

// note is what can be told of an event without those before it.
type note struct {
	classify.Annotation
	asked     bool         // see asked; where there is none it tells nothing
	known     bool         // the event shows a reply or a failure, and Annotation says what of
	recipient uint64       // see summary.Recipient
	name      uint64       // see summary.Name; 0 when it was not looked at
	ends      live.Ends    // see reading; zero when they were not looked at
	concern   live.Concern // and this
	step      session.Step
	text      *[]byte // what encode made of it; nil where nothing is encoded
}

// maxWorkers bounds the memory that batches take; the ordered stage is busy long before.
const maxWorkers = 64

// encodedBlock is how large a block is whose lines are encoded: what is made of one is three
// times as large, and has to stay in a cache until it is written.
const encodedBlock = 16 << 10

// tally passes one file's events on and counts them.
type tally struct {
	*reader
	file    summary.File
	head    []byte // the first of the file's bytes; nil where nobody looked
	before  int64  // lines of the file that are not read; log.line counts them
	clock   *session.Clock
	formats [8]bool
	dialect string
	line    line

	// The time of the last line, while settled, and the stamp it was read from.
	settled bool
	stamp   smtp.Stamp
	when    time.Time
	guessed bool

	wanted []wanted // lines of the batch at hand
}

// wanted is a line of a batch that the command is to get.
type wanted struct {
	place   int
	when    time.Time
	guessed bool
	concern live.Concern
	ends    live.Ends
}

// lines reads a log. The first error is the input's, the second the handler's.
func (t *tally) lines(body io.Reader, p smtp.Parser) (readErr, handleErr error) {
	t.line.parser = p
	o := pipeline.Options{Workers: t.workers()}
	if t.encode != nil {
		o.BlockSize = encodedBlock
	}
	_, err := pipeline.Run(body, o, t.stop, func() pipeline.Worker[note] { return t.worker(p) }, func(b *pipeline.Batch[note]) error {
		if t.batch == nil {
			handleErr = t.handleBatch(b)
		} else {
			handleErr = t.batch(b.Bytes(), int64(len(b.Notes)), func() error { return t.handleBatch(b) })
		}
		return handleErr
	})
	if handleErr != nil {
		return nil, handleErr
	}
	return err, nil
}

// worker returns what notes lines, for one goroutine.
func (t *tally) worker(p smtp.Parser) (w pipeline.Worker[note]) {
	w.Parse = func(line []byte, ev *smtp.Event, n *note) bool {
		p.Parse(line, ev)
		return t.annotate(ev, n)
	}
	if t.lean || t.asked != nil {
		w.Glance = t.glance(parsers.FormatOf(p))
	}
	return w
}

// glance returns what notes the usual lines of a format, where no event is wanted of them.
func (t *tally) glance(f smtp.Format) func(line []byte, n *note) bool {
	eye, yes, asked, concerned := glance.New(f), newNods(t.by), t.asked, t.live
	var names *trace.Names
	if asked != nil {
		names = trace.NewNames(asked.names, t.head)
	}
	return func(line []byte, n *note) bool {
		if by := t.newer.Load(); by != nil && by != yes.by {
			yes = newNods(by)
		}
		if !eye.Line(line, &n.step) {
			return false
		}
		n.Annotation, n.known = yes.annotate(&n.step)
		if asked != nil {
			var sure bool
			if n.asked, sure = asked.glance(line, n, names); !sure || n.asked && !t.lean {
				return false
			}
			if n.text != nil {
				*n.text = (*n.text)[:0]
			}
		}
		if n.recipient, n.name = 0, 0; eye.Host != nil {
			n.name = summary.NameKey(eye.Host)
		}
		n.ends, n.concern = live.Ends{}, live.Nothing
		if concerned {
			if n.concern = live.ConcernOf(&n.step, n.known); n.concern == live.WentThrough && t.hide == nil {
				n.ends = live.Ends{Host: live.EndOf(eye.Host), To: live.EndOf(eye.To)}
			}
		}
		return true
	}
}

// workers is how many goroutines parse.
func (r *reader) workers() int {
	if r.flags.Workers > 0 {
		return min(r.flags.Workers, maxWorkers)
	}
	return min(runtime.GOMAXPROCS(0), maxWorkers)
}

func (t *tally) handleBatch(b *pipeline.Batch[note]) error {
	t.wanted = t.wanted[:0]
	for i := range b.Notes {
		n := &b.Notes[i]
		t.count(n)
		if !t.passes(n, b.Line(i)) {
			continue
		}
		if t.skim != nil {
			t.wanted = append(t.wanted, wanted{i, t.when, t.guessed, n.concern, n.ends})
			continue
		}
		t.at(b, i, t.when, t.guessed)
		if err := t.handle(&t.line); err != nil {
			return err
		}
	}
	t.takeTurns(b)
	t.file.Bytes += b.Bytes()
	t.file.Cut += b.Cut()
	t.progress.show()
	return nil
}

// handOn hands a line to whoever is to get it.
func (t *tally) handOn(n *note) error {
	if t.skim == nil {
		return t.handle(&t.line)
	}
	w := wanted{0, t.when, t.guessed, n.concern, n.ends}
	for k := range t.turns {
		if turn := &t.turns[k]; turn.look == nil || turn.look(&w) {
			turn.take(&t.line)
		}
	}
	return nil
}

// takeTurns hands the lines that are wanted to each of those whose turn it is.
func (t *tally) takeTurns(b *pipeline.Batch[note]) {
	for k := range t.turns {
		turn := &t.turns[k]
		for i := range t.wanted {
			w := &t.wanted[i]
			if turn.look == nil || turn.look(w) {
				t.at(b, w.place, w.when, w.guessed)
				turn.take(&t.line)
			}
		}
	}
}

// at makes the line the i-th of a batch.
func (t *tally) at(b *pipeline.Batch[note], i int, when time.Time, guessed bool) {
	t.line.when, t.line.guessed = when, guessed
	t.be(b.Event(i), &b.Notes[i], b.Line(i), t.before+b.First+int64(i))
}

// transcript reads a transcript, whose bytes are needed all at once.
func (t *tally) transcript(body io.Reader) (readErr, handleErr error) {
	data, err := io.ReadAll(io.LimitReader(body, transcript.MaxSize))
	var lines lineIndex
	info := transcript.Parse(data, func(ev *smtp.Event, number int) {
		if handleErr != nil {
			return
		}
		var n note
		t.annotate(ev, &n)
		if raw := lines.at(data, number); t.passes(&n, raw) {
			t.line.when, t.line.guessed = t.when, t.guessed
			t.be(ev, &n, raw, int64(number))
			handleErr = t.handOn(&n)
		}
	})
	t.dialect = info.Dialect
	t.formats[smtp.FormatTranscript] = info.Understood > 0
	t.file.Lines, t.file.Understood, t.file.Foreign, t.file.Unknown = int64(info.Lines), int64(info.Understood), int64(info.Foreign), int64(info.Unknown)
	t.file.Bytes = int64(len(data))
	if err == nil && len(data) == transcript.MaxSize {
		err = fmt.Errorf("%s: only its first %d MiB were read as a transcript; cut it into its sessions", t.file.Path, transcript.MaxSize>>20)
	}
	return err, handleErr
}

// annotate notes what can be told of an event alone, and tells whether the command wants
// the event besides. It is called by several goroutines.
func (t *tally) annotate(ev *smtp.Event, n *note) (keep bool) {
	by := t.by
	if newer := t.newer.Load(); newer != nil {
		by = newer
	}
	n.Annotation, n.known = by.Event(ev)
	if t.encode != nil {
		session.BriefStep(ev, &n.step)
		if n.text == nil {
			n.text = new([]byte)
		}
		*n.text = t.encode(ev, n, (*n.text)[:0])
		return false
	}
	session.StepOf(ev, &n.step)
	if t.asked != nil {
		n.asked = t.asked.event(ev, n)
	}
	if n.recipient, n.name = 0, 0; n.known {
		n.recipient, n.name = summary.Recipient(ev), summary.Name(ev)
	}
	n.ends, n.concern = live.Ends{}, live.Nothing
	if t.live {
		n.concern = live.ConcernOf(&n.step, n.known)
		switch {
		case t.hide != nil: // they are those of the names that may be shown
		case n.concern == live.WentThrough:
			n.ends = live.EndsOf(ev)
		case n.concern == live.WentBadly:
			n.ends.Host = live.EndOf(summary.HostOf(ev))
		}
	}
	return !t.lean && (t.keep == nil || n.known || t.keep(ev))
}

// count counts a log's line.
func (t *tally) count(n *note) {
	t.file.Lines++
	switch n.step.Kind {
	case smtp.KindUnknown:
		t.file.Unknown++
	case smtp.KindForeign:
		t.file.Foreign++
	default:
		t.file.Understood++
		t.formats[n.step.Format] = true
	}
}

// passes settles the time of a line, and reports whether the command is to get it.
func (t *tally) passes(n *note, raw []byte) bool {
	if !t.settled || n.step.Stamp != t.stamp {
		t.tick(&n.step)
	}
	if t.guessed {
		t.file.Guessed++
	}
	if n.step.Format == smtp.FormatExim && t.repeated.Seen(&n.step, raw) {
		t.file.Duplicate++
		return false
	}
	return t.skim == nil || t.skim(n, t.when)
}

// be makes the line that of an event, or of a note where that was not kept. Its time is set.
func (t *tally) be(ev *smtp.Event, n *note, raw []byte, number int64) {
	l := &t.line
	if ev != nil {
		ev.Time = l.when
	}
	l.name, l.ends = n.name, n.ends
	l.step, l.note, l.text, l.number, l.hide = &n.step, nil, nil, number, t.hide
	l.have(ev, raw)
	if n.text != nil {
		l.text = *n.text
	}
	if n.known {
		l.note = n
	}
}

// tick settles the time of a line. Most have the stamp of the line before them.
func (t *tally) tick(step *session.Step) {
	t.stamp, t.when, t.settled = step.Stamp, t.clock.Settle(step.Stamp), step.Kind != smtp.KindForeign
	t.guessed = t.clock.Guessed() && !t.when.IsZero()
	if t.when.IsZero() || step.Kind == smtp.KindForeign {
		return
	}
	if t.file.First.IsZero() || t.when.Before(t.file.First) {
		t.file.First = t.when
	}
	if t.when.After(t.file.Last) {
		t.file.Last = t.when
	}
}

// close adds the file to the whole.
func (t *tally) close() {
	t.endFile()
	t.file.Format = t.formatNames()
	t.coverage.Add(&t.file.Coverage)
}

// formatNames says in which formats the file's understood lines were.
func (t *tally) formatNames() string {
	var names []string
	if t.formats[smtp.FormatPostfix] {
		names = append(names, "Postfix")
	}
	if t.formats[smtp.FormatExim] {
		names = append(names, "Exim")
	}
	if t.formats[smtp.FormatTranscript] {
		name := "transcript"
		if t.dialect != "" {
			name += " (" + t.dialect + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

// lineIndex finds lines of a text by their number, from 1, in rising order.
type lineIndex struct {
	number, start int
}

func (l *lineIndex) at(data []byte, number int) []byte {
	if number < l.number || l.number == 0 {
		l.number, l.start = 1, 0
	}
	for ; l.number < number && l.start < len(data); l.number++ {
		l.start += lineLength(data[l.start:])
	}
	rest := data[min(l.start, len(data)):]
	return bytes.TrimRight(rest[:lineLength(rest)], "\r\n")
}

func lineLength(b []byte) int {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return i + 1
	}
	return len(b)
}
