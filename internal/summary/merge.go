package summary

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/axiomhq/hyperloglog"

	"github.com/mailwhy/mailwhy/internal/index"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Merge adds what another summary counted, which is not changed: the same as if all had been
// counted in one, where no session and no message is in both, and no table was full. What
// a full table gives up is what was met least, and counted. The order does not matter.
func (s *Summary) Merge(o *Summary) {
	s.Parts = s.parts() + o.parts()
	s.mergeCoverage(&o.Coverage)
	for i := range s.Sessions {
		s.Sessions[i].Total += o.Sessions[i].Total
		add(s.Sessions[i].Ended[:], o.Sessions[i].Ended[:])
	}
	s.Messages.add(&o.Messages)
	add(s.Deliveries[:], o.Deliveries[:])
	for d := range s.sides {
		add(s.sides[d][:], o.sides[d][:])
	}
	d := &o.Dropped
	s.Dropped.Replies += d.Replies
	s.Dropped.Causes += d.Causes
	s.Dropped.Peers += d.Peers
	s.Dropped.Sessions += d.Sessions
	s.Dropped.Wordings += d.Wordings
	s.Timeline.Add(&o.Timeline)
	s.mergeRows(o)
	s.peers.merge(o.peers)
	s.Dropped.Peers += s.peers.trim()
	s.mergeWordings(o)
}

// parts is how many summaries are in it: an empty one is none.
func (s *Summary) parts() int {
	if s.Parts == 0 && s.Coverage.Lines+int64(len(s.Coverage.Files)) > 0 {
		return 1
	}
	return s.Parts
}

// Estimates names the figures of a sum that may not be exact, as a report's JSON names them.
func (s *Summary) Estimates() []string {
	all := []string{}
	if s.Parts > 1 { // what crosses from one into the next is in both
		all = append(all, "sessions", "messages")
	}
	few, many := false, false
	for _, c := range s.causes {
		few, many = few || c.hosts.rest > 0 && len(c.hosts.list) == causePeers, many || c.recipients.many != nil
	}
	for _, part := range []struct {
		name      string
		estimated bool
	}{
		{"causes.recipients", many}, {"causes.peers", few}, {"causes", s.Dropped.Causes > 0}, {"replies", s.Dropped.Replies > 0}, {"peers", s.Dropped.Peers > 0},
	} {
		if part.estimated {
			all = append(all, part.name)
		}
	}
	return all
}

func (s *Summary) mergeCoverage(o *Coverage) {
	c := &s.Coverage
	alone := len(c.Files) == 0
	c.Add(o)
	c.Interrupted, c.Redacted = c.Interrupted || o.Interrupted, c.Redacted || o.Redacted
	if c.Files = append(slices.Clone(c.Files), o.Files...); alone {
		return // in the order in which they were read
	}
	slices.SortStableFunc(c.Files, func(a, b File) int {
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Lines, b.Lines), cmp.Compare(a.Bytes, b.Bytes))
	})
}

func (m *Messages) add(o *Messages) {
	m.Received += o.Received
	m.Rejected += o.Rejected
	m.Sent += o.Sent
	m.Deferred += o.Deferred
	m.Bounced += o.Bounced
	m.Expired += o.Expired
	m.Discarded += o.Discarded
	m.Queued += o.Queued
	m.Waiting += o.Waiting
	m.Evicted += o.Evicted
}

func (s *Summary) mergeRows(o *Summary) {
	s.lastReplies, s.lastCauses = recent[Reply]{}, recent[Cause]{} // rows may go
	for key, other := range o.replies {
		row := s.replies[key]
		if row == nil {
			row = &Reply{}
			*row = *other
			s.replies[key] = row
			continue
		}
		row.merge(other)
	}
	s.Dropped.Replies += trim(s.replies, maxReplies, func(r *Reply) int64 { return r.Count })
	for key, other := range o.causes {
		row := s.causes[key]
		if row == nil {
			row = &Cause{}
			*row = *other
			row.hosts = hosts{}
			row.hosts.set(other.Hosts())
			row.recipients = distinct{}
			row.recipients.merge(&other.recipients)
			s.causes[key] = row
			continue
		}
		row.merge(other)
	}
	s.Dropped.Causes += trim(s.causes, maxCauses, func(c *Cause) int64 { return c.Count })
}

func (r *Reply) merge(o *Reply) {
	if before := cmp.Or(o.First.Compare(r.First), cmp.Compare(o.Note.Entry, r.Note.Entry)); before < 0 {
		r.Note = o.Note
	}
	r.Count += o.Count
	r.First, r.Last = spans(r.First, r.Last, o.First, o.Last)
}

// merge keeps the sample that came first, as if both had been read in order.
func (c *Cause) merge(o *Cause) {
	severity := max(c.Note.Severity, o.Note.Severity)
	before := cmp.Or(o.First.Compare(c.First), cmp.Compare(o.Sample.File, c.Sample.File), cmp.Compare(o.Sample.Line, c.Sample.Line),
		cmp.Compare(o.Sample.Text, c.Sample.Text), cmp.Compare(o.Reply, c.Reply))
	if before < 0 {
		c.Note, c.Sample, c.Reply = o.Note, o.Sample, o.Reply
	}
	c.Note.Severity = severity
	c.Count += o.Count
	c.First, c.Last = spans(c.First, c.Last, o.First, o.Last)
	both := c.Hosts()
	for name, n := range o.Hosts() {
		both[name] += n
	}
	c.hosts.set(both)
	c.recipients.merge(&o.recipients)
}

func (s *Summary) mergeWordings(o *Summary) {
	if o.wordings == nil {
		return
	}
	s.CountWordings()
	for key, other := range o.wordings {
		row := s.wordings[key]
		if row == nil {
			row = &Wording{}
			*row = *other
			s.wordings[key] = row
			continue
		}
		if before := cmp.Or(other.First.Compare(row.First), cmp.Compare(other.Sample, row.Sample)); before < 0 {
			row.Cause, row.Sample = other.Cause, other.Sample
		}
		row.Count += other.Count
		row.First, row.Last = spans(row.First, row.Last, other.First, other.Last)
	}
	s.Dropped.Wordings += trim(s.wordings, maxWordings, func(w *Wording) int64 { return w.Count })
}

// set makes h what all returned. Of more hosts than there is room for the frequent ones stay.
func (h *hosts) set(all map[string]int64) {
	*h = hosts{rest: all[""]}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(-cmp.Compare(all[a], all[b]), cmp.Compare(a, b)) })
	for _, name := range names {
		if name != "" {
			h.count(NameKey([]byte(name)), all[name], &known{ev: &smtp.Event{Peer: smtp.Peer{Name: []byte(name)}}})
		}
	}
}

// merge adds what another counted.
func (d *distinct) merge(o *distinct) {
	for h := range o.few {
		d.add(h)
	}
	if o.many == nil {
		return
	}
	if d.many == nil {
		few := d.few
		d.few, d.many = nil, hyperloglog.NewNoSparse()
		for h := range few {
			d.many.InsertHash(h)
		}
	}
	d.many.Merge(o.many) // both are as New makes them, and so it cannot fail
}

// merge adds what another counted, by their names.
func (t *top) merge(o *top) {
	if !t.byName {
		t.useNames()
	}
	mine, others := t.missed(), o.missed()
	if others > 0 {
		theirs := map[whom]bool{}
		for i := range o.names {
			theirs[o.names[i].whom] = true
		}
		for i := range t.names {
			if !theirs[t.names[i].whom] {
				t.names[i].missed += others
			}
		}
	}
	had := len(t.names)
	for i := range o.counts {
		if at := t.add(&o.names[i], &o.counts[i]); at >= had {
			t.names[at].missed += mine
		}
	}
	t.lost, t.door = mine+others, nil
}

// useNames makes the keys those of the names: the ones by which lines find
// them are others in each run.
func (t *top) useNames() {
	counts, names := t.counts, t.names
	t.counts, t.names, t.byName, t.byKey = nil, nil, true, index.Index{}
	for i := range counts {
		t.add(&names[i], &counts[i])
	}
}

// add adds to what is found by its name, and returns its place.
func (t *top) add(n *topName, c *topCounts) int {
	t.byName = true
	key := topKey(NameKey([]byte(n.name)), n.direction)
	i := int(t.byKey.Get(key))
	if i < 0 {
		i = len(t.counts)
		t.counts = append(t.counts, topCounts{key: key})
		t.names = append(t.names, topName{whom: n.whom})
		t.byKey.Set(key, int32(i))
	}
	add(t.counts[i].deliveries[:], c.deliveries[:])
	t.names[i].missed += n.missed
	return i
}

// trim gives up those that were met least, down to the limit.
func (t *top) trim() (dropped int64) {
	if len(t.counts) <= maxNames {
		return 0
	}
	order := make([]int, len(t.counts))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(-cmp.Compare(t.counts[a].total(), t.counts[b].total()), strings.Compare(t.names[a].name, t.names[b].name), cmp.Compare(t.names[a].direction, t.names[b].direction))
	})
	counts, names, lost := t.counts, t.names, int64(0)
	t.counts, t.names, t.byKey = nil, nil, index.Index{}
	for i, at := range order {
		if i < maxNames {
			t.add(&names[at], &counts[at])
		} else {
			n := counts[at].total()
			dropped, lost = dropped+n, max(lost, n+names[at].missed)
		}
	}
	t.lost = max(t.lost, lost)
	return dropped
}

// trim gives up the rows with the smallest counts, down to the limit, and returns what they counted.
func trim[K comparable, R any](rows map[K]R, limit int, count func(R) int64) (dropped int64) {
	if len(rows) <= limit {
		return 0
	}
	counts := make([]int64, 0, len(rows))
	for _, r := range rows {
		counts = append(counts, count(r))
	}
	slices.Sort(counts)
	least := counts[len(counts)-limit-1] // all that have no more go, so that their order does not matter
	for key, r := range rows {
		if n := count(r); n <= least {
			dropped += n
			delete(rows, key)
		}
	}
	return dropped
}

func add(to, more []int64) {
	for i, n := range more {
		to[i] += n
	}
}

// spans puts two spans of time together.
func spans(first, last, otherFirst, otherLast time.Time) (time.Time, time.Time) {
	first, last = span(first, last, otherFirst)
	return span(first, last, otherLast)
}
