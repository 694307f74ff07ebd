package incident

import (
	"bytes"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var throttle = days.Plan{What: days.Throttle, At: 8*hour + 12*mins, Long: 95 * mins, Hosts: []int{days.Microsoft}, Share: 0.8}

func only(t *testing.T, r *Report) *Incident {
	t.Helper()
	if len(r.Incidents) != 1 {
		for _, in := range r.Incidents {
			t.Log(show(in))
		}
		t.Fatalf("%d incidents, want 1", len(r.Incidents))
	}
	return r.Incidents[0]
}

// A log that begins inside an incident says so, and that it may be older.
func TestBeginsInside(t *testing.T) {
	log, truths := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}, From: 8*hour + 50*mins})
	in := only(t, find(t, log, "postfix", nil))
	if !in.OpenStart || in.OpenEnd || in.Status != Recovered {
		t.Error(show(in))
	}
	near64(t, "deferred", in.Impact.Deferred, truths[0].Deferred, 0)
}

// A log that ends inside one says that it goes on, what waits, and until when.
func TestEndsInside(t *testing.T) {
	log, truths := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}, Length: 9*hour + 10*mins})
	in := only(t, find(t, log, "postfix", nil))
	if in.OpenStart || !in.OpenEnd || in.Status != Ongoing || !in.Recovered.IsZero() {
		t.Error(show(in))
	}
	m := &in.Impact
	near64(t, "queued", m.Queued, truths[0].Queued, 0)
	if m.Queued == 0 || m.Lifetime != 5*24*hour || m.ExpireFirst.Before(in.Start.Add(m.Lifetime-hour)) || m.ExpireLast.Before(m.ExpireFirst) {
		t.Errorf("%+v", m)
	}
}

// Where nothing was tried since, it is not known whether it is over.
func TestUnknown(t *testing.T) {
	plan := days.Plan{What: days.RemoteDown, At: 8 * hour, Long: 3 * hour, Hosts: []int{days.Microsoft}, Share: 1}
	log, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{plan}, Length: 14 * hour})
	var kept []byte
	for line := range bytes.Lines(log) {
		if at := string(line[7:15]); at < "10:30" || !bytes.Contains(line, []byte("outlook.com")) {
			kept = append(kept, line...)
		}
	}
	in := only(t, find(t, kept, "postfix", nil))
	if in.Status != Unknown || !in.OpenEnd {
		t.Error(show(in))
	}
}

// A gap in the log is told, and is no flow that stopped.
func TestGap(t *testing.T) {
	log, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}, Gaps: [][2]time.Duration{{9 * hour, 9*hour + 40*mins}}})
	r := find(t, log, "postfix", nil)
	in := only(t, r)
	if len(r.Gaps) != 1 || !r.Gaps[0].Start.Equal(start.Add(9*hour)) || !r.Gaps[0].End.Equal(start.Add(9*hour+40*mins)) || len(in.Gaps) != 1 {
		t.Errorf("gaps %v, in it %v", r.Gaps, in.Gaps)
	}
	marked := false
	for _, b := range in.Timeline.Buckets {
		marked = marked || b.Gap
	}
	if !marked {
		t.Error("the timeline does not show it")
	}
}

// Where the clock goes back, the place is told.
func TestJump(t *testing.T) {
	log, _ := write(t, days.Options{Format: "postfix", Seed: 3})
	i := bytes.Index(log, []byte("\nMar  9 15:0")) + 1
	j := bytes.Index(log, []byte("\nMar  9 10:0")) + 1
	k := bytes.Index(log, []byte("\nMar  9 10:3")) + 1
	r := find(t, append(append(append([]byte(nil), log[:i]...), log[j:k]...), log[i:]...), "postfix", nil)
	if len(r.Jumps) != 1 || r.Jumps[0].From.Hour() != 14 || r.Jumps[0].To.Hour() != 10 || r.Jumps[0].Number != int64(bytes.Count(log[:i], []byte("\n"))+1) {
		t.Errorf("%+v", r.Jumps)
	}
	if len(r.Incidents) != 0 {
		t.Error(show(r.Incidents[0]))
	}
}

// Nothing goes out, and then what waited does.
func TestStopped(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		log, truths := write(t, days.Options{Format: format, Seed: 3, Plans: []days.Plan{{What: days.Stopped, At: 10 * hour, Long: 65 * mins}}})
		in := only(t, find(t, log, format, nil))
		if in.Kind != Stopped || in.Direction != smtp.Outbound || in.Status != Recovered || in.Start.Sub(truths[0].Start).Abs() > 2*mins || in.End.Sub(truths[0].End).Abs() > mins {
			t.Error(show(in))
		}
		// Those that came in the last seconds are not late.
		if late := in.Impact.DeliveredLate; late > truths[0].DeliveredLate || late < truths[0].DeliveredLate*95/100 {
			t.Errorf("%d late, want %d", late, truths[0].DeliveredLate)
		}
	}
	log, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{{What: days.Stopped, At: 10 * hour, Long: 5 * hour}}, Length: 12 * hour})
	in := only(t, find(t, log, "postfix", nil))
	if in.Kind != Stopped || in.Status != Ongoing || !in.OpenEnd || in.Impact.Queued < 200 {
		t.Error(show(in))
	}
}

// The user may name the window, and the cause.
func TestAsked(t *testing.T) {
	log, truths := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle, {What: days.BruteForce, At: 8 * hour, Long: 3 * hour, Share: 10}}})
	r := find(t, log, "postfix", &Asked{Since: start.Add(8 * hour), Until: start.Add(9 * hour), AnyCause: true})
	in := only(t, r)
	if in.Cause != knowledge.RateLimited || in.Start.Hour() != 8 || in.End.Hour() != 8 {
		t.Error(show(in))
	}
	in = only(t, find(t, log, "postfix", &Asked{Cause: knowledge.Login}))
	near64(t, "logins", in.Impact.Logins, truths[1].Auth, 50)
	if n := len(find(t, log, "postfix", &Asked{Cause: knowledge.TLS}).Incidents); n != 0 {
		t.Error(n, "incidents of what was never met")
	}
}
