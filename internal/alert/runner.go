package alert

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// queued is how many alerts wait for one rule's program, or its webhook. Who cannot keep
	// up with these will not with more.
	queued = 64
	// closing is how long the last actions have when the program ends, so that what was told
	// on the screen is told to whom it was meant for, too.
	closing = 5 * time.Second
)

// Runner carries out what rules ask for. Nothing it does is waited for: each rule's program
// and each rule's webhook has a queue of its own and sees its alerts in order, and none
// holds up another's or the reading of the log.
type Runner struct {
	warn  func(error)
	pause time.Duration // between a webhook's first tries
	grace time.Duration

	ctx    context.Context
	cancel context.CancelFunc
	hurry  chan struct{}
	wait   sync.WaitGroup

	mu     sync.Mutex
	lines  map[string]*queue
	closed bool
}

type queue struct {
	todo   chan job
	failed int64 // in a row
	lost   int64 // for want of room, in a row
}

type job struct {
	rule  *Rule
	facts Facts
}

// NewRunner returns a runner. warn is told of what fails, once until it works again, and is
// called by several goroutines.
func NewRunner(warn func(error)) *Runner {
	r := &Runner{warn: warn, pause: firstPause, grace: closing, hurry: make(chan struct{}), lines: map[string]*queue{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// Do has an alert's actions carried out. It returns at once.
func (r *Runner) Do(rule *Rule, f Facts) {
	if len(rule.Run) > 0 {
		r.put("run "+rule.Name, job{rule, f}, func(j *job) error { return Command(r.ctx, j.rule, &j.facts) })
	}
	if rule.Webhook != "" {
		r.put("webhook "+rule.Name, job{rule, f}, func(j *job) error { return post(r.ctx, r.hurry, j.rule, &j.facts, r.pause) })
	}
}

func (r *Runner) put(name string, j job, do func(*job) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	q := r.lines[name]
	if q == nil {
		q = &queue{todo: make(chan job, queued)}
		r.lines[name] = q
		r.wait.Add(1)
		go r.work(q, do)
	}
	select {
	case q.todo <- j:
		if q.lost > 0 {
			r.warn(fmt.Errorf("alert %q: there is room again; %d of its actions were not carried out", j.rule.Name, q.lost))
			q.lost = 0
		}
	default:
		if q.lost++; q.lost == 1 {
			r.warn(fmt.Errorf("alert %q: %d of its actions wait already, and further ones are not carried out; see why they take so long", j.rule.Name, queued))
		}
	}
}

func (r *Runner) work(q *queue, do func(*job) error) {
	defer r.wait.Done()
	for j := range q.todo {
		if r.ctx.Err() != nil {
			q.failed++
			continue
		}
		err := do(&j)
		switch {
		case err != nil:
			if q.failed++; q.failed == 1 {
				r.warn(fmt.Errorf("alert %q: %w; further failures of it are not told until it works again", j.rule.Name, err))
			}
		case q.failed > 0:
			r.warn(fmt.Errorf("alert %q: it works again; failures until then: %d", j.rule.Name, q.failed))
			q.failed = 0
		}
	}
}

// Close waits a little for what is still to be done, and ends the rest.
func (r *Runner) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	for _, q := range r.lines {
		close(q.todo)
	}
	r.mu.Unlock()
	close(r.hurry)
	done := make(chan struct{})
	go func() {
		r.wait.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(r.grace):
		r.cancel()
		<-done // each ends within a second, its context being over
	}
	r.cancel()
}
