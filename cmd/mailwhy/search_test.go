package main

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestSearchSame holds that events finds by looking for names what it finds by parsing all:
// from a pipe, nothing can be searched.
func TestSearchSame(t *testing.T) {
	root(t)
	files := []string{"testdata/postfix/real.log", "testdata/postfix/heads.log", "testdata/postfix/smtp.log", "testdata/exim/real-main.log", "testdata/exim/syslog.log"}
	for _, format := range []string{"postfix", "exim"} {
		var b bytes.Buffer
		if err := testlog.Write(&b, testlog.Options{Format: format, Size: 1 << 20, Seed: 3}); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), format+".log")
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range filtersFor(text, rng) {
			args = append([]string{"events", "--year", "2026", "--tz", "UTC"}, args...)
			got := mailwhy(t, nil, append(args, file)...)
			want := mailwhy(t, bytes.NewReader(text), append(args, "-")...)
			want = strings.ReplaceAll(want, `"path":"-"`, `"path":"`+file+`"`)
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Fatalf("%v of %s (-all lines +searched):\n%s", args, file, diff)
			}
		}
	}
}

// filtersFor returns filters that some lines of a log pass.
func filtersFor(text []byte, rng *rand.Rand) (all [][]string) {
	values := map[string]map[string]bool{}
	note := func(flag string, value []byte) {
		if len(value) > 0 {
			if values[flag] == nil {
				values[flag] = map[string]bool{}
			}
			values[flag][string(value)] = true
		}
	}
	var ev smtp.Event
	for line := range bytes.Lines(text) {
		parsers.Mixed{}.Parse(bytes.TrimSuffix(line, []byte("\n")), &ev)
		note("--queue-id", ev.Queue)
		note("--queue-id", ev.QueuedAs)
		note("--ip", ev.Peer.IP)
		note("--host", ev.Peer.Name)
		note("--to", ev.To)
		note("--to", ev.OrigTo)
		note("--code", []byte(ev.Reply.Enhanced.String()))
	}
	for _, flag := range slices.Sorted(maps.Keys(values)) {
		list := slices.Sorted(maps.Keys(values[flag]))
		for range 4 {
			value := list[rng.IntN(len(list))]
			switch i := strings.LastIndexAny(value, "@."); {
			case rng.IntN(2) > 0 || i < 1: // as it is
			case flag == "--ip":
				value = value[:i] + ".0/24"
				if strings.Contains(value, ":") {
					continue
				}
			case flag == "--code":
				value = value[:i] + ".x"
			case flag == "--to" && value[i] == '@':
				value = strings.ToUpper(value[i:])
			case flag == "--host":
				value = "*" + value[1:]
			}
			args := []string{flag, value}
			if rng.IntN(3) == 0 {
				args = append(args, "--since", "2026-03-11 10:00", "--until", "2026-11-22 04:05")
			}
			if rng.IntN(4) == 0 {
				args = append(args, "--all")
			}
			all = append(all, args)
		}
	}
	return all
}
