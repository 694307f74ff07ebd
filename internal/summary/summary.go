// Package summary counts what passed. It is small and bounded however long the log is:
// tables have a fixed number of rows and say what did not fit, distinct recipients are
// counted exactly while they are few and by a sketch beyond.
package summary

import (
	"slices"
	"time"

	"github.com/axiomhq/hyperloglog"
	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxReplies = 4096 // rows of replies; there are some hundred in a real log
	maxCauses  = 1024 // rows of causes
	maxPeers   = 8192 // hosts of which counts are kept
	maxSample  = 1024 // bytes of a sample line
	causePeers = 64   // hosts of which counts are kept for each cause
	maxName    = 255  // bytes of a host's name, the longest that DNS allows (RFC 1035, 2.3.4)
)

// Summary is what passed. The zero value is not ready; see New.
type Summary struct {
	Coverage   Coverage
	Sessions   [2]Sessions // inbound, outbound
	Messages   Messages
	Deliveries [smtp.NumOutcomes]int64 // lines that decide a recipient's fate, as logged
	Dropped    Dropped

	replies map[uint64]*Reply
	causes  map[uint64]*Cause
	peers   []Peer
	warmed  int32       // what Warm read, so that it is not optimised away
	byHost  index.Index // places in peers, by a hash of the host and the direction
	door    *door       // nil until there were more hosts than peers has room for

	// The last reply's row: most lines say what the line before them said.
	lastKey uint64
	lastRow *Reply
}

// Coverage says what was read and how far it was understood. Understood, Foreign and
// Unknown add up to Lines.
type Coverage struct {
	Lines, Understood, Foreign, Unknown int64
	Bytes                               int64
	Duplicate                           int64 // of the understood ones: repeated in another file, counted once
	Cut                                 int64 // lines that were too long to be kept whole
	First, Last                         time.Time
	Guessed                             int64 // lines whose year was not in the log
	Interrupted                         bool  // the user ended the run before all was read
	Files                               []File
}

// File is the coverage of one file.
type File struct {
	Path        string
	Format      string // "Postfix", "Exim", "transcript (swaks)"; several joined by ", "; "" for none
	Compression string
	Coverage    // its Files is empty
	Err         error
}

// Sessions counts sessions by how they ended.
type Sessions struct {
	Total int64
	Ended [smtp.NumEnds]int64
}

// Messages counts messages, each once however often it was re-injected.
type Messages struct {
	Received, Rejected, Sent, Deferred, Bounced, Expired, Discarded, Queued, Waiting, Evicted int64
}

// Dropped counts what did not fit into the tables.
type Dropped struct {
	Replies, Causes, Peers int64 // events whose row there was no room for
	Sessions               int64 // sessions given up before their end
}

// Reply is how often a reply was seen.
type Reply struct {
	Direction   smtp.Direction
	Stage       smtp.Stage
	Code        smtp.Code
	Enhanced    smtp.EnhancedCode
	Note        Note
	Inferred    bool // the log does not show the reply itself, only that it was given (Postfix's quit=1)
	Count       int64
	First, Last time.Time
}

// Note is what the classifier says of a reply or failure.
type Note struct {
	Cause    knowledge.Cause
	Severity knowledge.Severity
	Entry    uint16 // the entry of the knowledge base, for its words
}

// Cause is a thing that went wrong: a cause with the reply that told it, and where.
type Cause struct {
	Direction   smtp.Direction
	Stage       smtp.Stage
	Code        smtp.Code
	Enhanced    smtp.EnhancedCode
	Note        Note
	Count       int64
	First, Last time.Time
	Sample      Sample
	Reply       string            // the sample's reply, for what it tells besides its cause
	Hosts       map[string]*int64 // the other side, by host; at most causePeers, "" holds the rest

	recipients *hyperloglog.Sketch
}

// Recipients returns how many different recipients it met, an estimate of 1 % beyond
// some thousand.
func (c *Cause) Recipients() int64 {
	if c.recipients == nil {
		return 0
	}
	return int64(c.recipients.Estimate())
}

// Sample is a line of the log.
type Sample struct {
	File string
	Line int64
	Text string
}

// Peer is a host that we spoke with.
type Peer struct {
	Direction  smtp.Direction
	Name, IP   string
	Count      int64 // lines about it that were counted
	Deliveries [smtp.NumOutcomes]int64

	host uint64
}

// New returns an empty summary.
func New() *Summary {
	s := &Summary{replies: map[uint64]*Reply{}, causes: map[uint64]*Cause{}}
	s.resetPeers()
	return s
}

// Event counts ev. note is nil when ev shows neither a reply nor a failure; host is a
// hash of the other side's name, 0 for none. sample gives the line, and is called only
// when it is kept.
func (s *Summary) Event(ev *smtp.Event, note *Note, host uint64, sample func() Sample) {
	n := int64(ev.Count())
	if Decides(ev) {
		s.Deliveries[ev.Outcome] += n
		s.peer(ev, host, n)
	}
	if note == nil {
		return
	}
	if ev.Reply.Code != 0 {
		s.reply(ev, note, n)
	}
	if wentWrong(ev) {
		s.cause(ev, note, n, sample)
	}
}

// Warm says that ev will come soon. It changes nothing but the time that takes.
func (s *Summary) Warm(ev *smtp.Event, host uint64) {
	if host == 0 || !Decides(ev) {
		return
	}
	s.warmed += s.byHost.Warm(peerKey(host, ev.Direction))
}

// Decides reports whether ev decides what becomes of a recipient. These events are
// counted, and those that have a note.
func Decides(ev *smtp.Event) bool {
	return ev.Kind == smtp.KindDelivery && !ev.Probe || ev.Outcome == smtp.Rejected
}

// wentWrong reports whether ev decides something badly. A try at one host that failed
// does not: the recipient's fate is told by another line.
func wentWrong(ev *smtp.Event) bool {
	if ev.Kind == smtp.KindAttempt || ev.Kind == smtp.KindWarning {
		return false
	}
	return ev.Failed || ev.Reply.Code >= 400 || ev.Outcome > smtp.Sent
}

// Session counts a session. graceful says that its QUIT was answered, by counts that
// stand for the reply: the reply is then counted as inferred.
func (s *Summary) Session(d smtp.Direction, end smtp.End, graceful bool, last time.Time, note Note) {
	side := &s.Sessions[0]
	if d == smtp.Outbound {
		side = &s.Sessions[1]
	}
	side.Total++
	side.Ended[end]++
	if graceful {
		key := pack(d, smtp.StageQUIT, 221, smtp.EnhancedCode{}, note.Cause, true)
		row := s.row(key, 1, func() *Reply {
			return &Reply{Direction: d, Stage: smtp.StageQUIT, Code: 221, Note: note, Inferred: true}
		})
		if row != nil {
			row.count(last, 1)
		}
	}
}

func (s *Summary) reply(ev *smtp.Event, note *Note, n int64) {
	key := pack(ev.Direction, ev.Stage, ev.Reply.Code, ev.Reply.Enhanced, note.Cause, false)
	row := s.lastRow
	if key != s.lastKey || row == nil {
		row = s.row(key, n, func() *Reply {
			return &Reply{Direction: ev.Direction, Stage: ev.Stage, Code: ev.Reply.Code, Enhanced: ev.Reply.Enhanced, Note: *note}
		})
		if row == nil {
			return
		}
		s.lastKey, s.lastRow = key, row
	}
	row.count(ev.Time, n)
}

// row returns the row of a key, made if there is room; nil if there is none, which is
// counted.
func (s *Summary) row(key uint64, n int64, make func() *Reply) *Reply {
	row := s.replies[key]
	if row == nil {
		if len(s.replies) >= maxReplies {
			s.Dropped.Replies += n
			return nil
		}
		row = make()
		s.replies[key] = row
	}
	return row
}

func (r *Reply) count(when time.Time, n int64) {
	r.Count += n
	r.First, r.Last = span(r.First, r.Last, when)
}

func (s *Summary) cause(ev *smtp.Event, note *Note, n int64, sample func() Sample) {
	key := pack(ev.Direction, ev.Stage, ev.Reply.Code, enhanced(ev), note.Cause, false)
	row := s.causes[key]
	if row == nil {
		if len(s.causes) >= maxCauses {
			s.Dropped.Causes += n
			return
		}
		row = &Cause{
			Direction: ev.Direction, Stage: ev.Stage, Code: ev.Reply.Code, Enhanced: enhanced(ev), Note: *note,
			First: ev.Time, Last: ev.Time, Hosts: map[string]*int64{}, Sample: sample(),
		}
		row.Sample.Text = row.Sample.Text[:min(len(row.Sample.Text), maxSample)]
		row.Reply = string(ev.Reply.Text[:min(len(ev.Reply.Text), maxSample)])
		s.causes[key] = row
	}
	row.Count += n
	row.First, row.Last = span(row.First, row.Last, ev.Time)
	row.Note.Severity = max(row.Note.Severity, note.Severity)
	row.host(ev, n)
	if len(ev.To) > 0 {
		if row.recipients == nil {
			row.recipients = hyperloglog.New14()
		}
		row.recipients.InsertHash(xxhash.Sum64(ev.To))
	}
}

func (c *Cause) host(ev *smtp.Event, n int64) {
	name := ev.Peer.Name
	if len(name) == 0 {
		name = ev.Peer.IP
	}
	name = name[:min(len(name), maxName)]
	if seen := c.Hosts[string(name)]; seen != nil {
		*seen += n
		return
	}
	if len(c.Hosts) >= causePeers {
		name = nil
		if rest := c.Hosts[""]; rest != nil {
			*rest += n
			return
		}
	}
	first := n // its own place in memory, for this one host
	c.Hosts[string(name)] = &first
}

// enhanced is the reply's enhanced code, or Postfix's verdict where there is none.
func enhanced(ev *smtp.Event) smtp.EnhancedCode {
	if ev.Reply.Enhanced.IsZero() && ev.Reply.Code == 0 {
		return ev.DSN
	}
	return ev.Reply.Enhanced
}

func (s *Summary) peer(ev *smtp.Event, host uint64, n int64) {
	if host == 0 {
		return
	}
	host = peerKey(host, ev.Direction)
	i := s.byHost.Get(host)
	if i == index.None {
		if s.door != nil && !s.door.again(host) {
			s.Dropped.Peers += n
			return
		}
		if len(s.peers) >= maxPeers {
			s.thin()
		}
		i = int32(len(s.peers))
		s.peers = append(s.peers, Peer{Direction: ev.Direction, Name: cut(ev.Peer.Name), IP: cut(ev.Peer.IP), host: host})
		s.byHost.Set(host, i)
	}
	p := &s.peers[i]
	p.Count += n
	p.Deliveries[ev.Outcome] += n
}

// peerKey makes one key of a host's and the direction.
func peerKey(host uint64, d smtp.Direction) uint64 { return host + uint64(d)<<40 }

// resetPeers empties the table's index.
func (s *Summary) resetPeers() {
	s.byHost = index.New(func(place int32) uint64 { return s.peers[place].host })
}

func cut(name []byte) string { return string(name[:min(len(name), maxName)]) }

// thin gives up the peers that were seen least, so that a log with millions of hosts
// keeps the frequent ones.
func (s *Summary) thin() {
	counts := make([]int64, len(s.peers))
	for i := range s.peers {
		counts[i] = s.peers[i].Count
	}
	slices.Sort(counts)
	limit := counts[len(counts)/2]
	kept := s.peers[:0]
	s.resetPeers()
	if s.door == nil {
		s.door = newDoor()
	}
	for _, p := range s.peers {
		if p.Count <= limit {
			s.Dropped.Peers += p.Count
			continue
		}
		kept = append(kept, p)
		s.byHost.Set(p.host, int32(len(kept)-1))
	}
	s.peers = kept
}

// door keeps those out of a table that is full of whom one line tells: a server that the
// world can reach meets thousands of hosts a day that come once, and to enter and to thin
// them out costs more than all else that is counted. A host is let in when it comes again
// before atTheDoor others.
type door struct {
	hosts [atTheDoor]uint64
	next  int
	known index.Index // places in hosts
}

const atTheDoor = 4096

func newDoor() *door {
	d := &door{}
	d.known = index.New(func(place int32) uint64 { return d.hosts[place] })
	return d
}

// again reports whether a host came before, and remembers it.
func (d *door) again(host uint64) bool {
	if d.known.Get(host) != index.None {
		return true
	}
	if old := d.hosts[d.next]; old != 0 {
		d.known.Remove(old)
	}
	d.hosts[d.next] = host
	d.known.Set(host, int32(d.next))
	d.next = (d.next + 1) % atTheDoor
	return false
}

// pack makes one number of what a row is about. The code takes 10 bits, the parts of an
// enhanced code 3, 10 and 10.
func pack(d smtp.Direction, st smtp.Stage, c smtp.Code, e smtp.EnhancedCode, cause knowledge.Cause, inferred bool) uint64 {
	k := uint64(d)<<5 | uint64(st)
	k = k<<10 | uint64(c)
	k = k<<3 | uint64(e[0])
	k = k<<10 | uint64(e[1])
	k = k<<10 | uint64(e[2])
	k = k<<8 | uint64(cause)
	k <<= 1
	if inferred {
		k |= 1
	}
	return k
}

// span widens first to last by t.
func span(first, last, t time.Time) (time.Time, time.Time) {
	if t.IsZero() {
		return first, last
	}
	if first.IsZero() || t.Before(first) {
		first = t
	}
	if t.After(last) {
		last = t
	}
	return first, last
}
