package incident

import (
	"cmp"
	"math"
	"slices"
)

const (
	// surprise is how sure it must be that a time without any line is a gap: the chance of so
	// long a silence, by how many minutes of the hours around have lines, as its logarithm.
	surprise = 22
	gapLeast = 10  // minutes
	around   = 60  // minutes
	vicinity = 180 // minutes before and after in which minutes with lines are counted, or as many as the silence has
	maxGaps  = 64  // that are told of, the longest ones
)

// gaps finds the times in which nothing was logged though there should be something.
func (f *Finder) gaps() []Gap {
	f.lines.sort()
	var out []Gap
	cells := f.lines.cells
	for i := 1; i < len(cells); i++ {
		width := minute(1) << f.lines.shift
		from, to := cells[i-1].at+width, cells[i].at
		if to-from < gapLeast {
			continue
		}
		near := max(vicinity, to-from)
		before, after := f.busy(from-near, from), f.busy(to, to+near)
		if -math.Log(1-min(before, after, 0.98))*float64(to-from)/float64(width) < surprise {
			continue
		}
		lines := 0.0
		f.lines.within(from-around, from, func(_ minute, n *hits) { lines += float64(*n) })
		out = append(out, Gap{Start: f.time(from.unix()), End: f.time(to.unix()), Expected: math.Round(lines / around * float64(to-from)), Whole: true})
	}
	if len(out) > maxGaps {
		slices.SortStableFunc(out, func(a, b Gap) int { return -cmp.Compare(a.End.Sub(a.Start), b.End.Sub(b.Start)) })
		f.moreGaps = int64(len(out) - maxGaps)
		out = out[:maxGaps]
		slices.SortFunc(out, func(a, b Gap) int { return a.Start.Compare(b.Start) })
	}
	return out
}

// busy is which part of the buckets of a time have lines.
func (f *Finder) busy(from, to minute) float64 {
	n, width := 0, minute(1)<<f.lines.shift
	from, to = max(from, minuteOf(f.first)), min(to, minuteOf(f.last)+1)
	f.lines.within(from, to, func(minute, *hits) { n++ })
	return float64(n) / max(float64((to-from)/width), 1)
}

// observed is for how many seconds of a time there is a log: without the gaps in it.
func (f *Finder) observed(from, to int64) int64 {
	all := to - from
	for _, g := range f.gapsFound {
		all -= max(0, min(to, g.End.Unix())-max(from, g.Start.Unix()))
	}
	return max(all, 0)
}
