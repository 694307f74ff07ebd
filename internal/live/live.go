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
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// Minutes is how far back the rates go.
	Minutes = 60
	// LastLines is how many lines of a trouble are kept.
	LastLines = 5

	maxTroubles = 1024 // kinds that are kept; of more, one that was silent for long is given up
	keepEvery   = 30   // seconds between two lines that are kept, once there are LastLines
	keepPerTick = 2    // and so many between two ticks
	maxText     = 1024 // bytes of a reply or a line
)

// Line is a line of the log, its secrets masked.
type Line struct {
	Path   string
	Number int64
	Text   string
}

// Facts are what there is to say of a trouble.
type Facts struct {
	Cause     knowledge.Cause
	Direction smtp.Direction
	Severity  knowledge.Severity
	Stage     smtp.Stage
	Explained bool // another party's trouble of this cause was told of before
	Entry     knowledge.EntryID
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode
	Party     string // the provider's name, or the domain on the other side where the cause is about that; "" where it does not matter
	Reply     string // the last one
}

// Trouble is a cause with a party, as it goes on.
type Trouble struct {
	// What each line of it asks for stands together, and so in few cache lines.
	Facts
	began  bool   // that it did was told
	listed bool   // it is in Watch.going
	held   bool   // that it began was held back, as one too many
	big    bool   // its party is a provider, or none
	kept   bool   // it was not given up
	place  uint16 // among the watch's
	who    *party // whose it is
	minute int64  // the one that PerMinute ends with
	Total  int64
	Last   time.Time

	ID         int64 // the same as long as it is kept, and no other's
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

// Watch is what is going on. It is not safe for several goroutines.
type Watch struct {
	base *knowledge.Base
	tell func(*Notice)

	now        time.Time
	due        time.Time // when more than now is to be moved on
	minute     int64     // that of now
	rates      rates
	troubles   troubles
	going      []*Trouble // those that were met since they were told of
	explained  map[causeSide]bool
	parties    *parties
	flows      *flows
	sessions   map[badEnd]*endings
	ids        int64
	minuteTold time.Time // when what goes on was last told of
	reported   time.Time // when what goes on was last looked through
	swept      time.Time // when what is long over was last forgotten
	newTold    [2]int    // troubles told of in newMinute, and of them those that are ours to mend
	newMinute  int64
	newHeld    int64 // and those that were not
	dropped    int64
	ticks      int64
	keeps      bool // see KeepLines
	known      known
	step       session.Step
}

type causeSide struct {
	cause     knowledge.Cause
	direction smtp.Direction
}

// New returns an empty watch. tell is called with what is to be told; nil tells nobody.
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

// Event takes a line whose event is at hand. a is nil when it shows neither a reply nor a
// failure; host is a hash of the other side's name, 0 for none; line gives the line as it may
// be shown, and is called only when it is kept.
func (w *Watch) Event(ev *smtp.Event, a *classify.Annotation, host uint64, line func() Line) {
	session.StepOf(ev, &w.step)
	w.step.Host = host
	w.known = known{ev, line}
	w.Line(&w.step, ev.Time, a, EndsOf(ev), &w.known)
}

// Line takes a line. a is nil when it shows neither a reply nor a failure; ends is what its names end
// with, zero where that is not known.
func (w *Watch) Line(s *session.Step, when time.Time, a *classify.Annotation, ends Ends, words Words) {
	if s.Decides() {
		w.Count(when, s.Outcome, int64(s.Count()))
	}
	if w.Look(when, ConcernOf(s, a != nil), ends) {
		w.Take(s, a, words)
	}
}

// Count counts n lines that decide what becomes of a recipient. It may run ahead of the other methods.
func (w *Watch) Count(when time.Time, o smtp.Outcome, n int64) { w.rates.count(when, o, n) }

// Concern is what a line has to do with what goes on.
type Concern uint8

// The concerns.
const (
	Nothing     Concern = iota
	WentThrough         // a delivery to another server
	WentBadly           // something went wrong, or a session ended badly
)

// ConcernOf tells a line's concern. noted says that it shows a reply or a failure.
func ConcernOf(s *session.Step, noted bool) Concern {
	if s.Outcome == smtp.OutcomeNone && !noted && !mayConcern[s.Kind] {
		return Nothing // as most
	}
	return concernOf(s, noted)
}

func concernOf(s *session.Step, noted bool) Concern {
	switch {
	case s.Outcome == smtp.Sent:
		if s.Direction == smtp.Outbound && s.Decides() {
			return WentThrough
		}
	case noted && s.WentWrong() || Badly(s.Kind, s.Direction, s.Stage):
		return WentBadly
	}
	return Nothing
}

// mayConcern are the kinds of lines that are a concern even where they show neither.
var mayConcern = [smtp.NumKinds]bool{smtp.KindLost: true, smtp.KindTimeout: true, smtp.KindClosed: true}

// Look takes a line's concern, and reports whether Take is to be given the line, too: where something
// went wrong, or mail may flow again.
func (w *Watch) Look(when time.Time, c Concern, ends Ends) (more bool) {
	if when != w.now {
		w.advance(when)
	}
	return c == WentBadly || c == WentThrough && w.flows.mayWait(ends)
}

// Take takes a line of which Look said so. a is nil when it shows neither a reply nor a failure.
func (w *Watch) Take(s *session.Step, a *classify.Annotation, words Words) {
	if s.Outcome == smtp.Sent {
		w.flows.sent(w, s, words)
		return
	}
	if Badly(s.Kind, s.Direction, s.Stage) {
		w.ended(badEnd{endOf[s.Kind], s.Stage}, s, words)
	}
	if a != nil && s.WentWrong() {
		w.trouble(s, a, words)
	}
}

// advance moves the time on to now, if that is later, and tells what is due.
func (w *Watch) advance(now time.Time) {
	if !now.After(w.now) {
		return
	}
	if w.now = now; now.Before(w.due) {
		return
	}
	w.minute = unixMinute(now)
	if now.Sub(w.reported) >= reportEvery {
		w.reported = now
		w.report()
	}
	w.due = w.reported.Add(reportEvery)
	if next := time.Unix((w.minute+1)*60, 0); next.Before(w.due) {
		w.due = next
	}
}

// trouble counts what went wrong.
func (w *Watch) trouble(s *session.Step, a *classify.Annotation, words Words) {
	side := causeSide{a.Cause, s.Direction}
	who := w.with(s, a.Cause, words)
	t := who.trouble(side)
	if t == nil {
		t = w.begins(side, who)
	}
	t.count(s, a, w.now, w.minute)
	w.troubles.met(t)
	if !t.listed && t.began {
		t.listed, w.going = true, append(w.going, t)
	}
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

// begins returns a new trouble with a party. Where there are too many, one that was silent for long is
// given up for it.
func (w *Watch) begins(side causeSide, who *party) *Trouble {
	if old := w.troubles.tooMany(); old != nil {
		w.troubles.forget(old)
		w.dropped++
	}
	t := w.troubles.unused()
	w.ids++
	t.ID, t.Cause, t.Direction, t.Party, t.who = w.ids, side.cause, side.direction, who.name, who
	t.First, t.minute, t.big = w.now, w.minute, who.provider || who.name == ""
	who.troubles = append(who.troubles, t)
	return t
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
func (t *Trouble) count(s *session.Step, a *classify.Annotation, now time.Time, m int64) {
	for ; t.minute < m; t.minute++ {
		if m-t.minute > Minutes {
			t.minute = m - Minutes
		}
		t.PerMinute[slot(t.minute+1)] = 0
	}
	n := int64(s.Count())
	t.PerMinute[slot(m)] += n
	t.Total += n
	t.Last = now
	t.Entry, t.Severity = a.Entry, max(t.Severity, a.Severity)
	t.Stage, t.Code, t.Enhanced = s.Stage, s.Code, smtp.EnhancedCode{}
	if s.Code != 0 {
		t.Enhanced = s.Enhanced
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
	s := Snapshot{Now: w.now, Rates: w.rates.until(w.minute), Totals: w.rates.totals, Dropped: w.dropped}
	for _, t := range w.troubles.all {
		if t.kept && w.now.Sub(t.Last) < Minutes*time.Minute {
			s.Troubles = append(s.Troubles, *t)
		}
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
		t.who = nil // the watch's own
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
