package main

import (
	"bufio"
	"errors"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/trace"
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
	p := &eventPrinter{want: want, by: by, all: c.All, guesses: c.Year == 0, out: bufio.NewWriterSize(w.stdout, outBuffer)}
	p.line = want
	p.line.Since, p.line.Until = time.Time{}, time.Time{}
	p.some = !p.line.IsZero()
	do := reading{by: by, endFile: func() {}, encode: p.encode, handle: p.write}
	if p.hide, err = c.hide(w); err != nil {
		return err
	}
	do.asked, _ = askedBy(&want)
	if want.From != "" {
		do.encode, do.handle = nil, p.follow()
	} else if names := want.Names(); len(names) > 0 || !want.Since.IsZero() || !want.Until.IsZero() {
		do.search, do.from = p.search(names), func(line int64) { p.from = line }
	}
	_, err = c.read(w, do)
	if flushErr := p.out.Flush(); err == nil {
		err = flushErr
	}
	if err == nil && !p.found && !want.IsZero() {
		w.atLeast(exitNothing)
	}
	return err
}

// eventPrinter prints the events that are asked for. Workers encode them, all but what is
// known of a line only when those before it have been counted.
type eventPrinter struct {
	want    filter.Filter
	line    filter.Filter // what of it one line can tell without its time
	some    bool          // and that is not nothing
	by      *classify.Classifier
	all     bool             // those of other programs too
	guesses bool             // a year that a stamp lacks is guessed
	hide    *redact.Redactor // nil: all is shown
	out     *bufio.Writer
	found   bool
	from    int64 // lines before it were printed by a search
	head    report.EventHead
	buf     []byte
}

// encode appends the body of an event that is asked for, its time apart. It is called by
// several goroutines.
func (p *eventPrinter) encode(ev *smtp.Event, n *note, buf []byte) []byte {
	if ev.Kind == smtp.KindForeign && !p.all {
		return buf
	}
	cause := ""
	var x *report.Explanation
	if n.known {
		cause = n.Cause.ID()
		x = report.Explain(p.by, n.Annotation, ev.Reply.Code, ev.Direction)
	}
	if p.some && !p.line.Match(ev, nil, cause) {
		return buf
	}
	if p.hide != nil {
		shown := new(smtp.Event)
		p.hide.Event(shown, ev)
		ev = shown
	}
	const shows = smtp.HasTime | smtp.HasYear
	return report.AppendEventBody(buf, ev, p.guesses && ev.Stamp.Flags&shows == smtp.HasTime, x)
}

// write prints an event.
func (p *eventPrinter) write(l *line) error {
	if len(l.text) == 0 || l.number < p.from || !p.want.Within(l.when) {
		return nil
	}
	p.found = true
	p.buf = p.head.Append(p.buf[:0], l.when, report.Place{Path: l.path, Line: l.number})
	p.out.Write(p.buf) // an error stays with it
	p.out.Write(l.text)
	return p.out.WriteByte('\n')
}

// search returns what prints the events of one log in which those that are asked for are few:
// the lines are looked at for a name that these hold, and only where it stands are they
// parsed. It tells from which line on the log has to be read in full, where that is so.
//
// Where no name is asked for, the lines' stamps are looked at.
//
// For report and sessions that cannot be done: a session has lines without the name, and
// so has the coverage.
func (p *eventPrinter) search(names []filter.Name) func(r *reader, in *source.Input, log *trace.Input) (span trace.Span, from int64, err error) {
	return func(r *reader, in *source.Input, log *trace.Input) (span trace.Span, from int64, err error) {
		if len(names) == 0 && log.Plain == nil {
			return span, 1, nil // a search goes on one core where the file has to be unpacked
		}
		s := trace.Search{Input: log, Workers: r.workers(), Stop: r.stop, Tick: r.progress.show}
		for _, n := range names {
			s.Names = append(s.Names, trace.Name(n))
		}
		pass := p.line
		pass.Cause = ""
		s.Pass = func(ev *smtp.Event) bool { return pass.Match(ev, nil, "") }
		s.Times = p.want.Within
		s.Make = func(ev *smtp.Event, buf []byte) []byte {
			var n note
			n.Annotation, n.known = p.by.Event(ev)
			return p.encode(ev, &n, buf)
		}
		s.Keep = func(ev *smtp.Event) bool {
			return ev.Format == smtp.FormatExim && (len(ev.Process) > 0 || len(r.sides) > 0)
		}
		var step session.Step
		s.Take = func(l *trace.Line) error {
			if l.Event != nil { // Exim says some things twice
				if len(l.Event.Process) > 0 {
					// In a syslog the lines between tell.
					from = l.Number
					return errInFull
				}
				session.BriefStep(l.Event, &step)
				if r.repeated.Seen(&step, l.Raw) {
					return nil
				}
			}
			return p.write(&line{text: l.Text, when: l.Time, path: r.hiding.path(in.Path), number: l.Number})
		}
		var other *trace.OtherYear
		switch span, err = s.Run(); {
		case errors.Is(err, errInFull):
			err = nil
		case errors.As(err, &other):
			from, err = other.Line, nil
		}
		return span, from, err
	}
}

// errInFull ends a search of a log that has to be read in full.
var errInFull = errors.New("to be read in full")

// follow returns what prints events where a sender is asked for. He is not on every line, so
// the messages are followed, which goes in order.
func (p *eventPrinter) follow() func(*line) error {
	var at *line
	messages := session.NewAssembler(session.Options{Written: asWritten(&at), Envelopes: true, Select: func(ev *smtp.Event, from []byte) bool {
		return p.want.Match(ev, from, at.causeID())
	}}, func(*session.Session) {})
	return func(l *line) error {
		if l.ev.Kind == smtp.KindForeign && !p.all {
			return nil
		}
		if at = l; !messages.Add(l.step, l.when, l.ev) {
			return nil
		}
		p.found = true
		p.buf = append(report.AppendEvent(p.buf[:0], l.ev, report.Place{Path: l.path, Line: l.number, Guessed: l.guessed}, l.explanation(p.by)), '\n')
		_, err := p.out.Write(p.buf)
		return err
	}
}

// explanation returns the machine-readable words of a line's note.
func (l *line) explanation(by *classify.Classifier) *report.Explanation {
	if l.note == nil {
		return nil
	}
	return report.Explain(by, l.note.Annotation, l.ev.Reply.Code, l.ev.Direction)
}
