package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/config"
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// renewal is a configuration that is to take another's place while the program runs.
type renewal struct {
	conf  *config.File // nil for none
	by    *classify.Classifier
	words *knowledge.Words
}

// A reloader looks whether it can do with a new configuration. If all can, apply is called
// with the hub held; if one cannot, the old one stays for all.
type reloader func(*renewal) (apply func(), err error)

// hangups reads the configuration anew at each SIGHUP: rules, and what has a reloader. It
// returns what ends that. On a terminal the signal says that the terminal is gone, and ends
// the program as ever.
func (c *tailCmd) hangups(h *hub, words *knowledge.Words) (end func()) {
	if isTerminal(h.stdin) || isTerminal(h.stdout) || signal.Ignored(syscall.SIGHUP) {
		return func() {}
	}
	signals, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer close(ended)
		for {
			select {
			case <-signals:
				c.reload(h, words)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-ended
	}
}

// reload reads the configuration anew, and says how that went.
func (c *tailCmd) reload(h *hub, words *knowledge.Words) {
	err := c.renew(h, words)
	if err != nil {
		fail(h.stderr, err)
		fmt.Fprintln(h.stderr, words.Text("reload.kept"))
	} else {
		fmt.Fprintln(h.stderr, words.Text("reload.done"))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, tell := range h.reloaded {
		tell(err)
	}
}

// renew puts what the configuration says now in place of what it said before, all of it or
// nothing. The flags that were given hold on, and so do those that it set at the start:
// which logs are followed, and where their marks are, and where is listened.
func (c *tailCmd) renew(h *hub, words *knowledge.Words) error {
	conf, err := h.findConfig()
	if err != nil {
		return err
	}
	next := *h.world
	next.conf = conf
	by, err := c.again(&next, h.by)
	if err != nil {
		return err
	}
	r := &renewal{conf: conf, by: by, words: words.Of(by.Base())}
	var applies []func()
	var errs []error
	for _, reload := range h.reloaders {
		apply, err := reload(r)
		applies, errs = append(applies, apply), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.by, h.world.conf = by, conf
	for _, t := range h.tallies {
		t.newer.Store(by)
	}
	for _, apply := range applies {
		apply()
	}
	return nil
}
