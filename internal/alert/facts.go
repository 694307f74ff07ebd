package alert

import (
	"cmp"
	"strconv"
	"time"
)

// Facts are what a command is told in its environment and a webhook in its JSON. The names
// are a promise to users' scripts: "alert" and the others in JSON, MAILWHY_ALERT and
// MAILWHY_ALERT_STATE and so on in the environment, where MAILWHY_STATE and the like are
// mailwhy's own settings.
type Facts struct {
	Alert     string    `json:"alert"`
	State     string    `json:"state"` // firing, resolved
	Text      string    `json:"text"`  // one line for people, in their language; Slack and others show it
	By        string    `json:"by,omitempty"`
	Group     string    `json:"group,omitempty"`
	Time      time.Time `json:"time"`
	Since     time.Time `json:"since"`
	Count     int64     `json:"count"`
	Of        int64     `json:"of,omitempty"`
	Window    float64   `json:"window_seconds"` // seconds
	Cause     string    `json:"cause,omitempty"`
	Severity  string    `json:"severity,omitempty"`
	Direction string    `json:"direction,omitempty"`
	Code      string    `json:"code,omitempty"`
	Enhanced  string    `json:"enhanced_code,omitempty"`
	Reply     string    `json:"reply,omitempty"`
	Title     string    `json:"title,omitempty"` // what the cause is called
	Fix       string    `json:"fix,omitempty"`   // what to do about it
	Path      string    `json:"file,omitempty"`
	Number    int64     `json:"line,omitempty"`
	Line      string    `json:"log,omitempty"`  // the last line that counted
	Host      string    `json:"host,omitempty"` // the machine that says so
}

// Facts returns what an alert tells; whoever has the words adds Text, Title and Fix.
func (a *Alert) Facts() Facts {
	f := Facts{
		Alert: a.Rule.Name, State: "firing", By: a.Rule.By, Group: a.Group, Time: a.Time, Since: a.Since,
		Count: a.Count, Of: a.Of, Window: a.Within.Seconds(),
	}
	if a.Resolved {
		f.State = "resolved"
	}
	if l := &a.Last; l.Line != (Line{}) {
		f.Cause, f.Severity, f.Direction = l.Cause.ID(), l.Severity.String(), l.Direction.String()
		f.Code, f.Enhanced, f.Reply = l.Code.String(), l.Enhanced.String(), l.Reply
		f.Path, f.Number, f.Line = clean(l.Line.Path), l.Line.Number, clean(l.Line.Text)
	}
	return f
}

// Environ returns the facts as a program's environment has them, each as one line without
// control characters. All are there, also empty, so that none is left from elsewhere.
func (f *Facts) Environ() []string {
	pairs := []struct{ name, value string }{
		{"STATE", f.State}, {"TEXT", f.Text}, {"BY", cmp.Or(f.By, "none")}, {"GROUP", f.Group},
		{"TIME", f.Time.Format(time.RFC3339)}, {"SINCE", f.Since.Format(time.RFC3339)},
		{"COUNT", strconv.FormatInt(f.Count, 10)}, {"OF", strconv.FormatInt(f.Of, 10)}, {"WINDOW", strconv.FormatFloat(f.Window, 'f', -1, 64)},
		{"CAUSE", f.Cause}, {"SEVERITY", f.Severity}, {"DIRECTION", f.Direction}, {"CODE", f.Code}, {"ENHANCED_CODE", f.Enhanced}, {"REPLY", f.Reply},
		{"TITLE", f.Title}, {"FIX", f.Fix}, {"FILE", f.Path}, {"LINE", strconv.FormatInt(f.Number, 10)}, {"LOG", f.Line}, {"HOST", f.Host},
	}
	env := []string{"MAILWHY_ALERT=" + clean(f.Alert)}
	for _, p := range pairs {
		env = append(env, "MAILWHY_ALERT_"+p.name+"="+clean(p.value))
	}
	return env
}
