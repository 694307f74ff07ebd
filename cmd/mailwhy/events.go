package main

import (
	"bufio"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// eventsCmd prints what each line says.
type eventsCmd struct {
	inputFlags
	filterFlags
	rulesFlags
	All    bool   `help:"Lines of other programs too."`
	Output string `short:"o" default:"ndjson" placeholder:"FORMAT" help:"Output format: ndjson."`
}

// outBuffer is how much output is gathered before it is written.
const outBuffer = 256 << 10

// Run implements the command.
func (c *eventsCmd) Run(w *world) error {
	want, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	if err := checkOutput("events", c.Output, "ndjson"); err != nil {
		return err
	}
	by, err := c.classifier(w)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w.stdout, outBuffer)
	// Messages are followed only when a sender is asked for, who is not on every line.
	var messages *session.Assembler
	var at *line
	if want.From != "" {
		messages = session.NewAssembler(session.Options{Envelopes: true, Select: func(ev *smtp.Event, from []byte) bool {
			return want.Match(ev, from, at.causeID())
		}}, func(*session.Session) {})
	}
	all := want.IsZero()
	found := false
	var buf []byte
	_, err = c.read(w, reading{by: by, warm: func(*smtp.Event, *session.Step) {}, endFile: func() {}, handle: func(l *line) error {
		if l.ev.Kind == smtp.KindForeign && !c.All {
			return nil
		}
		switch {
		case messages != nil:
			if at = l; !messages.Add(l.step, l.when, l.ev) {
				return nil
			}
		case !all && !want.Match(l.ev, nil, l.causeID()):
			return nil
		}
		found = true
		buf = append(report.AppendEvent(buf[:0], l.ev, report.Place{Path: l.path, Line: l.number, Guessed: l.guessed}, l.explanation(by)), '\n')
		_, err := out.Write(buf)
		return err
	}})
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	if err == nil && !found && !all {
		w.atLeast(exitNothing)
	}
	return err
}

// explanation returns the machine-readable words of a line's note.
func (l *line) explanation(by *classify.Classifier) *report.Explanation {
	if l.note == nil {
		return nil
	}
	return report.Explain(by, l.note.Annotation, l.ev.Reply.Code, l.ev.Direction)
}
