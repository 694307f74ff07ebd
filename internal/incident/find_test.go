package incident

import (
	"bytes"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// read gives a finder the lines of a log, as the command does.
func read(f *Finder, log []byte, format, path string) (coverage summary.Coverage) {
	return readIn(f, log, format, path, 2026)
}

func readIn(f *Finder, log []byte, format, path string, year int) (coverage summary.Coverage) {
	p, _ := parsers.ByName(format)
	clock := session.NewClock(time.Now(), time.UTC, year)
	var ev smtp.Event
	var step session.Step
	place := Place{Path: path}
	for line := range bytes.Lines(log) {
		line = bytes.TrimRight(line, "\r\n")
		p.Lines.Parse(line, &ev)
		note, known := classify.Event(&ev)
		session.StepOf(&ev, &step)
		ev.Time = clock.Settle(ev.Stamp)
		place.Number++
		place.Text = func() string { return string(line) }
		f.Line(ev.Time, ev.Kind != smtp.KindForeign && ev.Kind != smtp.KindUnknown, &place)
		place.Message, place.Host = step.Message(), step.Host
		switch {
		case ev.Kind == smtp.KindRemoved:
			f.Removed(place.Message)
		case known:
			f.Event(&ev, &note, &place)
		case Wanted(&ev):
			f.Event(&ev, nil, &place)
		}
		coverage.Lines++
	}
	f.EndOfFile()
	coverage.Files = []summary.File{{Path: path}}
	return coverage
}

// find returns what is found in a log.
func find(t *testing.T, log []byte, format string, asked *Asked) *Report {
	t.Helper()
	f := New(base())
	return f.Report(read(f, log, format, "mail.log"), asked)
}

var start = time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC) // a Monday

// write makes a log of some days.
func write(t *testing.T, o days.Options) ([]byte, []days.Truth) {
	t.Helper()
	if o.Start.IsZero() {
		o.Start = start
	}
	if o.Days == 0 {
		o.Days = 1
	}
	if o.PerDay == 0 {
		o.PerDay = 6000
	}
	var b bytes.Buffer
	truths, err := days.Write(&b, o)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), truths
}

const hour, mins = time.Hour, time.Minute

func base() *knowledge.Base { return classify.Default().Base() }
