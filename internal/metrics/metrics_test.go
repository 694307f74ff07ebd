package metrics

import (
	"bytes"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var healthy = func() Health {
	return Health{Understood: 9, Foreign: 2, Unknown: 1, Followed: []Followed{
		{Name: "/var/log/mail.log", Bytes: 42, Behind: 1500 * time.Millisecond, LastRead: time.Unix(1e9, 0), Rotations: 3},
		{Name: "a\xff", CaughtUp: true}, {Name: "a\xff"},
	}}
}

// read passes a log on as a command does, to metrics and to a summary.
func read(t testing.TB, m *Metrics, paths ...string) *summary.Summary {
	t.Helper()
	sum := summary.New()
	by := classify.Default()
	sessions := session.NewAssembler(session.Options{Exchanges: true}, func(s *session.Session) {
		sum.Session(s.Direction, s.End, s.Graceful, s.Last, summary.Note{Cause: knowledge.Accepted})
		m.Session(s, summary.Note{Cause: knowledge.Accepted})
	})
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var ev smtp.Event
		var step session.Step
		for line := range bytes.Lines(data) {
			parsers.Any.Lines.Parse(bytes.TrimRight(line, "\r\n"), &ev)
			session.StepOf(&ev, &step)
			var note *summary.Note
			if a, ok := by.Event(&ev); ok {
				note = &summary.Note{Cause: a.Cause, Severity: a.Severity, Entry: uint16(a.Entry)}
			}
			sessions.Add(&step, time.Time{}, &ev)
			sum.Event(&ev, note, 0, func() (s summary.Sample) { return s })
			m.Event(&ev, note)
		}
		sessions.EndOfFile()
	}
	sessions.Close()
	return sum
}

func logs(t testing.TB) []string {
	t.Helper()
	all, err := filepath.Glob("../../testdata/*/*.log")
	if err != nil || len(all) < 10 {
		t.Fatalf("%d logs: %v", len(all), err)
	}
	return all
}

// scrape returns the series of one metric that are not zero, by their labels.
func scrape(t testing.TB, m *Metrics) map[string]float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, s := range f.Metric {
			name := f.GetName()
			for _, l := range s.Label {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			if v := s.GetCounter().GetValue(); v != 0 {
				all[name] += v
			}
			if v := s.GetGauge().GetValue(); v != 0 {
				all[name] += v
			}
			if h := s.GetHistogram(); h != nil {
				all[name] = float64(h.GetSampleCount())
			}
		}
	}
	return all
}

// The counts are those of the report of the same logs.
func TestCountsOfReport(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	sum := read(t, m, logs(t)...)
	want, got := map[string]float64{}, map[string]float64{}
	for _, r := range sum.Replies() {
		as := m.replies.fold(reply{direction: r.Direction, stage: r.Stage, code: r.Code, enhanced: r.Enhanced})
		want[fmt.Sprintf("reply %s %s %s %s %s", r.Direction, orNone(r.Stage.String()), codeName(as.code), enhancedName(as.enhanced), r.Note.Cause)] += float64(r.Count)
	}
	for o, n := range sum.Deliveries {
		if n != 0 {
			want["message "+orNone(smtp.Outcome(o).String())] = float64(n)
		}
	}
	for i, side := range sum.Sessions {
		for e, n := range side.Ended {
			if n != 0 {
				want[fmt.Sprintf("session %s %s", []string{"inbound", "outbound"}[i], smtp.End(e))] = float64(n)
			}
		}
	}
	for _, c := range sum.Causes() {
		want["failure "+c.Note.Cause.ID()] += float64(c.Count)
	}
	for name, n := range scrape(t, m) {
		label := map[string]string{}
		words := strings.Fields(name)
		for _, w := range words[1:] {
			k, v, _ := strings.Cut(w, "=")
			label[k] = v
		}
		switch words[0] {
		case "mailwhy_replies_total":
			got[fmt.Sprintf("reply %s %s %s %s %s", label["direction"], label["stage"], label["code"], label["enhanced_code"], label["cause"])] += n
		case "mailwhy_messages_total":
			got["message "+label["outcome"]] += n
		case "mailwhy_sessions_total":
			got[fmt.Sprintf("session %s %s", label["direction"], label["end"])] += n
		case "mailwhy_failures_total":
			got["failure "+label["cause"]] += n
		}
	}
	if len(want) < 100 {
		t.Errorf("only %d counts to compare", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics differ from the report (-report +metrics):\n%s", diff)
	}
}

// Prometheus's own linter finds nothing to say of the names.
func TestLint(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	read(t, m, logs(t)...)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if tool, err := exec.LookPath("promtool"); err == nil {
		check := exec.Command(tool, "check", "metrics")
		check.Stdin = strings.NewReader(get(t, m))
		if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("promtool check metrics: %v\n%s", err, out)
		}
	}
}

func get(t testing.TB, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestHealth(t *testing.T) {
	text := get(t, New("1.2", knowledge.Load(), healthy))
	for _, line := range []string{
		`mailwhy_log_lines_total{result="understood"} 9`,
		`mailwhy_log_lines_total{result="foreign"} 2`,
		`mailwhy_log_lines_total{result="unknown"} 1`,
		`mailwhy_follower_lag_bytes{file="/var/log/mail.log"} 42`,
		`mailwhy_follower_lag_seconds{file="/var/log/mail.log"} 1.5`,
		`mailwhy_follower_caught_up{file="/var/log/mail.log"} 0`,
		`mailwhy_follower_rotations_total{file="/var/log/mail.log"} 3`,
		`mailwhy_follower_caught_up{file="a` + "\uFFFD" + `"} 1`,
		`mailwhy_cause_info{actor="sending_admin",cause="blocklisted",severity="critical"} 1`,
		`mailwhy_config_reloads_total{result="failure"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if !strings.Contains(text, `mailwhy_build_info{goversion="go`) {
		t.Error("no build info")
	}
}

// However many different replies strangers say, the series have a bound and no count is
// lost.
func TestBound(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	total := 0
	say := func(ev smtp.Event) {
		total++
		m.Event(&ev, &summary.Note{Cause: knowledge.Cause(total % knowledge.NumCauses)})
	}
	for code := smtp.Code(200); code < 1000; code++ {
		for detail := range uint16(40) {
			say(smtp.Event{Kind: smtp.KindAnswer, Format: smtp.FormatExim, Direction: smtp.Outbound, Stage: smtp.Stage(total % smtp.NumStages),
				Reply: smtp.Reply{Code: code, Enhanced: smtp.EnhancedCode{5, detail % 9, detail}}})
		}
	}
	if series := testutil.CollectAndCount(m.replies.counters); series > maxReplies+numFormats*numDirections {
		t.Errorf("%d series", series)
	}
	sum := 0.0
	for name, n := range scrape(t, m) {
		if strings.HasPrefix(name, "mailwhy_replies_total ") {
			sum += n
		}
	}
	folded := testutil.ToFloat64(m.replies.folded)
	if sum != float64(total) || folded == 0 || folded >= sum {
		t.Errorf("%d replies gave %g, folded %g", total, sum, folded)
	}
}

// A line that counts often has its delay counted as often.
func TestDelays(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	for _, d := range []time.Duration{0, 100 * time.Millisecond, 101 * time.Millisecond, 7 * time.Second, 999 * time.Hour, smtp.NoDelay} {
		m.Event(&smtp.Event{Kind: smtp.KindDelivery, Format: smtp.FormatPostfix, Outcome: smtp.Sent, Delay: d, Repeat: 9}, nil)
	}
	m.Event(&smtp.Event{Kind: smtp.KindDelivery, Format: smtp.FormatPostfix, Outcome: smtp.Deferred, Delay: time.Hour}, nil)
	text := get(t, m)
	for _, line := range []string{`bucket{le="0.1"} 20`, `bucket{le="0.3"} 30`, `bucket{le="10"} 40`, `bucket{le="432000"} 40`, `bucket{le="+Inf"} 50`, `count 50`} {
		if !strings.Contains(text, "mailwhy_delivery_delay_seconds_"+line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

// All counters that a mail server may need stand at zero from its first line on.
func TestFromZero(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	if strings.Contains(get(t, m), `mta="postfix"`) {
		t.Error("a server of which nothing was read is there")
	}
	m.Event(&smtp.Event{Kind: smtp.KindDelivery, Format: smtp.FormatPostfix, Direction: smtp.Outbound, Outcome: smtp.Sent, Delay: smtp.NoDelay}, nil)
	text := get(t, m)
	for _, line := range []string{
		`mailwhy_messages_total{direction="outbound",mta="postfix",outcome="sent"} 1`,
		`mailwhy_messages_total{direction="outbound",mta="postfix",outcome="bounced"} 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

// sample is a bounce, and what follows it in most logs.
func sample() []smtp.Event {
	refused := smtp.Event{Kind: smtp.KindDelivery, Format: smtp.FormatPostfix, Direction: smtp.Outbound, Stage: smtp.StageRCPT, Outcome: smtp.Bounced, Failed: true,
		Reply: smtp.Reply{Code: 550, Enhanced: smtp.EnhancedCode{5, 1, 1}}, Delay: time.Second}
	sent := refused
	sent.Outcome, sent.Failed, sent.Reply, sent.Stage = smtp.Sent, false, smtp.Reply{Code: 250, Enhanced: smtp.EnhancedCode{2, 0, 0}}, smtp.StageDOT
	return []smtp.Event{refused, sent}
}

func TestNoAllocation(t *testing.T) {
	m := New("test", knowledge.Load(), healthy)
	events, note := sample(), &summary.Note{Cause: knowledge.RecipientUnknown}
	if n := testing.AllocsPerRun(100, func() {
		for i := range events {
			m.Event(&events[i], note)
		}
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
}

func BenchmarkEvent(b *testing.B) {
	m := New("test", knowledge.Load(), healthy)
	events, note := sample(), &summary.Note{Cause: knowledge.RecipientUnknown}
	b.ReportAllocs()
	for i := range b.N {
		m.Event(&events[i%2], note)
	}
}
