package main

import (
	"errors"
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
	Lang string `group:"Words" placeholder:"LANG" env:"MAILWHY_LANG" help:"Language: ${languages}; the locale's when left out."`
}

// rulesFlags say by which rules replies are judged.
type rulesFlags struct {
	Rules string `group:"Words" placeholder:"FILE" env:"MAILWHY_RULES" help:"Rules of your own, tried before the built-in ones; mailwhy rules check tells whether they are sound."`
}

// classifier returns what judges by the rules that the flags and the configuration ask for.
func (f *rulesFlags) classifier(w *world) (*classify.Classifier, error) {
	files, err := w.ruleFiles(f.Rules)
	if err != nil || len(files) == 0 {
		return classify.Default(), err
	}
	return classifierOf(files...)
}

// again is classifier for a time when another is in use: what that one said stays known.
func (f *rulesFlags) again(w *world, before *classify.Classifier) (*classify.Classifier, error) {
	files, err := w.ruleFiles(f.Rules)
	if err != nil {
		return nil, err
	}
	base, err := before.Base().With(files...)
	if err != nil {
		return nil, err
	}
	return classify.New(base), nil
}

func classifierOf(files ...knowledge.RuleFile) (*classify.Classifier, error) {
	base, err := knowledge.WithRules(files...)
	if err != nil {
		return nil, err
	}
	return classify.New(base), nil
}

// words returns the words and the classifier that the flags ask for.
func (f *wordsFlags) words(w *world) (*knowledge.Words, *classify.Classifier, error) {
	lang, err := f.language()
	if err != nil {
		return nil, nil, err
	}
	by, err := f.classifier(w)
	if err != nil {
		return nil, nil, err
	}
	return knowledge.In(lang).Of(by.Base()), by, nil
}

// language is the one that the flag or the locale asks for.
func (f *wordsFlags) language() (string, error) {
	if f.Lang == "" {
		return knowledge.Locale(os.Getenv), nil
	}
	lang := knowledge.Language(f.Lang) // en_GB is fine
	if !slices.Contains(knowledge.Languages(), lang) {
		return "", errors.New(knowledge.In(knowledge.Locale(os.Getenv)).Text("explain.no_lang", "what", f.Lang, "languages", strings.Join(knowledge.Languages(), ", ")))
	}
	return lang, nil
}

// explainer returns what prints answers, and what finds them.
func (f *wordsFlags) explainer(w *world, color string) (*report.Explainer, *classify.Classifier, error) {
	words, by, err := f.words(w)
	if err != nil {
		return nil, nil, err
	}
	return &report.Explainer{Base: by.Base(), Words: words, Terminal: report.Terminal{Width: width(w.stdout), Colour: colour(color, w.stdout)}}, by, nil
}
