package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write the golden files and scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mailwhy": main})
}

// root makes the top of the repository the working directory, so that paths in output are
// the ones a user sees.
func root(t testing.TB) {
	t.Helper()
	t.Setenv("MAILWHY_CONFIG", "") // whoever runs the tests may have one, and another language
	t.Setenv("LC_ALL", "C")
	t.Chdir(filepath.Join("..", ".."))
}

// mailwhy runs the program and returns what it prints. It must find its input.
func mailwhy(t testing.TB, stdin io.Reader, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(args, stdin, &out, &errs); status == exitUsage {
		t.Fatalf("mailwhy %s: exit %d\n%s", strings.Join(args, " "), status, errs.String())
	}
	return out.String()
}

// TestScript runs the scripts in testdata/script, which show the command line as a user
// meets it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			top, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				return err
			}
			env.Setenv("TOP", top)
			env.Setenv("TZ", "UTC")
			return nil
		},
	})
}

// samples are the logs and transcripts in testdata.
func samples(t testing.TB) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"testdata/*/*.log", "testdata/transcript/*.txt"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("only %d samples found", len(all))
	}
	return all
}

// TestGolden holds what each sample yields: NAME.events, a JSON object a line of it, and
// NAME.sessions, one a session.
func TestGolden(t *testing.T) {
	root(t)
	for _, sample := range samples(t) {
		t.Run(sample, func(t *testing.T) {
			args := []string{"--format", filepath.Base(filepath.Dir(sample)), "--year", "2026", "--tz", "UTC", sample}
			base := strings.TrimSuffix(sample, filepath.Ext(sample))
			golden(t, base+".events", mailwhy(t, nil, append([]string{"events", "--all"}, args...)...))
			golden(t, base+".sessions", mailwhy(t, nil, append([]string{"sessions", "-o", "ndjson"}, args...)...))
		})
	}
}

// golden compares got with the file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make golden writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); look at it, then make golden:\n%s", file, diff)
	}
}

// TestPipeClosed: a reader who has seen enough, as head has, is no error.
func TestPipeClosed(t *testing.T) {
	root(t)
	for _, args := range [][]string{{"events", "--help"}, {"--help"}, {"codes"}, {"explain", "553"}, {"report", "testdata/postfix/real.log"}} {
		r, w := io.Pipe()
		r.Close()
		var stderr bytes.Buffer
		if status := run(args, nil, w, &stderr); status != exitFine || stderr.Len() > 0 {
			t.Errorf("%v: status %d, %s", args, status, stderr.String())
		}
	}
}
