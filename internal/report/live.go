package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Teller prints what a followed log shows, as it happens. What it prints comes out when its
// writer is flushed, which tells errors too.
type Teller struct {
	Words    *knowledge.Words
	By       *classify.Classifier
	Terminal Terminal

	today string    // the day of what was told last
	at    time.Time // a time on it
}

// day begins a new day.
func (l *Teller) day(w io.Writer, t time.Time) {
	if t.YearDay() == l.at.YearDay() && t.Year() == l.at.Year() {
		return
	}
	if d := t.Format(time.DateOnly); d > l.today {
		l.today, l.at = d, t
		fmt.Fprintln(w, l.Terminal.paint(months(l.Words, t.Format("2 Jan 2006 -07:00")), Dim))
	}
}

// clock is how the time stands before what is told. Its column is as wide as the indent
// of the lines below.
const (
	clock       = "15:04:05"
	clockIndent = "          "
)

// Notice prints what is new, goes on or is over.
func (l *Teller) Notice(w *bufio.Writer, n *live.Notice) {
	at := n.Time.Format(clock) + "  "
	l.day(w, n.Time)
	switch n.What {
	case live.Began:
		l.began(w, at, &n.Trouble)
	case live.Goes:
		t := &n.Trouble
		l.counted(w, at, l.head(t), l.often(n.Count, n.For), severityStyle(t.Severity))
	case live.Others:
		l.line(w, at, l.text("others", "n", count(l.Words, n.Count)), Normal)
	case live.Over:
		l.line(w, at, Flows(l.Words, n), Good)
	case live.Ended:
		l.ended(w, at, n)
	}
}

func (l *Teller) text(key string, args ...any) string { return l.Words.Text("live."+key, args...) }

// line prints one line, cut to the terminal.
func (l *Teller) line(w io.Writer, at, s string, style Style) {
	s = printable(s)
	if l.Terminal.Width > 0 {
		s = clip(s, max(l.Terminal.Width-1-len(at), 20))
	}
	io.WriteString(w, at)
	io.WriteString(w, l.Terminal.paint(s, style))
	io.WriteString(w, "\n")
}

// counted prints one line and a count behind it, before which the line gives way.
func (l *Teller) counted(w io.Writer, at, s, n string, style Style) {
	if l.Terminal.Width > 0 {
		s = clip(printable(s), max(l.Terminal.Width-1-len(at)-gap-twwidth.Width(n), 20))
	}
	l.line(w, at, s+strings.Repeat(" ", gap)+n, style)
}

// head names a trouble: which side, what, and with whom.
func (l *Teller) head(t *live.Facts) string {
	s := side(l.Words, t.Direction) + "  " + l.Words.Cause(t.Cause).Title
	if t.Party != "" {
		s += ": " + t.Party
	}
	return s
}

// began explains a trouble, where that has not been done for another party.
func (l *Teller) began(w io.Writer, at string, t *live.Facts) {
	l.line(w, at, l.head(t), severityStyle(t.Severity))
	said := t.Reply
	if !strings.HasPrefix(said, t.Code.String()) {
		said = replyOf(t.Code, t.Enhanced) + " " + said
	}
	if said = strings.TrimSpace(said); said != "" {
		if stage := t.Stage.String(); stage != "" {
			said = stage + ": " + said
		}
		l.line(w, clockIndent, said, Dim)
	}
	if t.Explained {
		return
	}
	terminal := l.Terminal.prose()
	who, fix := l.Words.Side(t.Cause.ActorOf(t.Direction), t.Direction), Advice(l.Words, l.By, t)
	if t.Cause == knowledge.Login && t.Direction == smtp.Outbound {
		// Where a server logs in to another, the one who logs in is the server.
		who, fix = l.Words.Side(knowledge.SendingAdmin, t.Direction), l.text("own_login")
	}
	terminal.hanging(w, clockIndent, who+": "+fix)
}

// Advice is what to do about a trouble, in one line, with whom its reply tells to ask for
// what.
func Advice(w *knowledge.Words, by *classify.Classifier, t *live.Facts) string {
	fix, _ := w.Advice(t.Entry, t.Direction)
	if t.Direction == smtp.Outbound {
		details := by.Details(&classify.Said{Code: t.Code, Enhanced: t.Enhanced, Text: []byte(t.Reply)})
		if removal := Removal(w, &details); removal != "" {
			fix += " " + removal
		}
	}
	return fix
}

// Flows tells that mail to a party flows again.
func Flows(w *knowledge.Words, n *live.Notice) string {
	return w.Text("live.flows", "party", n.Party, "time", Span(w, rough(n.For)))
}

// often tells how often something was met, in how long.
func (l *Teller) often(n int64, span time.Duration) string {
	span = rough(span)
	if span == time.Minute {
		return l.text("often_minute", "n", count(l.Words, n))
	}
	return l.text("often", "n", count(l.Words, n), "time", Span(l.Words, span))
}

// rough is a span as people tell it: in seconds below a minute, in minutes below two hours,
// else in hours.
func rough(d time.Duration) time.Duration {
	switch {
	case d < 55*time.Second:
		return max(d.Round(time.Second), time.Second)
	case d < 2*time.Hour:
		return d.Round(time.Minute)
	}
	return d.Round(time.Hour)
}

func (l *Teller) ended(w io.Writer, at string, n *live.Notice) {
	how := l.text("ended", "how", l.Words.Text("sessions.ended_at", "end", l.Words.End(n.End), "stage", n.Stage.String()))
	if n.Party == "" {
		l.counted(w, at, how, l.often(n.Count, n.For), Warn)
		return
	}
	l.line(w, at, how+"  "+n.Party, Warn)
}

// Session prints a session that has ended, in a line.
func (l *Teller) Session(w *bufio.Writer, s *session.Session) {
	var parts []string
	for _, c := range SessionRow(s, l.Words, l.By)[2:] {
		if c.Text != "" && c.Text != "0" {
			parts = append(parts, c.Text)
		}
	}
	l.day(w, s.Last)
	l.line(w, s.Last.Format(clock)+"  ", strings.Join(parts, "  "), Normal)
}

// Pulse is what the status line shows.
type Pulse struct {
	Now       time.Time
	PerSecond int64                // lines
	Minute    [live.NumRates]int64 // in the running minute and the one before it
	Behind    int64                // bytes that wait to be read
}

// behind is from how many bytes on it is told that they wait; fewer are on their way.
const behind = 64 << 10

// Status returns the status line, as wide as the terminal allows.
func (l *Teller) Status(p *Pulse) string {
	s := p.Now.Format(clock) + "  " + l.text("status", "lines", count(l.Words, p.PerSecond), "sent", count(l.Words, p.Minute[live.Sent]), "deferred", count(l.Words, p.Minute[live.Deferred]),
		"bounced", count(l.Words, p.Minute[live.Bounced]), "rejected", count(l.Words, p.Minute[live.Rejected]))
	if p.Behind >= behind {
		s += "  " + l.text("behind", "n", count(l.Words, (p.Behind+1023)>>10))
	}
	return l.Clip(s)
}

// Clip returns a status line as much of it as the terminal has room for.
func (l *Teller) Clip(s string) string {
	if l.Terminal.Width > 0 && twwidth.Width(s) >= l.Terminal.Width {
		return clip(s, l.Terminal.Width-1)
	}
	return s
}

// Dim returns a text as it stands back.
func (t Terminal) Dim(s string) string { return t.paint(s, Dim) }

// Width is how many columns a text takes.
func Width(s string) int { return twwidth.Width(s) }
