package dashboard

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// recorder is what was written to a terminal.
type recorder struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *recorder) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *recorder) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// start runs a dashboard whose keys come from the returned writer.
func start(t *testing.T, words *knowledge.Words, picture func() *Picture, stop <-chan struct{}) (keys io.WriteCloser, out *recorder, done <-chan error) {
	t.Helper()
	in, keys := io.Pipe()
	out = &recorder{}
	ended := make(chan error, 1)
	go func() {
		ended <- New(Options{
			Words: words, By: classify.Default(), Env: []string{"TERM=xterm-256color", "LANG=C.UTF-8"}, Input: in, Output: out, Picture: picture, Stop: stop,
			Report: func(*knowledge.Words, report.Table) (string, error) { return "report.md", nil },
		}).Run()
	}()
	t.Cleanup(func() { keys.Close() })
	return keys, out, ended
}

const (
	enterScreen = "\x1b[?1049h"
	leaveScreen = "\x1b[?1049l"
	showCursor  = "\x1b[?25h"
)

func waitFor(t *testing.T, out *recorder, text string) {
	t.Helper()
	for range 500 {
		if strings.Contains(out.String(), text) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q never came; there was %q", text, out)
}

func isClean(t *testing.T, out *recorder) {
	t.Helper()
	s := out.String()
	if strings.Count(s, enterScreen) != strings.Count(s, leaveScreen) || strings.LastIndex(s, showCursor) < strings.LastIndex(s, "\x1b[?25l") {
		t.Errorf("the terminal is not left as it was: %q", s[max(0, len(s)-200):])
	}
	if strings.Contains(s, "\x1b[?2027h") {
		t.Error("the terminal was made to count clusters")
	}
}

func TestRunAndQuit(t *testing.T) {
	once := busy()
	keys, out, done := start(t, knowledge.In(knowledge.English), func() *Picture { p := once; once = nil; return p }, nil)
	waitFor(t, out, enterScreen)
	io.WriteString(keys, "i")
	time.Sleep(50 * time.Millisecond)
	io.WriteString(keys, "q")
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	isClean(t, out)
}

// SIGTERM closes the channel.
func TestStop(t *testing.T) {
	stop := make(chan struct{})
	_, out, done := start(t, knowledge.In(knowledge.English), func() *Picture { return nil }, stop)
	waitFor(t, out, enterScreen)
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	isClean(t, out)
}

// A panic leaves the terminal clean, and is told of: one where the screen is drawn, and
// one where the picture is made.
func TestPanic(t *testing.T) {
	_, out, done := start(t, nil, func() *Picture { return busy() }, nil)
	if err := <-done; err == nil {
		t.Error("drawing without words went well")
	}
	isClean(t, out)

	var once atomic.Bool
	_, out, done = start(t, knowledge.In(knowledge.English), func() *Picture {
		if once.Swap(true) {
			panic("no picture")
		}
		return busy()
	}, nil)
	if err := <-done; err == nil || !strings.Contains(err.Error(), "no picture") {
		t.Errorf("a panic was told of as %v", err)
	}
	isClean(t, out)
}
