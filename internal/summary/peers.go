package summary

import (
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxPeers = 8192 // hosts of which counts are kept
	maxName  = 255  // bytes of a host's name, the longest that DNS allows (RFC 1035, 2.3.4)
)

// peers counts what became of the deliveries to and from each host.
type peers struct {
	counts []peerCounts
	names  []peerName
	byHost index.Index // places in both, by a hash of the host and the direction
	door   *door       // nil until there were more hosts than there is room for
	named  bool        // the keys are those of names: see byName
}

// peerCounts is what each line touches; it fills a cache line.
type peerCounts struct {
	host       uint64
	deliveries [smtp.NumOutcomes]int64
}

type peerName struct {
	direction smtp.Direction
	name      string
}

func newPeers() *peers { return &peers{} }

// peerKey makes one key of a host's and the direction.
func peerKey(host uint64, d smtp.Direction) uint64 { return host + uint64(d)<<40 }

// count counts l for its host, and returns how many lines were given up for it.
func (p *peers) count(l *Line, words Words) (dropped int64) {
	if l.Host == 0 {
		return 0
	}
	host := peerKey(l.Host, l.Direction)
	i := p.byHost.Get(host)
	if i == index.None {
		if p.door != nil {
			name := l.Name
			if name == 0 {
				name = xxhash.Sum64(words.Host())
			}
			if !p.door.again(name + uint64(l.Direction)) {
				return l.N
			}
		}
		if len(p.counts) >= maxPeers {
			dropped = p.thin()
		}
		i = int32(len(p.counts))
		p.counts = append(p.counts, peerCounts{host: host})
		p.names = append(p.names, peerName{l.Direction, cut(words.Host())})
		p.byHost.Set(host, i)
	}
	p.counts[i].deliveries[l.Outcome] += l.N
	return dropped
}

// HostOf is what the other side is known by.
func HostOf(ev *smtp.Event) []byte {
	if len(ev.Peer.Name) > 0 {
		return ev.Peer.Name
	}
	return ev.Peer.IP
}

func (c *peerCounts) total() (n int64) {
	for _, d := range c.deliveries {
		n += d
	}
	return n
}

func cut(name []byte) string { return string(name[:min(len(name), maxName)]) }

// thin gives up the peers that were seen least, so that a log with millions of hosts
// keeps the frequent ones. It returns how many events that were.
func (p *peers) thin() (dropped int64) {
	totals := make([]int64, len(p.counts))
	for i := range p.counts {
		totals[i] = p.counts[i].total()
	}
	slices.Sort(totals)
	limit := totals[len(totals)/2]
	p.byHost = index.Index{}
	if p.door == nil {
		p.door = newDoor()
	}
	counts, names := p.counts, p.names
	p.counts, p.names = counts[:0], names[:0]
	for i := range counts {
		if n := counts[i].total(); n <= limit {
			dropped += n
			continue
		}
		p.counts, p.names = append(p.counts, counts[i]), append(p.names, names[i])
		p.byHost.Set(counts[i].host, int32(len(p.counts)-1))
	}
	clear(names[len(p.names):])
	return dropped
}

// door keeps those out of a table that is full of whom one line tells: a server that the
// world can reach meets thousands of hosts a day that come once, and to enter and to thin
// them out costs more than all else that is counted. A host is let in when it comes again
// before one that has its place at the door. The places are given by a hash that is the same in
// each run, and so the same log gives the same table.
type door [atTheDoor]uint64

// atTheDoor is a power of two.
const atTheDoor = 4096

func newDoor() *door { return new(door) }

// again reports whether a host came before, and remembers it.
func (d *door) again(host uint64) bool {
	place := &d[host%atTheDoor]
	known := *place == host
	*place = host
	return known
}
