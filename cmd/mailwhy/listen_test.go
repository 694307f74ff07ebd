package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lockedBuffer may be written to and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// program is mailwhy as another process.
type program struct {
	*exec.Cmd
	errors lockedBuffer
	url    string // of its metrics
}

// start starts the program, and waits until it tells where its metrics are.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command(os.Args[0], args...)}
	p.Args[0] = "mailwhy" // as which TestMain runs main
	errs, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(errs); lines.Scan(); {
			if _, url, ok := strings.Cut(lines.Text(), "http://"); ok {
				url, _, _ = strings.Cut(url, "/")
				select {
				case found <- "http://" + url:
				default:
				}
			}
			fmt.Fprintln(&p.errors, lines.Text())
		}
		close(found)
	}()
	url, ok := <-found
	if !ok {
		t.Fatalf("mailwhy %s ended:\n%s", strings.Join(args, " "), p.errors.String())
	}
	p.url = url
	return p
}

// get asks for a page.
func (p *program) get(t *testing.T, page string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(p.url + page)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(data)
}

// eventually waits for something to be so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// series reads the counts that are not zero of a scrape, by their labels.
func series(t *testing.T, text, name string, labels ...string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name+"{")
		if !ok {
			continue
		}
		head, value, _ := strings.Cut(rest, "} ")
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil {
			t.Fatal(line, err)
		}
		key := ""
		for _, want := range labels {
			for pair := range strings.SplitSeq(head, ",") {
				if label, v, _ := strings.Cut(pair, "="); label == want {
					key += " " + strings.Trim(v, `"`)
				}
			}
		}
		if n != 0 {
			all[strings.TrimSpace(key)] += n
		}
	}
	return all
}

// What a scrape counts is what the report counts of the same log; and SIGTERM ends the
// program well, with its marks kept.
func TestScrapeIsReport(t *testing.T) {
	root(t)
	var logs []string
	for _, log := range samples(t) {
		if dir := filepath.Base(filepath.Dir(log)); dir == "postfix" || dir == "exim" {
			logs = append(logs, log)
		}
	}
	for _, log := range logs {
		t.Run(log, func(t *testing.T) {
			var want struct {
				Coverage   struct{ Lines, Understood, Foreign, Unknown int64 }
				Deliveries map[string]int64
				Replies    []struct {
					Direction, Stage, Cause string
					Count                   int64
				}
			}
			text := mailwhy(t, nil, "report", "-o", "json", "--all", "--year", "2026", "--tz", "UTC", "--format", filepath.Base(filepath.Dir(log)), log)
			if err := json.Unmarshal([]byte(text), &want); err != nil {
				t.Fatal(err)
			}
			state := filepath.Join(t.TempDir(), "state")
			p := start(t, "tail", "--from-start", "--listen", "0", "--state", state, "--year", "2026", "--tz", "UTC", "--format", filepath.Base(filepath.Dir(log)), log)
			eventually(t, "all is read", func() bool { status, _ := p.get(t, "/readyz"); return status == http.StatusOK })
			_, text = p.get(t, "/metrics")

			deliveries := series(t, text, "mailwhy_messages_total", "outcome")
			delete(deliveries, "none")
			for outcome, n := range want.Deliveries {
				if n == 0 {
					delete(want.Deliveries, outcome)
				}
			}
			if diff := cmp.Diff(want.Deliveries, deliveries); diff != "" {
				t.Errorf("deliveries (-report +scrape):\n%s", diff)
			}
			lines := series(t, text, "mailwhy_log_lines_total", "result")
			if lines["understood"] != want.Coverage.Understood || lines["foreign"] != want.Coverage.Foreign || lines["unknown"] != want.Coverage.Unknown {
				t.Errorf("lines %v, want %v", lines, want.Coverage)
			}
			replies := map[string]int64{}
			for _, r := range want.Replies {
				if r.Stage == "" {
					r.Stage = "none"
				}
				if r.Stage != "QUIT" { // those that the end of a session implies come with it
					replies[r.Direction+" "+r.Stage+" "+r.Cause] += r.Count
				}
			}
			got := series(t, text, "mailwhy_replies_total", "direction", "stage", "cause")
			for key := range got {
				if strings.Contains(key, " QUIT ") {
					delete(got, key)
				}
			}
			if diff := cmp.Diff(replies, got); diff != "" {
				t.Errorf("replies (-report +scrape):\n%s", diff)
			}

			p.Process.Signal(syscall.SIGTERM)
			if err := p.Wait(); err != nil {
				t.Errorf("SIGTERM: %v\n%s", err, p.errors.String())
			}
			if marks, err := os.ReadFile(state); err != nil || !bytes.Contains(marks, []byte(filepath.Base(log))) {
				t.Errorf("the marks are not kept: %s %v", marks, err)
			}
			if _, err := http.Get(p.url + "/healthz"); err == nil {
				t.Error("it still listens")
			}
		})
	}
}

// The page is the report so far, made as mailwhy report makes it, and nobody else's page
// can read it.
func TestListenPage(t *testing.T) {
	root(t)
	const log = "testdata/postfix/real.log"
	p := start(t, "tail", "--from-start", "--listen", "0", "--lang", "tr", "--year", "2026", "--tz", "UTC", log)
	eventually(t, "all is read", func() bool { status, _ := p.get(t, "/readyz"); return status == http.StatusOK })
	causes := regexp.MustCompile(`(?s)<article.*</article>`)
	want := causes.FindString(mailwhy(t, nil, "report", "-o", "html", "--lang", "tr", "--year", "2026", "--tz", "UTC", log))
	path, err := filepath.Abs(log)
	if err != nil || want == "" {
		t.Fatal(err)
	}
	var page string
	eventually(t, "the page has what the report has", func() bool {
		_, page = p.get(t, "/")
		return strings.ReplaceAll(causes.FindString(page), path, log) == want
	})
	if !strings.Contains(page, `<html lang="tr">`) {
		t.Errorf("not in Turkish:\n%.300s", page)
	}
	for host, status := range map[string]int{"": 200, "localhost:9925": 200, "192.0.2.1": 200, "[2001:db8::1]:80": 200, "LOCALHOST.": 200, "rebound.example": 421, "localhost.rebound.example:9925": 421} {
		ask, err := http.NewRequest("GET", p.url+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		ask.Host = host
		answer, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Fatal(host, err)
		}
		answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("host %q: %s, want %d", host, answer.Status, status)
		}
		for name, value := range map[string]string{"Content-Security-Policy": "default-src 'none'; style-src 'sha256-", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"} {
			if got := answer.Header.Get(name); status == http.StatusOK && !strings.HasPrefix(got, value) {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

func TestListenAddress(t *testing.T) {
	for given, want := range map[string]string{
		"9925": "127.0.0.1:9925", ":9925": "127.0.0.1:9925", "0": "127.0.0.1:0", "[::1]:9925": "[::1]:9925", "0.0.0.0:9925": "0.0.0.0:9925", "[::]:9925": "[::]:9925",
		"localhost:9925": "localhost:9925",
		"":               "", "mail": "", "mail:smtp": "", "127.0.0.1": "", "::1": "", "65536": "", "-1": "", "http://localhost:9925": "",
	} {
		got, err := listenAddress(given)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
}

// Where one cannot listen is told at once, and what to do.
func TestListenTaken(t *testing.T) {
	root(t)
	p := start(t, "tail", "--listen", "0", "testdata/postfix/none.log")
	if status, text := p.get(t, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "none.log") {
		t.Errorf("a log that is not there: %d %s", status, text)
	}
	if status, text := p.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := p.get(t, "/nothing"); status != http.StatusNotFound {
		t.Error(status)
	}
	var out, errs bytes.Buffer
	if status := run([]string{"tail", "--listen", strings.TrimPrefix(p.url, "http://"), "x.log"}, nil, &out, &errs); status != exitUsage || !strings.Contains(errs.String(), "another program listens there") {
		t.Errorf("%d %s", status, errs.String())
	}
}
