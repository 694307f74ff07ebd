package classify

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"sync/atomic"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// cacheSets times four slots of eight bytes are 256 KiB: three times the ten thousand
	// different texts that a log of a million replies has.
	cacheSets = 1 << 13
	cacheWays = 4

	// An answer takes 13 bits for the entry, 3 for the basis, 7 for the provider and 2 for
	// the severity. The cause goes with the entry.
	entryBits, basisBits, providerBits, severityBits = 13, 3, 7, 2
	answerBits                                       = entryBits + basisBits + providerBits + severityBits
	answerMask                                       = 1<<answerBits - 1
)

// This does not compile when an answer could not hold all that there may be.
const _ = uint(1<<entryBits-knowledge.MaxEntries) + uint(1<<providerBits-knowledge.MaxProviders) +
	uint(1<<basisBits-numBases) + uint(1<<severityBits-knowledge.NumSeverities)

// cache remembers how failures were annotated. Most replies of a log have been said before,
// and to hash a text costs a tenth of a search in it. What comes last is kept.
//
// A slot is one word, so that several goroutines can use it without locks: the answer, and
// 39 bits of the hash of all that the answer rests on. The bits that are not kept choose the
// set, so that more than fifty decide: a mistake is as good as impossible, and the hash's
// seed is random, so that nobody can make one on purpose.
type cache struct {
	seed  maphash.Seed
	whole bool // a phrase of a rule has a bracket and more behind it, so that what stands there matters
	slots [cacheSets][cacheWays]atomic.Uint64
}

// key is the hash of all that is looked at in a line to annotate it. host said the reply.
func (c *cache) key(ev *smtp.Event, host []byte) uint64 {
	r := &ev.Reply
	h := c.text(r.Text)
	if len(host) > 0 {
		h = mix(h+1, maphash.Bytes(c.seed, host))
	}
	h = mix(h, uint64(r.Code)<<48|uint64(r.Enhanced[0]&7)<<45|uint64(r.Enhanced[1]&1023)<<35|uint64(r.Enhanced[2]&1023)<<25|
		uint64(ev.Stage)<<16|uint64(ev.Kind)<<8|uint64(ev.Outcome)<<4|uint64(ev.Direction))
	if r.Code == 0 { // without a reply, what our own MTA says of it is looked at too
		h = mix(h, c.text(ev.Text))
		h = mix(h, uint64(ev.DSN[0])<<32|uint64(ev.DSN[1])<<16|uint64(ev.DSN[2]))
	}
	return max(h, 1<<answerBits) // an empty slot is the answer to no key
}

// text is the hash of a text without what stands in angle brackets: matcher.search passes over that too, and
// it is what makes each of a hundred replies of the same words another. Only where a reply's lines
// are joined, the brackets matter for where they begin.
func (c *cache) text(t []byte) uint64 {
	const bracket = 1
	var h uint64
	if !c.whole && (len(t) <= 4 || t[3] != '-') {
		for i := 0; i < len(t); {
			n := bytes.IndexByte(t[i:], '<')
			if n < 0 {
				break
			}
			if i += n; bracketed(t[i:]) == 0 {
				i++
				continue
			}
			h = mix(h+bracket, maphash.Bytes(c.seed, t[:i]))
			t, i = t[i+bracketed(t[i:]):], 0
		}
	}
	return mix(h, maphash.Bytes(c.seed, t))
}

// mix makes one hash of two, by a multiplication whose halves are folded (as wyhash does;
// the constants are its).
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^0xa0761d6478bd642f, b^0xe7037ed1a0b428db)
	return hi ^ lo
}

// get returns what is remembered; ok is false when that is nothing.
func (c *cache) get(key uint64) (answer uint64, ok bool) {
	set := &c.slots[key%cacheSets]
	for i := range set {
		if v := set[i].Load(); v&^answerMask == key&^answerMask {
			return v & answerMask, true
		}
	}
	return 0, false
}

// put remembers an answer in the place of the oldest of its set. Where several goroutines
// do so at once, one of the answers may be lost, and none is wrong.
func (c *cache) put(key, answer uint64) {
	set := &c.slots[key%cacheSets]
	for i := len(set) - 1; i > 0; i-- {
		set[i].Store(set[i-1].Load())
	}
	set[0].Store(key&^answerMask | answer)
}

// pack makes an answer of an annotation.
func pack(a Annotation) uint64 {
	return uint64(a.Entry) | (uint64(a.Basis)|(uint64(a.Provider)|uint64(a.Severity)<<providerBits)<<basisBits)<<entryBits
}

// unpack is the way back.
func (c *Classifier) unpack(answer uint64) (a Annotation) {
	a.Entry = knowledge.EntryID(answer & (1<<entryBits - 1))
	a.Basis = Basis(answer >> entryBits & (1<<basisBits - 1))
	a.Provider = knowledge.Provider(answer >> (entryBits + basisBits) & (1<<providerBits - 1))
	a.Severity = knowledge.Severity(answer >> (entryBits + basisBits + providerBits))
	a.Cause = c.base.Entry(a.Entry).Cause
	return a
}
