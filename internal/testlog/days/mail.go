package days

import (
	"fmt"
	"time"
)

// message is one on its way.
type message struct {
	id       string
	from     string
	to       mailbox
	arrived  time.Time
	tries    int
	grey     bool // the other side has let it wait already
	lateOf   []*truth
	noise    string // what it fails of by itself, until it is tried so often
	failures int
}

// fate is what a delivery comes to.
type fate struct {
	outcome string // sent, deferred, bounced
	say     say
}

// outgoing sends a message and follows it to its end.
func (w *world) outgoing(at time.Time, from, user string, remote int) {
	m := &message{from: from, to: w.mailbox(remote), arrived: at}
	w.writer.accept(m, at, user)
	at = at.Add(time.Duration(100+w.rng.IntN(900)) * time.Millisecond)
	for {
		if t := w.during(at, Stopped, remote); t != nil { // nothing goes out
			if !w.lost(at) {
				t.waiting[m.id+m.to.address] = true
				m.lateOf = append(m.lateOf, t)
			}
			at = t.End.Add(time.Duration(w.rng.IntN(300)) * time.Second)
			continue
		}
		f := w.decide(m, at)
		m.tries++
		w.writer.deliver(m, at, f)
		if f.outcome != "deferred" {
			if !w.lost(at) {
				for _, t := range m.lateOf {
					delete(t.waiting, m.id+m.to.address)
					if f.outcome == "sent" {
						t.late[m.id+m.to.address] = true
					}
				}
			}
			w.writer.remove(m, at)
			return
		}
		pause := min(300<<min(m.tries-1, 4), 4000)
		at = at.Add(time.Duration(pause)*time.Second + time.Duration(w.rng.IntN(240))*time.Second)
		if at.Sub(m.arrived) > 4*24*time.Hour {
			return
		}
	}
}

// during returns the incident of a kind that goes on and meets a remote, nil for none.
func (w *world) during(at time.Time, what What, remote int) *truth {
	for _, t := range w.truths {
		if t.What == what && !at.Before(t.Start) && at.Before(t.End) && t.meets(remote) {
			return t
		}
	}
	return nil
}

func (t *truth) meets(remote int) bool {
	if t.plan.Hosts == nil {
		return true
	}
	for _, h := range t.plan.Hosts {
		if h == remote {
			return true
		}
	}
	return false
}

// decide tells what a try comes to.
func (w *world) decide(m *message, at time.Time) fate {
	for _, t := range w.truths {
		shape, ok := shapes[t.What]
		if !ok || at.Before(t.Start) || !at.Before(t.End) || !t.meets(m.to.at) || w.rng.Float64() > t.plan.Share {
			continue
		}
		if shape.once && m.grey {
			continue
		}
		m.grey = m.grey || shape.once
		n := &t.Deferred
		if shape.outcome == "bounced" {
			n = &t.Bounced
		}
		if t.happened(w, at, n) {
			t.recipients[m.to.address] = true
			t.domains[m.to.domain] = true
			if shape.outcome == "deferred" {
				t.waiting[m.id+m.to.address] = true
				m.lateOf = append(m.lateOf, t)
			}
		}
		return fate{shape.outcome, shape.say[w.rng.IntN(len(shape.say))]}
	}
	return w.noise(m)
}

// noise is what goes wrong on any day.
func (w *world) noise(m *message) fate {
	if m.tries == 0 {
		switch x := w.rng.IntN(1000); {
		case x < 7:
			m.noise, m.failures = "grey", 1
		case x < 9:
			m.noise, m.failures = "full", 2+w.rng.IntN(3)
		case x < 10:
			m.noise, m.failures = "timeout", 1
		case x < 18:
			return fate{"bounced", unknownUser}
		}
	}
	if m.failures > 0 {
		m.failures--
		return fate{"deferred", map[string]say{"grey": greylisted, "full": mailboxFull, "timeout": timedOut}[m.noise]}
	}
	return fate{"sent", say{}}
}

// incoming is a message from others for us.
func (w *world) incoming(at time.Time) {
	name, ip := w.client()
	from, to := fmt.Sprintf("p%d@sender.example", w.rng.IntN(900)), w.ours()
	for _, t := range w.truths {
		s, ok := refusals[t.What]
		if ok && t.What != SpamWave && !at.Before(t.Start) && at.Before(t.End) && w.rng.Float64() <= t.plan.Share {
			if t.What == CertExpired {
				t.happened(w, at, &t.Broken)
				w.writer.tls(at, name, ip)
				return
			}
			if t.happened(w, at, &t.Rejected) && s.withTo {
				t.recipients[to] = true
				t.domains["corp.example"] = true
			}
			w.writer.refuse(at, name, ip, from, to, s)
			return
		}
	}
	w.store(w.writer.receive(at, name, ip, from, to), at, to)
}

// store brings a message to its mailbox here.
func (w *world) store(id string, at time.Time, to string) {
	var late []*truth
	for tries := 0; ; tries++ {
		t, s := w.failsHere(at)
		if t == nil {
			w.writer.keep(id, at, to, nil)
			if !w.lost(at) {
				for _, t := range late {
					delete(t.waiting, id)
					t.late[id] = true
				}
			}
			return
		}
		if t.happened(w, at, &t.Deferred) {
			t.recipients[to], t.domains["corp.example"], t.waiting[id] = true, true, true
			late = append(late, t)
		}
		w.writer.keep(id, at, to, &s)
		at = at.Add(time.Duration(min(300<<min(tries, 4), 4000))*time.Second + time.Duration(w.rng.IntN(240))*time.Second)
	}
}

// failsHere tells what deliveries to mailboxes here fail of, nil for nothing.
func (w *world) failsHere(at time.Time) (*truth, say) {
	for _, t := range w.truths {
		if s, ok := heres[t.What]; ok && !at.Before(t.Start) && at.Before(t.End) && w.rng.Float64() <= t.plan.Share {
			return t, s
		}
	}
	return nil, say{}
}

// stranger is one whom we refuse, as every day.
func (w *world) stranger(at time.Time) {
	name, ip := w.client()
	from := fmt.Sprintf("p%d@sender.example", w.rng.IntN(900))
	switch w.rng.IntN(5) {
	case 0:
		w.writer.refuse(at, name, ip, from, fmt.Sprintf("x%d@other.example", w.rng.IntN(99)), relaying)
	case 1:
		w.writer.lost(at, name, ip)
	default:
		w.writer.refuse(at, name, ip, from, w.ours(), listed)
	}
}

// plant does what an incident adds to the traffic.
func (w *world) plant(t *truth) {
	long := t.plan.Long.Seconds()
	switch t.What {
	case BruteForce:
		for range int(t.plan.Share * long / 60) {
			at := t.Start.Add(time.Duration(w.rng.Float64() * long * float64(time.Second))).Truncate(time.Second)
			t.happened(w, at, &t.Auth)
			w.writer.login(at, w.bot(), w.guessed())
		}
	case SpamWave:
		for range int(t.plan.Share * long / 60) {
			at := t.Start.Add(time.Duration(w.rng.Float64() * long * float64(time.Second))).Truncate(time.Second)
			name, ip := w.client()
			to := w.ours()
			if t.happened(w, at, &t.Rejected) {
				t.recipients[to] = true
				t.domains["corp.example"] = true
			}
			w.writer.refuse(at, name, ip, "offer@spam.example", to, listed)
		}
	case SpamRun, DeadList:
		for range int(t.plan.Share * long / 60) {
			at := t.Start.Add(time.Duration(w.rng.Float64() * long * float64(time.Second))).Truncate(time.Second)
			w.run(t, at)
		}
	case Restart:
		w.writer.restart(t.Start)
	}
}

// run sends one message of an account that somebody else got hold of, or to an old list.
func (w *world) run(t *truth, at time.Time) {
	user := "karl@corp.example"
	s, part := spam, 0.6
	if t.What == DeadList {
		user, s, part = "newsletter@corp.example", unknownUser, 0.8
	}
	m := &message{from: user, to: w.mailbox(w.remote()), arrived: at}
	w.writer.accept(m, at, user)
	at = at.Add(time.Second)
	f := fate{"sent", say{}}
	if w.rng.Float64() < part {
		f = fate{"bounced", s}
		if t.happened(w, at, &t.Bounced) {
			t.recipients[m.to.address] = true
			t.domains[m.to.domain] = true
		}
	}
	w.writer.deliver(m, at, f)
	w.writer.remove(m, at)
}
