// Package knowledge holds what is known about replies: the causes, the reply codes in
// their contexts, the enhanced status codes, the phrases that servers use, and the words
// in which all that is told to people. It is data, in the TOML files beside this one, and
// this package is their reader. Package classify decides which entry fits a reply.
//
// causes.toml says what holds for a cause, codes.toml what a code means in answer to which
// command, enhanced.toml what an enhanced code means, rules.toml which phrases tell more
// than the codes. None of them holds a word for people: those are in lang/, a file a
// language. A new rule needs a sample line that it wins; the tests see to it.
//
// Sources: RFC 5321 and its extensions for the codes, the IANA registry of enhanced
// status codes (RFC 3463, RFC 5248), and the log and reply texts of Postfix and Exim.
package knowledge

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

//go:embed *.toml lang/*.toml
var files embed.FS

// EntryID is the index of an entry in Base.Entries. Zero is the entry of what is not
// recognised at all.
type EntryID uint16

// Entry is one thing that we know: a code in a context, an enhanced code, a rule, a kind
// of failure. Its words are found by its ID.
type Entry struct {
	ID     string
	Cause  Cause
	Sample *Sample // what a context or a happening must win; nil for the others
}

// Sample is a reply, or a line of our own MTA's, with what was known around it.
type Sample struct {
	Text     string
	Stage    smtp.Stage
	By       By
	Unasked  bool
	Kind     smtp.Kind
	Outcome  smtp.Outcome
	Own      bool // the text is not a reply: our own MTA speaks
	Enhanced smtp.EnhancedCode
}

// By says who spoke.
type By uint8

// Local is our own server or our own MTA; Remote is the other side.
const (
	AnyBody By = iota
	Local
	Remote
)

// Code is what is known of a reply code.
type Code struct {
	Code     smtp.Code
	RFC      string       // the document that defines it, "" for one that only logs know
	At       []smtp.Stage // the commands that it answers; none when it may answer any
	Firm     bool         // tells more than a vague enhanced code beside it (530 5.7.0)
	Entry    EntryID
	Contexts []Context // the first that fits wins
}

// Context narrows a code: all that it names must fit.
type Context struct {
	stages   uint32 // bit i: stage i; none: any
	by       By
	unasked  bool
	enhanced []smtp.EnhancedCode // class 0: any class
	Entry    EntryID
}

// Fits reports whether the context is the one of a reply. e is its enhanced code.
func (c *Context) Fits(stage smtp.Stage, by By, unasked bool, e smtp.EnhancedCode) bool {
	if c.stages != 0 && c.stages&(1<<stage) == 0 || c.by != AnyBody && c.by != by || c.unasked && !unasked {
		return false
	}
	if c.enhanced == nil {
		return true
	}
	for _, want := range c.enhanced {
		if want[1] == e[1] && want[2] == e[2] && !e.IsZero() && (want[0] == 0 || want[0] == e[0]) {
			return true
		}
	}
	return false
}

// At returns the commands that the context is about, none when it may be any.
func (c *Context) At() (at []smtp.Stage) {
	for s := range smtp.Stage(smtp.NumStages) {
		if c.stages&(1<<s) != 0 {
			at = append(at, s)
		}
	}
	return at
}

// Enhanced reports whether the context rests on the enhanced code too.
func (c *Context) Enhanced() bool { return c.enhanced != nil }

// Trust says how far an enhanced code decides by its number alone. Servers put 5.7.1 and
// 5.0.0 on everything, 5.1.1 on hardly anything but unknown recipients.
type Trust uint8

// The trusts. A vague code decides only beside a reply code that is not firm.
const (
	NoTrust Trust = iota
	Vague
	Safe
)

// EnhancedCode is what is known of an enhanced status code.
type EnhancedCode struct {
	Code  smtp.EnhancedCode // class 0: 4 and 5 alike
	RFC   string
	With  []smtp.Code // the reply codes that the registry names; none when it names none
	Trust Trust
	Entry EntryID
}

// Rule is a set of phrases that tell a cause. A rule fits when one of Any is in the text,
// all of Also are, none of Not is, and the rest of what it names fits. The first rule in
// the file that fits wins.
type Rule struct {
	ID             string
	Any, Also, Not []string // folded to lower case
	Codes          []smtp.Code
	Class          int  // 4 or 5; 0: any
	By             By   // who said the reply
	Own            bool // for what our own MTA says without a code, not for replies
	Reply          bool // for replies, not for what our own MTA says
	stages         uint32
	Entry          EntryID
	Sample         Sample // what the rule must win
}

// At reports whether the rule may be used at a stage.
func (r *Rule) At(s smtp.Stage) bool { return r.stages == 0 || r.stages&(1<<s) != 0 }

// Happening is an event that tells something without a reply: a lost connection, a
// timeout, a message that the queue gave up.
type Happening struct {
	kinds    uint32
	outcomes uint32
	stages   uint32
	codes    uint8 // bit i: the reply's first digit is i; none: there is no reply code
	Entry    EntryID
}

// Fits reports whether the happening is the one of an event.
func (h *Happening) Fits(kind smtp.Kind, outcome smtp.Outcome, stage smtp.Stage, code smtp.Code) bool {
	return (h.kinds == 0 || h.kinds&(1<<kind) != 0) && (h.outcomes == 0 || h.outcomes&(1<<outcome) != 0) &&
		(h.stages == 0 || h.stages&(1<<stage) != 0) && (h.codes == 0) == (code == 0) &&
		(code == 0 || h.codes&(1<<(code/100)) != 0)
}

// Fate reports that the happening is told by what became of a recipient or a message.
func (h *Happening) Fate() bool { return h.outcomes != 0 }

// Base is the whole of it, ready to use. It is not changed after loading.
type Base struct {
	Entries    []Entry
	Codes      []Code         // in the order of the file, which is that of the numbers
	Enhanced   []EnhancedCode // in the order of the registry
	Rules      []Rule
	Happenings []Happening

	causes   [numCauses]causeFacts
	byCode   [1000]uint8 // 1 + index into Codes
	byStatus [3][numSubjects][numDetails]uint8
	byID     map[string]EntryID
}

// The registry's subjects end at 7 and its details at 30; a code beyond is a provider's.
const (
	numSubjects = 8
	numDetails  = 32
)

type causeFacts struct {
	severity, inbound Severity
	permanence        Permanence
	actor             Actor
}

func (b *Base) cause(c Cause) *causeFacts {
	if c >= numCauses {
		c = Unknown
	}
	return &b.causes[c]
}

// Code finds what is known of a code; nil when it is in no list.
func (b *Base) Code(c smtp.Code) *Code {
	if int(c) >= len(b.byCode) || b.byCode[c] == 0 {
		return nil
	}
	return &b.Codes[b.byCode[c]-1]
}

// Status finds what is known of an enhanced code; nil when it is in no list. An entry
// for one class goes before the one for all classes.
func (b *Base) Status(e smtp.EnhancedCode) *EnhancedCode {
	if e[1] >= numSubjects || e[2] >= numDetails {
		return nil
	}
	class := 0
	switch e[0] {
	case 4:
		class = 1
	case 5:
		class = 2
	}
	i := b.byStatus[class][e[1]][e[2]]
	if i == 0 {
		i = b.byStatus[0][e[1]][e[2]]
	}
	if i == 0 {
		return nil
	}
	return &b.Enhanced[i-1]
}

// Entry returns an entry; the one of what is not recognised for a number beyond the last.
func (b *Base) Entry(id EntryID) *Entry {
	if int(id) >= len(b.Entries) {
		id = 0
	}
	return &b.Entries[id]
}

// EntryByID finds an entry by its name in the files.
func (b *Base) EntryByID(id string) (EntryID, bool) {
	e, ok := b.byID[id]
	return e, ok
}

// Load reads the files once and returns what is in them. It panics when they are broken,
// which only a program built with broken files can be, and the tests keep from being.
var Load = sync.OnceValue(func() *Base {
	b, err := load()
	if err != nil {
		panic("knowledge: " + err.Error())
	}
	return b
})

func load() (*Base, error) {
	b := &Base{byID: make(map[string]EntryID)}
	b.Entries = append(b.Entries, Entry{ID: "unknown"})
	b.byID["unknown"] = 0
	for _, step := range []func(*Base) error{loadCauses, loadCodes, loadEnhanced, loadRules} {
		if err := step(b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// decode reads one file and refuses what it does not know: a misspelt key would else be
// knowledge that nobody ever sees.
func decode(name string, into any) error {
	md, err := toml.DecodeFS(files, name, into)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		return fmt.Errorf("%s: unknown key %s; correct its spelling", name, extra[0])
	}
	return nil
}

// add enters an entry under a name that no other has.
func (b *Base) add(id, cause string, s *Sample) (EntryID, error) {
	c, ok := CauseByID(cause)
	if !ok {
		return 0, fmt.Errorf("%s: no cause %q; the causes are in causes.toml", id, cause)
	}
	if _, dup := b.byID[id]; dup || id == "" {
		return 0, fmt.Errorf("entry name %q is empty or used twice; give it a name of its own", id)
	}
	n := EntryID(len(b.Entries))
	b.Entries = append(b.Entries, Entry{ID: id, Cause: c, Sample: s})
	b.byID[id] = n
	return n, nil
}

func loadCauses(b *Base) error {
	var in map[string]struct{ Severity, Inbound, Permanence, Actor string }
	if err := decode("causes.toml", &in); err != nil {
		return err
	}
	for c := Unknown; c < numCauses; c++ {
		f := in[c.ID()]
		var ok [4]bool
		facts := &b.causes[c]
		facts.severity, ok[0] = byName[Severity](severityIDs[:], f.Severity)
		facts.inbound, ok[1] = byName[Severity](severityIDs[:], f.Inbound)
		facts.permanence, ok[2] = byName[Permanence](permanenceIDs[:], f.Permanence)
		facts.actor, ok[3] = byName[Actor](actorIDs[:], f.Actor)
		if ok != [4]bool{true, true, true, true} {
			return fmt.Errorf("causes.toml: %s lacks a field or has one of unknown value", c.ID())
		}
	}
	if len(in) != NumCauses {
		return fmt.Errorf("causes.toml: %d causes where the code knows %d", len(in), NumCauses)
	}
	return nil
}

func loadCodes(b *Base) error {
	var in struct {
		Code []struct {
			Code       int
			RFC, Cause string
			At         []string
			Firm       bool
			Context    []struct {
				ID, By, Cause, Sample string
				At, Enhanced          []string
				Unasked               bool
			}
		}
		Happening []struct {
			ID, Cause, Sample string
			Kind, Outcome, At []string
			Code              []int
		}
	}
	if err := decode("codes.toml", &in); err != nil {
		return err
	}
	for _, c := range in.Code {
		code := Code{Code: smtp.Code(c.Code), RFC: c.RFC, Firm: c.Firm}
		if b.Code(code.Code) != nil || c.Code < 200 || c.Code > 599 {
			return fmt.Errorf("codes.toml: %d is out of range or there twice", c.Code)
		}
		id := strconv.Itoa(c.Code)
		var err error
		if code.At, _, err = stages(c.At); err != nil {
			return fmt.Errorf("codes.toml: %s: %w", id, err)
		}
		if code.Entry, err = b.add(id, c.Cause, nil); err != nil {
			return fmt.Errorf("codes.toml: %w", err)
		}
		for _, x := range c.Context {
			ctx := Context{unasked: x.Unasked}
			s := Sample{Text: x.Sample, Unasked: x.Unasked, By: Remote}
			var at []smtp.Stage
			if at, ctx.stages, err = stages(x.At); err != nil {
				return fmt.Errorf("codes.toml: %s: %w", x.ID, err)
			}
			if len(at) > 0 {
				s.Stage = at[0]
			}
			if ctx.by, err = parseBy(x.By); err != nil {
				return fmt.Errorf("codes.toml: %s: %w", x.ID, err)
			}
			if ctx.by != AnyBody {
				s.By = ctx.by
			}
			for _, e := range x.Enhanced {
				v, err := parseStatus(e)
				if err != nil {
					return fmt.Errorf("codes.toml: %s: %w", x.ID, err)
				}
				ctx.enhanced = append(ctx.enhanced, v)
			}
			if ctx.Entry, err = b.add(x.ID, x.Cause, &s); err != nil {
				return fmt.Errorf("codes.toml: %w", err)
			}
			code.Contexts = append(code.Contexts, ctx)
		}
		b.Codes = append(b.Codes, code)
		b.byCode[c.Code] = uint8(len(b.Codes))
	}
	for _, h := range in.Happening {
		var hap Happening
		s := Sample{Text: h.Sample, Own: true, By: Local}
		var err error
		var at []smtp.Stage
		if at, hap.stages, err = stages(h.At); err != nil {
			return fmt.Errorf("codes.toml: %s: %w", h.ID, err)
		}
		if len(at) > 0 {
			s.Stage = at[0]
		}
		for i := len(h.Kind) - 1; i >= 0; i-- {
			k, err := find[smtp.Kind](smtp.NumKinds, h.Kind[i])
			if err != nil {
				return fmt.Errorf("codes.toml: %s: %w", h.ID, err)
			}
			hap.kinds, s.Kind = hap.kinds|1<<k, k
		}
		for i := len(h.Outcome) - 1; i >= 0; i-- {
			o, err := find[smtp.Outcome](smtp.NumOutcomes, h.Outcome[i])
			if err != nil {
				return fmt.Errorf("codes.toml: %s: %w", h.ID, err)
			}
			hap.outcomes, s.Outcome = hap.outcomes|1<<o, o
		}
		for _, digit := range h.Code {
			hap.codes |= 1 << digit
			s.Own = false
		}
		if hap.Entry, err = b.add(h.ID, h.Cause, &s); err != nil {
			return fmt.Errorf("codes.toml: %w", err)
		}
		b.Happenings = append(b.Happenings, hap)
	}
	return nil
}

func loadEnhanced(b *Base) error {
	var in struct {
		Enhanced []struct {
			Code, RFC, Cause, Trust string
			With                    []int
		}
	}
	if err := decode("enhanced.toml", &in); err != nil {
		return err
	}
	for _, e := range in.Enhanced {
		code := EnhancedCode{RFC: e.RFC}
		var err error
		if code.Code, err = parseStatus(e.Code); err != nil {
			return fmt.Errorf("enhanced.toml: %w", err)
		}
		for _, c := range e.With {
			code.With = append(code.With, smtp.Code(c))
		}
		switch e.Trust {
		case "":
		case "vague":
			code.Trust = Vague
		case "safe":
			code.Trust = Safe
		default:
			return fmt.Errorf("enhanced.toml: %s: trust %q is neither safe nor vague", e.Code, e.Trust)
		}
		if (code.Trust == NoTrust) != (e.Cause == "unknown") {
			return fmt.Errorf("enhanced.toml: %s: a cause needs a trust and a trust a cause", e.Code)
		}
		class := max(int(code.Code[0])-3, 0)
		slot := &b.byStatus[class][code.Code[1]][code.Code[2]]
		if *slot != 0 {
			return fmt.Errorf("enhanced.toml: %s is there twice", e.Code)
		}
		if code.Entry, err = b.add(e.Code, e.Cause, nil); err != nil {
			return fmt.Errorf("enhanced.toml: %w", err)
		}
		b.Enhanced = append(b.Enhanced, code)
		*slot = uint8(len(b.Enhanced))
	}
	return nil
}

func loadRules(b *Base) error {
	var in struct {
		Rule []struct {
			ID, As, Cause, By, Said string
			Any, Also, Not, At      []string
			Code                    []int
			Class                   int
			Sample                  string
		}
	}
	if err := decode("rules.toml", &in); err != nil {
		return err
	}
	for _, r := range in.Rule {
		if err := checkPhrases(r.Any, r.Also, r.Not); err != nil {
			return fmt.Errorf("rules.toml: %s: %w", r.ID, err)
		}
		rule := Rule{ID: r.ID, Any: r.Any, Also: r.Also, Not: r.Not, Class: r.Class}
		s := Sample{Text: r.Sample, By: Remote}
		var err error
		var at []smtp.Stage
		if at, rule.stages, err = stages(r.At); err != nil {
			return fmt.Errorf("rules.toml: %s: %w", r.ID, err)
		}
		if len(at) > 0 {
			s.Stage = at[0]
		}
		if rule.By, err = parseBy(r.By); err != nil {
			return fmt.Errorf("rules.toml: %s: %w", r.ID, err)
		}
		if rule.By != AnyBody {
			s.By = rule.By
		}
		for _, c := range r.Code {
			rule.Codes = append(rule.Codes, smtp.Code(c))
		}
		switch r.Said {
		case "":
		case "own":
			rule.Own, s.Own, s.By = true, true, Local
		case "reply":
			rule.Reply = true
		default:
			return fmt.Errorf("rules.toml: %s: said %q is neither own nor reply", r.ID, r.Said)
		}
		rule.Sample = s
		if rule.Entry, err = b.entryOf(r.ID, r.As, r.Cause); err != nil {
			return fmt.Errorf("rules.toml: %w", err)
		}
		b.Rules = append(b.Rules, rule)
	}
	return nil
}

// entryOf returns the entry of a rule: its own, or the context that it says it is.
func (b *Base) entryOf(id, as, cause string) (EntryID, error) {
	if as == "" {
		return b.add(id, cause, nil)
	}
	e, ok := b.byID[as]
	if !ok || cause != "" {
		return 0, fmt.Errorf("%s: as %q is no context of codes.toml, or a cause stands beside it", id, as)
	}
	return e, nil
}

// MinPhrase is the length in bytes that a phrase has at least. A shorter one would be
// found in the middle of words; and matchers look phrases up by their first four bytes.
const MinPhrase = 4

// checkPhrases refuses phrases that could never be found.
func checkPhrases(lists ...[]string) error {
	had := make(map[string]bool)
	for _, list := range lists {
		for _, p := range list {
			switch {
			case len(p) < MinPhrase:
				return fmt.Errorf("phrase %q is shorter than %d bytes; take more of the text around it", p, MinPhrase)
			case p != strings.ToLower(p):
				return fmt.Errorf("phrase %q has capitals; write it in lower case", p)
			case had[p]:
				return fmt.Errorf("phrase %q is there twice; leave one out", p)
			}
			had[p] = true
		}
	}
	if len(lists[0]) == 0 {
		return fmt.Errorf("no phrase under any; give it one")
	}
	return nil
}

// stages reads names of stages, as a list and as bits.
func stages(names []string) (list []smtp.Stage, bits uint32, err error) {
	for _, name := range names {
		s, err := find[smtp.Stage](smtp.NumStages, name)
		if err != nil {
			return nil, 0, err
		}
		list, bits = append(list, s), bits|1<<s
	}
	return list, bits, nil
}

// find is the way back from the name of an enumerated value of package smtp.
func find[T interface {
	~uint8
	String() string
}](n int, name string) (T, error) {
	for i := range n {
		if v := T(i); v.String() == name && name != "" {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is no name of package smtp", name)
}

func parseBy(s string) (By, error) {
	switch s {
	case "":
		return AnyBody, nil
	case "local":
		return Local, nil
	case "remote":
		return Remote, nil
	}
	return 0, fmt.Errorf("by %q is neither local nor remote", s)
}

// parseStatus reads "5.1.1" or "x.1.1", where x is any class and becomes 0.
func parseStatus(s string) (smtp.EnhancedCode, error) {
	any := strings.HasPrefix(s, "x.")
	if any {
		s = "5" + s[1:]
	}
	e, n := smtp.ParseEnhanced([]byte(s))
	if n != len(s) || n == 0 || e[1] >= numSubjects || e[2] >= numDetails {
		return e, fmt.Errorf("%q is no enhanced code of the registry", s)
	}
	if any {
		e[0] = 0
	}
	return e, nil
}
