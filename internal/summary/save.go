package summary

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Save writes the summary so that Load reads it. base is what its notes were made by. The
// same summary gives the same bytes: hashes that are others in each run stay here.
func (s *Summary) Save(to io.Writer, base *knowledge.Base) error {
	c := s.Coverage
	o := saved{
		Mailwhy: "summary", Version: Version, Parts: s.Parts, Coverage: coverageToSave(&c), Messages: savedMessages(s.Messages), Dropped: savedDropped(s.Dropped),
		Deliveries: map[string]savedBy{}, Timeline: savedTimeline{Seconds: s.Timeline.width, Untimed: s.Timeline.Untimed},
	}
	for _, f := range c.Files {
		row := savedFile{Path: f.Path, Format: f.Format, Compression: f.Compression, Coverage: coverageToSave(&f.Coverage)}
		if f.Err != nil {
			row.Error = f.Err.Error()
		}
		o.Files = append(o.Files, row)
	}
	for i := range s.Sessions {
		o.Sessions[i] = savedSessions{s.Sessions[i].Total, byName[smtp.End](s.Sessions[i].Ended[:])}
	}
	for d := range s.sides {
		o.Deliveries[smtp.Direction(d).String()] = byName[smtp.Outcome](s.sides[d][:])
	}
	for _, b := range s.Timeline.Buckets() {
		o.Timeline.Buckets = append(o.Timeline.Buckets, savedBucket{b.Start.Unix(), byName[smtp.Outcome](b.Outcomes[:])})
	}
	if err := s.saveRows(&o, base); err != nil {
		return err
	}
	return json.NewEncoder(to).Encode(&o)
}

func (s *Summary) saveRows(o *saved, base *knowledge.Base) error {
	row := func(d smtp.Direction, st smtp.Stage, c smtp.Code, e smtp.EnhancedCode, n Note) savedRow {
		return savedRow{
			Direction: d.String(), Stage: st.String(), Code: c, Enhanced: e, Cause: n.Cause.ID(), Severity: n.Severity.String(),
			Entry: base.Entry(knowledge.EntryID(n.Entry)).ID,
		}
	}
	for _, r := range s.Replies() {
		saved := savedReply{row(r.Direction, r.Stage, r.Code, r.Enhanced, r.Note), r.Inferred}
		saved.Count, saved.First, saved.Last = r.Count, r.First, r.Last
		o.Replies = append(o.Replies, saved)
	}
	for _, c := range s.Causes() {
		saved := savedCause{
			savedRow: row(c.Direction, c.Stage, c.Code, c.Enhanced, c.Note), File: c.Sample.File, Line: c.Sample.Line, Text: c.Sample.Text,
			Reply: string(smtp.AppendMasked(nil, []byte(c.Reply))), Hosts: c.Hosts(),
		}
		saved.Count, saved.First, saved.Last = c.Count, c.First, c.Last
		var err error
		if saved.Recipients, saved.Sketch, err = c.recipients.save(); err != nil {
			return fmt.Errorf("the recipients of a cause cannot be saved: %w", err)
		}
		o.Causes = append(o.Causes, saved)
	}
	for i, p := range s.peers.names {
		o.Peers = append(o.Peers, savedPeer{p.direction.String(), p.name, byName[smtp.Outcome](s.peers.counts[i].deliveries[:]), p.missed})
	}
	o.Missed = s.peers.missed()
	slices.SortFunc(o.Peers, func(a, b savedPeer) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Name, b.Name))
	})
	if s.wordings != nil {
		rows := []savedWording{}
		for _, w := range s.Wordings() {
			rows = append(rows, savedWording{w.Direction.String(), w.Cause.ID(), w.Hash, w.Text, w.Sample, w.Count, w.First, w.Last})
		}
		o.Wordings = &rows
	}
	return nil
}

// Wordings returns the wordings of failures, the most frequent first.
func (s *Summary) Wordings() []*Wording {
	return slices.SortedFunc(maps.Values(s.wordings), func(a, b *Wording) int {
		return cmp.Or(-cmp.Compare(a.Count, b.Count), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Text, b.Text))
	})
}

// save returns the hashes, or the sketch where there are too many of them.
func (d *distinct) save() (few, sketch []byte, err error) {
	if d.many != nil {
		sketch, err = d.many.MarshalBinary()
		return nil, sketch, err
	}
	for _, h := range slices.Sorted(maps.Keys(d.few)) {
		few = binary.BigEndian.AppendUint64(few, h)
	}
	return few, nil, nil
}

// byName names the numbers that are not 0.
func byName[T interface {
	~uint8
	String() string
}](numbers []int64) savedBy {
	all := savedBy{}
	for i, n := range numbers {
		if n != 0 {
			all[T(i).String()] = n
		}
	}
	return all
}

func coverageToSave(c *Coverage) savedCoverage {
	return savedCoverage{c.Lines, c.Understood, c.Foreign, c.Unknown, c.Bytes, c.Duplicate, c.Cut, c.First, c.Last, c.Guessed, c.Interrupted, c.Redacted}
}
