package main

import (
	"io"
	"time"

	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// incidentCmd finds what went wrong.
type incidentCmd struct {
	inputFlags
	tableFlags
	wordsFlags
	Since  string `group:"Window" short:"S" placeholder:"WHEN" help:"Report on the window from this time on instead of looking for one: '2026-09-14 08:00', RFC 3339, -2h."`
	Until  string `group:"Window" short:"U" placeholder:"WHEN" help:"Report on the window before this time."`
	Cause  string `group:"Window" placeholder:"CAUSE" help:"Report on this cause: ${causes}."`
	Output string `group:"Output" short:"o" default:"table" placeholder:"FORMAT" help:"Output format: table, md, html, json, csv (who is hit); or a file whose ending tells it, like report.html."`
	Short  bool   `group:"Output" help:"For a chat: the verdict, what it did, when, what to do."`
	Bundle string `group:"Output" placeholder:"DIR" help:"Write all that belongs to it into a new folder: report.md, report.html, incident.json, hit.csv (who is hit), evidence.log, summary.json (as mailwhy report -o json has it), and SHA256SUMS for sha256sum -c."`

	inputs []string // the files that were read
}

// Run implements the command.
func (c *incidentCmd) Run(w *world) error {
	asked, err := c.asked(time.Now())
	if err != nil {
		return err
	}
	out, err := outputOf("incident", c.Output, c.Files, report.IncidentFormats...)
	if err != nil {
		return err
	}
	if c.Bundle != "" {
		if err := emptyFolder(c.Bundle); err != nil { // rather now than when all has been read
			return err
		}
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	finder := incident.New(by.Base())
	var place incident.Place
	var at *line
	place.Text = func() string { return at.shown() }
	do := reading{by: by, keep: incident.Wanted, endFile: finder.EndOfFile, tight: true, handle: func(l *line) error {
		at = l
		place.Path, place.Number = l.path, l.number
		finder.Line(l.when, l.step.Kind != smtp.KindForeign && l.step.Kind != smtp.KindUnknown, &place)
		if l.step.Kind == smtp.KindRemoved {
			finder.Removed(l.step.Message())
		} else if l.ev != nil {
			place.Message, place.Host = l.step.Message(), l.step.Host
			finder.Event(l.ev, l.note.annotation(), &place)
		}
		return nil
	}}
	coverage, err := c.read(w, do)
	if err != nil {
		return err
	}
	found := report.Incidents{Words: words, By: by}
	if err := w.unlessStopped(func() { found.Report = finder.Report(coverage, asked) }); err != nil {
		return err
	}
	short := c.Short
	if c.Bundle != "" {
		c.inputs = readFiles(&coverage)
		if err := c.bundle(w, found); err != nil {
			return err
		}
		short = short || c.Output == "table"
	}
	return out.write(w, func(to io.Writer) error {
		return found.Print(to, out.format, report.Terminal{Width: width(to), Colour: colour(c.Color, to)}, short)
	})
}

// asked is the window that the flags name, nil for none.
func (c *incidentCmd) asked(now time.Time) (*incident.Asked, error) {
	if c.Since == "" && c.Until == "" && c.Cause == "" {
		return nil, nil
	}
	flags := filterFlags{Since: c.Since, Until: c.Until, Cause: c.Cause}
	var want filter.Filter
	want, err := flags.filter(now)
	if err != nil {
		return nil, err
	}
	a := &incident.Asked{Since: want.Since, Until: want.Until, AnyCause: c.Cause == ""}
	a.Cause, _ = knowledge.CauseByID(want.Cause)
	return a, nil
}
