package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/testlog/days"
)

// everyLog are all logs in testdata.
func everyLog(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"testdata/postfix/*.log*", "testdata/exim/*.log*", "testdata/transcript/*.txt", "testdata/incident/*.log.*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		all = append(all, files...)
	}
	return all
}

// TestMergeOfOne: a saved summary gives the report that its log gave, to the byte.
func TestMergeOfOne(t *testing.T) {
	root(t)
	dir := t.TempDir()
	for i, log := range everyLog(t) {
		saved := filepath.Join(dir, fmt.Sprint(i, []string{".json", ".json.gz", ".json.zst"}[i%3]))
		mailwhy(t, nil, "report", "--year", "2026", "--tz", "Asia/Kolkata", "--save", saved, log)
		for _, format := range []string{"json", "table", "html"} {
			want := mailwhy(t, nil, "report", "--year", "2026", "--tz", "Asia/Kolkata", "-o", format, "--all", log)
			if want == "" && format == "table" {
				continue // nothing was understood, and that was said
			}
			if got := mailwhy(t, nil, "merge", "-o", format, "--all", saved); got != want {
				t.Errorf("%s as %s: a saved summary gives another report", log, format)
			}
		}
	}
}

// TestMergeOfMany: summaries add up to what their logs give together, in any order.
func TestMergeOfMany(t *testing.T) {
	root(t)
	dir := t.TempDir()
	for _, logs := range [][]string{
		{postfixLog, eximLog},
		{"testdata/incident/day-throttle.log.zst", "testdata/incident/day-calm.log.zst", "testdata/incident/day-dns.log.zst"}, // of the 11th, the 12th and the 14th
	} {
		var saved, reversed []string
		for i, log := range logs {
			file := filepath.Join(dir, fmt.Sprint(i, ".json.gz"))
			mailwhy(t, nil, "report", "--tz", "UTC", "--year", "2026", "--save", file, log)
			saved, reversed = append(saved, file), append([]string{file}, reversed...)
		}
		want := unmerged(t, mailwhy(t, nil, append([]string{"report", "-o", "json", "--tz", "UTC", "--year", "2026"}, logs...)...))
		first := mailwhy(t, nil, append([]string{"merge", "-o", "json"}, saved...)...)
		same(t, fmt.Sprint("the sum of ", logs), want, unmerged(t, first))
		if second := mailwhy(t, nil, append([]string{"merge", "-o", "json"}, reversed...)...); second != first {
			t.Errorf("%v: another order gives another sum", logs)
		}
	}
}

// unmerged is a report without what says that it is a sum.
func unmerged(t *testing.T, out string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "merged")
	for _, c := range all["causes"].([]any) {
		if c := c.(map[string]any); len(c["peers"].([]any)) >= 64 {
			delete(c, "peers") // there is room for no more, and which they are is an estimate
		}
	}
	ended := all["sessions"].(map[string]any)["inbound"].(map[string]any)["ended"].(map[string]any)
	ended["open"] = ended["open"].(float64) + ended["not_logged"].(float64) // the next day's log shows that nothing comes any more
	delete(ended, "not_logged")
	return all
}

// generated writes a day's log.
func generated(t *testing.T, dir string, seed uint64, plans []days.Plan) string {
	t.Helper()
	var log bytes.Buffer
	start := time.Date(2026, 3, 10+int(seed), 0, 0, 0, 0, time.UTC)
	if _, err := days.Write(&log, days.Options{Format: "postfix", Start: start, Days: 1, PerDay: 2000, Seed: seed, Plans: plans}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, fmt.Sprint("day-", seed, ".log"))
	if err := os.WriteFile(file, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// kindsOfNews are the kinds and what they are of, from a report's JSON.
func kindsOfNews(t *testing.T, out string) map[string]bool {
	t.Helper()
	var all struct {
		New []struct{ Kind, Direction, Cause, Outcome, Peer string }
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	if all.New == nil {
		t.Error("the report does not say what is new")
	}
	kinds := map[string]bool{}
	for _, n := range all.New {
		kinds[n.Kind+" "+n.Direction+" "+n.Cause+n.Outcome+n.Peer] = true
	}
	return kinds
}

// TestAgainst: one calm day has nothing new against another, and a planted trouble is found,
// from logs as from saved summaries.
func TestAgainst(t *testing.T) {
	root(t)
	dir := t.TempDir()
	args := func(more ...string) []string {
		return append([]string{"report", "-o", "json", "--tz", "UTC", "--year", "2026"}, more...)
	}
	var calm []string
	for seed := range uint64(6) {
		calm = append(calm, generated(t, dir, seed+1, nil))
		if seed == 0 {
			continue
		}
		for what := range kindsOfNews(t, mailwhy(t, nil, args("--against", calm[seed-1], calm[seed])...)) {
			t.Errorf("day %d: %s is told as new", seed+1, what)
		}
	}
	bad := generated(t, dir, 9, []days.Plan{{What: days.DNS, At: 8 * time.Hour, Long: 2 * time.Hour, Share: 1}})
	saved, badSaved := filepath.Join(dir, "calm.json.zst"), filepath.Join(dir, "bad.json")
	mailwhy(t, nil, append(args("--save", saved), calm...)...)
	want := mailwhy(t, nil, append(args("--save", badSaved), "--against", filepath.Join(dir, "day-[1-6].log"), bad)...)
	kinds := kindsOfNews(t, want)
	for _, what := range []string{"rate outbound deferred", "cause outbound domain_not_found", "wording outbound domain_not_found"} {
		if !kinds[what] {
			t.Errorf("%s is not told as new: %v", what, kinds)
		}
	}
	same(t, "a saved summary of the days before", kinds, kindsOfNews(t, mailwhy(t, nil, args("--against", saved, bad)...)))
	same(t, "merge --against", kinds, kindsOfNews(t, mailwhy(t, nil, "merge", "-o", "json", "--against", saved, badSaved)))
}

// TestSaveIsTheSame: hashes that are others in each run are not saved.
func TestSaveIsTheSame(t *testing.T) {
	root(t)
	file := filepath.Join(t.TempDir(), "a.json")
	var want []byte
	for _, workers := range []string{"1", "3"} {
		mailwhy(t, nil, "report", "--tz", "UTC", "--workers", workers, "--save", file, "testdata/incident/day-throttle.log.zst")
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want != nil && !bytes.Equal(got, want) {
			t.Error("the same log is saved in two ways")
		}
		want = got
	}
}

// TestSaveRedacted: what --redact hides is not in a saved summary, nor a hash that tells it to
// whoever guesses it.
func TestSaveRedacted(t *testing.T) {
	root(t)
	dir := t.TempDir()
	var recipients []string
	for _, key := range []string{"one", "two"} {
		t.Setenv("MAILWHY_REDACT_KEY", filepath.Join(dir, key))
		file := filepath.Join(dir, key+".json")
		mailwhy(t, nil, "report", "--redact", "--save", file, postfixLog)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		namesIn(t, []string{postfixLog}).lookFor(t, string(data))
		var saved struct{ Causes []struct{ Recipients string } }
		if err := json.Unmarshal(data, &saved); err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, c := range saved.Causes {
			all += c.Recipients
		}
		recipients = append(recipients, all)
	}
	if recipients[0] == "" || recipients[0] == recipients[1] {
		t.Error("hashes of recipients do not depend on the key")
	}
}

// TestEncode: what is written for a name is read by its content.
func TestEncode(t *testing.T) {
	for name, want := range map[string]string{"a.json": "", "a.json.GZ": "gzip", "a.zst": "zstd"} {
		file := filepath.Join(t.TempDir(), name)
		err := writeFile(file, func(to io.Writer) error {
			w, err := source.Encode(to, name)
			if err != nil {
				return err
			}
			fmt.Fprint(w, "text")
			return w.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
		inputs, _ := source.Find([]string{file}, nil)
		head, err := inputs[0].Head()
		if string(head) != "text" || inputs[0].Compression() != want {
			t.Errorf("%s: %q in %q, %v", name, head, inputs[0].Compression(), err)
		}
	}
}

// TestMergeGolden: all that the sum of two hosts' summaries holds, by the names that are promised.
func TestMergeGolden(t *testing.T) {
	root(t)
	dir := t.TempDir()
	var saved []string
	for _, log := range []string{"testdata/postfix/smtp.log", "testdata/exim/main.log"} {
		saved = append(saved, filepath.Join(dir, filepath.Base(log)+".json"))
		mailwhy(t, nil, "report", "--tz", "UTC", "--year", "2026", "--save", saved[len(saved)-1], log)
	}
	golden(t, "testdata/merged.json", mailwhy(t, nil, append([]string{"merge", "-o", "json"}, saved...)...))
}
