package knowledge

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/BurntSushi/toml"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

type ruleRow struct {
	ID, As, Cause, By, Said string
	Provider                string
	Any, Also, Not          string // phrases, one a line
	At, Enhanced            []string
	Code                    []int
	Class                   int
	Sample                  string

	// Words of its own, in a user's file: lang/ knows nothing of his rules.
	Title, Meaning, Fix string
	Steps               []string
}

func loadRules(b *Base) error {
	var in struct{ Rule []ruleRow }
	if err := decode("rules.toml", &in); err != nil {
		return err
	}
	for i := range in.Rule {
		if err := b.addRule(&in.Rule[i]); err != nil {
			return fmt.Errorf("rules.toml: %s: %w", in.Rule[i].ID, err)
		}
	}
	return nil
}

func (b *Base) addRule(in *ruleRow) (err error) {
	if in.ID == "" {
		return errors.New("no id; give it a name of its own")
	}
	r := Rule{ID: in.ID, Any: lines(in.Any), Also: lines(in.Also), Not: lines(in.Not), Class: in.Class}
	if r.Any != nil || in.Provider == "" || len(in.Enhanced) == 0 {
		if err := checkPhrases(r.Any, r.Also, r.Not); err != nil {
			return err
		}
	}
	if in.Provider != "" {
		if r.Provider = b.providerByID(in.Provider); r.Provider == 0 {
			return fmt.Errorf("no provider %q; the providers are %s", in.Provider, strings.Join(b.providerIDs(), ", "))
		}
	}
	for _, e := range in.Enhanced {
		v, err := parsePattern(e)
		if err != nil {
			return err
		}
		r.Enhanced = append(r.Enhanced, v)
	}
	if in.Sample == "" {
		return fmt.Errorf("no sample; give it a text that the rule should take")
	}
	s := Sample{Text: in.Sample, By: Remote}
	if s.Stage, r.stages, err = sampleStage(in.At); err != nil {
		return err
	}
	if r.By, err = parseBy(in.By); err != nil {
		return err
	}
	if r.By != AnyBody {
		s.By = r.By
	}
	for _, c := range in.Code {
		r.Codes = append(r.Codes, smtp.Code(c))
	}
	switch in.Said {
	case "":
	case "own":
		r.Own, s.Own, s.By = true, true, Local
	case "reply":
		r.Reply = true
	default:
		return fmt.Errorf("said %q is neither own nor reply", in.Said)
	}
	if r.Provider != 0 && !hasMark(&b.Providers[r.Provider], in.Sample) && len(b.Providers[r.Provider].Hosts) > 0 {
		s.Host = b.Providers[r.Provider].Hosts[0]
	}
	r.Sample = s
	if r.Entry, err = b.entryOf(in.ID, in.As, in.Cause); err != nil {
		return err
	}
	b.Rules = append(b.Rules, r)
	return nil
}

// entryOf returns the entry of a rule: its own, or the context that it says it is.
func (b *Base) entryOf(id, as, cause string) (EntryID, error) {
	if as == "" {
		return b.add(id, cause, nil)
	}
	e, ok := b.byID[as]
	if !ok || cause != "" {
		return 0, fmt.Errorf("as %q is no context of codes.toml, or a cause stands beside it", as)
	}
	return e, nil
}

// MinPhrase is the length in bytes that a phrase has at least. A shorter one would be
// found in the middle of words; and matchers look phrases up by their first four bytes.
const MinPhrase = 4

// MaxPhrases bounds the phrases of all rules and marks: matchers keep a set of those that a
// text holds on the stack. MaxOwnPhrases of them are left to a user's rules, and maxOwnRules
// of the entries: whoever packs annotations counts on there being no more than MaxEntries
// and MaxProviders.
const (
	MaxPhrases    = 4096
	MaxOwnPhrases = 1024
	MaxEntries    = 8192
	MaxProviders  = 128
	maxOwnRules   = 4096
)

// maxWrong is how many wrong rules of a file are told at once.
const maxWrong = 50

// lines cuts phrases that stand one a line.
func lines(s string) []string {
	if s = strings.Trim(strings.ReplaceAll(s, "\r\n", "\n"), "\n"); s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// phraseError is about one phrase, by which its line in the file is found.
type phraseError struct{ phrase, what string }

func (e *phraseError) Error() string { return fmt.Sprintf("phrase %q %s", e.phrase, e.what) }

func wrongPhrase(phrase, what string, args ...any) error {
	return &phraseError{phrase, fmt.Sprintf(what, args...)}
}

// checkPhrases refuses phrases that could never be found.
func checkPhrases(lists ...[]string) error {
	had := make(map[string]bool)
	for _, list := range lists {
		for _, p := range list {
			switch {
			case len(p) < MinPhrase:
				return wrongPhrase(p, "is shorter than %d bytes; take more of the text around it", MinPhrase)
			case p != strings.ToLower(p):
				return wrongPhrase(p, "has capitals; write it in lower case")
			case p != strings.TrimSpace(p):
				return wrongPhrase(p, "has blanks at an end; editors lose them, so take more of the text")
			case had[p]:
				return wrongPhrase(p, "is there twice; leave one out")
			}
			had[p] = true
		}
	}
	if len(lists[0]) == 0 {
		return fmt.Errorf("no phrase under any; give it one")
	}
	return nil
}

// providerIDs are the names that a rule may give as its provider.
func (b *Base) providerIDs() []string {
	var ids []string
	for _, p := range b.Providers[1:] {
		ids = append(ids, p.ID)
	}
	return ids
}

// hasMark reports whether a text shows by itself whose it is.
func hasMark(p *ProviderFacts, text string) bool {
	text = strings.ToLower(text)
	for _, m := range p.Marks {
		if strings.Contains(text, m) {
			return true
		}
	}
	return false
}

// RuleFile is a file of a user's rules: it has the form of rules.toml, tables [[rule]], with
// title, meaning, fix and steps for the rule's own words. What else is in it, as in a
// configuration that holds rules too, is others' business.
type RuleFile struct {
	Path string // for messages
	Data []byte
}

type ruleFile struct{ Rule []ruleRow }

// read decodes the file. What is wrong with its form ends it; unknown keys of rules are
// returned.
func (f *RuleFile) read() (in ruleFile, unknown []error, err error) {
	md, err := toml.Decode(string(f.Data), &in)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			return in, nil, fmt.Errorf("%s:%d: %s; a rule is [[rule]] on a line, then lines of key = \"value\"", f.Path, syntax.Position.Line, syntax.Message)
		}
		return in, nil, fmt.Errorf("%s: %w; any, also and not are one text with a phrase a line (\"\"\"), at, enhanced, code and steps are lists, a table of rules is [[rule]]", f.Path, err)
	}
	for _, key := range md.Undecoded() {
		if name := key[len(key)-1]; len(key) > 1 && key[0] == "rule" {
			unknown = append(unknown, fmt.Errorf("%s:%d: unknown key %q; a rule has id, cause, any, also, not, said, by, class, code, enhanced, provider, at, sample, title, meaning, fix, steps", f.Path, lineOf(f.Data, name, 0), name))
		}
	}
	return in, unknown, nil
}

// WithRules returns the base with a user's own rules before ours, those of the first file
// first. Messages name the file, the line and what to do; all that is wrong is told at once.
func WithRules(files ...RuleFile) (*Base, error) { return Load().With(files...) }

// With is WithRules in place of a base that is in use: what is known by its number, like
// the rows of a summary, means the same in both. A rule that is gone is still known by its
// words.
func (old *Base) With(files ...RuleFile) (*Base, error) {
	b, err := load()
	if err != nil {
		return nil, err
	}
	ours := b.Rules
	b.Rules, b.words = nil, map[string]EntryWords{}
	b.keep(old)
	var wrong []error
	for i := range files {
		wrong = append(wrong, b.addFile(&files[i])...)
	}
	if n := phrasesOf(b.Rules); n > MaxOwnPhrases || len(b.Rules) > maxOwnRules {
		wrong = append(wrong, fmt.Errorf("%s: %d rules with %d phrases, and there is room for %d with %d; leave out what the built-in rules say too", files[0].Path, len(b.Rules), n, maxOwnRules, MaxOwnPhrases))
	}
	if len(b.Entries) > len(Load().Entries)+maxOwnRules {
		wrong = append(wrong, fmt.Errorf("%s: with those that are gone there are more than %d rules; start the program anew", files[0].Path, maxOwnRules))
	}
	if wrong != nil {
		return nil, errors.Join(wrong...)
	}
	b.OwnRules = len(b.Rules)
	b.Rules = append(b.Rules, ours...)
	return b, nil
}

// keep takes over the entries of an older base's own rules, with their numbers.
func (b *Base) keep(old *Base) {
	b.kept = map[string]EntryID{}
	for _, e := range old.Entries[len(b.Entries):] {
		b.kept[e.ID] = EntryID(len(b.Entries))
		b.words[e.ID] = old.words[e.ID]
		b.Entries = append(b.Entries, e)
	}
}

// addFile adds a file's rules and returns what is wrong with them.
func (b *Base) addFile(f *RuleFile) (wrong []error) {
	in, wrong, err := f.read()
	if err != nil {
		return []error{err}
	}
	for i := range in.Rule {
		row := &in.Rule[i]
		if len(wrong) >= maxWrong {
			return append(wrong, fmt.Errorf("%s: only the first rules that are wrong are told of; mend them and check again", f.Path))
		}
		if err := b.addOwn(row); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: rule %q: %w", f.Path, lineOfError(f.Data, i, err), row.ID, err))
			continue
		}
		b.words[row.ID] = EntryWords{Title: row.Title, Meaning: row.Meaning, Fix: row.Fix, Steps: row.Steps}
	}
	if len(in.Rule) == 0 && len(wrong) == 0 {
		wrong = append(wrong, fmt.Errorf("%s: there is no [[rule]] in it; one has at least id, cause, any and sample", f.Path))
	}
	return wrong
}

// addOwn adds a user's rule. His numbers and names are held to more than ours, which the
// tests look after.
func (b *Base) addOwn(in *ruleRow) error {
	if strings.ContainsFunc(in.ID, func(r rune) bool { return !unicode.IsGraphic(r) }) {
		return fmt.Errorf("its id has characters that cannot be seen; use letters, digits and -")
	}
	if in.Class != 0 && in.Class != 4 && in.Class != 5 {
		return fmt.Errorf("class %d is neither 4 nor 5", in.Class)
	}
	for _, c := range in.Code {
		if c < 400 || c > 599 {
			return fmt.Errorf("code %d is of no failure; give one from 400 to 599", c)
		}
	}
	return b.addRule(in)
}

// lineOfError returns the line that what is wrong with the n-th rule is about: that of its
// phrase, else that with which the rule begins.
func lineOfError(data []byte, n int, err error) int {
	at := lineOf(data, "[[rule]]", n)
	var wrong *phraseError
	if errors.As(err, &wrong) {
		for i, line := range strings.Split(string(data), "\n") {
			if i >= at && strings.Contains(line, wrong.phrase) && (strings.TrimSuffix(line, "\r") == wrong.phrase || strings.Contains(line, "'"+wrong.phrase)) {
				return i + 1
			}
		}
	}
	return at
}

// lineOf returns the number of the n-th line that begins with a word, 1 when there is
// none.
func lineOf(data []byte, word string, n int) int {
	for i, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "=")
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == word {
			if n == 0 {
				return i + 1
			}
			n--
		}
	}
	return 1
}

// phrasesOf counts the different phrases of rules.
func phrasesOf(rules []Rule) int {
	had := make(map[string]bool)
	for i := range rules {
		for _, list := range [][]string{rules[i].Any, rules[i].Also, rules[i].Not} {
			for _, p := range list {
				had[p] = true
			}
		}
	}
	return len(had)
}
