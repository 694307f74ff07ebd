package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// wordsFlags say in which language people are spoken to, and by which rules replies are
// judged.
type wordsFlags struct {
	Lang  string `group:"Words" placeholder:"LANG" help:"Language: en, hi or tr; the locale's when left out."`
	Rules string `group:"Words" placeholder:"FILE" help:"Rules of your own, tried before the built-in ones."`
}

// words returns the words and the classifier that the flags ask for.
func (f *wordsFlags) words() (*knowledge.Words, *classify.Classifier, *knowledge.Base, error) {
	lang := f.Lang
	if lang == "" {
		lang = knowledge.Locale(os.Getenv)
	}
	if !slices.Contains(knowledge.Languages(), lang) {
		return nil, nil, nil, fmt.Errorf("--lang %s: there are words in %s", lang, strings.Join(knowledge.Languages(), ", "))
	}
	base, c := knowledge.Load(), classify.Default()
	if f.Rules != "" {
		data, err := os.ReadFile(f.Rules)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("rules: %w", err)
		}
		if base, err = knowledge.WithRules(f.Rules, data); err != nil {
			return nil, nil, nil, err
		}
		c = classify.New(base)
	}
	return knowledge.In(lang).Of(base), c, base, nil
}

// explainer returns what prints answers, and what finds them.
func (f *wordsFlags) explainer(w *world, color string) (*report.Explainer, *classify.Classifier, error) {
	words, c, base, err := f.words()
	if err != nil {
		return nil, nil, err
	}
	return &report.Explainer{Base: base, Words: words, Terminal: report.Terminal{Width: width(w.stdout), Colour: colour(color, w.stdout)}}, c, nil
}
