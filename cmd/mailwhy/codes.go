package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// codesCmd lists the catalogue.
type codesCmd struct {
	wordsFlags
	tableFlags
	Which  []string `arg:"" optional:"" name:"code" help:"Only these: 550, 5xx, 5.7.1, 5.7.x."`
	Output string   `group:"Output" short:"o" default:"table" enum:"table,json,ndjson,csv,md,html" help:"Output format: ${enum}. html is one page with a chooser that sets two codes side by side."`
}

// Run implements the command.
func (c *codesCmd) Run(w *world) error {
	e, by, err := c.explainer(w, c.Color)
	if err != nil {
		return err
	}
	all := report.Codes(e.Base, by)
	if len(c.Which) > 0 {
		all = c.chosen(all)
	}
	if len(all) == 0 {
		return errors.New(e.Words.Text("codes.no_such", "what", strings.Join(c.Which, " ")))
	}
	switch c.Output {
	case "html":
		return e.CodesHTML(w.stdout, all)
	case "json", "ndjson":
		return objects(w, c.Output, len(all), func(b []byte, i int) []byte { return e.AppendAnswer(b, all[i]) })
	}
	return printTable(w, e, c.Output, e.CodesTable(all, c.Output != "table"))
}

// chosen keeps the codes that were asked for; none when something else was asked for too.
func (c *codesCmd) chosen(all []*report.Answer) (kept []*report.Answer) {
	var codes []filter.Code
	for _, which := range c.Which {
		code, err := filter.ParseCode(which)
		if err != nil {
			return nil
		}
		codes = append(codes, code)
	}
	for _, a := range all {
		for _, code := range codes {
			if code.Match(a.Code, a.Enhanced) {
				kept = append(kept, a)
				break
			}
		}
	}
	return kept
}

// causesCmd lists the causes.
type causesCmd struct {
	wordsFlags
	tableFlags
	Output string `group:"Output" short:"o" default:"table" enum:"table,json,ndjson,csv,md" help:"Output format: ${enum}."`
}

// Run implements the command.
func (c *causesCmd) Run(w *world) error {
	e, _, err := c.explainer(w, c.Color)
	if err != nil {
		return err
	}
	all := knowledge.Causes()
	if c.Output == "json" || c.Output == "ndjson" {
		return objects(w, c.Output, len(all), func(b []byte, i int) []byte { return e.AppendCause(b, all[i]) })
	}
	return printTable(w, e, c.Output, e.CausesTable(c.Output != "table"))
}

// printTable prints a table in one of the formats for tables.
func printTable(w *world, e *report.Explainer, format string, t report.Table) error {
	switch format {
	case "csv":
		return report.CSV(w.stdout, t)
	case "md":
		return report.Markdown(w.stdout, t)
	}
	return e.Terminal.Text(w.stdout, t)
}

// objects prints JSON objects, one a line or as an array.
func objects(w *world, format string, n int, object func(b []byte, i int) []byte) error {
	out := bufio.NewWriter(w.stdout)
	var buf []byte
	for i := range n {
		buf = buf[:0]
		if format == "json" {
			buf = append(buf, "[,"[min(i, 1)])
		}
		out.Write(append(object(buf, i), '\n'))
	}
	if format == "json" {
		fmt.Fprintln(out, "]")
	}
	return out.Flush()
}

// rulesCmd is about a user's own rules.
type rulesCmd struct {
	Check rulesCheckCmd `cmd:"" help:"Read a file of rules and tell which sample is taken by which rule."`
}

// rulesCheckCmd checks a file of rules.
type rulesCheckCmd struct {
	File string `arg:"" help:"A TOML file with [[rule]] tables: id, cause, any (phrases), sample, and more; see the README."`
	Lang string `placeholder:"LANG" env:"MAILWHY_LANG" help:"Language: ${languages}; the locale's when left out."`
}

// Run implements the command.
func (c *rulesCheckCmd) Run(w *world) error {
	lang, err := (&wordsFlags{Lang: c.Lang}).language()
	if err != nil {
		return err
	}
	file, err := w.readRules(c.File)
	if err != nil {
		return err
	}
	by, err := classifierOf(file) // it alone, without the configuration
	if err != nil {
		return err
	}
	words := knowledge.In(lang).Of(by.Base())
	for i := range by.Base().Rules[:by.Base().OwnRules] {
		w.checkRule(words, by, &by.Base().Rules[i])
	}
	return nil
}

// checkRule tells whether a rule takes its own sample.
func (w *world) checkRule(words *knowledge.Words, by *classify.Classifier, r *knowledge.Rule) {
	taker := by.Taker(r)
	if taker == r {
		fmt.Fprintln(w.stdout, words.Text("rules.fine", "rule", r.ID))
		return
	}
	w.atLeast(exitNothing)
	name := words.Text("rules.nobody")
	if taker != nil {
		name = taker.ID
	}
	fmt.Fprintln(w.stdout, words.Text("rules.by", "rule", r.ID, "taker", name))
}
