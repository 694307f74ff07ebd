package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/trace"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxVerdicts is how many recipients have a sentence of their own.
const maxVerdicts = 20

// verdicts say where the message is, for each recipient; of many, how many fared how, and for
// those who fared alike, one for all, the worst off first.
func (t *Trace) verdicts(m *trace.Message) (all []sentence) {
	groups := make([]group, 0, min(len(m.Recipients), maxVerdicts))
	if len(m.Recipients) > maxVerdicts {
		all = append(all, t.tallied(m))
		groups = t.alike(m.Recipients)
		slices.SortStableFunc(groups, func(a, b group) int { return trace.Worse(b.Outcome) - trace.Worse(a.Outcome) })
	} else {
		for _, r := range m.Recipients {
			groups = append(groups, group{r, 0})
		}
	}
	told := map[*trace.Leg]bool{}
	before, more := "", 0
	for i, g := range groups {
		if i >= maxVerdicts {
			more += 1 + g.others
			continue
		}
		all = append(all, sentence{t.fate(m, g), fateStyle(g.Outcome)})
		if next := t.next(g.Recipient); next != "" && next != before {
			all, before = append(all, sentence{next, Normal}), next
		}
		if r := g.Notified; r != nil && !told[r] {
			all = append(all, t.notified(g.Recipient))
			told[r] = true
		}
	}
	if more > 0 {
		all = append(all, sentence{t.text("trace.more_recipients", "n", count(t.Words, int64(more))), Dim})
	}
	if len(m.Recipients) == 0 {
		all = append(all, sentence{t.unborn(m), Warn})
	}
	return all
}

// group is a recipient, and how many others fared like him.
type group struct {
	*trace.Recipient
	others int
}

// alike puts recipients together who fared alike: on one server, and by the same word of
// another.
func (t *Trace) alike(recipients []*trace.Recipient) (groups []group) {
	type fate struct {
		leg          *trace.Leg
		peer, queued string
		outcome      smtp.Outcome
		code         smtp.Code
		enhanced     smtp.EnhancedCode
		cause        string
	}
	at := map[fate]int{}
	for _, r := range recipients {
		key := fate{leg: r.Leg, outcome: r.Outcome}
		if r.Line != nil {
			ev := r.Line.Event
			key.peer, key.queued, key.code, key.enhanced = peerOf(&ev.Peer), string(ev.QueuedAs), ev.Reply.Code, ev.Reply.Enhanced
			if a, ok := t.By.Event(ev); ok {
				key.cause = a.Cause.ID()
			}
		}
		if i, there := at[key]; there {
			groups[i].others++
			continue
		}
		at[key] = len(groups)
		groups = append(groups, group{r, 0})
	}
	return groups
}

// together names a recipient and says how many others there are.
func (t *Trace) together(to string, others int) string {
	if others == 0 {
		return to
	}
	return t.text("trace.and_more", "to", to, "n", count(t.Words, int64(others)))
}

// tallied says how many recipients fared how.
func (t *Trace) tallied(m *trace.Message) sentence {
	var fared [smtp.NumOutcomes]int
	worst := smtp.Sent
	for _, r := range m.Recipients {
		if fared[r.Outcome]++; trace.Worse(r.Outcome) > trace.Worse(worst) {
			worst = r.Outcome
		}
	}
	var parts []string
	for o, n := range fared {
		if n > 0 {
			parts = append(parts, t.text(fateKeys[o])+" "+count(t.Words, int64(n)))
		}
	}
	return sentence{t.text("trace.recipients", "n", count(t.Words, int64(len(m.Recipients)))) + " (" + strings.Join(parts, ", ") + ")", fateStyle(worst)}
}

func fateStyle(o smtp.Outcome) Style {
	switch o {
	case smtp.Sent:
		return Good
	case smtp.Deferred, smtp.OutcomeNone:
		return Warn
	}
	return Bad
}

// unborn says where a message is of whose recipients nothing is told.
func (t *Trace) unborn(m *trace.Message) string {
	g := m.Legs[len(m.Legs)-1]
	if g.Removed != nil {
		return t.text("trace.gone", "id", g.Queue, "host", t.hostOf(g), "time", t.clockOf(g.Removed.When, m.Start))
	}
	return t.text("trace.no_try", "to", g.Queue, "host", t.hostOf(g), "time", t.zoned(g.End))
}

// fate says in one sentence what became of the message for a recipient and those like him.
func (t *Trace) fate(m *trace.Message, g group) string {
	r, to := g.Recipient, t.together(cmp.Or(g.To, "?"), g.others)
	host := t.hostOf(r.Leg)
	if r.Line == nil {
		if r.Leg.Removed != nil {
			return t.text("trace.gone", "id", r.Leg.Queue, "host", host, "time", t.clockOf(r.Leg.Removed.When, m.Start))
		}
		return t.text("trace.no_try", "to", to, "host", host, "time", t.zoned(r.Leg.Start))
	}
	at := t.zoned(r.Line.When)
	switch r.Outcome {
	case smtp.Sent:
		return t.delivered(m, r, to, at)
	case smtp.Deferred:
		if r.Leg.Removed != nil {
			return t.text("trace.gone", "id", r.Leg.Queue, "host", host, "time", t.clockOf(r.Leg.Removed.When, m.Start))
		}
		if r.Tries == 1 {
			return t.text("trace.waiting_once", "to", to, "host", host, "time", at, "why", t.why(cmp.Or(r.Reason, r.Line)))
		}
		return t.text("trace.waiting", "to", to, "host", host, "tries", r.Tries, "time", at, "why", t.why(cmp.Or(r.Reason, r.Line)))
	case smtp.Bounced:
		return t.text("trace.bounced", "to", to, "host", host, "time", at, "why", t.why(r.Line))
	case smtp.Expired:
		reason := r.Line
		if r.Line.Event.Reply.Code == 0 && r.Reason != nil {
			reason = r.Reason
		}
		return t.text("trace.expired", "to", to, "host", host, "time", at, "after", t.took(max(0, r.After)), "why", t.why(reason))
	case smtp.Rejected:
		return t.text("trace.rejected", "to", to, "host", host, "time", at, "why", t.why(r.Line))
	}
	return t.text("trace.discarded", "to", to, "host", host, "time", at, "why", t.why(r.Line))
}

// delivered says that it reached a server, or a mailbox.
func (t *Trace) delivered(m *trace.Message, r *trace.Recipient, to, at string) string {
	ev := r.Line.Event
	server := peerOf(&ev.Peer)
	key := "trace.delivered"
	switch {
	case server == "" || ev.Direction == smtp.Internal:
		key, server = "trace.delivered_here", t.hostOf(r.Leg)
	case isLoopback(&ev.Peer):
		key = "trace.to_filter"
	}
	s := t.text(key, "to", to, "server", server, "time", at)
	if r.After != smtp.NoDelay {
		s += ", " + t.text("trace.after", "span", t.took(r.After))
	}
	if r.Handed && len(ev.QueuedAs) > 0 {
		s += "; " + t.text("trace.calls_it", "id", string(ev.QueuedAs))
	}
	return s
}

func isLoopback(p *smtp.Peer) bool {
	ip := string(p.IP)
	return strings.HasPrefix(ip, "127.") && len(p.Name) == 0 || ip == "127.0.0.1" || ip == "::1"
}

// why is what a line says of a failure, and what that comes down to.
func (t *Trace) why(l *trace.Line) string {
	said := masked(l.Event.Reply.Text)
	if said == "" {
		said = masked(l.Event.Text)
	}
	if meaning, _ := t.meaning(l); meaning != "" {
		if said == "" {
			return meaning
		}
		return meaning + " (" + cutTo(said, maxSaid) + ")"
	}
	return cutTo(said, maxSaid)
}

const (
	// maxSaid is how much of a reply a sentence quotes, maxVerbatim how much a card does. A
	// reply may have a hundred lines.
	maxSaid     = 200
	maxVerbatim = 1000
)

// cutTo cuts a text that is too long.
func cutTo(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// meaning is what the knowledge base says of a line that tells of a failure or a verdict.
func (t *Trace) meaning(l *trace.Line) (title, fix string) {
	ev := l.Event
	if !ev.Failed && ev.Outcome <= smtp.Sent && ev.Reply.Code < 400 {
		return "", ""
	}
	a, ok := t.By.Event(ev)
	if !ok || a.Cause == knowledge.Unknown {
		return "", ""
	}
	fix, _ = t.Words.Advice(a.Entry, ev.Direction)
	return t.Words.Entry(a.Entry).Title, fix
}

// next says when a recipient that waits is tried again.
func (t *Trace) next(r *trace.Recipient) string {
	n := &r.Next
	if n.From.IsZero() {
		return ""
	}
	mta := "Postfix"
	if r.Line.Event.Format == smtp.FormatExim {
		mta = "Exim"
	}
	key := "trace.next"
	if n.Overdue {
		key = "trace.overdue"
	}
	return t.text(key, "from", t.clockOf(n.From, r.Line.When), "to", t.clockOf(n.To, r.Line.When), "expires", t.zoned(n.Expires), "mta", mta, "end", t.zoned(t.last(r.Leg)))
}

// notified says that the sender was told.
func (t *Trace) notified(r *trace.Recipient) sentence {
	g := r.Notified
	for _, l := range g.Lines {
		if l.Event.Outcome == smtp.Sent {
			return sentence{t.text("trace.told", "id", g.Queue, "to", string(l.Event.To), "time", t.zoned(l.When)), Normal}
		}
	}
	return sentence{t.text("trace.tell", "id", g.Queue), Normal}
}

// maxCards is how many cards there are for one message.
const maxCards = 5

// cards are the cards for a message: one for all recipients to whom one server said the same.
func (t *Trace) cards(m *trace.Message) (all []part) {
	groups := t.alike(slices.DeleteFunc(slices.Clone(m.Recipients), func(r *trace.Recipient) bool { return !hasCard(r) }))
	for _, g := range groups[:min(len(groups), maxCards)] {
		all = append(all, t.card(m, g))
	}
	if n := len(groups) - maxCards; n > 0 {
		last := &all[maxCards-1]
		last.notes = append(last.notes, t.text("trace.more_cards", "n", count(t.Words, int64(n))))
	}
	return all
}

// hasCard reports that another server took or refused a recipient's message.
func hasCard(r *trace.Recipient) bool {
	return r.Line != nil && r.Line.Event.Direction == smtp.Outbound && !r.Line.Event.Peer.IsZero() && r.Line.Event.Reply.Code != 0
}

// card is what to hand to the other postmaster, for a recipient and others who fared alike.
func (t *Trace) card(m *trace.Message, g group) part {
	r := g.Recipient
	ev := r.Line.Event
	p := part{title: t.text("trace.card"), level: 2, verbatim: cutTo(masked(ev.Reply.Text), maxVerbatim)}
	said := "trace.card_refused"
	switch {
	case r.Outcome == smtp.Sent && len(ev.QueuedAs) > 0:
		said = "trace.card_sent"
	case r.Outcome == smtp.Sent:
		said = "trace.card_taken"
	}
	p.sentences = []sentence{{t.text(said), Normal}}
	add := func(key, text string) {
		if text != "" {
			p.facts = append(p.facts, fact{t.text(key), text})
		}
	}
	add("trace.their_server", peerOf(&ev.Peer))
	if !ev.ReplyHost.IsZero() && peerOf(&ev.ReplyHost) != peerOf(&ev.Peer) {
		add("trace.said_by", peerOf(&ev.ReplyHost))
	}
	add("trace.at", t.zoned(r.Line.When))
	add("trace.their_id", string(ev.QueuedAs))
	add("trace.message_id", string(m.MessageID))
	add("trace.from", bracketed(m.From))
	add("trace.to", t.together("<"+string(ev.To)+">", g.others))
	add("trace.our_id", strings.TrimSpace(r.Leg.Queue+" "+r.Leg.Host))
	return p
}

func bracketed(address []byte) string {
	if address == nil {
		return ""
	}
	return "<" + string(address) + ">"
}
