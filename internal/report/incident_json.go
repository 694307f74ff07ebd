package report

import (
	"encoding/json"
	"io"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// Incidents prints what was abnormal.
type Incidents struct {
	*incident.Report
	Words *knowledge.Words
	By    *classify.Classifier

	brief bool // for a terminal: of long lists the first rows, and nothing to fill in
}

// The JSON of a report of incidents. Its names are a promise to users' pipelines; durations
// are seconds, and what is not known is left out.
type (
	incidentsJSON struct {
		Coverage  coverageJSON      `json:"coverage"`
		Incidents []incidentJSON    `json:"incidents"`
		Asked     *askedJSON        `json:"asked,omitempty"`
		Whole     countsJSON        `json:"whole"`
		Hosts     []string          `json:"hosts"`
		Width     float64           `json:"bucket_width"`
		Thin      bool              `json:"too_little_to_compare"`
		Gaps      []gapJSON         `json:"gaps"`
		Jumps     []jumpJSON        `json:"time_jumps"`
		Strays    []strayJSON       `json:"wrong_stamps"`
		Server    []markJSON        `json:"about_the_server,omitempty"`
		Dropped   incidentDropsJSON `json:"dropped"`
	}
	askedJSON struct {
		Since string `json:"since,omitempty"`
		Until string `json:"until,omitempty"`
		Cause string `json:"cause,omitempty"`
	}
	incidentJSON struct {
		ID        int              `json:"id"`
		Kind      string           `json:"kind"`
		Start     string           `json:"start"`
		End       string           `json:"end"`
		StartUTC  string           `json:"start_utc"`
		EndUTC    string           `json:"end_utc"`
		Duration  float64          `json:"duration"`
		Ongoing   bool             `json:"ongoing"`
		Status    string           `json:"status"`
		OpenStart bool             `json:"log_begins_inside"`
		OpenEnd   bool             `json:"log_ends_inside"`
		GapBefore *gapJSON         `json:"gap_before,omitempty"`
		GapAfter  *gapJSON         `json:"gap_after,omitempty"`
		Peak      string           `json:"peak,omitempty"`
		PeakCount int64            `json:"peak_count"`
		PeakWidth float64          `json:"peak_width"`
		Recovered string           `json:"first_success_after,omitempty"`
		Direction string           `json:"direction"`
		Cause     string           `json:"cause"`
		Title     string           `json:"title"`
		Provider  string           `json:"provider,omitempty"`
		Party     string           `json:"party,omitempty"`
		Scope     string           `json:"scope"`
		Stage     string           `json:"stage,omitempty"`
		Severity  string           `json:"severity"`
		Actor     string           `json:"actor,omitempty"`
		Verdict   string           `json:"verdict"`
		Fix       string           `json:"fix,omitempty"`
		Steps     []string         `json:"steps,omitempty"`
		Impact    impactJSON       `json:"impact"`
		Usual     usualJSON        `json:"usual"`
		Causes    []causeCountJSON `json:"causes"`
		Replies   []sayingJSON     `json:"replies"`
		Timeline  courseJSON       `json:"timeline"`
		Hit       hitJSON          `json:"hit"`
		Spared    []flowJSON       `json:"not_affected"`
		Triggers  []triggerJSON    `json:"triggers"`
		Evidence  []lineJSON       `json:"evidence"`
		Example   *exampleJSON     `json:"example,omitempty"`
		Gaps      []gapJSON        `json:"gaps,omitempty"`
		Commands  []commandJSON    `json:"commands"`
		Partial   int64            `json:"lines_without_details,omitempty"`
	}
	impactJSON struct {
		Deferred      int64     `json:"deferred"`
		Bounced       int64     `json:"bounced"`
		Expired       int64     `json:"expired"`
		Rejected      int64     `json:"rejected"`
		Logins        int64     `json:"auth"`
		Broken        int64     `json:"broken_sessions"`
		Messages      int64     `json:"messages"`
		Recipients    int64     `json:"recipients"`
		Domains       int64     `json:"domains"`
		Senders       int64     `json:"senders"`
		Users         int64     `json:"users"`
		Clients       int64     `json:"clients"`
		Parties       int64     `json:"parties"`
		DeliveredLate int64     `json:"delivered_late"`
		Lost          int64     `json:"lost"`
		Queued        int64     `json:"queued"`
		Vanished      int64     `json:"end_not_logged"`
		Delay         delayJSON `json:"extra_delay"`
		ExpireFirst   string    `json:"expires_first,omitempty"`
		ExpireLast    string    `json:"expires_last,omitempty"`
		Lifetime      float64   `json:"assumed_lifetime,omitempty"`
		Attempts      int64     `json:"attempts"`
		Share         float64   `json:"share"`
		All           int64     `json:"attempts_of_direction"`
		ShareAll      float64   `json:"share_of_direction"`
	}
	delayJSON struct {
		N   int64   `json:"count"`
		P50 float64 `json:"p50"`
		P95 float64 `json:"p95"`
		Max float64 `json:"max"`
	}
	usualJSON struct {
		Known    bool    `json:"known"`
		Count    int64   `json:"count"`
		Attempts int64   `json:"attempts"`
		Share    float64 `json:"share"`
		PerHour  float64 `json:"per_hour"`
		Expected float64 `json:"expected"`
		Span     float64 `json:"span"`
		Daily    bool    `json:"by_hour_of_day"`
		Score    float64 `json:"score"`
	}
	causeCountJSON struct {
		Cause string `json:"cause"`
		Count int64  `json:"count"`
	}
	sayingJSON struct {
		Text     string `json:"text"`
		Code     int    `json:"code,omitempty"`
		Enhanced string `json:"enhanced_code,omitempty"`
		DSN      string `json:"dsn,omitempty"`
		Stage    string `json:"stage,omitempty"`
		Host     string `json:"host,omitempty"`
		Outcome  string `json:"outcome,omitempty"`
		Cause    string `json:"cause"`
		Basis    string `json:"basis"`
		Meaning  string `json:"meaning"`
		Count    int64  `json:"count"`
		First    string `json:"first"`
		Last     string `json:"last"`
		New      bool   `json:"new"`
	}
	countsJSON struct {
		Sent     int64 `json:"sent"`
		Deferred int64 `json:"deferred"`
		Bounced  int64 `json:"bounced"`
		Rejected int64 `json:"rejected"`
		Logins   int64 `json:"auth"`
		Received int64 `json:"received"`
		Broken   int64 `json:"broken_sessions"`
	}
	courseJSON struct {
		Start   string       `json:"start"`
		Width   float64      `json:"width"`
		Buckets []momentJSON `json:"buckets"`
		Marks   []markJSON   `json:"marks"`
	}
	momentJSON struct {
		countsJSON
		Incident int64 `json:"incident"`
		Gap      bool  `json:"gap,omitempty"`
	}
	markJSON struct {
		Time  string `json:"time"`
		What  string `json:"what"`
		Count int64  `json:"count,omitempty"`
		Text  string `json:"text,omitempty"`
		File  string `json:"file,omitempty"`
		Line  int64  `json:"line,omitempty"`
	}
	triggerJSON struct {
		markJSON
		Before float64 `json:"before"`
		Name   string  `json:"name,omitempty"`
		Usual  float64 `json:"usual_per_hour,omitempty"`
	}
	whoJSON struct {
		Name  string `json:"name"`
		Count int64  `json:"count"`
		First string `json:"first"`
		Last  string `json:"last"`
	}
	hitJSON struct {
		Parties    []whoJSON `json:"parties"`
		Domains    []whoJSON `json:"domains"`
		Hosts      []whoJSON `json:"hosts"`
		Senders    []whoJSON `json:"senders"`
		Users      []whoJSON `json:"users"`
		Clients    []whoJSON `json:"clients"`
		Recipients []whoJSON `json:"recipients"`
		Instances  []whoJSON `json:"instances"`
		Addresses  []whoJSON `json:"own_addresses"`
	}
	flowJSON struct {
		What      string  `json:"what"`
		Direction string  `json:"direction"`
		Name      string  `json:"name,omitempty"`
		Sent      int64   `json:"sent"`
		Failed    int64   `json:"failed"`
		Usual     float64 `json:"usual"`
	}
	lineJSON struct {
		Time string `json:"time"`
		File string `json:"file"`
		Line int64  `json:"line"`
		Text string `json:"text,omitempty"`
	}
	exampleJSON struct {
		Queue     string     `json:"queue_id,omitempty"`
		Sender    string     `json:"sender"`
		Recipient string     `json:"recipient"`
		Arrived   string     `json:"arrived,omitempty"`
		First     string     `json:"first_failed"`
		Tries     int64      `json:"failed_tries"`
		Outcome   string     `json:"outcome"`
		Done      string     `json:"done,omitempty"`
		Lines     []lineJSON `json:"lines"`
	}
	commandJSON struct {
		What  string `json:"figure"`
		Line  string `json:"command"`
		Gives int64  `json:"gives,omitempty"`
	}
	gapJSON struct {
		Start    string  `json:"start"`
		End      string  `json:"end"`
		Expected float64 `json:"expected_lines"`
	}
	jumpJSON struct {
		File string `json:"file"`
		Line int64  `json:"line"`
		From string `json:"from"`
		To   string `json:"to"`
	}
	strayJSON struct {
		File  string `json:"file"`
		Line  int64  `json:"line"`
		Time  string `json:"time"`
		Lines int64  `json:"lines"`
	}
	incidentDropsJSON struct {
		Details  int64 `json:"details"`
		Series   int64 `json:"wordings"`
		Parties  int64 `json:"parties"`
		Names    int64 `json:"names"`
		Messages int64 `json:"messages"`
		Lines    int64 `json:"lines"`
		Untimed  int64 `json:"without_time"`
		Gaps     int64 `json:"gaps"`
		Astray   int64 `json:"wrong_time"`
	}
)

// JSON prints all that was found as one object. The words in it are English.
func (r Incidents) JSON(out io.Writer) error {
	r.Words = knowledge.In(knowledge.English).Of(r.By.Base())
	o := incidentsJSON{
		Coverage: coverageWithFiles(&r.Coverage), Incidents: []incidentJSON{}, Whole: countsJSON(r.Whole), Hosts: orEmpty(r.Hosts), Width: r.Width.Seconds(),
		Thin: r.Thin, Gaps: gapsOf(r.Gaps), Jumps: []jumpJSON{}, Strays: []strayJSON{}, Dropped: incidentDropsJSON(r.Dropped),
	}
	if a := r.Asked; a != nil {
		o.Asked = &askedJSON{Since: stamp(a.Since), Until: stamp(a.Until)}
		if !a.AnyCause {
			o.Asked.Cause = a.Cause.ID()
		}
	}
	for _, j := range r.Jumps {
		o.Jumps = append(o.Jumps, jumpJSON{j.Path, j.Number, stamp(j.From), stamp(j.To)})
	}
	for _, s := range r.Strays {
		o.Strays = append(o.Strays, strayJSON{s.Path, s.Number, stamp(s.Time), s.Lines})
	}
	for i := range r.Server {
		o.Server = append(o.Server, markOf(&r.Server[i]))
	}
	for _, in := range r.Incidents {
		o.Incidents = append(o.Incidents, r.incidentOf(in))
	}
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.Write(append(quiet(b), '\n'))
	return err
}

func (r Incidents) incidentOf(in *incident.Incident) incidentJSON {
	o := incidentJSON{
		ID: in.ID, Kind: in.Kind.String(), Start: stamp(in.Start), End: stamp(in.End), StartUTC: stamp(in.Start.UTC()), EndUTC: stamp(in.End.UTC()),
		Duration: in.End.Sub(in.Start).Seconds(), Ongoing: in.Status == incident.Ongoing, Status: in.Status.String(), OpenStart: in.OpenStart, OpenEnd: in.OpenEnd,
		GapBefore: gapOf(in.GapBefore), GapAfter: gapOf(in.GapAfter),
		Peak: stamp(in.Peak), PeakCount: in.PeakCount, PeakWidth: in.PeakWidth.Seconds(), Recovered: stamp(in.Recovered), Direction: in.Direction.String(),
		Cause: in.Cause.ID(), Title: causeTitle(r.Words, in), Provider: r.By.Base().ProviderID(in.Provider), Party: in.Party, Scope: in.Scope.String(),
		Stage: in.Stage.String(), Severity: in.Severity.String(), Verdict: Verdict(r.Words, in), Impact: impactOf(&in.Impact), Usual: usualOf(&in.Usual),
		Causes: []causeCountJSON{}, Replies: []sayingJSON{}, Timeline: courseOf(&in.Timeline), Hit: hitOf(&in.Hit, r.addresses(in)), Spared: []flowJSON{}, Triggers: []triggerJSON{},
		Evidence: linesOf(in.Evidence), Example: exampleOf(in.Example), Gaps: gapsOf(in.Gaps), Commands: []commandJSON{}, Partial: in.Partial,
	}
	if len(in.Replies) > 0 {
		o.Actor = r.actor(in).String()
		o.Fix, o.Steps = r.advice(in)
	}
	for _, c := range in.Causes {
		o.Causes = append(o.Causes, causeCountJSON{c.Cause.ID(), c.Count})
	}
	for i := range in.Replies {
		o.Replies = append(o.Replies, r.sayingOf(&in.Replies[i]))
	}
	for _, f := range in.Spared {
		o.Spared = append(o.Spared, flowJSON{f.What.String(), f.Direction.String(), f.Name, f.Sent, f.Failed, f.Usual})
	}
	for i := range in.Triggers {
		t := &in.Triggers[i]
		o.Triggers = append(o.Triggers, triggerJSON{markOf(&t.Mark), t.Before.Seconds(), t.Name, t.Usual})
	}
	for _, c := range in.Commands {
		o.Commands = append(o.Commands, commandJSON(c))
	}
	return o
}

func (r Incidents) sayingOf(s *incident.Reply) sayingJSON {
	return sayingJSON{
		Text: s.Text, Code: int(s.Code), Enhanced: s.Enhanced.String(), DSN: s.DSN.String(), Stage: s.Stage.String(), Host: s.Host, Outcome: s.Outcome.String(),
		Cause: s.Note.Cause.ID(), Basis: s.Note.Basis.String(), Meaning: r.Words.Entry(s.Note.Entry).Meaning, Count: s.Count, First: stamp(s.First), Last: stamp(s.Last), New: s.New,
	}
}

func impactOf(m *incident.Impact) impactJSON {
	return impactJSON{
		Deferred: m.Deferred, Bounced: m.Bounced, Expired: m.Expired, Rejected: m.Rejected, Logins: m.Logins, Broken: m.Broken, Messages: m.Messages,
		Recipients: m.Recipients, Domains: m.Domains, Senders: m.Senders, Users: m.Users, Clients: m.Clients, Parties: m.Parties, DeliveredLate: m.DeliveredLate,
		Lost: m.Lost, Queued: m.Queued, Vanished: m.Vanished, Delay: delayJSON{m.Delay.N, m.Delay.P50.Seconds(), m.Delay.P95.Seconds(), m.Delay.Max.Seconds()},
		ExpireFirst: stamp(m.ExpireFirst), ExpireLast: stamp(m.ExpireLast), Lifetime: m.Lifetime.Seconds(), Attempts: m.Attempts, Share: m.Share, All: m.All, ShareAll: m.ShareAll,
	}
}

func usualOf(u *incident.Usual) usualJSON {
	return usualJSON{u.Known, u.Count, u.Attempts, u.Share, u.PerHour, u.Expected, u.Span.Seconds(), u.Daily, u.Score}
}

func courseOf(t *incident.Timeline) courseJSON {
	o := courseJSON{Start: stamp(t.Start), Width: t.Width.Seconds(), Buckets: []momentJSON{}, Marks: []markJSON{}}
	for _, b := range t.Buckets {
		o.Buckets = append(o.Buckets, momentJSON{countsJSON(b.Counts), b.Incident, b.Gap})
	}
	for i := range t.Marks {
		o.Marks = append(o.Marks, markOf(&t.Marks[i]))
	}
	return o
}

func markOf(m *incident.Mark) markJSON {
	return markJSON{stamp(m.Time), m.What.String(), m.Count, m.Text, m.Line.Path, m.Line.Number}
}

func hitOf(h *incident.Hit, addresses []incident.Who) hitJSON {
	return hitJSON{
		whosOf(h.Parties), whosOf(h.Domains), whosOf(h.Hosts), whosOf(h.Senders), whosOf(h.Users), whosOf(h.Clients), whosOf(h.Recipients), whosOf(h.Instances),
		whosOf(addresses),
	}
}

func whosOf(all []incident.Who) []whoJSON {
	out := []whoJSON{}
	for _, w := range all {
		out = append(out, whoJSON{w.Name, w.Count, stamp(w.First), stamp(w.Last)})
	}
	return out
}

func linesOf(all []incident.Line) []lineJSON {
	out := []lineJSON{}
	for _, l := range all {
		out = append(out, lineJSON{stamp(l.Time), l.Path, l.Number, l.Text})
	}
	return out
}

func exampleOf(e *incident.Example) *exampleJSON {
	if e == nil {
		return nil
	}
	return &exampleJSON{e.Queue, e.Sender, e.Recipient, stamp(e.Arrived), stamp(e.First), e.Tries, e.Outcome.String(), stamp(e.Done), linesOf(e.Lines)}
}

func gapOf(g *incident.Gap) *gapJSON {
	if g == nil {
		return nil
	}
	return &gapsOf([]incident.Gap{*g})[0]
}

func gapsOf(all []incident.Gap) []gapJSON {
	out := []gapJSON{}
	for _, g := range all {
		out = append(out, gapJSON{stamp(g.Start), stamp(g.End), g.Expected})
	}
	return out
}

func orEmpty(all []string) []string {
	if all == nil {
		return []string{}
	}
	return all
}
