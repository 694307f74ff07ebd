package report

import (
	"fmt"
	"io"
	"time"

	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// where names the place of a line.
func where(l *trace.Line) string { return fmt.Sprintf("%s:%d", l.Path, l.Number) }

// JSON prints one object.
func (t *Trace) JSON(out io.Writer) error {
	o := object{b: []byte{'{'}}
	o.str("what", []byte(t.What.Text))
	o.list("as", t.As.Names())
	o.coverage(t.Result)
	o.num("found", int64(t.Total))
	if t.AtLeast {
		o.raw("found_about", "true")
	}
	o.key("messages")
	o.b = append(o.b, '[')
	for i, m := range t.Messages {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = t.appendMessage(o.b, m)
	}
	o.b = append(o.b, ']')
	o.key("refused")
	o.b = append(o.b, '[')
	for i, l := range t.Loose {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = t.appendLine(o.b, l)
	}
	o.b = append(o.b, ']')
	o.num("refused_lines", t.LooseTotal)
	o.num("session_lines", t.Sessions)
	o.list("near", t.Near)
	if t.Copies > 0 {
		o.num("copies", int64(t.Copies))
	}
	if t.Dropped+t.DroppedLegs > 0 {
		o.num("dropped_lines", t.Dropped)
		o.num("dropped_ids", t.DroppedLegs)
	}
	if len(t.Unfollowed) > 0 {
		o.list("unfollowed", t.Unfollowed)
	}
	if t.Interrupted {
		o.raw("interrupted", "true")
	}
	_, err := out.Write(append(o.b, '}', '\n'))
	return err
}

// coverage writes what was searched.
func (o *object) coverage(r *trace.Result) {
	o.open("coverage")
	lines, bytes := int64(0), int64(0)
	for _, s := range r.Spans {
		lines, bytes = lines+s.Lines, bytes+s.Bytes
	}
	o.num("lines", lines)
	o.num("bytes", bytes)
	o.key("files")
	for i, s := range r.Spans {
		f := object{b: append(append(o.b, "[,"[min(i, 1)]), '{')}
		f.str("path", []byte(s.Path))
		f.num("lines", s.Lines)
		f.num("bytes", s.Bytes)
		if !s.First.IsZero() {
			f.time("first", s.First)
			f.time("last", s.Last)
		}
		if s.Err != nil {
			f.str("error", []byte(s.Err.Error()))
		}
		o.b = append(f.b, '}')
	}
	if len(r.Spans) == 0 {
		o.b = append(o.b, '[')
	}
	o.b = append(o.b, ']')
	o.close()
}

// NDJSON prints an object a message, and one a line that has no queue ID.
func (t *Trace) NDJSON(out io.Writer) error {
	for _, m := range t.Messages {
		if _, err := out.Write(append(t.appendMessage(nil, m), '\n')); err != nil {
			return err
		}
	}
	for _, l := range t.Loose {
		if _, err := out.Write(append(t.appendLine(nil, l), '\n')); err != nil {
			return err
		}
	}
	return nil
}

// appendLine appends the object that events has for a line.
func (t *Trace) appendLine(b []byte, l *trace.Line) []byte {
	var x *Explanation
	if a, ok := t.By.Event(l.Event); ok {
		x = Explain(t.By, a, l.Event.Reply.Code, l.Event.Direction)
	}
	return AppendEvent(b, l.Event, Place{Path: l.Path, Line: l.Number, Guessed: l.Guessed}, x)
}

// appendMessage appends one object for a message.
func (t *Trace) appendMessage(b []byte, m *trace.Message) []byte {
	o := object{b: append(b, '{')}
	o.open("event")
	o.moment("start", m.Start)
	o.moment("end", m.End)
	o.close()
	o.open("email")
	o.str("local_id", []byte(m.Legs[0].Queue))
	o.str("message_id", m.MessageID)
	o.close()
	o.open("smtp")
	o.open("envelope")
	o.opt("from", m.From)
	o.close()
	o.word("outcome", m.Outcome().String())
	if m.Legs[0].Size > 0 {
		o.num("size", m.Legs[0].Size)
	}
	o.recipients(t, m)
	o.close()
	o.list("verdict", texts(t.verdicts(m)))
	o.legs(m)
	o.key("timeline")
	o.b = append(o.b, '[')
	for i, l := range m.Lines {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = t.appendLine(o.b, l)
	}
	o.b = append(o.b, ']')
	o.list("missing", t.missing(m))
	return append(o.b, '}')
}

func texts(all []sentence) (out []string) {
	for _, s := range all {
		out = append(out, s.text)
	}
	return out
}

func (o *object) moment(name string, t time.Time) {
	if !t.IsZero() {
		o.time(name, t)
	}
}

func (o *object) recipients(t *Trace, m *trace.Message) {
	o.key("recipients")
	o.b = append(o.b, '[')
	for i, r := range m.Recipients {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		in := object{b: append(o.b, '{')}
		in.str("to", []byte(r.To))
		in.word("outcome", r.Outcome.String())
		in.str("local_id", []byte(r.Leg.Queue))
		in.str("host", []byte(r.Leg.Host))
		if r.Line != nil {
			in.last(t, r)
		}
		if r.Notified != nil {
			in.str("report_id", []byte(r.Notified.Queue))
		}
		if !r.Next.From.IsZero() {
			in.open("next")
			in.moment("from", r.Next.From)
			in.moment("to", r.Next.To)
			in.moment("expires", r.Next.Expires)
			if r.Next.Overdue {
				in.raw("overdue", "true")
			}
			in.close()
		}
		o.b = append(in.b, '}')
	}
	o.b = append(o.b, ']')
}

// last writes the line that decided a fate.
func (o *object) last(t *Trace, r *trace.Recipient) {
	ev := r.Line.Event
	o.moment("time", ev.Time)
	o.num("tries", int64(r.Tries))
	if r.After != smtp.NoDelay {
		o.seconds("after", r.After)
	}
	o.open("server")
	o.peer(&ev.Peer)
	o.close()
	o.open("reply")
	if ev.Reply.Code != 0 {
		o.num("code", int64(ev.Reply.Code))
	}
	o.enhanced("enhanced_code", ev.Reply.Enhanced)
	o.text("text", ev.Reply.Text)
	o.close()
	o.str("queued_as", ev.QueuedAs)
	if a, ok := t.By.Event(ev); ok {
		o.explain(Explain(t.By, a, ev.Reply.Code, ev.Direction))
	}
}

func (o *object) legs(m *trace.Message) {
	o.key("legs")
	o.b = append(o.b, '[')
	for i, g := range m.Legs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		in := object{b: append(o.b, '{')}
		in.str("host", []byte(g.Host))
		in.str("service", []byte(g.Instance))
		in.str("local_id", []byte(g.Queue))
		in.moment("start", g.Start)
		in.moment("end", g.End)
		in.word("how", g.How.String())
		if g.Parent != nil {
			in.str("parent_id", []byte(g.Parent.Queue))
		}
		if g.Removed != nil {
			in.raw("removed", "true")
		}
		o.b = append(in.b, '}')
	}
	o.b = append(o.b, ']')
}
