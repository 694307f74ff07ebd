package alert

import "time"

// State is what has to be known of an alert after a restart, so that it is neither told
// again nor forgotten.
type State struct {
	Rule  string    `json:"rule"`
	Group string    `json:"group,omitempty"`
	Since time.Time `json:"since,omitzero"` // when it fired and is not over; zero: it is
	Fired time.Time `json:"fired"`          // when it was told last, for hold_off
}

// States returns what a later run is to be given. It is short: only what was told of.
func (e *Engine) States() []State {
	var all []State
	for _, r := range e.rules {
		for name, g := range r.groups {
			switch {
			case g.told:
				all = append(all, State{r.Name, name, g.since, g.fired})
			case !g.fired.IsZero():
				all = append(all, State{Rule: r.Name, Group: name, Fired: g.fired})
			}
		}
	}
	return all
}

// Restore takes what an earlier run, or an engine with other rules, left. What is no rule's
// any more is passed over.
func (e *Engine) Restore(states []State) {
	for _, s := range states {
		for _, r := range e.rules {
			if r.Name == s.Rule && len(s.Group) <= maxGroup {
				e.restore(r, s)
			}
		}
	}
}

func (e *Engine) restore(r *rule, s State) {
	g := r.groups[s.Group]
	if g == nil {
		if r.silence || e.groups >= maxGroups {
			return
		}
		g = &group{name: s.Group}
		r.groups[s.Group] = g
		e.groups++
	}
	g.fired = s.Fired
	if s.Since.IsZero() || g.told || r.firing >= maxFiring {
		return
	}
	r.firing++
	g.told, g.since = true, s.Since
	if r.silence {
		g.heard = s.Since.Add(-r.mute)
	}
}
