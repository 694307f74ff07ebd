package classify

import (
	"fmt"
	"sync"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Knowledge that does not win its own sample is knowledge that nobody ever sees.
func TestEveryEntryWinsItsSample(t *testing.T) {
	base := knowledge.Load()
	for i := range base.Entries {
		if e := &base.Entries[i]; e.Sample != nil {
			checkSample(t, e.ID, e.Sample, knowledge.EntryID(i))
		}
	}
	for i := range base.Rules {
		r := &base.Rules[i]
		checkSample(t, r.ID, &r.Sample, r.Entry)
		if r.Sample.Text == "" {
			t.Errorf("rule %s has no sample", r.ID)
		}
	}
	for i := range base.Codes {
		for _, c := range base.Codes[i].Contexts {
			if e := base.Entry(c.Entry); e.Sample.Text == "" {
				t.Errorf("context %s has no sample", e.ID)
			}
		}
	}
}

func checkSample(t *testing.T, id string, sample *knowledge.Sample, want knowledge.EntryID) {
	s := SaidOf(sample)
	if got := Reply(&s); got.Entry != want {
		t.Errorf("%s: its sample %q is won by %s; move the rule or the context, or write a better sample", id, sample.Text, entry(got))
	}
}

// A code and an enhanced code that stand alone get their own entries.
func TestEveryCodeHasItsEntry(t *testing.T) {
	base := knowledge.Load()
	for _, c := range base.Codes {
		if got := Reply(&Said{Code: c.Code}); got.Entry != c.Entry {
			t.Errorf("%d gets %s", c.Code, base.Entry(got.Entry).ID)
		}
	}
	for _, e := range base.Enhanced {
		if e.Trust == knowledge.NoTrust {
			continue
		}
		code := e.Code
		code[0] = max(code[0], 5)
		if e.Code[0] == 4 {
			code[0] = 4
		}
		if got := Reply(&Said{Enhanced: code}); got.Entry != e.Entry || got.Basis != Enhanced {
			t.Errorf("%v gets %s by %s", code, base.Entry(got.Entry).ID, got.Basis)
		}
	}
}

// The set of phrases seen in a text has a bound.
func TestPhrasesFit(t *testing.T) {
	if n := len(Default().m.phrases); n > knowledge.MaxPhrases-knowledge.MaxOwnPhrases {
		t.Fatalf("%d phrases, and a user's rules may bring %d to the %d that there is room for: raise MaxPhrases", n, knowledge.MaxOwnPhrases, knowledge.MaxPhrases)
	}
}

// TestConcurrent holds that goroutines that share a cache, which is too small for what they
// ask, are all told the same as one alone.
func TestConcurrent(t *testing.T) {
	rules := knowledge.Load().Rules
	c := New(knowledge.Load())
	alone := make([]Annotation, 100*len(rules))
	event := func(i int) *smtp.Event {
		r := &rules[i%len(rules)]
		text := fmt.Appendf(nil, "%s %d", r.Sample.Text, i)
		return &smtp.Event{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Stage: r.Sample.Stage, Failed: true, Reply: smtp.ParseReply(text)}
	}
	for i := range alone {
		ev := event(i)
		alone[i] = c.Reply(saidBy(ev, speaker(ev)))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range alone {
				if a, _ := c.Event(event(i)); a != alone[i] {
					t.Errorf("%s: %+v, alone %+v", event(i).Reply.Text, a, alone[i])
				}
			}
		})
	}
	all.Wait()
}
