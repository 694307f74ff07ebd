package incident

import (
	"cmp"
	"slices"
)

// divide tells the parties of each series apart that have enough lines to be looked at by
// themselves. What is left of a series, and what of it is only counted, stays together.
func (f *Finder) divide() {
	counts := map[kind]int64{}
	of := func(s *series, who partyID) kind {
		return kind{direction: s.direction, cause: s.cause, of: s.of, party: who}
	}
	for _, s := range f.table.all {
		for i := range s.records {
			if r := &s.records[i]; r.party != nobody {
				counts[of(s, r.party)] += int64(r.count)
			}
		}
	}
	f.all = f.all[:0]
	for _, s := range f.table.all {
		whose := func(r *record) partyID {
			if counts[of(s, r.party)] >= fewest {
				return r.party
			}
			return nobody
		}
		slices.SortStableFunc(s.records, func(a, b record) int { return cmp.Compare(whose(&a), whose(&b)) })
		for i := 0; i < len(s.records); {
			who, start := whose(&s.records[i]), i
			for i < len(s.records) && whose(&s.records[i]) == who {
				i++
			}
			f.all = append(f.all, s.part(who, s.records[start:i:i]))
		}
		s.rest(f)
	}
	slices.SortStableFunc(f.all, func(a, b *series) int { return cmp.Compare(a.first, b.first) })
}

// part is what a series has with one party.
func (s *series) part(who partyID, records []record) *series {
	p := &series{kind: s.kind, note: s.note, reply: s.reply, records: records, thinned: s.thinned, runs: s.runs, whole: s}
	p.kind.party, p.hits.shift = who, s.hits.shift
	if reply, ok := s.replies[who]; ok {
		p.reply = reply
	}
	cells := 0
	for i := range records {
		r := &records[i]
		*p.hits.at(minuteOf(r.at), &cells) += hits(r.count)
		p.total += int64(r.count)
		if p.first == 0 || r.at < p.first {
			p.first = r.at
		}
		p.last = max(p.last, r.at)
	}
	p.hits.sort()
	return p
}

// rest is what of a series is only counted.
func (s *series) rest(f *Finder) {
	if s.gone == 0 {
		return
	}
	kept := map[minute]hits{}
	for i := range s.records {
		r := &s.records[i]
		kept[minuteOf(r.at)>>s.hits.shift<<s.hits.shift] += hits(r.count)
	}
	p := &series{kind: s.kind, note: s.note, reply: s.reply, thinned: s.thinned, gone: s.gone, whole: s}
	p.hits.shift = s.hits.shift
	cells := 0
	s.hits.within(0, endless, func(m minute, n *hits) {
		if left := *n - min(*n, kept[m]); left > 0 {
			*p.hits.at(m, &cells) += left
			p.total += int64(left)
			if p.first == 0 {
				p.first = m.unix()
			}
			p.last = m.unix() + int64(s.hits.width().Seconds()) - 1
		}
	})
	if p.total > 0 {
		f.all = append(f.all, p)
	}
}
