// Package classify tells what a reply comes down to: a reply in its context in, an
// annotation out. It decides and knows nothing by itself; all knowledge is in package
// knowledge.
//
// What tells more goes first: the text, then an enhanced code that is safe to trust,
// then the code in its context (the command that it answers, who said it, whether any
// command asked for it), then an enhanced code that is not, then the first digit. A
// positive reply is looked up by its code alone; its text is for nobody.
package classify

import (
	"hash/maphash"
	"strings"
	"sync"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Annotation is what a reply or a failure comes down to.
type Annotation struct {
	Cause    knowledge.Cause
	Severity knowledge.Severity
	Basis    Basis
	Provider knowledge.Provider // who said it, where that is known; of failures only
	Entry    knowledge.EntryID  // for its words
}

// Basis is what an annotation rests on.
type Basis uint8

// The bases, from the least telling to the most.
const (
	FirstDigit   Basis = iota // the reply's first digit, or no more than that something failed
	Context                   // the code in its context, or the kind of failure
	Enhanced                  // an enhanced code without a reply code
	CodeEnhanced              // the code with its enhanced code
	Text
	ProviderText // the text, by this provider's usage
	numBases
)

var basisNames = [numBases]string{"first_digit", "context", "enhanced", "code_enhanced", "text", "provider_text"}

// String returns the basis's machine-readable name.
func (b Basis) String() string {
	if b < numBases {
		return basisNames[b]
	}
	return ""
}

// Said is a reply, or what our own MTA tells of a failure, with what is known around it.
type Said struct {
	Code     smtp.Code
	Enhanced smtp.EnhancedCode
	DSN      smtp.EnhancedCode // Postfix's own verdict; used where there is no reply
	Text     []byte            // the reply's text, with or without its code
	Note     []byte            // what our own MTA says of it
	Host     []byte            // who said it: a host's name, by which its provider is known
	Kind     smtp.Kind
	Outcome  smtp.Outcome
	Stage    smtp.Stage
	// Direction says who spoke: inbound and internal are our own server and our own MTA.
	Direction smtp.Direction
	Unasked   bool // no command asked for the reply
}

// by says who spoke.
func (s *Said) by() knowledge.By {
	if s.Direction == smtp.Inbound || s.Direction == smtp.Internal {
		return knowledge.Local
	}
	return knowledge.Remote
}

// Classifier annotates by what a base knows. It keeps nothing but a cache of fixed size and
// is safe for several goroutines.
type Classifier struct {
	base  *knowledge.Base
	m     *matcher
	cache cache
}

// New returns a classifier of a base, for those that knowledge.WithRules made.
func New(base *knowledge.Base) *Classifier {
	c := &Classifier{base: base, m: newMatcher(base), cache: cache{seed: maphash.MakeSeed()}}
	for i := range c.m.phrases {
		c.cache.whole = c.cache.whole || strings.Contains(strings.TrimSuffix(c.m.phrases[i].text, "<"), "<")
	}
	return c
}

// Base is what the classifier knows.
func (c *Classifier) Base() *knowledge.Base { return c.base }

// Default classifies by the built-in base.
var Default = sync.OnceValue(func() *Classifier { return New(knowledge.Load()) })

// Event annotates a line by the built-in base; see Classifier.Event.
func Event(ev *smtp.Event) (a Annotation, ok bool) { return Default().Event(ev) }

// Reply annotates a reply by the built-in base.
func Reply(s *Said) Annotation { return Default().Reply(s) }

// Event annotates a line. ok is false for a line that tells of neither a reply nor a
// failure nor a recipient's fate.
func (c *Classifier) Event(ev *smtp.Event) (a Annotation, ok bool) {
	failed := ev.Failed || ev.Outcome != smtp.OutcomeNone && ev.Outcome != smtp.Discarded
	if ev.Reply.Code == 0 && ev.Reply.Enhanced.IsZero() && !failed {
		return Annotation{}, false
	}
	if ev.Reply.Code.Positive() {
		return c.Reply(saidBy(ev, nil)), true
	}
	host := speaker(ev)
	key := c.cache.key(ev, host)
	if answer, known := c.cache.get(key); known {
		a = c.unpack(answer)
	} else {
		a = c.Reply(saidBy(ev, host))
		c.cache.put(key, pack(a))
	}
	// A warning of which nothing is known may be of anything: it is no failure of mail.
	return a, ev.Kind != smtp.KindWarning || a.Entry != 0 || ev.Reply.Code != 0
}

// saidBy is what a line says, and the host that said it.
func saidBy(ev *smtp.Event, host []byte) *Said {
	return &Said{
		Code: ev.Reply.Code, Enhanced: ev.Reply.Enhanced, DSN: ev.DSN, Text: ev.Reply.Text, Note: ev.Text,
		Kind: ev.Kind, Outcome: ev.Outcome, Stage: ev.Stage, Direction: ev.Direction, Unasked: unasked(ev), Host: host,
	}
}

// speaker is the host that said the reply, nil where that is our own.
func speaker(ev *smtp.Event) []byte {
	switch {
	case ev.Direction != smtp.Outbound:
		return nil
	case ev.ReplyHost.Name != nil:
		return ev.ReplyHost.Name
	}
	return ev.Peer.Name
}

// unasked reports a good-bye that answers no QUIT.
func unasked(ev *smtp.Event) bool {
	switch ev.Reply.Code {
	case 221:
		return ev.Kind == smtp.KindAnswer && ev.Stage != smtp.StageQUIT
	case 421:
		return ev.Kind == smtp.KindAnswer && ev.Stage == smtp.StageNone
	}
	return false
}

// Reply annotates a reply.
func (c *Classifier) Reply(s *Said) (a Annotation) {
	a.Entry, a.Basis, a.Provider = c.decide(s)
	a.Cause = c.base.Entry(a.Entry).Cause
	a.Severity = c.base.Severity(a.Cause, s.Direction == smtp.Inbound, transient(s))
	return a
}

// transient reports that the failure is one of those that are tried again, or that
// nothing has been decided for good by it.
func transient(s *Said) bool {
	e := s.Enhanced
	if e.IsZero() {
		e = s.DSN
	}
	switch {
	case s.Code != 0:
		return s.Code.Transient()
	case s.Outcome == smtp.Deferred:
		return true
	case s.Outcome == smtp.Bounced || s.Outcome == smtp.Expired:
		return false
	case !e.IsZero():
		return e[0] == 4
	}
	return s.Outcome == smtp.OutcomeNone
}

func (c *Classifier) decide(s *Said) (knowledge.EntryID, Basis, knowledge.Provider) {
	base := c.base
	if s.Outcome != smtp.OutcomeNone {
		// Fates go before any text: they settle the matter.
		if id, ok := happening(base, s, true); ok {
			return id, Context, 0
		}
	}
	code := base.Code(s.Code)
	if s.Code.Positive() {
		basis := Context
		if code == nil {
			code, basis = byFirstDigit(base, s.Code), FirstDigit
		}
		if c := inContext(code, s, s.Enhanced); c != nil {
			return c.Entry, basis, 0
		}
		return code.Entry, basis, 0
	}
	rule, provider := c.match(s)
	if rule != nil {
		if rule.Provider != 0 {
			return rule.Entry, ProviderText, provider
		}
		return rule.Entry, Text, provider
	}
	id, basis := byNumbers(base, code, s)
	return id, basis, provider
}

// match returns the first rule that fits what was said, nil for none, and whose words they
// are. Where there is no reply, what our own MTA says is looked at.
func (c *Classifier) match(s *Said) (*knowledge.Rule, knowledge.Provider) {
	rule, provider := c.m.match(s, s.Text, s.Code == 0 && s.Enhanced.IsZero())
	if rule == noRule && s.Code == 0 {
		rule, provider = c.m.match(s, s.Note, true)
	}
	return c.m.rule(rule), provider
}

// byFirstDigit stands in for a positive code that nobody knows: a client must take it for
// what its first digit says (RFC 5321, 4.3.2).
func byFirstDigit(base *knowledge.Base, c smtp.Code) *knowledge.Code {
	if c.Class() == 2 {
		return base.Code(250)
	}
	return base.Code(354)
}

// inContext returns the first of a code's contexts that fits, nil when none does.
func inContext(code *knowledge.Code, s *Said, e smtp.EnhancedCode) *knowledge.Context {
	for i := range code.Contexts {
		if c := &code.Contexts[i]; c.Fits(s.Stage, s.by(), s.Unasked, e) {
			return c
		}
	}
	return nil
}

// byNumbers decides on a failure without any text.
func byNumbers(base *knowledge.Base, code *knowledge.Code, s *Said) (knowledge.EntryID, Basis) {
	enhanced, basis := s.Enhanced, CodeEnhanced
	if s.Code == 0 {
		basis = Enhanced
		if enhanced.IsZero() {
			enhanced = s.DSN
		}
	}
	var entry knowledge.EntryID // the code's
	if code != nil {
		entry = code.Entry
		if c := inContext(code, s, enhanced); c != nil {
			if c.Enhanced() {
				return c.Entry, basis
			}
			entry = c.Entry
		}
	}
	if status := base.Status(enhanced); status != nil && enhanced[0] != 2 { // a success in a failure tells nothing
		if status.Trust == knowledge.Safe || status.Trust == knowledge.Vague && (code == nil || !code.Firm) {
			return status.Entry, basis
		}
	}
	if s.Code == 0 {
		if id, ok := happening(base, s, false); ok {
			return id, Context
		}
	}
	if base.Entry(entry).Cause == knowledge.Unknown {
		return entry, FirstDigit // the code may have words, but its first digit is all that counts
	}
	return entry, Context
}

// happening finds what an event tells by itself: a fate, or what broke.
func happening(base *knowledge.Base, s *Said, fate bool) (knowledge.EntryID, bool) {
	for i := range base.Happenings {
		h := &base.Happenings[i]
		if h.Fate() == fate && h.Fits(s.Kind, s.Outcome, s.Stage, s.Code) {
			return h.Entry, true
		}
	}
	return 0, false
}
