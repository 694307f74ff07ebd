package summary

import (
	"slices"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxNames = 8192 // of which counts are kept
	maxName  = 320  // bytes of a name; an address has 254 at the most, 320 by the parts' own limits (RFC 5321, 4.5.3.1)
)

// top counts what became of the deliveries of each host, or of each sender or recipient. While
// there are no more than maxNames of them it is exact. Beyond that it keeps the frequent ones,
// and knows of each how many of its deliveries it may have missed.
type top struct {
	counts []topCounts
	names  []topName
	byKey  index.Index // places in both, by a hash of the name and the direction
	door   *door       // nil until there were more names than there is room for
	lost   int64       // how many each of those may have had that were thinned out
	byName bool        // the keys are those of the names: see useNames
}

// topCounts is what each line touches; it fills a cache line.
type topCounts struct {
	key        uint64
	deliveries [smtp.NumOutcomes]int64
}

type topName struct {
	whom
	missed int64 // at the most so many of its deliveries were not counted
}

// whom is who it is.
type whom struct {
	direction smtp.Direction
	name      string
}

// topKey makes one key of a name's and the direction.
func topKey(name uint64, d smtp.Direction) uint64 { return name + uint64(d)<<40 }

// peer counts l for its host.
func (s *Summary) peer(l *Line, words Words) {
	if l.Host == 0 {
		return
	}
	key := topKey(l.Host, l.Direction)
	i := s.peers.byKey.Get(key)
	if i == index.None {
		name := l.Name
		if name == 0 && s.peers.door != nil {
			name = NameKey(words.Host())
		}
		var dropped int64
		i, dropped = s.peers.enter(key, name+uint64(l.Direction), l.N, func() whom { return whom{l.Direction, cut(words.Host())} })
		if s.Dropped.Peers += dropped; i == index.None {
			return
		}
	}
	s.peers.counts[i].deliveries[l.Outcome] += l.N
}

// HostOf is what the other side is known by.
func HostOf(ev *smtp.Event) []byte {
	if len(ev.Peer.Name) > 0 {
		return ev.Peer.Name
	}
	return ev.Peer.IP
}

func (c *topCounts) total() (n int64) {
	for _, d := range c.deliveries {
		n += d
	}
	return n
}

func cut(name []byte) string { return string(name[:min(len(name), maxName)]) }

// enter gives a name its place, and returns it with how many deliveries were given up for that; it
// returns None where the name is turned away with its n deliveries. known is a hash of it, the same in each run.
func (t *top) enter(key, known uint64, n int64, who func() whom) (i int32, dropped int64) {
	if t.door != nil && !t.door.again(known, n) {
		return index.None, n
	}
	if len(t.counts) >= maxNames {
		dropped = t.thin()
	}
	name := topName{who(), t.lost}
	if t.door != nil {
		name.missed += t.door.missed(known)
	}
	i = int32(len(t.counts))
	t.counts = append(t.counts, topCounts{key: key})
	t.names = append(t.names, name)
	t.byKey.Set(key, i)
	return i, dropped
}

// thin gives up the names that were met least, so that a log with millions of them keeps
// the frequent ones. It returns how many deliveries that were.
func (t *top) thin() (dropped int64) {
	totals := make([]int64, len(t.counts))
	for i := range t.counts {
		totals[i] = t.counts[i].total()
	}
	slices.Sort(totals)
	limit := totals[len(totals)/2]
	t.lost += limit
	t.byKey = index.Index{}
	if t.door == nil {
		t.door = newDoor()
	}
	counts, names := t.counts, t.names
	t.counts, t.names = counts[:0], names[:0]
	for i := range counts {
		if n := counts[i].total(); n <= limit {
			dropped += n
			continue
		}
		t.counts, t.names = append(t.counts, counts[i]), append(t.names, names[i])
		t.byKey.Set(counts[i].key, int32(len(t.counts)-1))
	}
	clear(names[len(t.names):])
	return dropped
}

// missed is how many deliveries a name may have had that has no place.
func (t *top) missed() int64 {
	if t.door == nil {
		return t.lost
	}
	most := int64(0)
	for i := range t.door {
		most = max(most, t.door[i].turned)
	}
	return t.lost + most
}

// door keeps those out of a table that is full of whom one line tells: a server that the
// world can reach meets thousands of hosts a day that come once, and to enter and to thin
// them out costs more than all else that is counted. A name is let in when it comes again
// before one that has its place at the door. The places are given by a hash that is the same in
// each run, and so the same log gives the same table.
type door [atTheDoor]struct {
	last   uint64 // who came
	turned int64  // how many deliveries were missed of those of this place
}

// atTheDoor is a power of two. It takes an eighth of a megabyte, where it is needed at all.
const atTheDoor = 8192

func newDoor() *door { return new(door) }

// again reports whether a name came before, and remembers it.
func (d *door) again(known uint64, n int64) bool {
	place := &d[known%atTheDoor]
	if place.last == known {
		return true
	}
	place.last = known
	place.turned += n
	return false
}

// missed is how many deliveries of a name were turned away at the most.
func (d *door) missed(known uint64) int64 { return d[known%atTheDoor].turned }
