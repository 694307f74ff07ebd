package classify

import (
	"bytes"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func reply(stage smtp.Stage, text string) *smtp.Event {
	return &smtp.Event{Kind: smtp.KindAnswer, Direction: smtp.Outbound, Stage: stage, Reply: smtp.ParseReply([]byte(text))}
}

func TestNoAllocations(t *testing.T) {
	for _, ev := range []*smtp.Event{
		reply(smtp.StageDOT, "250 2.0.0 Ok: queued as 4XyZ"),
		reply(smtp.StageRCPT, "550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in local recipient table"),
		reply(smtp.StageRCPT, "550 5.7.1 Nobody knows why"),
		reply(smtp.StageRCPT, `550-5.1.1 There is no such\n550-5.1.1 user here\n550 5.1.1 Bye`),
		{Kind: smtp.KindLost, Failed: true, Stage: smtp.StageDATA},
	} {
		Event(ev)
		if n := testing.AllocsPerRun(100, func() { Event(ev) }); n != 0 {
			t.Errorf("%q: %v allocations", ev.Reply.Text, n)
		}
	}
}

var long = "550 5.7.1 " + string(bytes.Repeat([]byte("words that say nothing of a cause "), 6))[:190]

func BenchmarkEvent(b *testing.B) {
	for _, c := range []struct {
		name string
		ev   *smtp.Event
	}{
		{"positive", reply(smtp.StageRCPT, "250 2.1.5 Ok")},
		{"accepted", &smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Sent, Stage: smtp.StageDOT, Reply: smtp.ParseReply([]byte("250 2.0.0 Ok: queued as 4XyZ"))}},
		{"code only", reply(smtp.StageRCPT, "550")},
		{"user unknown", reply(smtp.StageRCPT, "550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in local recipient table")},
		{"200 bytes without a phrase", reply(smtp.StageDOT, long)},
		{"nothing", &smtp.Event{Kind: smtp.KindConnect}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				Event(c.ev)
			}
		})
	}
}
