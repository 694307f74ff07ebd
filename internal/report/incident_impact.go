package report

import (
	"fmt"
	"strings"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// statusWord says in a word whether it is over.
func (r Incidents) statusWord(in *incident.Incident) string {
	switch in.Status {
	case incident.Recovered:
		return r.text("over")
	case incident.Ongoing:
		return r.text("goes_on")
	}
	return r.text("unknown")
}

// status says whether it is over, how bad it is, and which kind of harm was done: mail that
// came late, that was lost and that was never taken are three.
func (r Incidents) status(in *incident.Incident) []Fact {
	status := r.statusWord(in)
	switch {
	case in.Status == incident.Recovered && !in.Recovered.IsZero():
		status += "; " + r.text("flows_since", "when", instant(in.Recovered))
	case in.Status == incident.Ongoing:
		status += "; " + r.text("ends_inside")
	case in.Status == incident.Unknown:
		status += "; " + r.text("ends_before")
	}
	var harm []string
	add := func(n int64, what string) {
		if n > 0 {
			harm = append(harm, what)
		}
	}
	im := &in.Impact
	add(im.Deferred, r.text("harm_late"))
	add(im.Lost+im.Bounced+im.Expired, r.text("harm_lost"))
	add(im.Rejected, r.text("harm_refused"))
	add(im.Logins, r.text("harm_logins"))
	add(im.Broken, r.text("harm_broken"))
	if im.Deferred > 0 && im.Lost+im.Bounced+im.Expired+im.Queued+im.Vanished == 0 {
		harm = []string{r.text("harm_only_late")}
	}
	return notEmpty([]Fact{
		{Name: r.text("status"), Text: status}, {Name: r.text("severity"), Text: r.Words.Severity(in.Severity)}, {Name: r.text("harm"), Text: strings.Join(harm, "; ")},
	})
}

func notEmpty(all []Fact) (kept []Fact) {
	for _, f := range all {
		if f.Text != "" {
			kept = append(kept, f)
		}
	}
	return kept
}

// harm is what an incident did, by the figures that count.
func (r Incidents) harm(in *incident.Incident) (tiles []Tile) {
	im := &in.Impact
	add := func(n int64, label, note string, s Style) {
		if n > 0 {
			tiles = append(tiles, Tile{Label: label, Value: r.n(n), Note: note, Style: s})
		}
	}
	late := ""
	if im.Delay.N > 0 {
		late = r.text("median", "time", roughly(r.Words, im.Delay.P50))
	}
	add(im.Deferred, r.text("tries_deferred"), "", Warn)
	add(im.Bounced, r.text("tries_bounced"), "", Bad)
	add(im.Expired, r.text("tries_expired"), "", Bad)
	add(im.Rejected, r.text("tries_rejected"), "", Warn)
	add(im.Logins, r.text("tries_logins"), "", Warn)
	add(im.Broken, r.text("tries_broken"), "", Warn)
	add(im.DeliveredLate, r.text("delivered_late"), late, Normal)
	add(im.Lost, r.text("lost"), "", Bad)
	add(im.Queued, r.text("queued"), "", Warn)
	add(im.Vanished, r.text("vanished"), "", Normal)
	return tiles
}

// impact is what an incident did, to how many, and how that compares.
func (r Incidents) impact(in *incident.Incident) Section {
	im := &in.Impact
	var reach []string
	for _, x := range []struct {
		n    int64
		text string
	}{
		{im.Messages, r.text("reach_messages", "n", r.n(im.Messages))}, {im.Recipients, r.text("reach_recipients", "n", r.n(im.Recipients))}, {im.Domains, r.text("reach_domains", "n", r.n(im.Domains))}, {im.Parties, r.text("reach_parties", "n", r.n(im.Parties))},
		{im.Senders, r.text("reach_senders", "n", r.n(im.Senders))}, {im.Users, r.text("reach_users", "n", r.n(im.Users))}, {im.Clients, r.text("reach_clients", "n", r.n(im.Clients))},
	} {
		if x.n > 0 {
			reach = append(reach, x.text)
		}
	}
	facts := append(r.status(in),
		Fact{Name: r.text("reach"), Text: strings.Join(reach, ", ")}, Fact{Name: r.text("share"), Text: r.share(in)},
		Fact{Name: r.text("usual"), Text: r.usual(in)}, Fact{Name: r.text("delay"), Text: r.delay(im)}, Fact{Name: r.text("expiry"), Text: r.expiry(im)})
	if in.Partial > 0 {
		facts = append(facts, Fact{Name: r.text("limits"), Text: r.text("partial", "n", r.n(in.Partial))})
	}
	return section(r.text("impact"), Block{Tiles: r.harm(in)}, Block{Facts: notEmpty(facts)})
}

func (r Incidents) share(in *incident.Incident) string {
	im, n := &in.Impact, linesOfIncident(in)
	if im.Attempts == 0 || in.Kind == incident.Stopped {
		return ""
	}
	if in.Direction == smtp.Inbound {
		return r.text("share_in", "n", r.n(n), "of", r.n(im.Attempts), "percent", percent(r.Words, n, im.Attempts))
	}
	if im.All == im.Attempts {
		return r.text("share_all", "n", r.n(n), "of", r.n(im.Attempts), "percent", percent(r.Words, n, im.Attempts))
	}
	return r.text("share_out", "n", r.n(n), "of", r.n(im.Attempts), "percent", percent(r.Words, n, im.Attempts), "all", r.n(im.All), "percent_all", percent(r.Words, n, im.All))
}

// usual is what the rest of the log has of the same.
func (r Incidents) usual(in *incident.Incident) string {
	u := &in.Usual
	if !u.Known {
		return r.text("usual_unknown")
	}
	s := r.text("usual_rest", "n", r.n(u.Count), "time", roughly(r.Words, u.Span), "expected", decimal(r.Words, u.Expected, 1))
	if u.Daily {
		s += " " + r.text("usual_daily")
	}
	return s
}

func (r Incidents) delay(im *incident.Impact) string {
	if im.Delay.N == 0 {
		return ""
	}
	return r.text("delay_of", "p50", roughly(r.Words, im.Delay.P50), "p95", roughly(r.Words, im.Delay.P95), "max", roughly(r.Words, im.Delay.Max), "n", r.n(im.Delay.N))
}

func (r Incidents) expiry(im *incident.Impact) string {
	if im.Queued == 0 || im.ExpireFirst.IsZero() {
		return ""
	}
	return r.text("expires", "first", instant(im.ExpireFirst), "last", instant(im.ExpireLast), "time", roughly(r.Words, im.Lifetime))
}

// window is when it was, as the log's clock has it and in UTC, and how sure that is.
func (r Incidents) window(in *incident.Incident) Section {
	facts := notEmpty([]Fact{
		{Name: r.text("first_seen"), Text: instant(in.Start)},
		{Name: r.text("last_seen"), Text: instant(in.End)},
		{Name: r.text("lasted"), Text: roughly(r.Words, in.End.Sub(in.Start))},
	})
	if in.PeakCount > 0 {
		facts = append(facts, Fact{Name: r.text("peak"), Text: r.text("peak_of", "when", instant(in.Peak), "n", r.n(in.PeakCount), "time", roughly(r.Words, in.PeakWidth))})
	}
	if !in.Recovered.IsZero() {
		facts = append(facts, Fact{Name: r.text("recovered"), Text: instant(in.Recovered)})
	}
	var doubts []string
	if in.OpenStart {
		doubts = append(doubts, r.text("open_start"))
	}
	if in.OpenEnd {
		doubts = append(doubts, r.text("open_end"))
	}
	if g := in.GapBefore; g != nil {
		doubts = append(doubts, r.text("gap_before", "from", instant(g.Start), "to", instant(g.End)))
	}
	if g := in.GapAfter; g != nil {
		doubts = append(doubts, r.text("gap_after", "from", instant(g.Start), "to", instant(g.End)))
	}
	for _, g := range in.Gaps {
		if in.GapBefore != nil && g.Start.Equal(in.GapBefore.Start) || in.GapAfter != nil && g.Start.Equal(in.GapAfter.Start) {
			continue // told already
		}
		doubts = append(doubts, r.gap(&g))
	}
	for i := range in.Jumps {
		doubts = append(doubts, r.jump(&in.Jumps[i]))
	}
	if r.Coverage.Guessed > 0 {
		doubts = append(doubts, r.Words.Text("report.guessed"))
	}
	s := section(r.text("window"), Block{Facts: facts})
	if doubts != nil {
		s.Blocks = append(s.Blocks, Block{List: &List{Items: doubts}})
	}
	return s
}

func (r Incidents) gap(g *incident.Gap) string {
	return r.text("gap", "from", instant(g.Start), "to", instant(g.End))
}

func (r Incidents) jump(j *incident.Jump) string {
	return r.text("jump", "where", fmt.Sprintf("%s:%d", j.Path, j.Number), "from", instant(j.From), "to", instant(j.To))
}
