package summary

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Replies returns the rows of replies by direction, code, enhanced code and stage.
func (s *Summary) Replies() []*Reply {
	rows := make([]*Reply, 0, len(s.replies))
	for _, r := range s.replies {
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *Reply) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Code, b.Code), slices.Compare(a.Enhanced[:], b.Enhanced[:]),
			cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Note.Cause, b.Note.Cause), cmpBool(a.Inferred, b.Inferred))
	})
	return rows
}

// Causes returns what went wrong, worst first: see weight.
func (s *Summary) Causes() []*Cause {
	rows := make([]*Cause, 0, len(s.causes))
	for _, c := range s.causes {
		rows = append(rows, c)
	}
	slices.SortFunc(rows, func(a, b *Cause) int {
		return cmp.Or(-cmp.Compare(a.weight(), b.weight()), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.Note.Cause, b.Note.Cause),
			cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Code, b.Code), slices.Compare(a.Enhanced[:], b.Enhanced[:]), cmp.Compare(a.Stage, b.Stage))
	})
	return rows
}

// Group is a cause with all replies that told it, for one direction.
type Group struct {
	Cause       knowledge.Cause
	Severity    knowledge.Severity
	Direction   smtp.Direction
	Rows        []*Cause // most frequent first
	Count       int64
	First, Last time.Time

	weight int64
}

// weight says how far up in a report a cause belongs.
func (c *Cause) weight() int64 {
	return Weight(c.Note.Cause, c.Note.Severity, c.Direction, c.Count)
}

// Weight says how far up a cause belongs that was met n times. It is that number, where
// one step of severity weighs as much as sixteen times the volume, and so does that it
// is ours to mend; that one of our own users meets it, four times. So one message refused
// because we are on a blocklist stands above a thousand guessed passwords, and those
// above a dozen mistyped addresses. What is as it should be, a stranger's spam that we
// refuse, has nothing to be mended and comes last however much of it there is.
func Weight(cause knowledge.Cause, severity knowledge.Severity, d smtp.Direction, n int64) int64 {
	if severity == knowledge.Info {
		return 0
	}
	n <<= severityStep * uint(severity)
	switch who := cause.ActorOf(d); {
	case who == ourAdmin(d):
		n <<= oursToMend
	case who == ourUser(d):
		n <<= oursToMeet
	}
	return n
}

const (
	severityStep = 4 // sixteen times; three steps and the next leave 47 bits for the count
	oursToMend   = 4 // sixteen times
	oursToMeet   = 2 // four times
)

// Ours reports that a cause is for us to mend, the postmasters of this server.
func Ours(cause knowledge.Cause, d smtp.Direction) bool { return cause.ActorOf(d) == ourAdmin(d) }

// ourAdmin is the postmaster whom we speak to: the receiving one where others send to us.
func ourAdmin(d smtp.Direction) knowledge.Actor {
	if d == smtp.Inbound {
		return knowledge.ReceivingAdmin
	}
	return knowledge.SendingAdmin
}

// ourUser is the role that one of our own users has.
func ourUser(d smtp.Direction) knowledge.Actor {
	if d == smtp.Inbound {
		return knowledge.Recipient
	}
	return knowledge.SenderUser
}

// Groups returns the causes with their rows put together, worst first: a group weighs
// what its rows do.
func (s *Summary) Groups() []*Group {
	byCause := map[[2]uint8]*Group{}
	var groups []*Group
	for _, c := range s.Causes() {
		key := [2]uint8{uint8(c.Note.Cause), uint8(c.Direction)}
		g := byCause[key]
		if g == nil {
			g = &Group{Cause: c.Note.Cause, Direction: c.Direction, First: c.First, Last: c.Last}
			byCause[key] = g
			groups = append(groups, g)
		}
		g.Rows = append(g.Rows, c)
		g.Count += c.Count
		g.weight += c.weight()
		g.Severity = max(g.Severity, c.Note.Severity)
		g.First, g.Last = span(g.First, g.Last, c.First)
		g.First, g.Last = span(g.First, g.Last, c.Last)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Rows, func(a, b *Cause) int { return -cmp.Compare(a.Count, b.Count) })
	}
	slices.SortStableFunc(groups, func(a, b *Group) int {
		return cmp.Or(-cmp.Compare(a.weight, b.weight), -cmp.Compare(a.Count, b.Count))
	})
	return groups
}

// PeerRow is a domain, or an address without a name, that we spoke with.
type PeerRow struct {
	Direction  smtp.Direction
	Name       string
	Hosts      int
	Count      int64
	Deliveries [smtp.NumOutcomes]int64
	Missed     int64 // at the most so many more deliveries of these hosts were not counted; 0 where the row is exact
}

// Peers returns the peers by their domains, those with the most trouble first.
func (s *Summary) Peers() []PeerRow {
	rows := map[whom]*PeerRow{}
	for i := range s.peers.counts {
		p, counts := &s.peers.names[i], &s.peers.counts[i]
		domain := Domain(p.name)
		key := whom{p.direction, domain}
		r := rows[key]
		if r == nil {
			r = &PeerRow{Direction: p.direction, Name: domain}
			rows[key] = r
		}
		r.Hosts++
		r.Count += counts.total()
		r.Missed += p.missed
		for i, n := range counts.deliveries {
			r.Deliveries[i] += n
		}
	}
	sorted := slices.Collect(maps.Values(rows))
	slices.SortFunc(sorted, func(a, b *PeerRow) int {
		return cmp.Or(-cmp.Compare(a.Trouble(), b.Trouble()), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Direction, b.Direction))
	})
	out := make([]PeerRow, len(sorted))
	for i, r := range sorted {
		out[i] = *r
	}
	return out
}

// Trouble is how many of the peer's deliveries did not go through.
func (p *PeerRow) Trouble() int64 { return p.Count - p.Deliveries[smtp.Sent] }

// Domain returns the part of a host's name that its owner registered ("google.com" of
// "gmail-smtp-in.l.google.com"); an address, and a name that is none, stay as they are.
func Domain(host string) string {
	if n := len(host); n == 0 || host[n-1] <= '9' || strings.Contains(host, ":") { // most end with a letter
		if _, err := netip.ParseAddr(host); err == nil {
			return host
		}
	}
	if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return d
	}
	return host
}

func cmpBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
