package testlog

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var kinds = []Options{
	{Format: "postfix", Size: 2 << 20, Seed: 1},
	{Format: "postfix", Size: 2 << 20, Seed: 1, RFC3339: true},
	{Format: "exim", Size: 2 << 20, Seed: 1},
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, o := range kinds {
		first, again := write(t, o), write(t, o)
		if first != again {
			t.Errorf("%+v: two runs differ", o)
		}
		o.Seed++
		if write(t, o) == first {
			t.Errorf("%+v: the seed changes nothing", o)
		}
	}
}

// TestSizeAndOrder checks that a log has about the size asked for, spans the day and never goes back in time.
func TestSizeAndOrder(t *testing.T) {
	layouts := []string{time.Stamp, "2006-01-02T15:04:05.000000Z07:00", time.DateTime}
	stamps := []int{len("Mar 11 00:00:38"), len("2026-03-11T00:00:38.123456Z"), len("2026-03-11 00:00:38")}
	for i, o := range kinds {
		log := write(t, o)
		if n := int64(len(log)); n < o.Size || n > o.Size+4096 {
			t.Errorf("%+v: wrote %d bytes", o, n)
		}
		var first, last time.Time
		for line := range strings.Lines(log) {
			at, err := time.Parse(layouts[i], line[:stamps[i]])
			if err != nil {
				t.Fatalf("%+v: %v in %q", o, err, line)
			}
			if first.IsZero() {
				first, last = at, at
			}
			if at.Before(last) {
				t.Fatalf("%+v: %q is before the line above it", o, line)
			}
			last = at
		}
		if span := last.Sub(first); span < 23*time.Hour || span > 25*time.Hour {
			t.Errorf("%+v: spans %v", o, span)
		}
	}
}

// TestConversations checks that what begins also ends: every client that connects leaves, every removed message was queued once.
func TestConversations(t *testing.T) {
	log := write(t, kinds[0])
	count := func(s string) int { return strings.Count(log, s) }
	if in, out := count(": connect from "), count(": disconnect from "); in != out || in == 0 {
		t.Errorf("%d clients connect, %d disconnect", in, out)
	}
	removed := map[string]int{}
	for line := range strings.Lines(log) {
		if rest, ok := strings.CutSuffix(line, ": removed\n"); ok {
			removed[rest[strings.LastIndexByte(rest, ' ')+1:]]++
		}
	}
	for id, n := range removed {
		if n > 1 {
			t.Errorf("queue ID %s was removed %d times", id, n)
		}
	}
	for _, want := range []string{"status=sent", "status=deferred", "status=bounced", "status=expired", "non-delivery notification", "NOQUEUE: reject: RCPT",
		"SASL LOGIN authentication failed", "lost connection after", "timeout after", "PREGREET", "TLS connection established to", "milter-reject"} {
		if count(want) == 0 {
			t.Errorf("no line has %q", want)
		}
	}
}

// TestHosts holds the promise that nobody real is named: reply texts speak of a few well-known providers, all else is an example.
func TestHosts(t *testing.T) {
	for _, o := range kinds {
		for line := range strings.Lines(write(t, o)) {
			for word := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" <>[](),;:=\"/", r) }) {
				name := word[strings.LastIndexByte(word, '@')+1:]
				for _, tld := range []string{".com", ".org", ".net", ".de"} {
					if strings.HasSuffix(name, tld) && !strings.Contains("www.spamhaus.org zen.spamhaus.org support.google.com postmaster.yahooinc.com www.openspf.net", name) {
						t.Fatalf("host %s in %q", name, line)
					}
				}
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := Write(io.Discard, Options{Format: "sendmail", Size: 1}); err == nil {
		t.Error("no error for a format that is not known")
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWriteError(t *testing.T) {
	if err := Write(full{}, Options{Format: "exim", Size: 4 << 20}); err == nil {
		t.Error("an error of the writer was lost")
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"1": 1, "3K": 3072, "100M": 100 << 20, "2G": 2 << 30} {
		if got, err := ParseSize(s); got != want || err != nil {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "G", "-1", "0", "1T", "1KK", "9223372036854775807G"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", s, got)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, format := range []string{"postfix", "exim"} {
		b.Run(format, func(b *testing.B) {
			const size = 16 << 20
			b.SetBytes(size)
			for b.Loop() {
				if err := Write(io.Discard, Options{Format: format, Size: size, Seed: 1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
