package session

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Options says what an Assembler keeps.
type Options struct {
	Exchanges bool // who the other side of each session is and its replies: for those who print sessions
	Envelopes bool // the reverse-path of each message: for Select

	// Select tells which events are asked for; from is the reverse-path of the event's
	// message, nil when it is not known or not kept. Only sessions and messages that
	// have such an event are passed on and counted. Nil selects all.
	Select func(ev *smtp.Event, from []byte) bool

	// Written returns the event as the log has it, where Add is given one that may be shown.
	// It is what is selected by; nil is for when they are the same.
	Written func(ev *smtp.Event) *smtp.Event
}

// Assembler puts events, in the order of their lines, into sessions and messages. It is
// not safe for several goroutines.
type Assembler struct {
	options  Options
	emit     func(*Session)
	open     index.Index // sessions by what ties their lines
	current  index.Index // the outbound session that a process is in, by the process
	slab     []*Session  // all sessions, open and spare
	spare    []int32
	connects queue // sessions whose connect was logged, longest untouched first
	implied  queue // the others
	messages *messages
	selected bool   // the event at hand is asked for
	from     []byte // its message's reverse-path
	number   int64
	when     time.Time // of the line at hand; zero when it shows none
	now      int64     // the time of the last line that showed one, in nanoseconds since 1970
	due      bool      // it moved since sessions were looked through for those that are silent for too long
	evicted  int64
	closing  bool // the log is at its end
}

// queue is a list of sessions in the order of their last line.
type queue struct {
	oldest, newest *Session
	idle           time.Duration
}

// NewAssembler returns an assembler that passes each session to emit when it has
// ended. The session is good until emit returns.
func NewAssembler(o Options, emit func(*Session)) *Assembler {
	a := &Assembler{
		options: o, emit: emit,
		connects: queue{idle: connectedIdle}, implied: queue{idle: impliedIdle},
		messages: newMessages(o.Envelopes), from: make([]byte, 0, 64),
	}
	return a
}

// Evicted returns how many sessions were given up before their end for want of room.
func (a *Assembler) Evicted() int64 { return a.evicted }

// Messages returns the messages counted so far.
func (a *Assembler) Messages() Counts { return a.messages.counts() }

// Add takes the next step, with its time as it was settled, and reports whether it is
// among those asked for. ev is the event that the step is of; without Options that look
// into events it may be nil.
func (a *Assembler) Add(st *Step, when time.Time, ev *smtp.Event) (selected bool) {
	if when != a.when {
		a.tick(when)
	}
	if a.due && st.Format != smtp.FormatTranscript {
		a.expire()
	}
	written := a.written(ev)
	i := none
	if st.Queue != 0 && !st.Probe {
		i = a.messages.add(st, written)
	}
	a.selected = a.options.Select == nil || a.options.Select(written, a.sender(i))
	if a.selected {
		if i != none {
			a.messages.choose(i)
		}
		if st.Outcome == smtp.Rejected {
			a.messages.Rejected += int64(st.Count())
		}
	}
	switch {
	case st.Format == smtp.FormatTranscript:
		a.transcript(st, ev)
	case st.Direction == smtp.Inbound:
		a.inbound(st, ev, i)
	case st.Direction == smtp.Outbound:
		a.outbound(st, ev)
	}
	return a.selected
}

// sender is the reverse-path of a message, nil when it is not known or not kept.
func (a *Assembler) sender(i int32) []byte {
	if i == none || !a.messages.slab[i].fromKnown {
		return nil
	}
	a.from = append(a.from[:0], a.messages.from[i]...)
	return a.from
}

// written is the event as the log has it.
func (a *Assembler) written(ev *smtp.Event) *smtp.Event {
	if a.options.Written == nil || ev == nil {
		return ev
	}
	return a.options.Written(ev)
}

// tick sets the clock by a line that shows its time; one that shows none is of the time
// of the line before.
func (a *Assembler) tick(when time.Time) {
	a.when = when
	if when.IsZero() {
		return
	}
	if now := when.UnixNano(); now != a.now {
		a.now, a.due = now, true
	}
}

// Advance says that it is now now, and that no line of an earlier time is to come: what has
// been silent for too long ends.
func (a *Assembler) Advance(now time.Time) {
	if n := now.UnixNano(); n > a.now {
		a.now = n
		a.expire()
	}
}

// Open calls f for the sessions that are open, those of the last line first, until f
// returns false. They are good until f returns.
func (a *Assembler) Open(f func(*Session) bool) {
	x, y := a.connects.newest, a.implied.newest
	for x != nil || y != nil {
		s := x
		if x == nil || y != nil && y.last > x.last {
			s, y = y, y.older
		} else {
			x = x.older
		}
		if !f(s) {
			return
		}
	}
}

// EndOfFile ends what cannot go on in another file: the sessions of a transcript.
func (a *Assembler) EndOfFile() {
	for s := a.implied.oldest; s != nil; {
		next := s.newer
		if s.Format == smtp.FormatTranscript {
			a.finish(s)
		}
		s = next
	}
}

// Close ends all sessions that are still there.
func (a *Assembler) Close() {
	a.closing = true
	for _, q := range []*queue{&a.connects, &a.implied} {
		for q.oldest != nil {
			a.finish(q.oldest)
		}
	}
}

// start opens a session.
func (a *Assembler) start(key uint64, st *Step, ev *smtp.Event, implied bool) *Session {
	if len(a.slab)-len(a.spare) >= MaxSessions {
		a.evicted++
		q := &a.implied
		if q.oldest == nil {
			q = &a.connects
		}
		a.finish(q.oldest)
	}
	if len(a.spare) == 0 {
		s := &Session{course: course{place: int32(len(a.slab))}}
		if a.options.Exchanges {
			s.Detail = new(Detail)
		}
		a.slab = append(a.slab, s)
		a.spare = append(a.spare, int32(len(a.slab)-1))
	}
	s := a.slab[a.spare[len(a.spare)-1]]
	a.spare = a.spare[:len(a.spare)-1]
	s.reset(key)
	if a.options.Exchanges {
		s.Detail.reset()
	}
	a.number++
	s.implied = implied
	s.Format, s.Direction = st.Format, st.Direction
	if a.options.Exchanges {
		s.name(ev, a.number)
	}
	if under := a.open.Get(key); under != none {
		// Nothing tells this client's connections apart.
		s.under, s.depth = under, a.slab[under].depth+1
	}
	a.open.Set(key, s.place)
	a.queueOf(s).push(s)
	return s
}

// touch makes s the most recently used session.
func (a *Assembler) touch(s *Session, st *Step, ev *smtp.Event) {
	s.note(st, a.when, a.now)
	if a.options.Exchanges {
		s.introduce(ev)
	}
	s.selected = s.selected || a.selected
	q := a.queueOf(s)
	if q.newest != s {
		q.unlink(s)
		q.push(s)
	}
}

// expire ends the sessions that have been silent for too long, so that no line of today
// is taken for one of a session of yesterday, however few lines lie between.
func (a *Assembler) expire() {
	a.due = false
	for _, q := range [...]*queue{&a.connects, &a.implied} {
		for o := q.oldest; o != nil && a.now-o.last > int64(q.idle); o = q.oldest {
			a.finish(o)
		}
	}
}

// at returns the open session of a key, nil for none.
func (a *Assembler) at(key uint64) *Session {
	if i := a.open.Get(key); i != none {
		return a.slab[i]
	}
	return nil
}

// finish passes s on and frees it.
func (a *Assembler) finish(s *Session) {
	if s.End == smtp.EndNotLogged {
		s.End = s.silentEnd(a.closing)
	}
	if s.selected && !s.passed {
		a.emit(s)
	}
	a.discard(s)
}

// silentEnd is the end of a session of which no line told it. last says that the log is
// at its end: before, a session that is given up may have ended in any way.
func (s *Session) silentEnd(last bool) smtp.End {
	switch {
	case s.Format == smtp.FormatTranscript:
		return smtp.EndOpen
	case s.greeting:
		return smtp.EndRefused
	case s.Direction == smtp.Outbound:
		return smtp.EndQuit // both clients say QUIT after whatever was answered, and log what prevents it
	case s.implied || !last:
		return smtp.EndNotLogged
	}
	return smtp.EndOpen
}

// discard forgets s without passing it on.
func (a *Assembler) discard(s *Session) {
	a.queueOf(s).unlink(s)
	a.leave(s)
	if s.scope != 0 && a.current.Get(s.scope) == s.place {
		a.current.Remove(s.scope)
	}
	a.spare = append(a.spare, s.place)
}

// leave takes s out of the table of open sessions, from wherever it is among those of
// the same key.
func (a *Assembler) leave(s *Session) {
	switch top := a.open.Get(s.key); {
	case top == none:
	case top == s.place && s.under == none:
		a.open.Remove(s.key)
	case top == s.place:
		a.open.Set(s.key, s.under)
	default:
		for o := a.slab[top]; o.under != none; o = a.slab[o.under] {
			if o.under == s.place {
				o.under = s.under
				break
			}
		}
	}
	s.under, s.depth = none, 0
}

func (a *Assembler) queueOf(s *Session) *queue {
	if s.implied {
		return &a.implied
	}
	return &a.connects
}

func (q *queue) push(s *Session) {
	s.older, s.newer = q.newest, nil
	if q.newest != nil {
		q.newest.newer = s
	} else {
		q.oldest = s
	}
	q.newest = s
}

func (q *queue) unlink(s *Session) {
	if s.older != nil {
		s.older.newer = s.newer
	} else {
		q.oldest = s.newer
	}
	if s.newer != nil {
		s.newer.older = s.older
	} else {
		q.newest = s.older
	}
	s.older, s.newer = nil, nil
}

func (a *Assembler) exchange(s *Session, ev *smtp.Event) {
	if a.options.Exchanges {
		s.exchange(ev, a.written(ev))
	}
}
