package session

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Whatever comes in whatever order, every session that began ends once, and what ties
// the sessions and the messages to each other holds.
func TestAnyOrder(t *testing.T) {
	pick := rand.New(rand.NewPCG(1, 2))
	word := func(words ...string) []byte {
		if w := words[pick.IntN(len(words))]; w != "" {
			return []byte(w)
		}
		return nil
	}
	var total int64
	a := NewAssembler(Options{Exchanges: true, Envelopes: true}, func(*Session) { total++ })
	at := time.Unix(1e9, 0)
	for range 200_000 {
		ev := smtp.Event{
			Kind: smtp.Kind(pick.IntN(smtp.NumKinds)), Format: smtp.Format(pick.IntN(4)), Direction: smtp.Direction(pick.IntN(4)),
			Stage: smtp.Stage(pick.IntN(smtp.NumStages)), Outcome: smtp.Outcome(pick.IntN(smtp.NumOutcomes)), Failed: pick.IntN(2) == 0,
			Session: word("", "", "1"), Queue: word("", "4C1A000001", "4C1A000002", "4C1A000003"), MessageID: word("", "1@example.org", "2@example.org"),
			Peer:     smtp.Peer{IP: word("", "192.0.2.1", "127.0.0.1"), Port: uint16(pick.IntN(2))},
			QueuedAs: word("", "", "4C1A000001", "4C1A000002", "4C1A000003"), Related: word("", "", "4C1A000001", "4C1A000003"),
			Text: word("", "PASS OLD", "DNSBL rank", "lost connection", "timed out"), ConnUse: int32(pick.IntN(3)),
			Commands: word("", "ehlo=1 mail=1 data=0/1 commands=2/3", "ehlo=1 data=2 quit=1 commands=4"),
			Reply:    smtp.Reply{Code: smtp.Code([]int{0, 221, 250, 421, 550}[pick.IntN(5)])}, Recipients: int32(pick.IntN(2)),
		}
		ev.Process, ev.PID = word("smtpd", "smtpd", "postscreen", "cleanup", "smtp"), uint32(pick.IntN(4))
		at = at.Add(time.Duration(pick.IntN(20)-2) * time.Second)
		if ev.Time = at; pick.IntN(50) == 0 {
			ev.Time = time.Time{}
		}
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
		if pick.IntN(1000) == 0 {
			a.EndOfFile()
		}
	}
	a.Close()
	if a.open.Len() != 0 || a.current.Len() != 0 || len(a.spare) != len(a.slab) || a.connects.oldest != nil || a.implied.oldest != nil {
		t.Errorf("left open: %d sessions, %d processes; %d of %d places are free", a.open.Len(), a.current.Len(), len(a.spare), len(a.slab))
	}
	if total == 0 || total > a.number {
		t.Errorf("%d sessions ended, %d began", total, a.number)
	}
	n := 0
	for place := range a.messages.lists {
		for i := a.messages.lists[place].head; i != none; i = a.messages.slab[i].next {
			if n++; int(a.messages.slab[i].place) != place {
				t.Errorf("message %d is on list %d and says %d", i, place, a.messages.slab[i].place)
			}
		}
	}
	if n+len(a.messages.free) != len(a.messages.slab) {
		t.Errorf("%d messages on lists and %d free places of %d", n, len(a.messages.free), len(a.messages.slab))
	}
	if m := a.Messages(); m.Received < 0 || m.Sent < 0 || m.Deferred < 0 || m.Bounced < 0 || m.Queued < 0 || m.Waiting > m.Queued {
		t.Errorf("got %+v", m)
	}
}
