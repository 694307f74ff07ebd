package source

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseName(t *testing.T) {
	for _, c := range []struct {
		name, stem string
		rank       rank
	}{
		{"mail.log", "mail.log", rank{}},
		{"mail.log.1", "mail.log", rank{kind: numbered, number: 1}},
		{"mail.log.12.gz", "mail.log", rank{kind: numbered, number: 12}},
		{"mail.1.log", "mail.log", rank{kind: numbered, number: 1}},
		{"mail.1.log.zst", "mail.log", rank{kind: numbered, number: 1}},
		{"mail.0", "mail", rank{kind: numbered}},
		{"maillog.0.bz2", "maillog", rank{kind: numbered}},
		{"mainlog.01.xz", "mainlog", rank{kind: numbered, number: 1}},
		{"mail.log.old", "mail.log", rank{kind: numbered, number: 1}},
		{"mail.log-20261101", "mail.log", rank{kind: dated, date: "20261101"}},
		{"mail.log-20261101.gz", "mail.log", rank{kind: dated, date: "20261101"}},
		{"mail.log.20261101", "mail.log", rank{kind: dated, date: "20261101"}},
		{"mail.log-2026110113.gz", "mail.log", rank{kind: dated, date: "2026110113"}},
		{"mail.log-20261101-1793491200", "mail.log", rank{kind: dated, date: "202611011793491200"}},
		{"mail.log-1793491200", "mail.log", rank{kind: dated, date: "20261101000000"}},
		{"mail.log.2026-11-01", "mail.log", rank{kind: dated, date: "20261101"}},
		{"mail-2026-11-01.log", "mail.log", rank{kind: dated, date: "20261101"}},
		{"mail-2026-11-01T10-00-00.000.log.gz", "mail.log", rank{kind: dated, date: "20261101100000000"}},
		{"mail_20261101.txt", "mail.txt", rank{kind: dated, date: "20261101"}},
		{"maillog.20261101T0000", "maillog", rank{kind: dated, date: "202611010000"}},
		{"exim_main20261101.log", "exim_main.log", rank{kind: dated, date: "20261101"}},
		{"20261101.log", ".log", rank{kind: dated, date: "20261101"}},
		{"mx1-20261101.log", "mx1.log", rank{kind: dated, date: "20261101"}},
		// What looks like an age and is none.
		{"192.0.2.1", "192.0.2.1", rank{}},
		{"192.0.2.1.log", "192.0.2.1.log", rank{}},
		{"198.51.100.12", "198.51.100.12", rank{}},
		{"mail.12345", "mail.12345", rank{}},
		{"mail-20269901.log", "mail-20269901.log", rank{}},
		{"relay-2.log", "relay-2.log", rank{}},
		{".1", ".1", rank{}},
		{".old", ".old", rank{}},
		{"", "", rank{}},
		{".gz", "", rank{}},
	} {
		if stem, rank := parseName(c.name); stem != c.stem || rank != c.rank {
			t.Errorf("%s: %q %+v, want %q %+v", c.name, stem, rank, c.stem, c.rank)
		}
	}
}

func TestOrder(t *testing.T) {
	// The inputs stand in the order wanted and are given in every other: reversed, sorted and
	// turned around. "name@N" begins on day N; "name~N" was changed on day N; others are unknown.
	for _, want := range []string{
		"mail.log.2.gz mail.log.1 mail.log",
		"mail.log.10.gz mail.log.9.gz mail.log.2 mail.log",
		"mail.2 mail.1 mail.0 mail",
		"mail.log-20261031.gz mail.log-20261101 mail.log",
		"mail.log-20261101 mail.log-2026110112 mail.log",
		"mainlog.02 mainlog.01 mainlog",
		"mail-2026-10-31.log mail-2026-11-01.log mail.log",
		"/var/log/mail.log.1 /var/log/mail.log",
		"/archive/mail.log.2.gz /archive/mail.log.1.gz /var/log/mail.log",
		// The first lines know better than the names.
		"mail.log@1 mail.log.1@2 mail.log.2@3",
		"mail.log-20261102@1 mail.log-20261101@2",
		// But not where only some can tell.
		"mail.log.2 mail.log.1@9 mail.log@1",
		// Where two begin alike, the names decide.
		"mail.log.2@1 mail.log.1@1 mail.log@2",
		// Numbers and dates cannot be compared.
		"mail.log.1~1 mail.log-20261101~2 mail.log~3",
		"mail.log-20261101~1 mail.log.1~2 mail.log~3",
	} {
		names := strings.Fields(want)
		for turn := range names {
			given := slices.Concat(names[turn:], names[:turn])
			for range 2 {
				if got := orderNames(given); got != want {
					t.Errorf("%v: %s, want %s", given, got, want)
				}
				slices.Reverse(given)
			}
		}
	}
}

// TestOrderKeeps: what belongs to no set stays where the user put it, and a set stands where
// its first member did.
func TestOrderKeeps(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{"b.log a.log c.log", "b.log a.log c.log"},
		{"b.log@3 a.log@2 c.log@1", "b.log@3 a.log@2 c.log@1"},
		{"z mail.log a mail.log.1 b", "z mail.log.1 mail.log a b"},
		{"mail.log exim mail.log.1 exim.1", "mail.log.1 mail.log exim.1 exim"},
		// Two hosts' logs are two sets.
		{"mx2/mail.log mx1/mail.log mx2/mail.log.1 mx1/mail.log.1", "mx2/mail.log.1 mx2/mail.log mx1/mail.log.1 mx1/mail.log"},
		{"192.0.2.2@2 192.0.2.1@1", "192.0.2.2@2 192.0.2.1@1"},
		{"", ""},
	} {
		if got := orderNames(strings.Fields(c.given)); got != c.want {
			t.Errorf("%s: %s, want %s", c.given, got, c.want)
		}
	}
	stream := &Input{Path: "-", stream: true}
	file := &Input{Path: "mail.log"}
	if got := Order([]*Input{stream, file, {Path: "mail.log.1"}}, unknown); got[0] != stream || got[2] != file {
		t.Errorf("stdin does not stay where it was: %v", got)
	}
}

func unknown(*Input) time.Time { return time.Time{} }

func orderNames(names []string) string {
	day := func(n string) time.Time {
		return time.Date(2026, 11, int(n[0]-'0'), 0, 0, 0, 0, time.UTC)
	}
	var inputs []*Input
	firsts, full := map[*Input]time.Time{}, map[*Input]string{}
	for _, name := range names {
		in := &Input{}
		full[in] = name
		if path, n, ok := strings.Cut(name, "@"); ok {
			in.Path, firsts[in] = path, day(n)
		} else if path, n, ok := strings.Cut(name, "~"); ok {
			in.Path, in.ModTime = path, day(n)
		} else {
			in.Path = name
		}
		inputs = append(inputs, in)
	}
	var got []string
	for _, in := range Order(inputs, func(in *Input) time.Time { return firsts[in] }) {
		got = append(got, full[in])
	}
	return strings.Join(got, " ")
}

func FuzzParseName(f *testing.F) {
	for _, name := range []string{"mail.log.1", "mail-2026-11-01.log.gz", "1793491200", "..", "9.9.9"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		stem, r := parseName(name)
		if len(stem) > len(name) || r.kind != dated && r.date != "" {
			t.Errorf("%q: %q %+v", name, stem, r)
		}
	})
}
