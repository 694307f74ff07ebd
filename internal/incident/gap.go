package incident

const (
	// gapLines is how many lines a time without any should have for it to be a gap, by the
	// hours around it, and gapLeast how long it is at least, in minutes.
	gapLines = 40
	gapLeast = 10
	around   = 60 // minutes
	maxGaps  = 64
)

// gaps finds the times in which nothing was logged though there should be something.
func (f *Finder) gaps() []Gap {
	f.lines.sort()
	var out []Gap
	cells := f.lines.cells
	for i := 1; i < len(cells) && len(out) < maxGaps; i++ {
		width := minute(1) << f.lines.shift
		pause := cells[i].at - cells[i-1].at - width
		if pause < gapLeast {
			continue
		}
		before, after := 0.0, 0.0
		from, to := cells[i-1].at+width, cells[i].at
		f.lines.within(from-around, from, func(_ minute, n *hits) { before += float64(*n) })
		f.lines.within(to, to+around, func(_ minute, n *hits) { after += float64(*n) })
		if expected := min(before, after) / around * float64(pause); expected >= gapLines {
			out = append(out, Gap{Start: f.time(from.unix()), End: f.time(to.unix()), Expected: expected, Whole: true})
		}
	}
	return out
}
