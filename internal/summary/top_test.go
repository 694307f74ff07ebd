package summary

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// crowd counts n deliveries of a crowd of which a few come often, and returns how many each had.
func crowd(random *rand.Rand, n int, count func(l *Line, name string)) map[string]int64 {
	truth := map[string]int64{}
	for range n {
		name := fmt.Sprintf("u%d@example.net", random.IntN(60*maxNames))
		if random.IntN(3) == 0 {
			name = fmt.Sprintf("often%d@example.net", int(random.ExpFloat64()*400))
		}
		count(&Line{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Sent, N: 1}, name)
		truth[name]++
	}
	return truth
}

// bounded holds that each count is right within what it says it may have missed.
func bounded(t *testing.T, top *top, truth map[string]int64) {
	t.Helper()
	have := map[string]bool{}
	for i := range top.counts {
		n, missed, want := top.counts[i].total(), top.names[i].missed, truth[top.names[i].name]
		if have[top.names[i].name] = true; n > want || want > n+missed {
			t.Fatalf("%s: counted %d, at most %d missed, of %d", top.names[i].name, n, missed, want)
		}
	}
	for name, want := range truth {
		if !have[name] && want > top.missed() {
			t.Fatalf("%s has no place but %d deliveries, more than %d", name, want, top.missed())
		}
	}
}

// TestTopBounds: however many there are, each row tells how far it can be from the truth, and
// whoever came often has an exact one.
func TestTopBounds(t *testing.T) {
	for seed := range uint64(2) {
		var p People
		truth := crowd(rand.New(rand.NewPCG(seed, 1)), 12*maxNames, func(l *Line, name string) { p.Count(l, []byte(name)) })
		if len(truth) < 2*maxNames {
			t.Fatalf("only %d names", len(truth))
		}
		bounded(t, &p.top, truth)
		for _, r := range p.Rows()[:10] {
			if r.Count != truth[r.Address] || r.Missed != 0 {
				t.Errorf("%s: %d and %d missed, of %d", r.Address, r.Count, r.Missed, truth[r.Address])
			}
		}
		var counted int64
		for _, r := range p.Rows() {
			counted += r.Count
		}
		if all := int64(12 * maxNames); counted+p.Dropped() != all {
			t.Errorf("%d counted and %d dropped of %d", counted, p.Dropped(), all)
		}
	}
}

// TestTopBoundsMerged: and so do the rows of a sum, in either order.
func TestTopBoundsMerged(t *testing.T) {
	var parts [3]*Summary
	truth := map[string]int64{}
	for i := range parts {
		parts[i] = New()
		words := &known{ev: new(smtp.Event)}
		size := 12 * maxNames
		if i == 2 {
			size = 100 // one that is exact
		}
		for name, n := range crowd(rand.New(rand.NewPCG(9, uint64(i))), size, func(l *Line, name string) {
			words.ev.Peer.Name = []byte(name)
			l.Host = NameKey([]byte("seed " + name))
			parts[i].peer(l, words)
		}) {
			truth[name] += n
		}
	}
	sum, back := New(), New()
	for i := range parts {
		sum.Merge(parts[i])
		back.Merge(parts[len(parts)-1-i])
	}
	bounded(t, sum.peers, truth)
	bounded(t, back.peers, truth)
}

// TestPeople: the domain of an address is the same in any case, and who is not named is counted.
func TestPeople(t *testing.T) {
	var p People
	l := &Line{Kind: smtp.KindDelivery, Outcome: smtp.Sent, N: 2}
	for _, addr := range [][]byte{[]byte("Ann@Example.ORG"), []byte("Ann@example.org"), []byte("ann@example.org"), {}, nil} {
		p.Count(l, addr)
	}
	p.Count(&Line{Kind: smtp.KindReceived, N: 1}, []byte("Ann@example.org")) // decides nothing
	got := fmt.Sprint(p.Unnamed())
	for _, r := range p.Rows() {
		got += fmt.Sprintf(" %s=%d", r.Address, r.Count)
	}
	if want := "2 Ann@example.org=4 <>=2 ann@example.org=2"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
