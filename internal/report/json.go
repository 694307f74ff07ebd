package report

import (
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// The JSON of a report is one object that holds every figure that the tables show. Its
// names are a promise to users' pipelines.
type dayJSON struct {
	Coverage   coverageJSON            `json:"coverage"`
	Sessions   map[string]sessionsJSON `json:"sessions"`
	Messages   messagesJSON            `json:"messages"`
	Deliveries map[string]int64        `json:"deliveries"`
	Replies    []replyJSON             `json:"replies"`
	Causes     []causeJSON             `json:"causes"`
	Peers      []peerJSON              `json:"peers"`
	Senders    *peopleJSON             `json:"senders,omitempty"` // where they were asked for
	Recipients *peopleJSON             `json:"recipients,omitempty"`
	Timeline   timelineJSON            `json:"timeline"`
	Dropped    droppedJSON             `json:"dropped"`
	Merged     *mergedJSON             `json:"merged,omitempty"`  // of several summaries
	Against    *coverageJSON           `json:"against,omitempty"` // what New compares with
	New        *[]newJSON              `json:"new,omitempty"`
}

// mergedJSON tells of how many summaries this is the sum, and which figures are estimates.
type mergedJSON struct {
	Summaries int      `json:"summaries"`
	Estimates []string `json:"estimates"`
}

type coverageJSON struct {
	Lines      int64      `json:"lines"`
	Understood int64      `json:"understood"`
	Foreign    int64      `json:"foreign"`
	Unknown    int64      `json:"unknown"`
	Bytes      int64      `json:"bytes"`
	Duplicate  int64      `json:"duplicate"`
	Cut        int64      `json:"cut"`
	Guessed    int64      `json:"time_guessed"`
	Stopped    bool       `json:"interrupted,omitempty"`
	Redacted   bool       `json:"redacted,omitempty"`
	First      string     `json:"first,omitempty"`
	Last       string     `json:"last,omitempty"`
	Files      []fileJSON `json:"files,omitempty"`
}

type fileJSON struct {
	Path        string `json:"path"`
	Format      string `json:"format,omitempty"`
	Compression string `json:"compression,omitempty"`
	coverageJSON
	Error string `json:"error,omitempty"`
}

type sessionsJSON struct {
	Total int64            `json:"total"`
	Ended map[string]int64 `json:"ended"`
}

type messagesJSON struct {
	Received  int64 `json:"received"`
	Rejected  int64 `json:"rejected"`
	Sent      int64 `json:"sent"`
	Deferred  int64 `json:"deferred"`
	Bounced   int64 `json:"bounced"`
	Expired   int64 `json:"expired"`
	Discarded int64 `json:"discarded"`
	Queued    int64 `json:"queued"`
	Waiting   int64 `json:"queued_deferred"`
	Evicted   int64 `json:"evicted"`
}

type replyJSON struct {
	Direction string `json:"direction"`
	Stage     string `json:"stage,omitempty"`
	Code      int    `json:"code"`
	Enhanced  string `json:"enhanced_code,omitempty"`
	Name      string `json:"name"`
	Cause     string `json:"cause"`
	Inferred  bool   `json:"inferred,omitempty"`
	Count     int64  `json:"count"`
	First     string `json:"first,omitempty"`
	Last      string `json:"last,omitempty"`
}

type causeJSON struct {
	Cause      string          `json:"cause"`
	Title      string          `json:"title"`
	Direction  string          `json:"direction"`
	Code       int             `json:"code,omitempty"`
	Enhanced   string          `json:"enhanced_code,omitempty"`
	Stage      string          `json:"stage,omitempty"`
	Severity   string          `json:"severity"`
	Actor      string          `json:"actor"`
	Count      int64           `json:"count"`
	Recipients int64           `json:"recipients"`
	Peers      []causePeerJSON `json:"peers"`
	First      string          `json:"first,omitempty"`
	Last       string          `json:"last,omitempty"`
	Fix        string          `json:"fix"`
	Sample     map[string]any  `json:"sample"`
}

type causePeerJSON struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

type peerJSON struct {
	Direction  string           `json:"direction"`
	Name       string           `json:"name"`
	Hosts      int              `json:"hosts"`
	Count      int64            `json:"count"`
	Deliveries map[string]int64 `json:"deliveries"`
	Missed     int64            `json:"missed_at_most,omitempty"`
}

// peopleJSON are senders or recipients.
type peopleJSON struct {
	Rows    []personJSON `json:"rows"`
	Unnamed int64        `json:"unnamed"` // deliveries of people whom the log does not show
	Dropped int64        `json:"dropped"` // deliveries that are in no row for want of room
	Missed  int64        `json:"missed_at_most"`
}

type personJSON struct {
	Address    string           `json:"address"`
	Count      int64            `json:"count"`
	Deliveries map[string]int64 `json:"deliveries"`
	Missed     int64            `json:"missed_at_most"`
}

func peopleOf(p *summary.People) *peopleJSON {
	if p == nil {
		return nil
	}
	all := &peopleJSON{Rows: []personJSON{}, Unnamed: p.Unnamed(), Dropped: p.Dropped(), Missed: p.Missed()}
	for _, r := range p.Rows() {
		all.Rows = append(all.Rows, personJSON{r.Address, r.Count, outcomes(r.Deliveries), r.Missed})
	}
	return all
}

// timelineJSON has the deliveries by their time. Stretches in which there was none are
// left out.
type timelineJSON struct {
	Seconds int64        `json:"bucket_seconds"`
	Untimed int64        `json:"untimed"`
	Buckets []bucketJSON `json:"buckets"`
}

type bucketJSON struct {
	Start      string           `json:"start"`
	Deliveries map[string]int64 `json:"deliveries"`
}

type droppedJSON struct {
	Replies  int64 `json:"replies"`
	Causes   int64 `json:"causes"`
	Peers    int64 `json:"peers"`
	Sessions int64 `json:"sessions"`
	Wordings int64 `json:"wordings,omitempty"`
}

// JSON prints the whole report as one object.
func (d Day) JSON(out io.Writer) error {
	s := d.Summary
	o := dayJSON{
		Coverage: coverageWithFiles(&s.Coverage),
		Sessions: map[string]sessionsJSON{"inbound": sessionsOf(s.Sessions[0]), "outbound": sessionsOf(s.Sessions[1])},
		Messages: messagesJSON{
			Received: s.Messages.Received, Rejected: s.Messages.Rejected, Sent: s.Messages.Sent, Deferred: s.Messages.Deferred, Bounced: s.Messages.Bounced,
			Expired: s.Messages.Expired, Discarded: s.Messages.Discarded, Queued: s.Messages.Queued, Waiting: s.Messages.Waiting, Evicted: s.Messages.Evicted,
		},
		Deliveries: outcomes(s.Deliveries),
		Replies:    []replyJSON{}, Causes: []causeJSON{}, Peers: []peerJSON{},
		Timeline: timelineOf(s), Dropped: droppedJSON(s.Dropped),
	}
	for _, r := range s.Replies() {
		o.Replies = append(o.Replies, replyJSON{
			Direction: r.Direction.String(), Stage: r.Stage.String(), Code: int(r.Code), Enhanced: r.Enhanced.String(), Name: d.Words.Code(r.Code).Name,
			Cause: r.Note.Cause.ID(), Inferred: r.Inferred, Count: r.Count, First: stamp(r.First), Last: stamp(r.Last),
		})
	}
	for _, c := range s.Causes() {
		o.Causes = append(o.Causes, d.causeOf(c))
	}
	for _, p := range s.Peers() {
		o.Peers = append(o.Peers, peerJSON{Direction: p.Direction.String(), Name: p.Name, Hosts: p.Hosts, Count: p.Count, Deliveries: outcomes(p.Deliveries), Missed: p.Missed})
	}
	o.Senders, o.Recipients = peopleOf(s.Senders), peopleOf(s.Recipients)
	if s.Parts > 1 {
		o.Merged = &mergedJSON{s.Parts, s.Estimates()}
	}
	if d.News != nil {
		before := coverageWithFiles(&d.News.Before)
		o.Against, o.New = &before, newsOf(d.News)
	}
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.Write(append(quiet(b), '\n'))
	return err
}

func (d Day) causeOf(c *summary.Cause) causeJSON {
	words := d.Words.Entry(knowledge.EntryID(c.Note.Entry))
	return causeJSON{
		Cause: c.Note.Cause.ID(), Title: d.Words.Cause(c.Note.Cause).Title, Direction: c.Direction.String(), Code: int(c.Code), Enhanced: c.Enhanced.String(),
		Stage: c.Stage.String(), Severity: c.Note.Severity.String(), Actor: c.Note.Cause.ActorOf(c.Direction).String(), Count: c.Count, Recipients: c.Recipients(),
		Peers: causePeers(c), First: stamp(c.First), Last: stamp(c.Last), Fix: words.Fix,
		Sample: map[string]any{"file": c.Sample.File, "line": c.Sample.Line, "text": c.Sample.Text},
	}
}

// causePeers lists the hosts of a cause, the most frequent first.
func causePeers(c *summary.Cause) []causePeerJSON {
	peers := []causePeerJSON{}
	for host, n := range c.Hosts() {
		if host != "" {
			peers = append(peers, causePeerJSON{host, n})
		}
	}
	slices.SortFunc(peers, func(a, b causePeerJSON) int {
		switch {
		case a.Count != b.Count:
			return int(b.Count - a.Count)
		case a.Name < b.Name:
			return -1
		}
		return 1
	})
	return peers
}

func timelineOf(s *summary.Summary) timelineJSON {
	line := timelineJSON{Seconds: int64(s.Timeline.Width().Seconds()), Untimed: s.Timeline.Untimed, Buckets: []bucketJSON{}}
	for _, b := range s.Timeline.Buckets() {
		line.Buckets = append(line.Buckets, bucketJSON{stamp(b.Start.In(s.Coverage.First.Location())), outcomes(b.Outcomes)})
	}
	return line
}

// coverageWithFiles is the coverage of all and of each file.
func coverageWithFiles(c *summary.Coverage) coverageJSON {
	o := coverageOf(c)
	for _, f := range c.Files {
		fj := fileJSON{Path: f.Path, Format: f.Format, Compression: f.Compression, coverageJSON: coverageOf(&f.Coverage)}
		if f.Err != nil {
			fj.Error = f.Err.Error()
		}
		o.Files = append(o.Files, fj)
	}
	return o
}

func coverageOf(c *summary.Coverage) coverageJSON {
	return coverageJSON{
		Lines: c.Lines, Understood: c.Understood, Foreign: c.Foreign, Unknown: c.Unknown, Bytes: c.Bytes, Duplicate: c.Duplicate, Cut: c.Cut,
		Guessed: c.Guessed, Stopped: c.Interrupted, Redacted: c.Redacted, First: stamp(c.First), Last: stamp(c.Last),
	}
}

func sessionsOf(s summary.Sessions) sessionsJSON {
	o := sessionsJSON{Total: s.Total, Ended: map[string]int64{}}
	for i, n := range s.Ended {
		o.Ended[smtp.End(i).String()] = n
	}
	return o
}

func outcomes(counts [smtp.NumOutcomes]int64) map[string]int64 {
	m := map[string]int64{}
	for o := smtp.Sent; int(o) < smtp.NumOutcomes; o++ {
		m[o.String()] = counts[o]
	}
	return m
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}
