package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/alert"
	"github.com/mailwhy/mailwhy/internal/config"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

const (
	// recent is how old the last line may be for the log to count as read to its end: on a
	// busy server there is always a line that waits.
	recent = 2 * time.Minute
	// A pipe does not say how much is still in it. When its log's time goes on no faster than
	// leap a second, for steady seconds, it is written as it is read.
	leap   = 5 * time.Second
	steady = 10
)

// alertRules reads the alerts of a configuration.
func alertRules(conf *config.File) ([]alert.Rule, error) {
	return config.Rows(conf, alertList, (*alert.Rule).Validate)
}

// alerted reports whether the configuration has alerts, which want to see events. What is wrong with
// them is told later.
func (w *world) alerted() bool {
	rules, err := alertRules(w.conf)
	return err != nil || len(rules) > 0
}

// alerts is the watcher that holds what a followed log tells against the user's rules.
type alerts struct {
	*hub
	words  *knowledge.Words
	engine *alert.Engine
	runner *alert.Runner
	tell   func(*alert.Alert) // to whom looks on
	me     string             // this machine's name
	states string             // where what was told is remembered; "" is nowhere
	change bool               // something was told that is not there yet
	failed bool               // it cannot be written, and that was said
	last   time.Time          // the last Tick's
	pace   int
	lost   alert.Dropped
}

// alerts begins to watch for the alerts of the configuration. It returns what ends it.
func (c *tailCmd) alerts(h *hub, words *knowledge.Words, shown display) (end func(), err error) {
	a := &alerts{hub: h, words: words, states: c.alertStates()}
	if a.engine, err = a.engineOf(h.conf, h.by.Base()); err != nil {
		return nil, err
	}
	if a.states != "" {
		states, err := alert.LoadStates(a.states)
		if err != nil {
			return nil, err
		}
		a.engine.Restore(states)
	}
	a.me, _ = os.Hostname()
	a.runner = alert.NewRunner(h.warn)
	if p, ok := shown.(*printer); ok && p.output == "text" {
		a.tell = func(n *alert.Alert) {
			p.above(func(out *bufio.Writer) { p.teller.Alert(out, n, time.TimeOnly) })
		}
	} else {
		a.tell = func(n *alert.Alert) { h.warn(errors.New(report.AlertText(a.words, n))) }
	}
	h.received.Store(a.engine.Received())
	h.watchers, h.passed, h.reloaders = append(h.watchers, a), append(h.passed, a.passed), append(h.reloaders, a.renew)
	return a.runner.Close, nil
}

// alertStates is where it is remembered what was told of, beside how far was read.
func (c *tailCmd) alertStates() string {
	if c.State == "" {
		return ""
	}
	return c.State + ".alerts"
}

// engineOf returns what holds lines against the alerts of a configuration.
func (a *alerts) engineOf(conf *config.File, base *knowledge.Base) (*alert.Engine, error) {
	rules, err := alertRules(conf)
	if err != nil {
		return nil, err
	}
	return alert.New(rules, base, a.told)
}

// told has it told, and done, what there is to an alert.
func (a *alerts) told(n *alert.Alert) {
	a.tell(n)
	f := report.AlertFacts(a.words, n)
	f.Host = a.me
	a.runner.Do(n.Rule, f)
	a.change = true
}

// renew is a reloader. What was told of a rule that is still there is not told again.
func (a *alerts) renew(r *renewal) (apply func(), err error) {
	engine, err := a.engineOf(r.conf, r.by.Base())
	if err != nil {
		return nil, err
	}
	return func() {
		engine.Restore(a.engine.States())
		a.engine, a.words, a.lost = engine, r.words, alert.Dropped{}
		a.received.Store(engine.Received())
	}, nil
}

func (a *alerts) passed(l *line) {
	if !a.engine.Idle() {
		a.engine.Event(l.event(), l.note.annotation(), l.step.Host, a.line)
	}
}

// line is the line that the hub is at.
func (a *alerts) line() alert.Line { return alert.Line(a.lastLine()) }

// Tick implements watcher.
func (a *alerts) Tick(now time.Time) {
	a.engine.Tick(now, a.live(now))
	if d := a.engine.Dropped(); d != a.lost {
		if a.lost == (alert.Dropped{}) {
			a.warn(fmt.Errorf("alerts: too many were to be counted apart or told at once; so far lines not counted: %d, alerts not told: %d", d.Lines, d.Alerts))
		}
		a.lost = d
	}
	a.save()
}

// live reports that what is read now is what is written now.
func (a *alerts) live(now time.Time) bool {
	if step := now.Sub(a.last); step >= 0 && step <= leap {
		a.pace++
	} else {
		a.pace = 0
	}
	a.last = now
	return time.Since(now) < recent || len(a.followed) == 0 && a.pace >= steady
}

// save remembers what was told.
func (a *alerts) save() {
	if !a.change || a.states == "" {
		return
	}
	a.change = false
	if err := alert.SaveStates(a.states, a.engine.States()); err != nil && !a.failed {
		a.failed = true
		a.warn(fmt.Errorf("alerts: what was told is not remembered: %w", err))
	}
}

// Close implements watcher.
func (a *alerts) Close() { a.save() }

// alertsCmd is about the alerts of the configuration.
type alertsCmd struct {
	Check  alertsCheckCmd  `cmd:"" default:"withargs" help:"Show the alerts as they are understood, or what is wrong with them."`
	Test   alertsTestCmd   `cmd:"" help:"Do now what an alert does: run its program, post to its webhook."`
	Replay alertsReplayCmd `cmd:"" help:"Tell which alerts a log would have given, and when; nothing is run or posted."`
}

// rules returns the alerts; there must be some.
func (w *world) alertRules(words *knowledge.Words) ([]alert.Rule, error) {
	rules, err := alertRules(w.conf)
	if err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		return nil, errors.New(words.Text("alert.none"))
	}
	_, err = alert.New(rules, knowledge.Load(), nil)
	return rules, err
}

// alertsCheckCmd shows the alerts.
type alertsCheckCmd struct {
	tableFlags
	wordsFlags
}

// Run implements the command.
func (c *alertsCheckCmd) Run(w *world) error {
	words, _, err := c.words(w)
	if err != nil {
		return err
	}
	rules, err := w.alertRules(words)
	if err != nil {
		return err
	}
	return c.terminal(w).Text(w.stdout, report.AlertTable(words, rules))
}

// alertsTestCmd carries out what an alert does.
type alertsTestCmd struct {
	wordsFlags
	Name     string `arg:"" help:"The alert's name."`
	Resolved bool   `help:"As when it is over."`
}

// Run implements the command.
func (c *alertsTestCmd) Run(w *world) error {
	words, _, err := c.words(w)
	if err != nil {
		return err
	}
	rules, err := w.alertRules(words)
	if err != nil {
		return err
	}
	var names []string
	for i := range rules {
		if r := &rules[i]; r.Name == c.Name {
			return w.tryAlert(words, r, c.Resolved)
		}
		names = append(names, rules[i].Name)
	}
	return fmt.Errorf("there is no alert %q; there are %s", c.Name, strings.Join(names, ", "))
}

// tryAlert does what an alert does, once.
func (w *world) tryAlert(words *knowledge.Words, r *alert.Rule, resolved bool) error {
	f := report.AlertFacts(words, r.Example(time.Now().Truncate(time.Second), resolved))
	f.Host, _ = os.Hostname()
	f.Text = words.Text("alert.test") + " " + f.Text
	fmt.Fprintln(w.stdout, report.Printable(f.Text))
	if len(r.Run) == 0 && r.Webhook == "" {
		fmt.Fprintln(w.stdout, report.Printable(words.Text("alert.no_actions", "name", r.Name)))
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-w.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	did := func(what string, err error) {
		if err != nil {
			w.warn(err)
			w.atLeast(exitUsage)
			return
		}
		fmt.Fprintln(w.stdout, report.Printable(words.Text("alert.did", "what", what)))
	}
	if len(r.Run) > 0 {
		did(r.Program(), alert.Command(ctx, r, &f))
	}
	if r.Webhook != "" {
		_, _, err := alert.Post(ctx, r, &f)
		did(r.WebhookHost(), err)
	}
	return nil
}

// alertsReplayCmd tells what alerts a log would have given.
type alertsReplayCmd struct {
	inputFlags
	tableFlags
	wordsFlags
	Output string `group:"Output" short:"o" default:"text" placeholder:"FORMAT" help:"Output format: text, ndjson (what a webhook would be sent)."`
}

// Run implements the command.
func (c *alertsReplayCmd) Run(w *world) error {
	if err := checkOutput("alerts replay", c.Output, "text", "ndjson"); err != nil {
		return err
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	rules, err := w.alertRules(words)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w.stdout, outBuffer)
	p := replay{teller: report.Teller{Words: words, By: by, Terminal: c.terminal(w)}, out: out, json: c.Output == "ndjson"}
	if p.engine, err = alert.New(rules, by.Base(), p.told); err != nil {
		return err
	}
	_, err = c.read(w, reading{by: by, endFile: func() {}, handle: p.handle})
	if err != nil {
		return err
	}
	if p.given == 0 && w.status == exitFine {
		w.atLeast(exitNothing)
		if !p.json {
			fmt.Fprintln(out, report.Printable(words.Text("alert.none_fired")))
		}
	}
	return out.Flush()
}

// replay holds a log against rules by its own time.
type replay struct {
	engine *alert.Engine
	teller report.Teller
	out    *bufio.Writer
	json   bool
	at     *line
	now    time.Time
	given  int
	err    error
}

// maxSteps bounds how often the clock is looked at between two lines.
const maxSteps = 24 * 60

// handle takes a line, as if it were read when it was written.
func (p *replay) handle(l *line) error {
	p.at = l
	if now := l.when.Truncate(time.Second); now.After(p.now) && !l.when.IsZero() {
		p.tick(now)
	}
	p.engine.Event(l.ev, l.note.annotation(), l.step.Host, p.line)
	return p.err
}

// tick lets the time pass until now.
func (p *replay) tick(now time.Time) {
	if !p.now.IsZero() {
		step := max(now.Sub(p.now)/maxSteps, time.Second)
		for t := p.now.Add(step); t.Before(now); t = t.Add(step) {
			p.engine.Tick(t, true)
		}
	}
	p.engine.Tick(now, true)
	p.now = now
}

func (p *replay) line() alert.Line {
	return alert.Line{Path: p.at.path, Number: p.at.number, Text: p.at.shown()}
}

func (p *replay) told(n *alert.Alert) {
	p.given++
	if p.json {
		line, err := json.Marshal(report.AlertFacts(p.teller.Words, n))
		p.err = errors.Join(p.err, err)
		p.out.Write(append(line, '\n'))
	} else {
		p.teller.Alert(p.out, n, time.DateTime)
	}
	p.err = errors.Join(p.err, p.out.Flush()) // alerts are few, and whoever reads them may have gone
}
