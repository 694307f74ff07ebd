package incident

import (
	"cmp"
	"slices"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// maxSeries bounds the kinds of failures that are told apart. A real log has some
	// hundreds; beyond, their wordings are no longer told apart.
	maxSeries = 4096
	// maxRecords is how many failures are kept line by line, 64 bytes each. Beyond, the
	// older ones of what fails most are only counted.
	maxRecords = 1 << 18
)

// kind is what tells series apart. The party is none while lines are counted: there may be very
// many, and most fail once or twice; it is told apart at the end, see Finder.divide.
type kind struct {
	direction smtp.Direction
	cause     knowledge.Cause
	of        Kind
	party     partyID
	wording   uint64
}

// series is what failed in one way: for one cause, in one wording, and, at the end, with one
// party.
type series struct {
	kind
	hits    hitTrack
	total   int64
	first   int64
	last    int64
	note    classify.Annotation
	reply   Reply             // its first
	replies map[partyID]Reply // and that of each of some parties
	records []record
	thinned int64 // records up to this time are gone; 0: all are there
	gone    int64 // so many lines
	runs    []*run
	current map[partyID]*run
	whole   *series // of which this is one party's part; nil for a whole one
}

// maxRepliesKept is of how many parties the reply of a series is kept.
const maxRepliesKept = 32

// began is when the wording was first met, with whomever.
func (s *series) began() int64 {
	if s.whole != nil {
		return s.whole.first
	}
	return s.first
}

// record is one line that tells of a failure.
type record struct {
	at       int64
	line     uint32
	file     uint16
	outcome  smtp.Outcome
	count    uint16
	message  uint32 // a hash of its queue ID, 0 for none
	pair     int32  // in queue.pairs; none
	party    partyID
	to       name
	host     name // the other side
	from     name
	user     name
	client   name // by which the message came in
	instance name // of our own
}

// table is all series.
type table struct {
	byKind  map[kind]*series
	all     []*series // in the order of their first lines
	records int
	cells   int
	lumped  int64 // lines whose wording there was no room for
	details int64 // records that were given up
	samples samples
}

func newTable() *table { return &table{byKind: map[kind]*series{}} }

// of returns the series of a kind, made if there is room, else a wider one.
func (t *table) of(k kind) *series {
	if s := t.byKind[k]; s != nil {
		return s
	}
	if len(t.all) >= maxSeries {
		t.lumped++
		k.wording = 0
		if s := t.byKind[k]; s != nil { // there are few causes, so this ends
			return s
		}
	}
	s := &series{kind: k}
	t.byKind[k] = s
	t.all = append(t.all, s)
	return s
}

// count counts a line for a series and keeps it.
func (t *table) count(s *series, r record) {
	n := hits(max(r.count, 1))
	*s.hits.at(minuteOf(r.at), &t.cells) += n
	if s.total == 0 || r.at < s.first {
		s.first = r.at
	}
	s.last = max(s.last, r.at)
	s.total += int64(n)
	s.records = append(s.records, r)
	if t.records++; t.records >= maxRecords {
		t.thin()
	}
	if t.cells >= maxHitCells {
		t.widen()
	}
}

// thin gives up the older half of the records of those series that have the most, strangers'
// first, of whom there is the most and who matter least.
func (t *table) thin() {
	all := slices.Clone(t.all)
	weight := func(s *series) int {
		if s.note.Severity == knowledge.Info {
			return 4 * len(s.records)
		}
		return len(s.records)
	}
	slices.SortStableFunc(all, func(a, b *series) int { return -cmp.Compare(weight(a), weight(b)) })
	for _, s := range all {
		if t.records < maxRecords*3/4 {
			break
		}
		half := len(s.records) / 2
		if half == 0 {
			continue
		}
		for i := range s.records[:half] {
			s.thinned = max(s.thinned, s.records[i].at)
			s.gone += int64(max(s.records[i].count, 1))
		}
		s.records = append([]record(nil), s.records[half:]...)
		t.records -= half
		t.details += int64(half)
	}
}

// widen makes the buckets of the longest tracks wider.
func (t *table) widen() {
	for t.cells > maxHitCells*3/4 {
		before := t.cells
		for _, s := range t.all {
			if len(s.hits.cells) > 1 && s.hits.shift < coarsest {
				t.cells -= s.hits.widen()
			}
		}
		if t.cells == before {
			return
		}
	}
}

// within calls f for the records from since to until, both included.
func (s *series) within(since, until int64, f func(*record)) {
	for i := range s.records {
		if r := &s.records[i]; r.at >= since && r.at <= until {
			f(r)
		}
	}
}
