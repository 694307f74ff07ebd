package report

import (
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Verdict tells an incident in a sentence or two: since when, until when, what failed, to
// whom, how much of it, and what became of it.
func Verdict(w *knowledge.Words, in *incident.Incident) string {
	v := verdict{w, in}
	args := []any{"from", v.moment(in.Start), "to", v.moment(in.End), "long", roughly(w, max(in.End.Sub(in.Start), time.Second)), "what", v.what()}
	s := ""
	switch in.Status {
	case incident.Recovered:
		s = w.Text("verdict.over", args...)
	case incident.Ongoing:
		s = w.Text("verdict.ongoing", args...)
	default:
		s = w.Text("verdict.open", args...)
	}
	switch {
	case in.OpenStart:
		s += " " + w.Text("verdict.older")
	case in.GapBefore != nil:
		s += " " + w.Text("verdict.gap_before")
	}
	if in.GapAfter != nil {
		s += " " + w.Text("verdict.gap_after")
	}
	return s
}

type verdict struct {
	w  *knowledge.Words
	in *incident.Incident
}

// moment is a time with its zone: who reads it may be elsewhere.
func (v verdict) moment(t time.Time) string { return t.Format("2006-01-02 15:04 -07:00") }

func (v verdict) n(n int64) string { return count(v.w, n) }

// what is the sentence without its time.
func (v verdict) what() string {
	w, im := v.w, &v.in.Impact
	title := causeTitle(w, v.in)
	switch v.in.Kind {
	case incident.Logins:
		return w.Text("verdict.logins", "n", v.n(im.Logins), "clients", v.n(im.Clients), "users", v.n(im.Users))
	case incident.Sessions:
		return w.Text("verdict.sessions", "n", v.n(im.Broken), "clients", v.n(im.Clients), "title", title)
	case incident.Stopped:
		if v.in.Direction == smtp.Inbound {
			return w.Text("verdict.stopped_in", "n", v.n(int64(v.in.Usual.Expected)))
		}
		return w.Text("verdict.stopped_out", "n", v.n(int64(v.in.Usual.Expected)), "late", v.n(im.DeliveredLate))
	case incident.Burst:
		return w.Text("verdict.burst", "who", v.in.Party, "n", v.n(im.Attempts), "usual", v.n(int64(v.in.Usual.Expected)))
	}
	if v.in.Direction == smtp.Inbound {
		return w.Text("verdict.refused", "n", v.n(im.Rejected), "clients", v.n(im.Clients), "title", title)
	}
	failed := im.Deferred + im.Bounced + im.Expired
	s := w.Text("verdict.failed", "n", v.n(failed), "all", v.n(im.Attempts), "who", v.who(), "title", title)
	if im.Recipients > 0 {
		s = w.Text("verdict.failed_met", "n", v.n(failed), "all", v.n(im.Attempts), "who", v.who(), "title", title, "recipients", v.n(im.Recipients))
	}
	return s + " " + v.fate()
}

// who is whom the deliveries were for.
func (v verdict) who() string {
	switch {
	case v.in.Direction == smtp.Internal:
		return v.w.Text("verdict.local")
	case v.in.Party != "":
		return v.in.Party
	case v.in.Scope == incident.All:
		return v.w.Text("verdict.everybody")
	}
	return v.w.Text("verdict.several", "n", v.n(v.in.Impact.Parties))
}

// fate is what became of the deliveries that failed.
func (v verdict) fate() string {
	w, im := v.w, &v.in.Impact
	var parts []string
	add := func(n int64, s string) {
		if n > 0 {
			parts = append(parts, s)
		}
	}
	add(im.DeliveredLate, w.Text("verdict.late", "n", v.n(im.DeliveredLate)))
	add(im.Lost, w.Text("verdict.lost", "n", v.n(im.Lost)))
	add(im.Queued, w.Text("verdict.queued", "n", v.n(im.Queued)))
	add(im.Vanished, w.Text("verdict.vanished", "n", v.n(im.Vanished)))
	if len(parts) == 0 {
		return ""
	}
	return w.Text("verdict.became", "what", strings.Join(parts, ", "))
}
