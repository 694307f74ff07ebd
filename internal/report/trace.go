package report

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Trace prints what became of a message.
type Trace struct {
	*trace.Result
	Words    *knowledge.Words
	By       *classify.Classifier
	Terminal Terminal
}

// part is a piece of what is told: a title, sentences, facts and a table, each where there is one.
type part struct {
	title     string
	level     int // 1 for a message, 2 for what belongs to it
	sentences []sentence
	facts     []fact
	verbatim  string // what a server said, word by word
	table     *Table
	notes     []string
}

type sentence struct {
	text  string
	style Style
}

func (t *Trace) text(key string, args ...any) string { return t.Words.Text(key, args...) }

// parts is all that is told, in the order in which it is read.
func (t *Trace) parts() (all []part) {
	if len(t.Messages) == 0 && len(t.Loose) == 0 {
		return []part{t.nothing()}
	}
	switch {
	case t.Full:
		for _, m := range t.Messages {
			all = append(all, t.message(m)...)
		}
	case len(t.Messages) > 0:
		all = append(all, t.list())
	}
	if len(t.Loose) > 0 {
		all = append(all, t.loose())
	}
	return append(all, part{notes: t.notes()})
}

// message tells of one message.
func (t *Trace) message(m *trace.Message) []part {
	root := m.Legs[0]
	title := t.text("trace.message", "id", root.Queue)
	if route := t.route(m); route != "" {
		title += "  " + route
	}
	head := part{title: title, level: 1, sentences: t.verdicts(m)}
	add := func(key, text string) {
		if text != "" {
			head.facts = append(head.facts, fact{t.text(key), text})
		}
	}
	add("trace.came", t.came(root))
	add("trace.message_id", string(m.MessageID))
	if root.Size > 0 {
		add("trace.size", t.text("trace.bytes", "n", count(t.Words, root.Size)))
	}
	all := []part{head, {title: t.text("trace.timeline"), level: 2, table: t.timeline(m)}}
	all = append(all, t.cards(m)...)
	if missing := t.missing(m); len(missing) > 0 {
		all = append(all, part{title: t.text("trace.missing"), level: 2, notes: missing})
	}
	return all
}

// route is from whom to whom.
func (t *Trace) route(m *trace.Message) string {
	to := ""
	switch n := len(m.Recipients); {
	case n > 1:
		to = t.together(m.Recipients[0].To, n-1)
	case n == 1:
		to = m.Recipients[0].To
	}
	from := string(m.From)
	if m.From != nil && from == "" {
		from = "<>"
	}
	if from == "" && to == "" {
		return ""
	}
	return strings.TrimSpace(from + " → " + to)
}

// came says how the message came to its first server.
func (t *Trace) came(g *trace.Leg) string {
	if g.Received == nil {
		return ""
	}
	ev := g.Received.Event
	from := peerOf(&ev.Peer)
	if from == "" {
		from = t.text("trace.local_program")
	}
	s := t.text("trace.came_from", "time", t.zoned(g.Received.When), "peer", from)
	if len(ev.User) > 0 {
		s += ", " + t.text("trace.logged_in", "user", string(ev.User))
	}
	return s
}

// missing says what the logs do not tell.
func (t *Trace) missing(m *trace.Message) (all []string) {
	add := func(key string, args ...any) { all = append(all, t.text(key, args...)) }
	for _, g := range m.Legs {
		host := t.hostOf(g)
		switch {
		case g.Received == nil && g.How == trace.HowBounce: // made here, which the line about it tells
		case g.Received == nil && g.Came().Before(t.first(g)):
			add("trace.before_log", "id", g.Queue, "time", t.zoned(g.Came()), "begin", t.zoned(t.first(g)))
		case g.Received == nil:
			add("trace.no_received", "id", g.Queue, "host", host)
		case g.Unsearched:
			add("trace.unsearched", "id", g.Queue)
		case g.NoConnect:
			add("trace.no_connect", "id", g.Queue)
		}
		if g.Removed == nil && !waits(m, g) {
			add("trace.no_removed", "id", g.Queue, "host", host, "end", t.zoned(t.last(g)))
		}
	}
	if m.Untold > 0 {
		add("trace.untold_more", "n", m.Untold)
	}
	if n := len(all) - maxMissing; n > 0 {
		all = append(all[:maxMissing:maxMissing], t.text("trace.missing_more", "n", count(t.Words, int64(n))))
	}
	return all
}

// maxMissing is how many sentences say what the logs do not tell. A message that went through
// many queues has as many ends.
const maxMissing = 10

// waits reports that some recipient is still in a leg's queue.
func waits(m *trace.Message, g *trace.Leg) bool {
	for _, r := range m.Recipients {
		if r.Leg == g && (r.Outcome == smtp.Deferred || r.Outcome == smtp.OutcomeNone) {
			return true
		}
	}
	return false
}

// first is when the log of a leg begins, and last when it ends.
func (t *Trace) first(g *trace.Leg) time.Time { return t.Spans[g.Lines[0].Input].First }
func (t *Trace) last(g *trace.Leg) time.Time  { return t.Spans[g.Lines[len(g.Lines)-1].Input].Last }

// hostOf names the server of a leg.
func (t *Trace) hostOf(g *trace.Leg) string {
	if g.Host != "" {
		return g.Host
	}
	return t.text("trace.this_server")
}

// notes say what was searched and what was left out.
func (t *Trace) notes() (all []string) {
	add := func(key string, args ...any) { all = append(all, t.text(key, args...)) }
	if t.Copies > 0 {
		ids := strings.Join(t.CopyIDs, ", ")
		if t.Copies > len(t.CopyIDs) {
			ids += ", …"
		}
		add("trace.copies", "n", t.Copies, "ids", ids)
	}
	if t.Sessions > 0 {
		add("trace.sessions", "n", count(t.Words, t.Sessions))
	}
	if t.Dropped+t.DroppedLegs > 0 {
		add("trace.dropped", "lines", count(t.Words, t.Dropped), "ids", count(t.Words, t.DroppedLegs))
	}
	if n := len(t.Unfollowed); n > 0 {
		add("trace.unfollowed", "n", n, "ids", strings.Join(t.Unfollowed[:min(n, maxNamed)], ", "))
	}
	for _, s := range t.Spans {
		if s.Err != nil {
			add("report.not_read", "error", s.Err)
		}
	}
	if t.Interrupted {
		add("trace.interrupted")
	}
	return append(all, t.searched())
}

// maxNamed is how many of the names are shown that were not followed any more.
const maxNamed = 4

// searched says what was searched.
func (t *Trace) searched() string {
	lines, files := int64(0), 0
	var first, last time.Time
	for _, s := range t.Spans {
		lines += s.Lines
		files++
		if first.IsZero() || !s.First.IsZero() && s.First.Before(first) {
			first = s.First
		}
		if s.Last.After(last) {
			last = s.Last
		}
	}
	if first.IsZero() {
		return t.text("trace.searched_timeless", "lines", count(t.Words, lines), "files", files)
	}
	return t.text("trace.searched", "lines", count(t.Words, lines), "files", files, "period", months(t.Words, period(first, last)))
}

// nothing says that nothing was found, where it was looked for, and what is nearly it.
func (t *Trace) nothing() part {
	p := part{sentences: []sentence{{t.text("trace.nothing", "what", t.What.Text), Warn}}, notes: t.notes()}
	p.notes = append(p.notes, t.text("trace.looked_as", "kinds", strings.Join(t.What.As.Names(), ", ")))
	if len(t.Near) > 0 {
		p.notes = append(p.notes, t.text("trace.near", "names", strings.Join(t.Near, ", ")))
	}
	return p
}

// zoned writes a time with its zone.
func (t *Trace) zoned(when time.Time) string {
	if when.IsZero() {
		return "?"
	}
	return months(t.Words, when.Format("2 Jan 2006 15:04:05 -07:00"))
}

// clockOf writes a time of day, with the day where it is not that of another time.
func (t *Trace) clockOf(when, beside time.Time) string {
	switch {
	case when.IsZero():
		return "?"
	case when.Format(time.DateOnly) == beside.Format(time.DateOnly):
		return when.Format(time.TimeOnly)
	}
	return strings.TrimPrefix(months(t.Words, " "+when.Format("2 Jan 15:04:05")), " ")
}

// took writes how long something took: 1.2 s, 25 min, 3 h 10 min, 2 days.
func (t *Trace) took(d time.Duration) string {
	switch {
	case d < time.Minute:
		return t.text("trace.seconds", "n", decimal(t.Words, d.Seconds(), places(d)))
	case d < time.Hour:
		return t.text("time.minutes", "n", int((d+time.Minute/2)/time.Minute))
	case d < 48*time.Hour:
		d = d.Round(time.Minute)
		s := t.text("time.hours", "n", int(d/time.Hour))
		if m := int(d % time.Hour / time.Minute); m > 0 {
			s += " " + t.text("time.minutes", "n", m)
		}
		return s
	}
	return t.text("trace.days", "n", decimal(t.Words, d.Hours()/24, 1))
}

// places is how many places behind the mark a time of seconds has.
func places(d time.Duration) int {
	if d%time.Second == 0 || d >= 10*time.Second {
		return 0
	}
	if d < 100*time.Millisecond {
		return 2
	}
	return 1
}

// peerOf writes a host as the log does: name[address].
func peerOf(p *smtp.Peer) string {
	switch {
	case p.IP != nil && p.Name != nil:
		return fmt.Sprintf("%s[%s]", p.Name, p.IP)
	case p.IP != nil:
		return fmt.Sprintf("[%s]", p.IP)
	}
	return string(p.Name)
}

// masked is a text as it may be shown, on one line.
func masked(b []byte) string {
	return strings.Join(strings.Fields(string(smtp.AppendMasked(nil, bytes.ReplaceAll(b, []byte("\\n"), []byte(" "))))), " ")
}
