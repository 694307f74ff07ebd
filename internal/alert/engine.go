package alert

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// maxGroups bounds what all rules together count for: each takes a kilobyte.
	maxGroups = 8192
	// maxFiring is how many groups of one rule are alerts at once. Where everything fails,
	// the first ones tell it, and a pager is to stay of use.
	maxFiring = 20

	maxParties = 8192 // hosts whose provider is remembered
	maxText    = 1024 // bytes of a line or a reply
	maxGroup   = 255  // bytes of a group's name, the longest name that DNS allows

	// clockSlip is how far back the clock may be set without notice.
	clockSlip = time.Minute
)

// Alert is what is told.
type Alert struct {
	Rule     *Rule
	Group    string // of what Rule.By says; "" for none
	Resolved bool   // it is over; else it begins
	Time     time.Time
	Since    time.Time     // since when the rule holds, of No: since when there was none
	Count    int64         // what counted: Within; when it is over, from Since on
	Of       int64         // of how many deliveries; of Share only
	Within   time.Duration // of No: for how long there has been none
	Last     Last
}

// Last is the last line that counted.
type Last struct {
	Cause     knowledge.Cause
	Entry     knowledge.EntryID
	Direction smtp.Direction
	Severity  knowledge.Severity
	Code      smtp.Code
	Enhanced  smtp.EnhancedCode
	Reply     string
	Line      Line
}

// Line is a line of the log as it may be shown.
type Line struct {
	Path   string
	Number int64
	Text   string
}

// Engine holds lines against rules. It is for one goroutine at a time.
type Engine struct {
	base *knowledge.Base
	tell func(*Alert)

	now  time.Time
	live bool // now is the clock's and nothing old is being read

	rules     []*rule
	byOutcome [smtp.NumOutcomes][]*rule // that lines of an outcome, or of none, may be counted for
	received  []*rule                   // that count what comes in

	groups  int
	parties map[uint64]string
	dropped Dropped
	due     []Alert
}

// Dropped counts what there was no room for.
type Dropped struct {
	Lines  int64 // that were in no group's count, because there are too many groups
	Alerts int64 // that were not told, because as many of their rule are told of already
}

// group is what a rule counts for one of those that it counts for each.
type group struct {
	name        string
	part, whole window
	since       time.Time // the rule holds, or held until resolve_after ago
	held        time.Time // when it held last
	fired       time.Time // when it was told last
	told        bool
	excess      bool // not told for want of room, and counted
	episode     int64
	seen        bool // silence: since the last Tick
	heard       time.Time
	last        Last
	lastSecond  int64
}

// New returns an engine for rules. What is wrong with them is told all at once. tell is
// called, from within Tick and Event, with what is good until it returns.
func New(rules []Rule, base *knowledge.Base, tell func(*Alert)) (*Engine, error) {
	e := &Engine{base: base, tell: tell, parties: map[uint64]string{}}
	var wrong []error
	if len(rules) > MaxRules {
		wrong = append(wrong, fmt.Errorf("there are %d alerts, and there is room for %d; join some, or leave some out", len(rules), MaxRules))
	}
	names := map[string]bool{}
	for i := range rules {
		r, err := compile(&rules[i])
		if err == nil && names[r.Name] {
			err = fmt.Errorf("alert %q: name: another one has it too; give each its own", r.Name)
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		names[r.Name] = true
		e.add(r)
	}
	return e, errors.Join(wrong...)
}

// Idle reports that there are no rules.
func (e *Engine) Idle() bool { return len(e.rules) == 0 }

// Received reports whether a rule wants to see the lines of what was received.
func (e *Engine) Received() bool { return len(e.received) > 0 }

func (e *Engine) add(r *rule) {
	e.rules = append(e.rules, r)
	for o := range e.byOutcome {
		if r.concerns(smtp.Outcome(o)) {
			e.byOutcome[o] = append(e.byOutcome[o], r)
		}
	}
	if r.ofReceived() {
		e.received = append(e.received, r)
	}
	if r.silence {
		r.groups[""] = &group{}
		e.groups++
	}
}

// concerns reports whether lines of an outcome may be counted for a rule.
func (r *rule) concerns(o smtp.Outcome) bool {
	if r.outcomes == 0 || r.outcomes>>o&1 != 0 {
		return true
	}
	return r.share > 0 && r.ofWhole(o)
}

// ofWhole reports whether lines of an outcome are among those that a share is of.
func (r *rule) ofWhole(o smtp.Outcome) bool {
	if r.ofReceived() {
		return o == smtp.Rejected
	}
	return isDelivery(o)
}

// isDelivery reports the fates that shares are of.
func isDelivery(o smtp.Outcome) bool {
	return o == smtp.Sent || o == smtp.Deferred || o == smtp.Bounced || o == smtp.Expired
}

// ofReceived reports a share of what came in: refusals are of what came to us, and not of
// what we delivered.
func (r *rule) ofReceived() bool {
	return r.share > 0 && (r.outcomes>>smtp.Rejected&1 != 0 || r.side == smtp.Inbound)
}

// Event takes a line. a is nil when it shows neither a reply nor a failure; host is a hash
// of the other side's name, 0 for none; line gives the line as it may be shown, and is
// called only when it is kept.
func (e *Engine) Event(ev *smtp.Event, a *classify.Annotation, host uint64, line func() Line) {
	decides, wrong := ev.Decides(), a != nil && ev.WentWrong()
	if !decides && !wrong {
		if ev.Kind == smtp.KindReceived && len(e.received) > 0 {
			e.advance(ev.Time)
			for _, r := range e.received {
				if r.side == smtp.DirectionNone || r.side == ev.Direction {
					e.whole(r, ev, host)
				}
			}
		}
		return
	}
	outcome := ev.Outcome
	if !decides {
		outcome = smtp.OutcomeNone
	}
	rules := e.byOutcome[outcome]
	if len(rules) == 0 {
		return
	}
	e.advance(ev.Time)
	for _, r := range rules {
		if r.side != smtp.DirectionNone && r.side != ev.Direction {
			continue
		}
		if r.share > 0 && !r.ofWhole(outcome) {
			continue
		}
		matches := r.matches(ev, a, outcome, wrong)
		switch {
		case r.silence:
			if matches {
				r.groups[""].seen = true
			}
		case matches:
			e.count(r, ev, a, host, line)
		case r.share > 0:
			e.whole(r, ev, host)
		}
	}
	e.flush()
}

// advance moves the time on to that of a line, while old ones are read.
func (e *Engine) advance(t time.Time) {
	if !e.live && t.After(e.now) {
		e.now = t
	}
}

func (r *rule) matches(ev *smtp.Event, a *classify.Annotation, outcome smtp.Outcome, wrong bool) bool {
	if r.outcomes != 0 {
		if r.outcomes>>outcome&1 == 0 {
			return false
		}
	} else if !wrong {
		return false
	}
	if !r.strangers && wrong && ev.Direction == smtp.Inbound && a.Severity == knowledge.Info {
		return false
	}
	if r.causes != 0 && (a == nil || r.causes>>a.Cause&1 == 0) || r.severity > knowledge.Info && (a == nil || a.Severity < r.severity) {
		return false
	}
	return len(r.codes) == 0 || slices.ContainsFunc(r.codes, func(c filter.Code) bool { return c.Match(ev.Reply.Code, enhanced(ev)) })
}

// enhanced is the reply's enhanced code, or Postfix's verdict where it carries none.
func enhanced(ev *smtp.Event) smtp.EnhancedCode {
	if ev.Reply.Enhanced.IsZero() {
		return ev.DSN
	}
	return ev.Reply.Enhanced
}

// whole counts a line of which others are a share.
func (e *Engine) whole(r *rule, ev *smtp.Event, host uint64) {
	if g := e.group(r, ev, host); g != nil {
		g.whole.add(slotOf(e.now, r.within), int64(ev.Count()))
	}
}

// count counts a line that a rule is about.
func (e *Engine) count(r *rule, ev *smtp.Event, a *classify.Annotation, host uint64, line func() Line) {
	g := e.group(r, ev, host)
	if g == nil {
		return
	}
	n := int64(ev.Count())
	g.part.add(slotOf(e.now, r.within), n)
	if r.share > 0 {
		g.whole.add(slotOf(e.now, r.within), n)
	}
	g.episode += n
	if second := e.now.Unix(); second != g.lastSecond {
		g.lastSecond = second
		g.keep(ev, a, line())
	}
	e.judge(r, g)
}

func (g *group) keep(ev *smtp.Event, a *classify.Annotation, line Line) {
	text := ev.Reply.Text
	if len(text) == 0 {
		text = ev.Text
	}
	line.Text = clean(line.Text)
	g.last = Last{Direction: ev.Direction, Code: ev.Reply.Code, Enhanced: enhanced(ev), Reply: clean(string(smtp.AppendMasked(nil, text[:min(len(text), maxText)]))), Line: line}
	if a != nil {
		g.last.Cause, g.last.Entry, g.last.Severity = a.Cause, a.Entry, a.Severity
	}
}

// group returns what a line counts for; nil where there is no room.
func (e *Engine) group(r *rule, ev *smtp.Event, host uint64) *group {
	var name string
	switch r.by {
	case byProvider:
		name = e.party(ev, host)
	case byDomain:
		if i := bytes.LastIndexByte(ev.To, '@'); i >= 0 {
			name = string(bytes.ToLower(cut(ev.To[i+1:])))
		}
	case byHost:
		peer := other(ev)
		name = cmp.Or(string(cut(peer.IP)), string(cut(peer.Name)))
	}
	g := r.groups[name]
	if g == nil {
		if e.groups >= maxGroups {
			e.dropped.Lines += int64(ev.Count())
			return nil
		}
		e.groups++
		g = &group{name: name}
		r.groups[name] = g
	}
	return g
}

// other is the other side of a line: where none took the message, who refused it.
func other(ev *smtp.Event) *smtp.Peer {
	if ev.Peer.IsZero() {
		return &ev.ReplyHost
	}
	return &ev.Peer
}

func cut(b []byte) []byte { return b[:min(len(b), maxGroup)] }

// party names the other side of a line: its provider, or the domain that its host is in.
func (e *Engine) party(ev *smtp.Event, host uint64) string {
	if party, known := e.parties[host]; known && host != 0 {
		return party
	}
	peer := other(ev)
	party := e.base.ProviderName(e.base.Host(peer.Name))
	if party == "" {
		party = strings.ToLower(summary.Domain(cmp.Or(string(cut(peer.Name)), string(cut(peer.IP)))))
	}
	if host != 0 {
		if len(e.parties) >= maxParties {
			clear(e.parties) // it is only a memory of what can be looked up
		}
		e.parties[host] = party
	}
	return party
}

// Tick tells the time: the clock's where all has been read and live is true, else the
// log's. Once a second is right.
func (e *Engine) Tick(now time.Time, live bool) {
	e.live = live
	switch {
	case now.After(e.now):
		e.now = now
	case live && e.now.Sub(now) > clockSlip:
		e.setBack(now)
	}
	if e.now.IsZero() {
		return
	}
	for _, r := range e.rules {
		first := len(e.due)
		for name, g := range r.groups {
			e.judge(r, g)
			if g.idle(r, e.now) {
				delete(r.groups, name)
				e.groups--
			}
		}
		slices.SortFunc(e.due[first:], func(a, b Alert) int { return strings.Compare(a.Group, b.Group) })
	}
	e.flush()
}

// flush tells what is due.
func (e *Engine) flush() {
	for i := range e.due {
		e.tell(&e.due[i])
	}
	clear(e.due)
	e.due = e.due[:0]
}

// idle reports that a group is as good as one that never was.
func (g *group) idle(r *rule, now time.Time) bool {
	return !r.silence && g.part.total == 0 && g.whole.total == 0 && g.since.IsZero() && (g.fired.IsZero() || now.Sub(g.fired) >= r.holdOff)
}

// setBack takes along all times when the clock was set back, or a stamp of a day to come
// had moved it on.
func (e *Engine) setBack(now time.Time) {
	by := now.Sub(e.now)
	e.now = now
	for _, r := range e.rules {
		for _, g := range r.groups {
			for _, t := range []*time.Time{&g.since, &g.held, &g.fired, &g.heard} {
				if !t.IsZero() {
					*t = t.Add(by)
				}
			}
			if !r.silence {
				g.part.shift(slotOf(now, r.within))
				g.whole.shift(slotOf(now, r.within))
			}
		}
	}
}

// judge tells what there is to be told of a group.
func (e *Engine) judge(r *rule, g *group) {
	holds := e.holds(r, g)
	if g.told && g.held.IsZero() {
		g.held = e.now // as an earlier run left it
	}
	if holds {
		g.held = e.now
		if g.since.IsZero() {
			g.since, g.episode = e.now, g.part.total
		}
	}
	switch {
	case holds && !g.told && e.live && r.mayFire(g.fired, e.now):
		e.fire(r, g)
	case !holds && !g.since.IsZero() && e.now.Sub(g.held) >= r.resolve && (e.live || !g.told):
		if g.told {
			r.firing--
			e.say(r, g, true)
		}
		g.told, g.excess, g.since = false, false, time.Time{}
	}
}

// mayFire reports that hold_off is over. A time to come is of a clock that went wrong.
func (r *rule) mayFire(fired, now time.Time) bool {
	since := now.Sub(fired)
	return fired.IsZero() || since >= r.holdOff || since < -clockSlip
}

func (e *Engine) fire(r *rule, g *group) {
	if r.firing >= maxFiring {
		if !g.excess {
			g.excess = true
			e.dropped.Alerts++
		}
		return
	}
	r.firing++
	g.told, g.fired = true, e.now
	e.say(r, g, false)
}

// holds reports whether a rule holds now.
func (e *Engine) holds(r *rule, g *group) bool {
	if r.silence {
		return e.silent(r, g)
	}
	slot := slotOf(e.now, r.within)
	g.part.move(slot)
	g.whole.move(slot)
	switch {
	case r.share == 0:
		return g.part.total >= int64(r.AtLeast)
	case g.whole.total < int64(r.Sample()):
		return g.told && g.part.total > 0 // too few to judge by: it stays as it was
	}
	return float64(g.part.total) >= r.share*float64(g.whole.total)
}

// silent reports whether nothing was heard for too long. Only what was listened to can have
// been silent: time begins when all has been read.
func (e *Engine) silent(r *rule, g *group) bool {
	if !e.live {
		return g.told
	}
	if g.seen || g.heard.IsZero() {
		g.seen, g.heard = false, e.now
	}
	return e.now.Sub(g.heard) >= r.mute
}

// say tells of a group.
func (e *Engine) say(r *rule, g *group, resolved bool) {
	a := Alert{
		Rule: r.Rule, Group: clean(g.name), Resolved: resolved, Time: e.now, Since: g.since,
		Count: g.part.total, Of: g.whole.total, Within: r.within, Last: g.last,
	}
	switch {
	case r.silence:
		a.Since, a.Within = g.since.Add(-r.mute), r.mute
	case resolved:
		a.Count = g.episode
	}
	e.due = append(e.due, a)
}

// Dropped returns what there was no room for.
func (e *Engine) Dropped() Dropped { return e.dropped }

// Rules returns the rules.
func (e *Engine) Rules() []*Rule {
	var all []*Rule
	for _, r := range e.rules {
		all = append(all, r.Rule)
	}
	return all
}
