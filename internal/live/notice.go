package live

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
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
	Trouble Facts         // Began, Goes
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
	// forgotten is how long a trouble has to be silent to be new when it comes again; that is looked
	// at no more often than later.
	forgotten = 6 * time.Hour
)

// announce tells of a trouble that was not told of. What is as it should be, spam that was
// refused, is none that anybody has to know of at once, nor is it that one more of the many
// small domains has it.
func (w *Watch) announce(t *Trouble, side causeSide, words Words) {
	if t.Severity == knowledge.Info || (!t.big || t.over > 0) && t.Total-t.over < another && w.explained[side] {
		return
	}
	if w.minute != w.newMinute {
		w.newMinute, w.newTold = w.minute, [2]int{}
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
	w.tell(&Notice{What: Began, Time: w.now, Trouble: t.Facts})
}

// report tells of what goes on, once it is due.
func (w *Watch) report() {
	if w.now.Sub(w.minuteTold) >= soon {
		w.minuteTold = w.now
		w.goesOn()
		if w.now.Sub(w.swept) >= later {
			w.swept = w.now
			w.troubles.sweep(w.now)
		}
		w.countEndings()
	}
	if w.newHeld > 0 && w.minute != w.newMinute {
		w.tell(&Notice{What: Others, Time: w.now, Count: w.newHeld})
		w.newHeld = 0
	}
	w.flows.over(w)
}

// goesOn tells of the troubles that do. Those for which there is no room stay due.
func (w *Watch) goesOn() {
	var due []*Trouble
	w.going = slices.DeleteFunc(w.going, func(t *Trouble) bool {
		if t.listed = t.goes(); t.due(w.now) {
			due = append(due, t)
		}
		return !t.listed
	})
	slices.SortFunc(due, func(a, b *Trouble) int { return cmp.Or(-cmp.Compare(a.weight(), b.weight()), cmp.Compare(a.ID, b.ID)) })
	for _, t := range due[:min(len(due), goesPerMinute)] {
		w.tell(&Notice{What: Goes, Time: w.now, Trouble: t.Facts, Count: t.Total - t.toldTotal, For: w.now.Sub(t.told)})
		t.told, t.toldTotal = w.now, t.Total
		t.toldTimes++
	}
}

// goes reports that a trouble that was told of was met since.
func (t *Trouble) goes() bool { return t.began && t.Total > t.toldTotal }

// due reports that a trouble that goes on is to be told of again.
func (t *Trouble) due(now time.Time) bool {
	n, since := t.Total-t.toldTotal, now.Sub(t.told)
	return t.goes() && (since >= later || since >= soon && n >= much && t.toldTimes < often)
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
func (w *Watch) ended(end badEnd, s *session.Step, words Words) {
	if e := w.sessions[end]; e != nil {
		e.count += int64(s.Count())
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
