// Package live keeps what is going on now while a log is followed: rates by the minute,
// the troubles that go on and with whom, and it says what is new, what goes on, and what is
// over. Its time is the log's; Tick moves it on when the log is silent.
package live

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// Minutes is how far back the rates go.
	Minutes = 60
	// LastLines is how many lines of a trouble are kept.
	LastLines = 5

	maxTroubles = 1024 // kinds that are kept; of more, the one that was silent for the longest is given up
	keepEvery   = 30   // seconds between two lines that are kept, once there are LastLines
	keepPerTick = 2    // and so many between two ticks
	maxText     = 1024 // bytes of a reply or a line
)

// Rate is what the rates are of.
type Rate uint8

// The rates.
const (
	Sent Rate = iota
	Deferred
	Bounced // or expired
	Rejected
	NumRates
)

var rateOf = [smtp.NumOutcomes]Rate{
	smtp.OutcomeNone: NumRates, smtp.Sent: Sent, smtp.Deferred: Deferred, smtp.Bounced: Bounced, smtp.Expired: Bounced,
	smtp.Rejected: Rejected, smtp.Discarded: NumRates,
}

// Counts are by minute; the last one is the running minute.
type Counts [Minutes]int64

// Line is a line of the log, its secrets masked.
type Line struct {
	Path   string
	Number int64
	Text   string
}

// Trouble is a cause with a party, as it goes on.
type Trouble struct {
	// What each line of it asks for stands together, and so in few cache lines.
	Cause     knowledge.Cause
	Direction smtp.Direction
	Severity  knowledge.Severity
	Stage     smtp.Stage
	began     bool // that it did was told
	listed    bool // it is in Watch.going
	held      bool // that it began was held back, as one too many
	big       bool // its party is a provider, or none
	Explained bool // another party's trouble of this cause was told of before
	Entry     knowledge.EntryID
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode
	who       *party // whose it is
	minute    int64  // the one that PerMinute ends with
	Total     int64
	Last      time.Time
	older     *Trouble // the one that was met last before it
	newer     *Trouble // and first after it

	ID         int64  // the same as long as it is kept, and no other's
	Party      string // the provider's name, or the domain on the other side where the cause is about that; "" where it does not matter
	Reply      string // the last one
	First      time.Time
	Lines      []Line // the last ones, the newest last
	told       time.Time
	toldTotal  int64
	toldTimes  int
	over       int64  // Total when mail flowed again
	lastSecond int64  // in which a line was kept
	lastTick   int64  // after which that was
	sinceTick  int    // how many were kept since
	PerMinute  Counts // in a Snapshot; before, a minute is at the place that slot tells
}

// Recent is how often it was met in the last minute.
func (t *Trouble) Recent(now time.Time) int64 {
	c := t.PerMinute
	c.shift(unixMinute(now) - t.minute)
	return c.Recent(now)
}

// Recent is the count of the last minute, of which the running one is the end, and a part
// of the one before it, by the seconds, the beginning.
func (c *Counts) Recent(now time.Time) int64 {
	return c[Minutes-1] + c[Minutes-2]*int64(60-now.Second())/60
}

// Watch is what is going on. It is not safe for several goroutines.
type Watch struct {
	base *knowledge.Base
	tell func(*Notice)

	now        time.Time
	due        time.Time // when more than now is to be moved on
	rates      [NumRates]Counts
	totals     [NumRates]int64
	minute     int64      // the one that rates end with
	n          int        // troubles
	spare      []*Trouble // forgotten ones, to be used again
	oldest     *Trouble   // of them, the one that was silent for the longest
	newest     *Trouble
	going      []*Trouble // those that were met since they were told of
	explained  map[causeSide]bool
	parties    *parties
	flows      *flows
	sessions   map[badEnd]*endings
	ids        int64
	minuteTold time.Time // when what goes on was last told of
	reported   time.Time // when what goes on was last looked through
	newTold    [2]int    // troubles told of in newMinute, and of them those that are ours to mend
	newMinute  int64
	newHeld    int64 // and those that were not
	dropped    int64
	ticks      int64
	keeps      bool // see KeepLines
	known      known
}

type causeSide struct {
	cause     knowledge.Cause
	direction smtp.Direction
}

// New returns an empty watch. tell is called with what is to be told, which is good until
// it returns; nil tells nobody.
func New(base *knowledge.Base, tell func(*Notice)) *Watch {
	if tell == nil {
		tell = func(*Notice) {}
	}
	flows := newFlows(base)
	return &Watch{
		base: base, tell: tell, explained: map[causeSide]bool{},
		parties: newParties(flows), flows: flows, sessions: map[badEnd]*endings{},
	}
}

// KeepLines has the last lines of each trouble kept, for those who look at them.
func (w *Watch) KeepLines() { w.keeps = true }

// Dropped returns how many troubles were given up for want of room.
func (w *Watch) Dropped() int64 { return w.dropped }

// Event takes a line. a is nil when it shows neither a reply nor a failure; host is a hash
// of the other side's name, 0 for none; line gives the line as it may be shown, and is
// called only when it is kept.
func (w *Watch) Event(ev *smtp.Event, a *classify.Annotation, host uint64, line func() Line) {
	l := summary.LineOf(ev, host)
	w.known = known{ev, line}
	w.Take(&l, a, &w.known)
}

// Take takes a line. a is nil when it shows neither a reply nor a failure.
func (w *Watch) Take(l *summary.Line, a *classify.Annotation, words Words) {
	w.advance(l.When)
	decides := l.Decides()
	if decides {
		if r := rateOf[l.Outcome]; r != NumRates {
			w.rates[r][Minutes-1] += l.N
			w.totals[r] += l.N
		}
	}
	if l.Outcome == smtp.Sent {
		if decides && l.Direction == smtp.Outbound {
			w.flows.sent(w, l, words)
		}
		return
	}
	if Badly(l.Kind, l.Direction, l.Stage) {
		w.ended(badEnd{endOf[l.Kind], l.Stage}, l, words)
	}
	if a == nil || !l.WentWrong() {
		return
	}
	w.trouble(l, a, words)
}

// advance moves the time on to now, if that is later, and tells what is due.
func (w *Watch) advance(now time.Time) {
	if !now.After(w.now) {
		return
	}
	if w.now = now; now.Before(w.due) {
		return
	}
	w.roll(now)
	if now.Sub(w.reported) >= reportEvery {
		w.reported = now
		w.report()
	}
	w.due = w.reported.Add(reportEvery)
	if next := time.Unix((w.minute+1)*60, 0); next.Before(w.due) {
		w.due = next
	}
}

// roll moves the rates on to the minute of now.
func (w *Watch) roll(now time.Time) {
	m := unixMinute(now)
	if m == w.minute {
		return
	}
	for i := range w.rates {
		w.rates[i].shift(m - w.minute)
	}
	w.minute = m
}

func unixMinute(t time.Time) int64 { return t.Unix() / 60 }

// shift moves the counts n minutes into the past.
func (c *Counts) shift(n int64) {
	if n <= 0 {
		return
	}
	n = min(n, Minutes)
	copy(c[:], c[n:])
	clear(c[Minutes-n:])
}

// trouble counts what went wrong.
func (w *Watch) trouble(l *summary.Line, a *classify.Annotation, words Words) {
	side := causeSide{a.Cause, l.Direction}
	who := w.parties.all[w.party(l, words)]
	if !who.provider && !mendable(a.Cause) {
		who = w.parties.all[nobody] // a mistyped address is one, in whatever domain
	}
	t := who.trouble(side)
	if t == nil {
		t = w.begins(side, who)
	}
	t.count(l, a, w.now, w.minute)
	w.met(t)
	if w.keeps && t.keeps(w) {
		t.keep(words)
	}
	if t.Party != "" && t.stops() {
		w.flows.failed(w, who)
	}
	if !t.began {
		w.announce(t, side, words)
	}
}

// begins returns a new trouble with a party.
func (w *Watch) begins(side causeSide, who *party) *Trouble {
	t := w.unused()
	w.n++
	w.ids++
	t.ID, t.Cause, t.Direction, t.Party, t.who = w.ids, side.cause, side.direction, who.name, who
	t.First, t.minute, t.big = w.now, w.minute, who.provider || who.name == ""
	who.troubles = append(who.troubles, t)
	return t
}

// met notes that no trouble was met after this one. One that goes on is due to be told of.
func (w *Watch) met(t *Trouble) {
	if w.newest != t {
		w.unlink(t)
		if t.older = w.newest; t.older == nil {
			w.oldest = t
		} else {
			t.older.newer = t
		}
		w.newest = t
	}
	if !t.listed && t.began {
		t.listed, w.going = true, append(w.going, t)
	}
}

// unlink takes a trouble out of the row from the oldest to the newest, if it is there.
func (w *Watch) unlink(t *Trouble) {
	if t.older != nil {
		t.older.newer = t.newer
	} else if w.oldest == t {
		w.oldest = t.newer
	}
	if t.newer != nil {
		t.newer.older = t.older
	} else if w.newest == t {
		w.newest = t.older
	}
	t.older, t.newer = nil, nil
}

// mendable reports that a cause is one of those that a postmaster can mend, ours or theirs:
// it keeps mail from a party as a whole, and is not about one recipient or one message.
func mendable(c knowledge.Cause) bool {
	who := c.Actor()
	return who == knowledge.SendingAdmin || who == knowledge.ReceivingAdmin
}

// stops reports that it keeps mail from its party.
func (t *Trouble) stops() bool { return t.Direction == smtp.Outbound && mendable(t.Cause) }

// count counts a line at now, in the minute m.
func (t *Trouble) count(l *summary.Line, a *classify.Annotation, now time.Time, m int64) {
	for ; t.minute < m; t.minute++ {
		if m-t.minute > Minutes {
			t.minute = m - Minutes
		}
		t.PerMinute[slot(t.minute+1)] = 0
	}
	t.PerMinute[slot(m)] += l.N
	t.Total += l.N
	t.Last = now
	t.Entry, t.Severity = a.Entry, max(t.Severity, a.Severity)
	t.Stage, t.Code, t.Enhanced = l.Stage, l.Code, smtp.EnhancedCode{}
	if l.Code != 0 {
		t.Enhanced = l.Enhanced
	}
}

// slot is where in PerMinute a minute has its place, so that nothing has to move when the next one begins.
func slot(minute int64) int { return int((minute%Minutes + Minutes) % Minutes) }

// inOrder puts the minutes in their order.
func (t *Trouble) inOrder() {
	var c Counts
	for i := range c {
		c[i] = t.PerMinute[slot(t.minute-Minutes+1+int64(i))]
	}
	t.PerMinute = c
}

// keeps reports whether a line is to be kept: the first ones, and then one from time to time. Only
// a few are between two ticks, which is as often as somebody looks, for in a log of yesterday
// the time flies.
func (t *Trouble) keeps(w *Watch) bool {
	second := w.now.Unix()
	if t.lastTick != w.ticks {
		t.lastTick, t.sinceTick = w.ticks, 0
	}
	if t.sinceTick >= keepPerTick || len(t.Lines) >= LastLines && second-t.lastSecond < keepEvery {
		return false
	}
	t.lastSecond = second
	t.sinceTick++
	return true
}

// keep keeps a line, in the place of the oldest.
func (t *Trouble) keep(words Words) {
	t.Reply = string(cut(words.Said()))
	if len(t.Lines) == LastLines {
		t.Lines = append(t.Lines[:0], t.Lines[1:]...)
	}
	line := words.Line()
	if len(line.Text) > maxText {
		line.Text = strings.Clone(line.Text[:maxText]) // and let the rest of it go
	}
	t.Lines = append(t.Lines, line)
}

// unused returns a trouble to be used. Where there are too many, the one that was silent for the
// longest is given up for it.
func (w *Watch) unused() *Trouble {
	if w.n >= maxTroubles {
		w.forget(w.oldest)
		w.dropped++
	}
	n := len(w.spare)
	if n == 0 {
		return new(Trouble)
	}
	t := w.spare[n-1]
	w.spare = w.spare[:n-1]
	listed := t.listed
	*t = Trouble{} // by itself, for it is large: a value with fields would be made elsewhere and moved
	t.listed = listed
	return t
}

func (w *Watch) forget(t *Trouble) {
	w.n--
	t.who.troubles = slices.DeleteFunc(t.who.troubles, func(o *Trouble) bool { return o == t })
	w.unlink(t)
	t.began = false // it may still be among those that go on
	w.spare = append(w.spare, t)
}

// Tick moves the time on to now, if that is later, and tells what is due. It is for when
// the log is silent.
func (w *Watch) Tick(now time.Time) {
	w.ticks++
	w.advance(now)
}

// Snapshot is a copy of what is going on.
type Snapshot struct {
	Now      time.Time
	Rates    [NumRates]Counts
	Totals   [NumRates]int64
	Troubles []Trouble // those of the last hour, worst first
	Dropped  int64     // troubles given up for want of room
}

// Snapshot copies what is going on, at most n troubles of it.
func (w *Watch) Snapshot(n int) Snapshot {
	s := Snapshot{Now: w.now, Rates: w.rates, Totals: w.totals, Dropped: w.dropped}
	for t := w.newest; t != nil && w.now.Sub(t.Last) < Minutes*time.Minute; t = t.older {
		s.Troubles = append(s.Troubles, *t)
	}
	slices.SortFunc(s.Troubles, func(a, b Trouble) int {
		return cmp.Or(-cmp.Compare(a.weight(), b.weight()), cmp.Compare(a.ID, b.ID))
	})
	s.Troubles = s.Troubles[:min(n, len(s.Troubles))]
	for i := range s.Troubles {
		t := &s.Troubles[i]
		t.inOrder()
		t.PerMinute.shift(w.minute - t.minute)
		t.minute = max(t.minute, w.minute)
		t.Lines = slices.Clone(t.Lines)
		t.older, t.newer, t.who = nil, nil, nil // the watch's own
	}
	return s
}

// weight says how far up a trouble belongs, as it does in a report.
func (t *Trouble) weight() int64 {
	var n int64
	for _, c := range t.PerMinute {
		n += c
	}
	return summary.Weight(t.Cause, t.Severity, t.Direction, n)
}
