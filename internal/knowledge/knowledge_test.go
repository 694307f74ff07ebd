package knowledge

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestFilesAreSound(t *testing.T) {
	if _, err := load(); err != nil {
		t.Fatal(err)
	}
}

// The codes of RFC 5321 and its extensions, and those that only logs know.
var standardCodes = []smtp.Code{
	211, 214, 220, 221, 235, 250, 251, 252, 253, 334, 354, 421, 422, 430, 432, 450, 451, 452, 453, 454, 455, 458, 459,
	500, 501, 502, 503, 504, 521, 523, 524, 525, 530, 533, 534, 535, 538, 550, 551, 552, 553, 554, 555, 556,
	400, 498, 505, 540, 541, 570, 571, 585, 591,
}

// The registry's details, a subject each: how far they go.
var registered = [numSubjects]int{0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}

func TestAllCodesAreKnown(t *testing.T) {
	base := Load()
	for _, c := range standardCodes {
		if base.Code(c) == nil {
			t.Errorf("%d is not in codes.toml", c)
		}
	}
	for subject, last := range registered {
		for detail := range last + 1 {
			for class := 4; class <= 5; class++ {
				e := smtp.EnhancedCode{uint16(class), uint16(subject), uint16(detail)}
				if base.Status(e) == nil {
					t.Errorf("%v is not in enhanced.toml", e)
				}
			}
		}
	}
	if base.Code(699) != nil || base.Code(65535) != nil || base.Status(smtp.EnhancedCode{5, 7, 606}) != nil {
		t.Error("a code of no list is found")
	}
}

func TestStatusOfAClassGoesFirst(t *testing.T) {
	base := Load()
	four, five := base.Status(smtp.EnhancedCode{4, 3, 2}), base.Status(smtp.EnhancedCode{5, 3, 2})
	if base.Entry(four.Entry).Cause != ServerTrouble || base.Entry(five.Entry).Cause != DomainNoMail {
		t.Errorf("4.3.2 is %v, 5.3.2 is %v", base.Entry(four.Entry).Cause, base.Entry(five.Entry).Cause)
	}
}

func TestEveryLanguageHasAllWords(t *testing.T) {
	found, err := fs.Glob(files, "lang/*.toml")
	if err != nil || len(found) != len(Languages()) {
		t.Fatalf("%d files in lang, %d languages listed: list the new one", len(found), len(Languages()))
	}
	for _, lang := range Languages() {
		w := In(lang)
		if w.Lang != lang {
			t.Errorf("%s gives %s", lang, w.Lang)
		}
		checkWords(t, w)
		for _, m := range w.Missing() {
			t.Errorf("%s lacks %s", lang, m)
		}
	}
}

func TestMissing(t *testing.T) {
	want := map[string]any{"a": "x {n}", "b": map[string]any{"c": []any{"1", "2"}}, "d": "y", "e": "z"}
	got := map[string]any{"a": "x {m}", "b": map[string]any{"c": []any{"1"}}, "d": " ", "f": "more"}
	var missing []string
	compare("", want, got, &missing)
	slices.Sort(missing)
	if s := strings.Join(missing, "; "); s != "a (placeholders n); b.c (2 items); d; e; f (not in English)" {
		t.Error(s)
	}
}

func TestLocale(t *testing.T) {
	for env, want := range map[string]string{
		"": "en", "LANG=C": "en", "LANG=C.UTF-8": "en", "LANG=tr_TR.UTF-8": "tr", "LC_ALL=tr_TR LANG=en_IN": "tr",
		"LANG=de_DE.UTF-8": "en", "LANG=de_DE LANGUAGE=de:tr": "tr", "LANG=C LANGUAGE=tr": "en", "LC_MESSAGES=tr LANG=en_GB": "tr", "LANG=TR_TR": "tr", "LANG=tr@euro": "tr", "LANG=hi_IN.UTF-8@x": "hi", "LANG=../../tr": "en", "LANG=xx LANGUAGE=:::hi": "hi",
	} {
		vars := map[string]string{}
		for _, v := range strings.Fields(env) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		if got := Locale(func(name string) string { return vars[name] }); got != want {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}

// References have one form, so that they read alike everywhere.
func TestReferences(t *testing.T) {
	form := regexp.MustCompile(`^RFC \d+(, section \d+(\.\d+)*)?(; RFC \d+(, section \d+(\.\d+)*)?)*$`)
	base := Load()
	for _, c := range base.Codes {
		if c.RFC != "" && !form.MatchString(c.RFC) {
			t.Errorf("%s: %q", c.Code, c.RFC)
		}
	}
	for _, e := range base.Enhanced {
		if e.RFC != "" && !form.MatchString(e.RFC) {
			t.Errorf("%v: %q", e.Code, e.RFC)
		}
	}
}

func checkWords(t *testing.T, w *Words) {
	need := func(what, s string) {
		t.Helper()
		if s == "" || s != strings.TrimSpace(s) {
			t.Errorf("%s: %s has no words, or blanks around them", w.Lang, what)
		}
	}
	base := Load()
	for _, c := range Causes() {
		s := w.file.Cause[c.ID()]
		need("cause "+c.ID(), s.Title)
		need("fix of cause "+c.ID(), s.Fix)
		if c.Severity() > Info && len(s.Steps) == 0 {
			t.Errorf("%s: cause %s has no steps", w.Lang, c)
		}
	}
	for _, c := range base.Codes {
		s := w.file.Code[c.Code.String()]
		need("code "+c.Code.String(), s.Name)
		need("meaning of "+c.Code.String(), s.Meaning)
		need("when of "+c.Code.String(), s.When)
		need("fix of "+c.Code.String(), s.Fix)
		for _, x := range c.Contexts {
			id := base.Entry(x.Entry).ID
			need("context "+id, w.file.Entry[id].Title)
			need("meaning of context "+id, w.file.Entry[id].Meaning)
		}
	}
	for _, e := range base.Enhanced {
		id := base.Entry(e.Entry).ID
		need("enhanced code "+id, w.file.Enhanced[id].Name)
		need("meaning of enhanced code "+id, w.file.Enhanced[id].Meaning)
	}
	for _, h := range base.Happenings {
		id := base.Entry(h.Entry).ID
		need("happening "+id, w.file.Entry[id].Meaning)
	}
	for i := range base.Entries {
		s := w.Entry(EntryID(i))
		need("title of "+base.Entries[i].ID, s.Title)
		need("fix of "+base.Entries[i].ID, s.Fix)
	}
	for _, a := range Actors() {
		need("actor "+a.String(), w.file.Actor[a.String()].Name)
		need("actor "+a.String(), w.file.Actor[a.String()].Inbound)
		need("actor "+a.String(), w.file.Actor[a.String()].Outbound)
	}
	for s := range numSeverities {
		need("severity "+s.String(), w.file.Severity[s.String()])
	}
	for p := range numPermanences {
		need("permanence "+p.String(), w.file.Permanence[p.String()])
	}
	for _, b := range []string{"provider_text", "text", "code_enhanced", "enhanced", "context", "first_digit"} {
		need("basis "+b, w.file.Basis[b])
	}
	for e := range smtp.End(smtp.NumEnds) {
		need("end "+e.String(), w.End(e))
	}
	for _, digit := range []string{"2", "3", "4", "5"} {
		need("class "+digit, w.file.Class[digit])
	}
	for subject := range registered {
		need("subject", w.file.Subject[string(rune('0'+subject))])
	}
	need("unknown code", w.file.UnknownCode.Name)
}

// Words for what does not exist are words that nobody ever sees: a misspelt name.
func TestNoWordsWithoutAnEntry(t *testing.T) {
	base := Load()
	for _, lang := range Languages() {
		f := &In(lang).file
		for id := range f.Entry {
			if _, ok := base.EntryByID(id); !ok {
				t.Errorf("%s: words for entry %q, which does not exist", lang, id)
			}
		}
		for id := range f.Cause {
			if _, ok := CauseByID(id); !ok {
				t.Errorf("%s: words for cause %q, which does not exist", lang, id)
			}
		}
		for id := range f.Code {
			if _, ok := base.EntryByID(id); !ok {
				t.Errorf("%s: words for code %q, which is not in codes.toml", lang, id)
			}
		}
		for id := range f.Enhanced {
			if _, ok := base.EntryByID(id); !ok {
				t.Errorf("%s: words for %q, which is not in enhanced.toml", lang, id)
			}
		}
	}
}

func TestWords(t *testing.T) {
	w := In("en_GB.UTF-8")
	code := w.Code(550)
	if code.Name != "Mailbox unavailable" || code.Class != "5xx permanent negative" {
		t.Errorf("550: %+v", code)
	}
	if s := w.Code(221); s.Name != "Closing connection" {
		t.Errorf("221: %+v", s)
	}
	if s := w.Code(599); s.Name != "Not in any standard" || s.Class != "5xx permanent negative" {
		t.Errorf("599: %+v", s)
	}
	if s := w.Code(699); s.Class != "6xx" {
		t.Errorf("699: %+v", s)
	}
	if s := w.Enhanced(smtp.EnhancedCode{5, 1, 1}); s.Name != "Bad destination mailbox address" || s.Class != "permanent failure" || s.Subject != "addressing" {
		t.Errorf("5.1.1: %+v", s)
	}
	if s := w.Enhanced(smtp.EnhancedCode{5, 7, 606}); s.Name != "" || s.Subject != "security or policy" {
		t.Errorf("5.7.606: %+v", s)
	}
	if s := w.Enhanced(smtp.EnhancedCode{}); s != (EnhancedWords{}) {
		t.Errorf("no enhanced code: %+v", s)
	}
	if in, out := w.Side(SendingAdmin, smtp.Inbound), w.Side(SendingAdmin, smtp.Outbound); in == "you" || out != "you" {
		t.Errorf("the sending postmaster is %q inbound, %q outbound", in, out)
	}
	if In("xx") != In("en") {
		t.Error("a language that there is none of is not English")
	}
}

func TestCauses(t *testing.T) {
	if n := len(Causes()); n != NumCauses {
		t.Fatalf("%d causes listed of %d", n, NumCauses)
	}
	for _, c := range Causes() {
		if back, ok := CauseByID(c.ID()); !ok || back != c {
			t.Errorf("%q leads to %v", c.ID(), back)
		}
	}
	if _, ok := CauseByID(""); ok {
		t.Error("the empty name is a cause")
	}
	if Cause(200).ID() != "" || Cause(200).Severity() != Unknown.Severity() {
		t.Error("a cause beyond the last is not Unknown")
	}
	for _, c := range []struct {
		cause              Cause
		inbound, transient bool
		want               Severity
	}{
		{RecipientUnknown, false, false, Error},
		{RecipientUnknown, false, true, Warning},
		{Reputation, false, true, Error},
		{MailboxFull, false, true, Warning},
		{RelayDenied, false, false, Critical},
		{RelayDenied, true, false, Info},
		{Blocklisted, true, false, Info},
		{ServerTrouble, true, true, Error},
		{Greylisted, false, true, Info},
	} {
		if got := Load().Severity(c.cause, c.inbound, c.transient); got != c.want {
			t.Errorf("%s inbound=%v transient=%v: %s, want %s", c.cause, c.inbound, c.transient, got, c.want)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := load(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWords(b *testing.B) {
	for b.Loop() {
		mustRead(English)
	}
}

// The built-in knowledge leaves room for a user's own.
func TestBounds(t *testing.T) {
	base := Load()
	if n := len(base.Entries) + maxOwnRules; n > MaxEntries {
		t.Errorf("with a user's rules %d entries: raise MaxEntries", n)
	}
	if n := len(base.Providers); n > MaxProviders {
		t.Errorf("%d providers: raise MaxProviders", n)
	}
}

// A code that is in no list is told of in the reader's language too.
func TestUnknownCodeWords(t *testing.T) {
	en := In(English).Code(599)
	for _, lang := range Languages() {
		got := In(lang).Code(599)
		if got.Meaning == "" || lang != English && (got.Name == en.Name || got.When == en.When || got.Fix == en.Fix) {
			t.Errorf("%s: %+v", lang, got)
		}
	}
}
