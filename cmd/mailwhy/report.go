package main

import (
	"fmt"
	"io"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// tableFlags say how tables are printed.
type tableFlags struct {
	Color string `group:"Output" default:"auto" enum:"auto,always,never" env:"MAILWHY_COLOR" help:"Colour: ${enum}."`
}

func (f *tableFlags) terminal(w *world) report.Terminal {
	return report.Terminal{Width: width(w.stdout), Colour: colour(f.Color, w.stdout)}
}

// reportCmd summarises what happened.
type reportCmd struct {
	inputFlags
	filterFlags
	tableFlags
	wordsFlags
	Output  string   `group:"Output" short:"o" default:"table" placeholder:"FORMAT" help:"Output format: table, json, csv, md, html; or a file whose ending tells it, like report.html."`
	Top     int      `group:"Output" default:"10" help:"Rows of a table."`
	All     bool     `group:"Output" help:"All rows."`
	Section []string `group:"Output" enum:"files,sessions,messages,causes,codes,peers" help:"Only these parts: ${enum}."`
}

// Run implements the command.
func (c *reportCmd) Run(w *world) error {
	start := time.Now()
	want, err := c.filter(start)
	if err != nil {
		return err
	}
	out, err := outputOf("report", c.Output, c.Files, "table", "json", "csv", "md", "html")
	if err != nil {
		return err
	}
	if c.Top < 1 {
		return fmt.Errorf("--top %d shows nothing: give 1 or more, or --all", c.Top)
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	sum := summary.New()
	quit := graceful(by)
	var at *line
	options := session.Options{Written: asWritten(&at)}
	if !want.IsZero() {
		options.Envelopes = want.From != ""
		options.Select = func(ev *smtp.Event, from []byte) bool { return want.Match(ev, from, at.causeID()) }
	}
	sessions := session.NewAssembler(options, func(s *session.Session) {
		sum.Session(s.Direction, s.End, s.Graceful && s.Format != smtp.FormatTranscript, s.Last, quit)
	})
	found := false
	coverage, err := c.read(w, reading{by: by, lean: want.IsZero(), endFile: sessions.EndOfFile, handle: func(l *line) error {
		if at = l; !sessions.Add(l.step, l.when, l.ev) {
			return nil
		}
		found = true
		if l.note != nil || l.step.Decides() {
			count(sum, l)
		}
		return nil
	}})
	if err != nil {
		return err
	}
	sessions.Close()
	sum.Coverage = coverage
	sum.Messages = summary.Messages(sessions.Messages())
	sum.Dropped.Sessions = sessions.Evicted()
	if !found && !want.IsZero() {
		w.atLeast(exitNothing)
		if out.format == "table" {
			w.warn(fmt.Errorf("none of %d lines matches the filters", coverage.Lines))
			return nil
		}
	}
	if coverage.Understood == 0 && w.status != exitFine && out.format == "table" {
		return nil // there is nothing to show, and that has been said
	}
	day, took := report.Day{Summary: sum, Words: words, By: by, Top: c.Top}, time.Since(start)
	return out.write(w, func(to io.Writer) error { return c.print(to, out.format, day, took) })
}

func (c *reportCmd) print(to io.Writer, format string, day report.Day, took time.Duration) error {
	if format == "csv" || format == "json" {
		day.Words = knowledge.In(knowledge.English).Of(day.By.Base()) // for machines
	}
	if c.All {
		day.Top = 0
	}
	tables := day.Tables(c.Section)
	switch format {
	case "json":
		return day.JSON(to)
	case "csv":
		if len(c.Section) == 0 {
			tables = day.Tables([]string{"causes"})
		}
		return report.CSV(to, tables...)
	case "md":
		return day.Markdown(to, tables)
	case "html":
		return day.HTML(to, c.Section)
	}
	if !isTerminal(to) {
		took = 0 // what is kept or compared should not differ from run to run
	}
	return day.Text(to, report.Terminal{Width: width(to), Colour: colour(c.Color, to)}, tables, took)
}

// graceful is what a 221 after QUIT means, for the sessions that show it by their counts.
func graceful(by *classify.Classifier) summary.Note {
	ev := smtp.Event{Kind: smtp.KindAnswer, Direction: smtp.Inbound, Stage: smtp.StageQUIT, Reply: smtp.Reply{Code: 221}}
	a, _ := by.Event(&ev)
	return summary.Note{Cause: a.Cause, Severity: a.Severity, Entry: uint16(a.Entry)}
}

// count has the summary count a line.
func count(sum *summary.Summary, l *line) {
	counted := l.counted()
	sum.Count(&counted, l.note.forSummary(), (*words)(l))
}

// counted is what is counted of a line.
func (l *line) counted() summary.Line {
	s := l.step
	counted := summary.Line{
		Kind: s.Kind, Direction: s.Direction, Stage: s.Stage, Outcome: s.Outcome, Failed: s.Failed, Probe: s.Probe,
		Code: s.Code, Enhanced: s.Enhanced, N: 1 + int64(s.Repeat), When: l.when, Host: s.Host,
	}
	if l.note != nil {
		counted.Recipient = l.note.recipient
	}
	return counted
}

func (n *note) forSummary() *summary.Note {
	if n == nil {
		return nil
	}
	return &summary.Note{Cause: n.Cause, Severity: n.Severity, Entry: uint16(n.Entry)}
}
