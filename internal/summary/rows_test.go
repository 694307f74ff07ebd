package summary

import (
	"fmt"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestOrder: what a postmaster should look at first stands first. In every pair the
// first is to stand above the second.
func TestOrder(t *testing.T) {
	type met struct {
		n     int
		cause knowledge.Cause
		side  smtp.Direction
		code  smtp.Code
	}
	for _, c := range [][2]met{
		{{1000, knowledge.Login, smtp.Inbound, 535}, {12, knowledge.RecipientUnknown, smtp.Outbound, 550}},
		{{1, knowledge.Blocklisted, smtp.Outbound, 554}, {1000, knowledge.Login, smtp.Inbound, 535}},
		{{3, knowledge.Blocklisted, smtp.Outbound, 554}, {5000, knowledge.Blocklisted, smtp.Inbound, 554}},
		{{2, knowledge.MailboxFull, smtp.Outbound, 452}, {9000, knowledge.RecipientUnknown, smtp.Inbound, 550}},
		{{40, knowledge.ReverseDNS, smtp.Outbound, 550}, {60, knowledge.RecipientUnknown, smtp.Outbound, 550}},
		{{30, knowledge.ServerTrouble, smtp.Inbound, 451}, {60, knowledge.ServerTrouble, smtp.Outbound, 451}},
		{{5, knowledge.MailboxFull, smtp.Inbound, 552}, {8, knowledge.MailboxFull, smtp.Outbound, 552}},
		{{200, knowledge.Greylisted, smtp.Outbound, 450}, {20, knowledge.RelayDenied, smtp.Inbound, 554}},
	} {
		s := New()
		for _, m := range c {
			s.Event(&smtp.Event{
				Kind: smtp.KindReject, Direction: m.side, Outcome: smtp.Rejected, Failed: true, Repeat: uint32(m.n),
				Head: smtp.Head{Time: noon}, Reply: smtp.Reply{Code: m.code}, To: fmt.Appendf(nil, "%d", m.n),
			}, &Note{Cause: m.cause, Severity: knowledge.Load().Severity(m.cause, m.side == smtp.Inbound, m.code < 500)}, 0, noSample)
		}
		groups := s.Groups()
		if len(groups) != 2 || groups[0].Cause != c[0].cause || groups[0].Direction != c[0].side {
			t.Errorf("%d %v %v does not stand above %d %v %v", c[0].n, c[0].side, c[0].cause, c[1].n, c[1].side, c[1].cause)
		}
	}
}
