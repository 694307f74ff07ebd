package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var facts = Facts{Alert: "bl", State: "firing", Text: "x", Group: "a\x1b[2J$(reboot)\nb", Count: 5, Reply: "550 `id`", Time: noon, Since: noon, Window: 600}

// script writes a program.
func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// The facts are in the environment, what a stranger wrote among them does nothing, and
// nothing of it is in an argument.
func TestCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	page := script(t, `echo "$MAILWHY_ALERT|$MAILWHY_ALERT_STATE|$MAILWHY_ALERT_GROUP|$MAILWHY_ALERT_COUNT|$MAILWHY_ALERT_REPLY|$MAILWHY_ALERT_WINDOW|$MAILWHY_ALERT_TIME|$*" >"$OUT"`)
	t.Setenv("OUT", out)
	const said = "bl|firing|a?[2J$(reboot) b|5|550 `id`|600|2026-09-14T12:00:00Z|"
	for _, c := range []struct {
		rule Rule
		want string
	}{
		{Rule{Run: List{page, "to", "$HOME; x"}}, said + "to $HOME; x\n"},
		{Rule{Run: List{page + ` "$MAILWHY_ALERT_GROUP" $1`, "one"}, Shell: true}, said + "a?[2J$(reboot) b one\n"},
	} {
		if err := Command(context.Background(), &c.rule, &facts); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(out); string(got) != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestCommandFails(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	for _, c := range []struct{ body, want string }{
		{"echo out; printf 'no\\033pager\\n' >&2; exit 3", "exit status 3: no?pager"},
		{"exit 1", "exit status 1"},
		{"yes a | head -c 100000 >&2; exit 1", strings.Repeat("a ", 200)},
	} {
		if err := Command(ended, &Rule{Run: List{script(t, c.body)}}, &facts); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 2*maxComplaint+100 {
			t.Errorf("%s: %v", c.body, err)
		}
	}
	cancel()
	if err := Command(ended, &Rule{Run: List{script(t, "sleep 60")}}, &facts); err == nil {
		t.Error("it ran on though all is over")
	}
	if err := Command(context.Background(), &Rule{Run: List{"/nowhere/page"}}, &facts); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// A child that lives on in the background does not keep the next alert waiting.
func TestCommandInBackground(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	t.Setenv("PID", pid)
	if err := Command(context.Background(), &Rule{Run: List{script(t, `sleep 60 & echo $! >"$PID"`)}}, &facts); err != nil {
		t.Fatal(err)
	}
	var n int
	text, _ := os.ReadFile(pid)
	if _, err := fmt.Sscan(string(text), &n); err != nil {
		t.Fatal(err)
	}
	if p, err := os.FindProcess(n); err == nil {
		p.Kill()
	}
}

// hook is a webhook that answers as it is told and keeps what it got.
type hook struct {
	*httptest.Server
	mu      sync.Mutex
	answers []int
	got     []string
	heads   []http.Header
}

func newHook(t *testing.T, answers ...int) *hook {
	h := &hook{answers: answers}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.got, h.heads = append(h.got, r.Method+" "+string(body)), append(h.heads, r.Header)
		status := http.StatusOK
		if len(h.answers) > 0 {
			status, h.answers = h.answers[0], h.answers[1:]
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, "said\x1b this")
	}))
	t.Cleanup(h.Close)
	return h
}

func TestPost(t *testing.T) {
	h := newHook(t)
	rule := &Rule{Name: "bl", Webhook: h.URL + "/secret", Header: List{"Authorization: Bearer x"}}
	if err := post(context.Background(), nil, rule, &facts, 0); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	body, isPost := strings.CutPrefix(h.got[0], "POST ")
	if err := json.Unmarshal([]byte(body), &got); err != nil || !isPost {
		t.Fatal(err, h.got)
	}
	if got["alert"] != "bl" || got["state"] != "firing" || got["count"] != 5.0 || got["text"] != "x" || got["window_seconds"] != 600.0 {
		t.Error(got)
	}
	if head := h.heads[0]; head.Get("Content-Type") != "application/json" || head.Get("Authorization") != "Bearer x" {
		t.Error(head)
	}
}

func TestPostFails(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		tries   int
		want    string
	}{
		{"comes back", []int{503, 500, 429, 408}, 5, ""},
		{"stays away", []int{500, 500, 500, 500, 502, 500}, maxTries, "502 Bad Gateway: said? this"},
		{"refuses", []int{404}, 1, "404 Not Found"},
		{"redirects", []int{302}, 1, "302 Found"},
	} {
		h := newHook(t, c.answers...)
		err := post(context.Background(), nil, &Rule{Webhook: h.URL + "/secret"}, &facts, 0)
		if len(h.got) != c.tries || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d tries, %v", c.name, len(h.got), err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the path is told: %v", c.name, err)
		}
	}
	h := newHook(t)
	h.Close()
	if again, _, err := Post(context.Background(), &Rule{Webhook: h.URL + "/secret"}, &facts); !again || err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(again, err)
	}
}

// warnings gathers what a runner warns of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) add(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, err.Error())
}

// Each rule sees its alerts in order, failures are told once and so is their end.
func TestRunner(t *testing.T) {
	var w warnings
	h := newHook(t, 404, 404, 404)
	r := NewRunner(w.add)
	r.pause = 0
	rule := &Rule{Name: "bl", Webhook: h.URL}
	for i := range 6 {
		f := facts
		f.Count = int64(i)
		r.Do(rule, f)
	}
	r.Close()
	r.Do(rule, facts) // too late, and no harm
	r.Close()
	if len(h.got) != 6 {
		t.Fatal(h.got)
	}
	for i, body := range h.got {
		if !strings.Contains(body, fmt.Sprintf(`"count":%d`, i)) {
			t.Errorf("%d: %s", i, body)
		}
	}
	if len(w.all) != 2 || !strings.Contains(w.all[0], "404") || !strings.Contains(w.all[1], "failures until then: 3") {
		t.Error(w.all)
	}
}

// What hangs holds up neither another rule nor the log, and ends with the program.
func TestRunnerHangs(t *testing.T) {
	var w warnings
	stuck := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(stuck)
	fine := newHook(t)
	r := NewRunner(w.add)
	r.grace = 0
	for range queued + 10 {
		r.Do(&Rule{Name: "hangs", Webhook: hanging.URL}, facts)
		r.Do(&Rule{Name: "sleeps", Run: List{"/bin/sleep", "60"}}, facts)
	}
	r.Do(&Rule{Name: "fine", Webhook: fine.URL}, facts)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		fine.mu.Lock()
		n := len(fine.got)
		fine.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("one that hangs holds up another")
		}
	}
	r.Close()
	// The first of a queue may be taken out of it at any moment, and then there is room once more.
	if full := strings.Join(w.all, "\n"); strings.Count(full, "wait already") != 2+strings.Count(full, "there is room again") {
		t.Error(full)
	}
}
