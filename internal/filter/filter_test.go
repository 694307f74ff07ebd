package filter

import (
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestParseCode(t *testing.T) {
	for _, c := range []struct {
		pattern, reply string
		want           bool
	}{
		{"550", "550 no", true}, {"550", "551 no", false}, {"5xx", "599 no", true}, {"5XX", "450 no", false}, {"4yz", "451 no", true},
		{"55x", "554 no", true}, {"55x", "549 no", false}, {"5**", "521 no", true},
		{"5.7.1", "550 5.7.1 no", true}, {"5.7.1", "550 5.7.10 no", false}, {"5.7.x", "550 5.7.26 no", true}, {"5.x.x", "450 4.7.1 no", false}, {"5.7.x", "550 no", false},
	} {
		p, err := ParseCode(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.matches(&smtp.Event{Reply: smtp.ParseReply([]byte(c.reply))}); got != c.want {
			t.Errorf("%s matches %q: %v", c.pattern, c.reply, got)
		}
	}
	for _, bad := range []string{"", "x", "xxx", "55", "5500", "x50", "0.1.1", "x.7.1", "5.7", "5.7.1.1", "-50", "5 0", "+50", "9999"} {
		if _, err := ParseCode(bad); err == nil {
			t.Errorf("ParseCode(%q) took it", bad)
		}
	}
}

func TestParseWhen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 29, 12, 30, 0, 0, berlin) // the clocks went from 2 to 3 this morning
	for in, want := range map[string]string{
		"now":                  "2026-03-29T12:30:00+02:00",
		"today":                "2026-03-29T00:00:00+01:00",
		"Yesterday":            "2026-03-28T00:00:00+01:00",
		"08:00":                "2026-03-29T08:00:00+02:00",
		"01:15:30":             "2026-03-29T01:15:30+01:00",
		"2026-09-14 08:00":     "2026-09-14T08:00:00+02:00",
		"2026-09-14":           "2026-09-14T00:00:00+02:00",
		"2026-09-14T08:00:00Z": "2026-09-14T08:00:00Z",
		"0000-01-01T00:00:00Z": "0000-01-01T00:00:00Z",
		"-2h":                  "2026-03-29T10:30:00+02:00",
		"90m ago":              "2026-03-29T11:00:00+02:00",
		"-1.5d":                "2026-03-27T23:30:00+01:00",
		"-1w":                  "2026-03-22T11:30:00+01:00",
	} {
		got, err := ParseWhen(in, now)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("ParseWhen(%q) = %s, %v, want %s", in, got.Format(time.RFC3339), err, want)
		}
	}
	for _, bad := range []string{"", "2h", "ago", "-", "--2h", "--2d", "-2x", "24:00", "2026-02-31", "2026-13-01", "-99999999999w", "-NaNd", "-Infd", "tomorrowish"} {
		if got, err := ParseWhen(bad, now); err == nil {
			t.Errorf("ParseWhen(%q) = %v", bad, got)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		pattern, address string
		want             bool
	}{
		{"alice@example.com", "Alice@Example.COM", true}, {"<alice@example.com>", "alice@example.com", true}, {"alice@example.com", "malice@example.com", false},
		{"@example.com", "bob@mail.example.com", true}, {"example.com", "bob@notexample.com", false}, {"example.com", "bob", false},
		{"<>", "", true}, {"<>", "a@example.com", false}, {"*@example.com", "a@example.com", true}, {"a*c@*", "abbbc@example.org", true}, {"a*c@*", "abbb@example.org", false},
	} {
		if got := ParseAddress(c.pattern).matches([]byte(c.address)); got != c.want {
			t.Errorf("%s matches %q: %v", c.pattern, c.address, got)
		}
	}
}

func TestMatch(t *testing.T) {
	ev := &smtp.Event{
		Kind: smtp.KindReject, Direction: smtp.Inbound, Outcome: smtp.Rejected, From: []byte("a@example.com"), To: []byte("b@example.org"), Queue: []byte("4Zd1"),
		Peer: smtp.Peer{Name: []byte("mx.example.net"), IP: []byte("192.0.2.7")}, Reply: smtp.ParseReply([]byte("550 5.1.1 no")),
	}
	ev.Time = time.Date(2026, 9, 14, 8, 0, 0, 0, time.UTC)
	code, _ := ParseCode("5xx")
	for _, c := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"all", Filter{}, true},
		{"since", Filter{Since: ev.Time}, true}, {"until", Filter{Until: ev.Time}, false}, {"later", Filter{Since: ev.Time.Add(1)}, false},
		{"from", Filter{From: "example.com"}, true}, {"to", Filter{To: "example.com"}, false}, {"host", Filter{Host: "example.net"}, true}, {"other host", Filter{Host: "example.org"}, false},
		{"queue", Filter{QueueID: "4Zd1"}, true}, {"other queue", Filter{QueueID: "4Zd"}, false}, {"code", Filter{Code: code}, true},
		{"cause", Filter{Cause: "x"}, true}, {"other cause", Filter{Cause: "y"}, false}, {"outcome", Filter{Outcome: smtp.Sent}, false}, {"direction", Filter{Direction: smtp.Inbound}, true},
	} {
		if got := c.f.Match(ev, nil, "x"); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
