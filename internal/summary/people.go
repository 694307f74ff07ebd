package summary

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// People are the senders, or the recipients, of what is counted.
type People struct {
	top     top
	unnamed int64 // deliveries of which the log does not show whose they are
	dropped int64 // deliveries of people who were rarely seen
}

// nullPath is the reverse-path of a bounce, as it is written (RFC 5321, 4.5.5).
const nullPath = "<>"

// seed makes the keys others in each run, so that nobody can choose addresses that share one.
var seed = maphash.MakeSeed()

// Count counts a line for an address; nil is one that the log does not show, and an empty one the
// null reverse-path. Only lines that decide what becomes of a recipient count.
func (p *People) Count(l *Line, addr []byte) {
	if !l.Decides() {
		return
	}
	if addr == nil {
		p.unnamed += l.N
		return
	}
	addr = foldDomain(addr)
	key := max(1, maphash.Bytes(seed, addr))
	i := p.top.byKey.Get(key)
	if i == index.None {
		var dropped int64
		i, dropped = p.top.enter(key, NameKey(addr), l.N, func() whom { return whom{name: cut(addr)} })
		if p.dropped += dropped; i == index.None {
			return
		}
	}
	p.top.counts[i].deliveries[l.Outcome] += l.N
}

// foldDomain makes the domain of an address small: only that is the same in any case (RFC 5321, 2.4).
func foldDomain(addr []byte) []byte {
	at := bytes.LastIndexByte(addr, '@') + 1
	if bytes.ContainsFunc(addr[at:], func(r rune) bool { return r >= 'A' && r <= 'Z' }) {
		return append(bytes.Clone(addr[:at]), bytes.ToLower(addr[at:])...)
	}
	return addr
}

// PersonRow is a sender or a recipient.
type PersonRow struct {
	Address    string // "<>" is the null reverse-path
	Count      int64
	Deliveries [smtp.NumOutcomes]int64
	Missed     int64 // at the most so many more deliveries were not counted; 0 where the row is exact
}

// Rows returns the people, the most frequent first.
func (p *People) Rows() []PersonRow {
	rows := make([]PersonRow, 0, len(p.top.counts))
	for i := range p.top.counts {
		c, n := &p.top.counts[i], &p.top.names[i]
		rows = append(rows, PersonRow{cmp.Or(n.name, nullPath), c.total(), c.deliveries, n.missed})
	}
	slices.SortFunc(rows, func(a, b PersonRow) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Address, b.Address))
	})
	return rows
}

// Unnamed is how many deliveries are of people whom the log does not show.
func (p *People) Unnamed() int64 { return p.unnamed }

// Dropped is how many deliveries are in no row for want of room, and Missed how many of them any
// one address may have had at the most.
func (p *People) Dropped() int64 { return p.dropped }

func (p *People) Missed() int64 { return p.top.missed() }
