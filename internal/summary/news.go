package summary

import (
	"cmp"
	"math"
	"slices"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	minNews   = 5    // of anything: fewer may be anybody's slip, however rare they were before
	minChange = 1.5  // a rate that differs by less is what one day differs from the next
	maxChance = 0.01 // that the whole comparison tells of anything that is chance alone

	// Failures come in bunches: a message is tried again, and a stranger tries fifty recipients
	// at once. So many count as one, where we go and where others come to us, as measured by the
	// index of dispersion (variance by mean) of a cause's count on 24 calm days: 1.0 to 1.4 where each
	// failure stands alone, 4.7 of full mailboxes, which are tried thrice; 11 of logins, by
	// scanners that stay for a while. They are between, for what is rarer than minNews is not
	// told at all: of the 552 pairs of those days, 1.8 % told something at 2 and 8, less than
	// maxChance at these.
	bunch        = 3
	bunchInbound = 8
)

// NewsKind says what something new is.
type NewsKind uint8

// The kinds, in the order in which they are told.
const (
	NewShare   NewsKind = iota // of the deliveries that had an outcome, or of sessions that were refused something
	NewCause                   // a cause
	NewWording                 // a failure in other words than before
	NewPeer                    // one with trouble
	numNews
)

// String is the kind's name.
func (k NewsKind) String() string { return [numNews]string{"rate", "cause", "wording", "peer"}[k] }

// News is something that was not there before, or is more or less frequent than it was.
type News struct {
	Kind      NewsKind
	Direction smtp.Direction
	Outcome   smtp.Outcome    // of a rate
	Cause     knowledge.Cause // of a cause and a wording
	Wording   *Wording        // of a wording
	Peer      string          // of a peer
	Old, New  int64           // how often it was met
	OldOf     int64           // among so many of its direction: see Volume
	NewOf     int64
	G         float64 // the likelihood ratio against one and the same rate, for bunches
	Chance    float64 // that any row of the comparison would differ as much, were nothing new
}

// Expected is how often it would have been met at the rate of before.
func (n *News) Expected() float64 { return float64(n.Old) * float64(n.NewOf) / float64(n.OldOf) }

// Change is how many times as frequent it is; infinite where it was not there before.
func (n *News) Change() float64 { return float64(n.New) / n.Expected() }

// Comparison is what is new against what was before.
type Comparison struct {
	Before     Coverage
	News       []News
	Rows       int              // how many were compared
	Unmeasured []smtp.Direction // there was nothing of it before, or is nothing now
}

// Against tells what is new in s against what old counted.
func (s *Summary) Against(old *Summary) *Comparison {
	c := &Comparison{Before: old.Coverage}
	for d := smtp.Inbound; d <= smtp.Internal; d++ {
		if before, now := old.Volume(d), s.Volume(d); (before == 0) != (now == 0) {
			c.Unmeasured = append(c.Unmeasured, d)
		}
	}
	rows := slices.Concat(s.newShares(old), s.newCauses(old), s.newWordings(old), s.newPeers(old))
	for i := range rows {
		r := &rows[i]
		r.OldOf, r.NewOf = old.Volume(r.Direction), s.Volume(r.Direction)
	}
	rows = slices.DeleteFunc(rows, func(n News) bool { return n.OldOf == 0 || n.NewOf == 0 || max(n.Old, n.New) < minNews })
	c.Rows = len(rows)
	for _, n := range rows {
		if n.test(len(rows)) {
			c.News = append(c.News, n)
		}
	}
	slices.SortStableFunc(c.News, func(a, b News) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), -cmp.Compare(a.G, b.G), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.name(), b.name()))
	})
	return c
}

// name tells rows of a kind apart.
func (n *News) name() string {
	if n.Wording != nil {
		return n.Wording.Text
	}
	return n.Peer + n.Cause.ID() + n.Outcome.String()
}

// Volume is how much there was of a direction, against which its failures are held:
// sessions where others come to us, because what goes well has no line of its own there,
// and deliveries, as logged, where we go.
func (s *Summary) Volume(d smtp.Direction) (n int64) {
	if d == smtp.Inbound {
		return s.Sessions[0].Total
	}
	for _, o := range s.sides[d&3] {
		n += o
	}
	return n
}

// test tells whether the row is more than chance and worth a word, where so many are compared.
// It asks how likely both counts are at one rate (G, the log-likelihood ratio of two Poisson counts).
func (n *News) test(rows int) bool {
	// Of the deliveries that went through nearly all do: what changes is those that do not.
	old, now := n.Old, n.New
	if n.Outcome == smtp.Sent {
		old, now = n.OldOf-old, n.NewOf-now
	}
	n.G = gTest(float64(old), float64(n.OldOf), float64(now), float64(n.NewOf)) / bunch
	if n.Direction == smtp.Inbound {
		n.G *= bunch / float64(bunchInbound)
	}
	n.Chance = min(1, math.Erfc(math.Sqrt(n.G/2))*float64(rows)) // one degree of freedom; Bonferroni's bound
	a, b := float64(old)/float64(n.OldOf), float64(now)/float64(n.NewOf)
	return n.Chance < maxChance && max(old, now) >= minNews && (b >= a*minChange || a >= b*minChange)
}

// gTest is twice the log-likelihood ratio of two counts, each of so much.
func gTest(a, ofA, b, ofB float64) float64 {
	rate := (a + b) / (ofA + ofB)
	term := func(n, expected float64) float64 {
		if n == 0 {
			return 0
		}
		return n * math.Log(n/expected)
	}
	return max(0, 2*(term(a, rate*ofA)+term(b, rate*ofB)))
}

func (s *Summary) newShares(old *Summary) (rows []News) {
	for d := smtp.Inbound; d <= smtp.Internal; d++ {
		for _, o := range []smtp.Outcome{smtp.Sent, smtp.Deferred, smtp.Bounced, smtp.Rejected} {
			n := News{Kind: NewShare, Direction: d, Outcome: o, Old: old.sides[d][o], New: s.sides[d][o]}
			if o == smtp.Bounced { // a bounce is one whatever ended the attempts
				n.Old += old.sides[d][smtp.Expired]
				n.New += s.sides[d][smtp.Expired]
			}
			if d == smtp.Inbound && o != smtp.Rejected {
				continue
			}
			rows = append(rows, n)
		}
	}
	return rows
}

func (s *Summary) newCauses(old *Summary) (rows []News) {
	type key struct {
		cause     knowledge.Cause
		direction smtp.Direction
	}
	before := map[key]int64{}
	for _, g := range old.Groups() {
		before[key{g.Cause, g.Direction}] = g.Count
	}
	for _, g := range s.Groups() {
		k := key{g.Cause, g.Direction}
		rows = append(rows, News{Kind: NewCause, Direction: g.Direction, Cause: g.Cause, Old: before[k], New: g.Count})
		delete(before, k)
	}
	for _, g := range old.Groups() { // and those that are over
		if n, over := before[key{g.Cause, g.Direction}]; over {
			rows = append(rows, News{Kind: NewCause, Direction: g.Direction, Cause: g.Cause, Old: n})
		}
	}
	return rows
}

// newWordings are those that were never used before.
func (s *Summary) newWordings(old *Summary) (rows []News) {
	for _, w := range s.Wordings() {
		if old.wordings[wordingKey{w.Direction, w.Hash}] == nil && old.wordings != nil {
			rows = append(rows, News{Kind: NewWording, Direction: w.Direction, Cause: w.Cause, Wording: w, New: w.Count})
		}
	}
	return rows
}

// newPeers are those that had no trouble before, or more of it now.
func (s *Summary) newPeers(old *Summary) (rows []News) {
	before := map[string]int64{}
	for _, p := range old.Peers() {
		before[p.Direction.String()+" "+p.Name] = p.Trouble()
	}
	for _, p := range s.Peers() {
		n := News{Kind: NewPeer, Direction: p.Direction, Peer: p.Name, Old: before[p.Direction.String()+" "+p.Name], New: p.Trouble()}
		if n.New > n.Old {
			rows = append(rows, n)
		}
	}
	return rows
}
