package live

import (
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxHosts  = 1 << 15 // hosts whose party is remembered
	maxNames  = 1 << 15 // parties that are remembered
	hostSlots = 2 * maxHosts
)

// party is who is on the other side.
type party struct {
	name     string
	provider bool     // one that many have to do with
	last     *Trouble // that it had last, which mostly comes again
	flow     *flow    // how deliveries to it go; nil where none failed
}

// parties remembers who the hosts belong to. That is asked of each delivery, and of as many
// hosts as there are nothing is in the processor's caches: a host is one place of a table
// that is open-addressed and has the whole key, and whether deliveries to its party fail is
// a bit of a few thousand. The key is a seeded hash, which no stranger can choose.
type parties struct {
	hosts   []hostSlot
	n       int              // of hosts that are there
	all     []*party         // by number; 0 is nobody
	byName  map[string]int32 // the number of each
	failing [maxNames / 64]uint64
	nobody  [knowledge.NumCauses][smtp.Internal + 1]*Trouble // the last ones of where it does not matter who
}

type hostSlot struct {
	key uint64 // of the host and the direction; 0 is a free slot
	who int32
}

const nobody = int32(0)

func newParties() *parties {
	return &parties{hosts: make([]hostSlot, hostSlots), all: []*party{{}}, byName: map[string]int32{}}
}

// hostKey makes one key of a host's and the direction.
func hostKey(host uint64, d smtp.Direction) uint64 { return host + uint64(d)<<40 }

// slot returns where a host is, or belongs.
func (p *parties) slot(key uint64) *hostSlot {
	for i := key; ; i++ {
		if s := &p.hosts[i%hostSlots]; s.key == key || s.key == 0 {
			return s
		}
	}
}

// party names the other side of a line: its provider, or the domain that its host is in.
// Of those who come to us only providers are told apart, or each stranger who guesses
// passwords would be a kind of trouble.
func (w *Watch) party(l *summary.Line, words Words) (number int32) {
	p := w.parties
	if l.Host == 0 && l.Direction == smtp.Outbound { // no host was reached
		var room [64]byte
		return w.named(appendLower(room[:0], words.Domain()), false)
	}
	if l.Host == 0 || l.Direction != smtp.Outbound && l.Direction != smtp.Inbound {
		return nobody
	}
	key := hostKey(l.Host, l.Direction)
	s := p.slot(key)
	if s.key == key && key != 0 {
		return s.who
	}
	who, host := nobody, words.Host()
	if provider := w.base.Host(host); provider != 0 {
		who = w.named([]byte(w.base.ProviderName(provider)), true)
	} else if l.Direction == smtp.Outbound {
		who = w.named([]byte(summary.Domain(string(cut(host)))), false)
	}
	if p.n >= maxHosts {
		p.forgetHosts()
	}
	p.n++
	*p.slot(key) = hostSlot{key, who}
	return who
}

// named returns the party of a name.
func (w *Watch) named(name []byte, provider bool) (number int32) {
	p := w.parties
	if len(name) == 0 {
		return nobody
	}
	if who, ok := p.byName[string(name)]; ok {
		p.all[who].provider = p.all[who].provider || provider
		return who
	}
	if len(p.all) >= maxNames {
		p.forget()
	}
	who := int32(len(p.all))
	p.all = append(p.all, &party{name: string(name), provider: provider})
	p.byName[string(name)] = who
	p.goes(p.all[who].name, w.flows.byParty[string(name)])
	return who
}

// goes notes how deliveries to a party go, if it is remembered; nil is well.
func (p *parties) goes(name string, f *flow) {
	who, ok := p.byName[name]
	if !ok {
		return
	}
	p.all[who].flow = f
	p.failing[who/64] &^= 1 << (who % 64)
	if f != nil {
		p.failing[who/64] |= 1 << (who % 64)
	}
}

// flow returns how deliveries to a party go; nil is well.
func (p *parties) flow(who int32) *flow {
	if p.failing[who/64]>>(who%64)&1 == 0 {
		return nil
	}
	return p.all[who].flow
}

// forgetHosts and forget empty the memory: it is only one of what can be looked up.
func (p *parties) forgetHosts() {
	clear(p.hosts)
	p.n = 0
}

func (p *parties) forget() {
	p.forgetHosts()
	clear(p.all[1:])
	p.all = p.all[:1]
	clear(p.byName)
	clear(p.failing[:])
}

// appendLower appends a domain in lower case.
func appendLower(to, domain []byte) []byte {
	for _, c := range cut(domain) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

func cut(b []byte) []byte { return b[:min(len(b), maxText)] }
