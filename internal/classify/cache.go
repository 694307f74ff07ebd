package classify

import (
	"hash/maphash"
	"sync/atomic"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// cacheBits sizes the cache: 64 K answers of eight bytes. A log of a million replies has
// some ten thousand different texts.
const cacheBits = 16

// cache remembers which rule fits what was said. Most replies of a log have been said
// before, and to hash a text costs a tenth of a search in it. An answer has two slots
// to be in and takes the place of the one before it there; a slot holds 40 bits of the hash, which with those that choose the
// slot make a mistake as good as impossible, and the hash's seed is random, so that nobody
// can make one on purpose. Several goroutines may use it at once.
type cache struct {
	seed  maphash.Seed
	slots [1 << cacheBits]atomic.Uint64 // 40 bits of the hash, 8 of the provider, 16 of the rule
}

// noRule stands for none.
const noRule = 1<<16 - 1

const valueBits = 24

// cached is matcher.match, remembered.
func (c *Classifier) cached(s *Said, text []byte, own bool) (*knowledge.Rule, knowledge.Provider) {
	h := c.cache.hash(s, text, own)
	pair := (*[2]atomic.Uint64)(c.cache.slots[h%(1<<cacheBits)&^1:])
	for i := range pair {
		if v := pair[i].Load(); v>>valueBits == h>>valueBits && v != 0 {
			return c.m.rule(uint16(v)), knowledge.Provider(v >> 16)
		}
	}
	rule, provider := c.m.match(s, text, own)
	i := h & 1
	if pair[i].Load() != 0 && pair[i^1].Load() == 0 {
		i ^= 1
	}
	pair[i].Store(h>>valueBits<<valueBits | uint64(provider)<<16 | uint64(rule))
	return c.m.rule(rule), provider
}

// hash is of all that a match depends on.
func (c *cache) hash(s *Said, text []byte, own bool) uint64 {
	around := uint64(s.Code)<<48 | uint64(s.Enhanced[0])<<36 ^ uint64(s.Enhanced[1])<<26 ^ uint64(s.Enhanced[2])<<16 ^ uint64(s.Stage)<<8 ^ uint64(s.by())
	if own {
		around ^= 1 << 7
	}
	h := maphash.Bytes(c.seed, text) ^ around*0x9E3779B97F4A7C15
	if len(s.Host) > 0 {
		h ^= maphash.Bytes(c.seed, s.Host) * 0x9E3779B97F4A7C15
	}
	return h
}
