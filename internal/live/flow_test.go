package live

import (
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// TestMarks holds that the last labels of a party's host are those by which it is marked.
func TestMarks(t *testing.T) {
	w := New(knowledge.Load(), nil)
	hosts := []string{
		"mx.customer.example", "MX2.Customer.Example.", "a.b.shop.co.uk", "192.0.2.7", "2001:db8::7", "localhost", "mx", "", ".", "a..b", "customer.example",
	}
	for _, p := range w.base.Providers {
		for _, h := range p.Hosts {
			hosts = append(hosts, h, "mx1."+h, "MX.Sub."+h+".")
		}
	}
	for _, h := range hosts {
		w := New(w.base, nil)
		w.flows.mark(w.partyOf(h), true)
		if !w.flows.marks.has(EndOf([]byte(h))) {
			t.Errorf("%q is not marked as one of %q", h, w.partyOf(h).name)
		}
		if w.flows.marks.has(EndOf([]byte("mx.other.example"))) {
			t.Errorf("%q marks all", h)
		}
	}
	f := w.flows
	for _, wait := range []bool{true, false} {
		for _, h := range hosts {
			f.mark(w.partyOf(h), wait)
			f.mark(w.partyOf(h), wait)
		}
	}
	if f.marks != (marks{}) {
		t.Error("marks are left of those to whom nothing fails")
	}
}

// partyOf is the party of a host.
func (w *Watch) partyOf(host string) *party {
	name, provider := w.owner([]byte(host))
	return w.parties.all[w.parties.named([]byte(name), provider)]
}

// TestEnds holds that an address ends like its domain, and a host like the domain that it is in, however
// it is written.
func TestEnds(t *testing.T) {
	for _, same := range [][]string{
		{"customer.example", "mx.customer.example", "MX1.A.B.Customer.EXAMPLE.", "anna@customer.example", "\"a.b\"@customer.example", "a@mx.customer.example"},
		{"t.co", "a@t.co", "mx.t.co", "x.y.t.co."},
		{"localhost", "root@localhost", "a.b@localhost"},
		{"a.very.long.label.indeed-it-is.example", "x@indeed-it-is.example", "zz.indeed-it-is.example"},
		{"1234567.example", "a@1234567.example", "b.1234567.example"},
		{"12345678.example", "a@12345678.example", "b.12345678.example"},
		{"", "."},
	} {
		for _, name := range same {
			if EndOf([]byte(name)) != EndOf([]byte(same[0])) {
				t.Errorf("%q does not end like %q", name, same[0])
			}
		}
	}
	if EndOf([]byte("a.customer.example")) == EndOf([]byte("a.customers.example")) {
		t.Error("all end alike")
	}
}

// TestEndsAnywhere holds that it does not matter for an end where in memory's words its labels stand.
func TestEndsAnywhere(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	seen := map[End]string{}
	for a := range 20 {
		for b := range 20 {
			name := letters[:a+1] + "." + letters[6-b%6:][:b+1]
			want := EndOf([]byte(name))
			if other, ok := seen[want]; ok && other != name {
				t.Logf("%q ends like %q", name, other) // of 400 some may
			}
			seen[want] = name
			for before := range 20 {
				for _, more := range []string{letters[:before] + ".", letters[:before] + "@", "x.y." + letters[:before] + "@", "A-." + letters[:before] + "."} {
					if got := EndOf([]byte(more + strings.ToUpper(name) + ".")); got != want {
						t.Fatalf("%q does not end like %q", more+name, name)
					}
				}
			}
		}
	}
	if len(seen) < 390 {
		t.Errorf("400 names have %d ends", len(seen))
	}
}
