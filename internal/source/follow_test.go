package source

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// follower reads a followed log as a program does, and keeps the lines.
type follower struct {
	*Followed
	t    testing.TB
	stop chan struct{}
	done chan struct{}

	mu    sync.Mutex
	lines []string
	runs  []string // path and Before of each generation
	warns []string
	keep  bool // lines are only counted, and their last kept
	count int
	last  string
}

func follow(t testing.TB, path string, o FollowOptions) *follower {
	t.Helper()
	f := &follower{t: t, stop: make(chan struct{}), done: make(chan struct{})}
	o.Stop = f.stop
	o.Warn = func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.warns = append(f.warns, err.Error())
	}
	f.Followed = Follow(path, o)
	go f.run()
	t.Cleanup(f.end)
	return f
}

func (f *follower) run() {
	defer close(f.done)
	buf := make([]byte, 64<<10)
	for {
		g, err := f.Next()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.runs = append(f.runs, fmt.Sprintf("%s+%d", filepath.Base(g.Path), g.Before))
		f.mu.Unlock()
		var part []byte
		for {
			n, err := g.Read(buf)
			part = append(part, buf[:n]...)
			if whole := bytes.LastIndexByte(part, '\n') + 1; whole > 0 {
				f.mu.Lock()
				for line := range bytes.Lines(part[:whole]) {
					f.lines = append(f.lines, string(line[:len(line)-1]))
				}
				f.mu.Unlock()
				part = append(part[:0], part[whole:]...)
				g.Handled(int64(whole))
			}
			if err != nil {
				break
			}
		}
		if len(part) > 0 && !f.stopped() {
			f.t.Errorf("a run ends within a line: %q", part)
		}
	}
}

// end stops it.
func (f *follower) end() {
	select {
	case <-f.stop:
	default:
		close(f.stop)
	}
	<-f.done
}

func (f *follower) got() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines
}

func (f *follower) warnings() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.warns, "\n")
}

// until waits until n lines came.
func (f *follower) until(n int) {
	f.t.Helper()
	f.wait(fmt.Sprintf("%d lines", n), func() bool { return len(f.got()) >= n })
}

// wait waits until something is true. What is not within half a minute never is.
func (f *follower) wait(what string, is func() bool) {
	f.t.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	f.t.Fatalf("%s: not within half a minute; %d lines came, the last %.80q; runs %v; warnings %q; health %+v\n%s", what, len(f.got()), f.got()[max(0, len(f.got())-1):], f.runs, f.warnings(), f.Health(), buf[:runtime.Stack(buf, true)])
}

// check waits for the lines wanted and for silence, and compares.
func (f *follower) check(want []string) {
	f.t.Helper()
	f.until(len(want))
	f.wait("everything handled", func() bool { h := f.Health(); return h.CaughtUp })
	f.same(want)
}

func (f *follower) same(want []string) {
	f.t.Helper()
	got := f.got()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			f.t.Fatalf("%d lines, want %d; at %d they differ: %.100q, want %.100q; runs %v; warnings %q", len(got), len(want), i, got[min(i, len(got)):min(i+3, len(got))], want[min(i, len(want)):min(i+3, len(want))], f.runs, f.warnings())
		}
	}
}

// writer writes numbered lines into the log, and remembers them.
type writer struct {
	t    testing.TB
	path string
	file *os.File
	want []string
}

func newWriter(t testing.TB) *writer {
	return &writer{t: t, path: filepath.Join(t.TempDir(), "mail.log")}
}

func (w *writer) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// write writes n lines at once, making the file where there is none.
func (w *writer) write(n int) {
	var b []byte
	for range n {
		line := fmt.Sprintf("Nov 22 06:25:01 mx postfix/smtpd[1234]: line %06d of the log", len(w.want))
		w.want = append(w.want, line)
		b = append(append(b, line...), '\n')
	}
	w.raw(string(b))
}

// raw writes text.
func (w *writer) raw(text string) {
	if w.file == nil {
		var err error
		w.file, err = os.OpenFile(w.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		w.must(err)
	}
	_, err := w.file.WriteString(text)
	w.must(err)
}

// reopen lets the writer open its log anew.
func (w *writer) reopen() {
	if w.file != nil {
		w.must(w.file.Close())
		w.file = nil
	}
}

// rename rotates as logrotate does: up to .keep, each a number up.
func (w *writer) rename(keep int) {
	for i := keep; i > 0; i-- {
		old := fmt.Sprintf("%s.%d", w.path, i)
		if _, err := os.Stat(old); err == nil {
			w.must(os.Rename(old, fmt.Sprintf("%s.%d", w.path, i+1)))
		}
	}
	w.must(os.Rename(w.path, w.path+".1"))
}

// copytruncate rotates by copying.
func (w *writer) copytruncate(keep int) {
	for i := keep; i > 0; i-- {
		old := fmt.Sprintf("%s.%d", w.path, i)
		if _, err := os.Stat(old); err == nil {
			w.must(os.Rename(old, fmt.Sprintf("%s.%d", w.path, i+1)))
		}
	}
	data, err := os.ReadFile(w.path)
	w.must(err)
	w.must(os.WriteFile(w.path+".1", data, 0o600))
	w.must(os.Truncate(w.path, 0))
}

func TestFollowSimple(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(10)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(10)
	w.write(1)
	f.until(11)
	time.Sleep(300 * time.Millisecond)
	w.write(5)
	f.check(w.want)
	w.write(20000)
	f.check(w.want)
	if f.warnings() != "" {
		t.Error(f.warnings())
	}
}

// TestFollowRotations: 200,000 lines written as fast as they go through 20 rotations.
func TestFollowRotations(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	for range 20 {
		for range 10 {
			w.write(1000)
		}
		w.rename(30)
		w.reopen()
	}
	w.write(1)
	f.check(w.want)
}
