package incident

import (
	"cmp"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxSenders is how many senders are counted by; when there are more, those who sent least
// give way.
const maxSenders = 4096

// senders counts the deliveries to others by who sent the message: who logged in, or the
// reverse-path where nobody did.
type senders struct {
	all     []sender
	byName  map[uint64]int32
	dropped int64
}

type sender struct {
	hash  uint64
	name  string
	user  bool // who logged in
	total int64
	track hitTrack
}

func newSenders() *senders { return &senders{byName: map[uint64]int32{}} }

// count counts a delivery of a message. A later try of one that waits is none.
func (s *senders) count(m *mail, ev *smtp.Event, now int64) {
	if m == nil || m.waiting != none {
		return
	}
	who, user := m.user, true
	if len(who) == 0 {
		who, user = m.from, false
	}
	if len(who) == 0 {
		return
	}
	h := xxhash.Sum64(who)
	if m.spike == none || int(m.spike) >= len(s.all) || s.all[m.spike].hash != h {
		m.spike = s.find(h, who, user)
	}
	at := &s.all[m.spike]
	at.total += int64(ev.Count())
	cells := 0
	*at.track.at(minuteOf(now), &cells) += hits(ev.Count())
	if len(at.track.cells) > senderCells {
		at.track.widen()
	}
}

// senderCells is how many buckets there are of a sender: a day of minutes.
const senderCells = 1440

func (s *senders) find(h uint64, who []byte, user bool) int32 {
	if i, ok := s.byName[h]; ok {
		return i
	}
	if len(s.all) >= maxSenders {
		s.thin()
	}
	s.all = append(s.all, sender{hash: h, name: string(who), user: user})
	s.byName[h] = int32(len(s.all) - 1)
	return int32(len(s.all) - 1)
}

// thin forgets the half that sent least.
func (s *senders) thin() {
	slices.SortFunc(s.all, func(a, b sender) int { return cmp.Or(-cmp.Compare(a.total, b.total), cmp.Compare(a.hash, b.hash)) })
	for _, gone := range s.all[len(s.all)/2:] {
		s.dropped += gone.total
	}
	s.all = slices.Clone(s.all[:len(s.all)/2])
	clear(s.byName)
	for i := range s.all {
		s.byName[s.all[i].hash] = int32(i)
	}
}
