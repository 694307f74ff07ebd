// Package pipeline cuts bytes into lines, has them noted on all cores and hands the notes
// on in the order of the lines.
//
//	         ┌─▶ worker: read a block, note its lines ──▶ batch ┐
//	reader ──┤                                                  ├▶ handle, in order
//	         └─▶ worker: read a block, note its lines ──▶ batch ┘
//
// Workers take turns to read, so that the bytes are in the cache of the processor that is
// to parse them. They take turns to handle, too: whoever has filled a batch handles those
// whose turn it is, unless another does already, and goes on with the next block. So nobody
// waits for anybody, and all cores are busy until the end.
//
// A block is a run of whole lines, a batch is a block with a note of each line, and with
// the events of those lines whose event is still wanted then. Most are not, and an event is
// large: to hand on a note instead of it keeps what waits in the processors' caches.
// Batches are used again, so memory does not grow with the input: batchesEach blocks for
// each worker and what belongs to them are all there ever is. The result does not depend on the number
// of workers, nor on how the reader cuts the bytes it delivers.
package pipeline

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// batchesEach is how many batches a worker has: one that it fills and two that are
// handled or wait for it, so that neither side stands still.
const batchesEach = 3

// Batch is a run of lines with their notes. T is what a worker notes of a line.
type Batch[T any] struct {
	First int64 // the 1-based number of the first line
	Notes []T   // one a line, as the worker left it

	block  Block
	lines  []line
	events []smtp.Event // those that are kept, and room for one more
	rest   []int32      // the lines that no glance is enough for
	home   *shelf[T]    // of the worker whose batch it is
	place  int64        // the how-manieth it is
	err    error
}

// line is where a line and its event are.
type line struct {
	end   int32 // of the line in block.Data, without its newline
	event int32 // in events; dropped when it was not kept
}

const dropped = -1

// Worker notes lines. It is for one goroutine and may keep what spares it time; what it notes of a
// line must come from that alone.
type Worker[T any] struct {
	// Glance notes a line if that is easily done; nil where it never is.
	Glance func(line []byte, note *T) bool

	// Parse notes any other line, with an event to fill that has what it had for an earlier line, as the
	// note has. It tells whether handle needs the event too.
	Parse func(line []byte, ev *smtp.Event, note *T) (keep bool)
}

// Event returns the event of the i-th line, nil when it was not kept.
func (b *Batch[T]) Event(i int) *smtp.Event {
	if at := b.lines[i].event; at != dropped {
		return &b.events[at]
	}
	return nil
}

// Line returns the bytes of the i-th line without its newline. They are good until
// handle returns.
func (b *Batch[T]) Line(i int) []byte {
	start := int32(0)
	if i > 0 {
		start = b.lines[i-1].end + 1
	}
	return b.block.Data[start:b.lines[i].end]
}

// Bytes returns how many bytes of the input the batch is.
func (b *Batch[T]) Bytes() int64 { return int64(len(b.block.Data)) + b.block.CutBytes }

// Cut returns how many of its lines were longer than MaxLine.
func (b *Batch[T]) Cut() int64 { return int64(b.block.Cut) }

// Stats is what Run read.
type Stats struct {
	Lines int64 // lines, the last one with or without a newline
	Bytes int64 // bytes of them, newlines included
	Cut   int64 // lines longer than MaxLine, of which only the beginning was parsed
}

// Options says how to run.
type Options struct {
	Workers   int // how many parse at the same time; 1 when less
	BlockSize int // bytes parsed at a time; BlockSize when 0
}

// Run reads r to its end, has each line noted by one of the workers that hire returns, and
// calls handle for each batch, in order and one at a time, though not always on the same
// goroutine. hire is called once for each of the workers.
//
// An error of r ends the run after all that was read before it has been handled, and is
// returned; one of handle ends it at once. stop, when closed, ends it between two
// batches without an error; nil never does.
func Run[T any](r io.Reader, o Options, stop <-chan struct{}, hire func() Worker[T], handle func(*Batch[T]) error) (Stats, error) {
	workers := max(1, o.Workers)
	in := &input[T]{
		blocks: NewBlocks(r, o.BlockSize), stop: stop, handle: handle,
		filled: make([]atomic.Pointer[Batch[T]], workers*batchesEach),
	}
	var all sync.WaitGroup
	for range workers {
		worker := hire()
		all.Go(func() { in.work(worker) })
	}
	all.Wait()
	return in.stats, in.err
}

// shelf is where a worker's batches are that wait to be filled. The one that was put there last
// is taken first: what it is made of may still be in the caches.
type shelf[T any] struct {
	mu    sync.Mutex
	there sync.Cond
	free  []*Batch[T]
}

func newShelf[T any]() *shelf[T] {
	s := &shelf[T]{}
	s.there.L = &s.mu
	for range batchesEach {
		s.free = append(s.free, &Batch[T]{home: s})
	}
	return s
}

// take returns a batch, once there is one.
func (s *shelf[T]) take() *Batch[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.free) == 0 {
		s.there.Wait()
	}
	last := len(s.free) - 1
	b := s.free[last]
	s.free = s.free[:last]
	return b
}

func (s *shelf[T]) put(b *Batch[T]) {
	s.mu.Lock()
	s.free = append(s.free, b)
	s.mu.Unlock()
	s.there.Signal()
}

// input is what the workers read from in turn, and what they hand on in turn.
type input[T any] struct {
	reading sync.Mutex
	blocks  *Blocks
	read    int64 // batches
	ended   bool
	stop    <-chan struct{}

	filled []atomic.Pointer[Batch[T]] // batches that wait for their turn; there is a place for each that exists

	handling sync.Mutex
	next     atomic.Int64 // the batch whose turn it is
	handle   func(*Batch[T]) error
	stats    Stats
	err      error
	quit     atomic.Bool // nothing more is to be handled
}

// work reads blocks when it is this worker's turn, has their lines noted, and hands on what
// can be.
func (in *input[T]) work(worker Worker[T]) {
	home := newShelf[T]()
	for {
		b := home.take()
		if !in.fill(b) {
			return
		}
		b.note(&worker)
		in.waiting(b.place).Store(b)
		in.handOn()
	}
}

// fill reads the next block into b and gives it its place in the order. It returns false when
// there is nothing more to read or to do.
func (in *input[T]) fill(b *Batch[T]) bool {
	in.reading.Lock()
	defer in.reading.Unlock()
	if in.ended {
		return false
	}
	err := io.EOF
	select {
	case <-in.stop:
	default:
		if !in.quit.Load() {
			err = in.blocks.Next(&b.block)
		}
	}
	if b.err = err; err != nil {
		in.ended = true
		if err == io.EOF {
			return false
		}
		b.block.Data, b.block.Lines = b.block.Data[:0], 0 // it only brings the error
	}
	b.place = in.read
	in.read++
	return true
}

// waiting is where the batch of that place waits.
func (in *input[T]) waiting(place int64) *atomic.Pointer[Batch[T]] {
	return &in.filled[place%int64(len(in.filled))]
}

// handOn handles the batches whose turn it is, unless another worker does. That one looks
// again after it has let go, so that none is left behind.
func (in *input[T]) handOn() {
	for in.waiting(in.next.Load()).Load() != nil && in.handling.TryLock() {
		for {
			waiting := in.waiting(in.next.Load())
			b := waiting.Load()
			if b == nil {
				break
			}
			waiting.Store(nil)
			in.take(b)
			in.next.Add(1)
			b.home.put(b)
		}
		in.handling.Unlock()
	}
}

// take handles a batch whose turn it is.
func (in *input[T]) take(b *Batch[T]) {
	if in.err != nil {
		return
	}
	in.stats.add(&b.block)
	if len(b.Notes) > 0 {
		in.err = in.handle(b)
	}
	if in.err == nil {
		in.err = b.err
	}
	if in.err != nil {
		in.quit.Store(true)
	}
}

func (s *Stats) add(b *Block) {
	s.Lines += int64(b.Lines)
	s.Bytes += int64(len(b.Data)) + b.CutBytes
	s.Cut += int64(b.Cut)
}

// note has the lines of the batch's block noted. Those of which a glance is not enough wait until it has
// been cast at all of them: the instructions of both do not fit into a processor's first cache, and so each
// fetches its own once a block and not once a line.
func (b *Batch[T]) note(w *Worker[T]) {
	b.First = b.block.FirstLine
	n := b.block.Lines
	b.Notes, b.lines, b.rest = resize(b.Notes, n), resize(b.lines, n), b.rest[:0]
	start, data := 0, b.block.Data
	for i := range b.lines {
		end := len(data)
		if n := bytes.IndexByte(data[start:], '\n'); n >= 0 {
			end = start + n
		}
		b.lines[i] = line{int32(end), dropped}
		if w.Glance == nil || !w.Glance(data[start:end:end], &b.Notes[i]) {
			b.rest = append(b.rest, int32(i))
		}
		start = end + 1
	}
	kept := 0
	ev := b.event(kept)
	for _, i := range b.rest {
		if w.Parse(b.Line(int(i)), ev, &b.Notes[i]) {
			b.lines[i].event = int32(kept)
			kept++
			ev = b.event(kept)
		}
	}
}

// event returns the i-th event, made if there is none.
func (b *Batch[T]) event(i int) *smtp.Event {
	if i == len(b.events) {
		b.events = append(b.events, smtp.Event{})
		b.events = b.events[:cap(b.events)]
	}
	return &b.events[i]
}

// resize returns s with n elements.
func resize[E any](s []E, n int) []E {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]E, n-cap(s))...)
}
