package report

import (
	"bytes"
	"strings"

	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxTimeline is how many rows a timeline has: its first and its last ones.
const maxTimeline = 200

// timeline is a message's life, a row a line.
func (t *Trace) timeline(m *trace.Message) *Table {
	tab := &Table{Name: "timeline", Columns: []Column{
		left(t.text("trace.time")), left(t.text("trace.host")).min(6).drop(3), left(t.text("trace.process")).drop(1), left(t.text("trace.queue_id")),
		left(t.text("trace.what")).min(24), left(t.text("trace.where")).min(12).drop(4), left(t.text("trace.means")).under(),
	}}
	lines := repeated(m.Lines, alike)
	if len(lines) > maxTimeline {
		lines = repeated(m.Lines, alikeToAll)
	}
	if n := len(lines) - maxTimeline; n > 0 {
		tab.Notes = append(tab.Notes, t.text("trace.more_lines", "n", count(t.Words, int64(n))))
		lines = append(lines[:maxTimeline/2:maxTimeline/2], lines[len(lines)-maxTimeline/2:]...)
	}
	day := m.Start
	for _, l := range lines {
		ev := l.Event
		title, fix := t.meaning(l.Line)
		if title != "" {
			title += ". " + fix
		}
		tab.Rows = append(tab.Rows, []Cell{
			{Text: t.clockOf(l.When, day)}, {Text: string(ev.Host), Style: Dim}, {Text: process(ev), Style: Dim}, {Text: string(ev.Queue)},
			{Text: t.times(l) + cutTo(t.says(l.Line), maxCell), Style: lineStyle(ev)}, {Text: where(l.Line), Style: Dim}, {Text: title},
		})
		day = l.When
	}
	return tab
}

// maxCell is how much of a line's text a row shows.
const maxCell = 400

// again is a line, and how often it came again before another did.
type again struct {
	*trace.Line
	count int
	last  *trace.Line
}

// repeated folds tries that end alike, of which a message that waits has many, and one to many
// recipients more.
func repeated(lines []*trace.Line, alike func(a, b *smtp.Event) bool) (out []again) {
	for _, l := range lines {
		if n := len(out) - 1; n >= 0 && alike(out[n].Event, l.Event) {
			out[n].count++
			out[n].last = l
			continue
		}
		out = append(out, again{l, 1, l})
	}
	return out
}

func alike(a, b *smtp.Event) bool {
	return a.Outcome == smtp.Deferred && a.Outcome == b.Outcome && bytes.Equal(a.Queue, b.Queue) && bytes.Equal(a.Host, b.Host) && bytes.Equal(a.To, b.To) &&
		bytes.Equal(a.Peer.IP, b.Peer.IP) && bytes.Equal(a.Reply.Text, b.Reply.Text) && bytes.Equal(a.Text, b.Text)
}

// alikeToAll takes recipients as one whom one server answered with one code.
func alikeToAll(a, b *smtp.Event) bool {
	return a.Outcome != smtp.OutcomeNone && a.Outcome == b.Outcome && bytes.Equal(a.Queue, b.Queue) && bytes.Equal(a.Host, b.Host) &&
		bytes.Equal(a.Peer.IP, b.Peer.IP) && bytes.Equal(a.Peer.Name, b.Peer.Name) && a.Reply.Code == b.Reply.Code && a.Reply.Enhanced == b.Reply.Enhanced
}

// times says how often a line came, and until when.
func (t *Trace) times(l again) string {
	if l.count == 1 {
		return ""
	}
	return t.text("trace.times", "n", count(t.Words, int64(l.count)), "time", t.clockOf(l.last.When, l.When)) + " "
}

// process names who wrote a line.
func process(ev *smtp.Event) string {
	switch {
	case len(ev.Process) > 0:
		return string(ev.Process)
	case ev.Format == smtp.FormatExim:
		return "exim"
	}
	return string(ev.Service)
}

func lineStyle(ev *smtp.Event) Style {
	switch {
	case ev.Outcome == smtp.Sent:
		return Good
	case ev.Outcome == smtp.Deferred || ev.Kind == smtp.KindAttempt || ev.Kind == smtp.KindWarning:
		return Warn
	case ev.Outcome > smtp.Sent || ev.Kind == smtp.KindReject || ev.Failed:
		return Bad
	}
	return Normal
}

// says puts into words what a line says.
func (t *Trace) says(l *trace.Line) string {
	ev := l.Event
	peer := peerOf(&ev.Peer)
	switch ev.Kind {
	case smtp.KindConnect:
		if peer != "" {
			return t.text("trace.connect", "peer", peer)
		}
	case smtp.KindTLS:
		if len(ev.TLSVersion) > 0 {
			return strings.TrimSpace(t.text("trace.tls", "version", string(ev.TLSVersion)) + " " + peer)
		}
	case smtp.KindReceived:
		return t.received(ev, peer)
	case smtp.KindMessage:
		if s := t.described(ev); s != "" {
			return s
		}
	case smtp.KindDelivery:
		return t.tried(ev, peer)
	case smtp.KindNotification:
		return t.text("trace.report", "id", string(ev.Related), "what", string(ev.Text))
	case smtp.KindRemoved:
		return t.text("trace.removed")
	case smtp.KindDisconnect:
		return strings.TrimSpace(t.text("trace.disconnect") + " " + string(ev.Commands))
	case smtp.KindReject:
		return t.text("trace.refused", "what", t.quoted(ev, l))
	}
	return t.quoted(ev, l)
}

func (t *Trace) received(ev *smtp.Event, peer string) string {
	s := t.text("trace.received_local")
	if peer != "" {
		s = t.text("trace.received", "peer", peer)
	}
	if len(ev.User) > 0 {
		s += ", " + t.text("trace.logged_in", "user", string(ev.User))
	}
	if more := t.described(ev); more != "" {
		s += "; " + more
	}
	if len(ev.Related) > 0 {
		s += "; " + t.text("trace.of", "id", string(ev.Related))
	}
	return s
}

// described is what a line tells of the message itself.
func (t *Trace) described(ev *smtp.Event) string {
	var parts []string
	if ev.From != nil {
		parts = append(parts, t.text("trace.from")+" <"+string(ev.From)+">")
	}
	if ev.Size > 0 {
		parts = append(parts, t.text("trace.bytes", "n", count(t.Words, ev.Size)))
	}
	if ev.Recipients > 0 {
		parts = append(parts, t.text("trace.recipients", "n", ev.Recipients))
	}
	if len(ev.MessageID) > 0 {
		parts = append(parts, "Message-ID <"+string(ev.MessageID)+">")
	}
	return strings.Join(parts, ", ")
}

// tried is a try to deliver.
func (t *Trace) tried(ev *smtp.Event, peer string) string {
	by := peer
	if by == "" {
		by = string(ev.Transport)
	}
	s := "<" + string(ev.To) + ">"
	if len(ev.To) == 0 {
		s = ""
	}
	if by != "" {
		s = strings.TrimSpace(s + " → " + by)
	}
	said := masked(ev.Reply.Text)
	if said == "" {
		said = masked(ev.Text)
	}
	outcome := ""
	if ev.Outcome != smtp.OutcomeNone {
		outcome = t.text(fateKeys[ev.Outcome])
	}
	return strings.Trim(s+" "+outcome+": "+said, ": ")
}

// quoted is the line's own text.
func (t *Trace) quoted(ev *smtp.Event, l *trace.Line) string {
	for _, text := range [][]byte{ev.Reply.Text, ev.Text} {
		if len(text) > 0 {
			return masked(text)
		}
	}
	raw := l.Raw
	if i := bytes.Index(raw, []byte(`input="`)); i >= 0 { // what Exim's client went on to say may be a secret
		raw = raw[:i]
	}
	if i := bytes.Index(raw, []byte("]: ")); i >= 0 && i < 200 {
		raw = raw[i+3:]
	}
	return masked(raw)
}
