package classify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
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

// manyTexts are ten thousand different replies: what the rules' samples say, each of many
// addresses.
func manyTexts() (all []*smtp.Event) {
	rules := knowledge.Load().Rules
	for i := 0; len(all) < 10000; i++ {
		if r := &rules[i%len(rules)]; !r.Own {
			text := fmt.Sprintf("%s (id %d)", strings.ReplaceAll(r.Sample.Text, "192.0.2.1", fmt.Sprintf("192.0.2.%d", i%256)), i)
			all = append(all, reply(r.Sample.Stage, text))
		}
	}
	return all
}

// What a log of failures alone costs a reply: known is as in a log that says them again
// and again, new as in one that says nothing twice.
func BenchmarkManyTexts(b *testing.B) {
	all := manyTexts()
	b.Run("known", func(b *testing.B) {
		var replies []smtp.Reply // in one run of memory, as a log's lines are, and one event for all
		for _, ev := range all {
			replies = append(replies, ev.Reply)
		}
		ev := *all[0]
		for i := 0; b.Loop(); i++ {
			ev.Reply = replies[i%len(replies)]
			Event(&ev)
		}
	})
	b.Run("new", func(b *testing.B) {
		c := Default()
		for i := 0; b.Loop(); i++ {
			ev := all[i*7919%len(all)]
			c.m.match(&Said{Code: ev.Reply.Code, Enhanced: ev.Reply.Enhanced, Text: ev.Reply.Text}, ev.Reply.Text, false)
		}
	})
}

// What stands in angle brackets is nothing to the cache, as it is nothing to a search; what
// only looks like it is.
func TestCacheBrackets(t *testing.T) {
	c := New(knowledge.Load())
	inside := []string{"a@example.com", "x", "user unknown", "550-5.7.1 blocked", "550 5.1.1 no such user", "spam", "\"a b\"@c", "a b c", "mailbox full>", ""}
	same := 0
	for _, ev := range manyTexts()[:3000] {
		text := string(ev.Reply.Text)
		for cut := 3; cut <= len(text); cut += 7 {
			var hash uint64
			var first Annotation
			for i, s := range inside {
				ev := *ev
				ev.Reply.Text = []byte(text[:cut] + "<" + s + ">" + text[cut:])
				got := c.Reply(saidBy(&ev, speaker(&ev)))
				h := c.cache.text(ev.Reply.Text)
				if i == 0 {
					hash, first = h, got
				} else if h == hash {
					same++
					if got != first {
						t.Fatalf("%q is %v, with <%s> %v", ev.Reply.Text, got, inside[0], first)
					}
				}
			}
		}
	}
	if same == 0 {
		t.Error("no two texts were the same to the cache")
	}
}

// The cache answers what a search does.
func TestCacheAgrees(t *testing.T) {
	c := New(knowledge.Load())
	for range 2 {
		for _, ev := range manyTexts()[:3000] {
			for _, stage := range []smtp.Stage{smtp.StageNone, smtp.StageRCPT} {
				for _, host := range []string{"", "mx.google.com"} {
					ev := *ev
					ev.Stage, ev.Peer.Name = stage, []byte(host)
					want := c.Reply(saidBy(&ev, speaker(&ev)))
					if got, _ := c.Event(&ev); got != want {
						t.Fatalf("%s %q from %q: the cache says %v, a search %v", stage, ev.Reply.Text, host, got, want)
					}
				}
			}
		}
	}
}
