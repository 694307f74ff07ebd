package incident

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxParties = 1 << 14 // parties whose flow is counted
	maxHosts   = 1 << 16 // hosts whose party is remembered
	homes      = 1 << 15 // domains of which it is remembered where their mail goes, a power of two
)

// partyID is a place in parties.all; 0 is whoever is not told apart.
type partyID int32

const nobody partyID = 0

// party is who is on the other side of what we deliver: a provider, or the domain that its
// host is in.
type party struct {
	name     string
	provider knowledge.Provider
	flow     flowTrack
	sent     int64
	failed   int64
	failing  bool    // its last delivery failed
	resumed  []int64 // when one succeeded after one that failed
}

// maxResumed is how many such times are kept of a party. Beyond, the minute is known only.
const maxResumed = 4096

// count counts a delivery.
func (p *party) count(one *flow, now int64) {
	if one.sent == 0 {
		p.failed += int64(one.deferred) + int64(one.bounced)
		p.failing = true
		return
	}
	p.sent += int64(one.sent)
	if p.failing && len(p.resumed) < maxResumed {
		p.resumed = append(p.resumed, now)
	}
	p.failing = false
}

// parties knows who is who.
type parties struct {
	base    *knowledge.Base
	all     []*party
	byName  map[string]partyID
	byHost  map[uint64]partyID
	home    [homes]home
	dropped int64
}

// home is where mail for a domain went the last time.
type home struct {
	domain uint64
	party  partyID
	local  bool    // its mail stays here
	last   *series // what its deliveries failed of the last time
}

func newParties(base *knowledge.Base) *parties {
	return &parties{base: base, all: []*party{{}}, byName: map[string]partyID{}, byHost: map[uint64]partyID{}}
}

// of returns the party of a line about a delivery to others. host is the hash of its
// peer's name.
func (p *parties) of(ev *smtp.Event, host uint64) partyID {
	at := p.homeOf(ev.To)
	switch {
	case host != 0 && !ev.Peer.IsZero():
		id := p.ofHost(&ev.Peer, host)
		if at != nil {
			at.party = id
		}
		return id
	case !ev.ReplyHost.IsZero():
		return p.ofHost(&ev.ReplyHost, xxhash.Sum64(ev.ReplyHost.Name)+xxhash.Sum64(ev.ReplyHost.IP))
	case at == nil:
		return nobody
	case at.party == nobody:
		// No host was reached yet: the domain stands for itself.
		at.party = p.named(string(appendDomain(nil, ev.To)), 0)
	}
	return at.party
}

func (p *parties) ofHost(peer *smtp.Peer, host uint64) partyID {
	if id, ok := p.byHost[host]; ok {
		return id
	}
	if len(p.byHost) >= maxHosts {
		clear(p.byHost) // it is only a memory of what can be looked up
	}
	who := peer.Name
	if len(who) == 0 {
		who = peer.IP
	}
	var id partyID
	if provider := p.base.Host(who); provider != 0 {
		id = p.named(p.base.ProviderName(provider), provider)
	} else {
		id = p.named(summary.Domain(string(bytes.ToLower(who[:min(len(who), maxName)]))), 0)
	}
	p.byHost[host] = id
	return id
}

func (p *parties) named(who string, provider knowledge.Provider) partyID {
	if id, ok := p.byName[who]; ok {
		return id
	}
	if len(p.all) >= maxParties && provider == 0 {
		p.dropped++
		return nobody
	}
	id := partyID(len(p.all))
	p.all = append(p.all, &party{name: who, provider: provider})
	p.byName[who] = id
	return id
}

// homeOf returns where it is remembered how mail for an address's domain went; nil for no
// domain.
func (p *parties) homeOf(to []byte) *home {
	i := bytes.LastIndexByte(to, '@')
	if i < 0 {
		return nil
	}
	var room [64]byte
	h := xxhash.Sum64(appendDomain(room[:0], to[i:]))
	at := &p.home[h%homes]
	if at.domain != h {
		*at = home{domain: h}
	}
	return at
}

// appendDomain appends the domain of an address, in lower case.
func appendDomain(dst, address []byte) []byte {
	for _, c := range address[bytes.LastIndexByte(address, '@')+1:] {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// makeRoom widens the buckets of parties' flows until there are few enough: first of those
// with whom nothing ever failed.
func (p *parties) makeRoom(cells *int) {
	for _, spared := range []bool{true, false} {
		for *cells > maxFlowCells*3/4 {
			before := *cells
			for _, who := range p.all {
				if (who.failed == 0) == spared && len(who.flow.cells) > 1 && who.flow.shift < coarsest {
					*cells -= who.flow.widen()
				}
			}
			if *cells == before {
				break
			}
		}
	}
}

// coarsest is how often the width of a bucket may double: to a little more than a day.
const coarsest = 11
