package main

import (
	"bufio"
	"fmt"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// sessionsCmd prints one row a session.
type sessionsCmd struct {
	inputFlags
	filterFlags
	tableFlags
	wordsFlags
	Output string `group:"Output" short:"o" default:"table" placeholder:"FORMAT" help:"Output format: table, ndjson, csv, md."`
	Top    int    `group:"Output" default:"100" help:"Rows of the table; ndjson has them all."`
	All    bool   `group:"Output" help:"All rows."`
}

// Run implements the command.
func (c *sessionsCmd) Run(w *world) error {
	want, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	if err := checkOutput("sessions", c.Output, "table", "ndjson", "csv", "md"); err != nil {
		return err
	}
	if c.Top < 1 {
		return fmt.Errorf("--top %d shows nothing: give 1 or more, or --all", c.Top)
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	if c.Output == "csv" {
		words = knowledge.In(knowledge.English).Of(by.Base()) // for machines
	}
	out := bufio.NewWriterSize(w.stdout, outBuffer)
	table := report.Table{Name: "sessions", Title: words.Text("report.sessions"), Columns: report.SessionColumns(words)}
	var rows *report.Rows
	if c.Output == "csv" {
		rows = report.NewRows(out, table.Columns)
	}
	var buf []byte
	var writeErr error
	total := 0
	emit := func(s *session.Session) {
		total++
		switch {
		case c.Output == "ndjson":
			buf = append(report.AppendSession(buf[:0], s, by), '\n')
			if _, err := out.Write(buf); err != nil {
				writeErr = err
			}
		case c.Output == "csv": // printed at once: there may be millions
			if err := rows.Add(report.SessionRow(s, words, by)); err != nil {
				writeErr = err
			}
		case c.All || len(table.Rows) < c.Top:
			table.Rows = append(table.Rows, report.SessionRow(s, words, by))
		}
	}
	var at *line
	options := session.Options{Written: asWritten(&at), Exchanges: true, Envelopes: want.From != ""}
	if !want.IsZero() {
		options.Select = func(ev *smtp.Event, from []byte) bool { return want.Match(ev, from, at.causeID()) }
	}
	sessions := session.NewAssembler(options, emit)
	_, err = c.read(w, reading{by: by, endFile: sessions.EndOfFile, handle: func(l *line) error {
		at = l
		sessions.Add(l.step, l.when, l.ev)
		return writeErr
	}})
	if err != nil {
		return err
	}
	if sessions.Close(); writeErr != nil {
		return writeErr
	}
	if total == 0 && w.status == exitFine {
		w.atLeast(exitNothing)
	}
	if total == 0 {
		table.Notes = append(table.Notes, words.Text("report.none_read"))
	}
	if n := total - len(table.Rows); n > 0 {
		table.Notes = append(table.Notes, words.Text("report.more_sessions", "n", n))
	}
	if n := sessions.Evicted(); n > 0 {
		w.warn(fmt.Errorf("%d sessions were given up before their end was seen: too many were open at once", n))
	}
	switch c.Output {
	case "ndjson":
		return out.Flush()
	case "csv":
		if err := rows.Flush(); err != nil {
			return err
		}
		return out.Flush()
	case "md":
		return report.Markdown(w.stdout, table)
	}
	return c.terminal(w).Text(w.stdout, table)
}
