package incident

import "slices"

const (
	// longPause is for how many seconds nothing of an incident is seen, at least, for what comes
	// before and what comes after to be two, where the pause is longer than both together.
	longPause = 6 * 3600
	// longGap is the same where the log has a gap meanwhile: what was in it nobody knows.
	longGap = 3600
)

// pieces cuts a candidate where it paused for longer than it went on: what fails today as it
// failed last year is another incident.
func (f *Finder) pieces(c *candidate) []*candidate {
	var at []minute
	for _, s := range c.series {
		width := minute(1) << s.hits.shift
		s.hits.within(minuteOf(c.from)>>s.hits.shift<<s.hits.shift, minuteOf(c.to)+1, func(m minute, _ *hits) { at = append(at, m, m+width-1) })
	}
	slices.Sort(at)
	cut := 0
	for i := 1; i < len(at); i++ {
		if cut == 0 || at[i]-at[i-1] > at[cut]-at[cut-1] {
			cut = i
		}
	}
	if cut == 0 {
		return []*candidate{c}
	}
	from, to := at[cut-1].unix(), at[cut].unix()
	least := int64(longPause)
	if lost := to - from - f.observed(from, to); 2*lost > to-from {
		least = longGap
	}
	if pause := to - from; pause < least || pause < c.to-c.from-pause {
		return []*candidate{c}
	}
	before, after := c.piece(minuteOf(c.from), at[cut-1]+1), c.piece(at[cut], minuteOf(c.to)+1)
	return append(f.pieces(before), f.pieces(after)...)
}

// piece is the part of a candidate within a time.
func (c *candidate) piece(from, to minute) *candidate {
	p := *c
	p.clip(from, to)
	part := p.lines / max(c.lines, 1)
	p.score, p.expected = c.score*part, c.expected*part
	return &p
}
