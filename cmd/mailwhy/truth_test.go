package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The logs testdata/*/server-*.gz were written by real servers in a scripted world;
// server.truth.json counts in them by plain text search.
type truth struct {
	Lines              int64
	Connects           int64
	PostscreenConnects int64            `json:"postscreen_connects"`
	Inbound            map[string]int64 `json:"inbound_in_log"`
	Outbound           map[string]int64 `json:"outbound_in_log"`
	Status             map[string]int64
	Flags              map[string]int64
}

// counted is what the report says of the same.
type counted struct {
	Coverage   struct{ Lines, Understood, Foreign, Unknown int64 }
	Sessions   map[string]struct{ Total int64 }
	Deliveries map[string]int64
	Replies    []struct {
		Direction string
		Code      int
		Inferred  bool
		Count     int64
	}
}

func readTruth(t *testing.T, file string) (want truth) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

func countedIn(t *testing.T, files ...string) (got counted) {
	t.Helper()
	out := mailwhy(t, nil, append([]string{"report", "-o", "json", "--tz", "UTC", "--year", "2026"}, files...)...)
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// codes compares the replies of one direction with the truth, but for the positive
// ones, which the truth does not count, and for those that the plain search counts
// otherwise: off tells by how much.
func (c *counted) codes(t *testing.T, direction string, want map[string]int64, off map[int]int64) {
	t.Helper()
	got := map[int]int64{}
	for _, r := range c.Replies {
		if r.Direction == direction && !r.Inferred {
			got[r.Code] += r.Count
		}
	}
	for code := 300; code < 1000; code++ {
		if w := want[strconv.Itoa(code)] + off[code]; got[code] != w {
			t.Errorf("%s %d: %d replies, want %d", direction, code, got[code], w)
		}
	}
}

func TestTruthPostfix(t *testing.T) {
	root(t)
	want := readTruth(t, "testdata/postfix/server.truth.json")
	got := countedIn(t, "testdata/postfix/server-in.log.gz", "testdata/postfix/server-out.log.gz")
	if got.Coverage.Lines != want.Lines || got.Coverage.Understood != want.Lines {
		t.Errorf("%+v of %d lines", got.Coverage, want.Lines)
	}
	for _, outcome := range []string{"sent", "deferred", "bounced", "expired"} {
		if got.Deliveries[outcome] != want.Status[outcome] {
			t.Errorf("%s: %d, want %d", outcome, got.Deliveries[outcome], want.Status[outcome])
		}
	}
	// 5 of postscreen's 21 clients were handed to smtpd, which logs them as its own.
	if n := got.Sessions["inbound"].Total; n != want.Connects+want.PostscreenConnects-5 {
		t.Errorf("%d inbound sessions", n)
	}
	got.codes(t, "inbound", want.Inbound, nil)
	// Three remotes said "550User unknown": no reply code by RFC 5321, 4.2, nor for Postfix.
	got.codes(t, "outbound", want.Outbound, map[int]int64{550: -3})
}

func TestTruthExim(t *testing.T) {
	root(t)
	want := readTruth(t, "testdata/exim/server.truth.json")
	got := countedIn(t, "testdata/exim/server-main.log.gz")
	if got.Coverage.Lines != want.Lines || got.Coverage.Understood != want.Lines {
		t.Errorf("%+v of %d lines", got.Coverage, want.Lines)
	}
	flags := map[string]int64{}
	for line := range strings.Lines(mailwhy(t, nil, "events", "--tz", "UTC", "testdata/exim/server-main.log.gz")) {
		var ev struct{ Exim struct{ Flag string } }
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatal(err)
		}
		flags[ev.Exim.Flag]++
	}
	for _, flag := range []string{"<=", "=>", "->", "**", "==", "Completed"} {
		if flags[flag] != want.Flags[flag] {
			t.Errorf("%s: %d, want %d", flag, flags[flag], want.Flags[flag])
		}
	}
	// A discard is a delivery by its flag and is counted apart.
	if d := got.Deliveries; d["sent"]+d["discarded"] != flags["=>"]+flags["->"] || d["deferred"] != flags["=="] || d["bounced"]+d["expired"] != flags["**"] {
		t.Errorf("deliveries %v, flags %v", d, flags)
	}
	got.codes(t, "inbound", want.Inbound, nil)
	// The plain search does not know "Malformed SMTP reply ...: 550" (68 lines), nor the
	// answers to our own AUTH (14).
	got.codes(t, "outbound", want.Outbound, map[int]int64{550: 68, 535: 14})
}
