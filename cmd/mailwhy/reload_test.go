package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const refusal = `Mar 11 08:01:00 mx1 postfix/smtp[100]: 4C1A2B3D01: to=<a@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=5.2.3, status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 Held in the airlock (in reply to RCPT TO command))
`

const airlock = `
[[rule]]
id = "airlock"
cause = "policy"
any = "airlock"
sample = "550 held in the airlock"
`

// SIGHUP takes new rules in, and leaves the old ones where the new are wrong.
func TestReload(t *testing.T) {
	root(t)
	dir := t.TempDir()
	conf, log := filepath.Join(dir, "m.toml"), filepath.Join(dir, "mail.log")
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
	settings := "[tail]\nfiles = [\"mail.log\"]\nlisten = \"0\"\nfrom-start = true\n"
	write(conf, settings, os.O_TRUNC)
	write(log, refusal, os.O_TRUNC)
	p := start(t, "tail", "--config", conf)
	causes := func() map[string]int64 {
		_, text := p.get(t, "/metrics")
		return series(t, text, "mailwhy_failures_total", "cause")
	}
	eventually(t, "the first line is counted", func() bool { return causes()["recipient_unknown"] == 1 })

	write(conf, settings+airlock, os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the rules are read", func() bool { return strings.Contains(p.errors.String(), "was read again") })
	write(log, refusal, os.O_APPEND)
	eventually(t, "the new rule is used", func() bool { return causes()["policy"] == 1 })

	write(conf, settings+strings.Replace(airlock, "policy", "weather", 1)+"[tial]\nx = 1\n", os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the wrong file is told of", func() bool { return strings.Contains(p.errors.String(), "stays as it was") })
	if said := p.errors.String(); !strings.Contains(said, `m.toml:12: unknown key "tial" in the file; did you mean tail?`) {
		t.Error(said)
	}
	write(log, refusal, os.O_APPEND)
	eventually(t, "the old rule is still used", func() bool { return causes()["policy"] == 2 })

	write(conf, settings+strings.Replace(airlock, "policy", "weather", 1), os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the wrong rule is told of", func() bool { return strings.Contains(p.errors.String(), `no cause "weather"`) })

	write(conf, settings, os.O_TRUNC)
	p.Process.Signal(syscall.SIGHUP)
	eventually(t, "the rules are read again", func() bool { return strings.Count(p.errors.String(), "was read again") == 2 })
	write(log, refusal, os.O_APPEND)
	eventually(t, "the rule is gone", func() bool { return causes()["recipient_unknown"] == 2 })
	_, text := p.get(t, "/metrics")
	if n := series(t, text, "mailwhy_config_reloads_total", "result"); n["success"] != 2 || n["failure"] != 2 {
		t.Errorf("reloads: %v", n)
	}
	p.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.errors.String())
	}
}
