package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// The same log must give the same answer however it is stored, cut, wrapped and parsed.

const (
	postfixLog = "testdata/postfix/real.log"
	eximLog    = "testdata/exim/real-main.log"
	rejectLog  = "testdata/exim/real-reject.log"
)

// figures is what a report says, less what depends on the files it was read from.
func figures(t *testing.T, stdin io.Reader, args ...string) map[string]any {
	t.Helper()
	return figuresOf(t, mailwhy(t, stdin, append([]string{"report", "-o", "json", "--tz", "UTC", "--year", "2026"}, args...)...))
}

func figuresOf(t *testing.T, out string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		t.Fatal(err)
	}
	coverage := all["coverage"].(map[string]any)
	delete(coverage, "files")
	delete(coverage, "bytes")
	delete(coverage, "time_guessed")
	for _, c := range all["causes"].([]any) {
		delete(c.(map[string]any), "sample")
	}
	return all
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s gives another answer (-want +got):\n%s", what, diff)
	}
}

func TestSameWithAnyNumberOfWorkers(t *testing.T) {
	root(t)
	for _, log := range []string{postfixLog, eximLog} {
		for _, command := range [][]string{{"events"}, {"sessions", "-o", "ndjson"}, {"report", "-o", "json"}} {
			args := append(command, "--tz", "UTC", "--year", "2026", log)
			want := mailwhy(t, nil, append(args, "--workers", "1")...)
			for _, n := range []string{"2", "7"} {
				if got := mailwhy(t, nil, append(args, "--workers", n)...); got != want {
					t.Errorf("%s %v with %s workers: %s", log, command, n, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
				}
			}
		}
	}
}

func TestSameInAnyContainer(t *testing.T) {
	root(t)
	dir := t.TempDir()
	for _, log := range []string{postfixLog, eximLog} {
		plain, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		want := figures(t, nil, log)
		same(t, log+" from stdin", want, figures(t, bytes.NewReader(plain), "-"))
		for name, pack := range map[string]func(io.Writer) (io.WriteCloser, error){
			"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
			"zstd": func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) },
			"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) },
		} {
			file := filepath.Join(dir, "packed")
			write(t, file, plain, pack)
			same(t, log+" in "+name, want, figures(t, nil, file))
		}
		crlf := filepath.Join(dir, "crlf.log")
		if err := os.WriteFile(crlf, bytes.ReplaceAll(plain, []byte("\n"), []byte("\r\n")), 0o644); err != nil {
			t.Fatal(err)
		}
		same(t, log+" with CR LF", want, figures(t, nil, crlf))
	}
}

func write(t *testing.T, file string, data []byte, pack func(io.Writer) (io.WriteCloser, error)) {
	t.Helper()
	var buf bytes.Buffer
	w, err := pack(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestSameWhenRotated cuts a log into a rotated set at many places.
func TestSameWhenRotated(t *testing.T) {
	root(t)
	for _, log := range []string{postfixLog, eximLog} {
		plain, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		want := figures(t, nil, log)
		lines := bytes.SplitAfter(plain, []byte("\n"))
		for i := 1; i < len(lines)-1; i += 37 {
			dir := t.TempDir()
			j := i + (len(lines)-i)/2
			parts := map[string][]byte{
				"mail.log.2": bytes.Join(lines[:i], nil), "mail.log.1": bytes.Join(lines[i:j], nil), "mail.log": bytes.Join(lines[j:], nil),
			}
			for name, data := range parts {
				if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			same(t, fmt.Sprintf("%s rotated after line %d and %d", log, i, j), want, figures(t, nil, filepath.Join(dir, "mail.log*")))
		}
	}
}

// TestSameWithAnyHead writes a log's heads in other ways.
func TestSameWithAnyHead(t *testing.T) {
	root(t)
	plain, err := os.ReadFile(postfixLog)
	if err != nil {
		t.Fatal(err)
	}
	want := figures(t, nil, postfixLog)
	for name, head := range map[string]func(when time.Time, rest string) string{
		"RFC 3339": func(when time.Time, rest string) string { return when.Format(time.RFC3339) + " " + rest },
		"RFC 3339 micro": func(when time.Time, rest string) string {
			return when.Format("2006-01-02T15:04:05.000000-07:00") + " " + rest
		},
		"PRI":      func(when time.Time, rest string) string { return "<22>" + when.Format(time.Stamp) + " " + rest },
		"RFC 5424": func(when time.Time, rest string) string { return rfc5424(when, rest, false) },
		// rsyslog's own template for it cuts the daemon off "postfix/smtpd".
		"RFC 5424 without the daemon": func(when time.Time, rest string) string { return rfc5424(when, rest, true) },
		"Docker JSON": func(when time.Time, rest string) string {
			b, _ := json.Marshal(map[string]string{"log": when.Format(time.Stamp) + " " + rest + "\n", "stream": "stdout", "time": when.Format(time.RFC3339Nano)})
			return string(b)
		},
		"journalctl -o json": func(when time.Time, rest string) string {
			host, rest, _ := strings.Cut(rest, " ")
			tag, message, _ := strings.Cut(rest, ": ")
			ident, pid, _ := strings.Cut(strings.TrimSuffix(tag, "]"), "[")
			b, _ := json.Marshal(map[string]string{"__REALTIME_TIMESTAMP": fmt.Sprint(when.UnixMicro()), "_HOSTNAME": host, "SYSLOG_IDENTIFIER": ident, "SYSLOG_PID": pid, "MESSAGE": message})
			return string(b)
		},
	} {
		var b strings.Builder
		for line := range strings.Lines(string(plain)) {
			when, err := time.Parse("2006 "+time.Stamp, "2026 "+line[:len(time.Stamp)])
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(head(when, strings.TrimSuffix(line[len(time.Stamp)+1:], "\n")) + "\n")
		}
		file := filepath.Join(t.TempDir(), "log")
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		got := figures(t, nil, file)
		if strings.HasSuffix(name, "without the daemon") {
			// Of a delivery without a relay, or of a refused header, the text does not say whose it is.
			for _, part := range []string{"messages", "deliveries", "replies", "peers"} {
				same(t, "the head "+name+", in "+part+",", want[part], got[part])
			}
			continue
		}
		same(t, "the head "+name, want, got)
	}
}

func rfc5424(when time.Time, rest string, cut bool) string {
	host, rest, _ := strings.Cut(rest, " ")
	tag, message, _ := strings.Cut(rest, ": ")
	app, pid, _ := strings.Cut(strings.TrimSuffix(tag, "]"), "[")
	if cut {
		app, _, _ = strings.Cut(app, "/")
	}
	return fmt.Sprintf("<22>1 %s %s %s %s - -  %s", when.Format("2006-01-02T15:04:05.000000-07:00"), host, app, pid, message)
}

// TestRejectLogCountsOnce gives Exim's reject log along with the main log whose lines it
// repeats.
func TestRejectLogCountsOnce(t *testing.T) {
	root(t)
	want, got := figures(t, nil, eximLog), figures(t, nil, eximLog, rejectLog)
	for _, part := range []string{"messages", "deliveries", "replies", "causes"} {
		same(t, "the reject log beside the main log, in "+part+",", want[part], got[part])
	}
	other := figures(t, nil, rejectLog, eximLog)
	for _, part := range []string{"messages", "deliveries", "replies"} {
		same(t, "the reject log before the main log, in "+part+",", want[part], other[part])
	}
}
