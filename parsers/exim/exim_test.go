package exim

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const samples = "../../testdata/exim"

// sampleLines returns the lines of all samples.
func sampleLines(tb testing.TB) (lines [][]byte) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(samples, "*.log"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no samples in %s: %v", samples, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))...)
	}
	return lines
}

// show writes what an event says in one line: kind, direction, stage and outcome, then
// what else is set.
func show(ev *smtp.Event) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s %s %s %s", ev.Kind, ev.Direction, ev.Stage, ev.Outcome)
	word := func(name string, v []byte) {
		if v != nil {
			fmt.Fprintf(&s, " %s=%q", name, v)
		}
	}
	host := func(name string, p smtp.Peer) {
		if !p.IsZero() {
			fmt.Fprintf(&s, " %s=%s[%s]:%d", name, p.Name, p.IP, p.Port)
		}
	}
	if ev.Flag != smtp.EximNone {
		fmt.Fprintf(&s, " flag=%s", ev.Flag)
	}
	word("from", ev.From)
	word("to", ev.To)
	word("orig", ev.OrigTo)
	host("peer", ev.Peer)
	word("helo", ev.Helo)
	word("router", ev.Router)
	word("transport", ev.Transport)
	word("proto", ev.Protocol)
	if ev.Reply.Code != 0 {
		fmt.Fprintf(&s, " reply=%s/%s", ev.Reply.Code, ev.Reply.Enhanced)
	}
	host("by", ev.ReplyHost)
	if ev.Errno != 0 {
		fmt.Fprintf(&s, " errno=%d", ev.Errno)
	}
	word("auth", ev.AuthMethod)
	word("user", ev.User)
	word("tls", ev.TLSVersion)
	word("cipher", ev.TLSCipher)
	word("id", ev.MessageID)
	word("queued", ev.QueuedAs)
	word("related", ev.Related)
	word("session", ev.Session)
	if ev.Size != 0 {
		fmt.Fprintf(&s, " size=%d", ev.Size)
	}
	if ev.Recipients != 0 {
		fmt.Fprintf(&s, " nrcpt=%d", ev.Recipients)
	}
	if ev.ConnUse != 0 {
		fmt.Fprintf(&s, " use=%d", ev.ConnUse)
	}
	if ev.Delay != smtp.NoDelay {
		fmt.Fprintf(&s, " delay=%s", ev.Delay)
	}
	if ev.Probe {
		s.WriteString(" probe")
	}
	word("text", ev.Text)
	return s.String()
}

// The heads of the lines in the tables.
const (
	stamped = "2026-03-02 09:44:33 "
	withID  = stamped + "10HmaX-000000005vi-0000 "
)

type row struct{ line, want string }

// check parses each line and compares what it says.
func check(t *testing.T, rows []row) {
	t.Helper()
	var ev smtp.Event
	for _, r := range rows {
		ok := Parser{}.Parse([]byte(r.line), &ev)
		if got := show(&ev); !ok || got != r.want {
			t.Errorf("%s\n got %s (%v)\nwant %s", r.line, got, ok, r.want)
		}
	}
}

func TestEverySampleIsUnderstood(t *testing.T) {
	var ev smtp.Event
	var kinds [smtp.NumKinds]int
	for _, line := range sampleLines(t) {
		if !(Parser{}).Parse(line, &ev) || ev.Kind == smtp.KindUnknown {
			t.Errorf("not understood: %s", line)
		}
		kinds[ev.Kind]++
	}
	// An Exim log has no lines of their own for these: EHLO is not logged, a bounce is
	// an arrival, replies and commands stand in verbose logs alone.
	never := map[smtp.Kind]bool{smtp.KindUnknown: true, smtp.KindHello: true, smtp.KindAnswer: true, smtp.KindNotification: true}
	for k, n := range kinds {
		if kind := smtp.Kind(k); n == 0 && !never[kind] {
			t.Errorf("no sample of kind %s", kind)
		}
	}
}

func TestNotUnderstood(t *testing.T) {
	for _, line := range []string{
		"nothing of the kind",
		stamped + "What a site's own logwrite says",
		stamped + ". [192.0.2.1] -> [192.0.2.2]:1224", // a flag counts only behind an id
		withID + "<",
	} {
		var ev smtp.Event
		if (Parser{}).Parse([]byte(line), &ev) || ev.Kind != smtp.KindUnknown {
			t.Errorf("%s: understood as %s", line, show(&ev))
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	lines := sampleLines(t)
	var ev smtp.Event
	parse := func() {
		for _, l := range lines {
			Parser{}.Parse(l, &ev)
		}
	}
	parse() // the scratch space grows once
	if n := testing.AllocsPerRun(10, parse); n != 0 {
		t.Errorf("%v allocations for %d lines, want none", n, len(lines))
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range sampleLines(f) {
		f.Add(line)
	}
	for _, hostile := range []string{
		withID + "=> <a <b <c (d (e", withID + "<= x H=((((( [", withID + `** "\"\"\" <"\"\"`, stamped + `SMTP protocol error in ""`,
		stamped + `SMTP call from x dropped: was "`, withID + "== a defer (", "[1/", "[2\\3]", stamped + "rejected ", stamped + "H=",
	} {
		f.Add([]byte(hostile))
	}
	var ev, again smtp.Event
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		ok := Parser{}.Parse(line, &ev)
		if !bytes.Equal(before, line) {
			t.Fatalf("the line was changed: %q", before)
		}
		if ok == (ev.Kind == smtp.KindUnknown) {
			t.Errorf("%q: ok is %v for kind %s", line, ok, ev.Kind)
		}
		if c := ev.Reply.Code; c != 0 && (c < 200 || c > 999) {
			t.Errorf("%q: reply code %d", line, c)
		}
		first := show(&ev)
		Parser{}.Parse(line, &again)
		if second := show(&again); first != second {
			t.Errorf("%q: first %s, then %s", line, first, second)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	lines := sampleLines(b)
	if path := os.Getenv("EXIM_LOG"); path != "" { // a log of one's own
		data, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		lines = bytes.Split(data, []byte("\n"))
	}
	size := 0
	for _, l := range lines {
		size += len(l) + 1
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	var ev smtp.Event
	for b.Loop() {
		for _, l := range lines {
			Parser{}.Parse(l, &ev)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/line")
}
