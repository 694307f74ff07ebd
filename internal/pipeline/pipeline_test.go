package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// echo keeps the line in the event's scratch space, so that an event that gets into
// another batch's hands is noticed.
func echo(line []byte, ev *smtp.Event) {
	ev.Reset()
	ev.Text = ev.Scratch(len(line))
	copy(ev.Text, line)
}

// loop is what Run must do, without any of its machinery.
func loop(input []byte) (lines []string) {
	if len(input) == 0 {
		return nil
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(input, newline), newline) {
		lines = append(lines, string(line))
	}
	return lines
}

// run collects what Run hands on and checks what it promises of each batch.
func run(t *testing.T, r io.Reader, o Options) (lines []string, stats Stats, err error) {
	t.Helper()
	var prepared atomic.Int64
	kept := func(line []byte) bool { return len(line)%3 != 0 }
	hire := func() Worker[int] {
		return Worker[int]{
			Glance: func(line []byte, note *int) bool {
				if kept(line) || len(line)%2 == 0 {
					return false
				}
				prepared.Add(1)
				*note = len(line)
				return true
			},
			Parse: func(line []byte, ev *smtp.Event, note *int) bool {
				prepared.Add(1)
				echo(line, ev)
				*note = len(ev.Text)
				return kept(ev.Text)
			},
		}
	}
	stats, err = Run(r, o, nil, hire, func(b *Batch[int]) error {
		if len(b.Notes) == 0 {
			return errors.New("a batch without lines")
		}
		if b.First != int64(len(lines))+1 {
			return fmt.Errorf("First = %d, want %d", b.First, len(lines)+1)
		}
		for i := range b.Notes {
			ev := b.Event(i)
			if (ev != nil) != kept(b.Line(i)) || ev != nil && !bytes.Equal(b.Line(i), ev.Text) || b.Notes[i] != len(b.Line(i)) {
				return fmt.Errorf("line %.40q, event %+v, note %d", b.Line(i), ev, b.Notes[i])
			}
			lines = append(lines, string(b.Line(i)))
		}
		return nil
	})
	if prepared.Load() != int64(len(lines)) && err == nil {
		t.Fatalf("prepared %d events of %d", prepared.Load(), len(lines))
	}
	if stats.Lines != int64(len(lines)) {
		t.Fatalf("Stats.Lines = %d, want %d", stats.Lines, len(lines))
	}
	return lines, stats, err
}

// randomLog makes lines of random bytes, many of them short, some empty, a few long.
func randomLog(r *rand.Rand, size int) []byte {
	log := make([]byte, 0, size+4096)
	for len(log) < size {
		n := r.IntN(120)
		if r.IntN(50) == 0 {
			n = r.IntN(4000)
		}
		for range n {
			log = append(log, byte(r.Uint32()))
		}
		log = append(log, '\n')
	}
	return log[:size]
}

func TestRunIsALoop(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"whole":   func(r io.Reader) io.Reader { return r },
		"byte":    iotest.OneByteReader,
		"half":    iotest.HalfReader,
		"dataErr": iotest.DataErrReader,
	}
	random := rand.New(rand.NewPCG(1, 2))
	inputs := [][]byte{nil, []byte("\n"), []byte("no newline"), []byte("\n\na\n\n"), randomLog(random, 2000), randomLog(random, 60_000)}
	for name, reader := range readers {
		for workers := range 9 {
			for _, size := range []int{0, 1, 100, 7000} {
				for _, input := range inputs {
					if len(input) > 10_000 && (name == "byte" || size == 1 || workers%4 != 0) {
						continue // slow, and the shorter ones tell the same
					}
					want := loop(input)
					got, stats, err := run(t, reader(bytes.NewReader(input)), Options{Workers: workers, BlockSize: size})
					if err != nil || stats.Bytes != int64(len(input)) || stats.Cut != 0 {
						t.Fatalf("%s, %d workers, blocks of %d: %+v, %v", name, workers, size, stats, err)
					}
					if len(got) != len(want) {
						t.Fatalf("%s, %d workers, blocks of %d: %d lines, want %d", name, workers, size, len(got), len(want))
					}
					for i := range want {
						if got[i] != want[i] {
							t.Fatalf("%s, %d workers, blocks of %d, line %d: %q, want %q", name, workers, size, i+1, got[i], want[i])
						}
					}
				}
			}
		}
	}
}

func TestRunLongLine(t *testing.T) {
	input := "a\n" + strings.Repeat("x", MaxLine+5) + "\nb\n"
	lines, stats, err := run(t, strings.NewReader(input), Options{Workers: 2})
	if err != nil || len(lines) != 3 || len(lines[1]) != MaxLine || lines[2] != "b" {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if want := (Stats{Lines: 3, Bytes: int64(len(input)), Cut: 1}); stats != want {
		t.Errorf("got %+v, want %+v", stats, want)
	}
}

// TestRunReaderError: the lines before the error are handled, the begun one too.
func TestRunReaderError(t *testing.T) {
	failure := errors.New("the disk is gone")
	good := randomLog(rand.New(rand.NewPCG(3, 4)), 50_000)
	for workers := 1; workers <= 4; workers++ {
		r := io.MultiReader(bytes.NewReader(good), iotest.ErrReader(failure))
		lines, stats, err := run(t, r, Options{Workers: workers, BlockSize: 1000})
		if err != failure || len(lines) != len(loop(good)) || stats.Bytes != int64(len(good)) {
			t.Errorf("%d workers: %d lines, %+v, %v", workers, len(lines), stats, err)
		}
	}
	if lines, _, err := run(t, iotest.ErrReader(failure), Options{}); err != failure || len(lines) != 0 {
		t.Errorf("nothing but an error: %d lines, %v", len(lines), err)
	}
}

// endless gives lines for ever, as many whole ones at a time as there is room for.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	n := 0
	for n+len("line\n") <= len(p) {
		n += copy(p[n:], "line\n")
	}
	return n, nil
}

// forgetful keeps no event.
func forgetful() Worker[int] {
	return Worker[int]{Parse: func([]byte, *smtp.Event, *int) bool { return false }}
}

func TestRunHandleError(t *testing.T) {
	failure := errors.New("enough")
	for workers := 1; workers <= 4; workers++ {
		calls := 0
		_, err := Run(endless{}, Options{Workers: workers, BlockSize: 1000}, nil, forgetful, func(*Batch[int]) error {
			if calls++; calls == 3 {
				return failure
			}
			return nil
		})
		if err != failure || calls != 3 {
			t.Errorf("%d workers: %d calls, %v", workers, calls, err)
		}
	}
}

func TestRunStop(t *testing.T) {
	for workers := 1; workers <= 4; workers++ {
		stop := make(chan struct{})
		calls, lines := 0, int64(0)
		stats, err := Run(endless{}, Options{Workers: workers, BlockSize: 1000}, stop, forgetful, func(b *Batch[int]) error {
			if calls++; calls == 3 {
				close(stop)
			}
			lines += int64(len(b.Notes))
			return nil
		})
		if err != nil || calls < 3 || stats.Lines != lines {
			t.Errorf("%d workers: %d calls, %d lines, %+v, %v", workers, calls, lines, stats, err)
		}
	}
	closed := make(chan struct{})
	close(closed)
	if _, err := Run(strings.NewReader("a\n"), Options{}, closed, forgetful, func(*Batch[int]) error { return nil }); err != nil {
		t.Errorf("stopped before it began: %v", err)
	}
}

// TestRunNotesOnce: every line is noted, and none twice.
func TestRunNotesOnce(t *testing.T) {
	var log bytes.Buffer
	const lines = 20_000
	for i := range lines {
		fmt.Fprintln(&log, i)
	}
	seen := make([]atomic.Int32, lines)
	hire := func() Worker[int] {
		number := func(line []byte, note *int) {
			fmt.Sscan(string(line), note)
			seen[*note].Add(1)
		}
		return Worker[int]{
			Glance: func(line []byte, note *int) bool {
				if len(line)%2 == 0 {
					return false
				}
				number(line, note)
				return true
			},
			Parse: func(line []byte, _ *smtp.Event, note *int) bool { number(line, note); return false },
		}
	}
	next := 0
	_, err := Run(&log, Options{Workers: 4, BlockSize: 512}, nil, hire, func(b *Batch[int]) error {
		for _, n := range b.Notes {
			if n != next {
				return fmt.Errorf("note %d, want %d", n, next)
			}
			next++
		}
		return nil
	})
	if err != nil || next != lines {
		t.Errorf("%d lines, %v", next, err)
	}
	for i := range seen {
		if n := seen[i].Load(); n != 1 {
			t.Fatalf("line %d was noted %d times", i, n)
		}
	}
}

// TestRunLeavesNothing: however a run ends, its goroutines end before it returns.
func TestRunLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	failure := errors.New("enough")
	for range 5 {
		stop := make(chan struct{})
		run(t, bytes.NewReader(bytes.Repeat([]byte("line\n"), 1000)), Options{Workers: 8, BlockSize: 64})
		run(t, io.MultiReader(strings.NewReader("line\n"), iotest.ErrReader(failure)), Options{Workers: 8})
		Run(endless{}, Options{Workers: 8, BlockSize: 1000}, nil, forgetful, func(*Batch[int]) error { return failure })
		Run(endless{}, Options{Workers: 8, BlockSize: 1000}, stop, forgetful, func(*Batch[int]) error {
			select {
			case <-stop:
			default:
				close(stop)
			}
			return nil
		})
	}
	// A goroutine that has said it is done may still be counted for a moment.
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// TestRunMemory: what a run allocates does not grow with its input.
func TestRunMemory(t *testing.T) {
	const size = 50 << 20
	line := []byte("Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example.net[192.0.2.1] and so on to a usual length of a line of mail logs\n")
	log := bytes.Repeat(line, size/len(line))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stats, err := Run(bytes.NewReader(log), Options{Workers: 2}, nil, forgetful, func(*Batch[int]) error { return nil })
	runtime.ReadMemStats(&after)
	if err != nil || stats.Bytes != int64(len(log)) {
		t.Fatalf("%+v, %v", stats, err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 10<<20 {
		t.Errorf("%d KiB allocated for %d MiB, want less than 10 MiB", n>>10, size>>20)
	}
}
