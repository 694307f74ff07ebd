package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/mailwhy/mailwhy/internal/report"
)

// compareCmd sets codes against each other.
type compareCmd struct {
	wordsFlags
	tableFlags
	Codes  []string `arg:"" name:"code" help:"Two codes or more, enhanced ones too: 221 553, 4.7.1 5.7.1."`
	Output string   `group:"Output" short:"o" default:"text" enum:"text,json,md" help:"Output format: ${enum}."`
}

// Run implements the command.
func (c *compareCmd) Run(w *world) error {
	e, by, err := c.explainer(w, c.Color)
	if err != nil {
		return err
	}
	var all []*report.Answer
	for _, what := range c.Codes {
		code, status, ok := parseCodes(what)
		if !ok {
			return errors.New(e.Words.Text("explain.nothing_in", "what", fmt.Sprintf("%q", what), "accepted", e.Words.Text("compare.two")))
		}
		if slices.ContainsFunc(all, func(a *report.Answer) bool { return a.Code == code && a.Enhanced == status }) {
			continue // the same again
		}
		a := report.Alone(by, code, status)
		if !a.Known(e.Base) {
			w.atLeast(exitNothing)
		}
		all = append(all, a)
	}
	if len(all) < 2 {
		return errors.New(e.Words.Text("compare.two"))
	}
	switch c.Output {
	case "json":
		_, err := w.stdout.Write(append(e.AppendComparison(nil, all), '\n'))
		return err
	case "md":
		return e.CompareMarkdown(w.stdout, all)
	}
	return e.CompareText(w.stdout, all)
}
