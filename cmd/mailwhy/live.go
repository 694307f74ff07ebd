package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// watcher looks on while logs are followed. Its methods are called one at a time.
type watcher interface {
	Tick(now time.Time) // once a second; now is the clock's time where all has been read, else the log's
	Close()             // nothing more is to come
}

// hub is where the lines of all followed logs meet: what they say goes the same way as in a
// report, and to those who look on.
type hub struct {
	*world
	by   *classify.Classifier
	mu   sync.Mutex // guards what follows
	sum  *summary.Summary
	open *session.Assembler
	at   *line
	keep func(*smtp.Event) bool // see reading
	lean bool                   // and this

	blind bool // nobody looks at what goes on now

	received atomic.Bool // somebody wants to see what was received, too

	reloaders []reloader    // what has a use for a new configuration
	reloaded  []func(error) // told how reading it went

	watch    *live.Watch
	watchers []watcher
	passed   []func(*line)            // told of each line that the filters let pass, in order; they need its event, and not to be lean
	ended    []func(*session.Session) // and of each session as it ends
	end      func()                   // ends the run
	flush    func() error             // gets out what was said
	flushed  time.Time                // when it was last asked to
	waits    bool                     // it will be
	closed   bool                     // nothing more is to be said
	tallies  []*tally                 // of each input
	followed []*source.Followed
	journals []*source.Journal
	state    *source.State // where the marks are kept; nil is nowhere
	heard    time.Time     // by the clock, when lines were last handled
	streamed time.Time     // and those of a stream; how much more of it there is nobody knows
	others   []source.Mark // those there of logs that are not followed now
	unsaved  bool          // they could not be kept there, and that was told
	doubted  bool          // it was told that nothing is understood
	graceful summary.Note  // what a 221 after QUIT means
	leave    func()        // gives the terminal back before a panic ends the program
}

// newHub returns a hub, which is given all events unless it is told otherwise.
func newHub(w *world, by *classify.Classifier, o session.Options) *hub {
	h := &hub{world: w, by: by, sum: summary.New(), graceful: graceful(by), end: func() {}, flush: func() error { return nil }, leave: func() {}}
	o.Written = asWritten(&h.at)
	h.open = session.NewAssembler(o, func(s *session.Session) { h.session(s) }) // no method's value: it is called for each
	return h
}

// session passes on a session that has ended.
func (h *hub) session(s *session.Session) {
	h.sum.Session(s.Direction, s.End, s.Graceful && s.Format != smtp.FormatTranscript, s.Last, h.graceful)
	for _, tell := range h.ended {
		tell(s)
	}
}

// line takes a line that was not skimmed.
func (h *hub) line(l *line) error {
	h.at = l
	if h.open.Add(l.step, l.when, l.ev) && (l.ev != nil || l.note != nil || l.step.Decides() || h.wanted(l.step)) {
		h.count(l)
		h.show(l)
	}
	return nil
}

// count counts a line.
func (h *hub) count(l *line) {
	h.at = l
	if l.note != nil || l.step.Decides() {
		count(h.sum, l)
	}
}

// show shows a line to those who look on.
func (h *hub) show(l *line) {
	if h.at = l; !h.blind {
		h.watch.Line(l.step, l.when, l.note.annotation(), l.ends, (*words)(l))
	}
	for _, tell := range h.passed {
		tell(l)
	}
}

// wanted reports whether anybody wants to know of a line that is not counted more than the
// sessions do.
func (h *hub) wanted(s *session.Step) bool {
	return live.Badly(s.Kind, s.Direction, s.Stage) || s.Kind == smtp.KindReceived && h.received.Load()
}

func (h *hub) lastLine() live.Line { return (*words)(h.at).Line() }

// annotation is what the classifier says of a line, nil for nothing.
func (n *note) annotation() *classify.Annotation {
	if n == nil {
		return nil
	}
	return &n.Annotation
}

// caughtUp reports that all that was written has been read.
func (h *hub) caughtUp() bool {
	for _, f := range h.followed {
		if !f.Health().CaughtUp {
			return false
		}
	}
	return true
}

// tick lets those who look on know the time. Behind, the log's time is all there is.
func (h *hub) tick(clock time.Time) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.last()
	now := last
	if h.caughtUp() && clock.Sub(h.streamed) >= tickEvery {
		now = clock
		if !last.IsZero() {
			now = clock.In(last.Location()) // as the log's times are shown
		}
	}
	h.doubt()
	if !now.IsZero() {
		h.open.Advance(last.Add(clock.Sub(h.heard))) // a log may be of another zone than is thought
		h.watch.Tick(now)
		for _, w := range h.watchers {
			w.Tick(now)
		}
	}
	return h.flush()
}

// last is the latest time of a line.
func (h *hub) last() (t time.Time) {
	for _, of := range h.tallies {
		if of.file.Last.After(t) {
			t = of.file.Last
		}
	}
	return t
}

// lines is how many were read.
func (h *hub) lines() (n int64) {
	for _, of := range h.tallies {
		n += of.file.Lines
	}
	return n
}

// tickEvery is how often the clock is looked at.
const tickEvery = time.Second

// run reads until the inputs end or stop is closed, and returns when nothing is read any
// more. clock is false where the log's time is all that counts.
func (h *hub) run(clock bool, inputs []func() error) error {
	h.begin()
	ended := make(chan error, len(inputs))
	for _, in := range inputs {
		go func() {
			defer h.fall()
			ended <- in()
		}()
	}
	ticks := time.NewTicker(tickEvery)
	defer ticks.Stop()
	var errs []error
	failed := func(err error) {
		if err != nil && len(errs) == 0 { // one of the others would be that all was stopped
			errs = append(errs, err)
			h.end()
		}
	}
	for left := len(inputs); left > 0; {
		select {
		case err := <-ended:
			failed(err)
			left--
		case now := <-ticks.C:
			if clock {
				failed(h.tick(now))
			}
		}
	}
	h.finish()
	return errors.Join(errs...)
}

// fall goes on with a panic once the terminal is as it was.
func (h *hub) fall() {
	if r := recover(); r != nil {
		h.leave()
		panic(r)
	}
}

// close ends what is still open and tells everybody.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.open.Close()
	for _, w := range h.watchers {
		w.Close()
	}
	for _, t := range h.tallies {
		t.close()
	}
	h.cover()
	h.sum.Dropped.Sessions = h.open.Evicted()
}

// strange is after how many lines it is told that none was understood: among fewer, there
// may be only other programs'.
const strange = 50

// doubt tells of a log that is none, while it is followed.
func (h *hub) doubt() {
	var c summary.Coverage
	for _, t := range h.tallies {
		c.Add(&t.file.Coverage)
	}
	if !h.doubted && c.Understood == 0 && c.Lines >= strange {
		h.doubted = true
		h.warn(notUnderstood(c.Lines))
	}
}

// judge tells when nothing was understood: never a silent zero. whole says that all there
// is was read.
func (h *hub) judge(whole bool) {
	c := &h.sum.Coverage
	if c.Lines == 0 || c.Understood > 0 || c.Lines < strange && !whole {
		return
	}
	h.atLeast(exitUnread)
	if !h.doubted {
		h.warn(notUnderstood(c.Lines))
	}
}

func notUnderstood(lines int64) error {
	return fmt.Errorf("none of %d lines was understood: this is no Postfix or Exim log; if it is one after all, name it with --format", lines)
}

// cover says in the summary how far the logs were read.
func (h *hub) cover() {
	h.sum.Coverage = summary.Coverage{Redacted: h.hiding != nil && h.hiding.by != nil}
	for _, t := range h.tallies {
		f := t.file
		f.Format = t.formatNames()
		h.sum.Coverage.Add(&f.Coverage)
		h.sum.Coverage.Files = append(h.sum.Coverage.Files, f)
	}
	h.sum.Messages = summary.Messages(h.open.Messages())
}

// tally returns what counts the lines of an input and passes them on.
func (h *hub) tally(f *inputFlags, path string) (*tally, error) {
	do := reading{by: h.by, keep: h.keep, lean: h.lean, handle: h.line, endFile: func() {}}
	if h.lean {
		h.skim(&do)
	}
	r, err := f.reader(h.world, do)
	if err != nil {
		return nil, err
	}
	t := &tally{reader: r, file: summary.File{Path: r.hiding.path(path)}}
	t.line.path = t.file.Path
	h.tallies = append(h.tallies, t)
	return t, nil
}

// skim has lines taken by what is noted of them, and only those of which more is wanted asked for
// more. These are closures, for each is called for each line, and a method's value is a call more.
func (h *hub) skim(do *reading) {
	do.skim = func(n *note, when time.Time) bool {
		h.open.Add(&n.step, when, nil)
		if !n.step.Decides() {
			return n.known || n.concern != live.Nothing
		}
		if !h.blind {
			h.watch.Count(when, n.step.Outcome, int64(n.step.Count()))
		}
		return true
	}
	do.turns = []turn{{take: func(l *line) { count(h.sum, l) }}}
	if h.blind {
		return
	}
	do.live = true
	do.turns = append(do.turns, turn{
		look: func(w *wanted) bool { return h.watch.Look(w.when, w.concern, w.ends) },
		take: func(l *line) {
			h.at = l
			h.watch.Take(l.step, l.note.annotation(), (*words)(l))
		},
	})
}

// follow reads one log through all its rotations.
func (h *hub) follow(t *tally, f *source.Followed, parser smtp.Parser) error {
	side := sideLog(&source.Input{Path: f.Mark().Path}, nil)
	for {
		g, err := f.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !g.Again {
			t.clock, t.settled = session.NewClock(g.Changed, t.zone, t.flags.Year), false
		}
		t.before = max(g.Before, 0)
		t.batch = func(bytes, lines int64, handle func() error) error {
			return h.batch(func() error {
				t.repeated.Turn(side)
				err := handle()
				g.Handled(bytes, lines)
				return err
			})
		}
		readErr, handleErr := t.lines(g, parser)
		if handleErr != nil {
			return handleErr
		}
		if readErr != nil {
			h.warn(readErr)
		}
	}
}

// batch handles a batch and gets out what was said of it. Where that fails nobody is left
// to read for.
func (h *hub) batch(handle func() error) (err error) {
	defer h.fall()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err = handle(); err == nil {
		h.heard = time.Now()
		err = h.flushSoon()
	}
	if err == nil && h.state != nil {
		h.save()
	}
	if err != nil {
		h.end()
	}
	return err
}

// flushEvery is how far apart what was said is got out while lines come fast. Nobody sees the difference,
// and what is said of many batches at once takes the processor's caches but once from what reads them.
const flushEvery = 50 * time.Millisecond

// flushSoon gets out what was said of a batch, or leaves it to be got out with what is said of the next ones.
// Where it is remembered that the batch was read, nothing of it may wait.
func (h *hub) flushSoon() error {
	if h.state != nil || h.heard.Sub(h.flushed) >= flushEvery {
		h.flushed = h.heard
		return h.flush()
	}
	if !h.waits {
		h.waits = true
		time.AfterFunc(flushEvery, h.flushLate)
	}
	return nil
}

// flushLate gets out what was left.
func (h *hub) flushLate() {
	defer h.fall()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waits = false; h.closed {
		return
	}
	h.flushed = time.Now()
	if h.flush() != nil {
		h.end() // the last flush says why
	}
}

// stream reads what is piped in.
func (h *hub) stream(t *tally, in *source.Input, parser smtp.Parser) error {
	body, err := in.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	t.clock = session.NewClock(time.Now(), t.zone, t.flags.Year)
	t.batch = func(_, _ int64, handle func() error) error {
		return h.batch(func() error {
			h.streamed = time.Now()
			return handle()
		})
	}
	readErr, handleErr := t.lines(until{body, t.stopped}, parser)
	if handleErr != nil {
		return handleErr
	}
	return readErr
}

// day is what was seen, as a report has it.
func (h *hub) day(words *knowledge.Words, top int) report.Day {
	return report.Day{Summary: h.sum, Words: words, By: h.by, Top: top}
}

// lineParser is the parser of the lines of a followed log.
func lineParser(format string) (smtp.Parser, error) {
	if format == "auto" {
		return parsers.Any.Lines, nil
	}
	f, _ := parsers.ByName(format)
	if f.Lines == nil {
		return nil, fmt.Errorf("--format %s: a transcript is read whole and cannot be followed; give postfix, exim or auto", format)
	}
	return f.Lines, nil
}

// absolute is a path by which a log is known in the state file, from wherever the program
// is started.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
