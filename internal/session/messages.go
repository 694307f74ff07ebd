package session

import (
	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// MaxMessages is how many messages may be in the queue at once before the longest
	// untouched ones are given up (and counted).
	MaxMessages = 1 << 17

	// keptRemoved is how many messages are remembered after they left the queue: a
	// content filter's re-injected copy is often delivered and removed before the first
	// server logs under which ID the filter queued it.
	keptRemoved = 1 << 10

	// keptExpected is how many "queued as" IDs are remembered whose own lines have not
	// come yet, because the log of the next server is read later.
	keptExpected = 1 << 14

	// keptIDs is how many Message-IDs are remembered.
	keptIDs = 1 << 16

	// maxSameID is how many messages with the same queue ID, of different hosts or
	// instances, are kept apart.
	maxSameID = 16

	// keptComing is how many messages may be on their way into the queue at once. One
	// that is given up before its end leaves no line that says so.
	keptComing = 1 << 12
)

// Counts are the messages that passed, each counted once however often it was
// re-injected.
type Counts struct {
	Received  int64 // came in from outside or from a local program; bounces that a server makes are not
	Rejected  int64 // refusals of our server, as logged: most have no message yet
	Sent      int64 // at least one recipient was reached
	Deferred  int64 // at least one recipient had to wait
	Bounced   int64
	Expired   int64
	Discarded int64
	Queued    int64 // in the queue at the end of the log, as far as the log shows it
	Waiting   int64 // of these, the deferred ones
	Evicted   int64 // given up for want of room before their end was seen
}

// message is what is remembered of a queue ID. Messages link to each other by index. It
// fills a cache line.
type message struct {
	queue       uint64 // of the queue ID
	id          uint64 // of the Message-ID, 0 for none
	session     uint64 // that it came in by
	owner       uint32 // of the host and the Postfix instance whose queue it is in: it tells apart the few that share a queue ID
	parent      int32  // the message it is a re-injection of, -1 for none
	parentBirth uint32 // the parent's birth, by which it is known whether its place still holds it
	birth       uint32
	same        int32 // the next message with the same queue ID, of another instance; -1 for none
	prev, next  int32 // neighbours in the list it is on
	outcomes    uint8 // bit per smtp.Outcome that any recipient met
	place       uint8 // which list it is on
	touched     bool  // a line told of it since it took its turn in that list
	arriving    bool  // its client or local program is known; it may still be given up before its end
	received    bool  // it came in whole, and is not a bounce made here
	selected    bool  // it is counted: one of its lines was among those the user asked for
	bounce      bool  // it was made here, and stays so when another server of ours receives it
	local       bool  // came in by a local program or from this machine's own address
	fromKnown   bool  // the assembler keeps envelopes, and messages.from has its reverse-path
}

// Where a message is.
const (
	coming = iota // its client or program is known, the queue manager has not seen it
	queued
	gone // removed
	numPlaces
)

// messages is a table of them: a slab with a list for each place, those first whose turn
// it is to be given up.
type messages struct {
	slab     []message
	from     [][]byte // the reverse-path of each, when they are kept
	free     []int32
	byQueue  index.Index
	byID     []int32 // by the hash of the Message-ID; a later one takes an earlier one's place
	lists    [numPlaces]list
	expected []expectation
	awaited  []uint8 // a byte of the key of each that is expected: most are asked for in vain, and these fit into the cache
	births   uint32
	keep     bool // reverse-paths
	Counts
}

type list struct{ head, tail, n int32 }

// expectation is a "queued as" whose message has not been seen. It is kept where the lower
// bits of the queue ID's key say.
type expectation struct {
	queue  uint32 // the upper bits of the key
	parent int32
	birth  uint32 // the parent's
}

func newMessages(keep bool) *messages {
	t := &messages{
		keep: keep, byID: make([]int32, keptIDs), expected: make([]expectation, keptExpected), awaited: make([]uint8, keptExpected),
		lists: [numPlaces]list{{none, none, 0}, {none, none, 0}, {none, none, 0}},
	}
	return t
}

// none is the index of no message.
const none = index.None

// add brings the table up to date with ev and returns the index of the message it is
// about, or none.
func (t *messages) add(st *Step, ev *smtp.Event) int32 {
	i := t.get(st)
	if i == none {
		return none
	}
	switch st.Kind {
	case smtp.KindReceived:
		t.receive(i, st, ev)
	case smtp.KindMessage:
		t.describe(i, st, ev)
	case smtp.KindNotification:
		if st.Related != 0 {
			b := t.find(st.Related, st.Owner)
			t.slab[b].bounce, t.slab[b].touched = true, true
		}
	case smtp.KindRemoved:
		t.remove(i)
	}
	if st.Outcome != smtp.OutcomeNone && st.Outcome != smtp.Rejected {
		t.arrive(i)
		t.decide(i, st.Outcome)
		if st.Kind == smtp.KindFilter && st.Outcome == smtp.Discarded {
			t.remove(i) // thrown away as a whole, before it came to the queue manager
		}
	}
	if st.QueuedAs != 0 {
		t.queuedAs(i, st.QueuedAs)
	}
	return i
}

// choose counts a message from now on, with all that is known of it.
func (t *messages) choose(i int32) {
	if t.slab[i].selected {
		return // and so is the one that it is counted as
	}
	if m := &t.slab[t.root(i)]; !m.selected {
		m.selected = true
		t.count(m, 1)
	}
}

// count adds n for each thing that is known of a message.
func (t *messages) count(m *message, n int64) {
	if !m.selected {
		return
	}
	if m.received {
		t.Received += n
	}
	for o := smtp.Sent; int(o) < smtp.NumOutcomes; o++ {
		if m.outcomes&(1<<o) != 0 {
			*t.counter(o) += n
		}
	}
}

// get returns the message of ev's queue ID as the most recently touched one, made if ev
// tells that there is one; else none.
func (t *messages) get(st *Step) int32 {
	i := t.known(st.Queue, st.Owner)
	if i == none {
		if !tellsOf(st) {
			return none
		}
		return t.find(st.Queue, st.Owner)
	}
	if t.slab[i].place == gone {
		if st.Kind != smtp.KindReceived {
			return i // a straggler
		}
		// The short form of queue IDs is used again within hours: a new message.
		t.drop(i)
		return t.find(st.Queue, st.Owner)
	}
	t.slab[i].touched = true
	return i
}

// tellsOf reports whether a line shows that its message is in the queue or on its way.
// Others name a queue ID too, those of messages that were refused among them.
func tellsOf(st *Step) bool {
	switch st.Kind {
	case smtp.KindReceived, smtp.KindMessage, smtp.KindDelivery, smtp.KindAttempt, smtp.KindNotification:
		return true
	}
	return false
}

// move puts a message at the end of a list.
func (t *messages) move(i int32, place uint8) {
	m := &t.slab[i]
	t.unlink(&t.lists[m.place], i)
	m.place, m.touched = place, false
	t.push(&t.lists[place], i)
}

// known returns the message of a queue ID in the owner's queue, or none.
func (t *messages) known(queue uint64, owner uint32) int32 {
	i := t.byQueue.Get(queue)
	for i != none && t.slab[i].owner != owner {
		i = t.slab[i].same
	}
	return i
}

// trim keeps the messages of one queue ID few: a log in which very many hosts use the
// same would be searched from end to end for each line.
func (t *messages) trim(queue uint64) {
	last, n := none, 0
	for i := t.byQueue.Get(queue); i != none; i = t.slab[i].same {
		last = i
		n++
	}
	if n >= maxSameID {
		t.Evicted++
		t.drop(last)
	}
}

// find is known, but makes the message where there is none.
func (t *messages) find(queue uint64, owner uint32) int32 {
	if i := t.known(queue, owner); i != none {
		return i
	}
	t.trim(queue)
	i := t.slot()
	t.births++
	t.slab[i] = message{queue: queue, owner: owner, parent: none, same: t.byQueue.Get(queue), birth: t.births, place: coming}
	t.byQueue.Set(queue, i)
	t.push(&t.lists[coming], i)
	if place := queue % keptExpected; t.awaited[place] == uint8(queue>>32) {
		if e := &t.expected[place]; e.queue == uint32(queue>>32) && t.slab[e.parent].birth == e.birth && e.parent != i {
			t.link(i, e.parent)
		}
	}
	return i
}

// slot returns a free place in the slab, giving up a message where a list is full.
func (t *messages) slot() int32 {
	if t.lists[coming].n >= keptComing {
		t.drop(t.untouched(coming))
	}
	if t.lists[queued].n >= MaxMessages {
		t.Evicted++
		t.drop(t.untouched(queued))
	}
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i
	}
	t.slab = append(t.slab, message{})
	if t.keep {
		t.from = append(t.from, nil)
	}
	return int32(len(t.slab) - 1)
}

// untouched returns the message of a list that is given up next. Those that were touched
// since they took their turn get another: so the list is in order when it matters, and a
// line does not have to write to the neighbours of its message.
func (t *messages) untouched(place uint8) int32 {
	l := &t.lists[place]
	for t.slab[l.head].touched {
		t.move(l.head, place)
	}
	return l.head
}

func (t *messages) receive(i int32, st *Step, ev *smtp.Event) {
	m := &t.slab[i]
	m.local = st.Local
	// An Exim bounce names the message it is about. Exim's line says that the message
	// is there; Postfix's only that it begins.
	m.bounce = st.Format == smtp.FormatExim && st.Related != 0
	m.arriving = !m.bounce
	if st.Format == smtp.FormatExim {
		t.arrive(i)
	}
	if st.Format == smtp.FormatPostfix && st.Related != 0 { // orig_queue_id=
		if p := t.byQueue.Get(st.Related); p != none && p != i {
			t.link(i, p)
			if st.Direction == smtp.Internal {
				t.remove(p) // requeued by postsuper: pickup gave it a new queue ID
			}
		}
	}
	t.describe(i, st, ev)
}

// arrive notes that a message is in the queue, and counts it as received if it came from
// somewhere.
func (t *messages) arrive(i int32) {
	m := &t.slab[i]
	if m.place == coming {
		t.move(i, queued)
	}
	if !m.arriving {
		return
	}
	m.arriving = false
	if first := &t.slab[t.root(i)]; !first.received && !first.bounce {
		first.received = true
		if first.selected {
			t.Received++
		}
	}
}

// describe takes what a line tells of a message: its sender, its Message-ID.
func (t *messages) describe(i int32, st *Step, ev *smtp.Event) {
	if st.Admitted { // qmgr has it
		t.arrive(i)
	}
	m := &t.slab[i]
	if t.keep && ev.From != nil && !m.fromKnown {
		t.from[i], m.fromKnown = append(t.from[i][:0], cut(ev.From, MaxAddress)...), true
	}
	if st.MessageID == 0 || m.id != 0 {
		return
	}
	m.id = st.MessageID
	// A filter that hands the message back through sendmail or a local port keeps its
	// Message-ID. One that comes from elsewhere with a known Message-ID is another
	// copy, of a mailing list for instance.
	known := &t.byID[m.id%keptIDs]
	if m.local && m.parent == none {
		if p := *known; p != i && int(p) < len(t.slab) && t.slab[p].id == m.id && t.slab[p].birth != 0 {
			t.link(i, p)
			return
		}
	}
	*known = i
}

// queuedAs links the message that the next server queued this one as, if its log is
// among those that are read.
func (t *messages) queuedAs(i int32, h uint64) {
	if child := t.byQueue.Get(h); child != none {
		if child != i {
			t.link(child, i)
		}
		return
	}
	t.awaited[h%keptExpected] = uint8(h >> 32)
	t.expected[h%keptExpected] = expectation{queue: uint32(h >> 32), parent: i, birth: t.slab[i].birth}
}

// link makes child a re-injection of parent: what is known of both is counted once.
func (t *messages) link(child, parent int32) {
	parent = t.root(parent)
	c, p := &t.slab[child], &t.slab[parent]
	if c.parent != none || parent == child {
		return
	}
	t.count(c, -1)
	t.count(p, -1)
	p.received = p.received || c.received && !p.bounce
	p.selected = p.selected || c.selected
	p.outcomes |= c.outcomes
	t.count(p, 1)
	// Should the parent be forgotten before the child, the child must not be counted
	// a second time.
	c.outcomes, c.received, c.selected = p.outcomes, p.received, p.selected
	c.parent, c.parentBirth = parent, p.birth
}

// root follows the chain of re-injections to its first message, as long as it is
// remembered.
func (t *messages) root(i int32) int32 {
	for range 16 { // a loop of mail must not become one of ours
		m := &t.slab[i]
		if m.parent == none || t.slab[m.parent].birth != m.parentBirth {
			return i
		}
		i = m.parent
	}
	return i
}

// decide counts an outcome once for the whole chain.
func (t *messages) decide(i int32, o smtp.Outcome) {
	bit := uint8(1) << o
	if first := &t.slab[t.root(i)]; first.outcomes&bit == 0 {
		first.outcomes |= bit
		if first.selected {
			*t.counter(o)++
		}
	}
	t.slab[i].outcomes |= bit
}

func (t *messages) counter(o smtp.Outcome) *int64 {
	switch o {
	case smtp.Sent:
		return &t.Sent
	case smtp.Deferred:
		return &t.Deferred
	case smtp.Bounced:
		return &t.Bounced
	case smtp.Expired:
		return &t.Expired
	}
	return &t.Discarded
}

func (t *messages) remove(i int32) {
	if t.slab[i].place == gone {
		return
	}
	t.move(i, gone)
	if t.lists[gone].n > keptRemoved {
		t.drop(t.untouched(gone))
	}
}

// drop forgets a message and frees its place.
func (t *messages) drop(i int32) {
	m := &t.slab[i]
	t.unlink(&t.lists[m.place], i)
	switch first := t.byQueue.Get(m.queue); {
	case first == i && m.same == none:
		t.byQueue.Remove(m.queue)
	case first == i:
		t.byQueue.Set(m.queue, m.same)
	default:
		for j := first; j != none; j = t.slab[j].same {
			if t.slab[j].same == i {
				t.slab[j].same = m.same
				break
			}
		}
	}
	m.birth = 0
	t.free = append(t.free, i)
}

// counts returns the totals with what is still in the queue.
func (t *messages) counts() Counts {
	c := t.Counts
	for i := t.lists[queued].head; i != none; i = t.slab[i].next {
		m := &t.slab[i]
		if !t.slab[t.root(i)].selected {
			continue
		}
		c.Queued++
		if m.outcomes&(1<<smtp.Deferred) != 0 {
			c.Waiting++
		}
	}
	return c
}

func (t *messages) push(l *list, i int32) {
	m := &t.slab[i]
	m.prev, m.next = l.tail, -1
	if l.tail >= 0 {
		t.slab[l.tail].next = i
	} else {
		l.head = i
	}
	l.tail = i
	l.n++
}

func (t *messages) unlink(l *list, i int32) {
	m := &t.slab[i]
	if m.prev >= 0 {
		t.slab[m.prev].next = m.next
	} else {
		l.head = m.next
	}
	if m.next >= 0 {
		t.slab[m.next].prev = m.prev
	} else {
		l.tail = m.prev
	}
	l.n--
}
