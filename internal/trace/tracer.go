package trace

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// Few is how many messages are followed wherever they went, with all that was said of
	// them. Of more, a table is more use.
	Few = 3
	// followAtOnce is how many queue IDs may be found before their names are no longer
	// looked for in the same pass.
	followAtOnce = 16
	// MaxMessages is how many messages a table can have: the newest.
	MaxMessages = 5000
	// maxSeeds is how many queue IDs are remembered as those that were asked for: beyond, half
	// are forgotten, the oldest.
	maxSeeds = 4 * MaxMessages
	// maxLegs is how many queue IDs are followed; maxCopies how many of them that nothing
	// but the Message-ID tells of, as the copies of a mailing list.
	maxLegs   = 1000
	maxCopies = 200
	// maxSameRemote is how many queue IDs may have gone to one ID at the next server. An
	// "ID" of more is a word that the server says to all.
	maxSameRemote = 16
	// maxLines is how many lines are kept, maxRowLines how many of them for one queue ID in a
	// table. A line takes a kilobyte and a half.
	maxLines    = 30_000
	maxRowLines = 200
	// maxRowIDs is how many queue IDs the messages of a table may have.
	maxRowIDs = 8000
	// maxPasses bounds how often the inputs are gone through for new names. A message that
	// goes from server to server takes two or three passes; more are of a log that leads on
	// and on.
	maxPasses = 12
	// rebuildFrom is from how many names on not each new one is looked for at once, but only
	// an eighth more of them.
	rebuildFrom = 64
	// MaxLoose is how many lines without a queue ID are kept, the newest.
	MaxLoose = 1000
	// minID is how long a queue ID is that is followed. Postfix's shortest has five; a
	// next server's answer may have any word there.
	minID = 5
	// maxMarks is how many places in the inputs are remembered.
	maxMarks = 4096
	// samplePieces of samplePiece bytes tell which bytes are rare.
	samplePieces = 4
	samplePiece  = 16 << 10
)

// Options say what to look for and where.
type Options struct {
	Inputs       []*Input
	What         What
	Since, Until time.Time // of the lines that show what was asked for; zero is no bound
	Top          int       // of more than Few messages, so many of the newest; 0 is MaxMessages
	Workers      int
	Stop         <-chan struct{}
	Tick         func()

	everyLine bool // parse all lines in all passes: the slow way, for comparison
}

// Result is what was found.
type Result struct {
	What     What
	As       As // as what it was found
	Spans    []Span
	Messages []*Message // those that are shown, in order of time
	Total    int        // how many there are
	AtLeast  bool       // there may be more than Total
	Full     bool       // they were followed wherever they went

	Loose      []*Line // lines without a queue ID that show what was asked for, in order
	LooseTotal int64
	Sessions   int64 // lines of sessions besides, that tell of no message

	Near []string // where nothing was found: what is nearly that

	Copies      int // messages of the same Message-ID that are not linked to these
	CopyIDs     []string
	Dropped     int64    // lines that there was no room for, at the least
	DroppedLegs int64    // and queue IDs
	Unfollowed  []string // names that were learned last and not looked for any more
	Interrupted bool
}

// Tracer looks for messages.
type Tracer struct {
	o       Options
	scanner *scanner

	first     bool // this is the first pass
	following bool
	learning  bool // new names are looked for in the pass that goes on
	ids, mids map[string]bool
	learned   wants             // names of this pass that were not looked for from its start
	seeds     map[legKey]seedAt // of each queue ID that was asked for, its last line
	selected  map[legKey]bool   // what a table is of; nil when following
	legs      map[legKey]*gathered
	refused   map[legKey]bool      // legs that there was no room for
	dropped   int64                // lines in this pass
	wanted    int                  // how many names were looked for when new ones were added last
	behind    bool                 // and there are more now
	born      map[string]time.Time // of IDs at next servers: before that, they are not of this message
	remote    map[string]int       // how many queue IDs went to an ID at the next server
	mentions  map[string][]*Line
	loose     ring
	near      map[string]bool
	kept      int
	copies    int
	endings   []ending
	sample    []byte // of what is searched
	result    Result
}

// Run looks for what was asked for.
func Run(o Options) *Result {
	t := newTracer(o)
	err := t.search()
	t.result.Interrupted = errors.Is(err, errStopped)
	return t.finish()
}

func newTracer(o Options) *Tracer {
	if o.Tick == nil {
		o.Tick = func() {}
	}
	t := &Tracer{
		o: o, scanner: &scanner{inputs: o.Inputs, workers: max(1, o.Workers), stop: o.Stop, tick: o.Tick, marks: make([][]mark, len(o.Inputs))},
		ids: map[string]bool{}, mids: map[string]bool{}, seeds: map[legKey]seedAt{}, refused: map[legKey]bool{}, remote: map[string]int{}, born: map[string]time.Time{}, mentions: map[string][]*Line{},
		near: map[string]bool{}, endings: make([]ending, len(o.Inputs)),
		result: Result{What: o.What, Spans: make([]Span, len(o.Inputs))},
	}
	if o.What.As&AsQueueID != 0 {
		t.ids[o.What.Text] = true
	}
	if o.What.As&AsMessageID != 0 {
		t.mids[o.What.Text] = true
	}
	t.forget()
	return t
}

// forget drops the lines that were gathered.
func (t *Tracer) forget() {
	t.legs, t.refused, t.kept, t.copies, t.dropped = map[legKey]*gathered{}, map[legKey]bool{}, 0, 0, 0
	clear(t.mentions)
}

// all is the whole of every input.
func all(int) int64 { return -1 }

// search makes the passes that it takes to find all.
func (t *Tracer) search() error {
	t.first, t.following, t.learning = true, true, !t.o.everyLine
	t.scanner.every = t.apart()
	t.want(wants{what: &t.o.What, ids: t.ids, mids: t.mids})
	err := t.scanner.scan(all, t.take, func(i int, end ending) {
		t.endings[i], t.result.Spans[i] = end, end.Span
	})
	t.result.Dropped = t.dropped
	t.first, t.learning = false, false
	switch {
	case err != nil:
		return err
	case len(t.seeds) == 0 && t.loose.total == 0:
		return t.nearly()
	case t.following:
		return t.follow()
	}
	return t.tabulate()
}

// apart is how far apart places are that are remembered.
func (t *Tracer) apart() int64 {
	size := int64(0)
	for _, in := range t.o.Inputs {
		size += in.Size
	}
	return max(blockSize, size/maxMarks)
}

// want makes wants what is looked for from now on.
func (t *Tracer) want(w wants) *wants {
	w.ids, w.mids = maps.Clone(w.ids), maps.Clone(w.mids) // the workers read them, and we write on
	w.learns = t.following && !t.o.everyLine
	made := newWants(w, t.like())
	if t.o.everyLine {
		made.finder, made.inJSON = everyLine{}, everyLine{}
	}
	t.scanner.wants.Store(made)
	return made
}

// like is a piece of what is searched: of the largest input some from further on besides, as
// IDs that count on look otherwise there.
func (t *Tracer) like() []byte {
	if t.sample != nil {
		return t.sample
	}
	var largest *Input
	for _, in := range t.o.Inputs {
		if largest == nil || in.Size > largest.Size {
			largest = in
		}
	}
	if largest == nil {
		return nil
	}
	t.sample = slices.Clip(largest.Head[:min(len(largest.Head), samplePiece)])
	if largest.Plain == nil || largest.Size < samplePieces*samplePiece {
		return t.sample
	}
	file, err := largest.Plain()
	if err != nil {
		return t.sample // that it cannot be read is told where it is searched
	}
	defer file.Close()
	piece := make([]byte, samplePiece)
	for i := int64(1); i < samplePieces; i++ {
		n, _ := file.ReadAt(piece, largest.Size/samplePieces*i)
		t.sample = append(t.sample, piece[:n]...)
	}
	return t.sample
}

// follow looks for the names that were learned where they were not looked for yet, until
// there are no new ones.
func (t *Tracer) follow() error {
	version := t.scanner.wants.Load().version
	until := func(i int) int64 {
		if t.endings[i].version == version {
			return t.endings[i].since
		}
		return -1
	}
	if t.o.everyLine || t.behind {
		until = all
	} else if version == 0 {
		return nil
	}
	ids, mids := t.ids, t.mids
	t.scanner.early, t.scanner.from = t.earlyWants(), t.unborn()
	for range maxPasses {
		t.learned = wants{ids: map[string]bool{}, mids: map[string]bool{}}
		t.want(wants{ids: ids, mids: mids, done: &t.o.What})
		if err := t.pass(until); err != nil {
			return err
		}
		if ids, mids = t.learned.ids, t.learned.mids; len(ids)+len(mids) == 0 {
			return nil
		}
		until, t.scanner.early = all, nil
	}
	t.result.Unfollowed = slices.Sorted(maps.Keys(ids))
	t.result.Unfollowed = append(t.result.Unfollowed, slices.Sorted(maps.Keys(mids))...)
	return nil
}

// pass goes through the inputs once more.
func (t *Tracer) pass(until func(int) int64) error {
	t.dropped = 0
	err := t.scanner.scan(until, t.take, func(int, ending) {})
	t.result.Dropped = max(t.result.Dropped, t.dropped)
	return err
}

// earlyWants is what is looked for where the IDs at the next servers cannot be yet.
func (t *Tracer) earlyWants() *wants {
	if t.o.everyLine || len(t.born) == 0 {
		return nil
	}
	ids := maps.Clone(t.ids)
	for id := range t.born {
		delete(ids, id)
	}
	return newWants(wants{ids: ids, mids: maps.Clone(t.mids), done: &t.o.What, learns: true}, t.like())
}

// disorder is by how much the lines of a log may be out of order.
const disorder = time.Hour

// unborn returns up to where an input's lines are older than any ID at a next server, as far
// as is remembered.
func (t *Tracer) unborn() func(int) int64 {
	var first time.Time
	for _, when := range t.born {
		if first.IsZero() || when.Before(first) {
			first = when
		}
	}
	first = first.Add(-disorder)
	ends := make([]int64, len(t.o.Inputs))
	for i, marks := range t.scanner.marks {
		for _, m := range marks {
			if !m.last.IsZero() && !m.last.Before(first) {
				break
			}
			if !m.last.IsZero() {
				ends[i] = m.at
			}
		}
	}
	return func(i int) int64 { return ends[i] }
}

// tooOld reports that a line is older than all that it names of this message: its IDs at next
// servers were not given yet.
func (t *Tracer) tooOld(l *Line, names ...string) bool {
	old := false
	for _, id := range names {
		if !t.ids[id] {
			continue
		}
		born, known := t.born[id]
		if !known || !l.When.Before(born) {
			return false
		}
		old = true
	}
	return old
}

// tabulate gathers the lines of the newest of the queue IDs that were asked for.
func (t *Tracer) tabulate() error {
	t.forget()
	newest := t.oldestFirst()
	slices.Reverse(newest)
	// A message that went through a filter has two IDs or three.
	newest = newest[:min(len(newest), 4*t.rows(), maxRowIDs)]
	t.selected = map[legKey]bool{}
	ids := map[string]bool{}
	for _, key := range newest {
		t.selected[key] = true
		ids[key.queue] = true
	}
	t.result.Dropped = 0
	t.want(wants{what: &t.o.What, ids: ids, rows: true})
	return t.pass(all)
}

// rows is how many messages a table has at most.
func (t *Tracer) rows() int {
	if t.o.Top <= 0 || t.o.Top > MaxMessages {
		return MaxMessages
	}
	return t.o.Top
}

// take takes a line that was found.
func (t *Tracer) take(f *finding) {
	l := &f.line
	if f.seed != 0 && !t.inTime(l) {
		f.seed = 0
	}
	l.Seed = f.seed
	if f.local {
		t.recheck(f)
	}
	switch {
	case f.near:
		t.takeNear(l)
	case l.Event == nil:
		t.takeSeed(f)
	case l.Event.Queue == nil:
		t.takeLoose(f)
	case f.seed != 0 || f.id || f.mid:
		t.takeLeg(f)
	}
}

func (t *Tracer) inTime(l *Line) bool {
	return (t.o.Since.IsZero() || !l.When.Before(t.o.Since)) && (t.o.Until.IsZero() || l.When.Before(t.o.Until))
}

// takeLoose takes a line without a queue ID.
func (t *Tracer) takeLoose(f *finding) {
	l := &f.line
	if f.mentions != "" && t.following && !t.tooOld(l, f.mentions) && t.kept < maxLines {
		t.mentions[f.mentions] = append(t.mentions[f.mentions], l)
		t.kept++
	}
	if f.seed == 0 || !t.first {
		return
	}
	t.result.As |= f.seed
	switch l.Event.Kind {
	case smtp.KindReject, smtp.KindFilter, smtp.KindWarning, smtp.KindAttempt, smtp.KindDelivery, smtp.KindAuth, smtp.KindMessage, smtp.KindReceived:
		t.loose.add(l)
	default:
		t.result.Sessions++
	}
}

// takeLeg takes a line with a queue ID.
func (t *Tracer) takeLeg(f *finding) {
	l := &f.line
	key := t.keyOf(l)
	if t.first {
		t.takeSeed(f)
	}
	if t.selected != nil && !t.selected[key] || t.selected == nil && !t.following {
		return
	}
	if ev := l.Event; f.seed == 0 && !f.mid && t.tooOld(l, string(ev.Queue), string(ev.QueuedAs), string(ev.Related)) {
		return
	}
	g := t.legs[key]
	if g == nil {
		if g = t.adopt(key, f); g == nil {
			return
		}
	}
	g.copy = g.copy && !f.id && f.seed == 0
	full := t.kept >= maxLines || t.selected != nil && len(g.lines) >= maxRowLines
	if full && g.there[place{l.Input, l.At}] == nil {
		t.dropped++
		return
	}
	if g.add(l, t.o.Inputs[l.Input].Copies) {
		t.kept++
	}
	if t.following {
		t.learn(l)
	}
}

// seedAt is the last line of a queue ID that was asked for.
type seedAt struct {
	when  time.Time
	input int
	at    int64
}

func (a seedAt) compare(b seedAt) int {
	return cmp.Or(a.when.Compare(b.when), cmp.Compare(a.input, b.input), cmp.Compare(a.at, b.at))
}

// takeSeed remembers a queue ID that was asked for. The oldest give way.
func (t *Tracer) takeSeed(f *finding) {
	if f.seed == 0 {
		return
	}
	l := &f.line
	t.result.As |= f.seed
	key := f.key
	if l.Event != nil {
		key = t.keyOf(l)
	} else if key.host == "" {
		key.host = t.placeOf(l.Input)
	}
	at := seedAt{l.When, l.Input, l.At}
	if before, there := t.seeds[key]; !there || at.compare(before) > 0 {
		t.seeds[key] = at
	}
	if len(t.seeds) > followAtOnce && t.following && t.first {
		t.following, t.learning, t.behind = false, false, false
		t.forget()
		t.want(wants{what: &t.o.What, seeds: true, version: t.scanner.wants.Load().version + 1})
	}
	if len(t.seeds) > maxSeeds {
		t.forgetOldest()
	}
}

// forgetOldest forgets the older half of the queue IDs that were asked for, and counts them.
func (t *Tracer) forgetOldest() {
	before := len(t.seeds)
	times := make([]int64, 0, before)
	for _, at := range t.seeds {
		times = append(times, at.when.UnixNano())
	}
	slices.Sort(times)
	middle := times[before/2]
	maps.DeleteFunc(t.seeds, func(_ legKey, at seedAt) bool { return at.when.UnixNano() < middle })
	if len(t.seeds) > before*3/4 { // most are of one moment, or show no time
		for _, key := range t.oldestFirst()[:len(t.seeds)-maxSeeds/2] {
			delete(t.seeds, key)
		}
	}
	t.result.Total += before - len(t.seeds)
	t.result.AtLeast = true
}

// oldestFirst returns the queue IDs that were asked for in order of their last lines.
func (t *Tracer) oldestFirst() []legKey {
	type seed struct {
		key legKey
		at  seedAt
	}
	var all []seed
	for key, at := range t.seeds {
		all = append(all, seed{key, at})
	}
	slices.SortFunc(all, func(a, b seed) int { return a.at.compare(b.at) })
	keys := make([]legKey, len(all))
	for i := range all {
		keys[i] = all[i].key
	}
	return keys
}

// adopt begins to gather a queue ID, unless there are too many.
func (t *Tracer) adopt(key legKey, f *finding) *gathered {
	ev := f.line.Event
	g := &gathered{there: map[place]*Line{}, texts: map[uint64]*Line{}}
	if t.following && f.seed == 0 {
		own := t.ids[string(ev.Queue)] || t.ids[string(ev.Related)]
		switch remote := string(ev.QueuedAs); {
		case own:
		case t.ids[remote]:
			if t.remote[remote]++; t.remote[remote] > maxSameRemote {
				return nil
			}
		case f.mid:
			if t.copies++; t.copies > maxCopies {
				return t.refuse(key)
			}
			g.copy = true
		}
		if len(t.legs) >= maxLegs {
			return t.refuse(key)
		}
	}
	t.legs[key] = g
	return g
}

// refuse counts a leg that there is no room for.
func (t *Tracer) refuse(key legKey) *gathered {
	if t.dropped++; len(t.refused) < maxLegs {
		t.refused[key] = true
	}
	t.result.DroppedLegs = max(t.result.DroppedLegs, int64(len(t.refused)))
	return nil
}

// learn looks for the names, too, that a line tells.
func (t *Tracer) learn(l *Line) {
	ev := l.Event
	if remote := string(ev.QueuedAs); remote != "" && !t.ids[remote] && ev.Delay != smtp.NoDelay && !l.When.IsZero() {
		t.born[remote] = l.When.Add(-ev.Delay - maxSkew)
	}
	news := false
	for _, id := range idsIn(ev) {
		if id != "" && !t.ids[id] && len(t.ids) < maxLegs {
			t.ids[id], news = true, true
			if t.learned.ids != nil {
				t.learned.ids[id] = true
			}
		}
	}
	if mid := midIn(ev); mid != "" && !t.mids[mid] && len(t.mids) < maxLegs {
		t.mids[mid], news = true, true
		if t.learned.mids != nil {
			t.learned.mids[mid] = true
		}
	}
	t.behind = t.behind || news
	if names := len(t.ids) + len(t.mids); t.behind && t.learning && (names < rebuildFrom || names > t.wanted+t.wanted/8) {
		t.wanted, t.behind = names, false
		t.want(wants{what: &t.o.What, ids: t.ids, mids: t.mids, version: t.scanner.wants.Load().version + 1})
	}
}

func hasLetter(s string) bool {
	for i := range len(s) {
		if lower(s[i])-'a' < 26 {
			return true
		}
	}
	return false
}

func hasDigit(s []byte) bool {
	for i := range len(s) {
		if s[i]-'0' < 10 {
			return true
		}
	}
	return false
}

// ring keeps the newest of the lines without a queue ID.
type ring struct {
	lines []*Line
	total int64
}

func (r *ring) add(l *Line) {
	r.total++
	if r.lines = append(r.lines, l); len(r.lines) > 2*MaxLoose {
		r.trim()
	}
}

// trim forgets all but the newest.
func (r *ring) trim() {
	slices.SortStableFunc(r.lines, byTime)
	r.lines = slices.Delete(r.lines, 0, max(0, len(r.lines)-MaxLoose))
}
