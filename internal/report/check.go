package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mailwhy/mailwhy/internal/alert"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// The states, in the words of monitoring.
const (
	Fine     = "OK"
	Over     = "WARNING"
	Critical = "CRITICAL"
	Unknown  = "UNKNOWN"
)

// Check is what a gate found.
type Check struct {
	Words    *knowledge.Words
	Gate     *alert.Gate
	Tally    *alert.Tally
	Found    []alert.Finding
	Few      bool             // fewer deliveries than the gate wants
	State    string           // Fine, Over, Critical, Unknown
	Coverage summary.Coverage // of what was read
}

// Line prints one line as monitoring plugins do: the state, what people are to know, and
// behind a bar the figures for graphs
// (https://www.monitoring-plugins.org/doc/guidelines.html, "Plugin Output for Nagios").
func (c *Check) Line(out io.Writer) error {
	text := strings.ReplaceAll(printable(c.text()), "|", "/") // a bar ends it
	_, err := fmt.Fprintf(out, "MAILWHY %s - %s | %s\n", c.State, text, strings.Join(c.figures(), " "))
	return err
}

// text says what is over its limit; where nothing is, how it went.
func (c *Check) text() string {
	w, t := c.Words, c.Tally
	var parts []string
	if c.State == Unknown {
		parts = append(parts, w.Text("check.unknown"))
	}
	unjudged, of := false, int64(0)
	for i := range c.Found {
		f := &c.Found[i]
		if !f.Judged {
			unjudged, of = true, f.Of
		}
		if f.Over {
			parts = append(parts, c.over(f))
		}
	}
	if c.Few {
		parts = append(parts, w.Text("check.few", "n", count(w, t.Outcomes[smtp.Sent]), "limit", count(w, c.Gate.Least)))
	}
	if c.State == Fine {
		parts = append(parts, w.Text("check.fine", "sent", count(w, t.Outcomes[smtp.Sent]), "deferred", count(w, t.Outcomes[smtp.Deferred]),
			"bounced", count(w, t.Outcomes[smtp.Bounced]+t.Outcomes[smtp.Expired]), "rejected", count(w, t.Outcomes[smtp.Rejected])))
	}
	if unjudged {
		parts = append(parts, w.Text("check.unjudged", "n", count(w, of), "sample", count(w, c.Gate.Sample)))
	}
	return strings.Join(parts, "; ")
}

// over says what is over its limit, and why that mostly is.
func (c *Check) over(f *alert.Finding) string {
	w := c.Words
	value := count(w, f.Count)
	if f.Limit.IsShare {
		value = percent(w, f.Count, f.Of)
	}
	what := f.Name()
	if f.Outcome == smtp.OutcomeNone {
		what = w.Cause(f.Cause).Title
	}
	s := w.Text("check.over", "what", what, "value", value, "limit", f.Limit.Text)
	if f.HasMost {
		s += " " + w.Text("check.mostly", "title", w.Cause(f.Mostly).Title)
	}
	return s
}

// figures are what graphs are drawn of: 'label'=value[%];warn;;min;max.
func (c *Check) figures() []string {
	limit := ""
	if c.Gate.Least > 0 {
		limit = strconv.FormatInt(c.Gate.Least, 10) + ":"
	}
	all := []string{
		fmt.Sprintf("deliveries=%d;;;0", c.Tally.Deliveries()),
		fmt.Sprintf("sent=%d;%s;;0", c.Tally.Outcomes[smtp.Sent], limit),
	}
	for i := range c.Found {
		f := &c.Found[i]
		if f.Limit.IsShare {
			all = append(all, fmt.Sprintf("%s=%s%%;%s;;0;100", f.Name(), figure(f.Share()*100), figure(f.Limit.Share*100)))
		} else {
			all = append(all, fmt.Sprintf("%s=%d;%d;;0", f.Name(), f.Count, f.Limit.Count))
		}
	}
	return all
}

// figure writes a figure for machines.
func figure(f float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"), ".")
}

type checkJSON struct {
	State      string           `json:"state"`
	Text       string           `json:"text"`
	Deliveries map[string]int64 `json:"deliveries"`
	Received   int64            `json:"received"`
	Checks     []findingJSON    `json:"checks"`
	Coverage   coverageJSON     `json:"coverage"`
}

type findingJSON struct {
	Check      string   `json:"check"` // sent, deferred, bounced, rejected, or a cause
	Count      int64    `json:"count"`
	Of         int64    `json:"of,omitempty"`
	Share      *float64 `json:"share,omitempty"` // a part of one
	Limit      *int64   `json:"limit,omitempty"`
	LimitShare *float64 `json:"limit_share,omitempty"`
	Judged     bool     `json:"judged"`
	Exceeded   bool     `json:"exceeded"`
	Cause      string   `json:"mostly,omitempty"`
}

// JSON prints one object.
func (c *Check) JSON(out io.Writer) error {
	o := checkJSON{
		State: strings.ToLower(c.State), Text: c.text(), Received: c.Tally.Received, Deliveries: map[string]int64{}, Checks: []findingJSON{},
		Coverage: coverageOf(&c.Coverage),
	}
	for outcome := smtp.Sent; int(outcome) < smtp.NumOutcomes; outcome++ {
		o.Deliveries[outcome.String()] = c.Tally.Outcomes[outcome]
	}
	for i := range c.Found {
		f := &c.Found[i]
		j := findingJSON{Check: f.Name(), Count: f.Count, Of: f.Of, Judged: f.Judged, Exceeded: f.Over}
		if f.Limit.IsShare {
			share := f.Share()
			j.Share, j.LimitShare = &share, &f.Limit.Share
		} else {
			j.Limit = &f.Limit.Count
		}
		if f.HasMost {
			j.Cause = f.Mostly.ID()
		}
		o.Checks = append(o.Checks, j)
	}
	if c.Gate.Least > 0 {
		o.Checks = append(o.Checks, findingJSON{Check: smtp.Sent.String(), Count: c.Tally.Outcomes[smtp.Sent], Limit: &c.Gate.Least, Judged: true, Exceeded: c.Few})
	}
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = out.Write(append(quiet(data), '\n'))
	return err
}
