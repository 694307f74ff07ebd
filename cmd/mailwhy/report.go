package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
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

// dayFlags say how the report of a log, or of several, is printed and kept.
type dayFlags struct {
	tableFlags
	Output  string   `group:"Output" short:"o" default:"table" placeholder:"FORMAT" help:"Output format: table, json, csv, md, html; or a file whose ending tells it, like report.html."`
	Top     int      `group:"Output" default:"10" help:"Rows of a table."`
	All     bool     `group:"Output" help:"All rows."`
	Section []string `group:"Output" enum:"files,sessions,messages,new,causes,codes,peers,senders,recipients" help:"Only these parts: ${enum}. Senders and recipients are counted only when they are named, and take their time."`
	Save    string   `group:"Output" placeholder:"FILE" help:"Save what was counted for mailwhy merge and report --against: JSON, compressed where the name ends in .gz or .zst."`
	Against []string `group:"Output" sep:"none" placeholder:"OLD" help:"Tell what is new against these: logs, a quoted pattern of them, or saved summaries. May be given several times."`
}

// checked reads the flags. inputs are the files that are read.
func (f *dayFlags) checked(command string, inputs []string) (output, error) {
	out, err := outputOf(command, f.Output, inputs, "table", "json", "csv", "md", "html")
	switch {
	case err != nil:
		return out, err
	case f.Top < 1:
		return out, fmt.Errorf("--top %d shows nothing: give 1 or more, or --all", f.Top)
	case slices.Contains(f.Section, "new") && len(f.Against) == 0:
		return out, errors.New("--section new compares with what was before: give that with --against")
	case command == "merge" && (slices.Contains(f.Section, "senders") || slices.Contains(f.Section, "recipients")):
		return out, errors.New("merge: saved summaries have no senders and no recipients; name the logs, as in mailwhy report --section senders mail.log*")
	}
	if there, err := os.Stat(f.Save); err == nil && isOneOf(there, append(f.Against[:len(f.Against):len(f.Against)], inputs...)) {
		return out, fmt.Errorf("--save %s: that file is read; give another name", f.Save)
	}
	return out, nil
}

// reportCmd summarises what happened.
type reportCmd struct {
	inputFlags
	filterFlags
	dayFlags
	wordsFlags
}

// Run implements the command.
func (c *reportCmd) Run(w *world) error {
	start := time.Now()
	want, err := c.filter(start)
	if err != nil {
		return err
	}
	out, err := c.checked("report", c.Files)
	if err != nil {
		return err
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	var news *summary.Comparison
	var old *summary.Summary
	if len(c.Against) > 0 {
		if old, err = c.before(w, by, &want); err != nil {
			return err
		}
	}
	sum, found, err := c.summarise(w, &c.inputFlags, by, &want)
	if err != nil {
		return err
	}
	if !found && !want.IsZero() {
		w.atLeast(exitNothing)
		if out.format == "table" {
			w.warn(fmt.Errorf("none of %d lines matches the filters", sum.Coverage.Lines))
			return nil
		}
	}
	if err := c.save(sum, by); err != nil {
		return err
	}
	if sum.Coverage.Understood == 0 && w.status != exitFine && out.format == "table" {
		return nil // there is nothing to show, and that has been said
	}
	if old != nil {
		news = sum.Against(old)
	}
	day, took := report.Day{Summary: sum, News: news, Words: words, By: by, Top: c.Top}, time.Since(start)
	return out.write(w, func(to io.Writer) error { return c.print(to, out.format, day, took) })
}

// summarise counts what is in logs, and tells whether any line was wanted.
func (c *reportCmd) summarise(w *world, files *inputFlags, by *classify.Classifier, want *filter.Filter) (sum *summary.Summary, found bool, err error) {
	sum = summary.New()
	if c.Save != "" || len(c.Against) > 0 {
		sum.CountWordings()
	}
	quit := graceful(by)
	var at *line
	options := session.Options{Written: asWritten(&at)}
	selects := func(ev *smtp.Event, from []byte) bool { return want.Match(ev, from, at.causeID()) }
	if !want.IsZero() {
		options.Envelopes = want.From != ""
		options.Select = func(ev *smtp.Event, from []byte) bool { return selects(ev, from) }
	}
	people := c.people(sum, &options)
	sessions := session.NewAssembler(options, func(s *session.Session) {
		sum.Session(s.Direction, s.End, s.Graceful && s.Format != smtp.FormatTranscript, s.Last, quit)
	})
	do := reading{by: by, endFile: sessions.EndOfFile, handle: func(l *line) error {
		if at = l; sessions.Add(l.step, l.when, l.ev) {
			found = true
			count(sum, l)
			people.count(l)
		}
		return nil
	}}
	if asked, ok := askedBy(want); ok && people == nil {
		var now bool // the line at hand is asked for
		selects = func(*smtp.Event, []byte) bool { return now }
		do.lean, do.asked = true, asked
		do.skim = func(n *note, when time.Time) bool {
			if asked != nil {
				now = asked.holds(n, when)
			}
			if !sessions.Add(&n.step, when, nil) {
				return false
			}
			found = true
			return n.known || n.step.Decides()
		}
		do.turns = []turn{{take: func(l *line) { count(sum, l) }}}
	}
	coverage, err := files.read(w, do)
	if err != nil {
		return nil, false, err
	}
	sessions.Close()
	sum.Coverage = coverage
	sum.Messages = summary.Messages(sessions.Messages())
	sum.Dropped.Sessions = sessions.Evicted()
	return sum, found, nil
}

func (f *dayFlags) print(to io.Writer, format string, day report.Day, took time.Duration) error {
	if format == "csv" || format == "json" {
		day.Words = knowledge.In(knowledge.English).Of(day.By.Base()) // for machines
	}
	if f.All {
		day.Top = 0
	}
	tables := day.Tables(f.Section)
	switch format {
	case "json":
		return day.JSON(to)
	case "csv":
		if len(f.Section) == 0 {
			tables = day.Tables([]string{"causes"})
		}
		return report.CSV(to, tables...)
	case "md":
		return day.Markdown(to, tables)
	case "html":
		return day.HTML(to, f.Section)
	}
	if !isTerminal(to) {
		took = 0 // what is kept or compared should not differ from run to run
	}
	return day.Text(to, report.Terminal{Width: width(to), Colour: colour(f.Color, to)}, tables, took)
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
		Code: s.Code, Enhanced: s.Enhanced, N: 1 + int64(s.Repeat), When: l.when, Host: s.Host, Name: l.name,
	}
	if l.note != nil {
		counted.Recipient = l.note.recipient
	}
	if l.hide != nil && counted.Recipient != 0 { // a guessed address would tell itself by its hash in a saved summary
		counted.Recipient = max(1, l.hide.Hash(binary.BigEndian.AppendUint64(nil, counted.Recipient)))
	}
	return counted
}

func (n *note) forSummary() *summary.Note {
	if n == nil {
		return nil
	}
	return &summary.Note{Cause: n.Cause, Severity: n.Severity, Entry: uint16(n.Entry)}
}
