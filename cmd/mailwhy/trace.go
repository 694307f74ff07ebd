package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers"
)

// traceCmd tells the life of a message.
type traceCmd struct {
	What string `arg:"" help:"A queue ID, a Message-ID, an address, @domain, a host, an IP address, or the ID that the next server gave."`
	inputFlags
	tableFlags
	wordsFlags
	Since  string `group:"Filters" short:"S" placeholder:"WHEN" help:"Messages that have to do with it from this time on; the forms of report. What became of them is told whenever it was."`
	Until  string `group:"Filters" short:"U" placeholder:"WHEN" help:"Before this time."`
	As     string `group:"Filters" placeholder:"KIND" help:"What it is, where its shape does not tell: queue-id, remote-id, message-id, sender, recipient, domain, host, ip."`
	Output string `group:"Output" short:"o" default:"table" placeholder:"FORMAT" help:"Output format: table, json, ndjson, md; or a file whose ending tells it, like report.md."`
	Top    int    `group:"Output" default:"20" help:"Of many messages, how many of the newest are listed."`
	All    bool   `group:"Output" help:"List all of them, as far as there is room."`
}

// Run implements the command.
func (c *traceCmd) Run(w *world) error {
	to, err := outputOf("trace", c.Output, c.Files, "table", "json", "ndjson", "md")
	if err != nil {
		return err
	}
	if c.Top < 1 {
		return fmt.Errorf("--top %d shows nothing: give 1 or more, or --all", c.Top)
	}
	what, err := trace.ParseWhat(c.What, c.As)
	if err != nil {
		return err
	}
	o := trace.Options{What: what, Top: c.Top, Stop: w.stop, Workers: cmp.Or(c.Workers, min(runtime.GOMAXPROCS(0), maxWorkers))}
	if c.All {
		o.Top = 0
	}
	filters := filterFlags{Since: c.Since, Until: c.Until}
	want, err := filters.filter(time.Now())
	if err != nil {
		return err
	}
	o.Since, o.Until = want.Since, want.Until
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	in, err := c.inputs(w)
	if err != nil {
		return err
	}
	defer in.close()
	o.Inputs, o.Tick = in.logs, in.show
	found := trace.Run(o)
	in.done()
	w.hiding.hideTrace(found)
	for _, span := range found.Spans {
		if span.Err != nil {
			w.warn(span.Err)
			w.atLeast(exitUsage)
		}
	}
	if len(found.Messages) == 0 && len(found.Loose) == 0 && w.status == exitFine {
		w.atLeast(in.nothing())
	}
	if to.format == "json" || to.format == "ndjson" {
		words = knowledge.In(knowledge.English).Of(by.Base()) // for machines
	}
	t := &report.Trace{Result: found, Words: words, By: by, Terminal: c.terminal(w)}
	return to.write(w, map[string]func(io.Writer) error{"json": t.JSON, "ndjson": t.NDJSON, "md": t.Markdown, "table": t.Text}[to.format])
}

// traced are the inputs of a trace.
type traced struct {
	*progress
	logs    []*trace.Input
	heads   [][]byte // as they begin
	auto    bool     // their format was to be found out
	spooled []*os.File
}

// inputs finds the logs to look in.
func (c *traceCmd) inputs(w *world) (*traced, error) {
	r, err := c.reader(w, reading{})
	if err != nil {
		return nil, err
	}
	files := c.Files
	if len(files) == 0 {
		files = []string{"-"}
	}
	if len(files) == 1 && files[0] == "-" && isTerminal(w.stdin) {
		return nil, fmt.Errorf("no input: name log files, like mailwhy trace %s /var/log/mail.log*, or pipe one in", c.What)
	}
	found, errs := source.Find(files, w.stream())
	for _, err := range errs {
		w.warn(err)
		w.atLeast(exitUsage)
	}
	found = source.Order(r.once(found), r.firstTime)
	r.repeats(found)
	in := &traced{progress: newProgress(w.stderr, found), auto: r.auto}
	for _, f := range found {
		if err := in.add(r, f); err != nil {
			w.warn(err)
			w.atLeast(exitUsage)
		}
	}
	return in, nil
}

// add takes an input in that is a log.
func (t *traced) add(r *reader, in *source.Input) error {
	head, err := in.Head()
	switch {
	case in.Found && (errors.Is(err, errors.ErrUnsupported) || in.Binary()):
		return nil // it only lay in the folder that was named
	case err != nil && len(head) == 0:
		return err
	case len(head) == 0:
		return nil
	}
	format := r.formatOf(in, head)
	if format.Lines == nil {
		return fmt.Errorf("%s is a transcript, which knows of nothing but itself, and is passed over; mailwhy sessions %s reads it", in.Path, in.Path)
	}
	t.heads = append(t.heads, head)
	log := r.input(in, format, head)
	if in.Once() {
		if err := t.spool(log); err != nil {
			return err
		}
	}
	t.logs = append(t.logs, log)
	return nil
}

// spool keeps what comes through a pipe in a file that has no name, because it takes more
// than one look to follow a message.
func (t *traced) spool(log *trace.Input) error {
	body, err := log.Open()
	if err != nil {
		return err
	}
	defer body.Close()
	file, err := os.CreateTemp("", "mailwhy-trace-*")
	if err != nil {
		return fmt.Errorf("a pipe is kept in a file while it is searched: %w; set TMPDIR to where there is room, or name the file", err)
	}
	os.Remove(file.Name())
	t.spooled = append(t.spooled, file)
	log.Size, err = io.Copy(file, body)
	log.Plain = func() (trace.File, error) { return unclosed{io.NewSectionReader(file, 0, log.Size)}, nil }
	return err
}

// unclosed is a file that stays open.
type unclosed struct{ *io.SectionReader }

func (unclosed) Close() error { return nil }

func (t *traced) close() {
	t.done()
	for _, file := range t.spooled {
		file.Close()
	}
}

// nothing is the exit status when nothing was found: another where no log was read.
func (t *traced) nothing() int {
	for _, head := range t.heads {
		if _, sure := parsers.Detect(head); sure || !t.auto {
			return exitNothing
		}
	}
	return exitUnread
}
