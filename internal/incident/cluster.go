package incident

import (
	"cmp"
	"slices"
)

// cluster is candidates that are one incident: they came and went together.
type cluster struct {
	parts    []*candidate // the one with the most lines first
	from, to int64
	lines    float64
	score    float64
	slow     float64 // how many times as far apart as all lines the first tries are
}

func (c *cluster) add(p *candidate) {
	c.parts = append(c.parts, p)
	slices.SortStableFunc(c.parts, func(a, b *candidate) int { return -cmp.Compare(a.lines, b.lines) })
	c.lines += p.lines
	c.score = max(c.score, p.score)
}

const (
	// aPart is which part of an incident's lines its candidates must have to tell where it
	// begins and ends: a few lines can lie before it by chance.
	aPart = 0.15
	// strides is how many times the usual distance of its lines a line may lie off the others
	// to belong to them.
	strides = 6
)

// bound sets the ends: those of its greater parts, and from there on as far as its lines
// follow each other as closely as within.
func (c *cluster) bound() {
	c.from, c.to = c.parts[0].from, c.parts[0].to
	for _, p := range c.parts {
		if p.lines >= aPart*c.lines {
			c.from, c.to = min(c.from, p.from), max(c.to, p.to)
		}
	}
	stride := int64(strides * float64(c.to-c.from+60) / c.lines)
	var times []int64
	fresh, tried := 0.0, map[int32]bool{}
	for _, p := range c.parts {
		for _, s := range p.series {
			s.within(min(p.from, c.from), max(p.to, c.to), func(r *record) {
				times = append(times, r.at)
				if r.pair == none || !tried[r.pair] {
					fresh += float64(r.count)
				}
				if r.pair != none {
					tried[r.pair] = true
				}
			})
		}
	}
	slices.Sort(times)
	// It begins with first tries alone, which are fewer than all that come later.
	c.slow = max(1, c.lines/max(fresh, 1))
	i, _ := slices.BinarySearch(times, c.from)
	for i--; i >= 0 && float64(c.from-times[i]) <= float64(stride)*c.slow; i-- {
		c.from = times[i]
	}
	i, _ = slices.BinarySearch(times, c.to+1)
	for ; i < len(times) && times[i]-c.to <= stride; i++ {
		c.to = times[i]
	}
	c.trim()
	c.follow()
	c.only()
}

const (
	// lone is how many times the usual distance of its lines one of the outermost lies off the
	// others to be none of them, where its wording stands elsewhere in the log too.
	lone = 8
	// loners is how many lines may be left out so at either end.
	loners = 2
)

// trim moves the ends over lines that stand alone.
func (c *cluster) trim() {
	type at struct {
		time  int64
		usual bool
	}
	var all []at
	for _, p := range c.parts {
		for _, s := range p.series {
			usual := s.first < c.from-breath || s.last > c.to+breath
			s.within(c.from, c.to, func(r *record) { all = append(all, at{r.at, usual}) })
		}
	}
	slices.SortStableFunc(all, func(a, b at) int { return cmp.Compare(a.time, b.time) })
	if len(all) < lone {
		return
	}
	far := lone * (c.to - c.from) / int64(len(all))
	for i := range loners {
		if gap := float64(all[i+1].time-all[i].time) / c.slow; gap > float64(farAway*far) || all[i].usual && gap > float64(far) {
			c.from = all[i+1].time
		}
		j := len(all) - 1 - i
		if gap := all[j].time - all[j-1].time; gap > farAway*far || all[j].usual && gap > far {
			c.to = all[j-1].time
		}
	}
}

// farAway is how many times as far away even a line is none of them whose wording stands
// nowhere else.
const farAway = 3

// only moves the ends on to all lines in wordings that stand nowhere else in the log, where
// they are not far away.
func (c *cluster) only() {
	from, to := c.from, c.to
	reach := min(breath, int64(lone*farAway*c.slow*float64(c.to-c.from+60)/c.lines))
	for _, p := range c.parts {
		for _, s := range p.series {
			if s.first >= c.from-reach && s.last <= c.to+reach {
				from, to = min(from, s.first), max(to, s.last)
			}
		}
	}
	c.from, c.to = from, to
}

// follow moves the end on to the last line of those deliveries that fail again, and in the
// same way, soon after what seemed to be it: a provider that lets some mail through again does
// not take all of it yet.
func (c *cluster) follow() {
	pairs := map[int32]bool{}
	var later []record
	for _, p := range c.parts {
		for _, s := range p.series {
			for i := range s.records {
				switch r := &s.records[i]; {
				case r.pair == none || r.at < c.from:
				case r.at <= c.to:
					pairs[r.pair] = true
				default:
					later = append(later, *r)
				}
			}
		}
	}
	slices.SortFunc(later, func(a, b record) int { return cmp.Compare(a.at, b.at) })
	for _, r := range later {
		if r.at-c.to > breath {
			return
		}
		if pairs[r.pair] {
			c.to = r.at
		}
	}
}
