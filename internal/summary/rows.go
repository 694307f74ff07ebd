package summary

import (
	"cmp"
	"net/netip"
	"slices"
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

// Causes returns what went wrong, worst first: by severity, then by how often.
func (s *Summary) Causes() []*Cause {
	rows := make([]*Cause, 0, len(s.causes))
	for _, c := range s.causes {
		rows = append(rows, c)
	}
	slices.SortFunc(rows, func(a, b *Cause) int {
		return cmp.Or(-cmp.Compare(a.Note.Severity, b.Note.Severity), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.Note.Cause, b.Note.Cause),
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
}

// Groups returns the causes with their rows put together, worst first.
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
		g.Severity = max(g.Severity, c.Note.Severity)
		g.First, g.Last = span(g.First, g.Last, c.First)
		g.First, g.Last = span(g.First, g.Last, c.Last)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.Rows, func(a, b *Cause) int { return -cmp.Compare(a.Count, b.Count) })
	}
	slices.SortStableFunc(groups, func(a, b *Group) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), -cmp.Compare(a.Count, b.Count))
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
}

// Peers returns the peers by their domains, those with the most trouble first.
func (s *Summary) Peers() []PeerRow {
	rows := map[string]*PeerRow{}
	for _, p := range s.peers {
		name := p.Name
		if name == "" {
			name = p.IP
		}
		key := p.Direction.String() + " " + Domain(name)
		r := rows[key]
		if r == nil {
			r = &PeerRow{Direction: p.Direction, Name: Domain(name)}
			rows[key] = r
		}
		r.Hosts++
		r.Count += p.Count
		for i, n := range p.Deliveries {
			r.Deliveries[i] += n
		}
	}
	out := make([]PeerRow, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b PeerRow) int {
		return cmp.Or(-cmp.Compare(a.Trouble(), b.Trouble()), -cmp.Compare(a.Count, b.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Direction, b.Direction))
	})
	return out
}

// Trouble is how many of the peer's deliveries did not go through.
func (p PeerRow) Trouble() int64 { return p.Count - p.Deliveries[smtp.Sent] }

// Domain returns the part of a host's name that its owner registered ("google.com" of
// "gmail-smtp-in.l.google.com"); an address, and a name that is none, stay as they are.
func Domain(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return host
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
