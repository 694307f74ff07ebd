package main

import (
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// hideTrace puts pseudonyms into what a trace has found. What belongs together has been found
// out by then.
func (h *hiding) hideTrace(found *trace.Result) {
	if h == nil || h.by == nil {
		return
	}
	t := tracedNames{h: h, by: h.by, lines: map[*trace.Line]bool{}, legs: map[*trace.Leg]bool{}}
	found.What.Text = t.what(found.What.Text, found.As)
	for i := range found.Spans {
		found.Spans[i].Path, found.Spans[i].Err = h.path(found.Spans[i].Path), h.message(found.Spans[i].Err)
	}
	for i, name := range found.Near {
		found.Near[i] = h.by.Name(name)
	}
	t.all(found.Loose)
	for _, m := range found.Messages {
		t.all(m.Lines)
		m.From, m.MessageID = t.address(m.From), t.messageID(m.MessageID)
		for _, leg := range m.Legs {
			t.leg(leg)
		}
		for _, r := range m.Recipients {
			r.To = h.by.Address(r.To)
			t.all([]*trace.Line{r.Line, r.Reason})
			t.leg(r.Leg)
			t.leg(r.Notified)
		}
	}
}

// tracedNames hides each line and each leg once, however often it is named.
type tracedNames struct {
	h     *hiding
	by    *redact.Redactor
	lines map[*trace.Line]bool
	legs  map[*trace.Leg]bool
}

func (t *tracedNames) what(text string, as trace.As) string {
	switch {
	case as&(trace.AsQueueID|trace.AsRemoteID) != 0:
		return t.by.Text(text)
	case as == trace.AsMessageID:
		return t.by.MessageID(text)
	case as&(trace.AsHost|trace.AsIP) != 0:
		return t.by.Host(text)
	}
	return t.by.Name(text)
}

func (t *tracedNames) address(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	return []byte(t.by.Address(string(b)))
}

func (t *tracedNames) messageID(b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	return []byte(t.by.MessageID(string(b)))
}

func (t *tracedNames) all(lines []*trace.Line) {
	for _, l := range lines {
		if l == nil || t.lines[l] {
			continue
		}
		t.lines[l] = true
		shown := new(smtp.Event)
		l.Raw = t.by.Line(l.Event, l.Raw)
		t.by.Event(shown, l.Event)
		l.Event, l.Path = shown, t.h.path(l.Path)
	}
}

func (t *tracedNames) leg(leg *trace.Leg) {
	if leg == nil || t.legs[leg] {
		return
	}
	t.legs[leg] = true
	if leg.Host != "" {
		leg.Host = t.by.Host(leg.Host)
	}
	leg.Instance = t.by.Text(leg.Instance)
	leg.From, leg.MessageID = t.address(leg.From), t.messageID(leg.MessageID)
	t.all(leg.Lines)
	t.all(leg.Around)
	t.all([]*trace.Line{leg.Received, leg.Removed, leg.By})
	t.leg(leg.Parent)
	for _, kid := range leg.Kids {
		t.leg(kid)
	}
}
