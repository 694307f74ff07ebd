package report

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// manyDomains is how many domains cannot be found at once only where our own resolver is ill: a
// domain that somebody mistyped is one.
const manyDomains = 5

// resolver reports that it is our own resolver that does not answer, and no domain that is gone.
func resolver(in *incident.Incident) bool {
	return in.Cause == knowledge.DomainNotFound && in.Direction == smtp.Outbound && in.Scope != incident.One && in.Impact.Domains >= manyDomains
}

// causeTitle says in some words what went wrong.
func causeTitle(w *knowledge.Words, in *incident.Incident) string {
	if resolver(in) {
		return w.Text("incident.resolver")
	}
	return w.Cause(in.Cause).Title
}

// actor is who has to act.
func (r Incidents) actor(in *incident.Incident) knowledge.Actor {
	if resolver(in) {
		return knowledge.SendingAdmin
	}
	return in.Cause.ActorOf(in.Direction)
}

// advice is what to do about the reply that was met most.
func (r Incidents) advice(in *incident.Incident) (fix string, steps []string) {
	if resolver(in) {
		return r.text("resolver_fix"), []string{r.text("resolver_ask"), r.text("resolver_restart"), r.text("resolver_else")}
	}
	return r.Words.Advice(in.Replies[0].Note.Entry, in.Direction)
}

// addresses are our own IP addresses that the other side's replies speak of.
func (r Incidents) addresses(in *incident.Incident) (all []incident.Who) {
	if in.Direction != smtp.Outbound {
		return nil
	}
	for i := range in.Replies {
		said := &in.Replies[i]
		a := r.answer(in, said)
		if _, err := netip.ParseAddr(a.Details.Refused); err != nil {
			continue
		}
		at := slices.IndexFunc(all, func(w incident.Who) bool { return w.Name == a.Details.Refused })
		if at < 0 {
			at = len(all)
			all = append(all, incident.Who{Name: a.Details.Refused, First: said.First, Last: said.Last})
		}
		w := &all[at]
		w.Count += said.Count
		if said.First.Before(w.First) {
			w.First = said.First
		}
		if said.Last.After(w.Last) {
			w.Last = said.Last
		}
	}
	slices.SortStableFunc(all, func(a, b incident.Who) int { return -cmp.Compare(a.Count, b.Count) })
	return all
}
