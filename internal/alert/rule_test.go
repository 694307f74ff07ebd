package alert

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// read reads rules as the configuration does.
func read(t *testing.T, text string) []Rule {
	t.Helper()
	var in struct{ Alert []Rule }
	md, err := toml.Decode(text, &in)
	if err != nil {
		t.Fatal(err)
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		t.Fatalf("unknown keys %v", extra)
	}
	return in.Alert
}

const examples = `
[[alert]]
name = "blocklisted"
cause = ["blocklisted", "reputation"]
direction = "outbound"
at_least = 5
within = "10m"
by = "provider"
hold_off = "1h"
resolve_after = "15m"
run = ["/usr/local/bin/page", "mail"]
webhook = "https://hooks.example.com/mail"
header = "Authorization: Bearer x"

[[alert]]
name = "deferred"
outcome = "deferred"
share = "20 %"
of_at_least = 100
within = "1h"
run = "echo $MAILWHY_ALERT | mail root"
shell = true

[[alert]]
name = "silence"
no = "sent"
for = "15m"

[[alert]]
name = "errors"
severity = "error"
code = ["5xx", "4.7.x"]
at_least = 1
within = "1d"
by = "host"
`

func TestExamples(t *testing.T) {
	rules := read(t, examples)
	e, err := New(rules, knowledge.Load(), func(*Alert) {})
	if err != nil || len(e.Rules()) != 4 {
		t.Fatal(err)
	}
	if r := e.rules[0]; r.resolve.Minutes() != 15 || r.by != byProvider || len(r.Run) != 2 {
		t.Errorf("%+v", r)
	}
	if r := e.rules[1]; r.share != 0.2 || r.resolve != r.within || r.holdOff != defaultHoldOff {
		t.Errorf("%+v", r)
	}
}

// Each thing that is wrong is told with the rule, the field, and what to do.
func TestValidate(t *testing.T) {
	const good = "name = 'x'\ncause = 'tls'\nat_least = 5\nwithin = '10m'\n"
	for _, c := range []struct{ text, want string }{
		{"at_least = 5\nwithin = '10m'\ncause = 'tls'", `alert "": name: it has none; give it`},
		{"name = \"a\\u0007b\"\nat_least = 5\nwithin = '10m'\ncause = 'tls'", `name: it has characters`},
		{"name = 'x'", `alert "x": when: give one of at_least`},
		{"name = 'x'\nat_least = 5\nno = 'sent'", `when: give one of`},
		{"name = 'x'\nat_least = 5\nwithin = '10m'", `alert "x": cause: nothing says what counts`},
		{"name = 'x'\nat_least = -5\nwithin = '10m'\ncause = 'tls'", `at_least: -5 is no count`},
		{"name = 'x'\nat_least = 5\ncause = 'tls'", `within: it is missing`},
		{"name = 'x'\nat_least = 5\ncause = 'tls'\nwithin = '10'", `within: "10" is no duration; give one like`},
		{"name = 'x'\nat_least = 5\ncause = 'tls'\nwithin = '1ms'", `within: 1ms is not from 1s to 31 days`},
		{"name = 'x'\nat_least = 5\ncause = 'tls'\nwithin = '99d'", `within: 99d is not from`},
		{"name = 'x'\nat_least = 5\ncause = 'blocked'\nwithin = '10m'", `cause: "blocked" is none; mailwhy causes lists them`},
		{good + "outcome = 'lost'", `outcome: "lost" is none of sent, deferred`},
		{good + "direction = 'out'", `direction: "out" is none of inbound, outbound, internal`},
		{good + "severity = 'bad'", `severity: "bad" is none of info, warning, error, critical`},
		{good + "code = '99'", `code: "99" is no reply code`},
		{good + "by = 'sender'", `by: "sender" is none of none, provider, domain, host`},
		{good + "hold_off = '-1h'", `hold_off: -1h is not from 0s`},
		{good + "of_at_least = 5", `of_at_least: it goes with share`},
		{good + "for = '5m'", `for: it goes with no`},
		{good + "run = 'page mail'", `run: no shell takes "page mail" apart`},
		{good + "run = ''", `run: it names no program`},
		{good + "shell = true", `shell: there is no run`},
		{good + "webhook = 'hooks.example.com'", `webhook: it is no URL`},
		{good + "webhook = 'ftp://example.com/'", `webhook: it is no URL`},
		{good + "header = 'X: y'", `header: there is no webhook`},
		{good + "webhook = 'http://example.com/'\nheader = 'no colon'", `header: give lines like`},
		{"name = 'x'\noutcome = 'deferred'\nwithin = '1h'\nshare = '20'", `share: "20" is no share; give one from 0% to 100%`},
		{"name = 'x'\noutcome = 'deferred'\nwithin = '1h'\nshare = '0%'", `share: 0% is always reached`},
		{"name = 'x'\noutcome = 'deferred'\nwithin = '1h'\nshare = 'NaN'", `share: "NaN" is no share`},
		{"name = 'x'\noutcome = 'rejected'\nwithin = '1h'\nshare = '5%'\nby = 'domain'", `by: a share of what comes in cannot`},
		{"name = 'x'\noutcome = ['rejected', 'bounced']\nwithin = '1h'\nshare = '5%'", `outcome: rejected is of what comes in`},
		{"name = 'x'\nno = 'sent'", `for: it is missing`},
		{"name = 'x'\nno = 'sent'\nfor = '5m'\nby = 'provider'", `by: it does not go with no`},
		{good + "\n[[alert]]\n" + good, `name: another one has it too`},
	} {
		_, err := New(read(t, "[[alert]]\n"+c.text), knowledge.Load(), nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot %v, want %s", c.text, err, c.want)
		}
	}
	if err := (&Rule{Name: "x", AtLeast: 5, Cause: List{"no"}}).Validate(); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("not all is told: %v", err)
	}
	if _, err := New(make([]Rule, MaxRules+1), knowledge.Load(), nil); err == nil || !strings.Contains(err.Error(), "there is room for 64") {
		t.Error(err)
	}
	var in struct{ Alert []Rule }
	if _, err := toml.Decode("[[alert]]\ncause = 3", &in); err == nil || !strings.Contains(err.Error(), "neither a text in quotes nor a list") {
		t.Error(err)
	}
}

func TestParseShare(t *testing.T) {
	for s, want := range map[string]float64{"20%": 0.2, " 0.5 % ": 0.005, "0.2": 0.2, "100%": 1, "0%": 0, "1": 1} {
		if got, err := ParseShare(s); err != nil || got != want {
			t.Errorf("%q: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "%", "2", "101%", "-1%", "NaN%", "Inf", "two"} {
		if _, err := ParseShare(s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
