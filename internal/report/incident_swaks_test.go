package report

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestSwaks holds which command shows that it is mended, and that it sends no more than it
// must.
func TestSwaks(t *testing.T) {
	hit := func(domain, host string) incident.Hit {
		return incident.Hit{Domains: []incident.Who{{Name: domain}}, Hosts: []incident.Who{{Name: host}}}
	}
	const head = "swaks --server mx.example.net --from you@example.com --to postmaster@example.net"
	for _, c := range []struct {
		name string
		in   incident.Incident
		want string
	}{
		{"at MAIL", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.RateLimited, Stage: smtp.StageMAIL, Hit: hit("example.net", "mx.example.net")}, head + " --quit-after MAIL"},
		{"at the greeting", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.Blocklisted, Stage: smtp.StageConnect, Hit: hit("example.net", "mx.example.net")}, head + " --quit-after BANNER"},
		{"after the message", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.SpamContent, Stage: smtp.StageDOT, Hit: hit("example.net", "mx.example.net")}, head},
		{"TLS", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.TLS, Stage: smtp.StageSTARTTLS, Hit: hit("example.net", "mx.example.net")}, head + " --tls --tls-verify --quit-after TLS"},
		{"several are hit", incident.Incident{Direction: smtp.Outbound, Scope: incident.All, Cause: knowledge.DomainNotFound, Hit: hit("example.net", "mx.example.net")}, "swaks --from you@example.com --to postmaster@example.net --quit-after RCPT"},
		{"our own server refuses", incident.Incident{Direction: smtp.Inbound, Cause: knowledge.RelayDenied, Stage: smtp.StageRCPT}, "swaks --server mx.example.org --from you@example.com --to you@example.org --quit-after RCPT"},
		{"guessed passwords", incident.Incident{Kind: incident.Logins, Direction: smtp.Inbound, Cause: knowledge.Login}, ""},
		{"a loop", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.Loop}, ""},
		{"names that are none", incident.Incident{Direction: smtp.Outbound, Cause: knowledge.RateLimited, Stage: smtp.StageRCPT, Hit: hit("$(reboot)", "-x;reboot")}, "swaks --from you@example.com --to you@example.org --quit-after RCPT"},
	} {
		if got := Swaks(&c.in); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestShell holds that a shell takes the command as the words that it is made of, whatever
// strangers call themselves.
func TestShell(t *testing.T) {
	shell := func(command string) []string {
		out, err := exec.Command("sh", "-c", command).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
		return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	}
	for _, text := range hostile {
		in := &incident.Incident{Direction: smtp.Outbound, Cause: knowledge.RateLimited, Stage: smtp.StageRCPT, Hit: incident.Hit{Domains: []incident.Who{{Name: text}}, Hosts: []incident.Who{{Name: text}}}}
		command := Swaks(in)
		if strings.ContainsAny(command, "\n\x00") || strings.Count(command, " ") > 10 {
			t.Errorf("%q: %s", text, command)
		}
		words := shell(strings.Replace(command, "swaks", `printf '%s\n'`, 1))
		for i, w := range words {
			if i%2 == 0 && !slices.Contains([]string{"--server", "--from", "--to", "--quit-after"}, w) {
				t.Errorf("%q: the words %q", text, words)
			}
		}
	}
	all, want := `printf '%s\n'`, []string{}
	for _, text := range hostile {
		all += " " + shellWord(text)
		want = append(want, printable(text))
	}
	if got := shell(all); !slices.Equal(got, want) {
		t.Errorf("the shell has %q", got)
	}
}
