package incident

import (
	"bytes"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Finder gathers what passes, and tells at the end what was abnormal. It is not safe for
// several goroutines.
type Finder struct {
	base    *knowledge.Base
	names   *names
	parties *parties
	queue   *queue
	table   *table
	notable notable
	lates   []span
	loads   map[minute]float64 // by the hour; see load
	days    map[minute]bool    // that have lines; see logged
	all     []*series          // by party too; see divide
	senders *senders

	flows     [numFlows]flowTrack
	flowCells int
	lines     hitTrack // all lines, by the minute
	lineCells int
	zone      *time.Location
	first     int64 // of all lines that show a time; see settle
	last      int64
	untimed   int64

	clock     clock
	gapsFound []Gap
	moreGaps  int64 // that there was no room for

	files    []string
	fileNow  uint16
	hosts    map[string]bool
	lastHost string
	exim     bool // Exim wrote most of it
}

// The flows that are counted as a whole.
const (
	allOut = iota
	allIn
	allInternal
	submitted
	numFlows
)

// Place is where a line stands, and what ties it to others.
type Place struct {
	Path    string
	Number  int64
	Message uint64        // of its queue ID in its queue, 0 for none
	Host    uint64        // of the other side's name, 0 for none
	Text    func() string // the line as it may be shown; called only when it is kept
}

// New returns a finder that knows providers and marks by base.
func New(base *knowledge.Base) *Finder {
	return &Finder{
		base: base, names: newNames(), parties: newParties(base), queue: newQueue(), table: newTable(), senders: newSenders(),
		hosts: map[string]bool{},
	}
}

// Wanted reports whether a finder wants to see an event that shows neither a reply nor a
// failure.
func Wanted(ev *smtp.Event) bool {
	switch ev.Kind {
	case smtp.KindReceived, smtp.KindDelivery, smtp.KindWarning, smtp.KindNotice:
		return true
	case smtp.KindMessage:
		return ev.From != nil // the others only tell its Message-ID
	}
	return ev.Outcome == smtp.Rejected
}

// Line counts a line, of which Event may be told too. understood says that a mail program
// wrote it.
func (f *Finder) Line(when time.Time, understood bool, at *Place) {
	if when.IsZero() {
		f.untimed++
		return
	}
	if !understood {
		return
	}
	now := when.Unix()
	if f.zone == nil {
		f.zone = when.Location()
	}
	f.clock.tick(now, at)
	*f.lines.at(minuteOf(now), &f.lineCells)++
	if f.lineCells > maxHitCells/2 {
		f.lineCells -= f.lines.widen()
	}
}

// maxMachines is how many machines that logged are named.
const maxMachines = 64

// EndOfFile says that the lines of another file come next.
func (f *Finder) EndOfFile() { f.clock.ended = true }

// Removed says that a message left the queue. Its line has no event of its own: there is
// nothing else to be told of it.
func (f *Finder) Removed(message uint64) {
	if message != 0 {
		f.queue.remove(message)
	}
}

// Event takes an event. note is nil when it shows neither a reply nor a failure.
func (f *Finder) Event(ev *smtp.Event, note *classify.Annotation, at *Place) {
	if ev.Time.IsZero() || ev.Probe {
		return
	}
	now := ev.Time.Unix()
	switch {
	case ev.Kind == smtp.KindReceived:
		f.received(ev, at, now)
	case ev.Kind == smtp.KindMessage:
		if m := f.queue.get(at.Message); m != nil {
			m.begin(ev)
		}
		f.many(ev, at, now)
	case ev.Kind == smtp.KindWarning || ev.Kind == smtp.KindNotice:
		f.notable.line(f.base, ev, note, now, f.file(at.Path), at)
	case ev.Kind == smtp.KindDelivery:
		f.delivery(ev, note, at, now)
	case note == nil || !ev.WentWrong():
	case ev.Outcome == smtp.Rejected:
		f.flows[allIn].at(minuteOf(now), &f.flowCells).rejected += uint32(ev.Count())
		f.failed(ev, note, at, now, f.fromStranger(ev, note), nobody, nil)
	case ev.Kind == smtp.KindAuth && ev.Direction != smtp.Outbound && !ev.Peer.IsZero():
		f.flows[allIn].at(minuteOf(now), &f.flowCells).logins += uint32(ev.Count())
		f.failed(ev, note, at, now, kind{direction: smtp.Inbound, cause: note.Cause, of: Logins}, nobody, nil)
	case ev.Direction == smtp.Inbound && breaks(ev):
		f.flows[allIn].at(minuteOf(now), &f.flowCells).broken += uint32(ev.Count())
		f.failed(ev, note, at, now, kind{direction: smtp.Inbound, cause: note.Cause, of: Sessions, wording: uint64(ev.Stage)}, nobody, nil)
	}
	if f.flowCells > maxFlowCells {
		f.parties.makeRoom(&f.flowCells)
	}
}

// breaks reports a session of a client that breaks. That it is lost after STARTTLS is told by
// the failure of TLS already.
func breaks(ev *smtp.Event) bool {
	switch ev.Kind {
	case smtp.KindTLS:
		return ev.Failed
	case smtp.KindLost:
		return ev.Stage != smtp.StageSTARTTLS
	case smtp.KindTimeout, smtp.KindClosed:
		return true
	}
	return false
}

// fromStranger is the kind of a refusal of ours.
func (f *Finder) fromStranger(ev *smtp.Event, note *classify.Annotation) kind {
	return kind{direction: smtp.Inbound, cause: note.Cause, wording: summary.WordingOf(ev.Said())}
}

func (f *Finder) received(ev *smtp.Event, at *Place, now int64) {
	f.host(ev)
	f.exim = ev.Format == smtp.FormatExim
	if at.Message != 0 {
		f.queue.find(at.Message, now).begin(ev)
	}
	if ev.Direction != smtp.Inbound || smtp.IsLoopback(ev.Peer.IP) {
		return
	}
	which := allIn
	if len(ev.User) > 0 {
		which = submitted
	}
	f.flows[which].at(minuteOf(now), &f.flowCells).received += uint32(ev.Count())
	f.many(ev, at, now)
}

// delivery takes a line that decides a recipient's fate.
func (f *Finder) delivery(ev *smtp.Event, note *classify.Annotation, at *Place, now int64) {
	out := ev.Direction == smtp.Outbound || ev.Direction == smtp.Internal && !ev.ReplyHost.IsZero()
	n := uint32(ev.Count())
	var one flow
	switch ev.Outcome {
	case smtp.Sent:
		one.sent = n
	case smtp.Deferred:
		one.deferred = n
	case smtp.Bounced, smtp.Expired:
		one.bounced = n
	default:
		return
	}
	who, inherited := nobody, (*series)(nil)
	if !out && isRetryTime(ev) {
		if home := f.parties.homeOf(ev.To); home != nil && home.last != nil {
			out, inherited = true, home.last
		}
	}
	out = out || f.goesOut(ev)
	which := allInternal
	if out {
		which = allOut
		who = f.parties.of(ev, at.Host)
		p := f.parties.all[who]
		p.flow.at(minuteOf(now), &f.flowCells).add(one)
		p.count(&one, now)
	}
	f.flows[which].at(minuteOf(now), &f.flowCells).add(one)
	if !out && ev.Outcome == smtp.Sent && ev.Format == smtp.FormatExim {
		f.stays(ev)
	}
	m := f.queue.get(at.Message)
	if ev.Outcome == smtp.Sent {
		if m != nil && m.waiting != none {
			f.sent(m, ev, now)
		}
		if out {
			f.senders.count(m, ev, now)
			f.late(m, now)
		}
		return
	}
	if note == nil {
		return
	}
	if m == nil && at.Message != 0 {
		m = f.queue.find(at.Message, now)
	}
	if out {
		f.senders.count(m, ev, now)
	}
	k := kind{direction: smtp.Internal, cause: note.Cause}
	if out {
		k.direction = smtp.Outbound
	}
	k.wording = summary.WordingOf(ev.Said())
	if inherited != nil {
		k = inherited.kind
	}
	f.failed(ev, note, at, now, k, who, m)
}

// goesOut reports a deferral of Exim that names no host though it is of a delivery to others:
// none could be found, or reached.
func (f *Finder) goesOut(ev *smtp.Event) bool {
	if ev.Format != smtp.FormatExim || ev.Direction != smtp.Internal || ev.Outcome == smtp.Sent {
		return false
	}
	home := f.parties.homeOf(ev.To)
	return home != nil && !home.local
}

// stays notes that mail for a domain stays here.
func (f *Finder) stays(ev *smtp.Event) {
	for _, to := range [][]byte{ev.To, ev.OrigTo} {
		if home := f.parties.homeOf(to); home != nil {
			home.local = true
		}
	}
}

// late keeps a delivery that was made long after its message came, though it never failed.
func (f *Finder) late(m *mail, now int64) {
	if m != nil && m.waiting == none && now-m.arrived >= lateAfter && len(f.lates) < maxLates {
		f.lates = append(f.lates, span{m.arrived, now})
	}
}

const (
	lateAfter = 30      // seconds
	maxLates  = 1 << 16 // deliveries that are kept
)

// isRetryTime reports a deferral of Exim that tells of nothing but an earlier one: that it
// is not time yet to try again.
func isRetryTime(ev *smtp.Event) bool {
	return ev.Format == smtp.FormatExim && ev.Errno <= -51 && ev.Errno >= -54
}

// sent ends the waiting of a delivery.
func (f *Finder) sent(m *mail, ev *smtp.Event, now int64) {
	for _, to := range [][]byte{ev.To, ev.OrigTo} {
		if id := f.names.known(to); id != noName && f.queue.end(m, id, smtp.Sent, now) != none {
			return
		}
	}
}

// failed keeps what went wrong.
func (f *Finder) failed(ev *smtp.Event, note *classify.Annotation, at *Place, now int64, k kind, who partyID, m *mail) {
	f.host(ev)
	s := f.table.of(k)
	if s.total == 0 {
		s.note = *note
		s.reply = f.reply(ev, note)
		s.replies = map[partyID]Reply{who: s.reply}
	} else if _, ok := s.replies[who]; !ok && len(s.replies) < maxRepliesKept {
		s.replies[who] = f.reply(ev, note)
	}
	s.note.Severity = max(s.note.Severity, note.Severity)
	if k.direction == smtp.Outbound {
		if home := f.parties.homeOf(ev.To); home != nil {
			home.last = s
		}
	}
	r := record{
		at: now, line: uint32(at.Number), file: f.file(at.Path), outcome: ev.Outcome, count: uint16(min(ev.Count(), 1<<16-1)),
		message: uint32(at.Message), pair: none, party: who, to: f.names.of(recipient(ev)), host: f.otherSide(ev), from: f.names.of(ev.From), user: f.names.of(ev.User),
		instance: f.instance(ev),
	}
	if m != nil {
		f.describe(m, ev, &r, now)
	}
	if k.direction == smtp.Inbound {
		r.client = r.host
	}
	f.table.count(s, r)
	f.table.sample(s, &r, f.parties.all[who].provider != 0, at.Text)
}

// recipient is whom a delivery is for: Exim shows a mailbox here without its domain, and the
// address behind it.
func recipient(ev *smtp.Event) []byte {
	if bytes.IndexByte(ev.To, '@') < 0 && bytes.IndexByte(ev.OrigTo, '@') > 0 {
		return ev.OrigTo
	}
	return ev.To
}

// describe adds what is known of the message.
func (f *Finder) describe(m *mail, ev *smtp.Event, r *record, now int64) {
	if r.from == noName {
		r.from = f.names.of(m.from)
	}
	if r.user == noName {
		r.user = f.names.of(m.user)
	}
	r.client = f.names.of(m.host)
	switch ev.Outcome {
	case smtp.Deferred:
		arrived := m.arrived
		if ev.Delay != smtp.NoDelay {
			arrived = now - int64(ev.Delay/time.Second)
		}
		r.pair = f.queue.wait(m, r.to, arrived, now)
	case smtp.Bounced, smtp.Expired:
		r.pair = f.queue.end(m, r.to, ev.Outcome, now)
		if r.pair != none && r.to == noName {
			r.to = f.queue.pairs[r.pair].to // the queue manager names no recipient
		}
	}
}

func (f *Finder) otherSide(ev *smtp.Event) name {
	for _, b := range [][]byte{ev.Peer.Name, ev.Peer.IP, ev.ReplyHost.Name, ev.ReplyHost.IP} {
		if len(b) > 0 {
			return f.names.of(b)
		}
	}
	return noName
}

// instance names our own machine and the service that logged.
func (f *Finder) instance(ev *smtp.Event) name {
	var room [128]byte
	b := append(room[:0], ev.Host[:min(len(ev.Host), 60)]...)
	if len(ev.Service) > 0 {
		b = append(append(b, ' '), ev.Service[:min(len(ev.Service), 60)]...)
	}
	return f.names.of(b)
}

func (f *Finder) host(ev *smtp.Event) {
	if string(ev.Host) == f.lastHost {
		return
	}
	f.lastHost = string(ev.Host)
	if len(f.hosts) < maxMachines {
		f.hosts[f.lastHost] = true
	}
}

// file returns the number of a file.
func (f *Finder) file(path string) uint16 {
	if len(f.files) > 0 && f.files[f.fileNow] == path {
		return f.fileNow
	}
	for i, p := range f.files {
		if p == path {
			f.fileNow = uint16(i)
			return f.fileNow
		}
	}
	if len(f.files) < 1<<16-1 {
		f.files = append(f.files, path)
	}
	f.fileNow = uint16(len(f.files) - 1)
	return f.fileNow
}

func (f *Finder) reply(ev *smtp.Event, note *classify.Annotation) Reply {
	r := Reply{
		Text: clip(string(smtp.AppendMasked(nil, ev.Said()))), Code: ev.Reply.Code, Enhanced: ev.Reply.Enhanced, DSN: ev.DSN, Stage: ev.Stage, Note: *note,
		Outcome: ev.Outcome,
	}
	if ev.Direction != smtp.Inbound {
		for _, b := range [][]byte{ev.ReplyHost.Name, ev.ReplyHost.IP, ev.Peer.Name, ev.Peer.IP} {
			if len(b) > 0 {
				r.Host = string(b)
				break
			}
		}
	}
	return r
}

// seedless is a hash that is the same in each run, by which what is equal is put in order.
func seedless(s string) uint64 { return xxhash.Sum64String(s) }
