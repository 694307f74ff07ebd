//go:build unix

package source

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakeJournalctl puts a program by that name first, which appends its arguments to the file
// returned and then runs script.
func fakeJournalctl(t *testing.T, script string) (args string) {
	t.Helper()
	dir := t.TempDir()
	args = filepath.Join(dir, "args")
	text := "#!/bin/sh\necho \"$@\" >>" + args + "\ncd " + dir + "\n" + script
	if err := os.WriteFile(filepath.Join(dir, "journalctl"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return args
}

func printRecord(n int) string {
	return fmt.Sprintf("printf '__CURSOR=s=%d;i=1\\n__REALTIME_TIMESTAMP=1795328701123456\\n_HOSTNAME=mx\\n_COMM=smtpd\\nMESSAGE=record %d\\n\\n'\n", n, n)
}

func TestFollowJournal(t *testing.T) {
	args := fakeJournalctl(t, "echo a hint >&2\n"+printRecord(1)+printRecord(2)+"exec sleep 1000\n")
	stop := make(chan struct{})
	warned := make(chan error, 9)
	j, err := FollowJournal(JournalOptions{Unit: "postfix", Lines: 5, Stop: stop, Warn: func(err error) { warned <- err }})
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(j)
	for n := range 2 {
		line, err := r.ReadString('\n')
		if want := fmt.Sprintf("2026-11-22T06:25:01.123456+00:00 mx smtpd: record %d\n", n+1); line != want || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
		if n == 0 {
			j.Handled(int64(len(line)))
			if c := j.Cursor(); c != "s=1;i=1" {
				t.Errorf("the cursor is %q", c)
			}
		}
	}
	if err := <-warned; !strings.Contains(err.Error(), `"a hint"`) {
		t.Error(err)
	}
	close(stop)
	if line, err := r.ReadString('\n'); line != "" || err == nil {
		t.Errorf("%q, %v after Stop", line, err)
	}
	if m := j.Mark(); m.Path != "journal:postfix" || m.Cursor != "s=1;i=1" {
		t.Errorf("%+v", m)
	}
	if got := string(readFile(t, args)); got != "--follow --output=export --no-pager --lines=5 --unit=postfix\n" {
		t.Errorf("arguments %q", got)
	}
}

// TestFollowJournalAgain: journalctl ends, and is started behind what it gave.
func TestFollowJournalAgain(t *testing.T) {
	args := fakeJournalctl(t, "if [ -e once ]; then "+printRecord(2)+"exec sleep 1000; fi; touch once\n"+printRecord(1)+"exit 3\n")
	stop := make(chan struct{})
	warned := make(chan error, 9)
	j, err := FollowJournal(JournalOptions{Lines: -1, pause: time.Millisecond, Stop: stop, Warn: func(err error) { warned <- err }})
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(j)
	for n := range 2 {
		if line, err := r.ReadString('\n'); !strings.HasSuffix(line, fmt.Sprintf(" record %d\n", n+1)) || err != nil {
			t.Fatalf("%q, %v", line, err)
		}
	}
	if err := <-warned; !strings.Contains(err.Error(), "exit status 3; it is started again") {
		t.Error(err)
	}
	close(stop)
	r.ReadString('\n')
	if got := string(readFile(t, args)); got != "--follow --output=export --no-pager --lines=all\n--follow --output=export --no-pager --lines=all --after-cursor=s=1;i=1\n" {
		t.Errorf("arguments %q", got)
	}
}

// TestFollowJournalFails: what cannot work is not tried again.
func TestFollowJournalFails(t *testing.T) {
	fakeJournalctl(t, "exit 1\n")
	j, err := FollowJournal(JournalOptions{Cursor: "", Stop: make(chan struct{})})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := j.Read(make([]byte, 9)); n != 0 || err == nil || err.Error() != "exit status 1" {
		t.Errorf("%d, %v", n, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := FollowJournal(JournalOptions{}); err == nil || !strings.HasPrefix(err.Error(), "journal: there is no journalctl; ") {
		t.Error(err)
	}
}
