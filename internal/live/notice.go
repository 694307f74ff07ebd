package live

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// What a notice tells.
type What uint8

// The notices.
const (
	Began  What = iota // a trouble that was not met before, or not for hours
	Goes               // it goes on
	Others             // more troubles began than are told one by one
	Over               // deliveries to a party succeed again
	Ended              // a session ended badly
)

// Notice is something to be told.
type Notice struct {
	What    What
	Time    time.Time
	Trouble *Trouble      // Began, Goes
	Count   int64         // how often, in For: Goes, Ended; how many: Others
	For     time.Duration // Goes: since when it is counted; Over: how long nothing went through
	Party   string        // Over; Ended: the first one's client, "" when only counted
	End     smtp.End      // Ended
	Stage   smtp.Stage    // Ended: after which command
}

const (
	// newPerMinute is how many troubles are told of as they begin, in a minute, and
	// oursPerMinute how many more where it is for us to mend them. Where all goes wrong at
	// once, the first ones tell what it is about.
	newPerMinute  = 8
	oursPerMinute = 16
	// another is how often a trouble that was explained before must be met to be told of with
	// a party that few have to do with, or after it was over.
	another = 3
	// reportEvery is how often, in the log's time, it is looked through what goes on.
	reportEvery = 5 * time.Second
	// goesPerMinute is how many that go on are told of in a minute, the worst first.
	goesPerMinute = 8
	// soon and later are how far apart the notices of a trouble are that goes on: at first,
	// while there is much of it, somebody looks at each.
	soon, later = time.Minute, 10 * time.Minute
	often       = 5 // so many times at first
	much        = 5
	// forgotten is how long a trouble has to be silent to be new when it comes again.
	forgotten  = 6 * time.Hour
	sweepEvery = 10 * time.Minute
)

// announce tells of a trouble that was not told of. What is as it should be, spam that was
// refused, is none that anybody has to know of at once, nor is it that one more of the many
// small domains has it.
func (w *Watch) announce(t *Trouble, side causeSide, words Words) {
	if t.Severity == knowledge.Info || w.explained[side] && (!t.big || t.over > 0) && t.Total-t.over < another {
		return
	}
	if m := unixMinute(w.now); m != w.newMinute {
		w.newMinute, w.newTold = m, [2]int{}
	}
	turn, most := 0, newPerMinute
	if summary.Ours(t.Cause, t.Direction) {
		turn, most = 1, oursPerMinute
	}
	if w.newTold[turn] >= most {
		if !t.held {
			t.held = true
			w.newHeld++
		}
		return
	}
	w.newTold[turn]++
	t.Explained, w.explained[side] = w.explained[side], true
	t.began, t.told, t.toldTotal = true, w.now, t.Total
	t.Reply = string(cut(words.Said()))
	if !t.listed {
		t.listed, w.going = true, append(w.going, t)
	}
	w.tell(&Notice{What: Began, Time: w.now, Trouble: t})
}

// report tells of what goes on, once it is due.
func (w *Watch) report() {
	if w.now.Sub(w.minuteTold) >= soon {
		w.minuteTold = w.now
		w.goesOn()
		w.sweep()
		w.countEndings()
	}
	if w.newHeld > 0 && unixMinute(w.now) != w.newMinute {
		w.tell(&Notice{What: Others, Time: w.now, Count: w.newHeld})
		w.newHeld = 0
	}
	w.flows.over(w)
}

// goesOn tells of the troubles that do. Those for which there is no room stay due.
func (w *Watch) goesOn() {
	var due []*Trouble
	w.going = slices.DeleteFunc(w.going, func(t *Trouble) bool {
		if t.listed = t.began; t.due(w.now) {
			due = append(due, t)
		}
		return !t.listed
	})
	slices.SortFunc(due, func(a, b *Trouble) int { return cmp.Or(-cmp.Compare(a.weight(), b.weight()), cmp.Compare(a.ID, b.ID)) })
	for _, t := range due[:min(len(due), goesPerMinute)] {
		w.tell(&Notice{What: Goes, Time: w.now, Trouble: t, Count: t.Total - t.toldTotal, For: w.now.Sub(t.told)})
		t.told, t.toldTotal = w.now, t.Total
		t.toldTimes++
	}
}

// sweep forgets the troubles that are long over, so that they are new when they come again.
func (w *Watch) sweep() {
	if w.now.Sub(w.swept) < sweepEvery {
		return
	}
	w.swept = w.now
	for k, t := range w.troubles {
		if w.now.Sub(t.Last) > forgotten {
			w.forget(k, t)
		}
	}
}

// due reports that a trouble that goes on is to be told of again.
func (t *Trouble) due(now time.Time) bool {
	n, since := t.Total-t.toldTotal, now.Sub(t.told)
	return t.began && n > 0 && (since >= later || since >= soon && n >= much && t.toldTimes < often)
}

// flow is how deliveries to a party go.
type flow struct {
	party string
	of    []*Trouble // that keep mail from it
	fails int        // in a row
	since time.Time  // of the first of them
	sent  time.Time  // the first that went through again; zero: none did
	gone  bool       // it is not among flows any more
}

// flows are the parties to which deliveries failed.
type flows struct {
	byParty map[string]*flow
	again   []*flow // those to which mail flows again, but not for long enough to say so
}

const (
	// stopped is how many deliveries must fail one after the other for a flow to count as
	// stopped, and stood for how long at least; flowing is how long none may fail after the
	// first success. Less than that is the usual coming and going.
	stopped = 3
	stood   = time.Minute
	flowing = time.Minute
)

func (f *flows) failed(w *Watch, t *Trouble) {
	p := t.flow
	if p == nil || p.gone {
		p = f.of(w, t.Party)
		t.flow, p.of = p, append(p.of, t)
	}
	if p.fails == 0 {
		p.since = w.now
	}
	p.fails++
	if !p.sent.IsZero() {
		p.sent = time.Time{}
		f.again = slices.DeleteFunc(f.again, func(a *flow) bool { return a == p })
	}
}

// of returns the flow of a party.
func (f *flows) of(w *Watch, party string) *flow {
	p := f.byParty[party]
	if p == nil {
		if len(f.byParty) >= maxParties {
			for _, old := range f.byParty {
				f.drop(w, old)
			}
			f.again = f.again[:0]
		}
		p = &flow{party: party}
		f.byParty[party] = p
	}
	w.parties.goes(party, p)
	return p
}

// drop lets a flow go: deliveries do not fail any more.
func (f *flows) drop(w *Watch, p *flow) {
	p.gone = true
	delete(f.byParty, p.party)
	w.parties.goes(p.party, nil)
}

// sent takes a delivery to a recipient, by way of a party: a party may be known by either.
func (f *flows) sent(w *Watch, l *summary.Line, words Words) {
	if len(f.byParty) == 0 {
		return
	}
	f.went(w, w.parties.flow(w.party(l, words)))
	var room [64]byte
	f.went(w, f.byParty[string(appendLower(room[:0], words.Domain()))])
}

func (f *flows) went(w *Watch, p *flow) {
	switch {
	case p == nil || !p.sent.IsZero():
	case p.fails < stopped || w.now.Sub(p.since) < stood:
		f.drop(w, p)
	default:
		p.sent = w.now
		f.again = append(f.again, p)
	}
}

// over tells of the parties to which mail flows again, the one to which it did first first.
func (f *flows) over(w *Watch) {
	for len(f.again) > 0 && w.now.Sub(f.again[0].sent) >= flowing {
		p := f.again[0]
		f.again = slices.Delete(f.again, 0, 1)
		f.drop(w, p)
		w.tell(&Notice{What: Over, Time: w.now, Party: p.party, For: p.sent.Sub(p.since)})
		for _, t := range p.of {
			t.began, t.held, t.over = false, false, t.Total
		}
	}
}

// badEnd is a way in which sessions end badly.
type badEnd struct {
	end   smtp.End
	stage smtp.Stage
}

type endings struct {
	told  time.Time
	count int64
}

// Badly reports that a session ends in a way that somebody has to know of: it breaks while
// a message is on its way in. Scanners and spammers come and go as they like, and what goes
// wrong on our way out the deliveries tell.
func Badly(k smtp.Kind, d smtp.Direction, at smtp.Stage) bool {
	return (k == smtp.KindLost || k == smtp.KindTimeout || k == smtp.KindClosed) &&
		d == smtp.Inbound && smtp.StageDATA <= at && at <= smtp.StageDOT
}

var endOf = map[smtp.Kind]smtp.End{
	smtp.KindLost: smtp.EndLost, smtp.KindTimeout: smtp.EndTimedOut, smtp.KindClosed: smtp.EndServerClosed,
}

// ended tells of the first session that ended so, and counts the others.
func (w *Watch) ended(end badEnd, l *summary.Line, words Words) {
	if e := w.sessions[end]; e != nil {
		e.count += l.N
		return
	}
	w.sessions[end] = &endings{told: w.now}
	w.tell(&Notice{What: Ended, Time: w.now, End: end.end, Stage: end.stage, Count: 1, Party: string(cut(words.Host()))})
}

// countEndings tells how many sessions ended badly since they were last told of.
func (w *Watch) countEndings() {
	var due []badEnd
	for k, e := range w.sessions {
		if since := w.now.Sub(e.told); e.count > 0 && since >= later {
			due = append(due, k)
		} else if since > forgotten {
			delete(w.sessions, k)
		}
	}
	slices.SortFunc(due, func(a, b badEnd) int { return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.stage, b.stage)) })
	for _, k := range due {
		e := w.sessions[k]
		w.tell(&Notice{What: Ended, Time: w.now, End: k.end, Stage: k.stage, Count: e.count, For: w.now.Sub(e.told)})
		e.told, e.count = w.now, 0
	}
}
