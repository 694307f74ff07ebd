//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is one that a test types into and looks at: a tmux of its own.
type terminal struct {
	t      *testing.T
	socket string
}

// openTerminal starts a shell in a window of a size.
func openTerminal(t *testing.T, dir string, width, height int) *terminal {
	t.Helper()
	term := &terminal{t, filepath.Join(dir, "tmux")}
	term.tmux("-f", "/dev/null", "-u", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", dir,
		"env LC_ALL=C.UTF-8 TERM=screen-256color PS1='READY ' HISTFILE= sh")
	t.Cleanup(func() { exec.Command("tmux", "-S", term.socket, "kill-server").Run() })
	term.wait("READY")
	return term
}

func (m *terminal) tmux(args ...string) string {
	m.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", m.socket}, args...)...).CombinedOutput()
	if err != nil {
		m.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (m *terminal) press(keys ...string) { m.tmux(append([]string{"send-keys"}, keys...)...) }

// run types a command.
func (m *terminal) run(command string) {
	m.tmux("send-keys", "-l", command)
	m.press("Enter")
}

func (m *terminal) screen() string { return m.tmux("capture-pane", "-p") }

// wait looks at the screen until all the texts stand on it, and returns it.
func (m *terminal) wait(texts ...string) string {
	m.t.Helper()
	var screen string
	for range 200 {
		screen = m.screen()
		missing := false
		for _, s := range texts {
			missing = missing || !strings.Contains(screen, s)
		}
		if !missing {
			return screen
		}
		time.Sleep(50 * time.Millisecond)
	}
	m.t.Fatalf("%q never stood on the screen:\n%s", texts, screen)
	return ""
}

// clean holds that the terminal is as it was: the usual screen, the cursor to be seen,
// the same settings.
func (m *terminal) clean(settings string) {
	m.t.Helper()
	m.wait("LEFT")
	if got := m.tmux("display-message", "-p", "#{alternate_on} #{cursor_flag} #{keypad_flag} #{mouse_any_flag}"); got != "0 1 0 0\n" {
		m.t.Errorf("alternate screen, cursor, keypad, mouse are %s after the end", got)
	}
	if got := m.settings(); got != settings {
		m.t.Errorf("the terminal's settings were %q and are %q", settings, got)
	}
	m.run("clear")
	m.wait("READY")
}

func (m *terminal) settings() string {
	m.t.Helper()
	tty := strings.TrimSpace(m.tmux("display-message", "-p", "#{pane_tty}"))
	out, err := exec.Command("stty", "-g", "-F", tty).Output()
	if err != nil {
		m.t.Fatal(err)
	}
	return string(out)
}

// deferral is a line as Postfix writes it.
func deferral(n int) string {
	return fmt.Sprintf("%s mx1 postfix/smtp[2211]: 4F%07d: to=<anna@gmail.com>, relay=gmail-smtp-in.l.google.com[192.0.2.7]:25, delay=1.2, delays=0.1/0/0.6/0.5, dsn=4.7.28, "+
		"status=deferred (host gmail-smtp-in.l.google.com[192.0.2.7] said: 421-4.7.28 Our system has detected an unusual rate of unsolicited mail \x1b]0;OWNED\a (in reply to end of DATA command))\n",
		time.Now().Format(time.RFC3339Nano), n)
}

// The dashboard on a real terminal: what is written to the log comes to be seen, each key
// does what it says, and the terminal is left as it was however it ends.
func TestDashboard(t *testing.T) {
	dir := workdir(t)
	log := filepath.Join(dir, "mail.log")
	writeFile(t, log, "")
	term := openTerminal(t, dir, 80, 24)
	settings := term.settings()
	start := program(t) + " tail --dashboard --lang en mail.log; echo LEFT $?"

	term.run(start)
	term.wait("mailwhy", "mail.log", "What went wrong", "none so far", "? help")
	for n := range 7 {
		appendFile(t, log, deferral(n))
	}
	screen := term.wait("too much at once", "Google", "421 4.7.28", "?]0;OWNED?")
	if lines := strings.Split(strings.TrimRight(screen, "\n"), "\n"); len(lines) != 24 {
		t.Errorf("%d lines on a window of 24:\n%s", len(lines), screen)
	}
	term.press("Enter")
	term.wait("1.", "Last lines", "Esc back")
	term.press("Escape")
	term.wait("What went wrong")
	term.press("l")
	term.wait("क्या गड़बड़ हुई")
	term.press("l")
	term.wait("Ne ters gitti")
	term.press("l", "?")
	term.wait("Keys", "write an incident report")
	term.press("?", "Tab")
	term.wait("oldest first")
	term.press("Tab")
	term.wait("by failures", "google.com")
	term.press("Tab", "s")
	term.wait("by last minute")
	term.press("/")
	term.tmux("send-keys", "-l", "nosuch")
	term.wait("/nosuch", "Esc shows all")
	term.press("Enter", "Escape")
	term.wait("too much at once")

	term.press("p")
	term.wait("PAUSED")
	before := term.screen()
	appendFile(t, log, deferral(8))
	time.Sleep(1500 * time.Millisecond)
	if after := term.screen(); after != before {
		t.Errorf("a held screen has changed:\n%s\n%s", before, after)
	}
	term.press("p")
	term.wait("too much at once", "8 lines")

	term.press("i")
	term.wait("Report written: mailwhy-incident-")
	term.press("i")
	term.wait("-2.md")
	reports, err := filepath.Glob(filepath.Join(dir, "mailwhy-incident-*.md"))
	if err != nil || len(reports) != 2 {
		t.Fatalf("reports: %v %v", reports, err)
	}
	text, err := os.ReadFile(reports[0])
	if err != nil || !strings.Contains(string(text), "too much at once") || !strings.Contains(string(text), "## ") {
		t.Errorf("the report: %v\n%s", err, text)
	}

	term.tmux("resize-window", "-x", "150", "-y", "40")
	term.wait("What went wrong", "Open sessions", "oldest first", "by failures")
	term.tmux("resize-window", "-x", "38", "-y", "10")
	term.wait("too small")
	term.tmux("resize-window", "-x", "80", "-y", "24")
	term.wait("What went wrong")
	term.press("q")
	term.wait("LEFT 0", "Peers") // the summary
	term.clean(settings)

	for name, end := range map[string]func(pid string){
		"SIGTERM": func(pid string) { exec.Command("kill", pid).Run() },
		"Ctrl-C":  func(string) { term.press("C-c") },
	} {
		t.Run(name, func(t *testing.T) {
			term.run(start)
			term.wait("What went wrong")
			pid, err := exec.Command("pgrep", "-P", strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}"))).Output()
			if err != nil {
				t.Fatal(err)
			}
			end(strings.TrimSpace(string(pid)))
			term.clean(settings)
		})
	}
}

// A log that is piped in leaves the keys to the terminal, and the screen stays when the
// pipe ends.
func TestDashboardOfPipe(t *testing.T) {
	dir := workdir(t)
	writeFile(t, filepath.Join(dir, "mail.log"), deferral(1))
	term := openTerminal(t, dir, 80, 24)
	settings := term.settings()
	term.run("cat mail.log | " + program(t) + " tail --dashboard --lang tr; echo LEFT $?")
	term.wait("Google", "Ne ters gitti")
	term.press("l")
	term.wait("What went wrong")
	term.press("q")
	term.wait("LEFT 0")
	term.clean(settings)
}

func appendFile(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

// program is where mailwhy was built.
func program(t *testing.T) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Where the terminal goes away, the program does too, even if it is told to stay.
func TestDashboardWithoutTerminal(t *testing.T) {
	dir := workdir(t)
	writeFile(t, filepath.Join(dir, "mail.log"), deferral(1))
	term := openTerminal(t, dir, 80, 24)
	term.run("trap '' HUP; exec " + program(t) + " tail --dashboard --lang en mail.log")
	term.wait("What went wrong")
	pid := strings.TrimSpace(term.tmux("display-message", "-p", "#{pane_pid}"))
	term.tmux("kill-server")
	for range 100 {
		if _, err := os.Stat("/proc/" + pid); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the program runs on without a terminal")
	exec.Command("kill", "-9", pid).Run()
}
