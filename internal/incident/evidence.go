package incident

import (
	"cmp"
	"slices"

	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// mostEvidence is how many lines are shown of an incident.
const mostEvidence = 10

// evidence picks lines of the incident: its first and its last one, and of each wording the
// first ones, the most frequent wording first.
func (b *builder) evidence() {
	var all []sample
	for _, s := range b.series {
		for _, r := range s.runs {
			if len(r.lines) > 0 && r.end.text != "" {
				all = append(all, r.end)
			}
			all = append(all, r.lines...)
		}
	}
	all = slices.DeleteFunc(all, func(s sample) bool { return s.at < b.from || s.at > b.to || b.whos[s.party] == 0 })
	slices.SortFunc(all, func(x, y sample) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.file, y.file), cmp.Compare(x.line, y.line))
	})
	all = slices.CompactFunc(all, func(x, y sample) bool { return x.file == y.file && x.line == y.line })
	picked := map[int]bool{}
	if len(all) > 0 {
		picked[0], picked[len(all)-1] = true, true
	}
	seen := map[uint64]bool{}
	for i := 0; i < len(all) && len(picked) < mostEvidence; i++ {
		if w := summary.WordingOf([]byte(body(all[i].text))); !seen[w] {
			seen[w] = true
			picked[i] = true
		}
	}
	for n := mostEvidence; n > 1 && len(picked) < min(mostEvidence, len(all)); n-- {
		picked[(len(all)-1)*(mostEvidence-n)/mostEvidence] = true
	}
	first := b.firstLine()
	if first != nil && (len(all) == 0 || all[0].at != first.at || all[0].line != first.line) {
		b.out.Evidence = append(b.out.Evidence, b.line(first))
	}
	for i := range all {
		if picked[i] {
			b.out.Evidence = append(b.out.Evidence, b.line(&all[i]))
		}
	}
}

// body is what stands behind the head of a line.
func body(line string) string {
	if i := indexAfter(line, "]: "); i > 0 {
		return line[i:]
	}
	return line
}

func indexAfter(s, what string) int {
	for i := 0; i+len(what) <= len(s); i++ {
		if s[i:i+len(what)] == what {
			return i + len(what)
		}
	}
	return -1
}

// firstLine is where the first line of the incident stands; nil where that was given up.
func (b *builder) firstLine() *sample {
	var first *sample
	for _, s := range b.series {
		s.within(b.from, b.to, func(r *record) {
			if first == nil || r.at < first.at || r.at == first.at && r.file == first.file && r.line < first.line {
				first = &sample{at: r.at, line: r.line, file: r.file}
			}
		})
	}
	return first
}

// example picks a message: one that was delivered late after the median time, or else one
// that waits, or that bounced; of its lines, those that were kept.
func (b *builder) example() {
	type try struct {
		r *record
		s *series
	}
	var best *try
	tries := map[int32]int64{}
	weight := func(r *record) int64 {
		if r.pair == none {
			return 1
		}
		return 2 + min(b.queue.pairs[r.pair].ended-b.queue.pairs[r.pair].first, 1)
	}
	for _, s := range b.series {
		if s.of != Failures {
			continue
		}
		s.within(b.from, b.to, func(r *record) {
			if r.pair != none {
				tries[r.pair]++
			}
			if b.sampled(s, r) != nil && (best == nil || weight(r) > weight(best.r)) {
				best = &try{r, s}
			}
		})
	}
	if best == nil {
		return
	}
	line := b.sampled(best.s, best.r)
	e := &Example{
		Sender: b.names.text(best.r.from), Recipient: b.names.text(best.r.to), First: b.time(best.r.at), Tries: 1, Outcome: best.r.outcome,
		Queue: queueOf(line.text), Lines: []Line{b.line(line)},
	}
	if best.r.pair != none {
		p := &b.queue.pairs[best.r.pair]
		e.Arrived, e.First, e.Tries, e.Outcome, e.Done = b.time(p.arrived), b.time(p.first), tries[best.r.pair], p.outcome, b.time(p.ended)
		for _, s := range b.series {
			s.within(b.from, b.to, func(r *record) {
				if l := b.sampled(s, r); r.pair == best.r.pair && r != best.r && l != nil {
					e.Lines = append(e.Lines, b.line(l))
				}
			})
		}
	}
	slices.SortStableFunc(e.Lines, func(x, y Line) int { return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Number, y.Number)) })
	e.Lines = e.Lines[:min(len(e.Lines), mostEvidence)]
	if best.r.outcome == smtp.Rejected {
		e.Outcome, e.Done = smtp.Rejected, e.First
	}
	b.out.Example = e
}

// sampled is the line of a record, if it was kept.
func (b *builder) sampled(s *series, r *record) *sample {
	for _, run := range s.runs {
		if r.at < run.first || r.at > run.last {
			continue
		}
		for i := range run.lines {
			if l := &run.lines[i]; l.line == r.line && l.file == r.file {
				return l
			}
		}
	}
	return nil
}

// queueOf finds the queue ID in a line: the first word that is one, behind the head.
func queueOf(line string) string {
	rest := body(line)
	if i := indexAfter(rest, ": "); i > 2 && isID(rest[:i-2]) {
		return rest[:i-2]
	}
	for len(rest) > 0 {
		word := rest
		i := indexAfter(rest, " ")
		if i > 0 {
			word, rest = rest[:i-1], rest[i:]
		} else {
			rest = ""
		}
		if len(word) >= 16 && word[6] == '-' && isID(word) {
			return word
		}
	}
	return ""
}

func isID(s string) bool {
	digits := false
	for _, c := range s {
		switch {
		case '0' <= c && c <= '9':
			digits = true
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '-':
		default:
			return false
		}
	}
	return digits && len(s) >= 6
}
