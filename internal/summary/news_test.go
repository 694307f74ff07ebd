package summary

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestGTest holds the test against values worked out by hand.
func TestGTest(t *testing.T) {
	for _, c := range []struct{ a, ofA, b, ofB, want float64 }{
		{10, 100, 10, 100, 0}, {0, 100, 10, 100, 20 * math.Ln2}, {10, 100, 0, 100, 20 * math.Ln2},
		{5, 50, 10, 100, 0}, {10, 100, 30, 100, 2 * (10*math.Log(0.5) + 30*math.Log(1.5))},
	} {
		if got := gTest(c.a, c.ofA, c.b, c.ofB); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v of %v and %v of %v: %v, want %v", c.a, c.ofA, c.b, c.ofB, got, c.want)
		}
	}
}

// day is one with so many deliveries, and of them so many failures of each cause.
func day(deliveries int, failures map[knowledge.Cause]int) *Summary {
	s := New()
	s.CountWordings()
	for cause, n := range failures {
		for range n {
			ev := refused("mx.example.net", "u@example.net", 550)
			ev.Reply.Text = []byte("no: " + cause.ID()[:3])
			s.Event(ev, &Note{Cause: cause, Severity: knowledge.Error}, hostKey("mx.example.net"), noSample)
			deliveries--
		}
	}
	for range deliveries {
		s.Event(&smtp.Event{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Sent, Head: smtp.Head{Time: noon}}, nil, 0, noSample)
	}
	s.Coverage.Lines, s.Coverage.Understood = 1, 1
	return s
}

// TestAgainst holds what is told and what is not.
func TestAgainst(t *testing.T) {
	type m = map[knowledge.Cause]int
	for name, c := range map[string]struct {
		old, now *Summary
		want     []string
	}{
		"the same":            {day(1000, m{knowledge.Policy: 20}), day(1000, m{knowledge.Policy: 20}), nil},
		"half of the mail":    {day(1000, m{knowledge.Policy: 20}), day(500, m{knowledge.Policy: 10}), nil},
		"a few":               {day(1000, m{}), day(1000, m{knowledge.Policy: 4}), nil},
		"by chance":           {day(1000, m{knowledge.Policy: 20}), day(1000, m{knowledge.Policy: 33}), nil},
		"another cause":       {day(1000, m{knowledge.Policy: 40}), day(1000, m{knowledge.Policy: 40, knowledge.Blocklisted: 30}), []string{"cause blocklisted", "wording blocklisted"}},
		"one that is over":    {day(1000, m{knowledge.Policy: 40, knowledge.Loop: 30}), day(1000, m{knowledge.Policy: 40}), []string{"cause loop"}},
		"three times as many": {day(1000, m{knowledge.Policy: 40}), day(1000, m{knowledge.Policy: 120}), []string{"rate sent", "rate bounced", "cause policy", "peer example.net"}},
		"nothing before":      {New(), day(100, m{knowledge.Policy: 50}), nil},
	} {
		news := c.now.Against(c.old)
		var got []string
		for _, n := range news.News {
			got = append(got, n.Kind.String()+" "+n.Peer+map[bool]string{true: n.Cause.ID()}[n.Kind == NewCause || n.Kind == NewWording]+n.Outcome.String())
			if n.Chance >= maxChance || n.G <= 0 {
				t.Errorf("%s: %+v", name, n)
			}
		}
		for _, want := range c.want {
			if len(got) != len(c.want) || !contains(got, want) {
				t.Errorf("%s: %v, want %v", name, got, c.want)
			}
		}
		if len(c.want) == 0 && len(got) > 0 {
			t.Errorf("%s: %v is told as new", name, got)
		}
		if (name == "nothing before") != (len(news.Unmeasured) == 1) {
			t.Errorf("%s: %v was not compared", name, news.Unmeasured)
		}
	}
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}

// TestAgainstChance: where nothing is new but what chance makes of one and the same rate, next
// to nothing is told in hundreds of comparisons.
func TestAgainstChance(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	drawn := func() *Summary {
		failures := map[knowledge.Cause]int{}
		for range 500 {
			if c := random.IntN(200); c < 20 {
				failures[knowledge.Causes()[c+5]]++
			}
		}
		return day(500, failures)
	}
	told := 0
	for range 100 {
		if len(drawn().Against(drawn()).News) > 0 {
			told++
		}
	}
	if told > 1+3 { // maxChance of them, and some for luck
		t.Errorf("something was told in %d of 100 comparisons of like with like", told)
	}
}
