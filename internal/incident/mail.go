package incident

import (
	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// maxMail is how many messages are known at once. One leaves when it is removed from
	// the queue, so that they are those on their way and those that wait.
	maxMail = 1 << 16
	// maxPairs is how many deliveries that had to wait are followed to their end, some 80 bytes
	// each.
	maxPairs = 1 << 17
)

// mail is what is known of a message in the queue: who sent it, which the lines of its
// deliveries do not show.
type mail struct {
	key              uint64
	serial           uint32 // which message it is of all that there were
	from, user, host []byte
	arrived          int64 // unix
	spike            int32 // its sender's place in senders.all, none where not known
	waiting          int32 // the first of its deliveries that had to wait, in pairs; none
	recipients       int32
	fresh            bool // touched since the hand passed
}

// none is the place of what is not there.
const none = index.None

// pair is a delivery that had to wait: a message to a recipient.
type pair struct {
	to           name
	next         int32 // the next of the same message
	tries        int32
	outcome      smtp.Outcome // Deferred while it waits
	removed      bool         // its message left the queue
	arrived      int64        // when the message came, as far as it is told
	first, ended int64
}

// queue knows the messages and their deliveries that wait.
type queue struct {
	mails   []mail
	free    []int32
	byKey   index.Index
	hand    int32 // where the search for one to be given up goes on
	pairs   []pair
	byPair  index.Index // the pairs: a message may have a hundred thousand recipients
	serial  uint32
	evicted int64
	dropped int64 // pairs there was no room for
}

func newQueue() *queue { return &queue{} }

// get returns a message that is known, nil for none.
func (q *queue) get(key uint64) *mail {
	if key == 0 {
		return nil
	}
	i := q.byKey.Get(key)
	if i == none {
		return nil
	}
	return &q.mails[i]
}

// find is get, but makes the message where it is not known.
func (q *queue) find(key uint64, now int64) *mail {
	if m := q.get(key); m != nil {
		m.fresh = true
		return m
	}
	i := q.slot()
	m := &q.mails[i]
	q.serial++
	*m = mail{key: key, serial: q.serial, from: m.from[:0], user: m.user[:0], host: m.host[:0], arrived: now, waiting: none, spike: none}
	q.byKey.Set(key, i)
	return m
}

func (q *queue) slot() int32 {
	if n := len(q.free); n > 0 {
		i := q.free[n-1]
		q.free = q.free[:n-1]
		return i
	}
	if len(q.mails) < maxMail {
		q.mails = append(q.mails, mail{})
		return int32(len(q.mails) - 1)
	}
	for q.mails[q.hand].fresh {
		q.mails[q.hand].fresh = false
		q.hand = (q.hand + 1) % maxMail
	}
	i := q.hand
	q.hand = (q.hand + 1) % maxMail
	q.byKey.Remove(q.mails[i].key)
	q.evicted++
	return i
}

// begin takes what the line of an arrival tells.
func (m *mail) begin(ev *smtp.Event) {
	if len(ev.User) > 0 {
		m.user = append(m.user[:0], ev.User[:min(len(ev.User), maxName)]...)
	}
	if len(ev.From) > 0 {
		m.from = append(m.from[:0], ev.From[:min(len(ev.From), maxName)]...)
	}
	client := ev.Peer.Name
	if len(client) == 0 {
		client = ev.Peer.IP
	}
	if len(client) > 0 && len(m.host) == 0 {
		m.host = append(m.host, client[:min(len(client), maxName)]...)
	}
	if ev.Recipients > 0 {
		m.recipients = ev.Recipients
	}
}

// remove forgets a message that left the queue.
func (q *queue) remove(key uint64) {
	i := q.byKey.Get(key)
	if i == none {
		return
	}
	for at := q.mails[i].waiting; at != none; at = q.pairs[at].next {
		q.pairs[at].removed = true
	}
	q.byKey.Remove(key)
	q.free = append(q.free, i)
}

// pairKey is a number of its own for a message and a recipient, spread as a hash is: the
// multiplier is odd, so no two have the same.
func (m *mail) pairKey(to name) uint64 {
	return (uint64(m.serial)<<32 | uint64(uint32(to))) * 0x9e3779b97f4a7c15
}

// wait notes that a delivery of a message has to wait, and returns its place; none where
// there is no room.
func (q *queue) wait(m *mail, to name, arrived, now int64) int32 {
	key := m.pairKey(to)
	if at := q.byPair.Get(key); at != none {
		q.pairs[at].tries++
		return at
	}
	if len(q.pairs) >= maxPairs {
		q.dropped++
		return none
	}
	q.pairs = append(q.pairs, pair{to: to, next: m.waiting, tries: 1, outcome: smtp.Deferred, arrived: arrived, first: now})
	m.waiting = int32(len(q.pairs) - 1)
	q.byPair.Set(key, m.waiting)
	return m.waiting
}

// end notes what became of a delivery that had to wait, and returns its place; none where
// it had not. to is noName where it holds for all recipients.
func (q *queue) end(m *mail, to name, o smtp.Outcome, now int64) int32 {
	if to != noName {
		at := q.byPair.Get(m.pairKey(to))
		if at == none || !q.pairs[at].end(o, now) {
			return none
		}
		return at
	}
	found := int32(none)
	for at := m.waiting; at != none; at = q.pairs[at].next {
		if q.pairs[at].end(o, now) {
			found = at
		}
	}
	m.waiting = none // nothing of it is left, and no later line has to look at all of them again
	return found
}

// end notes what became of a delivery, where it still waits.
func (p *pair) end(o smtp.Outcome, now int64) bool {
	if p.outcome != smtp.Deferred {
		return false
	}
	p.outcome, p.ended = o, now
	return true
}
