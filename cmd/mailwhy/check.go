package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/alert"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// checkCmd holds a log against limits.
type checkCmd struct {
	inputFlags
	filterFlags
	wordsFlags
	MaxDeferred  string   `group:"Limits" placeholder:"LIMIT" help:"Most that may be deferred: a share of deliveries like 5%, or a count like 100."`
	MaxBounced   string   `group:"Limits" placeholder:"LIMIT" help:"Most that may be bounced or expired; likewise."`
	MaxRejected  string   `group:"Limits" placeholder:"LIMIT" help:"Most that our server may refuse: a share of what came to it, or a count."`
	MaxCause     []string `group:"Limits" placeholder:"CAUSE=LIMIT" help:"Most that may fail for a cause, like blocklisted=0 or mailbox_full=1%. Strangers whom our server refuses do not count, unless --direction inbound asks for them."`
	MinDelivered int64    `group:"Limits" placeholder:"N" help:"Fewest deliveries that must succeed."`
	MinSample    int64    `group:"Limits" default:"20" placeholder:"N" help:"Of fewer deliveries no share is judged (default: 20)."`
	Nagios       bool     `group:"Output" help:"Exit as monitoring plugins do: 0 OK, 2 CRITICAL, a limit is not kept, 3 UNKNOWN, it could not be told."`
	Output       string   `group:"Output" short:"o" default:"text" placeholder:"FORMAT" help:"Output format: text (one line, with figures as monitoring plugins give them), json."`
}

// Help is what --help says besides the flags.
func (c *checkCmd) Help() string {
	return `Exit status: 0 all limits are kept, 1 one is not, 2 wrong usage or input that cannot be read, 3 nothing in the input understood. An empty log, and one of which --since leaves nothing, keeps all limits but --min-delivered.

  mailwhy check --since 1h --max-bounced 2% --max-deferred 5% /var/log/mail.log
  mailwhy check --nagios --since 15m --max-cause blocklisted=0 --min-delivered 1 /var/log/mail.log`
}

// The exit statuses of monitoring plugins, where they are not ours.
const (
	exitCritical = 2
	exitUnknown  = 3
)

// Run implements the command.
func (c *checkCmd) Run(w *world) error {
	if !c.Nagios {
		return c.check(w)
	}
	err := c.check(w)
	if err != nil && !broken(err) {
		fmt.Fprintf(w.stdout, "MAILWHY %s - %s\n", report.Unknown, report.Printable(err.Error()))
		w.status = exitUnknown
		return nil
	}
	return err
}

func (c *checkCmd) check(w *world) error {
	now := time.Now()
	if _, err := filter.ParseWhen(c.Since, now); err != nil {
		if _, err := filter.ParseWhen("-"+c.Since, now); err == nil {
			c.Since = "-" + c.Since // in a gate, 1h can only be the last one
		}
	}
	want, err := c.filter(now)
	if err != nil {
		return err
	}
	if err := checkOutput("check", c.Output, "text", "json"); err != nil {
		return err
	}
	gate, err := c.gate()
	if err != nil {
		return err
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	tally := &alert.Tally{Strangers: want.Direction == smtp.Inbound}
	var at *line
	options := session.Options{Written: asWritten(&at)}
	if !want.IsZero() {
		options.Envelopes = want.From != ""
		options.Select = func(ev *smtp.Event, from []byte) bool { return want.Match(ev, from, at.causeID()) }
	}
	open := session.NewAssembler(options, func(*session.Session) {})
	do := reading{by: by, endFile: open.EndOfFile, handle: func(l *line) error {
		if at = l; open.Add(l.step, l.when, l.ev) && l.ev != nil {
			tally.Event(l.ev, l.note.annotation())
		}
		return nil
	}}
	if asked, ok := askedBy(&want); ok && asked != nil {
		do.lean, do.asked = true, asked
		do.skim = func(n *note, when time.Time) bool {
			return asked.holds(n, when) && (n.known || n.step.Decides() || n.step.Kind == smtp.KindReceived)
		}
		do.turns = []turn{{take: func(l *line) { tally.Event(l.event(), l.note.annotation()) }}}
	}
	if want.IsZero() {
		do.keep = func(ev *smtp.Event) bool { return ev.Decides() || ev.Kind == smtp.KindReceived }
	}
	coverage, err := c.read(w, do)
	if err != nil {
		return err
	}
	out := report.Check{Words: words, Gate: gate, Tally: tally, Coverage: coverage}
	out.Found, out.Few = gate.Judge(tally)
	out.State = c.state(w, &out)
	if c.Output == "json" {
		out.Words = knowledge.In(knowledge.English).Of(by.Base()) // for machines
		return out.JSON(w.stdout)
	}
	return out.Line(w.stdout)
}

// state decides how it went, and the exit status.
func (c *checkCmd) state(w *world, found *report.Check) string {
	if w.status == exitUnread && found.Coverage.Lines == 0 {
		w.status = exitFine // it may have been rotated a moment ago
	}
	over := found.Few
	for i := range found.Found {
		over = over || found.Found[i].Over
	}
	if over {
		w.atLeast(exitNothing)
	}
	switch {
	case c.Nagios && over:
		w.status = exitCritical
		return report.Critical
	case w.status == exitFine:
		return report.Fine
	case w.status == exitNothing:
		return report.Over
	}
	if c.Nagios {
		w.status = exitUnknown
	}
	return report.Unknown
}

// gate reads the limits.
func (c *checkCmd) gate() (*alert.Gate, error) {
	g := &alert.Gate{Least: c.MinDelivered, Sample: c.MinSample}
	var wrong []error
	add := func(flag, limit string, m alert.Most) {
		var err error
		if m.Limit, err = alert.ParseLimit(limit); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", flag, err))
		}
		g.Most = append(g.Most, m)
	}
	for _, f := range []struct {
		flag, limit string
		outcome     smtp.Outcome
	}{{"--max-deferred", c.MaxDeferred, smtp.Deferred}, {"--max-bounced", c.MaxBounced, smtp.Bounced}, {"--max-rejected", c.MaxRejected, smtp.Rejected}} {
		if f.limit != "" {
			add(f.flag, f.limit, alert.Most{Outcome: f.outcome})
		}
	}
	for _, given := range c.MaxCause {
		id, limit, ok := strings.Cut(given, "=")
		cause, known := knowledge.CauseByID(id)
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("--max-cause %s: give a cause and a limit, like blocklisted=0", given))
		case !known:
			wrong = append(wrong, unknownCause("--max-cause", id))
		default:
			add("--max-cause "+id, limit, alert.Most{Cause: cause})
		}
	}
	if c.MinDelivered < 0 || c.MinSample < 0 {
		wrong = append(wrong, errors.New("--min-delivered and --min-sample are 0 or more"))
	}
	if len(g.Most) == 0 && g.Least == 0 && wrong == nil {
		wrong = append(wrong, errors.New("there is nothing to check: give a limit, like --max-bounced 2%, --max-deferred 5%, --max-cause blocklisted=0 or --min-delivered 1"))
	}
	return g, errors.Join(wrong...)
}
