package parsers

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// sampleSize is how much of a sample Detect is shown.
const sampleSize = 256 << 10

// read returns the beginning of a sample.
func read(tb testing.TB, path string) []byte {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			tb.Fatal(err)
		}
	}
	data, err := io.ReadAll(io.LimitReader(r, sampleSize))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// samples returns the paths of a format's samples.
func samples(tb testing.TB, format string) (paths []string) {
	tb.Helper()
	for _, pattern := range []string{"*.log", "*.log.gz", "*.txt"} {
		more, err := filepath.Glob(filepath.Join("..", "testdata", format, pattern))
		if err != nil {
			tb.Fatal(err)
		}
		paths = append(paths, more...)
	}
	if len(paths) == 0 {
		tb.Fatalf("no samples of %s", format)
	}
	return paths
}

// TestDetectSamples: what comes through syslog may be shared by any programs and is read
// as Any; the others are of their folder's format.
func TestDetectSamples(t *testing.T) {
	logs := map[string]bool{
		"exim/syslog.log":                      true,
		"transcript/postfix-smtp-verbose.txt":  true, // whole sessions, but inside a log
		"transcript/postfix-smtpd-verbose.txt": true,
	}
	const stranger = "transcript/ftp.txt" // talks in replies too, but not SMTP
	for _, f := range Formats {
		for _, path := range samples(t, f.Name) {
			name := f.Name + "/" + filepath.Base(path)
			want, wantSure := f.Name, true
			if f.ID == smtp.FormatPostfix || logs[name] {
				want = Any.Name
			}
			if name == stranger {
				want, wantSure = Any.Name, false
			}
			if got, sure := Detect(read(t, path)); got.Name != want || sure != wantSure {
				t.Errorf("%s: got %s, sure %v; want %s, %v", name, got.Name, sure, want, wantSure)
			}
		}
	}
}

func TestDetect(t *testing.T) {
	const (
		native  = "2026-11-22 04:08:24 1avnJx-00039F-Hs <= alice@example.com H=mx [192.0.2.1] P=esmtp S=312\n"
		postfix = "Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example[192.0.2.1]\n"
		other   = "Nov 22 06:25:01 mx CRON[99]: (root) CMD (true)\n"
		talk    = "220 mx.example.com ESMTP\nEHLO client.example\n250 mx.example.com\nMAIL FROM:<a@example.com>\n250 2.1.0 Ok\nQUIT\n221 2.0.0 Bye\n"
	)
	for name, c := range map[string]struct {
		sample string
		want   string
		sure   bool
	}{
		"nothing":                     {"", "log", false},
		"an empty line":               {"\n", "log", false},
		"prose":                       {"Dear reader,\n\nthis is no log.\n", "log", false},
		"binary":                      {"\x00\x01\xff\xfe\n\x80", "log", false},
		"only other programs":         {strings.Repeat(other, 50), "log", false},
		"Postfix":                     {postfix, "log", true},
		"Postfix late":                {strings.Repeat(other, detectLines-1) + postfix, "log", true},
		"Postfix too late":            {strings.Repeat(other, detectLines) + postfix, "log", false},
		"Exim":                        {native, "exim", true},
		"Exim without newline":        {strings.TrimSuffix(native, "\n"), "exim", true},
		"more Exim than Postfix":      {native + native + postfix, "exim", true},
		"more Postfix than Exim":      {native + postfix + postfix, "log", true},
		"Exim through syslog":         {"Mar  2 09:44:33 mx1 exim4[12105]: 1avnJx-00039F-Hs => bob@example.net R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5] C=\"250 OK\"\n", "log", true},
		"a transcript":                {talk, "transcript", true},
		"a transcript with CRLF":      {strings.ReplaceAll(talk, "\n", "\r\n"), "transcript", true},
		"a transcript under a prompt": {"$ telnet mx.example.com 25\nTrying 192.0.2.1...\nConnected to mx.example.com.\nEscape character is '^]'.\n" + talk, "transcript", true},
	} {
		if got, sure := Detect([]byte(c.sample)); got.Name != c.want || sure != c.sure {
			t.Errorf("%s: got %s, sure %v; want %s, %v", name, got.Name, sure, c.want, c.sure)
		}
	}
}

func TestByName(t *testing.T) {
	for _, want := range Formats {
		if got, ok := ByName(want.Name); !ok || got.ID != want.ID || got.ID.String() != got.Name {
			t.Errorf("%s: got %+v, %v", want.Name, got, ok)
		}
		if (want.Lines == nil) != (want.ID == smtp.FormatTranscript) {
			t.Errorf("%s: only a transcript has no parser of lines", want.Name)
		}
	}
	for _, name := range []string{"", "log", "Postfix", "sendmail"} {
		if f, ok := ByName(name); ok {
			t.Errorf("%q is %s", name, f.Name)
		}
	}
}

func TestMixed(t *testing.T) {
	for _, c := range []struct {
		line    string
		ok      bool
		format  smtp.Format
		kind    smtp.Kind
		process string
	}{
		{"Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example[192.0.2.1]", true, smtp.FormatPostfix, smtp.KindConnect, "smtpd"},
		{"Nov 22 06:25:01 mx postfix/submission/smtpd[1234]: disconnect from client.example[192.0.2.1] ehlo=1 quit=1 commands=2", true, smtp.FormatPostfix, smtp.KindDisconnect, "smtpd"},
		{"2026-11-22T06:25:01.123456+01:00 mx postfix/qmgr[9]: 4ABCDE12345: removed", true, smtp.FormatPostfix, smtp.KindRemoved, "qmgr"},
		{"Nov 22 06:25:01 mx postfix/smtpd[1234]: hocus pocus", false, smtp.FormatPostfix, smtp.KindUnknown, "smtpd"},
		{"2026-11-22 04:08:24 1avnJx-00039F-Hs <= alice@example.com H=mx [192.0.2.1] P=esmtp S=312", true, smtp.FormatExim, smtp.KindReceived, ""},
		{"2026-11-22 04:08:24 1avnJx-00039F-Hs Completed", true, smtp.FormatExim, smtp.KindRemoved, ""},
		{"2026-11-22 04:08:24 [123] 1avnJx-00039F-Hs => bob@example.net R=r T=t H=mx.example.net [203.0.113.5] C=\"250 OK\"", true, smtp.FormatExim, smtp.KindDelivery, ""},
		{"Mar  2 09:44:33 mx1 exim4[12105]: 1avnJx-00039F-Hs => bob@example.net R=r T=t H=mx.example.net [203.0.113.5] C=\"250 OK\"", true, smtp.FormatExim, smtp.KindDelivery, "exim4"},
		{"Mar  2 09:44:33 mx1 exim[12105]: 2026-03-02 09:44:33 [12106] 1avnJx-00039F-Hs Completed", true, smtp.FormatExim, smtp.KindRemoved, "exim"},
		{"Nov 22 06:25:01 mx dovecot[5]: imap-login: Login: user=<alice>", true, smtp.FormatNone, smtp.KindForeign, "dovecot"},
		{"Nov 22 06:25:01 mx CRON[99]: I saw postfix/smtpd[1]: connect from client.example[192.0.2.1]", true, smtp.FormatNone, smtp.KindForeign, "CRON"},
		{"no stamp at all", true, smtp.FormatNone, smtp.KindForeign, ""},
		{"", true, smtp.FormatNone, smtp.KindForeign, ""},
		{"\x00\xff\x00\xff", true, smtp.FormatNone, smtp.KindForeign, ""},
	} {
		ev := smtp.Event{Kind: smtp.KindWarning, Queue: []byte("old"), Failed: true} // of the line before
		ok := (Mixed{}).Parse([]byte(c.line), &ev)
		if ok != c.ok || ev.Format != c.format || ev.Kind != c.kind || string(ev.Process) != c.process {
			t.Errorf("%q:\n got %v, %v, %v, %q\nwant %v, %v, %v, %q", c.line, ok, ev.Format, ev.Kind, ev.Process, c.ok, c.format, c.kind, c.process)
		}
		if string(ev.Queue) == "old" {
			t.Errorf("%q: kept a field of the line before", c.line)
		}
	}
}

// TestMixedIsTheParsersOwn: in a shared log a line means what it means alone.
func TestMixedIsTheParsersOwn(t *testing.T) {
	for _, f := range Formats[:2] {
		for _, path := range samples(t, f.Name) {
			for line := range bytes.Lines(read(t, path)) {
				line = bytes.TrimSuffix(line, []byte("\n"))
				var own, mixed smtp.Event
				ok := f.Lines.Parse(line, &own)
				mixedOK := (Mixed{}).Parse(line, &mixed)
				if mixed.Format != f.ID {
					continue // another program's, or the second line of an entry
				}
				if ok != mixedOK || own.Kind != mixed.Kind || own.Stamp != mixed.Stamp || !bytes.Equal(own.Queue, mixed.Queue) || own.Reply.Code != mixed.Reply.Code {
					t.Errorf("%s: %q: %v by its own parser, %v by Mixed", path, line, own.Kind, mixed.Kind)
				}
			}
		}
	}
}

func TestMixedAllocations(t *testing.T) {
	lines := [][]byte{
		[]byte("Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example[192.0.2.1]"),
		[]byte("2026-11-22 04:08:24 1avnJx-00039F-Hs <= alice@example.com H=mx [192.0.2.1] P=esmtp S=312"),
		[]byte("Nov 22 06:25:01 mx dovecot[5]: imap-login: Login: user=<alice>"),
	}
	var ev smtp.Event
	if n := testing.AllocsPerRun(100, func() {
		for _, line := range lines {
			(Mixed{}).Parse(line, &ev)
		}
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzDetect(f *testing.F) {
	for _, format := range Formats {
		for _, path := range samples(f, format.Name) {
			data := read(f, path)
			f.Add(data[:min(len(data), 1000)])
		}
	}
	f.Fuzz(func(t *testing.T, sample []byte) {
		before := bytes.Clone(sample)
		got, sure := Detect(sample)
		if !bytes.Equal(sample, before) {
			t.Fatal("the sample was changed")
		}
		if _, named := ByName(got.Name); !named && got.Name != Any.Name {
			t.Fatalf("no such format: %q", got.Name)
		}
		if !sure && got.Name != Any.Name {
			t.Fatalf("%s, but not sure", got.Name)
		}
		if again, sureAgain := Detect(sample); again.Name != got.Name || sureAgain != sure {
			t.Fatalf("%s, and %s the second time", got.Name, again.Name)
		}
		var ev smtp.Event
		for line := range bytes.Lines(sample) {
			ok := (Mixed{}).Parse(bytes.TrimSuffix(line, []byte("\n")), &ev)
			if ok == (ev.Kind == smtp.KindUnknown) {
				t.Fatalf("%q: ok is %v, the kind %v", line, ok, ev.Kind)
			}
		}
	})
}
