package session

import (
	"bytes"
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
	warmed   int32 // what Warm read, so that it is not optimised away
	connects queue // sessions whose connect was logged, longest untouched first
	implied  queue // the others
	messages *messages
	selected bool   // the event at hand is asked for
	from     []byte // its message's reverse-path
	number   int64
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
	return &Assembler{
		options: o, emit: emit,
		connects: queue{idle: connectedIdle}, implied: queue{idle: impliedIdle},
		messages: newMessages(o.Envelopes), from: make([]byte, 0, 64),
	}
}

// Evicted returns how many sessions were given up before their end for want of room.
func (a *Assembler) Evicted() int64 { return a.evicted }

// Messages returns the messages counted so far.
func (a *Assembler) Messages() Counts { return a.messages.counts() }

// Warm says that an event with these keys will be added soon. It changes nothing but
// the time that takes.
func (a *Assembler) Warm(k *Keys) {
	if k.Queue != 0 {
		a.warmed += a.messages.warm(k)
	}
	if k.Session != 0 {
		a.warmed += a.open.Get(k.Session)
	}
}

// Add takes the next event with its keys and reports whether it is among those asked
// for.
func (a *Assembler) Add(ev *smtp.Event, k *Keys) (selected bool) {
	i := a.messages.add(ev, k)
	var m *message
	var from []byte
	if i != none {
		if m = &a.messages.slab[i]; m.fromKnown {
			from = append(a.from[:0], m.from...)
			a.from = from
		}
	}
	selected = a.options.Select == nil || a.options.Select(ev, from)
	if selected {
		if m != nil {
			a.messages.choose(i)
		}
		if ev.Outcome == smtp.Rejected {
			a.messages.Rejected += int64(ev.Count())
		}
	}
	a.selected = selected
	if !ev.Time.IsZero() && ev.Format != smtp.FormatTranscript {
		a.expire(ev.Time.UnixNano())
	}
	switch {
	case ev.Format == smtp.FormatTranscript:
		a.transcript(ev, k)
	case ev.Direction == smtp.Inbound:
		a.inbound(ev, k, m)
	case ev.Direction == smtp.Outbound:
		a.outbound(ev, k)
	}
	return selected
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

// inbound takes a line of our server about a client.
func (a *Assembler) inbound(ev *smtp.Event, k *Keys, m *message) {
	key := k.Session
	s := a.at(key)
	if ev.Format == smtp.FormatExim && ev.PID != 0 && len(ev.Session) == 0 && ev.Peer.Port == 0 && ev.Kind != smtp.KindConnect {
		key, s = a.claim(key, s, ev)
	}
	if s != nil && s.another(ev) {
		a.finish(s)
		s = nil
	}
	switch ev.Kind {
	case smtp.KindConnect:
		if s != nil && (ev.Format != smtp.FormatExim || s.depth >= maxSameClient) {
			a.finish(s)
		}
		s = a.start(key, ev, false)
	case smtp.KindReject, smtp.KindReceived, smtp.KindAuth, smtp.KindLost, smtp.KindTimeout, smtp.KindClosed, smtp.KindDisconnect:
		if s == nil && m != nil && m.session != 0 && ev.Kind == smtp.KindReject {
			s = a.at(m.session) // cleanup speaks for the smtpd that the message came in by
		}
		if s == nil {
			if cleanup(ev) {
				return
			}
			s = a.start(key, ev, true)
		}
	case smtp.KindTLS:
		if s == nil && ev.Format == smtp.FormatExim && ev.Failed && !unverified(ev) && !ev.Peer.IsZero() {
			s = a.start(key, ev, true) // all that Exim's default log shows of such a connection
		}
		if s == nil {
			return
		}
	case smtp.KindFilter, smtp.KindHello, smtp.KindAnswer, smtp.KindCommand, smtp.KindWarning:
		if s == nil {
			return
		}
	default:
		return
	}
	if cleanup(ev) && ev.Kind != smtp.KindReject {
		return
	}
	if ev.Kind == smtp.KindReceived && m != nil {
		m.session = s.key
	}
	a.touch(s, ev)
	a.take(s, ev)
}

// claim finds the session of a line of Exim's that shows its process (+pid). The connect
// was logged by the daemon under its own number, so the first line of a process takes
// over a connection of the same client that waits for one.
func (a *Assembler) claim(key uint64, waiting *Session, ev *smtp.Event) (uint64, *Session) {
	own := mix(key, uint64(ev.PID))
	s := a.at(own)
	if s == nil && waiting != nil && !waiting.implied {
		s = waiting
		a.leave(s)
		s.key = own
		a.open.Set(own, s.place)
	}
	return own, s
}

// another reports that a line of Exim's is of another connection than the session, which
// was read from lines that nothing ties but the client's address: a session has one
// message then, and a refusal at the greeting is all that happens in it.
func (s *Session) another(ev *smtp.Event) bool {
	if !s.implied || ev.Format != smtp.FormatExim {
		return false
	}
	switch ev.Kind {
	case smtp.KindTLS:
		return ev.Failed && s.Messages+s.Refused > 0 // a handshake comes before them
	case smtp.KindReceived, smtp.KindReject, smtp.KindAuth, smtp.KindTimeout, smtp.KindClosed:
		return s.Messages > 0 && !tied(ev) || ev.Stage == smtp.StageConnect && s.Messages+s.Refused > 0
	}
	return false
}

func cleanup(ev *smtp.Event) bool { return string(ev.Process) == "cleanup" }

// tied reports whether an Exim line shows which connection it belongs to.
func tied(ev *smtp.Event) bool {
	return len(ev.Session) > 0 || ev.Peer.Port != 0 || ev.PID != 0
}

// take lets a session know what happened in it, and ends it where that ended it.
func (a *Assembler) take(s *Session, ev *smtp.Event) {
	switch ev.Kind {
	case smtp.KindReject:
		s.refuse(ev)
		a.exchange(s, ev)
	case smtp.KindAuth:
		if ev.Failed {
			s.Refused += ev.Count()
			a.exchange(s, ev)
		}
	case smtp.KindReceived:
		s.Messages++
		s.greeting = false
		// Exim's line says that the message is there, Postfix's that it has a recipient.
		s.Deepest = max(s.Deepest, smtp.StageRCPT)
		if ev.Format == smtp.FormatExim {
			s.Deepest = smtp.StageDOT
		}
	case smtp.KindTLS:
		if ev.Failed && s.End == smtp.EndNotLogged {
			if !unverified(ev) {
				s.End, s.EndStage = smtp.EndAborted, smtp.StageSTARTTLS
			}
			a.exchange(s, ev)
		}
	case smtp.KindLost:
		s.broke(smtp.EndLost, ev)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, ev)
	case smtp.KindClosed:
		s.broke(smtp.EndServerClosed, ev)
		a.exchange(s, ev)
	case smtp.KindFilter, smtp.KindWarning:
		if string(ev.Process) == "postscreen" {
			s.screen(ev)
		}
	case smtp.KindDisconnect:
		s.disconnect(ev)
		if a.options.Exchanges {
			s.Commands = append(s.Commands, ev.Commands...)
		}
		a.finish(s)
		return
	}
	if ev.Format == smtp.FormatExim && lastWord(s, ev) {
		a.finish(s)
	}
}

// lastWord reports that ev is the last that Exim logs of a connection.
func lastWord(s *Session, ev *smtp.Event) bool {
	switch ev.Kind {
	case smtp.KindLost, smtp.KindTimeout, smtp.KindClosed:
		return true
	case smtp.KindReject:
		return s.implied && ev.Stage == smtp.StageConnect // else its end is logged too
	}
	return false
}

// screen reads what postscreen's tests made of a client (postscreen(8), LOGGING).
func (s *Session) screen(ev *smtp.Event) {
	word, rest, _ := bytes.Cut(ev.Text, []byte(" "))
	switch string(word) {
	case "PASS", "WHITELISTED", "ALLOWLISTED":
		// Unless it disconnects it next, as it does after its deeper tests, it gives the
		// client to smtpd, which logs the session.
		s.passed = true
	case "PREGREET", "DNSBL", "BLACKLISTED", "DENYLISTED":
		s.greeting = s.Messages == 0
	case "NON-SMTP":
		s.broke(smtp.EndServerClosed, ev)
	case "COMMAND":
		if bytes.HasPrefix(rest, []byte("COUNT LIMIT")) || bytes.HasPrefix(rest, []byte("LENGTH LIMIT")) {
			s.broke(smtp.EndServerClosed, ev)
		}
	}
}

// refuse notes a refusal of our server.
func (s *Session) refuse(ev *smtp.Event) {
	s.Refused += ev.Count()
	s.greeting = ev.Stage == smtp.StageConnect && s.Messages == 0
	if ev.Reply.Code == 421 && s.End == smtp.EndNotLogged {
		s.End, s.EndStage = smtp.EndServerClosed, ev.Stage
	}
	if ev.Format == smtp.FormatPostfix && ev.Stage == smtp.StageDOT && len(ev.Queue) > 0 && s.Messages > 0 {
		s.Messages-- // the one that client= had announced
	}
}

// broke notes how the connection ended; the first such line is right, as the ones after
// it only follow from it.
func (s *Session) broke(e smtp.End, ev *smtp.Event) {
	if s.End == smtp.EndNotLogged || s.End == smtp.EndAborted {
		s.End, s.EndStage = e, ev.Stage
	}
}

// disconnect reads the end of an inbound session off its last line.
func (s *Session) disconnect(ev *smtp.Event) {
	s.passed = false
	quit := ev.Stage == smtp.StageQUIT
	bodies, chunks, refused := 0, 0, 0
	smtp.EachCommand(ev.Commands, func(name []byte, ok, all int) {
		switch string(name) {
		case "quit":
			quit = quit || ok > 0
		case "data":
			bodies, refused = ok, all-ok
		case "bdat":
			chunks = ok
		}
	})
	switch {
	case quit && s.End != smtp.EndServerClosed:
		s.End, s.Graceful = smtp.EndQuit, true
	case s.End != smtp.EndNotLogged:
	case bodies+chunks > 0:
		// The one way to go that smtpd does not log (src/smtpd/smtpd.c, smtpd_proto).
		s.End, s.EndStage = smtp.EndLost, smtp.StageDOT
	case s.greeting || (s.Refused > 0 && s.Format == smtp.FormatPostfix && string(ev.Process) == "postscreen"):
		s.End = smtp.EndRefused
	case len(ev.Commands) == 0 && ev.Format == smtp.FormatPostfix && string(ev.Process) == "smtpd":
		s.End = smtp.EndQuit // before Postfix 3.0 there are no counts, but all else that can happen is logged
	default:
		s.End = smtp.EndAborted
	}
	if len(ev.Commands) > 0 {
		s.passedBy(bodies, chunks, refused)
	}
}

// passedBy corrects the number of messages by the counts of DATA and BDAT: client= is
// logged at the first recipient, before it is known whether the message will come.
func (s *Session) passedBy(bodies, chunks, refused int) {
	if chunks == 0 {
		s.Messages = min(s.Messages, bodies)
		if s.Messages == bodies && bodies > 0 && refused == 0 && s.EndStage == smtp.StageDATA {
			s.Messages-- // it broke within the last one
		}
	}
	switch {
	case s.Messages > 0:
		s.Deepest = smtp.StageDOT
	case bodies > 0:
		s.Deepest = max(s.Deepest, smtp.StageDATA)
	}
}

// outbound takes a line of our client about a server.
func (a *Assembler) outbound(ev *smtp.Event, k *Keys) {
	switch ev.Kind {
	case smtp.KindDelivery, smtp.KindAttempt, smtp.KindTLS:
	default:
		return
	}
	if ev.Peer.IsZero() || ev.Probe {
		return // no host was spoken to
	}
	scope, key := k.Session, k.Contact
	s := a.at(key)
	if s != nil && s.queue == 0 {
		s.queue = k.Queue
	}
	if s == nil || (ev.Kind == smtp.KindTLS && s.Messages+s.Refused > 0) || s.fresh(ev, k.Queue) {
		if s != nil {
			a.finish(s)
		}
		if p := a.current.Get(scope); p != none && ev.Format == smtp.FormatPostfix {
			a.finish(a.slab[p]) // a process speaks to one host at a time
		}
		s = a.start(key, ev, true)
		s.queue = k.Queue
		if ev.Format == smtp.FormatPostfix {
			s.scope = scope
			a.current.Set(scope, s.place)
		}
	}
	a.touch(s, ev)
	if ev.Kind == smtp.KindTLS && !ev.Failed {
		return
	}
	if ev.Kind != smtp.KindTLS || !unverified(ev) {
		s.delivered(ev)
	}
	a.exchange(s, ev)
}

// fresh reports that ev is of another connection than the session, to the same host: a
// message that did not say it reused the connection, or a later attempt.
func (s *Session) fresh(ev *smtp.Event, queue uint64) bool {
	if ev.ConnUse > 1 || ev.Kind == smtp.KindTLS {
		return false
	}
	if s.queue != queue && queue != 0 {
		return true
	}
	if s.End == smtp.EndNotLogged {
		return ev.Stage == smtp.StageConnect && s.Deepest > smtp.StageSTARTTLS
	}
	switch {
	case ev.Outcome == smtp.Sent:
		return true
	case ev.Kind != smtp.KindAttempt: // repeats for each recipient how it ended
		return false
	}
	// A break after a 421 only follows from it.
	return s.End != smtp.EndServerClosed || ev.Reply.Code != 0 || ev.Stage < s.EndStage
}

// delivered notes the outcome of a recipient or of a try at a host.
func (s *Session) delivered(ev *smtp.Event) {
	code := ev.Reply.Code
	switch {
	case ev.Outcome == smtp.Sent:
		s.Messages++
		s.Deepest = smtp.StageDOT
	case code == 0 && ev.Failed:
		s.failed(ev)
	default:
		s.Refused += ev.Count()
	}
	switch {
	case s.End != smtp.EndNotLogged:
	case code == 421 || code == 221:
		s.End, s.EndStage = smtp.EndServerClosed, ev.Stage
		if ev.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case ev.Stage == smtp.StageConnect && code >= 400:
		s.End, s.EndStage = smtp.EndRefused, ev.Stage
	}
}

// failed reads how a connection broke off a line that shows no reply. The words are
// Postfix's (src/smtp/smtp_trouble.c, smtp_connect.c) and Exim's (transports/smtp.c).
func (s *Session) failed(ev *smtp.Event) {
	if s.End != smtp.EndNotLogged {
		return
	}
	switch text := ev.Text; {
	case ev.Stage == smtp.StageSTARTTLS:
		s.End = smtp.EndAborted
	case contains(text, "timed out") || contains(text, "timeout"):
		s.End = smtp.EndTimedOut
	case contains(text, "lost connection") || contains(text, "closed connection") || contains(text, "reset by peer") || contains(text, "Broken pipe"):
		s.End = smtp.EndLost
	case ev.Stage == smtp.StageConnect || contains(text, "refused") || contains(text, "No route") || contains(text, "unreachable"):
		s.End = smtp.EndRefused
	case contains(text, "Malformed"):
		s.End = smtp.EndAborted
	default:
		return // the client found that it cannot go on, as with a message too large, and says QUIT
	}
	s.EndStage = ev.Stage
}

// unverified reports that a certificate was not as it should be. By itself that ends
// nothing: most clients and servers go on, and where one does not a line says so.
func unverified(ev *smtp.Event) bool {
	return contains(ev.Text, "certificate verification failed for") || contains(ev.Text, "SSL verify error")
}

func contains(text []byte, word string) bool { return bytes.Contains(text, []byte(word)) }

// transcript takes a line of a dialogue. Here the log shows everything.
func (a *Assembler) transcript(ev *smtp.Event, k *Keys) {
	if len(ev.Session) == 0 {
		return
	}
	s := a.at(k.Session)
	if s == nil {
		s = a.start(k.Session, ev, true)
		s.ID = append(s.ID[:0], ev.Session...)
	}
	a.touch(s, ev)
	switch ev.Kind {
	case smtp.KindLost:
		s.broke(smtp.EndLost, ev)
	case smtp.KindTimeout:
		s.broke(smtp.EndTimedOut, ev)
	case smtp.KindClosed:
		s.broke(smtp.EndServerClosed, ev)
	case smtp.KindTLS:
		if ev.Failed {
			s.broke(smtp.EndAborted, ev)
		}
	case smtp.KindAnswer:
		s.answer(ev)
		a.exchange(s, ev)
	case smtp.KindDisconnect:
		if s.End == smtp.EndNotLogged {
			s.End = smtp.EndAborted
		}
	}
}

// answer notes a reply whose command is known.
func (s *Session) answer(ev *smtp.Event) {
	code := ev.Reply.Code
	if code >= 400 {
		s.Refused++
	}
	switch {
	case ev.Stage == smtp.StageDOT && code.Positive():
		s.Messages++
	case ev.Stage == smtp.StageQUIT && code.Positive():
		s.Graceful = true
		if s.End != smtp.EndRefused { // a client takes its leave from a 554 greeting too (RFC 5321, 3.1)
			s.End, s.EndStage = smtp.EndQuit, smtp.StageNone
		}
	case code == 221 || code == 421:
		s.broke(smtp.EndServerClosed, ev)
		if code == 421 && ev.Stage == smtp.StageConnect {
			s.End = smtp.EndRefused
		}
	case ev.Stage == smtp.StageConnect && code >= 400:
		s.broke(smtp.EndRefused, ev)
	}
}

// start opens a session.
func (a *Assembler) start(key uint64, ev *smtp.Event, implied bool) *Session {
	if len(a.slab)-len(a.spare) >= MaxSessions {
		a.evicted++
		q := &a.implied
		if q.oldest == nil {
			q = &a.connects
		}
		a.finish(q.oldest)
	}
	if len(a.spare) == 0 {
		a.slab = append(a.slab, &Session{place: int32(len(a.slab))})
		a.spare = append(a.spare, int32(len(a.slab)-1))
	}
	s := a.slab[a.spare[len(a.spare)-1]]
	a.spare = a.spare[:len(a.spare)-1]
	s.reset(key)
	a.number++
	s.implied = implied
	s.Format, s.Direction = ev.Format, ev.Direction
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
func (a *Assembler) touch(s *Session, ev *smtp.Event) {
	s.note(ev)
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
func (a *Assembler) expire(now int64) {
	for _, q := range [...]*queue{&a.connects, &a.implied} {
		for o := q.oldest; o != nil && now-o.last > int64(q.idle); o = q.oldest {
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
		s.exchange(ev)
	}
}
