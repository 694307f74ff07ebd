package incident

import (
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
)

// Incidents that overlap are told apart: of different causes, and of one cause with different
// providers at different times.
func TestOverlapping(t *testing.T) {
	plans := []days.Plan{
		throttle,
		{What: days.Throttle, At: 9*hour + 10*mins, Long: 110 * mins, Hosts: []int{days.Google}, Share: 0.9},
		{What: days.Blocklist, At: 8*hour + 40*mins, Long: 130 * mins, Hosts: []int{days.Yahoo}, Share: 1},
		{What: days.BruteForce, At: 8*hour + 30*mins, Long: 45 * mins, Share: 20},
		{What: days.CertExpired, At: 9 * hour, Long: 65 * mins, Share: 0.7},
	}
	for _, format := range []string{"postfix", "exim"} {
		log, truths := write(t, days.Options{Format: format, Seed: 11, Plans: plans})
		r := find(t, log, format, nil)
		if len(r.Incidents) != len(plans) {
			for _, in := range r.Incidents {
				t.Log(show(in))
			}
			t.Fatalf("%d incidents, want %d", len(r.Incidents), len(plans))
		}
		for i, want := range []struct {
			cause knowledge.Cause
			party string
			kind  Kind
		}{{knowledge.RateLimited, "Microsoft", Failures}, {knowledge.RateLimited, "Google", Failures}, {knowledge.Blocklisted, "Yahoo", Failures}, {knowledge.Login, "", Logins}, {knowledge.TLS, "", Sessions}} {
			found := false
			for _, in := range r.Incidents {
				if in.Cause == want.cause && in.Party == want.party && in.Kind == want.kind {
					found = true
					holds(t, in, &truths[i], 12)
				}
			}
			if !found {
				t.Errorf("%s: none of %v", format, want)
			}
		}
	}
}

// A month has one incident where one is planted, and a habit of each day is none.
func TestMonth(t *testing.T) {
	var plans []days.Plan
	for d := range 28 {
		// Each night somebody guesses passwords, and each morning a newsletter goes to an old list.
		plans = append(plans, days.Plan{What: days.BruteForce, At: day(d) + 2*hour, Long: 30 * mins, Share: 10},
			days.Plan{What: days.DeadList, At: day(d) + 9*hour, Long: 10 * mins, Share: 8})
	}
	habit := len(plans)
	plans = append(plans, days.Plan{What: days.DNS, At: 13*24*hour + 14*hour, Long: 40 * mins, Share: 1})
	log, truths := write(t, days.Options{Format: "postfix", Days: 28, PerDay: 1500, Seed: 5, Plans: plans})
	in := only(t, find(t, log, "postfix", nil))
	if in.Cause != knowledge.DomainNotFound {
		t.Error(show(in))
	}
	holds(t, in, &truths[habit], 0)
}

// What happened just before is told as what may have begun it: a restart, and a user who sends
// much more than ever.
func TestTriggers(t *testing.T) {
	log, _ := write(t, days.Options{Format: "postfix", Seed: 7, Plans: []days.Plan{{What: days.Restart, At: 14 * hour}, {What: days.DNS, At: 14*hour + 2*mins, Long: 23 * mins, Share: 1}}})
	in := only(t, find(t, log, "postfix", nil))
	if len(in.Triggers) == 0 || in.Triggers[0].What != Started && in.Triggers[0].What != StoppedMark || in.Triggers[0].Line.Text == "" {
		t.Errorf("%+v", in.Triggers)
	}
	log, _ = write(t, days.Options{Format: "postfix", Seed: 7, Plans: []days.Plan{{What: days.SpamRun, At: 14 * hour, Long: 25 * mins, Share: 20}}})
	in = only(t, find(t, log, "postfix", nil))
	spike := false
	for _, x := range in.Triggers {
		spike = spike || x.What == SenderSpike && x.Name == "karl@corp.example"
	}
	if !spike || len(in.Hit.Users) != 1 || in.Hit.Users[0].Name != "karl@corp.example" {
		t.Errorf("triggers %+v, users %+v", in.Triggers, in.Hit.Users)
	}
}

func day(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
