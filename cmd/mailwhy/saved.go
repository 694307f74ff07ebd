package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/summary"
)

// save writes the summary where --save asks for it.
func (f *dayFlags) save(sum *summary.Summary, by *classify.Classifier) error {
	if f.Save == "" {
		return nil
	}
	err := writeFile(f.Save, func(to io.Writer) error {
		packed, err := source.Encode(to, f.Save)
		if err != nil {
			return err
		}
		return errors.Join(sum.Save(packed, by.Base()), packed.Close())
	})
	if err != nil {
		return fmt.Errorf("--save %s: %w", f.Save, err)
	}
	return nil
}

// isSaved tells a saved summary by its content.
func isSaved(in *source.Input) bool {
	head, err := in.Head()
	return (err == nil || len(head) > 0) && summary.IsSaved(head)
}

// load reads a saved summary.
func load(in *source.Input, by *classify.Classifier) (*summary.Summary, error) {
	body, err := in.Open()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	sum, err := summary.Load(body, by.Base())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Path, err)
	}
	return sum, nil
}

// before is what --against names: the sum of saved summaries and of what is in logs.
func (c *reportCmd) before(w *world, by *classify.Classifier, want *filter.Filter) (*summary.Summary, error) {
	inputs, errs := source.Find(c.Against, w.stream())
	if len(errs) > 0 {
		return nil, fmt.Errorf("--against: %w", errs[0]) // half of it would make the rest look new
	}
	old := summary.New()
	logs := c.inputFlags
	logs.Files = nil
	for _, in := range inputs {
		file, err := os.Stat(in.Path)
		switch {
		case in.Path == "-":
			return nil, errors.New("--against -: standard input cannot be read twice: give files")
		case err == nil && isOneOf(file, c.Files):
			w.warn(fmt.Errorf("%s is what is looked at: it is left out of what was before", in.Path))
		case !isSaved(in):
			logs.Files = append(logs.Files, in.Path)
		case !want.IsZero():
			return nil, fmt.Errorf("--against %s: filters cannot choose within a saved summary: leave them out, or give its logs", in.Path)
		default:
			saved, err := load(in, by)
			if err != nil {
				return nil, fmt.Errorf("--against: %w", err)
			}
			old.Merge(saved)
		}
	}
	if len(logs.Files) == 0 {
		return old, compared(old)
	}
	sum, _, err := c.summarise(w, &logs, by, want)
	if err != nil {
		return nil, err
	}
	old.Merge(sum)
	return old, compared(old)
}

// compared refuses to compare with nothing, against which all is new.
func compared(old *summary.Summary) error {
	if old.Coverage.Understood == 0 {
		return errors.New("--against: there is nothing to compare with: name logs, a quoted pattern of them, or saved summaries of other days")
	}
	return nil
}
