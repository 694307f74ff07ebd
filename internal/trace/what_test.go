package trace

import (
	"strings"
	"testing"
	"time"
)

func TestParseWhat(t *testing.T) {
	for given, want := range map[string]string{
		"4C1A2B3D01": "4C1A2B3D01 queue-id remote-id message-id", "4c1a2b3d01": "4c1a2b3d01 queue-id remote-id message-id sender recipient host", "DEADBEEF": "DEADBEEF queue-id remote-id message-id sender recipient host",
		"4dT7k15sZzQ1nk": "4dT7k15sZzQ1nk queue-id remote-id message-id", "1vP3aB-000000003Bd-2Xyz": "1vP3aB-000000003Bd-2Xyz queue-id remote-id message-id", "user-name1-ab": "user-name1-ab queue-id remote-id message-id sender recipient host",
		"20261112": "20261112 queue-id remote-id message-id sender recipient host", " <a@example.org> ": "a@example.org message-id sender recipient",
		"@example.org": "example.org domain", "mx.example.org": "mx.example.org remote-id message-id host", "192.0.2.7": "192.0.2.7 ip", "[IPv6:2001:DB8::1]": "2001:db8::1 ip",
		"<abcdef>": "abcdef message-id", "to=<a@example.org>,": "a@example.org message-id sender recipient", "4C1A2B3D01:": "4C1A2B3D01 queue-id remote-id message-id",
		"message-id=<1@example.org>": "1@example.org message-id sender recipient", "SRS0=<a@example.org": "SRS0=<a@example.org message-id sender recipient",
	} {
		w, err := ParseWhat(given, "")
		if got := w.Text + " " + strings.Join(w.As.Names(), " "); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", given, got, err, want)
		}
	}
	for _, bad := range [][2]string{{"abc", ""}, {"abcd", "nonsense"}, {"example", "ip"}, {"ab\ncd", ""}, {"@a.b", ""}} {
		if w, err := ParseWhat(bad[0], bad[1]); err == nil {
			t.Errorf("%q as %q: took it as %+v", bad[0], bad[1], w)
		}
	}
}

func TestEximWait(t *testing.T) {
	for age, want := range map[time.Duration]time.Duration{
		time.Minute: 15 * time.Minute, 2 * time.Hour: time.Hour, 3*time.Hour + time.Minute: 90 * time.Minute, 17 * time.Hour: 6 * time.Hour,
	} {
		if got := eximWait(age); got != want {
			t.Errorf("after %v: %v, want %v", age, got, want)
		}
	}
}

func TestSafest(t *testing.T) {
	for name, want := range map[string]string{"alice@example.org": "alice@example.org", "a+b@example.org": "b@example.org", "<&>": "", "12/ab=": "12"} {
		if got := safest(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
