package incident

import (
	"bytes"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// An incident over midnight, at the turn of the year, in stamps without a year, and in two files,
// is one; and so is one of three minutes.
func TestOverTheTurnOfTheYear(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		for _, p := range []days.Plan{
			{What: days.DNS, At: 23*hour + 30*mins, Long: 70 * mins, Share: 1},
			{What: days.BruteForce, At: 23*hour + 50*mins, Long: 30 * mins, Share: 20},
			{What: days.DNS, At: 10 * hour, Long: 3 * mins, Share: 1},
		} {
			log, truths := write(t, days.Options{Format: format, Start: time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), Days: 2, PerDay: 12000, Seed: 9, Plans: []days.Plan{p}})
			half := bytes.Index(log, []byte("\nJan  1 ")) + 1
			if format == "exim" {
				half = bytes.Index(log, []byte("\n2026-01-01")) + 1
			}
			f := New(base())
			coverage := readIn(f, log[:half], format, "mail.log.1", 2025)
			readIn(f, log[half:], format, "mail.log", 2026)
			in := only(t, f.Report(coverage, nil))
			holds(t, in, &truths[0], 12)
		}
	}
}

// All that goes out goes to the provider's relay, which does not know us any more, or is not
// there.
func TestSmarthost(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		for what, cause := range map[days.What]knowledge.Cause{days.RelayDenied: knowledge.RelayDenied, days.RelayLogin: knowledge.Login, days.RemoteDown: knowledge.Connection} {
			log, truths := write(t, days.Options{Format: format, Relay: true, Seed: 4, Plans: []days.Plan{{What: what, At: 11 * hour, Long: 35 * mins, Share: 1}}})
			in := only(t, find(t, log, format, nil))
			if in.Cause != cause || in.Party != "isp.example" && format == "postfix" || in.Direction != smtp.Outbound {
				t.Error(format, what, show(in))
			}
			if format == "postfix" || what != days.RemoteDown { // Exim names no host that it cannot reach
				holds(t, in, &truths[0], 1)
			}
		}
	}
}

// Our own server refuses all that comes in, on a small server: each refusal is what strangers are
// told every day, and that nothing came in is told by them.
func TestAllRefused(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		for _, what := range []days.What{days.AccessDenied, days.UsersUnknown, days.OursDenied} {
			log, truths := write(t, days.Options{Format: format, PerDay: 1500, Seed: 5, Plans: []days.Plan{{What: what, At: 15 * hour, Long: 50 * mins, Share: 1}}})
			in := only(t, find(t, log, format, nil))
			if in.Kind != Failures || in.Direction != smtp.Inbound || in.Status != Recovered {
				t.Error(format, what, show(in))
			}
			holds(t, in, &truths[0], 3)
		}
	}
}
