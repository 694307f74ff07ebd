package incident

import (
	"fmt"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func show(in *Incident) string {
	m := &in.Impact
	return fmt.Sprintf("%s %s %s %s–%s %s open %v/%v party %q scope %s causes %v def %d bnc %d rej %d auth %d brk %d rcpt %d dom %d late %d lost %d queued %d vanished %d score %.0f expected %.1f",
		in.Kind, in.Direction, in.Cause, in.Start.Format("02 15:04:05"), in.End.Format("02 15:04:05"), in.Status, in.OpenStart, in.OpenEnd, in.Party, in.Scope, in.Causes,
		m.Deferred, m.Bounced, m.Rejected, m.Logins, m.Broken, m.Recipients, m.Domains, m.DeliveredLate, m.Lost, m.Queued, m.Vanished, in.Usual.Score, in.Usual.Expected)
}

// planted are incidents, how they are to be told of, and how many lines of the day's own noise
// may look exactly like theirs.
var planted = []struct {
	days.Plan
	kind      Kind
	direction smtp.Direction
	cause     knowledge.Cause
	party     string // of Postfix; an Exim log tells no relay that refuses us, and no filter
	scope     Scope
	noise     int64
}{
	{days.Plan{What: days.Throttle, At: 8*hour + 12*mins, Long: 95 * mins, Hosts: []int{days.Microsoft}, Share: 0.8}, Failures, smtp.Outbound, knowledge.RateLimited, "Microsoft", One, 0},
	{days.Plan{What: days.Throttle, At: 2*hour + 12*mins, Long: 95 * mins, Hosts: []int{days.Yahoo}, Share: 0.8}, Failures, smtp.Outbound, knowledge.RateLimited, "Yahoo", One, 0},
	{days.Plan{What: days.DNS, At: 14*hour + 2*mins, Long: 23 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.DomainNotFound, "", All, 0},
	{days.Plan{What: days.DNS, At: 3*hour + 2*mins, Long: 40 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.DomainNotFound, "", All, 0},
	{days.Plan{What: days.Blocklist, At: 11 * hour, Long: 70 * mins, Hosts: []int{days.Microsoft, days.GMX}, Share: 1}, Failures, smtp.Outbound, knowledge.Blocklisted, "", Several, 0},
	{days.Plan{What: days.Blocklist, At: 11 * hour, Long: 70 * mins, Hosts: []int{days.GMX}, Share: 1}, Failures, smtp.Outbound, knowledge.Blocklisted, "GMX/web.de/IONOS", One, 0},
	{days.Plan{What: days.RemoteDown, At: 10 * hour, Long: 120 * mins, Hosts: []int{days.Google}, Share: 1}, Failures, smtp.Outbound, knowledge.Connection, "Google", One, 1},
	{days.Plan{What: days.RemoteDown, At: 5 * hour, Long: 12 * hour, Hosts: []int{days.GMX + 3}, Share: 1}, Failures, smtp.Outbound, knowledge.Connection, "firm2.example", One, 1},
	{days.Plan{What: days.TLS, At: 16 * hour, Long: 50 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.TLS, "", All, 0},
	{days.Plan{What: days.FullBoxes, At: 15 * hour, Long: 90 * mins, Hosts: []int{days.Yahoo}, Share: 0.7}, Failures, smtp.Outbound, knowledge.MailboxFull, "Yahoo", One, 2},
	{days.Plan{What: days.Greylisting, At: 13 * hour, Long: 60 * mins, Share: 0.8}, Failures, smtp.Outbound, knowledge.Greylisted, "", All, 3},
	{days.Plan{What: days.RelayLogin, At: 7 * hour, Long: 60 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.Login, "isp.example", One, 0},
	{days.Plan{What: days.FilterDown, At: 17 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.Connection, "127.0.0.1", One, 1},
	{days.Plan{What: days.BruteForce, At: 20 * hour, Long: 45 * mins, Share: 20}, Logins, smtp.Inbound, knowledge.Login, "", All, 6},
	{days.Plan{What: days.SpamWave, At: 21 * hour, Long: 45 * mins, Share: 20}, Failures, smtp.Inbound, knowledge.Blocklisted, "", All, 10},
	{days.Plan{What: days.DiskFull, At: 12 * hour, Long: 25 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.ServerTrouble, "", All, 0},
	{days.Plan{What: days.MilterDown, At: 12 * hour, Long: 25 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.ServerTrouble, "", All, 0},
	{days.Plan{What: days.CertExpired, At: 12 * hour, Long: 65 * mins, Share: 0.7}, Sessions, smtp.Inbound, knowledge.TLS, "", All, 0},
	{days.Plan{What: days.SpamRun, At: 1 * hour, Long: 25 * mins, Share: 20}, Failures, smtp.Outbound, knowledge.SpamContent, "", All, 0},
	{days.Plan{What: days.DeadList, At: 9*hour + 30*mins, Long: 25 * mins, Share: 20}, Failures, smtp.Outbound, knowledge.RecipientUnknown, "", All, 3},
	{days.Plan{What: days.ThrottleGoogle, At: 10 * hour, Long: 80 * mins, Hosts: []int{days.Google}, Share: 0.7}, Failures, smtp.Outbound, knowledge.RateLimited, "Google", One, 0},
	{days.Plan{What: days.ThrottleYahoo, At: 18 * hour, Long: 100 * mins, Hosts: []int{days.Yahoo}, Share: 0.9}, Failures, smtp.Outbound, knowledge.Reputation, "Yahoo", One, 0},
	{days.Plan{What: days.Handshake, At: 9 * hour, Long: 100 * mins, Hosts: []int{days.GMX}, Share: 1}, Failures, smtp.Outbound, knowledge.TLS, "GMX/web.de/IONOS", One, 0},
	{days.Plan{What: days.MailboxDown, At: 10 * hour, Long: 40 * mins, Share: 1}, Failures, smtp.Outbound, knowledge.Connection, "corp.example", One, 1},
	{days.Plan{What: days.QuotaHere, At: 16 * hour, Long: 40 * mins, Share: 1}, Failures, smtp.Internal, knowledge.MailboxFull, "", All, 1},
	{days.Plan{What: days.LookupFailure, At: 14 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.ServerTrouble, "", All, 0},
	{days.Plan{What: days.ConfigError, At: 14 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.ServerTrouble, "", All, 0},
	{days.Plan{What: days.AccessDenied, At: 14 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.Policy, "", All, 0},
	{days.Plan{What: days.UsersUnknown, At: 14 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.RecipientUnknown, "", All, 0},
	{days.Plan{What: days.OursDenied, At: 14 * hour, Long: 30 * mins, Share: 1}, Failures, smtp.Inbound, knowledge.RelayDenied, "", All, 1},
}

// near holds that a figure is the truth's, or more by no more than the noise.
func near64(t *testing.T, what string, got, want, noise int64) {
	t.Helper()
	if got < want || got > want+noise {
		t.Errorf("%s: %d, want %d and at most %d more", what, got, want, noise)
	}
}

func holds(t *testing.T, in *Incident, tr *days.Truth, noise int64) {
	t.Helper()
	m := &in.Impact
	near64(t, "deferred", m.Deferred, tr.Deferred, noise)
	near64(t, "bounced", m.Bounced, tr.Bounced, noise)
	near64(t, "rejected", m.Rejected, tr.Rejected, noise)
	near64(t, "logins", m.Logins, tr.Auth, noise)
	near64(t, "broken", m.Broken, tr.Broken, noise)
	near64(t, "recipients", m.Recipients, tr.Recipients, noise)
	near64(t, "domains", m.Domains, tr.Domains, noise)
	near64(t, "delivered late", m.DeliveredLate, tr.DeliveredLate, noise)
	near64(t, "queued", m.Queued, tr.Queued, noise)
	minutes := func(a, b time.Time) int { return int(a.Sub(b).Abs().Round(time.Second) / time.Minute) }
	if d := minutes(in.Start, tr.First); d > 1 {
		t.Errorf("it began at %s, want %s", in.Start, tr.First)
	}
	if d := minutes(in.End, tr.Last); d > 1 {
		t.Errorf("it ended at %s, want %s", in.End, tr.Last)
	}
}

// Each kind of incident is found, in both formats, and nothing else; its figures are true.
func TestPlanted(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		for i, p := range planted {
			t.Run(fmt.Sprint(format, " ", p.What, " ", i), func(t *testing.T) {
				t.Parallel()
				o := days.Options{Format: format, Seed: uint64(i + 1), Plans: []days.Plan{p.Plan}}
				if p.party == "firm2.example" {
					o.PerDay = 20000 // so that it gets a few messages an hour
				}
				log, truths := write(t, o)
				r := find(t, log, format, nil)
				if len(r.Incidents) != 1 {
					for _, in := range r.Incidents {
						t.Log(show(in))
					}
					t.Fatalf("%d incidents, want 1: %+v", len(r.Incidents), truths[0])
				}
				in := r.Incidents[0]
				if format == "exim" && p.What == days.MailboxDown {
					p.direction = smtp.Internal // it tells no host
				}
				if in.Kind != p.kind || in.Direction != p.direction || in.Cause != p.cause || in.Status != Recovered || in.OpenStart || in.OpenEnd {
					t.Error("not what it is:", show(in))
				}
				if format == "postfix" && (in.Party != p.party || in.Scope != p.scope) {
					t.Error("not with whom it is:", show(in))
				}
				holds(t, in, &truths[0], p.noise)
				if len(in.Evidence) < 3 || len(in.Replies) == 0 || len(in.Timeline.Buckets) < 5 || len(in.Commands) < 3 {
					t.Errorf("%d lines of evidence, %d replies, %d buckets, %d commands", len(in.Evidence), len(in.Replies), len(in.Timeline.Buckets), len(in.Commands))
				}
				if in.Kind == Failures && in.Example == nil {
					t.Error("no example")
				}
			})
		}
	}
}
