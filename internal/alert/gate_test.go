package alert

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestParseLimit(t *testing.T) {
	for s, want := range map[string]Limit{
		"2%": {Text: "2%", IsShare: true, Share: 0.02}, " 0% ": {Text: "0%", IsShare: true}, "0": {Text: "0"}, "10": {Text: "10", Count: 10},
	} {
		if got, err := ParseLimit(s); err != nil || got != want {
			t.Errorf("%q: %+v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "-1", "0.5", "101%", "many", "%", "1e3", "99999999999999999999"} {
		if _, err := ParseLimit(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}

func TestGate(t *testing.T) {
	var sent []string
	add := func(what string, n int) {
		for range n {
			sent = append(sent, what)
		}
	}
	add("sent", 14)
	add("deferred", 4)
	add("blocklisted", 2) // bounced
	add("attempt", 5)     // decides nothing
	add("received", 6)
	add("rejected", 2)
	add("login", 3)
	limit := func(s string) Limit {
		l, err := ParseLimit(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for _, c := range []struct {
		m         Most
		sample    int64
		strangers bool
		want      string // count/of, judged, over
	}{
		{Most{Outcome: smtp.Deferred, Limit: limit("20%")}, 20, false, "4/20 true false"},
		{Most{Outcome: smtp.Deferred, Limit: limit("19.9%")}, 20, false, "4/20 true true"},
		{Most{Outcome: smtp.Deferred, Limit: limit("1%")}, 21, false, "4/20 false false"},
		{Most{Outcome: smtp.Deferred, Limit: limit("3")}, 21, false, "4/20 true true"},
		{Most{Outcome: smtp.Bounced, Limit: limit("2")}, 20, false, "2/20 true false"},
		{Most{Outcome: smtp.Rejected, Limit: limit("20%")}, 8, false, "2/8 true true"},
		{Most{Cause: knowledge.Blocklisted, Limit: limit("0")}, 20, false, "2/20 true true"},
		{Most{Cause: knowledge.RecipientUnknown, Limit: limit("0")}, 20, false, "0/20 true false"}, // strangers
		{Most{Cause: knowledge.RecipientUnknown, Limit: limit("0")}, 20, true, "2/20 true true"},
		{Most{Cause: knowledge.Login, Limit: limit("2")}, 20, false, "3/20 true true"},
	} {
		tally := &Tally{Strangers: c.strangers}
		for _, what := range sent {
			s := says[what]
			ev := smtp.Event{Kind: s.kind, Outcome: s.outcome, Direction: s.direction, Failed: s.kind == smtp.KindAuth, Reply: smtp.ParseReply([]byte(s.reply))}
			a := &classify.Annotation{Cause: s.cause, Severity: knowledge.Load().Severity(s.cause, s.direction == smtp.Inbound, ev.Reply.Code.Transient())}
			if s.reply == "" {
				a = nil
			}
			tally.Event(&ev, a)
		}
		g := Gate{Most: []Most{c.m}, Least: 15, Sample: c.sample}
		found, few := g.Judge(tally)
		f := found[0]
		if diff := cmp.Diff(c.want, fmt.Sprintf("%d/%d %v %v", f.Count, f.Of, f.Judged, f.Over)); diff != "" || !few {
			t.Errorf("%s %s: %s", c.m.Name(), c.m.Limit.Text, diff)
		}
	}
	var none Tally
	if found, few := (&Gate{Most: []Most{{Outcome: smtp.Deferred, Limit: limit("0%")}}}).Judge(&none); found[0].Over || few || found[0].Share() != 0 {
		t.Errorf("an empty log is over a limit: %+v", found)
	}
}
