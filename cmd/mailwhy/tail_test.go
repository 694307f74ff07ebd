package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/source"
)

// following is mailwhy tail, run as a goroutine.
type following struct {
	t         *testing.T
	log       string
	state     string
	stop      chan struct{}
	ended     chan error
	out, errs lockedBuffer
}

// tailed starts to follow what will be dir/mail.log.
func tailed(t *testing.T, dir string, set func(*tailCmd)) *following {
	t.Helper()
	f := &following{t: t, log: filepath.Join(dir, "mail.log"), state: filepath.Join(dir, "state"), stop: make(chan struct{}), ended: make(chan error, 1)}
	c := &tailCmd{Output: "json", FromStart: true, State: f.state, Top: 10}
	c.inputFlags = inputFlags{Files: []string{f.log}, Format: "auto", Year: 2026, TZ: "UTC"}
	c.Color = "never"
	if set != nil {
		set(c)
	}
	w := &world{stdin: strings.NewReader(""), stdout: &f.out, stderr: &f.errs, stop: f.stop}
	go func() { f.ended <- c.Run(w) }()
	return f
}

// handled waits until the file that the log is now has been handled to its end.
func (f *following) handled() {
	f.t.Helper()
	info, err := os.Stat(f.log)
	if err != nil {
		f.t.Fatal(err)
	}
	for range 1000 {
		if marks, err := source.LoadMarks(f.state); err == nil && len(marks) == 1 && len(marks[0].Places) > 0 {
			if last := marks[0].Places[len(marks[0].Places)-1]; last.Offset == info.Size() {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	f.t.Fatalf("the log was not read to its end\n%s", f.errs.String())
}

// end ends it and returns what it printed.
func (f *following) end() string {
	f.t.Helper()
	close(f.stop)
	if err := <-f.ended; err != nil {
		f.t.Fatal(err)
	}
	if s := f.errs.String(); strings.Contains(s, "lost") {
		f.t.Error(s)
	}
	return f.out.String()
}

// rotations are the ways in which a log goes on in another file.
var rotations = map[string]func(t *testing.T, log string){
	"renamed": func(t *testing.T, log string) {
		if err := os.Rename(log, log+".1"); err != nil {
			t.Fatal(err)
		}
	},
	"copied and truncated": func(t *testing.T, log string) {
		data, err := os.ReadFile(log)
		if err == nil {
			err = os.WriteFile(log+".1", data, 0o644)
		}
		if err == nil {
			err = os.Truncate(log, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
	},
}

// TestSameWhenFollowed writes a log while it is followed, rotates it in the middle, and
// wants what a report of the same bytes says.
func TestSameWhenFollowed(t *testing.T) {
	root(t)
	for _, log := range []string{postfixLog, eximLog} {
		plain, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitAfter(plain, []byte("\n"))
		want := figures(t, nil, log)
		for name, rotate := range rotations {
			dir := t.TempDir()
			f := tailed(t, dir, nil)
			const parts = 4
			for i := range parts {
				part := bytes.Join(lines[i*len(lines)/parts:(i+1)*len(lines)/parts], nil)
				if i > 0 {
					f.handled()
					os.Rename(f.log+".1", f.log+"."+string(rune('1'+parts-i)))
					rotate(t, f.log)
				}
				half := len(part) / 2 // a line is written in two halves
				add(t, f.log, part[:half])
				time.Sleep(20 * time.Millisecond)
				add(t, f.log, part[half:])
			}
			f.handled()
			same(t, log+" followed and "+name, want, figuresOf(t, f.end()))
		}
	}
}

func add(t *testing.T, log string, data []byte) {
	t.Helper()
	file, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		t.Fatal(err)
	}
}

// TestSameEventsWhenFollowed wants the events of a log that is followed from its start,
// however many cores parse it, and from a pipe.
func TestSameEventsWhenFollowed(t *testing.T) {
	root(t)
	for _, log := range []string{postfixLog, eximLog} {
		args := []string{"-o", "ndjson", "--tz", "UTC", "--year", "2026"}
		want := mailwhy(t, nil, append([]string{"events", log}, args...)...)
		follow := append([]string{"tail", "--from-start", "--until-caught-up"}, args...)
		abs, err := filepath.Abs(log)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []string{"1", "5"} {
			got := mailwhy(t, nil, append(follow, "--workers", n, abs)...)
			same(t, log+" followed, as events,", strings.Split(want, "\n"), strings.Split(strings.ReplaceAll(got, abs, log), "\n"))
		}
		data, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		got := mailwhy(t, bytes.NewReader(data), append(follow, "-")...)
		same(t, log+" from a pipe, as events,", strings.Split(want, "\n"), strings.Split(strings.ReplaceAll(got, `"path":"-"`, `"path":"`+log+`"`), "\n"))
	}
}

// TestFollowedOnce stops and starts again with --state: no line is lost and none comes
// twice.
func TestFollowedOnce(t *testing.T) {
	root(t)
	plain, err := os.ReadFile(postfixLog)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(plain, []byte("\n"))
	dir := t.TempDir()
	var got strings.Builder
	const parts = 3
	for i := range parts {
		f := tailed(t, dir, func(c *tailCmd) { c.Output = "ndjson" })
		add(t, f.log, bytes.Join(lines[i*len(lines)/parts:(i+1)*len(lines)/parts], nil))
		f.handled()
		got.WriteString(strings.ReplaceAll(f.end(), f.log, postfixLog))
		if i == 0 { // rotated while nobody looks
			if err := os.Rename(f.log, f.log+".1"); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := mailwhy(t, nil, "events", "--tz", "UTC", "--year", "2026", postfixLog)
	same(t, "a log followed in three runs", withoutLine(t, want), withoutLine(t, got.String()))
}

// withoutLine takes the number of the line, which begins anew in a rotated file, out of
// events.
func withoutLine(t *testing.T, events string) (all []any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(events)); ; {
		var ev map[string]any
		if err := d.Decode(&ev); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		delete(ev["log"].(map[string]any), "line")
		all = append(all, ev)
	}
}

// shut is an output whose reader has gone after some lines.
type shut struct{ lines int }

func (s *shut) Write(b []byte) (int, error) {
	if s.lines--; s.lines < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// TestTailEndsWithItsReader holds that nobody goes on reading when nobody reads what comes
// out, also while the log is silent.
func TestTailEndsWithItsReader(t *testing.T) {
	root(t)
	dir := t.TempDir()
	log := filepath.Join(dir, "mail.log")
	data, err := os.ReadFile(postfixLog)
	if err != nil {
		t.Fatal(err)
	}
	add(t, log, data)
	var errs bytes.Buffer
	if status := run([]string{"tail", "--from-start", "-o", "ndjson", log}, nil, &shut{}, &errs); status != exitFine {
		t.Errorf("exit %d: %s", status, errs.String())
	}
}

func TestFollow(t *testing.T) {
	commands := []string{"report", "tail", "rules", "sessions"}
	for in, want := range map[string]string{
		"-f mail.log":                "tail mail.log",
		"mail.log -f":                "tail mail.log",
		"report --follow mail.log":   "tail mail.log",
		"tail -F -n 5 tail":          "tail -n 5 tail",
		"tail mail.log":              "tail mail.log",
		"sessions -f mail.log":       "sessions -f mail.log",
		"--since -2h -f mail.log":    "tail --since -2h mail.log",
		"report -o json mail.log -F": "tail -o json mail.log",
	} {
		if got := strings.Join(follow(strings.Fields(in), commands), " "); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
