package main

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// journalFlags say what of the journal is followed.
type journalFlags struct {
	Journal bool   `group:"Following" help:"Follow the journal of systemd, which journalctl is started for."`
	Unit    string `group:"Following" placeholder:"UNIT" help:"Of the journal this unit alone, like postfix@-.service; implies --journal."`
}

// journals returns what reads the journal, if it is asked for.
func (c *tailCmd) journals(h *hub, stop <-chan struct{}, parser smtp.Parser, marks map[string]*source.Mark) ([]func() error, error) {
	if !c.Journal && c.Unit == "" {
		return nil, nil
	}
	t, err := h.tally(&c.inputFlags, "journal")
	if err != nil {
		return nil, err
	}
	o := source.JournalOptions{Unit: c.Unit, Lines: c.Lines, Stop: stop, Warn: h.warn}
	if c.FromStart {
		o.Lines = -1
	}
	if m := marks["journal:"+c.Unit]; m != nil {
		o.Cursor = m.Cursor
	}
	j, err := source.FollowJournal(o)
	if err != nil {
		return nil, err
	}
	h.journals = append(h.journals, j)
	return []func() error{func() error { return h.journal(t, j, parser) }}, nil
}

// journal reads the journal to the end of the run.
func (h *hub) journal(t *tally, j *source.Journal, parser smtp.Parser) error {
	t.clock = session.NewClock(time.Now(), t.zone, t.flags.Year)
	t.batch = func(bytes, _ int64, handle func() error) error {
		return h.batch(func() error {
			err := handle()
			h.streamed = time.Now()
			j.Handled(bytes)
			return err
		})
	}
	readErr, handleErr := t.lines(j, parser)
	if handleErr != nil {
		return handleErr
	}
	return readErr
}
