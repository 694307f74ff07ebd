package incident

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// lifetime is how long the MTAs keep a message that waits, by default: Postfix's
// maximal_queue_lifetime, and the last time of Exim's retry rule.
var lifetime = [...]time.Duration{smtp.FormatPostfix: 5 * 24 * time.Hour, smtp.FormatExim: 4 * 24 * time.Hour, smtp.FormatTranscript: 0}

// top counts names.
type top struct {
	at   map[name]int
	list []counted
}

type counted struct {
	name        name
	n           int64
	first, last int64
}

func (t *top) add(n name, r *record) {
	if n == noName {
		return
	}
	if t.at == nil {
		t.at = map[name]int{}
	}
	i, ok := t.at[n]
	if !ok {
		i = len(t.list)
		t.at[n] = i
		t.list = append(t.list, counted{name: n, first: r.at, last: r.at})
	}
	c := &t.list[i]
	c.n += int64(max(r.count, 1))
	c.first, c.last = min(c.first, r.at), max(c.last, r.at)
}

// count goes through the incident's lines.
func (b *builder) count() {
	im := &b.out.Impact
	var tos, froms, users, clients, hosts, instances top
	messages := map[uint32]bool{}
	pairs := map[int32]bool{} // and whether one of the incident's lines is its bounce
	for _, s := range b.series {
		if s.gone > 0 {
			b.countAs(s.of, s.reply.Outcome, b.in(s))
		}
		s.within(b.from, b.to, func(r *record) {
			b.outcome(s, r)
			if r.message != 0 {
				messages[r.message] = true
			}
			if r.pair != none {
				pairs[r.pair] = pairs[r.pair] || r.outcome == smtp.Bounced
			}
			if s.of == Failures {
				tos.add(r.to, r)
			}
			froms.add(r.from, r)
			users.add(r.user, r)
			clients.add(r.client, r)
			instances.add(r.instance, r)
			if s.direction != smtp.Inbound {
				hosts.add(r.host, r)
			}
		})
	}
	im.Messages, im.Recipients, im.Senders = int64(len(messages)), int64(len(tos.list)), int64(len(froms.list))
	im.Users, im.Clients = int64(len(users.list)), int64(len(clients.list))
	h := &b.out.Hit
	domains := b.byDomain(&tos)
	im.Domains = int64(len(domains))
	h.Domains, h.Recipients, h.Senders, h.Users = domains[:min(len(domains), HitRows)], b.who(&tos), b.who(&froms), b.who(&users)
	h.Clients, h.Hosts, h.Instances = b.who(&clients), b.who(&hosts), b.who(&instances)
	h.Parties = b.partiesHit()
	im.Parties = int64(len(h.Parties))
	h.Parties = h.Parties[:min(len(h.Parties), HitRows)]
	b.fates(pairs)
	b.out.Partial = b.without()
}

// without is how many lines in the incident's wordings there are whose details were given up:
// some may be of its parties and are not counted.
func (b *builder) without() (n int64) {
	told := map[*series]bool{}
	for _, s := range b.series {
		if s.whole == nil || s.whole.gone == 0 || told[s.whole] || s.whole.thinned < b.from {
			continue
		}
		told[s.whole] = true
		for _, o := range b.Finder.all {
			if o.whole == s.whole && o.gone > 0 {
				n += b.in(o)
			}
		}
	}
	return n
}

func (b *builder) outcome(s *series, r *record) { b.countAs(s.of, r.outcome, int64(max(r.count, 1))) }

func (b *builder) countAs(of Kind, o smtp.Outcome, n int64) {
	im := &b.out.Impact
	switch {
	case of == Logins:
		im.Logins += n
	case of == Sessions:
		im.Broken += n
	case o == smtp.Deferred:
		im.Deferred += n
	case o == smtp.Bounced:
		im.Bounced += n
	case o == smtp.Expired:
		im.Expired += n
	case o == smtp.Rejected:
		im.Rejected += n
	}
}

// fates tells what became of the deliveries that had to wait.
func (b *builder) fates(pairs map[int32]bool) {
	im := &b.out.Impact
	im.Lost = im.Bounced
	var delays []time.Duration
	im.Lifetime = b.lifetime()
	for i, bounced := range pairs {
		p := &b.queue.pairs[i]
		switch {
		case p.outcome == smtp.Sent:
			im.DeliveredLate++
			delays = append(delays, time.Duration(p.ended-p.first)*time.Second)
		case p.outcome == smtp.Bounced && p.ended >= b.from && p.ended <= b.to:
			// Its bounce is one of the incident's lines, or of another cause meanwhile.
			if !bounced {
				im.Lost++
			}
		case p.outcome != smtp.Deferred:
			im.Lost++
		case p.removed:
			im.Vanished++
		default:
			im.Queued++
			until := b.time(p.arrived).Add(im.Lifetime)
			if im.ExpireFirst.IsZero() || until.Before(im.ExpireFirst) {
				im.ExpireFirst = until
			}
			if until.After(im.ExpireLast) {
				im.ExpireLast = until
			}
		}
	}
	if im.Queued == 0 {
		im.Lifetime = 0
	}
	im.Delay = distribution(delays)
}

func (b *builder) lifetime() time.Duration {
	if b.exim {
		return lifetime[smtp.FormatExim]
	}
	return lifetime[smtp.FormatPostfix]
}

func distribution(all []time.Duration) Delay {
	if len(all) == 0 {
		return Delay{}
	}
	slices.Sort(all)
	at := func(p float64) time.Duration { return all[min(int(p*float64(len(all))), len(all)-1)] }
	return Delay{N: int64(len(all)), P50: at(0.5), P95: at(0.95), Max: all[len(all)-1]}
}

// who lists the names that were counted most.
func (b *builder) who(t *top) []Who {
	var out []Who
	for _, c := range t.list {
		out = append(out, Who{Name: b.names.text(c.name), Count: c.n, First: b.time(c.first), Last: b.time(c.last)})
	}
	return most(out)[:min(len(out), HitRows)]
}

func most(all []Who) []Who {
	slices.SortFunc(all, func(a, b Who) int { return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Name, b.Name)) })
	return all
}

func (b *builder) byDomain(tos *top) []Who {
	return b.unite(tos, domainOf)
}

// unite counts what names have in common.
func (b *builder) unite(t *top, common func(string) string) []Who {
	at := map[string]int{}
	var out []Who
	for _, c := range t.list {
		d := common(b.names.text(c.name))
		if d == "" {
			continue
		}
		i, ok := at[d]
		if !ok {
			i = len(out)
			at[d] = i
			out = append(out, Who{Name: d, First: b.time(c.first), Last: b.time(c.last)})
		}
		w := &out[i]
		w.Count += c.n
		if t := b.time(c.first); t.Before(w.First) {
			w.First = t
		}
		if t := b.time(c.last); t.After(w.Last) {
			w.Last = t
		}
	}
	return most(out)
}

// partiesHit lists the parties of the incident's lines.
func (b *builder) partiesHit() []Who {
	at := map[partyID]*Who{}
	for _, s := range b.series {
		s.within(b.from, b.to, func(r *record) {
			if r.party == nobody {
				return
			}
			w := at[r.party]
			if w == nil {
				w = &Who{Name: b.parties.all[r.party].name}
				at[r.party] = w
			}
			w.Count += int64(r.count)
			if t := b.time(r.at); w.First.IsZero() || t.Before(w.First) {
				w.First = t
			}
			if t := b.time(r.at); t.After(w.Last) {
				w.Last = t
			}
		})
	}
	var out []Who
	for _, w := range at {
		out = append(out, *w)
	}
	return most(out)
}
