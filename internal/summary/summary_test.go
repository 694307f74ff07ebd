package summary

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var noon = time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC)

// refused is a delivery that a host refused for good.
func refused(host, to string, code smtp.Code) *smtp.Event {
	return &smtp.Event{
		Kind: smtp.KindDelivery, Direction: smtp.Outbound, Stage: smtp.StageRCPT, Outcome: smtp.Bounced, Failed: true, Head: smtp.Head{Time: noon},
		Peer: smtp.Peer{Name: []byte(host)}, To: []byte(to), Reply: smtp.Reply{Code: code, Enhanced: smtp.EnhancedCode{5, 1, 1}},
	}
}

// hostKey stands for the hash that the session's keys hold.
func hostKey(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range []byte(name) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h &^ 3
}

func noSample() Sample { return Sample{File: "mail.log", Line: 7, Text: "line"} }

func TestEvent(t *testing.T) {
	s := New()
	note := &Note{Cause: knowledge.RecipientUnknown, Severity: knowledge.Error}
	for i := range 3 {
		ev := refused("mx.example.net", fmt.Sprintf("u%d@example.net", i%2), 550)
		ev.Time = noon.Add(time.Duration(i) * time.Hour)
		s.Event(ev, note, hostKey("mx.example.net"), noSample)
	}
	ev := refused("mx.example.org", "x@example.org", 550)
	ev.Repeat = 4 // the log folded five of them
	s.Event(ev, note, hostKey("mx.example.org"), noSample)

	causes := s.Causes()
	if len(causes) != 1 || causes[0].Count != 8 || causes[0].Recipients() != 3 || causes[0].Sample.Line != 7 {
		t.Fatalf("causes %+v", causes[0])
	}
	if !causes[0].First.Equal(noon) || !causes[0].Last.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("from %v to %v", causes[0].First, causes[0].Last)
	}
	if causes[0].Hosts()["mx.example.net"] != 3 || causes[0].Hosts()["mx.example.org"] != 5 {
		t.Errorf("hosts %v", causes[0].Hosts())
	}
	if r := s.Replies(); len(r) != 1 || r[0].Count != 8 || r[0].Code != 550 {
		t.Errorf("replies %+v", r)
	}
	if s.Deliveries[smtp.Bounced] != 8 {
		t.Errorf("%d bounced", s.Deliveries[smtp.Bounced])
	}
	if p := s.Peers(); len(p) != 2 || p[0].Name != "example.org" || p[0].Deliveries[smtp.Bounced] != 5 {
		t.Errorf("peers %+v", p)
	}
}

// TestAttemptIsNoCause: a try at one host that failed is a reply, but no recipient's fate.
func TestAttemptIsNoCause(t *testing.T) {
	s := New()
	ev := refused("mx1.example.net", "", 450)
	ev.Kind, ev.Outcome = smtp.KindAttempt, smtp.OutcomeNone
	s.Event(ev, &Note{Cause: knowledge.Greylisted}, 1<<8, noSample)
	if len(s.Causes()) != 0 || len(s.Replies()) != 1 {
		t.Errorf("%d causes, %d replies", len(s.Causes()), len(s.Replies()))
	}
}

func TestSession(t *testing.T) {
	s := New()
	s.Session(smtp.Inbound, smtp.EndQuit, true, noon, Note{Cause: knowledge.InProgress})
	s.Session(smtp.Inbound, smtp.EndLost, false, noon, Note{})
	s.Session(smtp.Outbound, smtp.EndQuit, false, noon, Note{})
	if s.Sessions[0].Total != 2 || s.Sessions[0].Ended[smtp.EndLost] != 1 || s.Sessions[1].Total != 1 {
		t.Errorf("%+v", s.Sessions)
	}
	r := s.Replies()
	if len(r) != 1 || r[0].Code != 221 || r[0].Stage != smtp.StageQUIT || !r[0].Inferred {
		t.Errorf("%+v", r)
	}
}

// TestBounds: whatever strangers send, tables stay small, and what did not fit is told.
func TestBounds(t *testing.T) {
	s := New()
	n := int64(3 * maxNames)
	for i := range n {
		host := fmt.Sprintf("h%d.example.net", i)
		s.Event(refused(host, host, smtp.Code(500+i%100)), &Note{Cause: knowledge.Cause(i % 30)}, hostKey(host), noSample)
		s.Event(refused("often.example.net", "x", 550), &Note{Cause: knowledge.Policy}, hostKey("often.example.net"), noSample)
	}
	if len(s.peers.counts) > maxNames || len(s.causes) > maxCauses || len(s.replies) > maxReplies {
		t.Errorf("%d peers, %d causes, %d replies", len(s.peers.counts), len(s.causes), len(s.replies))
	}
	var kept int64
	for i := range s.peers.counts {
		kept += s.peers.counts[i].total()
	}
	if kept+s.Dropped.Peers != 2*n {
		t.Errorf("%d lines about peers kept, %d given up, of %d", kept, s.Dropped.Peers, 2*n)
	}
	if p := s.Peers(); p[0].Name != "example.net" {
		t.Errorf("first peer %+v", p[0])
	}
	var counted int64
	for _, c := range s.causes {
		counted += c.Count
		if len(c.Hosts()) > causePeers+1 {
			t.Errorf("a cause with %d hosts", len(c.Hosts()))
		}
	}
	if counted+s.Dropped.Causes != 2*n {
		t.Errorf("%d counted by cause, %d dropped, of %d", counted, s.Dropped.Causes, 2*n)
	}
}

func TestDomain(t *testing.T) {
	for host, want := range map[string]string{
		"mx1.mail.example.com": "example.com", "a.b.example.co.uk": "example.co.uk", "192.0.2.7": "192.0.2.7", "2001:db8::1": "2001:db8::1", "localhost": "localhost", "": "",
	} {
		if got := Domain(host); got != want {
			t.Errorf("Domain(%q) = %q, want %q", host, got, want)
		}
	}
}

// TestAllocations: a line of a kind that was seen before costs none.
func TestAllocations(t *testing.T) {
	s := New()
	ev := refused("mx.example.net", "u@example.net", 550)
	note := &Note{Cause: knowledge.RecipientUnknown}
	if n := testing.AllocsPerRun(100, func() { s.Event(ev, note, 1<<8, noSample) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSameInEachRun holds that the seed of the hashes, which is another in each run, does not
// show in the table of peers, however full it is.
func TestSameInEachRun(t *testing.T) {
	var want []PeerRow
	for seed := range uint64(2) {
		s := New()
		for i := range 6 * maxNames {
			host := fmt.Sprintf("a%d.example", i/2-i%2*1500) // every second one came a while ago
			s.Event(refused(host, "x", 550), &Note{Cause: knowledge.Policy}, hostKey(host)>>(7*seed)|1<<63, noSample)
		}
		got := s.Peers()
		if seed == 0 {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%d peers with one seed, %d with another, or others", len(want), len(got))
		}
	}
}
