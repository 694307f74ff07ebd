package main

import (
	"errors"
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
	rulesFlags
	Lang string `group:"Words" placeholder:"LANG" help:"Language: ${languages}; the locale's when left out."`
}

// rulesFlags say by which rules replies are judged.
type rulesFlags struct {
	Rules string `group:"Words" placeholder:"FILE" help:"Rules of your own, tried before the built-in ones; mailwhy rules check tells whether they are sound."`
}

// classifier returns what judges by the rules that the flags ask for.
func (f *rulesFlags) classifier() (*classify.Classifier, error) {
	if f.Rules == "" {
		return classify.Default(), nil
	}
	data, err := os.ReadFile(f.Rules)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	base, err := knowledge.WithRules(f.Rules, data)
	if err != nil {
		return nil, err
	}
	return classify.New(base), nil
}

// words returns the words and the classifier that the flags ask for.
func (f *wordsFlags) words() (*knowledge.Words, *classify.Classifier, error) {
	lang, _, _ := strings.Cut(strings.ToLower(f.Lang), "_") // en_GB is fine
	if lang == "" {
		lang = knowledge.Locale(os.Getenv)
	}
	if !slices.Contains(knowledge.Languages(), lang) {
		return nil, nil, errors.New(knowledge.In(knowledge.Locale(os.Getenv)).Text("explain.no_lang", "what", f.Lang, "languages", strings.Join(knowledge.Languages(), ", ")))
	}
	by, err := f.classifier()
	if err != nil {
		return nil, nil, err
	}
	return knowledge.In(lang).Of(by.Base()), by, nil
}

// explainer returns what prints answers, and what finds them.
func (f *wordsFlags) explainer(w *world, color string) (*report.Explainer, *classify.Classifier, error) {
	words, by, err := f.words()
	if err != nil {
		return nil, nil, err
	}
	return &report.Explainer{Base: by.Base(), Words: words, Terminal: report.Terminal{Width: width(w.stdout), Colour: colour(color, w.stdout)}}, by, nil
}
