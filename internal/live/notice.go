package live

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
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
	Trouble *Trouble         // Began, Goes
	Count   int64            // how often, in For: Goes, Ended; how many: Others
	For     time.Duration    // Goes: since when it is counted; Over: how long nothing went through
	Party   string           // Over
	Session *session.Session // Ended, the first of its kind; nil when only counted
	End     smtp.End         // Ended
	Stage   smtp.Stage       // Ended: after which command
}

const (
	// newPerMinute is how many troubles are told of as they begin, in a minute. Where all
	// goes wrong at once, the first ones tell what it is about.
	newPerMinute = 8
	// goesPerMinute is how many that go on are told of at once.
	goesPerMinute = 8
	// soon and later are how far apart the notices of a trouble are that goes on: at first
	// somebody looks at each.
	soon, later = time.Minute, 10 * time.Minute
	often       = 5
	// forgotten is how long a trouble has to be silent to be new when it comes again.
	forgotten = 6 * time.Hour
)

// announce tells of a new trouble. What is as it should be, spam that was refused, is none
// that anybody has to know of at once.
func (w *Watch) announce(t *Trouble, side causeSide) {
	t.told, t.toldTotal = w.now, t.Total
	if t.Severity == knowledge.Info {
		return
	}
	if m := unixMinute(w.now); m != w.newMinute {
		w.newMinute, w.newTold = m, 0
	}
	if w.newTold >= newPerMinute {
		w.newHeld++
		return
	}
	w.newTold++
	w.explained[side] = true
	w.tell(&Notice{What: Began, Time: w.now, Trouble: t})
}

// report tells of what goes on, once it is due.
func (w *Watch) report() {
	var due []*Trouble
	for k, t := range w.troubles {
		switch silent := w.now.Sub(t.Last); {
		case silent > forgotten:
			delete(w.troubles, k)
		case t.Severity != knowledge.Info && t.Total > t.toldTotal && w.now.Sub(t.told) >= t.pause():
			due = append(due, t)
		}
	}
	slices.SortFunc(due, func(a, b *Trouble) int { return cmp.Or(-cmp.Compare(a.weight(), b.weight()), cmp.Compare(a.ID, b.ID)) })
	for _, t := range due[:min(len(due), goesPerMinute)] {
		w.tell(&Notice{What: Goes, Time: w.now, Trouble: t, Count: t.Total - t.toldTotal, For: w.now.Sub(t.told)})
	}
	for _, t := range due {
		t.told, t.toldTotal = w.now, t.Total
		t.toldTimes++
	}
	w.countEndings()
	if w.newHeld > 0 && unixMinute(w.now) != w.newMinute {
		w.tell(&Notice{What: Others, Time: w.now, Count: w.newHeld})
		w.newHeld = 0
	}
}

// pause is how long after its last notice a trouble is told of again.
func (t *Trouble) pause() time.Duration {
	if t.toldTimes < often {
		return soon
	}
	return later
}

// theirs reports that a trouble keeps mail from a party as a whole: it is not about one
// recipient or one message.
func (w *Watch) theirs(t *Trouble) bool {
	if t.Direction != smtp.Outbound || t.Party == "" {
		return false
	}
	switch t.Cause.Actor() {
	case knowledge.SendingAdmin, knowledge.ReceivingAdmin:
		return true
	}
	return false
}

// flow is how deliveries to a party go.
type flow struct {
	party string
	fails int       // in a row
	since time.Time // of the first of them
	sent  time.Time // the first that went through again; zero: none did
}

type flows map[string]*flow

const (
	// stopped is how many deliveries must fail one after the other for a flow to count as
	// stopped, and flowing how long none may fail after the first success.
	stopped = 3
	flowing = time.Minute
)

func (f flows) failed(w *Watch, t *Trouble) {
	p := f[t.Party]
	if p == nil {
		if len(f) >= maxParties {
			clear(f)
		}
		p = &flow{party: t.Party}
		f[t.Party] = p
	}
	if p.fails == 0 {
		p.since = w.now
	}
	p.fails++
	p.sent = time.Time{}
}

func (f flows) sent(w *Watch, party string) {
	p := f[party]
	switch {
	case p == nil:
	case p.fails < stopped:
		delete(f, party)
	case p.sent.IsZero():
		p.sent = w.now
	}
}

// over tells of the parties to which mail flows again.
func (f flows) over(w *Watch) {
	var again []*flow
	for party, p := range f {
		if !p.sent.IsZero() && w.now.Sub(p.sent) >= flowing {
			again = append(again, p)
			delete(f, party)
		}
	}
	slices.SortFunc(again, func(a, b *flow) int { return cmp.Or(a.sent.Compare(b.sent), cmp.Compare(a.party, b.party)) })
	for _, p := range again {
		w.tell(&Notice{What: Over, Time: p.sent, Party: p.party, For: p.sent.Sub(p.since)})
	}
}

// badEnd is a way in which sessions end badly.
type badEnd struct {
	end       smtp.End
	stage     smtp.Stage
	direction smtp.Direction
	user      bool
}

type endings struct {
	told  time.Time
	count int64
}

// badly reports that a session ended in a way that somebody has to know of: it broke while
// a message was on its way in, or one of our own users was in it. Scanners and spammers
// come and go as they like, and what went wrong on our way out the deliveries tell.
func (w *Watch) badly(s *session.Session) (badEnd, bool) {
	user := s.Detail != nil && len(s.User) > 0
	switch s.End {
	case smtp.EndLost, smtp.EndTimedOut, smtp.EndServerClosed:
	default:
		return badEnd{}, false
	}
	if s.Direction != smtp.Inbound || s.EndStage < smtp.StageDATA && !user {
		return badEnd{}, false
	}
	return badEnd{s.End, s.EndStage, s.Direction, user}, true
}

// ended tells of the first session that ended so, and counts the others.
func (w *Watch) ended(end badEnd, s *session.Session) {
	if e := w.sessions[end]; e != nil {
		e.count++
		return
	}
	w.sessions[end] = &endings{told: w.now}
	w.tell(&Notice{What: Ended, Time: w.now, Session: s, End: end.end, Stage: end.stage, Count: 1})
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
