package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

var metric = regexp.MustCompile(`\bmailwhy_[a-z_]+|\bprocess_[a-z_]+`)

// What is printed for others asks only for metrics that there are.
func TestPrintedMetrics(t *testing.T) {
	root(t)
	p := start(t, "tail", "--from-start", "--listen", "0", "testdata/postfix/real.log")
	var text string
	eventually(t, "lines are counted", func() bool {
		_, text = p.get(t, "/metrics")
		return strings.Contains(text, "mailwhy_failures_total{") && strings.Contains(text, "mailwhy_sessions_total{") && strings.Contains(text, "mailwhy_replies_total{") && strings.Contains(text, "mailwhy_messages_total{")
	})
	for _, what := range []string{"grafana", "prometheus-rules"} {
		asked := metric.FindAllString(mailwhy(t, nil, "print", what), -1)
		if len(asked) < 20 {
			t.Errorf("%s asks for %v", what, asked)
		}
		for _, name := range asked {
			if !strings.Contains(text, "\n"+name+"{") && !strings.Contains(text, "\n"+name+" ") {
				t.Errorf("%s asks for %s, which there is not", what, name)
			}
		}
	}
}

// grafanaModel is what of Grafana's model the test looks at.
type grafanaModel struct {
	SchemaVersion int
	Templating    struct {
		List []struct{ Name string }
	}
	Panels []struct {
		ID          int
		Type, Title string
		GridPos     struct{ X, Y, W, H int }
		Datasource  map[string]string
		Targets     []struct{ Expr, RefID string }
	}
}

// The dashboard is sound: panels do not lie on each other, and Prometheus can read what
// they ask.
func TestGrafana(t *testing.T) {
	root(t)
	var d grafanaModel
	if err := json.Unmarshal([]byte(mailwhy(t, nil, "print", "grafana")), &d); err != nil {
		t.Fatal(err)
	}
	if d.SchemaVersion < 36 || len(d.Templating.List) != 3 {
		t.Errorf("schema %d, %d variables", d.SchemaVersion, len(d.Templating.List))
	}
	rules := strings.Builder{}
	rules.WriteString("groups:\n  - name: grafana\n    rules:\n")
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			t.Errorf("%s: its id is another's", p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%s lies on %s, or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && (len(p.Targets) == 0 || p.Datasource["uid"] != "${datasource}") {
			t.Errorf("%s asks nothing, or a certain data source", p.Title)
		}
		for i, q := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$mta", ".*").Replace(q.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%s: %s has a variable that there is not", p.Title, q.Expr)
			}
			fmt.Fprintf(&rules, "      - record: %q\n        expr: %q\n", fmt.Sprintf("panel:%d:%d", p.ID, i), expr)
		}
	}
	if len(ids) < 15 {
		t.Errorf("only %d panels", len(ids))
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "promtool", "check", "rules", file)
}

// tool runs a program of others' that judges what is printed. Where it is not installed
// the end-to-end tests, which install it, see to it.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Logf("%s is not installed", name)
		return
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

// The alert rules tell of what they should, and of nothing else.
func TestPrometheusRules(t *testing.T) {
	root(t)
	dir := t.TempDir()
	for from, to := range map[string]string{"cmd/mailwhy/print/prometheus-rules.yml": "prometheus-rules.yml", "testdata/print/prometheus-rules.test.yml": "test.yml"} {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool(t, "promtool", "check", "rules", filepath.Join(dir, "prometheus-rules.yml"))
	tool(t, "promtool", "test", "rules", filepath.Join(dir, "test.yml"))
}

// The unit is one that systemd takes as it is, and exposes little.
func TestSystemdUnit(t *testing.T) {
	root(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "mailwhy")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := mailwhy(t, nil, "print", "systemd-unit")
	if !strings.Contains(text, "=/usr/local/bin/mailwhy tail ") {
		t.Error("it starts another program")
	}
	unit := filepath.Join(dir, "mailwhy.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(text, "/usr/local/bin/mailwhy", program, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "systemd-analyze", "verify", unit)
	tool(t, "systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
}

// The configuration is one that can be used as it is, and its comments too.
func TestConfigExample(t *testing.T) {
	root(t)
	text := mailwhy(t, nil, "print", "config")
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "# "); ok && (strings.HasPrefix(rest, "[[") || regexp.MustCompile(`^[a-z_-]+ = `).MatchString(rest)) {
			lines[i] = rest
		}
	}
	for name, text := range map[string]string{"as it is": text, "all of it": strings.Join(lines, "")} {
		file := filepath.Join(t.TempDir(), "m.toml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		app, err := kong.New(&cli{}, kong.Vars{"version": "", "causes": "", "languages": ""})
		if err != nil {
			t.Fatal(err)
		}
		conf, err := readConfig(file, app.Model)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		alerts, err := alertRules(conf)
		if err != nil || len(alerts) != strings.Count(text, "\n[[alert]]") {
			t.Errorf("%s: %d alerts, %v", name, len(alerts), err)
		}
		if conf.Has(rulesList) {
			if _, err := knowledge.WithRules(knowledge.RuleFile{Path: file, Data: conf.Data}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if name != "as it is" {
			t.Errorf("%s has no rule", name)
		}
	}
}
