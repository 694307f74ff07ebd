package incident

import (
	"time"
)

const (
	// jumpBack is by how many seconds a line must be earlier than the one before it in the
	// same file for the clock to have gone back: less is the usual disorder of a busy
	// server's many processes.
	jumpBack = 120
	// farOff is by how many seconds a line must be away from those around it for its stamp to
	// be wrong, when the lines go on where they were: a clock that is set by some hours is told
	// of as a jump.
	farOff = 24 * 3600
	// yearsOff is the same for the last lines of a file, when another file goes on before them:
	// it may be another machine's, which was quiet for some days.
	yearsOff = 60 * 24 * 3600
	// maxDoubts is how many lines in a row may be far off before it is the time that has moved,
	// and not their stamps that are wrong.
	maxDoubts = 16
	maxJumps  = 64 // that are told of, each with its place
	maxStrays = 16 // likewise
)

// Stray is where the lines of a file show a time far off that of the lines around them: their
// stamps are wrong, and they count for nothing.
type Stray struct {
	Path   string
	Number int64 // of the first of them
	Time   time.Time
	Lines  int64 // how many there are in a row
}

// stretch is lines of a file that follow each other in time.
type stretch struct {
	first, last int64 // the earliest and the latest
	now         int64 // of its last line
	n           int64
	path        string
	number      int64 // of its first line
}

// clock follows the time of the lines and tells stamps that are wrong from time that moves.
type clock struct {
	at, before stretch // where it is, and where it was before it moved by more than a day; n is 0 for none
	ended      bool    // the file has ended
	span       span    // of all lines but the strays
	seen       span    // of all lines
	strays     []Stray
	wrong      int64 // lines of all strays
	jumps      []Jump
}

// tick takes the time of a line.
func (c *clock) tick(now int64, at *Place) {
	c.seen.extend(now, now)
	away := now - c.at.now
	if c.at.n == 0 || c.ended {
		c.begin(now, at)
		return
	}
	if away > farOff || away < -farOff {
		c.leap(now, at)
		return
	}
	if away < -jumpBack {
		c.jump(now, at)
	}
	c.at.add(now)
}

func (s *stretch) add(now int64) {
	s.first, s.last, s.now = min(s.first, now), max(s.last, now), now
	s.n++
}

func stretchOf(now int64, at *Place) stretch {
	return stretch{first: now, last: now, now: now, n: 1, path: at.Path, number: int64(at.Number)}
}

// begin takes the first line of a file.
func (c *clock) begin(now int64, at *Place) {
	if c.at.doubtful() && c.before.n > 0 && c.at.first-c.before.now > yearsOff && now < c.at.first-farOff {
		c.stray()
	}
	c.keep()
	c.at, c.before, c.ended = stretchOf(now, at), stretch{}, false
}

// leap takes a line that is far off the one before it.
func (c *clock) leap(now int64, at *Place) {
	back := c.before.n > 0 && now-c.before.now >= -jumpBack && now-c.before.now <= farOff
	switch {
	case c.at.doubtful() && back:
		c.stray()
		c.at, c.before = c.before, stretch{}
		c.at.add(now)
		return
	case c.at.doubtful() && c.before.n == 0 && now < c.at.now:
		c.stray() // the first lines of a file are far ahead of all others
	case c.at.doubtful() && c.before.n > 0:
		c.at.add(now) // some that are wrong, each in its own way
		return
	default:
		if now < c.at.now {
			c.jump(now, at)
		}
		c.keep()
	}
	c.before, c.at = c.at, stretchOf(now, at)
}

// doubtful reports that a stretch is so short that its stamps may be wrong.
func (s *stretch) doubtful() bool { return s.n > 0 && s.n <= maxDoubts }

// keep takes the lines of the stretch for what they show.
func (c *clock) keep() {
	if c.at.n > 0 {
		c.span.extend(c.at.first, c.at.last)
	}
}

// stray takes the stamps of the stretch for wrong.
func (c *clock) stray() {
	c.wrong += c.at.n
	if n := len(c.jumps) - 1; n >= 0 && c.jumps[n].Number == c.at.number && c.jumps[n].Path == c.at.path {
		c.jumps = c.jumps[:n] // that was no jump
	}
	if len(c.strays) < maxStrays {
		c.strays = append(c.strays, Stray{Path: c.at.path, Number: c.at.number, Time: time.Unix(c.at.now, 0), Lines: c.at.n})
	}
	c.at = stretch{}
}

func (c *clock) jump(now int64, at *Place) {
	if len(c.jumps) < maxJumps {
		c.jumps = append(c.jumps, Jump{Path: at.Path, Number: int64(at.Number), From: time.Unix(c.at.now, 0), To: time.Unix(now, 0)})
	}
}

func (s *span) extend(from, to int64) {
	if s.from == 0 || from < s.from {
		s.from = from
	}
	s.to = max(s.to, to)
}

// settle sets from when to when the log goes, and forgets what stands outside of that: what the
// lines tell whose stamps are wrong.
func (f *Finder) settle() {
	c := &f.clock
	c.keep()
	f.first, f.last = c.span.from, c.span.to
	for i := range c.strays {
		c.strays[i].Time = f.time(c.strays[i].Time.Unix())
	}
	for i := range c.jumps {
		c.jumps[i].From, c.jumps[i].To = f.time(c.jumps[i].From.Unix()), f.time(c.jumps[i].To.Unix())
	}
	if c.seen == c.span {
		return
	}
	from, to := minuteOf(f.first), minuteOf(f.last)
	f.lines.cut(from, to)
	for i := range f.flows {
		f.flows[i].cut(from, to)
	}
	for _, p := range f.parties.all {
		p.flow.cut(from, to)
	}
	for i := range f.senders.all {
		f.senders.all[i].track.cut(from, to)
	}
	f.table.cut(c.span)
	f.queue.cut(c.span)
	f.notable.cut(c.span)
}

// cut forgets what was not between two minutes, both included.
func (t *track[C, P]) cut(from, to minute) {
	t.sort()
	kept := t.cells[:0]
	for _, c := range t.cells {
		if c.at >= from>>t.shift<<t.shift && c.at <= to {
			kept = append(kept, c)
		}
	}
	t.cells = kept
}

func (t *table) cut(s span) {
	kept := t.all[:0]
	for _, x := range t.all {
		if x.first < s.from || x.last > s.to {
			x.cut(s)
		}
		if x.total > 0 {
			kept = append(kept, x)
		}
	}
	t.all = kept
}

func (x *series) cut(s span) {
	x.hits.cut(minuteOf(s.from), minuteOf(s.to))
	kept := x.records[:0]
	for _, r := range x.records {
		if s.has(r.at) {
			kept = append(kept, r)
		}
	}
	x.records, x.total = kept, 0
	x.hits.within(0, endless, func(_ minute, n *hits) { x.total += int64(*n) })
	if cells := x.hits.cells; len(cells) > 0 {
		x.first = max(s.from, cells[0].at.unix())
		x.last = min(s.to, cells[len(cells)-1].at.unix()+int64(x.hits.width()/time.Second)-1)
	}
	for i := range kept { // by the second, where that is known
		if i == 0 && x.gone == 0 {
			x.first, x.last = kept[0].at, kept[0].at
		}
		x.first, x.last = min(x.first, kept[i].at), max(x.last, kept[i].at)
	}
}

// cut moves times that cannot be to the nearest ones that can.
func (q *queue) cut(s span) {
	near := func(at *int64) {
		if *at != 0 {
			*at = min(max(*at, s.from), s.to)
		}
	}
	for i := range q.pairs {
		p := &q.pairs[i]
		near(&p.first)
		near(&p.ended)
	}
}

func (t *notable) cut(s span) {
	for w, n := range t.all {
		kept := n.runs[:0]
		for _, r := range n.runs {
			if s.has(r.first) {
				kept = append(kept, r)
			}
		}
		if n.runs = kept; len(kept) == 0 {
			delete(t.all, w)
		}
	}
}
