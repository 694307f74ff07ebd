package classify

import (
	"math/bits"
	"slices"
	"sync"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

const (
	// prefixLen is how many bytes of a phrase are looked up at each byte of a text. They
	// fill a word, and few places of a text begin like a phrase.
	prefixLen = knowledge.MinPhrase

	// hashBits sizes the table of prefixes: 32 K slots of two bytes stay in the cache, and
	// a thousand phrases leave most of them empty.
	hashBits = 15

	// maxPhrases bounds the set of phrases seen in a text, which is on the stack.
	maxPhrases = 2048

	// maxAddress is the longest path of RFC 5321, 4.5.3.1.3, with its angle brackets.
	maxAddress = 256
)

// matcher finds all phrases of all rules in one pass over a text.
type matcher struct {
	phrases []phrase
	heads   [1 << hashBits]uint16 // 1 + the first phrase of those with this hash of their prefix
	rules   []ruleSets
}

type phrase struct {
	text  string
	next  uint16 // 1 + the next phrase of the same hash
	rules []uint16
}

// ruleSets are a rule's phrases by number.
type ruleSets struct{ also, not []uint16 }

type seen [maxPhrases / 64]uint64

func (s *seen) add(i uint16)      { s[i/64] |= 1 << (i % 64) }
func (s *seen) has(i uint16) bool { return s[i/64]&(1<<(i%64)) != 0 }

// rules builds the matcher once, from the rules of the knowledge base.
var rules = sync.OnceValue(func() *matcher { return newMatcher(knowledge.Load().Rules) })

func newMatcher(rules []knowledge.Rule) *matcher {
	m := &matcher{rules: make([]ruleSets, len(rules))}
	number := make(map[string]uint16)
	intern := func(text string) uint16 {
		n, ok := number[text]
		if !ok {
			n = uint16(len(m.phrases))
			number[text] = n
			m.phrases = append(m.phrases, phrase{text: text})
		}
		return n
	}
	for i := range rules {
		for _, text := range rules[i].Any {
			p := &m.phrases[intern(text)]
			p.rules = append(p.rules, uint16(i))
		}
		for _, text := range rules[i].Also {
			m.rules[i].also = append(m.rules[i].also, intern(text))
		}
		for _, text := range rules[i].Not {
			m.rules[i].not = append(m.rules[i].not, intern(text))
		}
	}
	for i := range m.phrases {
		p := &m.phrases[i]
		h := hash(prefix(p.text))
		p.next, m.heads[h] = m.heads[h], uint16(i)+1
	}
	return m
}

func prefix(s string) uint32 {
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}

func hash(w uint32) uint32 { return w * 0x9E3779B1 >> (32 - hashBits) }

// fold maps letters to lower case and blanks of every kind to one.
var fold = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
	}
	for c := byte('A'); c <= 'Z'; c++ {
		t[c] = c + 'a' - 'A'
	}
	for _, c := range []byte("\t\r\n\v\f") {
		t[c] = ' '
	}
	return t
}()

// match returns the entry of the first rule that fits what was said. own tells that text
// is our own MTA's and no reply.
func (m *matcher) match(base *knowledge.Base, s *Said, text []byte, own bool) (knowledge.EntryID, bool) {
	if len(text) < prefixLen {
		return 0, false
	}
	var found seen
	if !m.scan(text, &found) {
		return 0, false
	}
	best := len(base.Rules)
	for w, word := range found {
		for ; word != 0; word &= word - 1 {
			for _, r := range m.phrases[w*64+bits.TrailingZeros64(word)].rules {
				if int(r) < best && m.fits(&base.Rules[r], int(r), s, own, &found) {
					best = int(r)
				}
			}
		}
	}
	if best == len(base.Rules) {
		return 0, false
	}
	return base.Rules[best].Entry, true
}

// scan sets the phrases that text holds, and reports whether there is any. Each byte is
// looked at once and, where a phrase begins, compared with the few that begin like it.
func (m *matcher) scan(text []byte, found *seen) (any bool) {
	var window uint32
	have := 0 // how many bytes of window are in one piece
	for i := 0; i < len(text); i++ {
		if text[i] == '<' {
			if n := address(text[i:]); n > 0 {
				i, have = i+n-1, 0
				continue
			}
		}
		window = window<<8 | uint32(fold[text[i]])
		if have++; have < prefixLen {
			continue
		}
		start := i + 1 - prefixLen
		for p := m.heads[hash(window)]; p != 0; p = m.phrases[p-1].next {
			if begins(text[start:], m.phrases[p-1].text) {
				found.add(p - 1)
				any = true
			}
		}
	}
	return any
}

// begins reports whether text begins with a phrase in any case.
func begins(text []byte, phrase string) bool {
	if len(text) < len(phrase) {
		return false
	}
	for i := range len(phrase) {
		if fold[text[i]] != phrase[i] {
			return false
		}
	}
	return true
}

// address returns the length of an address in angle brackets at the start of text, 0 for
// none. What it says is its owner's and tells nothing of the reply.
func address(text []byte) int {
	at := false
	for i := 1; i < len(text) && i < maxAddress; i++ {
		switch text[i] {
		case '@':
			at = true
		case '<', ' ':
			return 0
		case '>':
			if at {
				return i + 1
			}
			return 0
		}
	}
	return 0
}

func (m *matcher) fits(r *knowledge.Rule, n int, s *Said, own bool, found *seen) bool {
	if r.Own && !own || r.Reply && own || !r.At(s.Stage) || r.By != knowledge.AnyBody && r.By != s.by() {
		return false
	}
	if r.Class != 0 && s.Code.Class() != r.Class && (s.Code != 0 || int(s.Enhanced[0]) != r.Class) {
		return false
	}
	if r.Codes != nil && !slices.Contains(r.Codes, s.Code) {
		return false
	}
	for _, p := range m.rules[n].also {
		if !found.has(p) {
			return false
		}
	}
	for _, p := range m.rules[n].not {
		if found.has(p) {
			return false
		}
	}
	return true
}
