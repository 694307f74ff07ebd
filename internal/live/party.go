package live

import (
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxNames is how many parties are remembered.
const maxNames = 1 << 15

// party is who is on the other side.
type party struct {
	name     string
	troubles []*Trouble // with it, the one that was asked for last first
	provider bool       // one that many have to do with
	end      End        // of its name
	flow     flow       // to it
}

// trouble returns the party's trouble of a cause, nil for none.
func (p *party) trouble(side causeSide) *Trouble {
	for i, t := range p.troubles {
		if t.Cause == side.cause && t.Direction == side.direction {
			p.troubles[0], p.troubles[i] = t, p.troubles[0]
			return t
		}
	}
	return nil
}

// parties remembers who had trouble, and which hosts are theirs.
type parties struct {
	hosts     hosts             // the number of the party, by hostKey
	all       []*party          // by number; 0 is nobody
	providers ends              // of all hosts of providers
	byName    map[string]uint16 // the number of each
	flows     *flows
}

const nobody = uint16(0)

func newParties(f *flows) *parties {
	p := &parties{hosts: newHosts(), all: []*party{{end: EndOf(nil)}}, byName: map[string]uint16{}, flows: f}
	for _, ends := range f.hosts {
		for _, e := range ends {
			p.providers.set(e)
		}
	}
	return p
}

// with tells with whom a trouble is. A mistyped address is one, in whatever domain, and who comes
// to us is told apart only where that is a provider, or each stranger who guesses passwords would be a kind of
// trouble.
func (w *Watch) with(s *session.Step, cause knowledge.Cause, words Words) *party {
	p, whole := w.parties, s.Direction == smtp.Outbound && mendable(cause)
	if !whole && (s.Host == 0 || !p.providers.has(words.Ends().Host)) {
		return p.all[nobody]
	}
	if who := p.all[w.party(s, words)]; whole || who.provider {
		return who
	}
	return p.all[nobody]
}

// party tells who is on the other side of a line: a provider, or the domain that its host is
// in.
func (w *Watch) party(s *session.Step, words Words) (number uint16) {
	p := w.parties
	if s.Host == 0 && s.Direction == smtp.Outbound { // no host was reached
		var room [64]byte
		return p.named(appendLower(room[:0], words.Domain()), false)
	}
	if s.Host == 0 || s.Direction != smtp.Outbound && s.Direction != smtp.Inbound {
		return nobody
	}
	key := hostKey(s.Host, s.Direction)
	number, ok := p.hosts.get(key)
	if ok {
		return number
	}
	host := words.Host()
	if s.Direction == smtp.Outbound {
		name, provider := w.owner(host)
		number = p.named([]byte(name), provider)
	} else if provider := w.base.Host(host); provider != 0 {
		number = p.named([]byte(w.base.ProviderName(provider)), true)
	}
	p.hosts.put(key, number)
	return number
}

// hostKey makes one key of a host's and the direction.
func hostKey(host uint64, d smtp.Direction) uint64 { return host ^ uint64(d)<<40 }

// owner names whose a host is, and whether that is a provider.
func (w *Watch) owner(host []byte) (name string, provider bool) {
	if p := w.base.Host(host); p != 0 {
		return w.base.ProviderName(p), true
	}
	return summary.Domain(string(cut(host))), false
}

// named returns the party of a name.
func (p *parties) named(name []byte, provider bool) (number uint16) {
	if len(name) == 0 {
		return nobody
	}
	if number, ok := p.byName[string(name)]; ok {
		p.all[number].provider = p.all[number].provider || provider
		return number
	}
	if len(p.all) >= maxNames {
		p.forget()
	}
	number = uint16(len(p.all))
	p.all = append(p.all, &party{name: string(name), provider: provider, end: EndOf(name)})
	p.byName[string(name)] = number
	return number
}

// forget empties the memory, but for those that have troubles, of which there are maxTroubles at the
// most: the rest is only what can be looked up.
func (p *parties) forget() {
	p.hosts.clear()
	clear(p.byName)
	kept := p.all[:1]
	for _, who := range p.all[1:] {
		if len(who.troubles) == 0 {
			p.flows.end(who)
			continue
		}
		p.byName[who.name] = uint16(len(kept))
		kept = append(kept, who)
	}
	clear(p.all[len(kept):])
	p.all = kept
	p.flows.sweep()
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
