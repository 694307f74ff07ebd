package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestTailAlerts follows a log as it is written: an alert is printed, its program is run
// and its webhook is posted to; a restart and new rules do not tell it again.
func TestTailAlerts(t *testing.T) {
	root(t)
	dir := t.TempDir()
	var mu sync.Mutex
	var posted []map[string]any
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		var got map[string]any
		json.Unmarshal(body, &got)
		posted = append(posted, got)
	}))
	defer hook.Close()
	conf, log, ran := filepath.Join(dir, "m.toml"), filepath.Join(dir, "mail.log"), filepath.Join(dir, "ran")
	rules := fmt.Sprintf(`
[tail]
files = ["mail.log"]
state = "state"
listen = "0"

[[alert]]
name = "blocklisted"
cause = "blocklisted"
at_least = 2
within = "1h"
by = "provider"
run = 'echo "$MAILWHY_ALERT_STATE $MAILWHY_ALERT_GROUP $MAILWHY_ALERT_REPLY" >>%s'
shell = true
webhook = "%s/hook"
`, ran, hook.URL)
	write := func(file, text string, flags int) {
		t.Helper()
		f, err := os.OpenFile(file, flags|os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(n int, host string) {
		t.Helper()
		for i := range n {
			write(log, fmt.Sprintf("%s mx1 postfix/smtp[99]: 4F1A2B3C%02d: to=<a@example.net>, relay=%[3]s[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.7.1, status=bounced (host %[3]s[192.0.2.1] said: 550 5.7.1 Listed by zen.spamhaus.org \x1b[2J `reboot` $(reboot) (in reply to RCPT TO command))\n",
				time.Now().Format(time.RFC3339), i, host), os.O_APPEND)
		}
	}
	done := func() string {
		text, _ := os.ReadFile(ran)
		return string(text)
	}
	const google, first = "gmail-smtp-in.l.google.com", "firing Google 550 5.7.1 Listed by zen.spamhaus.org ?[2J `reboot` $(reboot)\n"
	write(conf, rules, os.O_TRUNC)
	write(log, "", os.O_TRUNC)

	p := start(t, "tail", "--config", conf)
	refuse(2, google)
	eventually(t, "the program is run", func() bool { return done() == first })
	eventually(t, "the webhook is posted to", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(posted) == 1
	})
	if got := posted[0]; got["alert"] != "blocklisted" || got["state"] != "firing" || got["group"] != "Google" || got["count"] != 2.0 || strings.ContainsRune(fmt.Sprint(got), 0x1b) {
		t.Error(got)
	}
	eventually(t, "it is remembered", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "state.alerts"))
		return strings.Contains(string(text), `"Google"`)
	})

	// The same alerts with another one: what was told of Google is not told again.
	write(conf, rules+"\n[[alert]]\nname = \"x\"\nseverity = \"critical\"\nat_least = 1\nwithin = \"1m\"\nby = \"provider\"\nrun = 'echo other >>"+ran+"'\nshell = true\n", os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the alerts are read again", func() bool { return strings.Contains(p.errors.String(), "was read again") })
	refuse(2, google)
	eventually(t, "the new alert is given", func() bool { return done() == first+"other\n" })

	// And a wrong one leaves the old.
	write(conf, rules+"\n[[alert]]\nname = \"y\"\n", os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the wrong alert is told of", func() bool { return strings.Contains(p.errors.String(), `m.toml:17: alert "y": when: `) })

	p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, p.errors.String())
	}
	write(conf, rules, os.O_TRUNC)
	p = start(t, "tail", "--config", conf)
	refuse(2, google)
	refuse(2, "mx.example.org")
	eventually(t, "another party is told of after a restart", func() bool { return strings.HasSuffix(done(), strings.Replace(first, "Google", "example.org", 1)) })
	if got := done(); strings.Count(got, "Google") != 1 {
		t.Errorf("what goes on is told again after a restart:\n%s", got)
	}
	p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, p.errors.String())
	}
}
