//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// mail is a talk that delivers one message.
func mail(name, from string, to ...string) talk {
	k := talk{name: name, from: from, steps: []string{"220", "250 EHLO client.example", "250 MAIL FROM:<anna@e2e.example>"}, ends: "quit"}
	for _, t := range to {
		k.steps = append(k.steps, "250 RCPT TO:<"+t+">")
	}
	k.steps = append(k.steps, "354 DATA", "250 "+body, "221 QUIT")
	return k
}

// after is what most talks begin with, and the steps of this one.
func after(steps ...string) []string {
	return append([]string{"220", "250 EHLO client.example"}, steps...)
}

const fromOutside = "250 MAIL FROM:<x@client.example>"

// greeting is the session by which we see that a server is up.
var greeting = talk{"greeting", stranger, []string{"220", "221 QUIT"}, "quit", nil}

// talks are the sessions that both servers see alike.
var talks = []talk{
	mail("delivery", stranger, "anna@e2e.example"),
	mail("two recipients", stranger, "anna@e2e.example", "ben@e2e.example"),
	mail("sent", ours, "friend@ok.example"),
	mail("no such user there", ours, "nobody@gone.example"),
	mail("refused after the body", ours, "friend@refused.example"),
	mail("greylisted", ours, "friend@later.example"),
	mail("421 at RCPT", ours, "friend@busy.example"),
	mail("hang-up at DATA", ours, "friend@drops.example"),
	{"unknown recipient", stranger, after(fromOutside, "550 RCPT TO:<nosuch@e2e.example>", "221 QUIT"), "quit", []int{550}},
	{"one of two refused", stranger, after(fromOutside, "550 RCPT TO:<nosuch@e2e.example>", "250 RCPT TO:<ben@e2e.example>", "354 DATA", "250 "+body, "221 QUIT"), "quit", []int{550}},
	{"bad MAIL", stranger, after("501 MAIL FROM:<a b@c>", "221 QUIT"), "quit", nil},
	{"lost after RCPT", stranger, after(fromOutside, "250 RCPT TO:<anna@e2e.example>"), "lost", nil},
	{"lost in the body", stranger, after(fromOutside, "250 RCPT TO:<anna@e2e.example>", "354 DATA", "- Subject: never ends"), "lost", nil},
	{"silent", stranger, after("421"), "timed_out", nil},
}

// postfixTalks and eximTalks are those to which each server has its own answer.
var (
	postfixTalks = []talk{
		{"too large", stranger, after("552 MAIL FROM:<x@client.example> SIZE=99999999", "221 QUIT"), "quit", []int{552}},
		{"relay denied", stranger, after(fromOutside, "554 RCPT TO:<x@elsewhere.example>", "221 QUIT"), "quit", []int{554}},
		{"bad HELO", stranger, []string{"220", "250 HELO bad_name!", fromOutside, "501 RCPT TO:<anna@e2e.example>", "221 QUIT"}, "quit", []int{501}},
		{"wrong password", stranger, after("535 AUTH PLAIN AGFubmEAd3Jvbmc=", "221 QUIT"), "quit", nil}, // the log has Cyrus' words for it, no code
		{"too many errors", stranger, after("50 XYZZY", "50 XYZZY", "50 XYZZY", "421"), "server_closed", nil},
	}
	eximTalks = []talk{
		{"too large", stranger, after("552 MAIL FROM:<x@client.example> SIZE=99999999", "221 QUIT"), "quit", nil},
		{"relay denied", stranger, after(fromOutside, "550 RCPT TO:<x@elsewhere.example>", "221 QUIT"), "quit", []int{550}},
		{"bad HELO", stranger, []string{"220", "501 HELO bad_name!", "221 QUIT"}, "quit", nil},
		{"wrong password", stranger, after("535 AUTH PLAIN AGFubmEAd3Jvbmc=", "221 QUIT"), "quit", []int{535}},
		{"too many errors", stranger, after("50 XYZZY", "50 XYZZY", "50 XYZZY", "50 XYZZY"), "server_closed", nil},
	}
)

// What becomes of the mail in the talks. First round: four local recipients and ok.example are served, gone.example and
// refused.example bounce, which makes two notifications to a local mailbox, and three wait. Second round: later.example takes
// its message, the other two go on waiting.
const (
	accepted    = 9 // messages taken from clients
	firstRound  = 4 + 1 + 2 + 3
	secondRound = firstRound + 2 + 3
)

var (
	fates   = map[string]int{"sent": 4 + 1 + 2 + 1, "bounced": 2, "deferred": 3 + 2, "expired": 0}
	replies = map[int]int{250: 2, 550: 1, 554: 1, 450: 1, 421: 2} // of remote servers
)

func TestPostfix(t *testing.T) {
	check(t, startPostfix(t, serve(t)), append(postfixTalks, talks...), true)
}

// TestExim has the process numbers in the log, which tie a session's lines together.
func TestExim(t *testing.T) {
	check(t, startExim(t, serve(t), "+pid"), append(eximTalks, talks...), true)
}

// TestEximPlain has not, as Exim's default is: then only sessions that do not overlap can be told apart.
func TestEximPlain(t *testing.T) {
	check(t, startExim(t, serve(t), ""), append(eximTalks, talks...), false)
}

// check holds the talks, all at once or one by one, has the server try twice to deliver, and compares what mailwhy reads with
// what happened. With E2E_KEEP=DIR the logs are kept there.
func check(t *testing.T, s *server, talks []talk, atOnce bool) {
	written := watch(t, s.log)
	events, screen := follow(t, "-o", "ndjson", "--all", s.log), follow(t, "--listen", metricsAt, s.log)
	var wg sync.WaitGroup
	for _, k := range talks {
		wg.Go(func() {
			if err := k.hold(s.address); err != nil {
				t.Errorf("%s: %v", k.name, err)
			}
		})
		if !atOnce {
			wg.Wait()
		}
	}
	wg.Wait()
	s.try(firstRound)
	s.try(secondRound)
	s.stop()

	text, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("E2E_KEEP"); dir != "" {
		writeFile(t, filepath.Join(dir, t.Name()+".log"), string(text))
	}
	t.Run("live", func(t *testing.T) { checkLive(t, s.log, written, events, screen) })
	t.Run("events", func(t *testing.T) { checkEvents(t, s.log) })
	t.Run("sessions", func(t *testing.T) { checkSessions(t, s.log, talks) })
	t.Run("report", func(t *testing.T) { checkReport(t, s.log, talks) })
	if t.Failed() {
		t.Logf("the log:\n%s", text)
	}
}

// mailwhy runs the program, built once, and gives what it prints.
func mailwhy(t *testing.T, args ...string) []byte {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(bin, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("mailwhy %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

var build = sync.OnceValues(func() (string, error) {
	bin, err := filepath.Abs("../../build/mailwhy-e2e")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(bin), 0o755); err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", bin, "../../cmd/mailwhy")
	cmd.Stderr = os.Stderr
	return bin, cmd.Run()
})

// rows reads one JSON object a line.
func rows(t *testing.T, text []byte) (all []map[string]any) {
	t.Helper()
	for line := range bytes.Lines(text) {
		var row map[string]any
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, row)
	}
	return all
}

// at follows a path of names into a row: at(row, "smtp", "reply", "code").
func at(row any, path ...string) any {
	for _, name := range path {
		object, _ := row.(map[string]any) // not an object: there is nothing at the path
		row = object[name]
	}
	return row
}

// checkEvents holds that every line is understood and that the fates are as the servers decided them.
func checkEvents(t *testing.T, log string) {
	got := map[string]int{"sent": 0, "bounced": 0, "deferred": 0, "expired": 0}
	for _, row := range rows(t, mailwhy(t, "events", "-o", "ndjson", "--all", log)) {
		if at(row, "smtp", "event") == "unknown" {
			t.Errorf("line %v was not understood", at(row, "log", "line"))
		}
		outcome, _ := at(row, "smtp", "outcome").(string)
		if _, ok := got[outcome]; ok {
			got[outcome]++
		}
	}
	if !maps.Equal(got, fates) {
		t.Errorf("fates %v, want %v", got, fates)
	}
}

// checkSessions holds that every talk is found once, with its end.
func checkSessions(t *testing.T, log string, talks []talk) {
	got := map[string]int{}
	for _, row := range rows(t, mailwhy(t, "sessions", "-o", "ndjson", log)) {
		if at(row, "smtp", "direction") == "inbound" {
			end, _ := at(row, "smtp", "end").(string)
			got[end]++
		}
	}
	if want := ends(talks); !maps.Equal(got, want) {
		t.Errorf("inbound sessions ended %v, want %v", got, want)
	}
}

// ends counts the talks by how they ended, our look at the greeting included.
func ends(talks []talk) map[string]int {
	count := map[string]int{greeting.ends: 1}
	for _, k := range talks {
		count[k.ends]++
	}
	return count
}

// reportJSON is what is checked of report -o json.
type reportJSON struct {
	Coverage struct{ Lines, Understood, Foreign, Unknown int }
	Sessions struct {
		Inbound struct {
			Total int
			Ended map[string]int
		}
	}
	Messages   map[string]int
	Deliveries map[string]int
	Replies    []struct {
		Direction   string
		Code, Count int
	}
}

func checkReport(t *testing.T, log string, talks []talk) {
	var r reportJSON
	if err := json.Unmarshal(mailwhy(t, "report", "-o", "json", log), &r); err != nil {
		t.Fatal(err)
	}
	if c := r.Coverage; c.Unknown != 0 || c.Understood == 0 || c.Understood+c.Foreign != c.Lines {
		t.Errorf("coverage %+v, want every line understood or foreign", c)
	}
	maps.DeleteFunc(r.Sessions.Inbound.Ended, func(_ string, n int) bool { return n == 0 })
	want := ends(talks)
	if got := r.Sessions.Inbound; got.Total != len(talks)+1 || !maps.Equal(got.Ended, want) {
		t.Errorf("inbound sessions %+v, want %d: %v", got, len(talks)+1, want)
	}
	for fate, n := range fates {
		if got := r.Deliveries[fate]; got != n {
			t.Errorf("deliveries %s: %d, want %d", fate, got, n)
		}
	}
	if got := r.Messages["received"]; got != accepted {
		t.Errorf("messages received: %d, want %d", got, accepted)
	}
	inbound, outbound := map[int]int{}, map[int]int{}
	for _, reply := range r.Replies {
		switch {
		case reply.Direction == "outbound":
			outbound[reply.Code] += reply.Count
		case reply.Code >= 400: // what a server accepts it does not log as a reply
			inbound[reply.Code] += reply.Count
		}
	}
	refused := map[int]int{}
	for _, k := range talks {
		for _, code := range k.refused {
			refused[code]++
		}
	}
	for code, n := range refused {
		if inbound[code] != n {
			t.Errorf("replies to clients: %d of %d, want %d", inbound[code], code, n)
		}
	}
	for code, n := range replies {
		if outbound[code] != n {
			t.Errorf("replies of remote servers: %d of %d, want %d", outbound[code], code, n)
		}
	}
}
