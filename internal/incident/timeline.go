package incident

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// mostBuckets is how many buckets a timeline has at most: as many as fit beside each other.
	mostBuckets = 60
	// leastMargin and mostMargin are how much of the time before and after an incident is
	// shown, at least and at most: a quarter of its length between.
	leastMargin, mostMargin = 15 * 60, 6 * 3600
)

// widths are the widths that a bucket of a timeline may have, in minutes.
var widths = [...]minute{1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 7200, 14400, 43200}

func (b *builder) timeline() {
	margin := max(leastMargin, min(mostMargin, (b.to-b.from)/4))
	from, to := max(b.first, b.from-margin), min(b.last, b.to+margin)
	width := minute(max(time.Duration(1), b.resolution()/time.Minute))
	for _, w := range widths {
		if w >= width {
			width = w
			if int64(mostBuckets)*int64(w)*60 >= to-from {
				break
			}
		}
	}
	start := minuteOf(from) / width * width
	if width > 60 { // whole hours of a day in its zone
		start = minuteOf(from) / 60 * 60
	}
	n := int((minuteOf(to)-start)/width) + 1
	t := &b.out.Timeline
	t.Start, t.Width, t.Buckets = b.time(start.unix()), time.Duration(width)*time.Minute, make([]Bucket, n)
	in := func(m minute) *Bucket {
		if i := int((m - start) / width); m >= start && i < n {
			return &t.Buckets[i]
		}
		return &Bucket{}
	}
	end := start + minute(n)*width
	b.flowOf(start, end, func(m minute, c *flow) { in(m).Counts.add(c) })
	for _, s := range b.series {
		s.hits.within(max(start, minuteOf(b.from)>>s.hits.shift<<s.hits.shift), min(end, minuteOf(b.to)+1), func(m minute, h *hits) { in(m).Incident += int64(*h) })
	}
	for _, g := range b.found.Gaps {
		if g.End.Before(t.Start) || g.Start.After(b.time(end.unix())) {
			continue
		}
		b.out.Gaps = append(b.out.Gaps, g)
		for i := range t.Buckets {
			at := t.Start.Add(time.Duration(i) * t.Width)
			if t.Buckets[i].Gap = t.Buckets[i].Gap || !at.Before(g.Start) && !at.Add(t.Width).After(g.End); t.Buckets[i].Gap {
				continue
			}
		}
	}
	for _, j := range b.found.Jumps {
		if !j.From.Before(b.out.Start) && !j.From.After(b.out.End) || !j.To.Before(b.out.Start) && !j.To.After(b.out.End) {
			b.out.Jumps = append(b.out.Jumps, j)
		}
	}
	b.marks(b.time(start.unix()), b.time(end.unix()))
}

// maxMarks bounds the marks of a timeline that tell of lines.
const maxMarks = 24

// marks puts together what is to be seen on the timeline.
func (b *builder) marks(from, to time.Time) {
	t := &b.out.Timeline
	add := func(m Mark) {
		if !m.Time.IsZero() && !m.Time.Before(from) && m.Time.Before(to) {
			t.Marks = append(t.Marks, m)
		}
	}
	first := Line{}
	if len(b.out.Evidence) > 0 {
		first = b.out.Evidence[0]
	}
	add(Mark{Time: b.out.Start, What: FirstSeen, Line: first})
	add(Mark{Time: b.out.Peak, What: PeakSeen, Count: b.out.PeakCount})
	add(Mark{Time: b.out.End, What: LastSeen})
	add(Mark{Time: b.out.Recovered, What: FirstSent})
	add(Mark{Time: b.time(b.first), What: LogBegins})
	add(Mark{Time: b.time(b.last), What: LogEnds})
	for _, g := range b.out.Gaps {
		add(Mark{Time: g.Start, What: GapBegins})
	}
	for i, m := range b.notable.between(b.Finder, from, to) {
		if i == maxMarks {
			break
		}
		add(m)
	}
	slices.SortStableFunc(t.Marks, func(x, y Mark) int { return x.Time.Compare(y.Time) })
}

// between lists the notable lines of a time, those that tell most first.
func (t *notable) between(f *Finder, from, to time.Time) []Mark {
	var out []Mark
	for _, n := range t.all {
		for _, r := range n.runs {
			at := f.time(r.first)
			if at.Before(from) || !at.Before(to) {
				continue
			}
			out = append(out, Mark{Time: at, What: n.what, Count: r.n, Text: r.text, Line: f.line(&r.line)})
		}
	}
	slices.SortFunc(out, func(a, b Mark) int {
		if x, y := ranks[a.What], ranks[b.What]; x != y {
			return x - y
		}
		if c := a.Time.Compare(b.Time); c != 0 {
			return c
		}
		return int(seedless(a.Text)>>40) - int(seedless(b.Text)>>40)
	})
	return out
}

// ranks put the marks that tell most of what may have begun an incident first.
var ranks = [numWhats]int{FatalLine: 1, ConfigError: 2, DiskError: 2, TLSError: 3, Started: 4, StoppedMark: 4, SenderSpike: 5, ManyRcpt: 6, WarningLine: 7}

func (f *Finder) line(s *sample) Line {
	l := Line{Time: f.time(s.at), Number: int64(s.line), Text: s.text}
	if int(s.file) < len(f.files) {
		l.Path = f.files[s.file]
	}
	return l
}

// spared lists what kept working meanwhile.
func (b *builder) spared() {
	from, to := minuteOf(b.from), minuteOf(b.to)+1
	hours := max(float64(b.last-b.first)/3600, 1.0/60)
	flowing := func(track *flowTrack, d smtp.Direction, kind FlowKind, name string) {
		x := Flow{Direction: d, Name: name, What: kind}
		all := int64(0)
		count := func(c *flow) int64 {
			if kind == Incoming || kind == Submission {
				return int64(c.received)
			}
			return int64(c.sent)
		}
		track.within(0, endless, func(m minute, c *flow) {
			n := count(c)
			all += n
			if m >= from && m < to {
				x.Sent += n
				if kind != Incoming && kind != Submission {
					x.Failed += int64(c.deferred) + int64(c.bounced)
				}
			}
		})
		x.Usual = float64(all) / hours * float64(to-from) / 60
		if x.Sent > 0 && (x.Failed <= x.Sent/2) && float64(x.Sent) >= x.Usual/4 {
			b.out.Spared = append(b.out.Spared, x)
		}
	}
	for who, p := range b.parties.all {
		if who != 0 && b.whos[partyID(who)] == 0 && b.out.Scope != All {
			flowing(&p.flow, smtp.Outbound, ToParty, p.name)
		}
	}
	slices.SortStableFunc(b.out.Spared, func(x, y Flow) int { return int(y.Sent - x.Sent) })
	b.out.Spared = b.out.Spared[:min(len(b.out.Spared), HitRows/2)]
	if b.out.Direction != smtp.Outbound {
		flowing(&b.flows[allOut], smtp.Outbound, Outgoing, "")
	}
	if b.out.Direction != smtp.Inbound || b.out.Kind != Stopped {
		flowing(&b.flows[allIn], smtp.Inbound, Incoming, "")
	}
	flowing(&b.flows[submitted], smtp.Inbound, Submission, "")
	if b.out.Direction != smtp.Internal {
		flowing(&b.flows[allInternal], smtp.Internal, Local, "")
	}
}
