package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/glance"
	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestAskedSame: where a glance at a line is enough to tell whether a filter asks for it, that is what
// the filter says of the event that a parser makes of it.
func TestAskedSame(t *testing.T) {
	root(t)
	rng := rand.New(rand.NewPCG(7, 8))
	for _, format := range []string{"postfix", "exim"} {
		var log bytes.Buffer
		if err := testlog.Write(&log, testlog.Options{Format: format, Size: 1 << 20, Seed: 4}); err != nil {
			t.Fatal(err)
		}
		paths, err := filepath.Glob(filepath.Join("testdata", format, "*.log"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no samples: %v", err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			log.Write(text)
		}
		filters := [][]string{{"--since", "-1h"}, {"--outcome", "sent"}, {"--outcome", "bounced"}, {"--direction", "inbound"}, {"--direction", "internal"}}
		for _, code := range []string{"250", "2xx", "550", "5xx", "2.0.0", "2.x.x", "5.1.1"} {
			filters = append(filters, []string{"--code", code})
		}
		for _, cause := range []string{"accepted", "mailbox_full", "unknown"} {
			filters = append(filters, []string{"--cause", cause})
		}
		filters = append(filters, filtersFor(log.Bytes(), rng)...)
		settled, found := 0, 0
		for _, args := range filters {
			s, f := askedAlike(t, args, log.Bytes())
			settled, found = settled+s, found+f
		}
		if settled == 0 || found == 0 {
			t.Errorf("%s: %d lines settled by a glance, %d found", format, settled, found)
		}
	}
}

// askedAlike compares for one filter. It returns how many lines a glance settled, and how many pass.
func askedAlike(t *testing.T, args []string, log []byte) (settled, found int) {
	t.Helper()
	flags := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		flags[args[i]] = args[i+1]
	}
	f := filterFlags{
		Since: flags["--since"], To: flags["--to"], Host: flags["--host"], IP: flags["--ip"], QueueID: flags["--queue-id"],
		Code: flags["--code"], Cause: flags["--cause"], Outcome: flags["--outcome"], Direction: flags["--direction"],
	}
	want, err := f.filter(time.Now())
	if err != nil {
		t.Fatal(args, err)
	}
	a, ok := askedBy(&want)
	if !ok || a == nil {
		t.Fatalf("%v: a line tells nothing", args)
	}
	by := classify.Default()
	eye, yes, names := glance.New(smtp.FormatNone), newNods(by), trace.NewNames(a.names, log[:min(len(log), 1<<10)])
	var ev smtp.Event
	var seen, parsed note
	for line := range bytes.Lines(log) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		parsers.Mixed{}.Parse(line, &ev)
		parsed.Annotation, parsed.known = by.Event(&ev)
		asked := a.event(&ev, &parsed)
		if asked {
			found++
		}
		if !eye.Line(line, &seen.step) {
			continue
		}
		seen.Annotation, seen.known = yes.annotate(&seen.step)
		if guess, sure := a.glance(line, &seen, names); sure {
			settled++
			if guess != asked {
				t.Fatalf("%v: %q is asked for: %v by a glance, %v by its event", args, line, guess, asked)
			}
		}
	}
	return settled, found
}
