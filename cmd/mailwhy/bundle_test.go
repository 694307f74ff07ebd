package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A bundle has all that belongs to a report, its list of sums is right, and what is there is
// not written over.
func TestBundle(t *testing.T) {
	root(t)
	dir := filepath.Join(t.TempDir(), "new", "bundle")
	const log = "testdata/postfix/server-out.log.gz"
	args := []string{"incident", "--lang", "en", "--tz", "UTC", "--year", "2026", "--cause", "blocklisted", "--bundle", dir, log}
	if out := mailwhy(t, nil, args...); !strings.Contains(out, "blocklist") {
		t.Errorf("it prints %s", out)
	}
	var want []string
	for _, f := range []struct{ name, part string }{
		{"report.md", "# sending IP or domain on a blocklist"}, {"report.html", "<h1>sending IP or domain on a blocklist"}, {"incident.json", `"cause": "blocklisted"`},
		{"hit.csv", "incident,kind,name,lines,first,last"}, {"evidence.log", log + ":"}, {"summary.json", `"deliveries"`}, {inputSums, "server-out.log.gz"},
	} {
		data, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil || !bytes.Contains(data, []byte(f.part)) {
			t.Errorf("%s: %v, or there is no %q in it:\n%.300s", f.name, err, f.part, data)
		}
		if strings.HasSuffix(f.name, ".json") && !json.Valid(data) {
			t.Errorf("%s is no JSON", f.name)
		}
		want = append(want, f.name)
	}
	if got := checkSums(t, dir, bundleSums); !slices.Equal(got, want) {
		t.Errorf("the sums are of %v, want %v", got, want)
	}
	checkSums(t, "/", filepath.Join(dir, inputSums))
	there, err := os.ReadDir(dir)
	if err != nil || len(there) != len(want)+1 {
		t.Errorf("%d files, %v", len(there), err)
	}
	var out, errs bytes.Buffer
	if status := run(args, nil, &out, &errs); status != exitUsage || !strings.Contains(errs.String(), "there are files in it already") {
		t.Errorf("once more: %d %s", status, &errs)
	}
}

// checkSums does what sha256sum -c does, and returns the names.
func checkSums(t *testing.T, dir, list string) (names []string) {
	t.Helper()
	if !filepath.IsAbs(list) {
		list = filepath.Join(dir, list)
	}
	f, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		path := name
		if !filepath.IsAbs(name) {
			path = filepath.Join(dir, name)
		}
		data, err := os.ReadFile(path)
		got := sha256.Sum256(data)
		if !ok || err != nil || hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s: %v, %x", lines.Text(), err, got)
		}
		names = append(names, name)
	}
	return names
}

func TestSumLine(t *testing.T) {
	for name, want := range map[string]string{"a b.log": "61  a b.log", "a\nb": `\61  a\nb`, `a\b`: `\61  a\\b`, "a\rb": `\61  a\rb`} {
		if got := sumLine([]byte{0x61}, name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
