package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// inputFlags say what to read and how.
type inputFlags struct {
	Files []string `arg:"" optional:"" name:"file" help:"Log files, rotated and compressed ones too, transcripts, globs or folders; - is standard input."`

	Format  string `group:"Input" default:"auto" enum:"auto,postfix,exim,transcript" help:"Format of the input: ${enum}."`
	Year    int    `group:"Input" placeholder:"YYYY" help:"Year of the first line, for stamps that show none; else guessed from the file's time."`
	TZ      string `group:"Input" placeholder:"ZONE" env:"MAILWHY_TZ" help:"Zone of stamps that show none, like Europe/Berlin or UTC; the machine's when left out."`
	Workers int    `group:"Input" default:"0" hidden:"" help:"How many cores parse; all when 0."`
	redactFlags
}

// The years that a log can be of.
const (
	firstYear = 1970
	lastYear  = 2200
)

// reader reads the inputs one after the other and counts what it read.
type reader struct {
	*world
	flags  *inputFlags
	format parsers.Format
	auto   bool
	zone   *time.Location
	reading
	coverage summary.Coverage
	formats  map[*source.Input]parsers.Format // as detected
	sides    map[*source.Input]bool           // Exim's reject and panic logs
	repeated *session.Repeats
	newer    atomic.Pointer[classify.Classifier] // what it annotates by from now on; nil: as before
	progress *progress
	hide     *redact.Redactor // nil: all is shown
}

// reading is what a command does with the input: with each line in order, and after
// each file.
type reading struct {
	by     *classify.Classifier   // what it annotates replies by
	keep   func(*smtp.Event) bool // which events handle gets besides those with a reply or a failure; nil: all
	lean   bool                   // it gets none, but asks for those it wants: what the session and the summary want to know is in the step and the note
	live   bool                   // and it asks what concerns a live.Watch
	asked  *asked                 // and this is what the notes tell whether a line is asked for by; nil: all are
	handle func(*line) error

	// skim, where it is set, takes each line by what is noted of it. Those for which it returns true
	// are wanted more of: each of turns gets them, those of one batch after the other, so that what
	// it does stays in the processor's caches meanwhile. handle gets none then.
	skim  func(n *note, when time.Time) bool
	turns []turn

	// encode, where it is set, prepares on the workers what handle writes of a line: it appends
	// to buf, and nothing for a line of which handle needs nothing.
	encode func(ev *smtp.Event, n *note, buf []byte) []byte

	// search, where it is set, handles a log without parsing all of it. It returns from which
	// line on the log has to be read in full after all, 0 where it has not.
	search func(r *reader, in *source.Input, log *trace.Input) (span trace.Span, from int64, err error)
	from   func(line int64) // is told so

	endFile func()

	tight bool // much is kept: garbage is collected more often

	// batch, where it is set, is what each batch of lines is handled in, for those who have
	// several inputs at once.
	batch func(bytes, lines int64, handle func() error) error
}

// turn is what is done with the lines of a batch, after or before other things. look, where it is
// set, is asked of each, and take gets those for which it returns true.
type turn struct {
	look func(*wanted) bool
	take func(*line)
}

// read passes the input on and returns what was read. Input that cannot be read is told
// on stderr and does not keep the rest from being read.
func (f *inputFlags) read(w *world, do reading) (summary.Coverage, error) {
	r, err := f.reader(w, do)
	if err != nil {
		return summary.Coverage{}, err
	}
	files := f.Files
	if len(files) == 0 {
		files = []string{"-"}
	}
	if len(files) == 1 && files[0] == "-" && isTerminal(w.stdin) {
		return r.coverage, errors.New("no input: name a log file, like mailwhy /var/log/mail.log, or pipe one in")
	}
	for _, path := range files {
		r.hiding.path(path)
	}
	inputs, errs := source.Find(files, w.stream())
	for _, err := range errs {
		w.warn(err)
		w.atLeast(exitUsage)
	}
	inputs = source.Order(r.once(inputs), r.firstTime)
	r.repeated = r.repeats(inputs)
	r.progress = newProgress(w.stderr, inputs)
	defer r.progress.done()
	for _, in := range inputs {
		if r.stopped() {
			break
		}
		if err := r.file(in); err != nil {
			return r.coverage, err
		}
	}
	r.coverage.Interrupted, r.coverage.Redacted = r.stopped(), r.hide != nil
	return r.coverage, r.judge(len(inputs))
}

// reader returns a reader by the flags.
func (f *inputFlags) reader(w *world, do reading) (*reader, error) {
	if do.tight {
		collect(gcTight)
	} else {
		collect(gcLater)
	}
	r := &reader{
		world: w, flags: f, reading: do, zone: time.Local, formats: map[*source.Input]parsers.Format{}, sides: map[*source.Input]bool{},
		repeated: session.NewRepeats(false), progress: &progress{},
	}
	var err error
	if r.hide, err = f.redactFlags.hide(w); err != nil {
		return nil, err
	}
	if f.Year != 0 && (f.Year < firstYear || f.Year > lastYear) {
		return nil, fmt.Errorf("--year %d: give one from %d to %d", f.Year, firstYear, lastYear)
	}
	if f.TZ != "" {
		zone, err := time.LoadLocation(f.TZ)
		if err != nil {
			return nil, fmt.Errorf("--tz %s is no time zone: give a name like Europe/Berlin or UTC", f.TZ)
		}
		r.zone = zone
	}
	r.format, r.auto = parsers.Any, true
	if f.Format != "auto" {
		r.format, _ = parsers.ByName(f.Format)
		r.auto = false
	}
	return r, nil
}

// once leaves out the compressed copy of a file that is itself among the inputs, as
// "mail.log*" finds them when the original was kept.
func (r *reader) once(inputs []*source.Input) []*source.Input {
	plain := map[string]*source.Input{}
	for _, in := range inputs {
		plain[in.Path] = in
	}
	return slices.DeleteFunc(inputs, func(in *source.Input) bool {
		original := plain[strings.TrimSuffix(in.Path, filepath.Ext(in.Path))]
		if original == nil || original == in {
			return false
		}
		a, err := in.Head()
		b, err2 := original.Head()
		if err != nil || err2 != nil || in.Compression() == "" || !bytes.Equal(a, b) || len(a) == 0 {
			return false
		}
		r.warn(fmt.Errorf("%s begins like %s and is passed over as its compressed copy", in.Path, original.Path))
		return true
	})
}

// judge tells when nothing was understood: never a silent zero.
func (r *reader) judge(inputs int) error {
	c := &r.coverage
	switch {
	case inputs == 0 || r.stopped():
	case c.Understood == 0 && c.Lines == 0:
		r.warn(errors.New("nothing to read: the input is empty"))
		r.atLeast(exitUnread)
	case c.Understood == 0:
		r.warn(fmt.Errorf("none of %d lines was understood: this is no Postfix or Exim log and no SMTP transcript; if it is one after all, name it with --format", c.Lines))
		r.atLeast(exitUnread)
	}
	return nil
}

func (r *reader) stopped() bool {
	select {
	case <-r.stop:
		return true
	default:
		return false
	}
}

// until ends a reader when it is told to stop: a line without an end, as /dev/zero or
// packed zeros are, would let no batch come after which the run could stop.
type until struct {
	io.Reader
	stopped func() bool
}

// Read reads unless it is to stop.
func (u until) Read(p []byte) (int, error) {
	if u.stopped() {
		return 0, io.EOF
	}
	return u.Reader.Read(p)
}

// file reads one input to its end.
func (r *reader) file(in *source.Input) error {
	head, err := in.Head()
	if in.Found && (errors.Is(err, errors.ErrUnsupported) || in.Binary()) {
		return nil // it only lay in the folder that was named
	}
	if err != nil && len(head) == 0 {
		r.lost(in, summary.File{Path: r.hiding.path(in.Path)}, err)
		return nil
	}
	if summary.IsSaved(head) {
		r.lost(in, summary.File{Path: r.hiding.path(in.Path)}, fmt.Errorf("%s: a saved summary and no log; mailwhy merge prints it", in.Path))
		return nil
	}
	format := r.formatOf(in, head)
	r.repeated.File(r.sides[in])
	if r.search != nil {
		r.from(0)
		if done, err := r.searched(in, format, head); done || err != nil {
			return err
		}
	}
	body, err := in.Open()
	if err != nil {
		r.lost(in, summary.File{Path: r.hiding.path(in.Path)}, err)
		return nil
	}
	defer body.Close()

	t := &tally{reader: r, head: head, file: summary.File{Path: r.hiding.path(in.Path), Compression: in.Compression()}, clock: session.NewClock(changed(in), r.zone, r.flags.Year)}
	t.line.path = t.file.Path
	var handleErr error
	if format.Lines == nil {
		err, handleErr = t.transcript(until{body, r.stopped})
	} else {
		err, handleErr = t.lines(until{body, r.stopped}, format.Lines)
	}
	t.close()
	if handleErr != nil {
		return handleErr
	}
	if err != nil {
		r.lost(in, t.file, err)
		return nil
	}
	r.coverage.Files = append(r.coverage.Files, t.file)
	return nil
}

// searched handles a log by a search, where its beginning shows that it is one. Else, where
// nothing of it may be understood, it has to be read to be known.
func (r *reader) searched(in *source.Input, format parsers.Format, head []byte) (done bool, err error) {
	if format.Lines == nil || in.Once() || !understood(format.Lines, head) {
		return false, nil
	}
	span, from, err := r.search(r, in, r.input(in, format, head))
	if err != nil {
		return false, err
	}
	if from > 0 {
		r.from(from)
		return false, nil
	}
	f := summary.File{Path: r.hiding.path(in.Path), Compression: in.Compression()}
	f.Lines, f.Bytes, f.First, f.Last = span.Lines, span.Bytes, span.First, span.Last
	f.Understood = 1 // at the least
	r.coverage.Add(&f.Coverage)
	if span.Err != nil {
		r.lost(in, f, span.Err)
		return true, nil
	}
	r.coverage.Files = append(r.coverage.Files, f)
	return true, nil
}

// understood reports that a line of a piece of text is.
func understood(p smtp.Parser, head []byte) bool {
	var ev smtp.Event
	for l := range bytes.Lines(head) {
		if ok := p.Parse(bytes.TrimRight(l, "\r\n"), &ev); ok && ev.Kind != smtp.KindForeign && ev.Kind != smtp.KindUnknown {
			return true
		}
	}
	return false
}

// input makes a log one that can be looked through.
func (r *reader) input(in *source.Input, format parsers.Format, head []byte) *trace.Input {
	log := &trace.Input{
		Path: in.Path, Place: filepath.Dir(in.Path), Copies: r.sides[in], Parser: format.Lines, Head: slices.Clip(head), Size: max(0, in.Size), Open: in.Open,
		Clock: func() *session.Clock { return session.NewClock(changed(in), r.zone, r.flags.Year) },
		Stamp: func(line []byte, ev *smtp.Event) smtp.Stamp { return parsers.StampOf(format.Lines, line, ev) },
	}
	if in.IsPlain() {
		log.Plain = func() (trace.File, error) { return in.OpenPlain() }
	}
	return log
}

// formatOf tells the format of an input by its first bytes, which are looked at once.
func (r *reader) formatOf(in *source.Input, head []byte) parsers.Format {
	if !r.auto {
		return r.format
	}
	f, ok := r.formats[in]
	if !ok {
		f, _ = parsers.Detect(head)
		r.formats[in] = f
	}
	return f
}

// repeats returns a memory of Exim's lines and notes which inputs are its reject and
// panic logs. For one log of its own, in which all lines are different events, neither
// is needed.
func (r *reader) repeats(inputs []*source.Input) *session.Repeats {
	if len(inputs) < 2 {
		return session.NewRepeats(false)
	}
	for _, in := range inputs {
		if head, _ := in.Head(); sideLog(in, head) {
			r.sides[in] = true
		}
	}
	return session.NewRepeats(len(r.sides) > 0)
}

// sideLog reports whether an input is Exim's reject or panic log, which repeats lines
// of the main log.
func sideLog(in *source.Input, head []byte) bool {
	name := filepath.Base(in.Path)
	return strings.Contains(name, "reject") || strings.Contains(name, "panic") || exim.IsRejectLog(head)
}

// lost notes a file that could not be read, or not to its end.
func (r *reader) lost(in *source.Input, f summary.File, err error) {
	r.warn(err)
	r.atLeast(exitUsage)
	f.Err = r.hiding.message(err)
	r.coverage.Files = append(r.coverage.Files, f)
}

// changed is when the input was last written to; a pipe is being written now.
func changed(in *source.Input) time.Time {
	if in.ModTime.IsZero() {
		return time.Now()
	}
	return in.ModTime
}

// firstTime returns the time of the first line of an input that shows one.
func (r *reader) firstTime(in *source.Input) time.Time {
	head, err := in.Head()
	if err != nil && len(head) == 0 {
		return time.Time{}
	}
	format := r.formatOf(in, head)
	if format.Lines == nil {
		return time.Time{}
	}
	var ev smtp.Event
	clock := session.NewClock(changed(in), r.zone, r.flags.Year)
	for l := range strings.Lines(string(head[:min(len(head), 8<<10)])) {
		format.Lines.Parse([]byte(strings.TrimRight(l, "\r\n")), &ev)
		if t := clock.Settle(ev.Stamp); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}
