package report

import (
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// list is the table of many messages, the newest last.
func (t *Trace) list() part {
	tab := &Table{Name: "messages", Columns: []Column{
		left(t.text("trace.time")), left(t.text("trace.queue_id")), left(t.text("trace.from")).min(12).drop(1), left(t.text("trace.to")).min(12),
		left(t.text("trace.fate")), left(t.text("trace.what")).min(20).drop(2),
	}}
	for _, m := range t.Messages {
		tab.Rows = append(tab.Rows, t.row(m))
	}
	p := part{title: t.text("trace.messages", "what", t.What.Text), level: 1, table: tab}
	if t.Total > len(t.Messages) {
		key := "trace.shown"
		if t.AtLeast {
			key = "trace.shown_of_about"
		}
		p.notes = append(p.notes, t.text(key, "n", count(t.Words, int64(t.Total)), "shown", count(t.Words, int64(len(t.Messages))), "max", count(t.Words, trace.MaxMessages)))
	}
	p.notes = append(p.notes, t.text("trace.one_of_them"))
	return p
}

func (t *Trace) row(m *trace.Message) []Cell {
	from := string(m.From)
	if m.From != nil && from == "" {
		from = "<>"
	}
	to, what := "", ""
	outcome := m.Outcome()
	for i, r := range m.Recipients {
		if i == 0 {
			to = r.To
		}
		if r.Outcome == outcome && r.Line != nil && what == "" {
			what = t.rowText(r)
		}
	}
	to = t.together(to, max(0, len(m.Recipients)-1))
	return []Cell{
		{Text: moment(m.Start)}, {Text: m.Legs[0].Queue}, {Text: from}, {Text: to},
		{Text: t.text(fateKeys[outcome]), Style: fateStyle(outcome)}, {Text: what, Style: Dim},
	}
}

// fateKeys are the phrases for what became of a message.
var fateKeys = [smtp.NumOutcomes]string{
	smtp.OutcomeNone: "trace.fate_none", smtp.Sent: "trace.fate_sent", smtp.Deferred: "trace.fate_deferred", smtp.Bounced: "trace.fate_bounced",
	smtp.Expired: "trace.fate_expired", smtp.Rejected: "trace.fate_rejected", smtp.Discarded: "trace.fate_discarded",
}

// rowText is what a row says of a fate besides its name.
func (t *Trace) rowText(r *trace.Recipient) string {
	if r.Outcome != smtp.Sent {
		return t.why(r.Line)
	}
	if s := peerOf(&r.Line.Event.Peer); s != "" {
		return s
	}
	return masked(r.Line.Event.Text)
}

// loose is the table of what was refused before it had a queue ID.
func (t *Trace) loose() part {
	tab := &Table{Name: "refused", Columns: []Column{
		left(t.text("trace.time")), left(t.text("trace.peer")).min(14), left(t.text("trace.from")).min(10).drop(1), left(t.text("trace.to")).min(10).drop(2),
		left(t.text("trace.what")).min(24), left(t.text("trace.where")).min(12).drop(4), left(t.text("trace.means")).under(),
	}}
	lines := t.Loose
	if n := len(lines) - maxLoose; n > 0 {
		lines = lines[n:]
	}
	for _, l := range lines {
		title, fix := t.meaning(l)
		if title != "" {
			title += ". " + fix
		}
		tab.Rows = append(tab.Rows, []Cell{
			{Text: moment(l.When)}, {Text: peerOf(&l.Event.Peer)}, {Text: string(l.Event.From)}, {Text: string(l.Event.To)},
			{Text: t.quoted(l.Event, l), Style: lineStyle(l.Event)}, {Text: where(l), Style: Dim}, {Text: title},
		})
	}
	p := part{title: t.text("trace.loose"), level: 1, table: tab}
	if t.LooseTotal > int64(len(lines)) {
		p.notes = append(p.notes, t.text("trace.shown_lines", "n", count(t.Words, t.LooseTotal), "shown", len(lines)))
	}
	return p
}

// maxLoose is how many lines without a queue ID a table shows.
const maxLoose = 20
