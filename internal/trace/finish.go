package trace

import (
	"cmp"
	"slices"
	"time"
)

// finish makes messages of what was gathered.
func (t *Tracer) finish() *Result {
	res := &t.result
	t.loose.trim()
	res.Loose, res.LooseTotal = t.loose.lines, t.loose.total
	legs := t.allLegs()
	t.widen(legs)
	link(legs)
	roots := seededRoots(legs)
	res.Full = t.following && len(roots) <= Few
	res.Total += len(roots)
	if t.selected != nil {
		res.Total += len(t.seeds) - len(t.selected)
		res.AtLeast = res.AtLeast || len(t.seeds) > len(t.selected)
	}
	if top := t.rows(); !res.Full && len(roots) > top {
		roots = roots[len(roots)-top:]
	}
	if res.Full {
		res.Copies, res.CopyIDs = unlinked(legs)
		t.mention(legs)
		t.around(roots)
	}
	ends := t.endsOf()
	for _, root := range roots {
		res.Messages = append(res.Messages, build(root, ends))
	}
	return res
}

// widen makes the spans hold the lines that are told of.
func (t *Tracer) widen(legs []*Leg) {
	see := func(lines []*Line) {
		for _, l := range lines {
			t.result.Spans[l.Input].see(l.Event.Time)
		}
	}
	see(t.result.Loose)
	for _, g := range legs {
		see(g.Lines)
	}
}

// allLegs cuts what was gathered into legs, in an order that is always the same.
func (t *Tracer) allLegs() (legs []*Leg) {
	var keys []legKey
	for key := range t.legs {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b legKey) int {
		return cmp.Or(cmp.Compare(a.queue, b.queue), cmp.Compare(a.host, b.host), cmp.Compare(a.instance, b.instance))
	})
	for _, key := range keys {
		legs = append(legs, legsOf(key, t.legs[key].lines)...)
	}
	return legs
}

// seededRoots returns the legs that begin a message that was asked for, in order of time.
func seededRoots(legs []*Leg) (roots []*Leg) {
	there := map[*Leg]bool{}
	for _, g := range legs {
		if root := g.root(); g.seeded && !there[root] {
			there[root] = true
			roots = append(roots, root)
		}
	}
	slices.SortStableFunc(roots, func(a, b *Leg) int { return a.Start.Compare(b.Start) })
	return roots
}

// unlinked counts the legs that have the Message-ID of a message that was asked for and are
// no part of it.
func unlinked(legs []*Leg) (n int, ids []string) {
	roots := seededRoots(legs)
	for _, g := range legs {
		if g.Parent != nil || slices.Contains(roots, g.root()) {
			continue
		}
		if slices.ContainsFunc(roots, func(r *Leg) bool { return sameID(r.MessageID, g.MessageID) }) {
			n++
			if len(ids) < maxNear {
				ids = append(ids, g.Queue)
			}
		}
	}
	return n, ids
}

// endsOf returns when the logs of each server end, as far as they tell of these messages.
func (t *Tracer) endsOf() func(*Line) time.Time {
	ends := map[string]time.Time{}
	for key, g := range t.legs {
		for _, l := range g.lines {
			if end := t.result.Spans[l.Input].Last; end.After(ends[key.host]) {
				ends[key.host] = end
			}
		}
	}
	return func(l *Line) time.Time { return ends[t.hostOf(l)] }
}
