package incident

import (
	"cmp"
	"slices"
)

const (
	// runGap is after how many seconds of silence the next line of a series begins a new run, and
	// runLong how long one is at most: of each hour there are some lines.
	runGap  = 1800
	runLong = 3600
	// maxRuns is how many runs of a series lines are kept of; the smallest give way.
	maxRuns = 128
	// runLines is how many lines are kept of a run, besides its last one: the first ones
	// and some between, the further apart the longer it goes on.
	runLines = 8
	// maxLines is how many lines are kept in all, and maxLine bytes of each.
	maxLines = 4096
	maxLine  = 1024
)

// sample is a line that was kept.
type sample struct {
	at    int64
	line  uint32
	file  uint16
	party partyID
	text  string
}

// run is a time in which a series goes on, with one provider or with all others.
type run struct {
	party       partyID
	first, last int64
	n           int64
	lines       []sample
	step        int64 // keep no line that comes sooner after the one before
	end         sample
}

// samples bounds what is kept.
type samples struct {
	kept int
	gone int64
}

// sample keeps a line of a series if it is one of those that show how it went.
func (t *table) sample(s *series, r *record, provider bool, text func() string) {
	who := nobody
	if provider {
		who = r.party
	}
	at := s.run(r.at, who)
	at.n++
	at.last = max(at.last, r.at)
	if n := len(at.lines); n > 0 && n >= 3 && r.at-at.lines[n-1].at < at.step {
		if r.at-at.end.at >= lastEvery {
			at.end = sample{r.at, r.line, r.file, r.party, clip(text())}
		}
		return
	}
	at.lines = append(at.lines, sample{r.at, r.line, r.file, r.party, clip(text())})
	if t.samples.kept++; len(at.lines) > runLines {
		// Every second one of those between goes, and what comes has to be further apart.
		kept := at.lines[:2]
		for i := 2; i < len(at.lines); i += 2 {
			kept = append(kept, at.lines[i])
		}
		t.samples.kept -= len(at.lines) - len(kept)
		clear(at.lines[len(kept):])
		at.lines = kept
		at.step = max(2*at.step, 60)
	}
	if t.samples.kept > maxLines {
		t.forget()
	}
}

// lastEvery is how many seconds lie between the lines that are kept as the last one.
const lastEvery = 20

func clip(text string) string { return text[:min(len(text), maxLine)] }

// run returns the run that a line belongs to.
func (s *series) run(at int64, who partyID) *run {
	last := s.current[who]
	if last != nil && at-last.last <= runGap && at >= last.first-runGap && at-last.first < runLong {
		return last
	}
	if len(s.runs) >= maxRuns {
		small := 0
		for i, r := range s.runs {
			if r.n < s.runs[small].n {
				small = i
			}
		}
		s.runs = slices.Delete(s.runs, small, small+1)
	}
	if s.current == nil {
		s.current = map[partyID]*run{}
	}
	r := &run{party: who, first: at, last: at}
	s.runs, s.current[who] = append(s.runs, r), r
	return r
}

// forget gives up the lines of the smallest runs, so many that there is room for half as many
// again.
func (t *table) forget() {
	var all []*run
	for _, s := range t.all {
		all = append(all, s.runs...)
	}
	slices.SortFunc(all, func(a, b *run) int { return cmp.Or(cmp.Compare(a.n, b.n), cmp.Compare(a.first, b.first)) })
	for _, r := range all {
		if t.samples.kept <= maxLines/2 {
			break
		}
		t.samples.kept -= len(r.lines)
		t.samples.gone += int64(len(r.lines))
		r.lines, r.end = nil, sample{}
	}
	for _, s := range t.all {
		s.runs = slices.DeleteFunc(s.runs, func(r *run) bool {
			if r.lines != nil {
				return false
			}
			if s.current[r.party] == r {
				delete(s.current, r.party)
			}
			return true
		})
	}
}
