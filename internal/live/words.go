package live

import (
	"bytes"

	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Words are those of a line. Of most lines none are asked for.
type Words interface {
	Host() []byte   // what the other side is known by: its name, or its address where it has none
	Domain() []byte // the recipient's
	Said() []byte   // the reply's text, or what was told instead of one
	Ends() Ends     // of Host and of the recipient
	Line() Line     // as it may be shown
}

// known are words that are at hand.
type known struct {
	ev   *smtp.Event
	line func() Line
}

func (k *known) Host() []byte   { return summary.HostOf(k.ev) }
func (k *known) Domain() []byte { return DomainOf(k.ev) }
func (k *known) Said() []byte   { return k.ev.Said() }
func (k *known) Ends() Ends     { return EndsOf(k.ev) }
func (k *known) Line() Line     { return k.line() }

// DomainOf returns the domain of the recipient of an event.
func DomainOf(ev *smtp.Event) []byte { return ev.To[bytes.LastIndexByte(ev.To, '@')+1:] }

// EndsOf returns what the names of an event end with.
func EndsOf(ev *smtp.Event) Ends { return Ends{EndOf(summary.HostOf(ev)), EndOf(ev.To)} }
