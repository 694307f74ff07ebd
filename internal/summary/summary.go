// Package summary counts what passed. It is small and bounded however long the log is:
// tables have a fixed number of rows and say what did not fit, distinct recipients are
// counted exactly while they are few and by a sketch beyond.
package summary

import (
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxReplies = 4096 // rows of replies; there are some hundred in a real log
	maxCauses  = 1024 // rows of causes
	maxSample  = 1024 // bytes of a sample line
)

// Summary is what passed. The zero value is not ready; see New.
type Summary struct {
	Coverage   Coverage
	Sessions   [2]Sessions // inbound, outbound
	Messages   Messages
	Deliveries [smtp.NumOutcomes]int64 // lines that decide a recipient's fate, as logged
	Dropped    Dropped
	Timeline   Timeline // of the deliveries
	Parts      int      // how many summaries were added up; 0 for one that was counted

	Senders, Recipients *People // nil: not counted. They are neither saved nor added up.

	replies  map[uint64]*Reply
	causes   map[uint64]*Cause
	peers    *top
	wordings map[wordingKey]*Wording                    // nil: not counted
	sides    [smtp.Internal + 1][smtp.NumOutcomes]int64 // Deliveries by direction
	known    known                                      // for Event, so that it costs no memory each time

	// Most lines say what one a few lines before them said.
	lastReplies recent[Reply]
	lastCauses  recent[Cause]
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
	Redacted                            bool  // pseudonyms stand for what names somebody
	Files                               []File
}

// Add adds what another part of the input was.
func (c *Coverage) Add(f *Coverage) {
	c.Lines += f.Lines
	c.Understood += f.Understood
	c.Foreign += f.Foreign
	c.Unknown += f.Unknown
	c.Bytes += f.Bytes
	c.Duplicate += f.Duplicate
	c.Cut += f.Cut
	c.Guessed += f.Guessed
	if !f.First.IsZero() && (c.First.IsZero() || f.First.Before(c.First)) {
		c.First = f.First
	}
	if f.Last.After(c.Last) {
		c.Last = f.Last
	}
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
	Wordings               int64 // failures whose words there was no room for
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
	Reply       string // the sample's reply, for what it tells besides its cause

	hosts      hosts
	recipients distinct
}

// Recipients returns how many different recipients it met, an estimate of 1 % beyond
// some thousand.
func (c *Cause) Recipients() int64 { return c.recipients.len() }

// Hosts returns the other side, by host: causePeers of them at most, "" holds the rest.
func (c *Cause) Hosts() map[string]int64 { return c.hosts.all() }

// Sample is a line of the log.
type Sample struct {
	File string
	Line int64
	Text string
}

// New returns an empty summary.
func New() *Summary {
	return &Summary{replies: map[uint64]*Reply{}, causes: map[uint64]*Cause{}, peers: new(top)}
}

// Line is what is counted of a line.
type Line struct {
	Kind      smtp.Kind
	Direction smtp.Direction
	Stage     smtp.Stage
	Outcome   smtp.Outcome
	Failed    bool
	Probe     bool
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode // the reply's, or Postfix's verdict where there is none
	N         int64             // how often it happened
	When      time.Time
	Host      uint64 // a hash of the other side's name, 0 for none
	Name      uint64 // see Name; 0 when it was not looked at
	Recipient uint64 // see Recipient
}

// Words are those of a line, asked for when they are to be kept.
type Words interface {
	Host() []byte  // what the other side is known by: its name, or its address where it has none
	Reply() []byte // the reply's text
	Said() []byte  // the same, or what else the line tells of why
	Sample() Sample
}

// LineOf returns what is counted of ev. host is a hash of the other side's name, 0 for none.
func LineOf(ev *smtp.Event, host uint64) Line {
	return Line{
		Kind: ev.Kind, Direction: ev.Direction, Stage: ev.Stage, Outcome: ev.Outcome, Failed: ev.Failed, Probe: ev.Probe,
		Code: ev.Reply.Code, Enhanced: Enhanced(ev), N: int64(ev.Count()), When: ev.Time, Host: host, Name: Name(ev), Recipient: Recipient(ev),
	}
}

// Name is a hash, the same in each run, of what the other side is known by.
func Name(ev *smtp.Event) uint64 { return NameKey(HostOf(ev)) }

// NameKey is the Name of a line whose other side is known by that name.
func NameKey(name []byte) uint64 { return max(1, xxhash.Sum64(name)) }

// Recipient is a hash, the same in each run, of the recipient whom what went wrong befell; 0 where
// nothing did, or it befell nobody by name.
func Recipient(ev *smtp.Event) uint64 {
	if len(ev.To) == 0 || !ev.WentWrong() {
		return 0
	}
	return max(1, xxhash.Sum64(ev.To))
}

// Enhanced is the reply's enhanced code, or Postfix's verdict where there is no reply.
func Enhanced(ev *smtp.Event) smtp.EnhancedCode {
	if ev.Reply.Enhanced.IsZero() && ev.Reply.Code == 0 {
		return ev.DSN
	}
	return ev.Reply.Enhanced
}

// Event counts ev. note is nil when ev shows neither a reply nor a failure; host is a
// hash of the other side's name, 0 for none. sample gives the line, and is called only
// when it is kept.
func (s *Summary) Event(ev *smtp.Event, note *Note, host uint64, sample func() Sample) {
	l := LineOf(ev, host)
	s.known = known{ev, sample}
	s.Count(&l, note, &s.known)
}

// known are words that are at hand.
type known struct {
	ev     *smtp.Event
	sample func() Sample
}

func (k *known) Host() []byte   { return HostOf(k.ev) }
func (k *known) Reply() []byte  { return k.ev.Reply.Text }
func (k *known) Said() []byte   { return k.ev.Said() }
func (k *known) Sample() Sample { return k.sample() }

// Count counts a line. note is nil when it shows neither a reply nor a failure.
func (s *Summary) Count(l *Line, note *Note, words Words) {
	if l.Decides() {
		s.Deliveries[l.Outcome] += l.N
		s.sides[l.Direction&3][l.Outcome] += l.N
		s.Timeline.count(l.When, l.Outcome, l.N)
		s.peer(l, words)
	}
	if note == nil {
		return
	}
	if l.Code != 0 {
		s.reply(l, note)
	}
	if l.WentWrong() {
		s.cause(l, note, words)
		if s.wordings != nil {
			s.wording(l, note, words.Said())
		}
	}
}

// Decides reports whether the line decides what becomes of a recipient. These lines are
// counted, and those that have a note.
func (l *Line) Decides() bool { return smtp.Decides(l.Kind, l.Outcome, l.Probe) }

// WentWrong reports whether the line decides something badly.
func (l *Line) WentWrong() bool { return smtp.WentWrong(l.Kind, l.Outcome, l.Failed, l.Code) }

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
		row := s.lastReplies.get(key)
		if row == nil {
			row = s.row(key, 1, func() *Reply {
				return &Reply{Direction: d, Stage: smtp.StageQUIT, Code: 221, Note: note, Inferred: true}
			})
			if row == nil {
				return
			}
			s.lastReplies.put(key, row)
		}
		row.count(last, 1)
	}
}

func (s *Summary) reply(l *Line, note *Note) {
	key := pack(l.Direction, l.Stage, l.Code, l.Enhanced, note.Cause, false)
	row := s.lastReplies.get(key)
	if row == nil {
		row = s.row(key, l.N, func() *Reply {
			return &Reply{Direction: l.Direction, Stage: l.Stage, Code: l.Code, Enhanced: l.Enhanced, Note: *note}
		})
		if row == nil {
			return
		}
		s.lastReplies.put(key, row)
	}
	row.count(l.When, l.N)
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

func (s *Summary) cause(l *Line, note *Note, words Words) {
	key := pack(l.Direction, l.Stage, l.Code, l.Enhanced, note.Cause, false)
	row := s.lastCauses.get(key)
	if row == nil {
		if row = s.causes[key]; row == nil {
			if len(s.causes) >= maxCauses {
				s.Dropped.Causes += l.N
				return
			}
			row = newCause(l, note, words)
			s.causes[key] = row
		}
		s.lastCauses.put(key, row)
	}
	row.Count += l.N
	row.First, row.Last = span(row.First, row.Last, l.When)
	row.Note.Severity = max(row.Note.Severity, note.Severity)
	row.hosts.count(l.Host, l.N, words)
	if l.Recipient != 0 {
		row.recipients.add(l.Recipient)
	}
}

func newCause(l *Line, note *Note, words Words) *Cause {
	c := &Cause{
		Direction: l.Direction, Stage: l.Stage, Code: l.Code, Enhanced: l.Enhanced, Note: *note,
		First: l.When, Last: l.When, Sample: words.Sample(),
	}
	if sample := c.Sample.Text; len(sample) > maxSample {
		c.Sample.Text = strings.Clone(sample[:maxSample]) // and let the rest of it go
	}
	text := words.Reply()
	c.Reply = string(text[:min(len(text), maxSample)])
	return c
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
