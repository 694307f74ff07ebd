package knowledge

import (
	"strconv"
	"strings"
	"sync"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// English is the language that is complete, and in which other languages leave what they
// do not say.
const English = "en"

// Languages returns the languages that there are words in: the files in lang/.
func Languages() []string { return []string{English} }

// CauseWords tell people of a cause.
type CauseWords struct {
	Title string   // a few words, for a table's cell
	Fix   string   // what to do, in one line
	Steps []string // what to do, step by step
}

// CodeWords tell people of a reply code.
type CodeWords struct {
	Name    string // a short name: "Mailbox unavailable"
	Class   string // "5xx permanent negative"
	Meaning string
	When    string // when one sees it
	Fix     string
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
	UnknownCode CodeWords `toml:"unknown_code"`
}

type actorWords struct{ Name, Inbound, Outbound string }
type codeFile struct{ Name, Meaning, When, Fix string }
type enhancedFile struct{ Name, Meaning string }

var english = sync.OnceValue(func() *Words { return mustRead(English) })

// In returns the words of a language, given as "en" or "en_GB.UTF-8"; English for a
// language that there is none of. A language is read once.
func In(lang string) *Words {
	lang, _, _ = strings.Cut(strings.ToLower(lang), ".")
	lang, _, _ = strings.Cut(strings.ReplaceAll(lang, "-", "_"), "_")
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
	if !ok && w.over != nil {
		return w.over.Code(c)
	}
	s := CodeWords{Name: f.Name, Meaning: f.Meaning, When: f.When, Fix: f.Fix}
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

// Entry returns the words of an entry. What an entry does not say itself, its code, its
// enhanced code and its cause say.
func (w *Words) Entry(id EntryID) EntryWords {
	e := w.base.Entry(id)
	s, ok := w.file.Entry[e.ID]
	if !ok && w.over != nil {
		if _, english := w.over.file.Entry[e.ID]; english {
			return w.over.Entry(id)
		}
	}
	if f, ok := w.file.Code[e.ID]; ok {
		s = EntryWords{Title: f.Name, Meaning: f.Meaning, Fix: f.Fix}
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
