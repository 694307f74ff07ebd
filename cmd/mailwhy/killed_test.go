package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/pipeline"
)

// killed is mailwhy tail in a process that is killed: what it printed by then, and whether it
// said that the one before ended suddenly.
type killed struct {
	ids  []int
	said string
}

// killedAfter starts it and kills it once it has printed so many events; less than 0: it
// ends by itself.
func killedAfter(t *testing.T, events int, args ...string) (k killed) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Args[0] = "mailwhy" // as which TestMain runs main
	var errs lockedBuffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if events == 0 {
		cmd.Process.Kill()
	}
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			break // of a line that was cut off nobody has got anything
		}
		var ev struct {
			ID struct {
				Local string `json:"local_id"`
			} `json:"email"`
		}
		var id int
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if _, err := fmt.Sscanf(ev.ID.Local, "4F%d", &id); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if k.ids = append(k.ids, id); len(k.ids) == events {
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	k.said = errs.String()
	return k
}

// TestKilled kills it at any moment while the log is written and rotated, and starts it again:
// no line is lost, what comes twice is no more than the batch at work at the end, and that is
// said.
func TestKilled(t *testing.T) {
	root(t)
	dir := t.TempDir()
	log, state := filepath.Join(dir, "mail.log"), filepath.Join(dir, "state")
	r := rand.New(rand.NewPCG(1, 2))
	written, length := 0, 0
	write := func(n int) {
		var text strings.Builder
		for range n {
			written++
			fmt.Fprintf(&text, "2026-09-14T08:00:00+00:00 mx postfix/smtp[7]: 4F%07d: to=<a@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/1/0, dsn=2.0.0, status=sent (250 ok)\n", written)
		}
		length = text.Len() / n
		add(t, log, []byte(text.String()))
	}
	write(1000)
	args := []string{"tail", "--lang", "en", "--from-start", "-o", "ndjson", "--state", state, log}
	next, most := 1, 0 // what was not printed yet; how much came twice
	sudden := false    // the last run printed something before it was killed
	const runs = 12
	for run := range runs {
		events := min(r.IntN(2000), written+1-next)
		writing := make(chan struct{})
		go func() { // at the same time
			defer close(writing)
			for range 5 {
				write(500)
			}
			if run%3 == 1 {
				os.Rename(log, fmt.Sprintf("%s.%d", log, runs-run))
			}
			write(200)
		}()
		if run == runs-1 {
			<-writing
			events, args = -1, append(args, "--until-caught-up")
		}
		k := killedAfter(t, events, args...)
		<-writing
		for i, id := range k.ids {
			if i == 0 && id > next || i > 0 && id != k.ids[i-1]+1 {
				t.Fatalf("run %d: %d comes after %d", run, id, next-1)
			}
		}
		if strings.Contains(k.said, "lost") {
			t.Errorf("run %d says %q", run, k.said)
		}
		if len(k.ids) == 0 {
			continue // killed before it came to say anything
		}
		if said := strings.Contains(k.said, "may come twice"); said != sudden {
			t.Errorf("run %d: after a sudden end: %v, and it says %q", run, sudden, k.said)
		}
		most, sudden = max(most, next-k.ids[0]), true
		next = k.ids[len(k.ids)-1] + 1
	}
	if batch := pipeline.BlockSize/length + 1; most > batch {
		t.Errorf("of %d lines, %d at the most came twice at once; a batch has %d", written, most, batch)
	}
	if next != written+1 {
		t.Errorf("%d lines came, %d were written", next-1, written)
	}
	if k := killedAfter(t, -1, args...); len(k.ids) > 0 || k.said != "" {
		t.Errorf("after a run that ended well: %d lines, and it says %q", len(k.ids), k.said)
	}
}
