package glance

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// watcher holds what an eye says against what the parser of its format does.
type watcher struct {
	format parsers.Format
	eye    *Eye
	ev     smtp.Event
}

// watchers are one for each way in which lines are parsed.
func watchers() []*watcher {
	var all []*watcher
	for _, f := range append(parsers.Formats, parsers.Any) {
		if f.Lines != nil {
			all = append(all, &watcher{format: f, eye: New(f.ID)})
		}
	}
	return all
}

// look reports whether the eye knew the line.
func (w *watcher) look(t *testing.T, line []byte) bool {
	t.Helper()
	var got, want session.Step
	if !w.eye.Line(line, &got) {
		return false
	}
	w.format.Lines.Parse(line, &w.ev)
	session.StepOf(&w.ev, &want)
	if got != want {
		t.Fatalf("as %s: %q\n got %+v\nwant %+v", w.format.Name, line, got, want)
	}
	if host := w.eye.Host; host != nil && (string(host) != string(cmp.Or(string(w.ev.Peer.Name), string(w.ev.Peer.IP))) || !got.Decides()) || host == nil && got.Decides() && got.Host != 0 {
		t.Fatalf("%q: host %q", line, host)
	}
	if w.ev.Outcome != smtp.OutcomeNone && w.ev.Outcome != smtp.Sent || w.ev.Failed || w.ev.Reply.Code != 0 && !w.ev.Reply.Code.Positive() {
		t.Fatalf("%q went wrong: that is for a parser", line)
	}
	return true
}

// samples are the logs of testdata, and generated ones.
func samples(t testing.TB) map[string][]byte {
	logs := map[string][]byte{}
	for _, dir := range []string{"postfix", "exim"} {
		paths, err := filepath.Glob(filepath.Join("..", "..", "testdata", dir, "*.log*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("no samples in %s: %v", dir, err)
		}
		for _, path := range paths {
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var r io.Reader = f
			if strings.HasSuffix(path, ".gz") {
				if r, err = gzip.NewReader(f); err != nil {
					t.Fatal(err)
				}
			}
			if logs[path], err = io.ReadAll(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, o := range []testlog.Options{{Format: "postfix"}, {Format: "postfix", RFC3339: true}, {Format: "exim"}} {
		var log bytes.Buffer
		o.Size = 2 << 20
		if err := testlog.Write(&log, o); err != nil {
			t.Fatal(err)
		}
		name := "generated " + o.Format
		if o.RFC3339 {
			name += " with RFC 3339 stamps"
		}
		logs[name] = log.Bytes()
	}
	return logs
}

// TestSameAsParsers: what a glance tells of a line is what its parser does.
func TestSameAsParsers(t *testing.T) {
	for name, log := range samples(t) {
		for _, w := range watchers() {
			known, lines := 0, 0
			for line := range bytes.Lines(log) {
				lines++
				if w.look(t, bytes.TrimSuffix(line, []byte{'\n'})) {
					known++
				}
			}
			t.Logf("%s as %s: %d of %d", name, w.format.Name, known, lines)
			// That most lines need no parser is what the package is for.
			if strings.HasPrefix(name, "generated "+w.format.Name) && known*100 < lines*80 {
				t.Errorf("%s: only %d of %d lines were known", name, known, lines)
			}
		}
	}
}

// pieces are what makes a line mean something else.
var pieces = []string{
	" ", ",", ":", ";", "=", "<", ">", "[", "]", "(", ")", "\"", "\\", "/", "*", "0", "9", "a", "F", "NOQUEUE: ", "message repeated 2 times: [ ",
	", orig_queue_id=4ABCDEF", "status=", "unknown", "127.0.0.1", "::1", "IPv6:", " as ", "queued as ", "R=1w0Aqz-0007bn-BL ", " C=\"250 ok\"", " id=", " H=", " for ", " from <",
	" T=*", " Ci=7 ", "\x00", "\r", "\xff", "dsn=", "conn_use=3, ", "nrcpt=0", "connect from ", "-", "+0100 ", ".5", "stdout F ", "st", "[ID 1 mail.info] ",
}

// TestMutations: neither does a line that was cut, joined with another, or written to.
func TestMutations(t *testing.T) {
	var lines [][]byte
	logs := samples(t)
	for _, name := range slices.Sorted(maps.Keys(logs)) { // the same lines in each run
		n := 0
		for line := range bytes.Lines(logs[name]) {
			if n++; n%10 == 0 {
				lines = append(lines, bytes.TrimSuffix(line, []byte{'\n'}))
			}
		}
	}
	all := watchers()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(s []byte) int { return random.IntN(len(s) + 1) }
	known := 0
	var ev smtp.Event
	for range 100_000 {
		a, b := lines[random.IntN(len(lines))], lines[random.IntN(len(lines))]
		var line []byte
		switch i := pick(a); random.IntN(4) {
		case 0:
			line = append(append(line, a[:i]...), a[min(len(a), i+1+random.IntN(8)):]...)
		case 1:
			line = append(append(line, a[:i]...), b[min(i, len(b)):]...)
		case 2:
			line = append(append(line, a[:i]...), b[pick(b):]...)
		default:
			line = append(append(append(line, a[:i]...), pieces[random.IntN(len(pieces))]...), a[i:]...)
		}
		sameDomain(t, line, &ev)
		for _, w := range all {
			w.look(t, a) // leaves what it keeps of a line that is as it should be
			if w.look(t, line) {
				known++
			}
		}
	}
	t.Logf("%d were known", known)
}

// TestHost: where a host is found it is the right one, and in most lines it is.
func TestHost(t *testing.T) {
	for name, log := range samples(t) {
		var ev smtp.Event
		var s session.Step
		found, all := 0, 0
		for line := range bytes.Lines(log) {
			line = bytes.TrimSuffix(line, []byte{'\n'})
			parsers.Mixed{}.Parse(line, &ev)
			if session.StepOf(&ev, &s); s.Host == 0 || !s.Decides() {
				continue
			}
			all++
			if host := Host(line, s.Format, s.Host); host != nil {
				found++
				if want := ev.Peer.Name; len(want) > 0 && !bytes.Equal(host, want) || len(want) == 0 && !bytes.Equal(host, ev.Peer.IP) {
					t.Errorf("%q: %q", line, host)
				}
			}
		}
		if strings.HasPrefix(name, "generated") && found*10 < all*9 {
			t.Errorf("%s: the host was found in %d of %d lines", name, found, all)
		}
	}
}

// sameDomain holds that where a recipient's domain is found it is the right one.
func sameDomain(t *testing.T, line []byte, ev *smtp.Event) (found, all int) {
	t.Helper()
	parsers.Mixed{}.Parse(line, ev)
	if ev.Kind != smtp.KindDelivery || ev.Outcome != smtp.Sent || ev.Direction != smtp.Outbound {
		return 0, 0
	}
	domain := Domain(line, ev.Format)
	if domain == nil {
		return 0, 1
	}
	if want := ev.To[bytes.LastIndexByte(ev.To, '@')+1:]; !bytes.Equal(domain, want) {
		t.Errorf("%q: %q, want %q", line, domain, want)
	}
	return 1, 1
}

// TestDomain: where the recipient's domain is found it is the right one, and in most lines it is.
func TestDomain(t *testing.T) {
	var ev smtp.Event
	for name, log := range samples(t) {
		found, all := 0, 0
		for line := range bytes.Lines(log) {
			n, of := sameDomain(t, bytes.TrimSuffix(line, []byte{'\n'}), &ev)
			found, all = found+n, all+of
		}
		if strings.HasPrefix(name, "generated") && (found*10 < all*9 || all < 100) {
			t.Errorf("%s: the domain was found in %d of %d lines", name, found, all)
		}
	}
}
