//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// soon is how long after its line a failure may take to be on the screen. It takes a quarter of a second where the machine is
// not busy; the limit is for what hangs.
const soon = 10 * time.Second

// timed is a line and when it was seen.
type timed struct {
	text string
	at   time.Time
}

// seen is what lines were seen, in order.
type seen struct {
	mu    sync.Mutex
	lines []timed
}

func (s *seen) add(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, timed{text, time.Now()})
}

func (s *seen) all() []timed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines[:len(s.lines):len(s.lines)]
}

// watch looks at a log as its server writes it, so that it is known when each line was there.
func watch(t *testing.T, log string) *seen {
	s := &seen{}
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		var have int64
		var begun []byte
		for {
			if f, err := os.Open(log); err == nil {
				f.Seek(have, 0)
				var more bytes.Buffer
				n, _ := more.ReadFrom(f)
				f.Close()
				have += n
				begun = append(begun, more.Bytes()...)
			}
			for {
				line, rest, whole := bytes.Cut(begun, []byte("\n"))
				if !whole {
					break
				}
				s.add(string(line))
				begun = rest
			}
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { close(stop); done.Wait() })
	return s
}

// follower is a running mailwhy tail.
type follower struct {
	seen
	t      *testing.T
	cmd    *exec.Cmd
	errors bytes.Buffer
	ended  chan struct{}
}

// metricsAt is where the follower on the screen shows its counts. Tests run one after the other.
const metricsAt = "127.0.0.1:19725"

// checkMetrics holds that the counts for Prometheus are those of the servers.
func checkMetrics(t *testing.T, lines int) {
	t.Helper()
	var got map[string]int
	read := 0
	for range 500 { // it may be a moment behind the other follower
		if got, read = metrics(t); read >= lines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !maps.Equal(got, fates) || read != lines {
		t.Errorf("metrics: fates %v of %d lines, want %v of %d", got, read, fates, lines)
	}
}

// metrics returns the fates and the lines that were counted.
func metrics(t *testing.T) (got map[string]int, lines int) {
	t.Helper()
	answer, err := http.Get("http://" + metricsAt + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got = map[string]int{"sent": 0, "bounced": 0, "deferred": 0, "expired": 0}
	for row := bufio.NewScanner(answer.Body); row.Scan(); {
		series, value, _ := strings.Cut(row.Text(), "} ")
		name, labels, _ := strings.Cut(series, "{")
		n, err := strconv.Atoi(value)
		if err != nil {
			continue
		}
		for outcome := range got {
			if name == "mailwhy_messages_total" && strings.Contains(labels, `outcome="`+outcome+`"`) {
				got[outcome] += n
			}
		}
		if name == "mailwhy_log_lines_total" {
			lines += n
		}
	}
	return got, lines
}

func follow(t *testing.T, args ...string) *follower {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	f := &follower{t: t, cmd: exec.Command(bin, append([]string{"tail", "--from-start"}, args...)...), ended: make(chan struct{})}
	f.cmd.Stderr = &f.errors
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(f.ended)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			f.add(lines.Text())
		}
	}()
	t.Cleanup(func() { f.cmd.Process.Kill(); <-f.ended })
	return f
}

// stop ends it as Ctrl-C does.
func (f *follower) stop() {
	f.t.Helper()
	f.cmd.Process.Signal(syscall.SIGINT)
	<-f.ended
	if err := f.cmd.Wait(); err != nil {
		f.t.Errorf("mailwhy tail: %v\n%s", err, f.errors.String())
	}
}

// wait waits until so many lines came, or for long.
func (f *follower) wait(lines int) {
	for range 500 {
		if len(f.all()) >= lines {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// told are failures that the talks bring about: what stands in the line, and on the screen.
var told = map[string]string{
	"nobody@gone.example":    "no such mailbox",
	"friend@refused.example": "550|554",
	"friend@busy.example":    "421",
}

// checkLive holds that what was followed while it was written gives the same as what was read at the end, each line soon after
// it was there, and that failures were explained as soon.
func checkLive(t *testing.T, log string, written *seen, events, screen *follower) {
	want := strings.Split(strings.TrimSpace(string(mailwhy(t, "events", "--all", log))), "\n")
	events.wait(len(want))
	checkMetrics(t, len(want))
	events.stop()
	screen.stop()
	got, lines := events.all(), written.all()
	if len(got) != len(want) {
		t.Fatalf("%d events were followed, %d lines were written", len(got), len(want))
	}
	var slowest time.Duration
	for i := range got {
		if got[i].text != want[i] {
			t.Errorf("event %d is %s\nread at the end it is %s", i+1, got[i].text, want[i])
		}
		if i < len(lines) {
			slowest = max(slowest, got[i].at.Sub(lines[i].at))
		}
	}
	if slowest > soon {
		t.Errorf("an event came %v after its line", slowest)
	}
	t.Logf("events came within %v of their lines", slowest)
	for who, word := range told {
		explained(t, who, word, lines, screen.all())
	}
}

// explained holds that a word was on the screen soon after the first line about somebody.
func explained(t *testing.T, who, words string, lines, screen []timed) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(l.text, who) || !strings.Contains(l.text, "said:") && !strings.Contains(l.text, "SMTP error") {
			continue
		}
		for _, s := range screen {
			for word := range strings.SplitSeq(words, "|") {
				if !strings.Contains(s.text, word) {
					continue
				}
				if late := s.at.Sub(l.at); late > soon {
					t.Errorf("%q was on the screen %v after its line", s.text, late)
				}
				return
			}
		}
		t.Errorf("nothing on the screen says %q, of %s\n%v", words, l.text, screen)
		return
	}
	t.Errorf("no line is about %s", who)
}
