package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

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

// LoadStates reads what SaveStates wrote, nothing where there is no such file.
func LoadStates(file string) (states []State, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &states); err != nil {
		return nil, fmt.Errorf("%s: it is no file of alerts: %w; remove it, and alerts that go on are told again", file, err)
	}
	return states, nil
}

// SaveStates writes states to a file, whole or not at all.
func SaveStates(file string, states []State) error {
	data, err := json.MarshalIndent(states, "", "\t")
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		os.Remove(temp.Name())
	}
	return err
}
