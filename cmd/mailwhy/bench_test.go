package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// benchSize is long enough for tables to be as full as they get.
const benchSize = 64 << 20

func benchLog(b *testing.B, format string) []byte {
	var log bytes.Buffer
	if err := testlog.Write(&log, testlog.Options{Format: format, Size: benchSize, Seed: 1}); err != nil {
		b.Fatal(err)
	}
	return log.Bytes()
}

func eachFormat(b *testing.B, run func(b *testing.B, log []byte)) {
	for _, format := range []string{"postfix", "exim"} {
		b.Run(format, func(b *testing.B) {
			log := benchLog(b, format)
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			run(b, log)
		})
	}
}

// whole measures a command line, to which the path of the log is added.
func whole(b *testing.B, args ...string) {
	eachFormat(b, func(b *testing.B, log []byte) {
		path := filepath.Join(b.TempDir(), "mail.log")
		if err := os.WriteFile(path, log, 0o644); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			run(append(args, path), nil, io.Discard, io.Discard)
		}
	})
}

// BenchmarkReport is all of it, on all cores.
func BenchmarkReport(b *testing.B) { whole(b, "report") }

// BenchmarkReportFilter is a report of what few lines show.
func BenchmarkReportFilter(b *testing.B) { whole(b, "report", "--cause", "mailbox_full") }

// BenchmarkCheckSince is what a monitor asks every few minutes.
func BenchmarkCheckSince(b *testing.B) {
	whole(b, "check", "--since", "1h", "--max-cause", "blocklisted=0")
}

// BenchmarkEventsFilter is the lines with a reply that few have.
func BenchmarkEventsFilter(b *testing.B) { whole(b, "events", "--code", "552") }

// BenchmarkTail is a report of a log that is followed, with all that is told meanwhile.
func BenchmarkTail(b *testing.B) { whole(b, "tail", "--from-start", "--until-caught-up") }

// eachLine parses a log.
func eachLine(log []byte, ev *smtp.Event, do func()) {
	for len(log) > 0 {
		end := bytes.IndexByte(log, '\n')
		parsers.Mixed{}.Parse(log[:end], ev)
		do()
		log = log[end+1:]
	}
}

// BenchmarkParse is the first thing that workers do.
func BenchmarkParse(b *testing.B) {
	eachFormat(b, func(b *testing.B, log []byte) {
		var ev smtp.Event
		for b.Loop() {
			eachLine(log, &ev, func() {})
		}
	})
}

// BenchmarkWork is all that workers do.
func BenchmarkWork(b *testing.B) {
	eachFormat(b, func(b *testing.B, log []byte) {
		var ev smtp.Event
		var step session.Step
		by := classify.Default()
		for b.Loop() {
			eachLine(log, &ev, func() {
				by.Event(&ev)
				session.StepOf(&ev, &step)
			})
		}
	})
}

// BenchmarkAssemble is the greater part of what is done in order.
func BenchmarkAssemble(b *testing.B) {
	eachFormat(b, func(b *testing.B, log []byte) {
		var steps []session.Step
		var times []time.Time
		var ev smtp.Event
		clock := session.NewClock(time.Now(), time.UTC, 0)
		eachLine(log, &ev, func() {
			steps = append(steps, session.Step{})
			session.StepOf(&ev, &steps[len(steps)-1])
			times = append(times, clock.Settle(ev.Stamp))
		})
		for b.Loop() {
			a := session.NewAssembler(session.Options{}, func(*session.Session) {})
			for i := range steps {
				a.Add(&steps[i], times[i], nil)
			}
		}
	})
}

// BenchmarkSummary is what workers do, and counting what decides a recipient's fate: the
// difference to BenchmarkWork is the summary's.
func BenchmarkSummary(b *testing.B) {
	eachFormat(b, func(b *testing.B, log []byte) {
		var ev smtp.Event
		var step session.Step
		by := classify.Default()
		sum := summary.New()
		for b.Loop() {
			eachLine(log, &ev, func() {
				a, known := by.Event(&ev)
				session.StepOf(&ev, &step)
				if !known && !ev.Decides() {
					return
				}
				n := &note{Annotation: a, known: known}
				if !known {
					n = nil
				}
				sum.Event(&ev, n.forSummary(), step.Host, func() summary.Sample { return summary.Sample{} })
			})
		}
	})
}
