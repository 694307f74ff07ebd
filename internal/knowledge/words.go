package knowledge

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// English is the language that is complete, and in which other languages leave what they
// do not say.
const English = "en"

// Languages returns the languages that there are words in, English first: the files in
// lang/.
var Languages = sync.OnceValue(func() []string {
	all := []string{English}
	found, err := files.ReadDir("lang")
	if err != nil {
		panic("knowledge: " + err.Error()) // it is part of the program
	}
	for _, f := range found {
		if lang := strings.TrimSuffix(f.Name(), ".toml"); lang != English {
			all = append(all, lang)
		}
	}
	return all
})

// Locale returns the language that the environment asks for, English when there are no
// words in it. As gettext does, LANGUAGE goes first, but not where the locale is C.
func Locale(getenv func(string) string) string {
	locale := cmp.Or(getenv("LC_ALL"), getenv("LC_MESSAGES"), getenv("LANG"))
	if locale == "" || locale == "C" || strings.HasPrefix(locale, "C.") || locale == "POSIX" {
		return English
	}
	for _, l := range append(strings.Split(getenv("LANGUAGE"), ":"), locale) {
		if l = Language(l); slices.Contains(Languages(), l) {
			return l
		}
	}
	return English
}

// Language returns the "en" of "en_GB.UTF-8@euro" and "en-GB".
func Language(locale string) string {
	if i := strings.IndexAny(locale, "_-.@"); i >= 0 {
		locale = locale[:i]
	}
	return asciiLower(locale)
}

// asciiLower folds no letter beyond ASCII: in Turkish, I and i are two letters.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// CauseWords tell people of a cause.
type CauseWords struct {
	Title   string   // a few words, for a table's cell
	Meaning string   // what has happened, in a sentence or two
	When    string   // when one sees it
	Normal  string   // whether to mind it, said of another server's reply
	Fix     string   // what to do, in one line
	Steps   []string // what to do, step by step

	// The same for the receiving postmaster, where our own server refused a stranger.
	InboundFix   string   `toml:"inbound_fix"`
	InboundSteps []string `toml:"inbound_steps"`
}

// CodeWords tell people of a reply code.
type CodeWords struct {
	Name    string // a short name: "Mailbox unavailable"
	Class   string // "5xx permanent negative"
	Meaning string
	When    string // when one sees it
	Fix     string
	Normal  string // whether to mind it; "" where its cause's words say so
}

// EnhancedWords tell people of an enhanced code.
type EnhancedWords struct {
	Name    string // "Bad destination mailbox address"
	Class   string // "permanent failure"
	Subject string // "addressing"
	Meaning string
}

// EntryWords tell people of one entry: a code in its context, an enhanced code, a rule.
type EntryWords struct {
	Title   string
	Meaning string
	When    string // when one sees it; "" where its code's words say so
	Fix     string
	Steps   []string
}

// Words are the words of one language. What the language does not say is in English.
type Words struct {
	Lang string

	file wordsFile
	base *Base
	over *Words // English, for what this language leaves out; nil in English itself
}

type wordsFile struct {
	Class       map[string]string
	Status      map[string]string // classes of enhanced codes
	Subject     map[string]string
	Severity    map[string]string
	Permanence  map[string]string
	Basis       map[string]string
	End         map[string]string
	Actor       map[string]actorWords
	Cause       map[string]CauseWords
	Code        map[string]codeFile
	Enhanced    map[string]enhancedFile
	Entry       map[string]EntryWords
	Text        map[string]string // phrases of the commands, by dotted names
	UnknownCode CodeWords         `toml:"unknown_code"`
}

type actorWords struct{ Name, Inbound, Outbound string }
type codeFile struct{ Name, Meaning, When, Fix, Normal string }
type enhancedFile struct{ Name, Meaning string }

var english = sync.OnceValue(func() *Words { return mustRead(English) })

// In returns the words of a language, given as "en" or "en_GB.UTF-8"; English for a
// language that there is none of. A language is read once.
func In(lang string) *Words {
	lang = Language(lang)
	for _, l := range Languages() {
		if l == lang && l != English {
			return other(l)
		}
	}
	return english()
}

var others sync.Map // language to *Words

func other(lang string) *Words {
	if w, ok := others.Load(lang); ok {
		return w.(*Words)
	}
	w := mustRead(lang)
	w.over = english()
	others.Store(lang, w)
	return w
}

func mustRead(lang string) *Words {
	w := &Words{Lang: lang, base: Load()}
	if err := decode("lang/"+lang+".toml", &w.file); err != nil {
		panic("knowledge: " + err.Error())
	}
	return w
}

// pick returns a word of this language, or the English one.
func (w *Words) pick(table func(*wordsFile) map[string]string, key string) string {
	if s := table(&w.file)[key]; s != "" || w.over == nil {
		return s
	}
	return w.over.pick(table, key)
}

// Cause returns the words of a cause.
func (w *Words) Cause(c Cause) CauseWords {
	if s, ok := w.file.Cause[c.ID()]; ok || w.over == nil {
		return s
	}
	return w.over.Cause(c)
}

// Code returns the words of a reply code. A code that is in no list has those of its
// first digit, which is all that a client may rely on (RFC 5321, 4.3.2).
func (w *Words) Code(c smtp.Code) CodeWords {
	f, ok := w.file.Code[strconv.Itoa(int(c))]
	if !ok && w.over != nil && (w.over.file.Code[strconv.Itoa(int(c))] != codeFile{} || w.file.UnknownCode.Name == "") {
		return w.over.Code(c)
	}
	s := CodeWords{Name: f.Name, Meaning: f.Meaning, When: f.When, Fix: f.Fix, Normal: f.Normal}
	if !ok {
		s = w.file.UnknownCode
	}
	s.Class = w.Class(c)
	return s
}

// Class returns the words of a code's first digit: "5xx permanent negative"; "" for no
// code.
func (w *Words) Class(c smtp.Code) string {
	if c == 0 {
		return ""
	}
	digit := strconv.Itoa(c.Class())
	if s := w.pick(func(f *wordsFile) map[string]string { return f.Class }, digit); s != "" {
		return s
	}
	return digit + "xx"
}

// Enhanced returns the words of an enhanced code. One that is in no list has the words
// of its class and its subject.
func (w *Words) Enhanced(e smtp.EnhancedCode) EnhancedWords {
	if e.IsZero() {
		return EnhancedWords{}
	}
	var s EnhancedWords
	if k := w.base.Status(e); k != nil {
		f, ok := w.file.Enhanced[w.base.Entry(k.Entry).ID]
		if !ok && w.over != nil {
			f = w.over.file.Enhanced[w.base.Entry(k.Entry).ID]
		}
		s.Name, s.Meaning = f.Name, f.Meaning
	}
	s.Class = w.pick(func(f *wordsFile) map[string]string { return f.Status }, strconv.Itoa(int(e[0])))
	s.Subject = w.pick(func(f *wordsFile) map[string]string { return f.Subject }, strconv.Itoa(int(e[1])))
	return s
}

// Of returns the words for another base, one with a user's own rules, which have their
// words in their file.
func (w *Words) Of(b *Base) *Words {
	own := *w
	own.base = b
	if w.over != nil {
		own.over = w.over.Of(b)
	}
	return &own
}

// To returns the words of another language for the same base.
func (w *Words) To(lang string) *Words { return In(lang).Of(w.base) }

// Text returns a phrase of the user interface. args are pairs of a name and a value, which
// stands in for {name}: Text("report.more", "n", 5); see plurals for words that go with it.
func (w *Words) Text(key string, args ...any) string {
	s := w.pick(func(f *wordsFile) map[string]string { return f.Text }, key)
	for i := 0; i+1 < len(args); i += 2 {
		name := args[i].(string)
		value, isText := args[i+1].(string)
		if !isText {
			value = fmt.Sprint(args[i+1])
		}
		s = strings.ReplaceAll(plurals(s, name, value), "{"+name+"}", value)
	}
	return s
}

// Advice returns what to do about an entry as seen from our side: where our own server
// refused a stranger, it is for the receiving postmaster.
func (w *Words) Advice(id EntryID, d smtp.Direction) (fix string, steps []string) {
	if d == smtp.Inbound {
		if c := w.Cause(w.base.Entry(id).Cause); c.InboundFix != "" {
			return c.InboundFix, c.InboundSteps
		}
	}
	s := w.Entry(id)
	return s.Fix, s.Steps
}

// Entry returns the words of an entry. What an entry does not say itself, its code, its
// enhanced code and its cause say.
func (w *Words) Entry(id EntryID) EntryWords {
	e := w.base.Entry(id)
	s, ok := w.file.Entry[e.ID]
	if own, mine := w.base.words[e.ID]; mine {
		s, ok = own, true
	}
	if !ok && w.over != nil {
		if _, english := w.over.file.Entry[e.ID]; english {
			return w.over.Entry(id)
		}
	}
	if f, ok := w.file.Code[e.ID]; ok {
		s = EntryWords{Title: f.Name, Meaning: f.Meaning, When: f.When, Fix: f.Fix}
	} else if f, ok := w.file.Enhanced[e.ID]; ok {
		s = EntryWords{Title: f.Name, Meaning: f.Meaning}
	}
	cause := w.Cause(e.Cause)
	if s.Title == "" {
		s.Title = cause.Title
	}
	if s.Fix == "" {
		s.Fix = cause.Fix
	}
	if s.Steps == nil {
		s.Steps = cause.Steps
	}
	return s
}

// Actor returns who acts, by role: "the sending postmaster".
func (w *Words) Actor(a Actor) string {
	if f := w.file.Actor[a.String()]; f.Name != "" || w.over == nil {
		return f.Name
	}
	return w.over.Actor(a)
}

// Side returns who acts as seen from here: "you" where the role is ours.
func (w *Words) Side(a Actor, d smtp.Direction) string {
	f := w.file.Actor[a.String()]
	s := f.Outbound
	if d == smtp.Inbound {
		s = f.Inbound
	}
	if s == "" && w.over != nil {
		return w.over.Side(a, d)
	}
	return s
}

// Severity returns the word for a severity.
func (w *Words) Severity(s Severity) string {
	return w.pick(func(f *wordsFile) map[string]string { return f.Severity }, s.String())
}

// Permanence returns what a permanence means.
func (w *Words) Permanence(p Permanence) string {
	return w.pick(func(f *wordsFile) map[string]string { return f.Permanence }, p.String())
}

// Basis returns what an annotation rests on, by the basis's machine-readable name.
func (w *Words) Basis(name string) string {
	return w.pick(func(f *wordsFile) map[string]string { return f.Basis }, name)
}

// End returns how a session ended.
func (w *Words) End(e smtp.End) string {
	return w.pick(func(f *wordsFile) map[string]string { return f.End }, e.String())
}

// Missing returns what this language lacks against English, and what it has more, as
// dotted names: "cause.loop.fix". A translation is whole when there is none.
func (w *Words) Missing() []string {
	var english, own map[string]any
	for lang, into := range map[string]*map[string]any{English: &english, w.Lang: &own} {
		if err := decode("lang/"+lang+".toml", into); err != nil {
			return []string{err.Error()}
		}
	}
	if w.Lang == English {
		own = english
	}
	var missing []string
	compare("", english, own, &missing)
	slices.Sort(missing)
	return missing
}

// compare walks both trees: the same keys, lists of the same length, the same
// placeholders, nothing empty.
func compare(path string, want, got any, missing *[]string) {
	miss := func(what string) { *missing = append(*missing, strings.TrimPrefix(path+what, ".")) }
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		if !ok {
			miss("")
			return
		}
		for key := range want {
			compare(path+"."+key, want[key], got[key], missing)
		}
		for key := range got {
			if _, known := want[key]; !known {
				miss("." + key + " (not in English)")
			}
		}
	case []any:
		got, ok := got.([]any)
		if !ok || len(got) != len(want) {
			miss(fmt.Sprintf(" (%d items)", len(want)))
			return
		}
		for i := range want {
			compare(fmt.Sprintf("%s[%d]", path, i), want[i], got[i], missing)
		}
	case string:
		got, ok := got.(string)
		switch {
		case !ok || strings.TrimSpace(got) == "":
			miss("")
		case placeholders(want) != placeholders(got):
			miss(" (placeholders " + placeholders(want) + ")")
		}
	}
}

// placeholders returns the {names} in a text, sorted.
func placeholders(s string) string {
	var all []string
	for {
		_, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			slices.Sort(all)
			return strings.Join(all, " ")
		}
		s = after
		if !strings.Contains(name, ":") { // see plurals
			all = append(all, name)
		}
	}
}

// Keys returns the names of the phrases that Text knows, sorted.
func (w *Words) Keys() []string { return slices.Sorted(maps.Keys(w.file.Text)) }
