//go:build linux

package source

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/hpcloud/tail/util"
)

// TestSpareProcess: the library's way of giving up ends a goroutine and not the program.
func TestSpareProcess(t *testing.T) {
	spareProcess()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		util.Fatal("failed to stat a file")
		t.Error("it went on")
	}()
	<-ended
	ended = make(chan struct{})
	go func() { // and once more: no lock is held for ever
		defer close(ended)
		util.Fatal("failed to stat a file")
	}()
	<-ended
}

// TestTailerOwnsItsFile: what is followed stays open to the library when whoever opened it
// closes it, and can no longer be followed then. Closing it meanwhile is no race.
func TestTailerOwnsItsFile(t *testing.T) {
	w := newWriter(t)
	w.write(1)
	for range 200 {
		src, err := os.Open(w.path)
		w.must(err)
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			src.Close()
		}()
		l, err := startTailer(src, 0)
		<-closed
		if err == nil {
			l.put(<-l.t.Lines, true)
			if want := w.want[0] + "\n"; l.left != want {
				t.Fatalf("%q, want %q", l.left, want)
			}
			l.stop()
		}
		if _, err := startTailer(src, 0); err == nil {
			t.Fatal("a closed file is followed")
		}
	}
}

// TestFollowNoFiles: the system gives no more open files, and gives some again.
func TestFollowNoFiles(t *testing.T) {
	w := newWriter(t)
	w.write(3)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(3)
	var old syscall.Rlimit
	w.must(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old))
	var hold []*os.File
	defer func() {
		for _, file := range hold {
			file.Close()
		}
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	}()
	w.reopen()
	next, err := os.Create(w.path + "-next")
	w.must(err)
	w.must(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: old.Max}))
	for err == nil {
		var file *os.File
		if file, err = os.Open(w.path); err == nil {
			hold = append(hold, file)
		}
	}
	w.rename(9)
	w.must(os.Rename(next.Name(), w.path))
	w.file = next
	w.write(2)
	f.wait("the warning", func() bool { return strings.Contains(f.warnings(), "too many open files") })
	for _, file := range hold {
		file.Close()
	}
	hold = nil
	f.check(w.want)
	if strings.Count(f.warnings(), "too many open files") != 1 {
		t.Error(f.warnings())
	}
}
