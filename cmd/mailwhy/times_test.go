package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/testlog"
)

// TestTimesSame holds that events finds by looking at the stamps what it finds by parsing all,
// in logs of all kinds of stamps, out of order, over several years, and without any.
func TestTimesSame(t *testing.T) {
	root(t)
	files := map[string][]byte{}
	for _, file := range []string{"testdata/postfix/real.log", "testdata/postfix/heads.log", "testdata/exim/real-main.log", "testdata/exim/syslog.log"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(filepath.Dir(file))+"-"+filepath.Base(file)] = text
	}
	for name, o := range map[string]testlog.Options{"postfix": {Format: "postfix"}, "rfc3339": {Format: "postfix", RFC3339: true}, "exim": {Format: "exim"}} {
		var b bytes.Buffer
		if o.Size, o.Seed = 400<<10, 9; testlog.Write(&b, o) != nil {
			t.Fatal(name)
		}
		files[name] = b.Bytes()
	}
	rng := rand.New(rand.NewPCG(7, 8))
	files["years"] = yearsLog(rng)
	at := func(span int) string {
		return time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC).Add(time.Duration(rng.IntN(span)-span/8) * time.Minute).Format(time.RFC3339)
	}
	for name, text := range files {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for i := range 12 {
			span := []int{20, 400, 2000, 600_000}[i%4]
			args := []string{"events", "--tz", "Europe/Berlin", "--since", at(span)}
			switch i / 4 {
			case 1:
				args = append(args, "--year", "2026")
			case 2:
				args[3] = "--until"
			}
			if rng.IntN(2) == 0 {
				args = append(args, "--all", "--outcome", "sent")
			}
			got := mailwhy(t, nil, append(args, file)...)
			want := mailwhy(t, bytes.NewReader(text), append(args, "-")...)
			want = strings.ReplaceAll(want, `"path":"-"`, `"path":"`+file+`"`)
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
				t.Fatalf("%v of %s (-all lines +searched):\n%s", args, name, diff)
			}
		}
	}
}

// yearsLog is a log over three years whose stamps show none, with lines out of order and lines
// without a stamp.
func yearsLog(rng *rand.Rand) []byte {
	var b bytes.Buffer
	when := time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3000 {
		when = when.Add(time.Duration(rng.IntN(16)) * time.Hour)
		shown := when.Add(-time.Duration(rng.IntN(40)/39*rng.IntN(200)) * time.Hour)
		if i%97 == 0 {
			b.WriteString("a line without a stamp\n")
		}
		fmt.Fprintf(&b, "%s mx1 postfix/smtp[100]: 4C%08X: to=<u%d@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)\n", shown.Format(time.Stamp), i, i)
	}
	return b.Bytes()
}
