package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// tailCmd follows logs.
type tailCmd struct {
	inputFlags
	filterFlags
	tableFlags
	wordsFlags
	listenFlags
	journalFlags
	Lines     int    `group:"Following" short:"n" default:"10" help:"Begin so many lines before the end."`
	FromStart bool   `group:"Following" help:"Begin at the start of what is there."`
	State     string `group:"Following" placeholder:"FILE" env:"MAILWHY_STATE" help:"Remember in FILE how far was read, and go on from there the next time. What was at work at a sudden end, 64 KiB at the most, may come twice."`
	CaughtUp  bool   `group:"Following" name:"until-caught-up" help:"End once all that is there has been read."`
	Output    string `group:"Output" short:"o" default:"text" placeholder:"FORMAT" help:"Output format: text, ndjson (each line as mailwhy events prints it), json (nothing but the summary at the end, as mailwhy report prints it)."`
	All       bool   `group:"Output" help:"Every session as it ends; with ndjson, lines of other programs too."`
	Dashboard bool   `group:"Output" help:"A view of the whole terminal: rates, causes, sessions, peers; ? there shows the keys."`
	Top       int    `group:"Output" default:"10" help:"Rows of the summary's tables."`
}

// Help is what --help says besides the flags.
func (c *tailCmd) Help() string {
	return `Says what goes wrong as it happens: a new kind of trouble is explained once and then counted, and it is told when mail flows again. A log is followed through its rotation, by renaming or by copying and truncating; one that is not there is waited for.

What cannot be promised: lines that copytruncate itself loses between its copy and its cut, and files that come and go between two looks, which are a tenth of a second apart. What is noticed of it is told.`
}

// Run implements the command.
func (c *tailCmd) Run(w *world) error {
	c.Files = w.files(c.Files)
	want, err := c.filter(time.Now())
	if err != nil {
		return err
	}
	if err := checkOutput("tail", c.Output, "text", "ndjson", "json"); err != nil {
		return err
	}
	if c.Dashboard && c.Output != "text" {
		return fmt.Errorf("--dashboard draws on the terminal and -o %s prints on it: leave one out", c.Output)
	}
	if c.Lines < 0 {
		return fmt.Errorf("-n %d: give 0 or more; --from-start begins at the start", c.Lines)
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	if _, err := c.redactFlags.hide(w); err != nil {
		return err
	}
	stop, end := ender(w.stop)
	h := c.hub(w, stop, end, &want, by)
	out, err := c.display(h, words, end)
	if err != nil {
		return err
	}
	inputs, err := c.inputs(h, words, stop)
	if err != nil {
		return err
	}
	endListening, err := c.listen(h, words, c.Top)
	if err != nil {
		return err
	}
	defer endListening()
	endAlerting, err := c.alerts(h, words, out)
	if err != nil {
		return err
	}
	defer endAlerting()
	endReloading := c.hangups(h, words)
	if c.CaughtUp {
		go h.endAtEnd(end, stop)
	}
	out.begin(c.Files)
	err = out.wait(h.run(!c.CaughtUp, inputs))
	endReloading()
	end()
	h.close()
	if flushErr := h.flush(); err == nil {
		err = flushErr
	}
	out.end()
	w.atLeast(h.status)
	if err != nil {
		return err
	}
	h.judge(c.FromStart)
	w.atLeast(h.status)
	return c.summary(w, h, words.Of(h.by.Base()))
}

// display is what shows people what happens.
type display interface {
	begin(files []string)
	wait(err error) error // until there is no more to look at; err is what reading ended with
	end()
}

// display returns the one that is asked for.
func (c *tailCmd) display(h *hub, words *knowledge.Words, end func()) (display, error) {
	if c.Dashboard {
		return c.board(h, words, end)
	}
	return c.printer(h, words), nil
}

// ender returns a channel that is closed when stop is or end is called.
func ender(stop <-chan struct{}) (either <-chan struct{}, end func()) {
	done, asked := make(chan struct{}), make(chan struct{}, 1)
	go func() {
		select {
		case <-stop:
		case <-asked:
		}
		close(done)
	}()
	return done, func() {
		select {
		case asked <- struct{}{}:
		default:
		}
	}
}

func (c *tailCmd) hub(w *world, stop <-chan struct{}, end func(), want *filter.Filter, by *classify.Classifier) *hub {
	own := *w
	own.stop = stop
	var h *hub
	// What is not looked at need not be kept.
	options := session.Options{Exchanges: c.Dashboard || c.All && c.Output == "text", Envelopes: want.From != ""}
	if !want.IsZero() {
		options.Select = func(ev *smtp.Event, from []byte) bool { return want.Match(ev, from, h.at.causeID()) }
	}
	h = newHub(&own, by, options)
	if want.IsZero() && !options.Exchanges && c.Output != "ndjson" {
		h.keep = func(ev *smtp.Event) bool {
			return ev.Decides() || live.Badly(ev.Kind, ev.Direction, ev.Stage) || ev.Kind == smtp.KindReceived && h.received.Load()
		}
		h.lean = c.Listen == "" && !w.alerted()
	}
	h.end = end
	if c.State != "" {
		h.state = source.NewState(c.State)
	}
	return h
}

// inputs returns what reads each input.
func (c *tailCmd) inputs(h *hub, words *knowledge.Words, stop <-chan struct{}) (all []func() error, err error) {
	parser, err := lineParser(c.Format)
	if err != nil {
		return nil, err
	}
	files := c.Files
	marks, err := c.marks()
	if err != nil {
		return nil, err
	}
	if all, err = c.journals(h, stop, parser, marks); err != nil {
		return nil, err
	}
	if len(files) == 0 && len(all) == 0 {
		if isTerminal(h.stdin) {
			return nil, errors.New("no log to follow: name one, like mailwhy tail /var/log/mail.log, or pipe one in")
		}
		files = []string{"-"}
	}
	for i, path := range files {
		if slices.Contains(files[:i], path) {
			continue
		}
		t, err := h.tally(&c.inputFlags, path)
		if err != nil {
			return nil, err
		}
		if path == "-" {
			in, errs := source.Find([]string{"-"}, h.world.stream())
			if len(errs) > 0 {
				return nil, errs[0]
			}
			all = append(all, func() error { return h.stream(t, in[0], parser) })
			continue
		}
		o := source.FollowOptions{Lines: c.Lines, Stop: stop, Warn: h.warn, Mark: marks[absolute(path)]}
		if c.FromStart {
			o.Lines = -1
		}
		f := source.Follow(absolute(path), o)
		h.followed = append(h.followed, f)
		all = append(all, func() error { return h.follow(t, f, parser) })
	}
	h.goOn(marks, words)
	return all, nil
}

// lookEvery is how often it is looked whether all was read.
const lookEvery = 50 * time.Millisecond

// endAtEnd ends the run once all has been read.
func (h *hub) endAtEnd(end func(), stop <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if len(h.followed) > 0 && h.caughtUp() {
				end()
				return
			}
		}
	}
}

// summary prints what was seen.
func (c *tailCmd) summary(w *world, h *hub, words *knowledge.Words) error {
	switch {
	case c.Output == "ndjson":
		return nil
	case c.Output == "json":
		return h.day(knowledge.In(knowledge.English).Of(h.by.Base()), 0).JSON(w.stdout) // for machines
	case h.sum.Coverage.Lines == 0:
		return nil
	}
	day := h.day(words, c.Top)
	day.More = "--top 1000" // --all is about sessions
	fmt.Fprintln(w.stdout)
	return day.Text(w.stdout, c.terminal(w), day.Tables(nil), 0)
}

// printer prints what happens, as text or as events.
type printer struct {
	*hub
	teller *report.Teller
	out    *bufio.Writer
	term   *tableFlags
	output string
	all    bool
	buf    []byte

	notices []live.Notice // that wait to be printed

	status bool        // there is a terminal to show a status line on
	pulse  string      // what it shows; "" before the first tick
	shown  atomic.Bool // and that it does, now
	before int64       // lines that were read at the last tick
	when   time.Time   // that was
}

func (c *tailCmd) printer(h *hub, words *knowledge.Words) *printer {
	p := &printer{
		hub: h, out: bufio.NewWriterSize(h.stdout, outBuffer), term: &c.tableFlags, output: c.Output, all: c.All,
		status: c.Output == "text" && isTerminal(h.stdout) && os.Getenv("TERM") != "dumb", when: time.Now(),
	}
	p.teller = &report.Teller{Words: words, By: h.by, Terminal: c.terminal(h.world)}
	tell := p.notice
	if p.output != "text" {
		tell, h.blind = nil, true
	}
	h.watch = live.New(h.by.Base(), tell)
	h.watchers = append(h.watchers, p)
	switch {
	case p.output == "ndjson":
		h.passed = append(h.passed, p.passed)
	case p.output == "text" && p.all:
		h.ended = append(h.ended, p.ended)
	}
	h.flush = p.flush
	h.reloaders = append(h.reloaders, func(r *renewal) (func(), error) {
		return func() { p.teller.Words, p.teller.By = r.words, r.by }, nil
	})
	if p.status {
		if isTerminal(h.stderr) {
			h.world.stderr = aside{p, h.world.stderr}
		}
		go p.resize(h.stop)
	}
	return p
}

// begin says what is followed.
func (p *printer) begin(files []string) {
	if !p.status || len(files) == 0 {
		return
	}
	fmt.Fprintln(p.out, report.Printable(p.teller.Words.Text("live.following", "files", strings.Join(p.names(files), ", "))))
	p.out.Flush()
}

// above prints where the status line was, which is drawn again behind it.
func (p *printer) above(print func(*bufio.Writer)) {
	p.tell()
	p.wipe()
	print(p.out)
}

const (
	wipeLine = "\r\x1b[K"
	wipeDown = "\r\x1b[J"
)

func (p *printer) wipe() {
	if p.shown.Swap(false) {
		io.WriteString(p.out, wipeLine)
	}
}

// draw shows the status line where it is not shown.
func (p *printer) draw() {
	if p.pulse != "" && !p.shown.Swap(true) {
		io.WriteString(p.out, p.teller.Terminal.Dim(p.pulse))
	}
}

// resize draws the status line anew when the terminal gets another size.
func (p *printer) resize(stop <-chan struct{}) {
	sizes, end := resized()
	defer end()
	for {
		select {
		case <-sizes:
			p.mu.Lock()
			p.fit()
			p.mu.Unlock()
		case <-stop:
			return
		}
	}
}

// fit draws the status line for the size that the terminal has now. Most terminals break
// a line that is too long for the new width, and go on below.
func (p *printer) fit() {
	before := p.teller.Terminal.Width
	p.teller.Terminal = p.term.terminal(p.world)
	if now := p.teller.Terminal.Width; now > 0 && now < before && p.shown.Swap(false) {
		if rows := (report.Width(p.pulse) + now - 1) / now; rows > 1 {
			fmt.Fprintf(p.out, "\x1b[%dA", rows-1)
		}
		io.WriteString(p.out, wipeDown)
	}
	p.update(p.teller.Clip(p.pulse))
	p.flush()
}

// update shows another status line.
func (p *printer) update(pulse string) {
	if pulse != p.pulse {
		p.wipe()
		p.pulse = pulse
	}
	p.draw()
}

// aside is stderr on the terminal that the status line is on. Whatever is written to it
// stands where that was.
type aside struct {
	*printer
	to io.Writer
}

func (a aside) Write(b []byte) (int, error) {
	if a.shown.Swap(false) {
		b = append([]byte(wipeLine), b...)
		n, err := a.to.Write(b)
		return max(0, n-len(wipeLine)), err
	}
	return a.to.Write(b)
}

// maxNotices is how many notices wait to be printed.
const maxNotices = 1024

// notice takes a notice, to be printed with others.
func (p *printer) notice(n *live.Notice) {
	if p.notices = append(p.notices, *n); len(p.notices) == maxNotices {
		p.tell()
	}
}

// tell prints the notices that wait.
func (p *printer) tell() {
	if len(p.notices) == 0 {
		return
	}
	p.wipe()
	for i := range p.notices {
		p.teller.Notice(p.out, &p.notices[i])
	}
	clear(p.notices)
	p.notices = p.notices[:0]
}

// passed prints a line's event.
func (p *printer) passed(l *line) {
	if l.ev.Kind == smtp.KindForeign && !p.all {
		return
	}
	p.buf = append(report.AppendEvent(p.buf[:0], l.ev, report.Place{Path: l.path, Line: l.number, Guessed: l.guessed}, l.explanation(p.by)), '\n')
	p.out.Write(p.buf)
}

// ended prints a session.
func (p *printer) ended(s *session.Session) {
	p.above(func(out *bufio.Writer) { p.teller.Session(out, s) })
}

// Tick implements watcher.
func (p *printer) Tick(now time.Time) {
	if !p.status {
		return
	}
	s := p.watch.Snapshot(0)
	pulse, lines := report.Pulse{Now: now}, p.lines()
	if since := time.Since(p.when); since > 0 {
		pulse.PerSecond = int64(float64(lines-p.before)/since.Seconds() + 0.5)
	}
	p.before, p.when = lines, time.Now()
	for i := range s.Rates {
		pulse.Minute[i] = s.Rates[i].Recent(s.Now)
	}
	for _, f := range p.followed {
		pulse.Behind += f.Health().Lag
	}
	p.update(p.teller.Status(&pulse))
}

// Close implements watcher.
func (p *printer) Close() {
	p.tell()
	p.wipe()
	p.pulse = ""
}

func (p *printer) flush() error {
	p.tell()
	p.draw()
	return p.out.Flush()
}

func (p *printer) wait(err error) error { return err }

func (p *printer) end() {
	p.wipe()
	p.out.Flush()
}
