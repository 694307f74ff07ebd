package live

import (
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
		f := newFlows(w.base)
		party, _ := w.owner([]byte(h))
		f.of(party)
		if !f.marked(mark([]byte(h))) {
			t.Errorf("%q is not marked as one of %q", h, party)
		}
		if f.marked(mark([]byte("mx.other.example"))) {
			t.Errorf("%q marks all", h)
		}
	}
	f := newFlows(w.base)
	for _, h := range hosts {
		for range maxGone {
			party, _ := w.owner([]byte(h))
			f.drop(f.of(party))
		}
	}
	f.of("customer.example")
	f.of("Google")
	marks := 0
	for _, h := range hosts {
		if f.marked(mark([]byte(h))) {
			marks++
		}
	}
	if marks == len(hosts) || !f.marked(mark([]byte("mx.customer.example"))) || !f.marked(mark([]byte("aspmx.l.google.com"))) {
		t.Errorf("of those that are gone, %d of %d are marked", marks, len(hosts))
	}
}
