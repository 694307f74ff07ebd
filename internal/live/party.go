package live

import (
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxNames is how many parties are remembered.
const maxNames = 1 << 15

// party is who is on the other side.
type party struct {
	name     string
	provider bool                   // one that many have to do with
	last     [lastTroubles]*Trouble // that it had last, which mostly come again
	end      End                    // of its name
	flow     flow                   // to it
}

// lastTroubles is how many are remembered of each party.
const lastTroubles = 4

// parties remembers who had trouble, and which hosts are theirs.
type parties struct {
	hosts     hosts             // the number of the party, by hostKey
	all       []*party          // by number; 0 is nobody
	providers marks             // of all hosts of providers
	byName    map[string]uint16 // the number of each
	flows     *flows
	nobody    [knowledge.NumCauses][smtp.Internal + 1]*Trouble // the last ones of where it does not matter who
}

const nobody = uint16(0)

func newParties(f *flows) *parties {
	p := &parties{hosts: newHosts(), all: []*party{{end: EndOf(nil)}}, byName: map[string]uint16{}, flows: f}
	for _, ends := range f.hosts {
		for _, e := range ends {
			p.providers.set(e, true)
		}
	}
	return p
}

// party tells who is on the other side of a line: a provider, or the domain that its host is
// in. Of those who come to us only providers are told apart, or each stranger who guesses
// passwords would be a kind of trouble.
func (w *Watch) party(l *summary.Line, words Words) (number uint16) {
	p := w.parties
	if l.Host == 0 && l.Direction == smtp.Outbound { // no host was reached
		var room [64]byte
		return p.named(appendLower(room[:0], words.Domain()), false)
	}
	if l.Host == 0 || l.Direction != smtp.Outbound && l.Direction != smtp.Inbound {
		return nobody
	}
	if l.Direction == smtp.Inbound && !p.providers.has(words.Ends().Host) {
		return nobody
	}
	key := hostKey(l.Host, l.Direction)
	number, ok := p.hosts.get(key)
	if ok {
		return number
	}
	host := words.Host()
	if l.Direction == smtp.Outbound {
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

// forget empties the memory: it is only one of what can be looked up.
func (p *parties) forget() {
	p.hosts.clear()
	clear(p.all[1:])
	p.all = p.all[:1]
	clear(p.byName)
	p.flows.forget()
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
