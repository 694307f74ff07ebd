package trace

import (
	"cmp"
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxSkew is how far the clocks of two servers may be apart, and how long a filter may hold
// a message before it says under which ID it gave it on.
const maxSkew = 10 * time.Minute

// link joins the legs that are of one message: each gets its parent.
func link(legs []*Leg) {
	slices.SortStableFunc(legs, func(a, b *Leg) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Queue, b.Queue), cmp.Compare(a.Host, b.Host), cmp.Compare(a.Instance, b.Instance))
	})
	l := linker{byQueue: map[string][]*Leg{}}
	for _, g := range legs {
		l.byQueue[g.Queue] = append(l.byQueue[g.Queue], g)
	}
	for _, g := range legs {
		for _, line := range g.Lines {
			l.named(g, line)
		}
	}
	for i, g := range legs {
		if g.Parent == nil && len(g.MessageID) > 0 {
			l.sameMessage(g, legs[:i])
		}
	}
	for _, g := range legs {
		slices.SortStableFunc(g.Kids, func(a, b *Leg) int { return a.Start.Compare(b.Start) })
	}
}

type linker struct{ byQueue map[string][]*Leg }

// named links what a line names: the ID at the next server, a bounce, an older ID.
func (l *linker) named(g *Leg, line *Line) {
	ev := line.Event
	if len(ev.QueuedAs) > 0 {
		if child := l.near(string(ev.QueuedAs), line.When, g, func(*Leg) bool { return true }); child != nil {
			join(g, child, HowQueuedAs, line)
		}
	}
	if len(ev.Related) == 0 {
		return
	}
	home := func(other *Leg) bool { return other.key.host == g.key.host }
	other := l.near(string(ev.Related), line.When, g, home)
	switch {
	case other == nil:
	case ev.Kind == smtp.KindNotification:
		join(g, other, HowBounce, line)
	case ev.Kind == smtp.KindReceived && ev.Format == smtp.FormatExim:
		join(other, g, HowBounce, line)
	case ev.Kind == smtp.KindReceived:
		join(other, g, HowRequeued, line)
	}
}

// near returns the leg of a queue ID that a line of another leg, from a time, can mean.
func (l *linker) near(queue string, when time.Time, from *Leg, may func(*Leg) bool) (best *Leg) {
	least := time.Duration(1<<63 - 1)
	for _, g := range l.byQueue[queue] {
		if g == from || !may(g) {
			continue
		}
		apart := max(0, g.Start.Sub(when), when.Sub(g.End))
		same := sameID(g.MessageID, from.MessageID)
		other := !same && len(g.MessageID) > 0 && len(from.MessageID) > 0
		if !same && apart > maxSkew || other && apart > sameTime {
			continue
		}
		if same {
			apart /= 2 // of two, that of the same Message-ID
		}
		if apart < least {
			best, least = g, apart
		}
	}
	return best
}

// sameMessage links a leg that nothing names to an earlier one of the same Message-ID: on
// the same server when it came from that machine itself, as a filter gives it back; on
// another one when the earlier leg was handed on.
func (l *linker) sameMessage(g *Leg, earlier []*Leg) {
	for _, p := range slices.Backward(earlier) {
		if !sameID(p.MessageID, g.MessageID) || p.How == HowBounce {
			continue
		}
		switch {
		case p.key.host == g.key.host:
			if g.local() {
				join(p, g, HowLocal, nil)
				return
			}
		case p.handedOn() && !p.hasKidAt(g.key.host):
			join(p, g, HowOther, nil)
			return
		}
	}
}

// local reports that the message came from the machine itself.
func (g *Leg) local() bool {
	if g.Received == nil {
		return false
	}
	ip := string(g.Received.Event.Peer.IP)
	return g.Received.Event.Direction == smtp.Internal || ip == "127.0.0.1" || ip == "::1"
}

// handedOn reports that another server took the message.
func (g *Leg) handedOn() bool {
	return slices.ContainsFunc(g.Lines, func(l *Line) bool {
		return l.Event.Outcome == smtp.Sent && l.Event.Direction == smtp.Outbound
	})
}

func (g *Leg) hasKidAt(host string) bool {
	return slices.ContainsFunc(g.Kids, func(k *Leg) bool { return k.key.host == host })
}

// join makes a leg the child of another, unless it has a parent or is one.
func join(parent, child *Leg, how How, by *Line) {
	if child.Parent != nil || parent.root() == child {
		return
	}
	child.Parent, child.How, child.By = parent, how, by
	parent.Kids = append(parent.Kids, child)
}
