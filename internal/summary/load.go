package summary

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/axiomhq/hyperloglog"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxSaved = 64 << 20 // bytes of a saved summary: one whose every table is full has some 40 MiB
	maxFiles = 100_000  // files of one; a run reads a tenth of that
	maxCount = 1 << 46  // of anything: see Weight, and room for the sum of thousands
	maxEpoch = 1 << 37  // seconds from 1970 either way, four thousand years
	maxWidth = 1 << 32  // seconds of a bucket: more than so many of them need
)

// IsSaved reports that a file that begins like this is a saved summary.
func IsSaved(head []byte) bool {
	return bytes.HasPrefix(head, []byte(magic))
}

// Load reads what Save wrote. base is what the words of its notes are looked up in.
func Load(from io.Reader, base *knowledge.Base) (*Summary, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxSaved+1))
	if err != nil {
		return nil, err
	}
	var kind struct {
		Mailwhy string
		Version int
	}
	switch err := json.Unmarshal(data, &kind); {
	case !IsSaved(data):
		return nil, errors.New("no saved summary: mailwhy report --save FILE writes one")
	case len(data) > maxSaved:
		return nil, fmt.Errorf("larger than %d MiB, which no saved summary is: save it again", maxSaved>>20)
	case err != nil:
		return nil, fmt.Errorf("a damaged saved summary (%w): save it again from its logs", err)
	case kind.Version > Version:
		return nil, fmt.Errorf("saved by a newer mailwhy (version %d of the file, this one reads up to %d): use that, or save it again with this one", kind.Version, Version)
	}
	var o saved
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, fmt.Errorf("a damaged saved summary (%w): save it again from its logs", err)
	}
	l := loader{base: base, sum: New()}
	if l.load(&o); l.err != nil {
		return nil, fmt.Errorf("a damaged saved summary (%w): save it again from its logs", l.err)
	}
	return l.sum, nil
}

// loader makes a summary of a file, and keeps the first error.
type loader struct {
	base *knowledge.Base
	sum  *Summary
	err  error
}

func (l *loader) load(o *saved) {
	s := l.sum
	wordings := 0
	if o.Wordings != nil {
		wordings = len(*o.Wordings)
	}
	for _, rows := range []struct{ n, limit int }{
		{len(o.Files), maxFiles}, {len(o.Replies), maxReplies}, {len(o.Causes), maxCauses}, {len(o.Peers), maxNames},
		{len(o.Timeline.Buckets), maxBuckets}, {wordings, maxWordings},
	} {
		if rows.n > rows.limit {
			l.wrong("a table of %d rows where %d are the limit", rows.n, rows.limit)
			return
		}
	}
	s.Parts = int(l.count(int64(o.Parts)))
	s.Coverage = l.coverage(&o.Coverage)
	for _, f := range o.Files {
		file := File{Path: f.Path, Format: f.Format, Compression: f.Compression, Coverage: l.coverage(&f.Coverage)}
		if f.Error != "" {
			file.Err = errors.New(f.Error)
		}
		s.Coverage.Files = append(s.Coverage.Files, file)
	}
	for i, side := range o.Sessions {
		s.Sessions[i].Total = l.count(side.Total)
		numbers[smtp.End](l, side.Ended, s.Sessions[i].Ended[:])
	}
	s.Messages, s.Dropped = Messages(o.Messages), Dropped(o.Dropped)
	m, d := &s.Messages, &s.Dropped
	l.count(m.Received, m.Rejected, m.Sent, m.Deferred, m.Bounced, m.Expired, m.Discarded, m.Queued, m.Waiting, m.Evicted, d.Replies, d.Causes, d.Peers, d.Sessions, d.Wordings)
	for side, by := range o.Deliveries {
		d := named[smtp.Direction](l, side, len(s.sides))
		numbers[smtp.Outcome](l, by, s.sides[d][:])
		for i, n := range s.sides[d] {
			s.Deliveries[i] += n
		}
	}
	l.timeline(&o.Timeline)
	l.rows(o)
}

func (l *loader) rows(o *saved) {
	for i := range o.Replies {
		l.reply(&o.Replies[i])
	}
	for i := range o.Causes {
		l.cause(&o.Causes[i])
	}
	l.sum.peers.lost = l.count(o.Missed)
	for _, p := range o.Peers {
		c := topCounts{}
		numbers[smtp.Outcome](l, p.Deliveries, c.deliveries[:])
		l.sum.peers.add(&topName{whom{named[smtp.Direction](l, p.Direction, int(smtp.Internal)+1), cut([]byte(p.Name))}, l.count(p.Missed)}, &c)
	}
	if o.Wordings == nil {
		return
	}
	l.sum.CountWordings()
	for _, w := range *o.Wordings {
		row := &Wording{
			Direction: named[smtp.Direction](l, w.Direction, int(smtp.Internal)+1), Cause: l.causeID(w.Cause), Hash: w.Hash,
			Text: w.Text[:min(len(w.Text), maxReply)], Sample: w.Sample[:min(len(w.Sample), maxReply)], Count: l.count(w.Count), First: w.First, Last: w.Last,
		}
		l.sum.wordings[wordingKey{row.Direction, row.Hash}] = row
	}
}

func (l *loader) reply(r *savedReply) {
	d, st, note := l.row(&r.savedRow)
	row := &Reply{Direction: d, Stage: st, Code: r.Code, Enhanced: r.Enhanced, Note: note, Inferred: r.Inferred, Count: r.Count, First: r.First, Last: r.Last}
	l.sum.replies[pack(d, st, r.Code, r.Enhanced, note.Cause, r.Inferred)] = row
}

func (l *loader) cause(c *savedCause) {
	d, st, note := l.row(&c.savedRow)
	row := &Cause{
		Direction: d, Stage: st, Code: c.Code, Enhanced: c.Enhanced, Note: note, Count: c.Count, First: c.First, Last: c.Last,
		Sample: Sample{c.File, c.Line, c.Text[:min(len(c.Text), maxSample)]}, Reply: c.Reply[:min(len(c.Reply), maxSample)],
	}
	if len(c.Hosts) > causePeers+1 || len(c.Recipients) > 8*maxExact || len(c.Recipients)%8 != 0 {
		l.wrong("a cause with %d hosts and %d bytes of recipients", len(c.Hosts), len(c.Recipients))
		return
	}
	for _, n := range c.Hosts {
		l.count(n)
	}
	row.hosts.set(c.Hosts)
	for b := c.Recipients; len(b) > 0; b = b[8:] {
		row.recipients.add(binary.BigEndian.Uint64(b))
	}
	if len(c.Sketch) > 0 {
		row.recipients.many = hyperloglog.NewNoSparse()
		read := &hyperloglog.Sketch{}
		err := read.UnmarshalBinary(c.Sketch)
		if err == nil {
			err = row.recipients.many.Merge(read) // which holds that it is as exact as ours
		}
		if err != nil {
			l.wrong("the recipients of a cause: %v", err)
		}
	}
	l.sum.causes[pack(d, st, c.Code, c.Enhanced, note.Cause, false)] = row
}

// row reads what a reply and a cause have in common.
func (l *loader) row(r *savedRow) (smtp.Direction, smtp.Stage, Note) {
	if e := r.Enhanced; r.Code > 999 || e[0] > 7 || e[1] > 1023 || e[2] > 1023 {
		l.wrong("a reply %d %v", r.Code, r.Enhanced)
	}
	l.count(r.Count)
	note := Note{Cause: l.causeID(r.Cause), Severity: named[knowledge.Severity](l, r.Severity, int(knowledge.Critical)+1)}
	entry, ok := l.base.EntryByID(r.Entry)
	if !ok { // a rule of somebody's own: what the cause says stands in for its words
		entry = l.anyOf(note.Cause)
	}
	note.Entry = uint16(entry)
	return named[smtp.Direction](l, r.Direction, int(smtp.Internal)+1), named[smtp.Stage](l, r.Stage, smtp.NumStages), note
}

// anyOf is an entry of a cause, which says what the cause says where it has no words of its own.
func (l *loader) anyOf(c knowledge.Cause) knowledge.EntryID {
	for i := range l.base.Entries {
		if l.base.Entries[i].Cause == c {
			return knowledge.EntryID(i)
		}
	}
	return 0
}

func (l *loader) timeline(o *savedTimeline) {
	if o.Seconds < 0 || o.Seconds > maxWidth || l.count(o.Untimed) < 0 {
		l.wrong("a timeline in stretches of %d seconds", o.Seconds)
		return
	}
	var buckets []Bucket
	for _, b := range o.Buckets {
		if b.Start < -maxEpoch || b.Start > maxEpoch {
			l.wrong("a time of %d", b.Start)
			return
		}
		bucket := Bucket{Start: time.Unix(b.Start, 0).UTC()}
		numbers[smtp.Outcome](l, b.Deliveries, bucket.Outcomes[:])
		buckets = append(buckets, bucket)
	}
	l.sum.Timeline = *NewTimeline(time.Duration(o.Seconds)*time.Second, buckets, o.Untimed)
}

func (l *loader) coverage(c *savedCoverage) Coverage {
	l.count(c.Lines, c.Understood, c.Foreign, c.Unknown, c.Bytes, c.Duplicate, c.Cut, c.Guessed)
	return Coverage{
		Lines: c.Lines, Understood: c.Understood, Foreign: c.Foreign, Unknown: c.Unknown, Bytes: c.Bytes, Duplicate: c.Duplicate, Cut: c.Cut,
		First: c.First, Last: c.Last, Guessed: c.Guessed, Interrupted: c.Interrupted, Redacted: c.Redacted,
	}
}

func (l *loader) causeID(id string) knowledge.Cause {
	c, ok := knowledge.CauseByID(id)
	if !ok {
		l.wrong("a cause %q", id)
	}
	return c
}

// count holds that numbers can be counts, and returns the first.
func (l *loader) count(all ...int64) int64 {
	for _, n := range all {
		if n < 0 || n > maxCount {
			l.wrong("a count of %d", n)
		}
	}
	return all[0]
}

func (l *loader) wrong(format string, args ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, args...)
	}
}

// named finds the value of a name.
func named[T interface {
	~uint8
	String() string
}](l *loader, name string, n int) T {
	for i := range n {
		if T(i).String() == name {
			return T(i)
		}
	}
	l.wrong("a %T %q", T(0), name)
	return 0
}

// numbers sets the numbers that have these names.
func numbers[T interface {
	~uint8
	String() string
}](l *loader, by savedBy, into []int64) {
	for name, n := range by {
		into[named[T](l, name, len(into))] = l.count(n)
	}
}
