package trace

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// delivered is a log of deliveries, a line each: line tells its queue ID, its recipient and
// what the next server said.
func delivered(n int, line func(i int) (queue, to, said string)) *Input {
	var b strings.Builder
	for i := range n {
		queue, to, said := line(i)
		fmt.Fprintf(&b, "2026-09-14T08:%02d:%02d+00:00 mx1 postfix/smtp[100]: %s: to=<%s>, relay=mx.example.net[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok%s)\n",
			i*60/n, i*3600/n%60, queue, to, said)
	}
	return logInput("mail.log", []byte(b.String()), false)
}

func traced(t *testing.T, in *Input, what string, top int) *Result {
	t.Helper()
	w, err := ParseWhat(what, "")
	if err != nil {
		t.Fatal(err)
	}
	return Run(Options{Inputs: []*Input{in}, What: w, Workers: 2, Top: top})
}

// TestManyMessages holds that of more messages than are remembered the newest are told, and
// that all are counted.
func TestManyMessages(t *testing.T) {
	n := maxSeeds + maxSeeds/4
	in := delivered(n, func(i int) (string, string, string) { return fmt.Sprintf("4C%08X", i), "bob@example.net", "" })
	for _, top := range []int{20, 0} {
		r := traced(t, in, "bob@example.net", top)
		if r.Total != n || !r.AtLeast || r.Full || r.Dropped != 0 {
			t.Errorf("top %d: %d of %d, at least %v, full %v, dropped %d", top, r.Total, n, r.AtLeast, r.Full, r.Dropped)
		}
		want := top
		if top == 0 {
			want = MaxMessages
		}
		if len(r.Messages) != want || r.Messages[want-1].End != r.Spans[0].Last {
			t.Errorf("top %d: %d messages are told, the last of %v; the log ends %v", top, len(r.Messages), r.Messages[len(r.Messages)-1].End, r.Spans[0].Last)
		}
	}
}

// TestManyAtOnce is the same for messages of one moment, of which none is the oldest.
func TestManyAtOnce(t *testing.T) {
	var b strings.Builder
	for i := range maxSeeds + 10 {
		fmt.Fprintf(&b, "2026-09-14T08:00:00+00:00 mx1 postfix/qmgr[1]: 4C%08X: from=<bob@example.net>, size=1, nrcpt=1 (queue active)\n", i)
	}
	if r := traced(t, logInput("mail.log", []byte(b.String()), false), "bob@example.net", 20); r.Total != maxSeeds+10 || len(r.Messages) != 20 {
		t.Errorf("%d messages, %d told", r.Total, len(r.Messages))
	}
}

// TestManyRecipients holds that lines beyond the bound are counted.
func TestManyRecipients(t *testing.T) {
	in := delivered(maxLines+500, func(i int) (string, string, string) { return "4C1A2B3D01", fmt.Sprintf("u%d@example.net", i), "" })
	r := traced(t, in, "4C1A2B3D01", 20)
	if len(r.Messages) != 1 || len(r.Messages[0].Recipients) != maxLines || r.Dropped != 500 {
		t.Errorf("%d messages, dropped %d", len(r.Messages), r.Dropped)
	}
}

// TestChain holds that a message is followed from ID to ID, and that where it is not any
// more, this is said with the next of them.
func TestChain(t *testing.T) {
	const n = 3 * maxPasses
	id := func(i int) string { return fmt.Sprintf("4C%08X", i) }
	chain := func(n int) *Input {
		return delivered(n, func(i int) (string, string, string) { return id(i), "bob@example.net", ": queued as " + id(i+1) })
	}
	// What is a few lines further on is found at once.
	r := traced(t, chain(maxInBlock), id(0), 20)
	if len(r.Messages) != 1 || len(r.Messages[0].Legs) != maxInBlock || len(r.Unfollowed) != 0 {
		t.Errorf("forwards: %d messages, not followed %v", len(r.Messages), r.Unfollowed)
	}
	// What leads back takes a pass for each.
	r = traced(t, chain(n), id(n-1), 20)
	if len(r.Messages) != 1 || len(r.Unfollowed) != 1 {
		t.Fatalf("%d messages, not followed %v", len(r.Messages), r.Unfollowed)
	}
	next := r.Unfollowed[0]
	if legs := r.Messages[0].Legs; legs[0].Queue != next || len(legs) < maxPasses || legs[len(legs)-1].Queue != id(n-1) {
		t.Errorf("%d legs from %s, to be followed on %s", len(legs), legs[0].Queue, next)
	}
	// As many as there is room for, and how many there are besides.
	r = traced(t, delivered(2*maxLegs, func(i int) (string, string, string) {
		return "4C1A2B3D01", fmt.Sprintf("u%d@example.net", i), ": queued as " + id(i)
	}), "4C1A2B3D01", 20)
	if len(r.Messages) != 1 || len(r.Messages[0].Lines) != 2*maxLegs || r.Dropped != 0 {
		t.Errorf("%d messages, dropped %d", len(r.Messages), r.Dropped)
	}
}

// TestNamesAlike holds that of names that all begin alike each is found, and nothing else.
func TestNamesAlike(t *testing.T) {
	var names []needle
	for i := range 4000 {
		names = append(names, needle{fmt.Sprintf("000000%04X", 2*i), false})
	}
	text := []byte(strings.Repeat("00000 0000001000\n0000000FFF\n000000000\n", 50))
	if got, want := found(newGrams(names), text), foundSlow(text, names); !slices.Equal(got, want) || len(got) != 50 {
		t.Errorf("%d lines, want %d", len(got), len(want))
	}
}
