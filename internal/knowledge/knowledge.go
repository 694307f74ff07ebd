// Package knowledge holds what is known about replies: the causes, the reply codes in
// their contexts, the enhanced status codes, the phrases that servers use, and the words
// in which all that is told to people. It is data, in the TOML files beside this one, and
// this package is their reader. Package classify decides which entry fits a reply.
//
// causes.toml says what holds for a cause, codes.toml what a code means in answer to which
// command, enhanced.toml what an enhanced code means, rules.toml which phrases tell more
// than the codes, providers.toml what the great providers mean by theirs, blocklists.toml
// where one is taken off a list. None of them holds a word for people: those are in lang/,
// a file a language. A new rule needs a sample line that it wins; the tests see to it.
//
// Sources: RFC 5321 and its extensions for the codes, the IANA registry of enhanced
// status codes (RFC 3463, RFC 5248), and the log and reply texts of Postfix and Exim.
package knowledge

import (
	"embed"
	"slices"

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
	Host     string // who said it, where the text does not tell
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
	return slices.ContainsFunc(c.enhanced, func(want smtp.EnhancedCode) bool { return sameStatus(want, e) })
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

// Unasked reports whether the context is of a reply that no command asked for.
func (c *Context) Unasked() bool { return c.unasked }

// Statuses returns the enhanced codes that the context is for, class 0 being any; none
// when any will do.
func (c *Context) Statuses() []smtp.EnhancedCode { return c.enhanced }

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
	Any, Also, Not []string            // folded to lower case
	Enhanced       []smtp.EnhancedCode // one of these, class 0 being any; none: any
	Codes          []smtp.Code
	Class          int      // 4 or 5; 0: any
	Provider       Provider // whose replies alone it is for; 0: anybody's
	By             By       // who said the reply
	Own            bool     // for what our own MTA says without a code, not for replies
	Reply          bool     // for replies, not for what our own MTA says
	stages         uint32
	Entry          EntryID
	Sample         Sample // what the rule must win
}

// At reports whether the rule may be used at a stage.
func (r *Rule) At(s smtp.Stage) bool { return r.stages == 0 || r.stages&(1<<s) != 0 }

// TellsOf reports whether the rule is for an enhanced code.
func (r *Rule) TellsOf(e smtp.EnhancedCode) bool {
	return r.Enhanced == nil || slices.ContainsFunc(r.Enhanced, func(want smtp.EnhancedCode) bool { return sameStatus(want, e) })
}

// sameStatus compares enhanced codes; class 0 of the first is any, and so is the greatest
// detail.
func sameStatus(want, e smtp.EnhancedCode) bool {
	return !e.IsZero() && want[1] == e[1] && (want[2] == e[2] || want[2] == anyDetail) && (want[0] == 0 || want[0] == e[0])
}

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
	Rules      []Rule         // the user's, then the providers', then those for everybody
	Happenings []Happening
	Blocklists []Blocklist
	Public     Public
	Providers  []ProviderFacts // the first is nobody's

	OwnRules int // how many of Rules are the user's

	byHost  map[string]Provider
	markers []marker
	words   map[string]EntryWords // of the user's own rules
	kept    map[string]EntryID    // entries of a base before this one

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
	inboundActor      Actor
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
