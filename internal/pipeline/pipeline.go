// Package pipeline cuts bytes into lines, parses them on all cores and hands the events
// on in the order of the lines.
//
//	         ┌─▶ worker: read a block, parse it ──▶ batch ┐
//	reader ──┤                                            ├▶ handle, in order
//	         └─▶ worker: read a block, parse it ──▶ batch ┘
//
// Workers take turns to read, so that the bytes are in the cache of the processor that is
// to parse them.
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

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// batchesEach is how many batches a worker has: one that it fills and two that are
// handled or wait for it, so that neither side stands still.
const batchesEach = 3

// Batch is a run of lines with their notes. T is what the caller's prepare notes of an
// event.
type Batch[T any] struct {
	First int64 // the 1-based number of the first line
	Notes []T   // one a line, as prepare left it

	block  Block
	lines  []line
	events []smtp.Event   // those that prepare kept, and room for one more
	home   chan *Batch[T] // of the worker whose batch it is
	ready  chan struct{}
	err    error
}

// line is where a line and its event are.
type line struct {
	end   int32 // of the line in block.Data, without its newline
	event int32 // in events; dropped when it was not kept
}

const dropped = -1

// Event returns the event of the i-th line, nil when prepare did not keep it.
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

// Run reads r to its end, parses each line with p, calls prepare for each event on the
// worker that parsed it, and calls handle for each batch in order on the caller's
// goroutine. prepare must be safe to call from several goroutines at once. It writes the
// note, which has what it had for a line of an earlier batch, and tells whether handle needs
// the event too.
//
// An error of r ends the run after all that was read before it has been handled, and is
// returned; one of handle ends it at once. stop, when closed, ends it between two
// batches without an error; nil never does.
func Run[T any](r io.Reader, p smtp.Parser, o Options, stop <-chan struct{}, prepare func(*smtp.Event, *T) (keep bool), handle func(*Batch[T]) error) (Stats, error) {
	workers := max(1, o.Workers)
	in := &input[T]{blocks: NewBlocks(r, o.BlockSize), order: make(chan *Batch[T], workers*batchesEach), quit: make(chan struct{}), stop: stop}
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { in.work(p, prepare) })
	}
	var stats Stats
	var err error
	for b := range in.order {
		<-b.ready
		if err == nil {
			stats.add(&b.block)
			if len(b.Notes) > 0 {
				err = handle(b)
			}
			if err == nil {
				err = b.err
			}
			if err != nil {
				close(in.quit)
			}
		}
		b.home <- b
	}
	all.Wait()
	return stats, err
}

// input is what the workers read from in turn.
type input[T any] struct {
	turn   sync.Mutex
	blocks *Blocks
	ended  bool
	order  chan *Batch[T] // the batches in the order of their blocks; it has room for all
	quit   chan struct{}  // closed when nothing more is to be handled
	stop   <-chan struct{}
}

// work reads blocks when it is this worker's turn, and parses them.
func (in *input[T]) work(p smtp.Parser, prepare func(*smtp.Event, *T) bool) {
	home := make(chan *Batch[T], batchesEach)
	for range batchesEach {
		home <- &Batch[T]{home: home, ready: make(chan struct{}, 1)}
	}
	for b := range home {
		if !in.next(b) {
			return
		}
		b.parse(p, prepare)
		b.ready <- struct{}{}
	}
}

// next reads the next block into b and takes its place in the order. It returns false when
// there is nothing more to read or to do.
func (in *input[T]) next(b *Batch[T]) bool {
	in.turn.Lock()
	defer in.turn.Unlock()
	if in.ended {
		return false
	}
	err := io.EOF
	select {
	case <-in.quit:
	case <-in.stop:
	default:
		err = in.blocks.Next(&b.block)
	}
	if b.err = err; err != nil {
		in.ended = true
		defer close(in.order)
		if err == io.EOF {
			return false
		}
		b.block.Data, b.block.Lines = b.block.Data[:0], 0 // it only brings the error
	}
	in.order <- b
	return true
}

func (s *Stats) add(b *Block) {
	s.Lines += int64(b.Lines)
	s.Bytes += int64(len(b.Data)) + b.CutBytes
	s.Cut += int64(b.Cut)
}

// parse turns the lines of the batch's block into notes and events.
func (b *Batch[T]) parse(p smtp.Parser, prepare func(*smtp.Event, *T) bool) {
	b.First = b.block.FirstLine
	n := b.block.Lines
	b.Notes, b.lines = resize(b.Notes, n), resize(b.lines, n)
	data, start, kept := b.block.Data, 0, 0
	for i := range n {
		end := len(data)
		if j := bytes.IndexByte(data[start:], '\n'); j >= 0 {
			end = start + j
		}
		if kept == len(b.events) {
			b.events = append(b.events, smtp.Event{})
			b.events = b.events[:cap(b.events)]
		}
		ev := &b.events[kept]
		p.Parse(data[start:end], ev)
		b.lines[i] = line{int32(end), dropped}
		if prepare(ev, &b.Notes[i]) {
			b.lines[i].event = int32(kept)
			kept++
		}
		start = end + 1
	}
}

// resize returns s with n elements.
func resize[E any](s []E, n int) []E {
	if n <= cap(s) {
		return s[:n]
	}
	return append(s[:cap(s)], make([]E, n-cap(s))...)
}
