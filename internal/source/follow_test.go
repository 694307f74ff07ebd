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
			if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
				whole := len(part) - n + i + 1
				lines := int64(bytes.Count(part[:whole], newline))
				f.mu.Lock()
				for line := range bytes.Lines(part[:whole]) {
					f.lines = append(f.lines, string(line[:len(line)-1]))
				}
				f.mu.Unlock()
				part = append(part[:0], part[whole:]...)
				g.Handled(int64(whole), lines)
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

// wait waits until something is true. What is not within a minute never is.
func (f *follower) wait(what string, is func() bool) {
	f.t.Helper()
	for range 12000 {
		if is() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Fatalf("%s: not within a minute; %d lines came: %s; runs %v; health %+v; warnings:\n%s", what, len(f.got()), ranges(f.got()), f.runs, f.Health(), f.warnings())
}

// ranges tells which of the numbered lines came, in short.
func ranges(lines []string) string {
	var b strings.Builder
	first, last := -1, -2
	for i := range len(lines) + 1 {
		n := -9
		if i < len(lines) {
			if _, err := fmt.Sscanf(lines[i][min(len(lines[i]), strings.Index(lines[i], "line ")+5):], "%d", &n); err != nil {
				n = -8
			}
		}
		if n != last+1 {
			if first >= 0 {
				fmt.Fprintf(&b, "%d-%d ", first, last)
			}
			first = n
		}
		last = n
	}
	return b.String()
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
			f.t.Fatalf("%d lines, want %d; from %d on they differ: %.100q, want %.100q; they are %s; runs %v; warnings:\n%s", len(got), len(want), i, got[min(i, len(got)):min(i+1, len(got))], want[min(i, len(want)):min(i+1, len(want))], ranges(got), f.runs, f.warnings())
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

// TestFollowCopies: 20 copying rotations between writes that do not wait.
func TestFollowCopies(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	for range 20 {
		w.write(3000)
		w.copytruncate(30)
	}
	w.write(1)
	f.check(w.want)
}

// TestFollowBurst: several rotations at once, while it looks away or not.
func TestFollowBurst(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(10)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(10)
	for range 30 {
		w.write(7)
		w.rename(40)
		w.reopen()
	}
	w.write(3)
	f.check(w.want)
}

// TestFollowLateLines: the writer goes on with the renamed file for a while, as one does
// that was not told yet, and lines of the old file that come after those of the new are
// not lost.
func TestFollowLateLines(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	for range 3 {
		w.write(5)
		w.rename(9)
		w.must(os.WriteFile(w.path, nil, 0o600)) // create
		for range 4 {
			w.write(2)
			time.Sleep(30 * time.Millisecond)
		}
		f.until(len(w.want)) // of a file that has no name of its own any more
		w.reopen()
	}
	w.write(1)
	f.check(w.want)

	old := w.file
	w.rename(9)
	w.file = nil
	w.write(1)
	f.until(len(w.want))
	time.Sleep(200 * time.Millisecond)
	_, err := old.WriteString("a late line\n")
	w.must(err)
	w.want = append(w.want, "a late line")
	f.until(len(w.want))
	w.write(1)
	f.check(w.want)
	if f.warnings() != "" && !strings.Contains(f.warnings(), "no such file") {
		t.Error(f.warnings())
	}
}

// TestFollowDeleted: deletion, writing into the deleted file, and another by its name.
func TestFollowDeleted(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(10)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	for range 4 {
		w.must(os.Remove(w.path))
		w.write(3)
		f.until(len(w.want))
		w.write(2)
		w.reopen()
		w.write(4)
		f.until(len(w.want))
	}
	for range 20 { // at once
		w.write(100)
		f.wait("the file to be open", func() bool { // the system keeps nothing of one that nobody has open
			info, err := w.file.Stat()
			all := f.list()
			return err == nil && len(all) > 0 && os.SameFile(info, all[len(all)-1].info)
		})
		w.must(os.Remove(w.path))
		w.reopen()
	}
	w.write(1)
	f.check(w.want)
}

// TestFollowHalves: lines that are written in two halves, with what may come between.
func TestFollowHalves(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	f := follow(t, w.path, FollowOptions{Lines: -1, linger: 400 * time.Millisecond})
	for i := range 3 {
		w.raw(fmt.Sprintf("half %d, ", i))
		time.Sleep(150 * time.Millisecond)
		if got := f.got(); len(got) != i {
			t.Fatalf("a half line is handed on: %q", got[i:])
		}
		w.raw("and half\n")
		w.want = append(w.want, fmt.Sprintf("half %d, and half", i))
		f.until(i + 1)
	}
	for i := range 3 {
		w.raw(fmt.Sprintf("renamed %d, ", i))
		time.Sleep(120 * time.Millisecond)
		w.rename(9)
		time.Sleep(120 * time.Millisecond)
		w.raw("and half\n")
		w.want = append(w.want, fmt.Sprintf("renamed %d, and half", i))
		w.reopen()
		w.write(2)
		f.check(w.want)
	}
	w.raw("never whole")
	w.rename(9)
	w.reopen()
	w.write(2)
	f.until(len(w.want))
	w.want = append(w.want, "never whole") // comes when the old file is given up
	f.check(w.want)
	w.raw("cut")
	f.wait("the half line seen", func() bool { return f.Health().Lag == 3 && f.Health().CaughtUp })
	w.copytruncate(9)
	w.want = append(w.want, "cut")
	w.write(1)
	f.check(w.want)
}

// TestFollowAbsent: there is no file yet, no directory yet.
func TestFollowAbsent(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.path = filepath.Join(filepath.Dir(w.path), "a", "b", "mail.log")
	f := follow(t, w.path, FollowOptions{Lines: 1})
	f.wait("the warning", func() bool { return strings.Contains(f.warnings(), "no such file; it is waited for") })
	w.must(os.MkdirAll(filepath.Dir(w.path), 0o700))
	w.write(5)
	f.check(w.want)
	w.reopen()
	w.must(os.RemoveAll(filepath.Dir(filepath.Dir(w.path))))
	time.Sleep(250 * time.Millisecond)
	w.must(os.MkdirAll(filepath.Dir(w.path), 0o700))
	w.write(5)
	f.check(w.want)
	w.rename(1)
	w.reopen()
	w.write(5)
	f.check(w.want)
	if n := strings.Count(f.warnings(), "\n"); n > 3 {
		t.Errorf("warned %d times:\n%s", n+1, f.warnings())
	}
}

// TestFollowLongLine: a line of 10 MB in pieces, at the beginning and at the live edge.
func TestFollowLongLine(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(1)
	f := follow(t, w.path, FollowOptions{Lines: -1, linger: 400 * time.Millisecond})
	f.until(1)
	piece := strings.Repeat("x", 64<<10)
	for range 160 {
		w.raw(piece)
		time.Sleep(time.Millisecond)
	}
	w.raw("\n")
	w.want = append(w.want, strings.Repeat(piece, 160))
	w.write(1)
	f.check(w.want)
	w.raw(piece)
	time.Sleep(150 * time.Millisecond)
	w.rename(1)
	w.reopen()
	w.want = append(w.want, piece)
	w.write(1)
	f.until(len(w.want) - 1)
	f.wait("the long line that never ends", func() bool { return len(f.got()) == len(w.want) })
}

// TestFollowSilent: rotations while nothing is written.
func TestFollowSilent(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(3)
	f := follow(t, w.path, FollowOptions{Lines: -1, linger: 400 * time.Millisecond})
	f.until(3)
	for i := range 3 {
		w.rename(9)
		w.reopen()
		w.raw("")
		f.wait("the rotation seen", func() bool { return f.Health().Rotations == int64(i+1) })
	}
	w.write(2)
	f.check(w.want)
	w.copytruncate(9)
	f.wait("the cut seen", func() bool { return f.Health().Truncations == 1 })
	for range 3 { // of nothing
		w.copytruncate(9)
	}
	w.write(2)
	f.check(w.want)
	if h := f.Health(); h.Rotations != 3 || h.Truncations != 1 || h.Lost != 0 {
		t.Errorf("%+v\n%s", h, f.warnings())
	}
	f.wait("the old files to be closed", func() bool { return len(f.list()) == 1 })
}

// TestFollowTruncated: a file that is cut off with no copy is read anew, and that is said.
func TestFollowTruncated(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(100)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(100)
	w.must(os.Truncate(w.path, 0))
	w.write(5)
	f.check(w.want)
	w.must(os.Truncate(w.path, 0))
	w.write(500) // more than before, at once
	f.check(w.want)
	if h := f.Health(); h.Truncations != 2 || h.Lost != 2 || strings.Count(f.warnings(), "cut off") != 2 {
		t.Errorf("%+v\n%s", h, f.warnings())
	}
	// A writer that does not append goes on where it was, behind a hole.
	w.reopen()
	file, err := os.OpenFile(w.path, os.O_WRONLY, 0)
	w.must(err)
	w.file = file
	_, err = file.Seek(0, 2)
	w.must(err)
	w.write(1)
	f.check(w.want)
	w.copytruncate(3)
	w.write(1)
	f.check(w.want)
}

// TestFollowShortCopy: what is written between the copy and the cut, and was read by then, is
// no loss.
func TestFollowShortCopy(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(100)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	data := readFile(t, w.path)
	w.must(os.WriteFile(w.path+".1", data, 0o600))
	w.write(5)
	f.until(105)
	w.must(os.Truncate(w.path, 0))
	w.write(2)
	f.check(w.want)
	w.must(os.Rename(w.path+".1", w.path+".2"))
	w.must(os.WriteFile(w.path+".1", readFile(t, w.path), 0o600))
	w.write(5)
	f.until(112)
	w.compress(w.path + ".1")
	w.must(os.Truncate(w.path, 0))
	w.write(2)
	f.check(w.want)
	if h := f.Health(); h.Lost != 0 || h.Truncations != 2 {
		t.Errorf("%+v: %s", h, f.warnings())
	}
}

// TestFollowMany: more rotated files than may be open at once.
func TestFollowMany(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(1)
	f := follow(t, w.path, FollowOptions{Lines: -1, linger: 100 * time.Millisecond})
	f.until(1)
	f.wait("handled", func() bool { return f.Health().Lag == 0 })
	f.end()
	m := f.Mark()
	for i := range maxOpen + 100 {
		w.write(1)
		w.must(os.Rename(w.path, fmt.Sprintf("%s.%d", w.path, 900-i)))
		w.reopen()
	}
	w.write(1)
	f = follow(t, w.path, FollowOptions{Mark: &m, linger: 100 * time.Millisecond})
	f.check(w.want[1:])
	if f.Health().Lost > 0 {
		t.Error(f.warnings())
	}
}

// TestFollowLines: so many lines first.
func TestFollowLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ there, lines, first int }{{0, 3, 0}, {3, 3, 0}, {10, 0, 10}, {5000, 2000, 3000}} {
		w := newWriter(t)
		w.write(c.there)
		w.raw("half")
		f := follow(t, w.path, FollowOptions{Lines: c.lines})
		f.until(c.there - c.first)
		w.raw(" and half\n")
		f.check(append(w.want[c.first:], "half and half"))
		if want := fmt.Sprintf("[mail.log+%d]", c.first); fmt.Sprint(f.runs) != want {
			t.Errorf("%+v: runs %v, want %v", c, f.runs, want)
		}
	}
}

// TestFollowEdge: at the live edge the library hands out the lines, and what is too much for
// it is read by us.
func TestFollowEdge(t *testing.T) {
	if runtime.GOOS != "linux" {
		return
	}
	t.Parallel()
	w := newWriter(t)
	w.write(3)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	edged := func() bool {
		f.Followed.mu.Lock()
		defer f.Followed.mu.Unlock()
		return f.tailer != nil
	}
	f.wait("the live following", edged)
	w.write(3)
	f.check(w.want)
	if !edged() {
		t.Error("the live following ended with a few lines")
	}
	w.write(20_000)
	f.check(w.want)
	f.wait("the live following once more", edged)
	w.write(1)
	f.check(w.want)
}

// TestFollowTroubles: what keeps the path from being read is told once, and tried again.
func TestFollowTroubles(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	dir := filepath.Dir(w.path)
	w.must(os.Symlink(w.path, w.path)) // leads to itself
	f := follow(t, w.path, FollowOptions{Lines: -1, linger: 200 * time.Millisecond})
	f.wait("the warning", func() bool { return strings.Count(f.warnings(), "too many levels") == 1 })
	time.Sleep(250 * time.Millisecond)
	w.must(os.Remove(w.path))
	w.must(os.Mkdir(w.path, 0o700))
	f.wait("the warning", func() bool { return strings.Count(f.warnings(), "not a regular file") == 1 })
	time.Sleep(250 * time.Millisecond)
	w.must(os.Remove(w.path))
	w.write(3)
	f.check(w.want)
	w.reopen()
	w.must(os.Rename(w.path, filepath.Join(dir, "elsewhere")))
	w.must(os.Symlink(w.path, w.path))
	f.wait("the warning", func() bool { return strings.Count(f.warnings(), "too many levels") == 2 })
	w.must(os.Remove(w.path))
	w.write(3)
	f.check(w.want)
	if n := strings.Count(f.warnings(), "\n") + 1; n > 5 {
		t.Errorf("warned %d times:\n%s", n, f.warnings())
	}
}

// TestFollowLink: the path is a link to a file that is rotated where it is, or to another.
func TestFollowLink(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	link := filepath.Join(t.TempDir(), "log")
	w.write(3)
	w.must(os.Symlink(w.path, link))
	f := follow(t, link, FollowOptions{Lines: -1})
	f.until(3)
	w.write(2)
	w.copytruncate(3)
	w.write(1)
	f.check(w.want)
	w.rename(3)
	w.reopen()
	w.write(2)
	w.rename(3)
	w.reopen()
	w.write(2)
	f.check(w.want)
	w.path += "-20261122"
	w.reopen()
	w.write(2)
	w.must(os.Symlink(w.path, link+".new"))
	w.must(os.Rename(link+".new", link))
	f.check(w.want)
	if f.Health().Lost > 0 {
		t.Error(f.warnings())
	}
}

// TestFollowLeaks: what was started is ended, whatever it was doing.
func TestFollowLeaks(t *testing.T) {
	w := newWriter(t)
	w.write(3)
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	for i := range 200 {
		f := follow(t, w.path, FollowOptions{Lines: -1})
		switch i % 12 {
		case 1:
			f.until(3)
		case 2:
			f.until(3)
			w.raw("half")
			w.must(os.Truncate(w.path, int64(len(w.want[0]))+1))
			f.end()
			w.must(os.Remove(w.path))
			w.reopen()
			w.want = nil
			w.write(3)
		case 3:
			f.wait("the live following", func() bool {
				f.Followed.mu.Lock()
				defer f.Followed.mu.Unlock()
				return f.tailer != nil || runtime.GOOS != "linux"
			})
		}
		f.end()
		if _, err := f.Next(); err == nil {
			t.Fatal("a generation after the end")
		}
	}
	for i := 0; runtime.NumGoroutine() > goroutines || openFiles(t) > files; i++ {
		if i == 1000 {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before; %d files, %d before\n%s", runtime.NumGoroutine(), goroutines, openFiles(t), files, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// openFiles counts the open files, watches among them, where the system tells.
func openFiles(t *testing.T) int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	return len(names)
}

// TestFollowAbandoned: nobody reads, and all is closed after Stop nevertheless.
func TestFollowAbandoned(t *testing.T) {
	w := newWriter(t)
	w.write(3)
	files := openFiles(t)
	stop := make(chan struct{})
	f := Follow(w.path, FollowOptions{Stop: stop})
	close(stop)
	<-f.done
	if n := openFiles(t); n > files {
		t.Errorf("%d files are open, %d before", n, files)
	}
	if m := f.Mark(); len(m.Places) != 1 || m.Places[0].Lines != 3 {
		t.Errorf("%+v", m)
	}
}

// BenchmarkFollow reads what is there already.
func BenchmarkFollow(b *testing.B) {
	path := filepath.Join(b.TempDir(), "mail.log")
	line := []byte("Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example.net[192.0.2.1] and so on to a usual length\n")
	if err := os.WriteFile(path, bytes.Repeat(line, 64<<20/len(line)), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(64 << 20)
	buf := make([]byte, 64<<10)
	for b.Loop() {
		stop := make(chan struct{})
		f := Follow(path, FollowOptions{Lines: -1, Stop: stop})
		g, _ := f.Next()
		for left := 64 << 20 / len(line) * len(line); left > 0; {
			n, _ := g.Read(buf)
			g.Handled(int64(n), int64(bytes.Count(buf[:n], newline)))
			left -= n
		}
		close(stop)
		f.Next()
	}
}
