package alert

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// player plays a script to an engine. Each step is a time after noon and what happens
// then, several times where a number stands behind it:
//
//	0:10 sent mx.google.com 3     deliveries
//	0:20 blocklisted mx1.example.org
//	1:00 tick                     the clock, all has been read; between steps it ticks each second
//	1:00 old                      from here on the log is old, and only its lines tell the time
//	1:00 live                     all has been read
type player struct {
	t    *testing.T
	e    *Engine
	live bool
	now  time.Duration
	log  []string
}

func newPlayer(t *testing.T, rules string) *player {
	p := &player{t: t, live: true, now: -time.Second}
	e, err := New(read(t, rules), knowledge.Load(), p.tell)
	if err != nil {
		t.Fatal(err)
	}
	p.e = e
	p.to(0)
	return p
}

func (p *player) tell(a *Alert) {
	state := "fires"
	if a.Resolved {
		state = "over"
	}
	s := fmt.Sprintf("%s %s", clock(a.Time.Sub(noon)), a.Rule.Name)
	if a.Group != "" {
		s += " " + a.Group
	}
	s += " " + state
	if a.Rule.No == nil {
		s += fmt.Sprintf(" %d", a.Count)
	}
	if a.Of > 0 && !a.Resolved {
		s += fmt.Sprintf("/%d", a.Of)
	}
	p.log = append(p.log, s)
}

func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
}

// to lets the clock tick until a time.
func (p *player) to(d time.Duration) {
	for p.now < d {
		p.now += time.Second
		if p.live {
			p.e.Tick(noon.Add(p.now), true)
		}
	}
}

var says = map[string]struct {
	cause     knowledge.Cause
	outcome   smtp.Outcome
	direction smtp.Direction
	kind      smtp.Kind
	reply     string
}{
	"sent":        {knowledge.Accepted, smtp.Sent, smtp.Outbound, smtp.KindDelivery, "250 2.0.0 ok"},
	"deferred":    {knowledge.ServerTrouble, smtp.Deferred, smtp.Outbound, smtp.KindDelivery, "451 4.3.0 later"},
	"blocklisted": {knowledge.Blocklisted, smtp.Bounced, smtp.Outbound, smtp.KindDelivery, "550 5.7.1 listed"},
	"attempt":     {knowledge.Blocklisted, smtp.OutcomeNone, smtp.Outbound, smtp.KindAttempt, "550 5.7.1 listed"},
	"login":       {knowledge.Login, smtp.OutcomeNone, smtp.Inbound, smtp.KindAuth, "535 5.7.8 no"},
	"rejected":    {knowledge.RecipientUnknown, smtp.Rejected, smtp.Inbound, smtp.KindReject, "550 5.1.1 no"},
	"received":    {knowledge.Unknown, smtp.OutcomeNone, smtp.Inbound, smtp.KindReceived, ""},
	"quit":        {knowledge.Unknown, smtp.OutcomeNone, smtp.Inbound, smtp.KindDisconnect, ""},
}

func (p *player) play(script string) []string {
	p.t.Helper()
	for line := range strings.Lines(script) {
		var minutes, seconds time.Duration
		var what, peer string
		n := 1
		if strings.TrimSpace(line) == "" {
			continue
		}
		if got, _ := fmt.Sscanf(strings.TrimSpace(line), "%d:%d %s %s %d", &minutes, &seconds, &what, &peer, &n); got < 3 {
			p.t.Fatalf("step %q", line)
		}
		at := minutes*time.Minute + seconds*time.Second
		p.to(at)
		switch what {
		case "tick":
		case "old":
			p.live = false
			p.e.Tick(noon.Add(at), false)
		case "live":
			p.live = true
			p.e.Tick(noon.Add(at), true)
		case "restart":
			e, err := New(rulesOf(p.e), knowledge.Load(), p.tell)
			if err != nil {
				p.t.Fatal(err)
			}
			e.Restore(p.e.States())
			p.e = e
		default:
			for range n {
				p.event(what, peer, at)
			}
		}
	}
	log := p.log
	p.log = nil
	return log
}

func rulesOf(e *Engine) (rules []Rule) {
	for _, r := range e.Rules() {
		rules = append(rules, *r)
	}
	return rules
}

func (p *player) event(what, peer string, at time.Duration) {
	s, ok := says[what]
	if !ok {
		p.t.Fatalf("no event %q", what)
	}
	var ev smtp.Event
	ev.Reset()
	ev.Kind, ev.Outcome, ev.Direction, ev.Time = s.kind, s.outcome, s.direction, noon.Add(at)
	ev.Failed = s.kind == smtp.KindAuth
	ev.Reply = smtp.ParseReply([]byte(s.reply))
	ev.Peer.Name = []byte(peer)
	ev.To = []byte("u@" + peer)
	a := &classify.Annotation{Cause: s.cause, Severity: knowledge.Load().Severity(s.cause, s.direction == smtp.Inbound, ev.Reply.Code.Transient())}
	if s.reply == "" {
		a = nil
	}
	p.e.Event(&ev, a, 0, func() Line { return Line{"mail.log", 7, "a\x1bline"} })
}

const (
	blocklisted = "[[alert]]\nname='bl'\ncause='blocklisted'\nat_least=3\nwithin='10m'\nhold_off='1h'\nresolve_after='5m'\n"
	deferred    = "[[alert]]\nname='df'\noutcome='deferred'\nshare='20%'\nof_at_least=10\nwithin='10m'\n"
	silence     = "[[alert]]\nname='si'\nno='sent'\nfor='15m'\n"
)

func TestEngine(t *testing.T) {
	for _, c := range []struct {
		name, rules, script string
		want                []string
	}{
		{"fires once", blocklisted, "0:10 blocklisted mx 2\n1:00 blocklisted mx\n1:01 blocklisted mx 50\n9:00 tick", []string{"1:00 bl fires 3"}},
		{"too slow", blocklisted, "0:00 blocklisted mx\n6:00 blocklisted mx\n12:00 blocklisted mx\n18:00 blocklisted mx", nil},
		{"just in time", blocklisted, "0:10 blocklisted mx\n5:00 blocklisted mx\n10:05 blocklisted mx", []string{"10:05 bl fires 3"}},
		{"others do not count", blocklisted, "0:10 deferred mx 20\n0:20 sent mx 20\n0:30 attempt mx 20\n0:40 quit mx 20", nil},
		{"is over", blocklisted, "1:00 blocklisted mx 3\n2:00 blocklisted mx\n40:00 tick", []string{"1:00 bl fires 3", "16:09 bl over 4"}},
		{"flaps unheard", blocklisted, "1:00 blocklisted mx 3\n14:00 blocklisted mx 3\n30:00 tick", []string{"1:00 bl fires 3", "29:09 bl over 6"}},
		{"held off", blocklisted, "1:00 blocklisted mx 3\n20:00 blocklisted mx 9\n59:00 tick", []string{"1:00 bl fires 3", "16:09 bl over 3"}},
		{"again after hold-off", blocklisted, "1:00 blocklisted mx 3\n55:00 blocklisted mx 4\n90:00 tick", []string{"1:00 bl fires 3", "16:09 bl over 3", "61:00 bl fires 4", "70:09 bl over 4"}},
		{"direction", strings.Replace(blocklisted, "hold_off", "direction='inbound'\nhold_off", 1), "1:00 blocklisted mx 9", nil},
		{"code", "[[alert]]\nname='x'\ncode='5.7.8'\nat_least=2\nwithin='1m'\nby='host'\n", "0:01 login a 1\n0:02 login b 1\n0:03 login b 1", []string{"0:03 x b fires 2"}},
		{"strangers are refused", "[[alert]]\nname='x'\ncause='recipient_unknown'\nat_least=1\nwithin='1m'\n", "0:01 rejected c 9", nil},
		{"strangers are asked for", "[[alert]]\nname='x'\ncause='recipient_unknown'\ndirection='inbound'\nat_least=1\nwithin='1m'\n", "0:01 rejected c", []string{"0:01 x fires 1"}},
		{"severity", "[[alert]]\nname='x'\nseverity='critical'\nat_least=1\nwithin='1m'\n", "0:01 deferred a\n0:02 rejected a\n0:03 blocklisted a", []string{"0:03 x fires 1"}},
		{"by provider", strings.Replace(blocklisted, "hold_off", "by='provider'\nhold_off", 1),
			"1:00 blocklisted gmail-smtp-in.l.google.com 2\n1:01 blocklisted mx1.example.org 2\n1:02 blocklisted alt1.gmail-smtp-in.l.google.com\n1:03 blocklisted mx2.example.org",
			[]string{"1:02 bl Google fires 3", "1:03 bl example.org fires 3"}},
		{"by domain", strings.Replace(blocklisted, "hold_off", "by='domain'\nhold_off", 1), "1:00 blocklisted EXAMPLE.org 2\n1:01 blocklisted example.org", []string{"1:01 bl example.org fires 3"}},
		{"groups are over by themselves", strings.Replace(blocklisted, "hold_off", "by='host'\nhold_off", 1), "1:00 blocklisted a 3\n2:00 blocklisted b 3\n40:00 tick",
			[]string{"1:00 bl a fires 3", "2:00 bl b fires 3", "16:09 bl a over 3", "17:09 bl b over 3"}},
		{"share", deferred, "0:10 sent mx 8\n0:20 deferred mx 1\n0:30 deferred mx 1\n1:00 deferred mx 1", []string{"0:30 df fires 2/10"}},
		{"share of too few", deferred, "0:10 deferred mx 9", nil},
		{"share not reached", deferred, "0:10 sent mx 90\n1:00 deferred mx 10", nil},
		{"share of deliveries alone", deferred, "0:10 sent mx 8\n0:11 rejected mx 90\n0:12 deferred mx 3", []string{"0:12 df fires 2/10"}},
		{"share stays while there are too few", deferred, "0:10 sent mx 8\n0:20 deferred mx 2\n8:00 deferred mx 1\n17:00 deferred mx 1\n40:00 tick", []string{"0:20 df fires 2/10", "37:09 df over 4"}},
		{"share sinks", deferred, "0:10 sent mx 8\n0:20 deferred mx 2\n3:00 sent mx 90\n20:00 tick", []string{"0:20 df fires 2/10", "13:00 df over 2"}},
		{"share of what came in", "[[alert]]\nname='rj'\noutcome='rejected'\nshare='50%'\nof_at_least=4\nwithin='10m'\n", "0:01 received c 3\n0:02 sent mx 50\n0:03 rejected c 2\n0:04 rejected c 1", []string{"0:04 rj fires 3/6"}},
		{"share of a cause is of deliveries", "[[alert]]\nname='x'\ncause='recipient_unknown'\nshare='50%'\nof_at_least=4\nwithin='10m'\n", "0:01 rejected c 9", nil},
		{"silence", silence, "1:00 sent mx\n20:00 tick", []string{"16:01 si fires"}},
		{"no silence", silence, "14:00 sent mx\n28:00 sent mx\n40:00 tick", nil},
		{"deferrals do not break it", silence, "1:00 sent mx\n5:00 deferred mx 9\n20:00 tick\n30:00 sent mx\n31:00 tick", []string{"16:01 si fires", "30:01 si over"}},
		{"silence begins with the watch", silence, "14:59 tick\n15:00 tick", []string{"15:00 si fires"}},
		{"silence is told again after hold-off", silence, "20:00 sent mx\n62:00 sent mx\n80:00 tick", []string{"15:00 si fires", "20:01 si over", "77:01 si fires"}},

		{"old lines are nobody's alarm", blocklisted, "0:00 old\n1:00 blocklisted mx 9\n200:00 sent mx\n210:00 live\n300:00 tick", nil},
		{"what still holds is told", blocklisted, "0:00 old\n1:00 blocklisted mx 9\n3:00 sent mx\n4:00 live\n5:00 tick", []string{"4:00 bl fires 9"}},
		{"old silence is none", silence, "0:00 old\n1:00 sent mx\n200:00 sent mx\n210:00 live\n224:00 tick\n226:00 tick", []string{"225:00 si fires"}},
		{"a backlog does not end a silence", silence, "16:00 old\n17:00 deferred mx\n18:00 live\n19:00 tick\n20:00 sent mx\n21:00 tick", []string{"15:00 si fires", "20:01 si over"}},
		{"nor tells what is over", blocklisted, "1:00 blocklisted mx 3\n2:00 old\n30:00 sent mx\n31:00 live", []string{"1:00 bl fires 3", "31:00 bl over 3"}},

		{"restart while it fires", blocklisted, "1:00 blocklisted mx 3\n2:00 restart\n3:00 blocklisted mx 5\n40:00 tick", []string{"1:00 bl fires 3", "18:09 bl over 5"}},
		{"restart during hold-off", blocklisted, "1:00 blocklisted mx 3\n20:00 restart\n21:00 blocklisted mx 5\n59:00 tick", []string{"1:00 bl fires 3", "16:09 bl over 3"}},
		{"restart in silence", silence, "16:00 restart\n30:00 tick\n31:00 sent mx\n32:00 tick", []string{"15:00 si fires", "31:01 si over"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlayer(t, c.rules)
			if diff := cmp.Diff(c.want, p.play(c.script)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A log whose stamps are in another zone than was thought is watched all the same.
func TestZone(t *testing.T) {
	for _, off := range []time.Duration{-time.Hour, 3 * time.Hour} {
		p := newPlayer(t, blocklisted+silence)
		for i := range 3 {
			p.to(time.Duration(i) * time.Minute)
			p.event("blocklisted", "mx", p.now+off)
		}
		p.to(17 * time.Minute)
		if diff := cmp.Diff([]string{"2:00 bl fires 3", "15:00 si fires", "15:09 bl over 3"}, p.log); diff != "" {
			t.Errorf("%v: %s", off, diff)
		}
	}
}

// A stamp of a day to come, or a clock that was wrong, does not stop the time for good.
func TestSetBack(t *testing.T) {
	p := newPlayer(t, blocklisted)
	p.play("1:00 old")
	p.event("sent", "mx", 300*time.Hour)
	p.event("blocklisted", "mx", 300*time.Hour)
	got := p.play("2:00 live\n3:00 blocklisted mx 2\n40:00 tick\n70:00 blocklisted mx 3")
	if diff := cmp.Diff([]string{"3:00 bl fires 3", "17:09 bl over 3", "70:00 bl fires 3"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLast(t *testing.T) {
	var got Alert
	e, err := New(read(t, blocklisted), knowledge.Load(), func(a *Alert) { got = *a })
	if err != nil {
		t.Fatal(err)
	}
	p := &player{t: t, e: e}
	e.Tick(noon, true)
	for range 3 {
		p.event("blocklisted", "mx", 0)
	}
	want := Last{Cause: knowledge.Blocklisted, Direction: smtp.Outbound, Severity: knowledge.Critical, Code: 550, Enhanced: smtp.EnhancedCode{5, 7, 1}, Reply: "550 5.7.1 listed", Line: Line{"mail.log", 7, "a?line"}}
	if diff := cmp.Diff(want, got.Last); diff != "" {
		t.Error(diff)
	}
}

// However many strangers come, the memory has a bound, what finds no room is counted, and
// what was counted for makes room again.
func TestBounds(t *testing.T) {
	p := newPlayer(t, "[[alert]]\nname='x'\ncause='login'\nat_least=1\nwithin='1m'\nby='host'\nresolve_after='0s'\nhold_off='0s'\n")
	for i := range maxGroups + 10 {
		p.event("login", fmt.Sprintf("192.0.2.%d", i), p.now)
	}
	if d := p.e.Dropped(); d.Lines != 10 || d.Alerts != maxGroups-maxFiring || len(p.log) != maxFiring {
		t.Errorf("%+v, told %d", d, len(p.log))
	}
	p.to(2 * time.Minute)
	if p.e.groups != 0 || len(p.e.rules[0].groups) != 0 || p.e.rules[0].firing != 0 {
		t.Errorf("%d groups are left, %d fire", p.e.groups, p.e.rules[0].firing)
	}
	for i := range 2 * maxParties {
		ev := smtp.Event{Kind: smtp.KindDelivery, Peer: smtp.Peer{Name: fmt.Appendf(nil, "h%d.example.org", i)}}
		if got := p.e.party(&ev, uint64(i+1)); got != "example.org" {
			t.Fatal(got)
		}
	}
	if len(p.e.parties) > maxParties {
		t.Error("the memory of hosts grows")
	}
}

// A line that no rule is about costs nothing to speak of.
func TestAllocs(t *testing.T) {
	p := newPlayer(t, blocklisted+deferred+silence)
	var ev smtp.Event
	ev.Reset()
	ev.Kind, ev.Direction, ev.Outcome, ev.Reply = smtp.KindDelivery, smtp.Outbound, smtp.Sent, smtp.ParseReply([]byte("250 ok"))
	a := &classify.Annotation{Cause: knowledge.Accepted}
	line := func() Line { t.Error("asked for the line"); return Line{} }
	if n := testing.AllocsPerRun(100, func() { p.e.Event(&ev, a, 1, line) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestWindow(t *testing.T) {
	var w window
	// Against the slow way: all that was added in the last 60 slots and the running one.
	var added [400]int64
	for i := range int64(400) {
		if i%7 != 3 && i%50 < 30 {
			w.add(i, i%5)
			added[i] = i % 5
		}
		w.move(i)
		want := int64(0)
		for j := max(0, i-slots); j <= i; j++ {
			want += added[j]
		}
		if w.total != want {
			t.Fatalf("slot %d: %d, want %d", i, w.total, want)
		}
	}
	before := w.total
	w.shift(1000)
	w.move(1000 + slots + 1)
	if before == 0 || w.total != 0 {
		t.Errorf("%d, then %d", before, w.total)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add("bl", "g", int64(5), int64(6))
	f.Fuzz(func(t *testing.T, name, group string, since, fired int64) {
		p := newPlayer(t, blocklisted+silence)
		p.e.Restore([]State{{name, group, time.Unix(since, 0), time.Unix(fired, 0)}, {"bl", group, time.Unix(since, 0), time.Unix(fired, 0)}, {"si", "", time.Unix(since, 0), time.Unix(fired, 0)}})
		p.play("1:00 blocklisted mx 3\n20:00 tick")
	})
}

func BenchmarkEvent(b *testing.B) {
	t := &testing.T{}
	p := newPlayer(t, blocklisted+deferred+silence)
	for _, what := range []string{"sent", "quit"} {
		b.Run(what, func(b *testing.B) {
			s := says[what]
			ev := smtp.Event{Kind: s.kind, Outcome: s.outcome, Direction: s.direction, Reply: smtp.ParseReply([]byte(s.reply))}
			a := &classify.Annotation{Cause: s.cause}
			for b.Loop() {
				p.e.Event(&ev, a, 1, nil)
			}
		})
	}
}
