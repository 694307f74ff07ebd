package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// filterFlags say which part of the input is asked for; they hold for report, sessions
// and events alike.
type filterFlags struct {
	Since     string `group:"Filters" short:"S" placeholder:"WHEN" help:"From this time on: '2026-09-14 08:00', 2026-09-14T08:00:00+02:00 (RFC 3339), 08:00 of today, today, yesterday, now, -2h, -3d, '2h ago'."`
	Until     string `group:"Filters" short:"U" placeholder:"WHEN" help:"Before this time; the same forms."`
	From      string `group:"Filters" placeholder:"ADDRESS" help:"Sender: an address, a domain, <> for bounces; * stands for anything."`
	To        string `group:"Filters" placeholder:"ADDRESS" help:"Recipient: an address or a domain."`
	Host      string `group:"Filters" placeholder:"NAME" help:"The other side's host name, or a domain it is in."`
	IP        string `group:"Filters" name:"ip" placeholder:"ADDRESS" help:"The other side's IP address, or a network like 192.0.2.0/24."`
	QueueID   string `group:"Filters" name:"queue-id" placeholder:"ID" help:"Lines of this queue ID."`
	Code      string `group:"Filters" placeholder:"CODE" help:"Replies with this code: 550, 5xx, 5.7.1, 5.7.x."`
	Cause     string `group:"Filters" placeholder:"CAUSE" help:"Replies and failures of this cause: ${causes}."`
	Outcome   string `group:"Filters" placeholder:"OUTCOME" help:"Lines that decide this fate: sent, deferred, bounced, expired, rejected, discarded."`
	Direction string `group:"Filters" placeholder:"SIDE" help:"inbound, outbound or internal."`
}

// filter reads the flags.
func (f *filterFlags) filter(now time.Time) (out filter.Filter, err error) {
	if f.Since != "" {
		if out.Since, err = filter.ParseWhen(f.Since, now); err != nil {
			return out, fmt.Errorf("--since: %w", err)
		}
	}
	if f.Until != "" {
		if out.Until, err = filter.ParseWhen(f.Until, now); err != nil {
			return out, fmt.Errorf("--until: %w", err)
		}
		if !out.Since.IsZero() && !out.Since.Before(out.Until) {
			return out, fmt.Errorf("--since %s is not before --until %s: nothing lies between them", f.Since, f.Until)
		}
	}
	out.From, out.To, out.Host = filter.ParseAddress(f.From), filter.ParseAddress(f.To), filter.ParseAddress(f.Host)
	out.QueueID = f.QueueID
	if f.IP != "" {
		if out.IP, err = parsePrefix(f.IP); err != nil {
			return out, err
		}
	}
	if f.Code != "" {
		if out.Code, err = filter.ParseCode(f.Code); err != nil {
			return out, fmt.Errorf("--code: %w", err)
		}
	}
	if f.Cause != "" {
		c, ok := knowledge.CauseByID(f.Cause)
		if !ok {
			return out, unknownCause("--cause", f.Cause)
		}
		out.Cause = c.ID()
	}
	for o := smtp.Sent; int(o) < smtp.NumOutcomes; o++ {
		if f.Outcome == o.String() {
			out.Outcome = o
		}
	}
	if f.Outcome != "" && out.Outcome == smtp.OutcomeNone {
		return out, fmt.Errorf("--outcome: %q is none; there are sent, deferred, bounced, expired, rejected, discarded", f.Outcome)
	}
	for d := smtp.Inbound; d <= smtp.Internal; d++ {
		if f.Direction == d.String() {
			out.Direction = d
		}
	}
	if f.Direction != "" && out.Direction == smtp.DirectionNone {
		return out, fmt.Errorf("--direction: %q is none; there are inbound, outbound, internal", f.Direction)
	}
	return out, nil
}

// unknownCause names the causes that were meant, or else all that there are.
func unknownCause(flag, given string) error {
	var ids []string
	for _, c := range knowledge.Causes() {
		ids = append(ids, c.ID())
	}
	if near := source.Nearest(given, ids); len(near) > 0 {
		return fmt.Errorf("%s: %q is no cause; did you mean %s?", flag, given, strings.Join(near, " or "))
	}
	return fmt.Errorf("%s: %q is no cause; there are %s", flag, given, strings.Join(ids, ", "))
}

func parsePrefix(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("--ip: %q is no IP address: give one like 192.0.2.7, 2001:db8::1 or 192.0.2.0/24", s)
	}
	a = a.Unmap()
	return netip.PrefixFrom(a, a.BitLen()), nil
}

func list[T fmt.Stringer](items []T) string {
	s := ""
	for i, it := range items {
		if i > 0 {
			s += ", "
		}
		s += it.String()
	}
	return s
}

// causeID returns the cause that a line's note names, "" for none.
func (l *line) causeID() string {
	return l.note.cause()
}
