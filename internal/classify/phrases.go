package classify

import (
	"bytes"
	"math/bits"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// keyLen is how many bytes of a phrase are looked up at each byte of a text. They fill
	// a word, and few places of a text hold a phrase's key.
	keyLen = knowledge.MinPhrase

	// hashBits sizes the table of keys: 8 K slots of two bytes stay in the processor's
	// first cache.
	hashBits = 13

	// filterBits sizes the filter before that table, a bit a hash: 8 KB, of which two
	// thousand phrases set three in a hundred, so that at nearly every byte of a text the
	// answer is no and the processor guesses it.
	filterBits = 16

	// maxAddress is the longest path of RFC 5321, 4.5.3.1.3, with its angle brackets.
	maxAddress = 256

	// seamReach is how much of a line's end and of the next one's beginning is searched for
	// a phrase that is broken over both: more than the longest phrase has.
	seamReach = 64
)

// matcher finds all phrases of all rules in one pass over a text. Each phrase is looked up
// by four of its bytes, those that the fewest phrases share: not by "user" or "mail", which
// a hostile text could be full of.
type matcher struct {
	base    *knowledge.Base
	phrases []phrase
	slots   []slot // one a phrase
	filter  [1 << filterBits / 64]uint64
	heads   [1 << hashBits]uint16 // 1 + the first phrase of those with this hash of their key
	rules   []ruleSets
	numbers [][]uint16 // the rules of each provider that name no phrase, only numbers
}

type phrase struct {
	text     string
	rules    []uint16
	provider knowledge.Provider // whose mark it is
}

// A slot is what is asked of a phrase first, in as few bytes as can be: most of the keys
// that have its hash are others.
type slot struct {
	key  uint32
	next uint16 // 1 + the next phrase of the same hash
	at   uint8  // where its key stands in it
}

// ruleSets are a rule's phrases by number.
type ruleSets struct{ also, not []uint16 }

// seen is the set of phrases that a text holds. It is on the stack, and a word tells which
// of its words have any, for few have.
type seen struct {
	words [knowledge.MaxPhrases / 64]uint64
	which uint64
}

// A bit of which for each word: this does not compile when there are more words.
var _ [64 - len(seen{}.words)]struct{}

func (s *seen) add(i uint16) {
	s.words[i/64] |= 1 << (i % 64)
	s.which |= 1 << (i / 64)
}

func (s *seen) has(i uint16) bool { return s.words[i/64]&(1<<(i%64)) != 0 }

// all yields the phrases in ascending order.
func (s *seen) all(yield func(uint16) bool) {
	for which := s.which; which != 0; which &= which - 1 {
		w := bits.TrailingZeros64(which)
		for word := s.words[w]; word != 0; word &= word - 1 {
			if !yield(uint16(w*64 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

func newMatcher(base *knowledge.Base) *matcher {
	rules := base.Rules
	m := &matcher{base: base, rules: make([]ruleSets, len(rules)), numbers: make([][]uint16, len(base.Providers))}
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
	for p := range base.Providers {
		for _, text := range base.Providers[p].Marks {
			m.phrases[intern(text)].provider = knowledge.Provider(p)
		}
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
		if rules[i].Any == nil {
			m.numbers[rules[i].Provider] = append(m.numbers[rules[i].Provider], uint16(i))
		}
	}
	m.index()
	return m
}

// index enters each phrase under its rarest key.
func (m *matcher) index() {
	var common [1 << hashBits]uint16
	for _, p := range m.phrases {
		for at := range len(p.text) - keyLen + 1 {
			common[hash(key(p.text[at:]))]++
		}
	}
	m.slots = make([]slot, len(m.phrases))
	for i, p := range m.phrases {
		s := &m.slots[i]
		best := hash(key(p.text))
		for at := range min(len(p.text)-keyLen+1, 256) {
			if h := hash(key(p.text[at:])); common[h] < common[best] {
				best, s.at = h, uint8(at)
			}
		}
		s.key = key(p.text[s.at:])
		wide := wideHash(s.key)
		m.filter[wide/64] |= 1 << (wide % 64)
		s.next, m.heads[best] = m.heads[best], uint16(i)+1
	}
}

func key(s string) uint32 {
	return uint32(s[0])<<24 | uint32(s[1])<<16 | uint32(s[2])<<8 | uint32(s[3])
}

// wideHash places a key in the filter, hash in the table.
func wideHash(w uint32) uint32 { return w * 0x9E3779B1 >> (32 - filterBits) }
func hash(w uint32) uint32     { return wideHash(w) >> (filterBits - hashBits) }

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

// noRule stands for none.
const noRule = 1<<16 - 1

// rule returns a rule by its number, nil for noRule.
func (m *matcher) rule(n uint16) *knowledge.Rule {
	if n == noRule {
		return nil
	}
	return &m.base.Rules[n]
}

// match returns the first rule that fits what was said, noRule for none, and the provider
// that said it, known by the text's own marks or else by the host. own tells that text is
// our own MTA's and no reply.
func (m *matcher) match(s *Said, text []byte, own bool) (uint16, knowledge.Provider) {
	var found seen
	if len(text) >= keyLen {
		m.scan(text, &found)
	}
	provider := m.provider(s, &found)
	best := uint16(noRule)
	try := func(r uint16) {
		if r < best && m.fits(&m.base.Rules[r], int(r), s, provider, own, &found) {
			best = r
		}
	}
	for p := range found.all {
		for _, r := range m.phrases[p].rules {
			try(r)
		}
	}
	for _, r := range m.numbers[provider] {
		try(r)
	}
	return best, provider
}

// provider tells whose words they are. A mark goes before the host: a relay may pass on
// what another said. Of several marks the last provider's in the list counts.
func (m *matcher) provider(s *Said, found *seen) (p knowledge.Provider) {
	for n := range found.all {
		p = max(p, m.phrases[n].provider)
	}
	if p == 0 && len(s.Host) > 0 {
		p = m.base.Host(s.Host)
	}
	return p
}

// scan sets the phrases that text holds.
func (m *matcher) scan(text []byte, found *seen) {
	m.search(text, found)
	if len(text) <= 4 || text[3] != '-' { // a reply of one line
		return
	}
	for i := 5; i < len(text); i++ {
		if text[i] != '4' && text[i] != '5' {
			continue
		}
		if n := nextLine(text[i:], text[i-1]); n > 0 {
			var buf [2*seamReach + 1]byte
			m.search(buf[:seam(&buf, text[:i-1], text[i+n:])], found)
		}
	}
}

// search does so for a text of one line. Each byte is looked at once and, where a phrase's
// key stands, compared with the few of that key.
func (m *matcher) search(text []byte, found *seen) {
	var window uint32
	piece := 0 // where it began: what follows an address continues nothing before it
	for i := 0; i < len(text); i++ {
		c := fold[text[i]]
		window = window<<8 | uint32(c)
		if h := wideHash(window); m.filter[h/64]&(1<<(h%64)) != 0 {
			m.lookUp(text[piece:], i+1-keyLen-piece, window, found)
		}
		if c == '<' {
			if n := bracketed(text[i:]); n > 0 {
				i, piece = i+n-1, i+n
			}
		}
	}
}

// lookUp sets the phrases whose key is at a place of text and which are there whole.
func (m *matcher) lookUp(text []byte, at int, window uint32, found *seen) {
	for n := m.heads[hash(window)]; n != 0; n = m.slots[n-1].next {
		s := &m.slots[n-1]
		if start := at - int(s.at); s.key == window && start >= 0 && begins(text[start:], m.phrases[n-1].text) {
			found.add(n - 1)
		}
	}
}

// seam joins the end of a line and the beginning of the next in buf, for a phrase that is
// broken over both, and returns how long they are. A bracket ends either: what is cut off
// behind it could not be told from the server's words.
func seam(buf *[2*seamReach + 1]byte, line, next []byte) int {
	line = bytes.TrimRight(bytes.TrimSuffix(line, []byte(`\`)), " \t\r\n")
	line = line[max(len(line)-seamReach, 0):]
	line = line[bytes.LastIndexAny(line, "<>")+1:]
	next = next[:min(len(next), seamReach)]
	if n := bytes.IndexByte(next, '<'); n >= 0 {
		next = next[:n]
	}
	n := copy(buf[:], line)
	buf[n] = ' '
	return n + 1 + copy(buf[n+1:], next)
}

// nextLine returns the length of what a reply's next line begins with, its code and enhanced
// code, where lines are joined to one; 0 for none. Postfix puts a blank between them, Exim
// writes \n as two characters; before is the last of either.
func nextLine(text []byte, before byte) int {
	if fold[before] != ' ' && before != 'n' || len(text) < 4 || !digit(text[1]) || !digit(text[2]) || text[3] != '-' && text[3] != ' ' {
		return 0
	}
	_, n := smtp.ParseEnhanced(text[4:])
	for n += 4; n < len(text) && text[n] == ' '; n++ {
	}
	return n
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

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

// bracketed returns the length of what stands in angle brackets at the start of text, 0 for
// none. It is an address, a name or what else the client sent, and tells nothing of the reply.
func bracketed(text []byte) int {
	for i := 1; i < len(text) && i < maxAddress; i++ {
		switch text[i] {
		case '<':
			return 0
		case ' ':
			if i == 1 { // a comparison
				return 0
			}
		case '>':
			return i + 1
		}
	}
	return 0
}

func (m *matcher) fits(r *knowledge.Rule, n int, s *Said, provider knowledge.Provider, own bool, found *seen) bool {
	if r.Provider != 0 && r.Provider != provider || !r.TellsOf(s.Enhanced) {
		return false
	}
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
