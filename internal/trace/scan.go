package trace

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailwhy/mailwhy/internal/pipeline"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// streamsAhead is how many blocks of a compressed file may be searched before those
	// of the files before it: what is kept of a block without a find is small.
	streamsAhead = 1 << 12
	// blocksAhead is the same for each worker of a plain file.
	blocksAhead = 8
)

// finding is a line that was found in a block.
type finding struct {
	matched
	line     Line       // without an event where only the queue ID is wanted
	key      legKey     // then that, without the host where the line does not name it
	stamp    smtp.Stamp // and its stamp
	newlines int        // in the block before it
	local    bool       // it may have been found by a name that its block told
}

// searched is a block after the search.
type searched struct {
	at       int64
	size     int
	lines    int
	version  int // of the wants
	stamps   []stampAt
	findings []finding
	text     []byte // what was made of them
	room     *room  // what both lie in, of a search that makes something
	err      error
	ready    chan struct{}
}

// scanner searches inputs on all cores and hands on what it finds in order.
type scanner struct {
	inputs  []*Input
	workers int
	stop    <-chan struct{}
	wants   atomic.Pointer[wants]
	early   *wants                // what is wanted of the blocks at the beginning of an input; nil for no difference
	from    func(index int) int64 // where they end
	tick    func()                // called now and then on the caller's goroutine
	marks   [][]mark
	every   int64 // how far marks are apart at the least

	otherYear func(line int64) // told of where a line's year is not the one it has for itself
}

// errStopped ends a search that the user ended.
var errStopped = errors.New("stopped")

// reading is one going through an input.
type reading struct {
	*scanner
	index int
	in    *Input
	until int64 // it ends at the first block from here on; less than 0: at the end
	order chan *searched
	quit  chan struct{}
}

// scan searches the inputs in order, each up to a place that until tells, and calls take for
// each line that was found, and done behind each input.
func (s *scanner) scan(until func(index int) int64, take func(*finding), done func(index int, end ending)) error {
	ahead := map[int]*reading{}
	quit := make(chan struct{})
	var all sync.WaitGroup
	defer all.Wait()
	defer close(quit)
	start := func(i int) *reading {
		r := &reading{scanner: s, index: i, in: s.inputs[i], until: until(i), quit: quit}
		r.order = make(chan *searched, blocksAhead*s.workers)
		if r.in.Plain == nil {
			r.order = make(chan *searched, streamsAhead)
		}
		all.Go(r.run)
		return r
	}
	for i := range s.inputs {
		// Compressed files are one worker's each; so several are read at once.
		for j := i; j < min(len(s.inputs), i+s.workers); j++ {
			if ahead[j] == nil && until(j) != 0 && s.inputs[j].Plain == nil {
				ahead[j] = start(j)
			}
		}
		if until(i) == 0 {
			continue
		}
		r := ahead[i]
		if r == nil {
			r = start(i)
		}
		delete(ahead, i)
		done(i, r.collect(take))
		if s.stopped() {
			return errStopped
		}
	}
	return nil
}

func (s *scanner) stopped() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// ending is what is known behind an input.
type ending struct {
	Span
	version int   // of the wants at its end
	since   int64 // from where on they were of that version
}

// collect takes the searched blocks of an input in order.
func (r *reading) collect(take func(*finding)) ending {
	span := ending{Span: Span{Path: r.in.Path}, version: -1}
	clock := r.in.Clock()
	var last time.Time
	settle := func(s smtp.Stamp) time.Time {
		t := clock.Settle(s)
		if !t.IsZero() {
			last = t
		}
		return t
	}
	sampled := func(s stampAt) {
		t := settle(s.stamp)
		span.see(t)
		if s.alone.IsZero() || t.Equal(s.alone) {
			return
		}
		r.otherYear(span.Lines + int64(s.newlines) + 1)
	}
	for b := range r.order {
		<-b.ready
		if b.err != nil {
			span.Err = b.err
			continue
		}
		if b.version != span.version {
			span.version, span.since = b.version, b.at
		}
		r.mark(b.at, span.Lines, clock, last)
		next := 0
		for i := range b.findings {
			f := &b.findings[i]
			for ; next < len(b.stamps) && b.at+int64(b.stamps[next].at) <= f.line.At; next++ {
				sampled(b.stamps[next])
			}
			ev := f.line.Event
			if ev != nil {
				f.stamp = ev.Stamp
			}
			f.line.Time = settle(f.stamp)
			if ev != nil {
				ev.Time = f.line.Time
				f.line.Guessed = clock.Guessed() && !ev.Time.IsZero()
			}
			f.line.When = last // what is sampled, but not what is found, makes the span: the same whatever is looked for
			f.line.Input, f.line.Path, f.line.Number = r.index, r.in.Path, span.Lines+int64(f.newlines)+1
			take(f)
		}
		for ; next < len(b.stamps); next++ {
			sampled(b.stamps[next])
		}
		if b.room != nil {
			b.room.text, b.room.findings = b.text, b.findings
			rooms.Put(b.room)
		}
		span.Lines += int64(b.lines)
		span.Bytes += int64(b.size)
		r.tick()
	}
	return span
}

// run reads and searches the input.
func (r *reading) run() {
	defer close(r.order)
	var err error
	if r.in.Plain == nil {
		err = r.stream()
	} else {
		err = r.plain()
	}
	if err != nil {
		b := &searched{err: err, ready: make(chan struct{})}
		close(b.ready)
		r.send(b)
	}
}

// send hands a block on. It returns false when nobody wants more.
func (r *reading) send(b *searched) bool {
	select {
	case r.order <- b:
		return true
	case <-r.quit:
	case <-r.stop:
	}
	return false
}

// plain searches a file on all cores.
func (r *reading) plain() error {
	file, err := r.in.Plain()
	if err != nil {
		return err
	}
	defer file.Close()
	var turn sync.Mutex
	var start int64
	next := func() (*searched, int64, bool) {
		turn.Lock()
		defer turn.Unlock()
		if start >= file.Size() || r.until >= 0 && start >= r.until {
			return nil, 0, false
		}
		b := &searched{ready: make(chan struct{})}
		at := start
		start += blockSize
		return b, at, r.send(b)
	}
	var all sync.WaitGroup
	for range r.workers {
		all.Go(func() {
			w := worker{in: r.in}
			for {
				b, at, ok := next()
				if !ok {
					return
				}
				if b.err = readBlock(file, file.Size(), at, &w.blk); b.err == nil {
					w.search(r.wantedAt(at), b)
				}
				close(b.ready)
			}
		})
	}
	all.Wait()
	return nil
}

// wantedAt is what is looked for in the block at a place.
func (r *reading) wantedAt(at int64) *wants {
	if r.early != nil && at+blockSize <= r.from(r.index) {
		return r.early
	}
	return r.wants.Load()
}

// stream searches what can only be read from the start.
func (r *reading) stream() error {
	body, err := r.in.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	blocks := pipeline.NewBlocks(body, blockSize)
	var blk pipeline.Block
	w := worker{in: r.in}
	at := int64(0)
	for r.until < 0 || at < r.until {
		if err := blocks.Next(&blk); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		b := &searched{ready: make(chan struct{})}
		w.blk = block{data: blk.Data, at: at}
		w.search(r.wantedAt(at), b)
		close(b.ready)
		at += int64(len(blk.Data)) + blk.CutBytes
		if !r.send(b) {
			return nil
		}
	}
	return nil
}

// worker searches blocks.
type worker struct {
	in  *Input
	blk block
	ev  smtp.Event

	counted int // up to where the block's lines are counted
	nearly  int // lines of the block that tell what is nearly what was asked for
}

// search looks for what is wanted in the worker's block.
func (w *worker) search(want *wants, b *searched) {
	data := w.blk.data
	b.at, b.size, b.version = w.blk.at, len(data), want.version
	w.counted, w.nearly = 0, 0
	switch {
	case want.times != nil:
		w.within(want, b)
		return
	case want.finder == nil:
	case want.learns:
		w.learning(want, b)
	default:
		want.in(data).eachLine(data, func(start, end int) { w.found(want, b, start, end) })
	}
	b.lines += bytes.Count(data[w.counted:], newline)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		b.lines++
	}
	b.stamps = w.stamps(data)
}

// found parses a line that was found, and keeps it if it has to do with what is wanted.
func (w *worker) found(want *wants, b *searched, start, end int) matched {
	line := w.blk.data[start:end]
	m := w.look(want, line)
	if m.near {
		w.nearly++
		m.near = w.nearly <= nearEach
	}
	if m.any() || m.near {
		b.lines += bytes.Count(w.blk.data[w.counted:start], newline)
		w.counted = start
		w.note(want, b, m, start, end)
	}
	return m
}

// room is for what is made of a block's lines; nobody keeps it, so it is used again.
type room struct {
	text     []byte
	findings []finding
}

var rooms sync.Pool

// note notes a line that was found and parsed.
func (w *worker) note(want *wants, b *searched, m matched, start, end int) {
	f := finding{matched: m, newlines: b.lines, stamp: w.ev.Stamp}
	f.line.At = w.blk.at + int64(start)
	switch {
	case want.make != nil:
		if b.room == nil {
			b.room, _ = rooms.Get().(*room)
			if b.room == nil {
				b.room = &room{}
			}
			b.text, b.findings = b.room.text[:0], b.room.findings[:0]
		}
		from := len(b.text)
		b.text = want.make(&w.ev, b.text)
		text := b.text[from:len(b.text):len(b.text)]
		if want.keep(&w.ev) {
			f.line = w.keep(w.blk.data[start:end], int64(start))
		}
		f.line.Text = text
	case want.seeds && w.ev.Queue != nil:
		f.key = legKey{string(w.ev.Host), instanceOf(w.ev.Service), string(w.ev.Queue)}
	default:
		f.line = w.keep(w.blk.data[start:end], int64(start))
	}
	b.findings = append(b.findings, f)
}

var newline = []byte{'\n'}

// look parses a line and says what it has to do with what is wanted.
func (w *worker) look(want *wants, line []byte) matched {
	w.in.Parser.Parse(line, &w.ev)
	return want.match(&w.ev, line)
}

// keep returns a copy of a line with its event.
func (w *worker) keep(line []byte, start int64) Line {
	l := Line{At: w.blk.at + start, Raw: bytes.Clone(line), Event: new(smtp.Event)}
	w.in.Parser.Parse(l.Raw, l.Event)
	return l
}

// mark is a place in an input with what is known there.
type mark struct {
	at, lines int64
	clock     session.Clock
	last      time.Time
}

// mark remembers a place, where the last one is far enough behind.
func (r *reading) mark(at, lines int64, clock *session.Clock, last time.Time) {
	m := &r.marks[r.index]
	if n := len(*m); n == 0 || at-(*m)[n-1].at >= r.every {
		*m = append(*m, mark{at, lines, *clock, last})
	}
}
