package main

import (
	"slices"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// people counts the senders and the recipients of what a report is of.
type people struct {
	senders, recipients *summary.People
	from                []byte // the reverse-path of the message that the line at hand is about, nil when it is not known
}

// people returns what counts those that were asked for, nil when none were.
func (f *dayFlags) people(sum *summary.Summary, o *session.Options) *people {
	p := new(people)
	if slices.Contains(f.Section, "senders") {
		sum.Senders = new(summary.People)
		p.senders, o.Envelopes = sum.Senders, true
		selected := o.Select
		o.Select = func(ev *smtp.Event, from []byte) bool {
			p.from = from
			return selected == nil || selected(ev, from)
		}
	}
	if slices.Contains(f.Section, "recipients") {
		sum.Recipients = new(summary.People)
		p.recipients = sum.Recipients
	}
	if p.senders == nil && p.recipients == nil {
		return nil
	}
	return p
}

// count counts the people of a line. A message that only goes on to a filter of our own, which
// hands it back, has not come anywhere yet.
func (p *people) count(l *line) {
	if p == nil || l.written == nil {
		return
	}
	counted, ev := l.counted(), l.written
	if len(ev.QueuedAs) > 0 && (ev.Direction == smtp.Internal || smtp.IsLoopback(ev.Peer.IP)) {
		return
	}
	if p.senders != nil {
		from := p.from
		if from == nil {
			from = ev.From
		}
		p.senders.Count(&counted, l.hiddenAddress(from))
	}
	if p.recipients != nil {
		p.recipients.Count(&counted, l.ev.To)
	}
}

// hiddenAddress is an address as it may be shown.
func (l *line) hiddenAddress(addr []byte) []byte {
	if l.hide == nil || len(addr) == 0 {
		return addr
	}
	return []byte(l.hide.Address(string(addr)))
}
