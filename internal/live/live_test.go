package live

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// start is at the beginning of a minute.
var start = time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)

// scene is a watch, and what it told.
type scene struct {
	*Watch
	said []string
}

func newScene() *scene {
	s := &scene{}
	s.Watch = New(knowledge.Load(), func(n *Notice) {
		at := n.Time.Sub(start).String() + " "
		switch n.What {
		case Began:
			at += fmt.Sprintf("began %s %q", n.Trouble.Cause.ID(), n.Trouble.Party)
			if n.Trouble.Explained {
				at += " again"
			}
		case Goes:
			at += fmt.Sprintf("goes %s %q ×%d in %s", n.Trouble.Cause.ID(), n.Trouble.Party, n.Count, n.For)
		case Others:
			at += fmt.Sprintf("others %d", n.Count)
		case Over:
			at += fmt.Sprintf("over %q after %s", n.Party, n.For)
		case Ended:
			at += fmt.Sprintf("ended %s %s ×%d", n.End, n.Stage, n.Count)
			if n.Party == "" {
				at += fmt.Sprintf(" in %s", n.For)
			}
		}
		s.said = append(s.said, at)
	})
	s.KeepLines()
	return s
}

// hash stands for the host's hash that a step has.
func hash(host string) (h uint64) {
	for _, c := range host {
		h = h*31 + uint64(c)
	}
	return h
}

// fails is a delivery that was put off, some time after the start.
func (s *scene) fails(after time.Duration, cause knowledge.Cause, severity knowledge.Severity, host string) {
	s.met(after, cause, severity, smtp.Event{
		Kind: smtp.KindDelivery, Direction: smtp.Outbound, Stage: smtp.StageRCPT, Outcome: smtp.Deferred,
		Reply: smtp.Reply{Code: 450, Text: []byte("450 later")}, Peer: smtp.Peer{Name: []byte(host)}, To: []byte("anna@customer.example"),
	})
}

func (s *scene) met(after time.Duration, cause knowledge.Cause, severity knowledge.Severity, ev smtp.Event) {
	ev.Time = start.Add(after)
	s.Event(&ev, &classify.Annotation{Cause: cause, Severity: severity}, hash(string(ev.Peer.Name)), func() Line { return Line{"mail.log", 1, "a line"} })
}

func (s *scene) sent(after time.Duration, host, to string) {
	ev := smtp.Event{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Sent, Peer: smtp.Peer{Name: []byte(host)}, To: []byte(to)}
	ev.Time = start.Add(after)
	s.Event(&ev, nil, hash(host), nil)
}

func (s *scene) lost(after time.Duration, stage smtp.Stage) {
	ev := smtp.Event{Kind: smtp.KindLost, Direction: smtp.Inbound, Stage: stage, Peer: smtp.Peer{Name: []byte("client.example")}}
	ev.Time = start.Add(after)
	s.Event(&ev, nil, 0, nil)
}

const (
	google    = "gmail-smtp-in.l.google.com"
	microsoft = "customer-example.mail.protection.outlook.com"
)

func TestTold(t *testing.T) {
	const sec, min = time.Second, time.Minute
	for name, c := range map[string]struct {
		happens func(s *scene)
		want    []string
	}{
		"new, then counted": {func(s *scene) {
			for i := range 61 {
				s.fails(time.Duration(i)*sec, knowledge.Blocklisted, knowledge.Critical, google)
			}
		}, []string{`0s began blocklisted "Google"`, `1m0s goes blocklisted "Google" ×59 in 1m0s`}},
		"told less often as it goes on": {func(s *scene) {
			for i := range 60 * 30 {
				s.fails(time.Duration(i)*sec, knowledge.Blocklisted, knowledge.Critical, google)
			}
		}, []string{
			`0s began blocklisted "Google"`,
			`1m0s goes blocklisted "Google" ×59 in 1m0s`, `2m0s goes blocklisted "Google" ×60 in 1m0s`, `3m0s goes blocklisted "Google" ×60 in 1m0s`,
			`4m0s goes blocklisted "Google" ×60 in 1m0s`, `5m0s goes blocklisted "Google" ×60 in 1m0s`, `15m0s goes blocklisted "Google" ×600 in 10m0s`, `25m0s goes blocklisted "Google" ×600 in 10m0s`,
		}},
		"little of it waits": {func(s *scene) {
			s.fails(0, knowledge.Blocklisted, knowledge.Critical, google)
			s.fails(30*sec, knowledge.Blocklisted, knowledge.Critical, google)
			for i := range 12 {
				s.Tick(start.Add(time.Duration(i) * min))
			}
		}, []string{`0s began blocklisted "Google"`, `10m0s goes blocklisted "Google" ×1 in 10m0s`}},
		"a provider is told apart, and not explained again": {func(s *scene) {
			s.fails(0, knowledge.Blocklisted, knowledge.Critical, google)
			s.fails(1*sec, knowledge.Blocklisted, knowledge.Critical, microsoft)
		}, []string{`0s began blocklisted "Google"`, `1s began blocklisted "Microsoft" again`}},
		"one of many small domains is told of when it happens more than once or twice": {func(s *scene) {
			for i := range 4 {
				s.fails(time.Duration(i)*sec, knowledge.Blocklisted, knowledge.Critical, fmt.Sprintf("mx.a%d.example", i))
			}
			s.fails(5*sec, knowledge.Blocklisted, knowledge.Critical, "mx1.a2.example")
			s.fails(6*sec, knowledge.Blocklisted, knowledge.Critical, "mx2.a2.example")
		}, []string{`0s began blocklisted "a0.example"`, `6s began blocklisted "a2.example" again`}},
		"a mistyped address is one in any domain": {func(s *scene) {
			for i := range 9 {
				s.fails(time.Duration(i)*sec, knowledge.RecipientUnknown, knowledge.Error, fmt.Sprintf("mx.a%d.example", i))
			}
		}, []string{`0s began recipient_unknown ""`}},
		"what is as it should be is not told of, until it is worse": {func(s *scene) {
			s.fails(0, knowledge.Greylisted, knowledge.Info, google)
			s.fails(1*sec, knowledge.Greylisted, knowledge.Warning, google)
		}, []string{`1s began greylisted "Google"`}},
		"a host that was not reached is known by the recipient's domain": {func(s *scene) {
			s.fails(0, knowledge.Connection, knowledge.Warning, "")
		}, []string{`0s began connection "customer.example"`}},
		"all at once": {func(s *scene) {
			// What is ours to mend has room of its own.
			for i := range knowledge.NumCauses {
				if cause := knowledge.Cause(i); cause.Actor() != knowledge.Nobody {
					s.fails(0, cause, knowledge.Error, google)
				}
			}
			s.said = s.said[:0]
			s.Tick(start.Add(min))
		}, []string{"1m0s others 6"}},
		"flows again": {func(s *scene) {
			for i := range 4 {
				s.fails(time.Duration(i)*4*min, knowledge.Connection, knowledge.Warning, google)
			}
			s.sent(13*min, google, "bob@gmail.com")
			s.Tick(start.Add(14 * min))
			s.Tick(start.Add(15 * min))
			s.fails(16*min, knowledge.Connection, knowledge.Warning, google)
			s.fails(17*min, knowledge.Connection, knowledge.Warning, google)
			s.fails(18*min, knowledge.Connection, knowledge.Warning, google)
		}, []string{
			`0s began connection "Google"`, `12m0s goes connection "Google" ×2 in 12m0s`, `14m0s over "Google" after 13m0s`,
			`18m0s began connection "Google" again`,
		}},
		"flows again by the recipient's domain": {func(s *scene) {
			for i := range 3 {
				s.fails(time.Duration(i)*min, knowledge.Connection, knowledge.Warning, "")
			}
			s.sent(3*min, google, "bob@CUSTOMER.example")
			s.Tick(start.Add(4 * min))
		}, []string{`0s began connection "customer.example"`, `4m0s over "customer.example" after 3m0s`}},
		"coming and going is no recovery": {func(s *scene) {
			for i := range 20 { // a failure or two between what goes through
				s.fails(time.Duration(i)*time.Hour, knowledge.Connection, knowledge.Warning, google)
				s.sent(time.Duration(i)*time.Hour+min, google, "bob@gmail.com")
			}
			for i := range 9 { // many, but only for seconds
				s.fails(21*time.Hour+time.Duration(i)*sec, knowledge.Connection, knowledge.Warning, microsoft)
			}
			s.sent(21*time.Hour+20*sec, microsoft, "bob@gmail.com")
			s.Tick(start.Add(22 * time.Hour))
		}, []string{`21h0m0s began connection "Microsoft" again`, `22h0m0s goes connection "Microsoft" ×8 in 1h0m0s`}},
		"not again within the minute": {func(s *scene) {
			for i := range 3 {
				s.fails(time.Duration(i)*min, knowledge.Connection, knowledge.Warning, google)
			}
			s.sent(3*min, google, "bob@gmail.com")
			s.fails(3*min+30*sec, knowledge.Connection, knowledge.Warning, google)
			s.Tick(start.Add(9 * min))
		}, []string{`0s began connection "Google"`}},
		"a mistyped address keeps no mail from a provider": {func(s *scene) {
			for i := range 9 {
				s.fails(time.Duration(i)*min, knowledge.RecipientUnknown, knowledge.Error, google)
			}
			s.sent(9*min, google, "bob@gmail.com")
			s.Tick(start.Add(9*min + 59*sec))
		}, []string{`0s began recipient_unknown "Google"`, `6m0s goes recipient_unknown "Google" ×5 in 6m0s`}},
		"new again after hours": {func(s *scene) {
			s.fails(0, knowledge.Blocklisted, knowledge.Critical, google)
			s.fails(7*time.Hour, knowledge.Blocklisted, knowledge.Critical, google)
		}, []string{`0s began blocklisted "Google"`, `7h0m0s began blocklisted "Google" again`}},
		"sessions that end badly are counted": {func(s *scene) {
			s.lost(0, smtp.StageDATA)
			s.lost(1*min, smtp.StageDATA)
			s.lost(2*min, smtp.StageDATA)
			s.lost(3*min, smtp.StageDOT)
			s.lost(4*min, smtp.StageEHLO) // a scanner
			s.Tick(start.Add(11 * min))
		}, []string{"0s ended lost DATA ×1", "3m0s ended lost DOT ×1", "11m0s ended lost DATA ×2 in 11m0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			c.happens(s)
			if strings.HasPrefix(name, "coming") {
				s.said = s.said[len(s.said)-2:] // of the hours before
			}
			if diff := cmp.Diff(c.want, s.said); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSnapshot(t *testing.T) {
	s := newScene()
	for i := range 90 { // one and a half minutes
		s.sent(time.Duration(i)*time.Second, google, "bob@gmail.com")
	}
	s.fails(90*time.Second, knowledge.RecipientUnknown, knowledge.Error, google)
	s.fails(90*time.Second, knowledge.Blocklisted, knowledge.Critical, microsoft)
	got := s.Snapshot(10)
	if n := got.Rates[Sent]; n[Minutes-2] != 60 || n[Minutes-1] != 30 || n.Recent(got.Now) != 60 || got.Totals[Sent] != 90 {
		t.Errorf("sent: %v, %d in the last minute, %d in all", n, n.Recent(got.Now), got.Totals[Sent])
	}
	if len(got.Troubles) != 2 || got.Troubles[0].Party != "Microsoft" || got.Troubles[0].Total != 1 || len(got.Troubles[0].Lines) != 1 {
		t.Fatalf("%+v", got.Troubles)
	}
	if one := s.Snapshot(1); len(one.Troubles) != 1 || one.Troubles[0].Party != "Microsoft" {
		t.Errorf("the worst of them: %+v", one.Troubles)
	}
	s.Tick(start.Add(30 * time.Minute)) // the log is silent
	if late := s.Snapshot(10); late.Rates[Sent].Recent(late.Now) != 0 || late.Rates[Sent][Minutes-1-30] != 60 || late.Troubles[0].PerMinute[Minutes-1] != 0 {
		t.Errorf("after half an hour: %+v", late)
	}
	if got.Troubles[0].PerMinute[Minutes-1] != 1 {
		t.Error("an earlier snapshot has changed")
	}
	s.Tick(start.Add(2 * time.Hour))
	if late := s.Snapshot(10); len(late.Troubles) != 0 || late.Rates[Sent] != (Counts{}) || late.Totals[Sent] != 90 {
		t.Errorf("after two hours: %+v", late)
	}
}

// TestBounds holds that the memory does not grow with what strangers think of, and that
// what was given up is counted.
func TestBounds(t *testing.T) {
	s := newScene()
	const more = 100
	for i := range maxTroubles + more {
		s.fails(time.Duration(i)*time.Second, knowledge.Blocklisted, knowledge.Critical, fmt.Sprintf("mx.a%d.example", i))
	}
	if n := int64(s.troubles.n()); n > maxTroubles || n+s.Dropped() != maxTroubles+more || s.Snapshot(0).Dropped != s.Dropped() {
		t.Errorf("%d troubles, %d dropped", s.troubles.n(), s.Dropped())
	}
	if s.partyOf("mx.a0.example").trouble(causeSide{knowledge.Blocklisted, smtp.Outbound}) != nil {
		t.Error("the one that was silent for the longest was kept")
	}
	for i := range maxHosts + more {
		s.sent(time.Hour, fmt.Sprintf("mx.b%d.example", i), "bob@gmail.com")
		s.fails(time.Hour, knowledge.Blocklisted, knowledge.Critical, fmt.Sprintf("mx.c%d.example", i))
	}
	if s.parties.hosts.n > maxHosts || len(s.parties.all) > maxNames {
		t.Errorf("%d hosts, %d parties", s.parties.hosts.n, len(s.parties.all))
	}
	long := strings.Repeat("x", 1<<20)
	s.met(2*time.Hour, knowledge.Blocklisted, knowledge.Critical, smtp.Event{
		Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Bounced, Reply: smtp.Reply{Code: 554, Text: []byte(long)},
		Peer: smtp.Peer{Name: []byte(long)}, To: []byte(long),
	})
	for _, t1 := range s.Snapshot(1 << 20).Troubles {
		if len(t1.Party) > maxText || len(t1.Reply) > maxText {
			t.Errorf("%d bytes of a name, %d of a reply", len(t1.Party), len(t1.Reply))
		}
	}
}

// TestNoAllocations holds that what goes on costs no memory: most lines are of what was
// seen before.
func TestNoAllocations(t *testing.T) {
	s := newScene()
	sent := smtp.Event{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Sent, Peer: smtp.Peer{Name: []byte(google)}, To: []byte("bob@gmail.com")}
	sent.Time = start
	refused := sent
	refused.Outcome, refused.Reply = smtp.Bounced, smtp.Reply{Code: 550, Text: []byte("550 no")}
	note := &classify.Annotation{Cause: knowledge.RecipientUnknown, Severity: knowledge.Error}
	line := func() Line { return Line{"mail.log", 1, "a line"} }
	all := func() {
		s.Event(&sent, nil, 1, line)
		s.Event(&refused, note, 1, line)
	}
	for range LastLines {
		all()
	}
	if n := testing.AllocsPerRun(100, all); n > 0 {
		t.Errorf("%v allocations for two lines", n)
	}
}

// TestLongLines: of long lines the beginning is kept, and nothing else of them in memory.
func TestLongLines(t *testing.T) {
	s := newScene()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range 200 {
		ev := smtp.Event{
			Kind: smtp.KindDelivery, Direction: smtp.Outbound, Outcome: smtp.Deferred,
			Peer: smtp.Peer{Name: fmt.Appendf(nil, "mx.host%d.example", i)}, To: []byte("anna@customer.example"),
		}
		ev.Time = start
		s.Event(&ev, &classify.Annotation{Cause: knowledge.Connection, Severity: knowledge.Warning}, hash(string(ev.Peer.Name)), func() Line {
			return Line{"mail.log", 1, strings.Repeat("x", 1<<20)}
		})
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 20<<20 || s.troubles.n() < 200 {
		t.Errorf("%d MiB are kept of the lines of %d troubles", kept>>20, s.troubles.n())
	}
}

// TestForgottenTroubles: what was given up is not held by its party.
func TestForgottenTroubles(t *testing.T) {
	s := newScene()
	for i := range 3 * maxTroubles {
		at := time.Duration(i) * time.Second
		s.fails(at, knowledge.Connection, knowledge.Warning, fmt.Sprintf("mx.host%d.example", i))
		if i%200 == 0 {
			s.fails(at, knowledge.Connection, knowledge.Warning, "mx.away.example")
		}
	}
	held := 0
	for _, p := range s.parties.all {
		held += len(p.troubles)
	}
	if held > maxTroubles {
		t.Errorf("parties hold %d troubles, %d are kept", held, s.troubles.n())
	}
}

// TestManyFlowAgain holds that the parties to which mail flows again do not fill the memory.
func TestManyFlowAgain(t *testing.T) {
	s := newScene()
	host := func(i int) string { return fmt.Sprintf("mx.d%d.example", i) }
	for _, at := range []time.Duration{0, time.Second, 2 * time.Minute} {
		for i := range maxNames - 1 {
			s.fails(at, knowledge.Blocklisted, knowledge.Critical, host(i))
		}
	}
	for i := range maxNames - 1 {
		s.sent(2*time.Minute, host(i), "bob@gmail.com")
	}
	if len(s.flows.again) == 0 {
		t.Fatal("to none does mail flow again")
	}
	const more = 100
	for i := range more {
		s.fails(2*time.Minute, knowledge.Blocklisted, knowledge.Critical, host(maxNames+i))
	}
	if n := len(s.parties.all); n > 1+maxTroubles+more { // nobody, those with troubles, the new ones
		t.Errorf("%d parties are kept", n)
	}
	if n := len(s.flows.again); n > maxTroubles {
		t.Errorf("%d flows are still to be told of", n)
	}
}
