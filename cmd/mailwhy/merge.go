package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/summary"
)

// mergeCmd adds up saved summaries.
type mergeCmd struct {
	Files []string `arg:"" name:"file" help:"Summaries that report --save wrote, compressed ones too, globs or folders; - is standard input."`
	dayFlags
	wordsFlags
}

// Help is what --help says besides the flags.
func (c *mergeCmd) Help() string {
	return `Adds up the summaries of many hosts or days and prints the same report of all of them.

  mailwhy report --save mx1.json.gz /var/log/mail.log       on each host, each day
  mailwhy merge mx*.json.gz                                 all of it
  mailwhy merge --save november.json.zst 2026-11-*.json.gz  kept as one
  mailwhy merge --against october.json.zst november.json.zst

Counts are exact but for a session or a message that crosses from one file into the next: it is in both.`
}

// Run implements the command.
func (c *mergeCmd) Run(w *world) error {
	out, err := c.checked("merge", c.Files)
	if err != nil {
		return err
	}
	words, by, err := c.words(w)
	if err != nil {
		return err
	}
	sum, err := mergeFiles(w, c.Files, by)
	if err != nil {
		return err
	}
	if err := c.save(sum, by); err != nil {
		return err
	}
	day := report.Day{Summary: sum, Words: words, By: by, Top: c.Top}
	if len(c.Against) > 0 {
		old, err := mergeFiles(w, c.Against, by)
		if err == nil {
			err = compared(old)
		}
		if err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		day.News = sum.Against(old)
	}
	return out.write(w, func(to io.Writer) error { return c.print(to, out.format, day, 0) })
}

// mergeFiles adds up saved summaries, all or none: a sum that lacks a part is wrong.
func mergeFiles(w *world, files []string, by *classify.Classifier) (*summary.Summary, error) {
	inputs, errs := source.Find(files, w.stream())
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	var all []*summary.Summary
	for _, in := range inputs {
		sum, err := load(in, by)
		if err != nil {
			return nil, err
		}
		all = append(all, sum)
	}
	slices.SortStableFunc(all, func(a, b *summary.Summary) int { // as they would be read, where the order matters at all
		return cmp.Or(a.Coverage.First.Compare(b.Coverage.First), cmp.Compare(a.Coverage.Bytes, b.Coverage.Bytes))
	})
	sum := summary.New()
	for _, s := range all {
		sum.Merge(s)
	}
	return sum, nil
}
