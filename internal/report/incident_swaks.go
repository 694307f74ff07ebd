package report

import (
	"strings"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Swaks returns a command for a shell that shows whether the other server takes mail again;
// "" where none would. It goes no further than it must to meet the reply again, so that no
// mail is sent where that can be; its addresses are examples, but for postmaster, whom every
// domain has (RFC 5321, 4.5.1). Whatever strangers wrote is one word in it, and only where it
// can be a host or a domain.
func Swaks(in *incident.Incident) string {
	if in.Kind != incident.Failures && in.Kind != incident.Sessions || in.Cause == knowledge.Loop || in.Cause == knowledge.Expired {
		return ""
	}
	to, server := "you@example.org", ""
	words := []string{"swaks"}
	switch in.Direction {
	case smtp.Inbound:
		server = "mx.example.org" // our own, as others see it
	case smtp.Internal:
		server = "localhost"
	default:
		if len(in.Hit.Domains) > 0 && isHost(in.Hit.Domains[0].Name) {
			to = "postmaster@" + in.Hit.Domains[0].Name
		}
		if in.Scope == incident.One && len(in.Hit.Hosts) > 0 && isHost(in.Hit.Hosts[0].Name) {
			server = in.Hit.Hosts[0].Name
		}
	}
	if server != "" {
		words = append(words, "--server", server)
	}
	words = append(words, "--from", "you@example.com", "--to", to)
	switch in.Cause {
	case knowledge.TLS:
		words = append(words, "--tls", "--tls-verify", "--quit-after", "TLS")
	case knowledge.Login:
		words = append(words, "--port", "587", "--tls", "--auth-user", "you@example.com", "--quit-after", "AUTH")
	default:
		if stop := quitAfter(in.Stage); stop != "" {
			words = append(words, "--quit-after", stop)
		}
	}
	for i := range words {
		words[i] = shellWord(words[i])
	}
	return strings.Join(words, " ")
}

// quitAfter is where swaks has seen enough; "" where the message itself has to be sent.
func quitAfter(s smtp.Stage) string {
	switch s {
	case smtp.StageConnect:
		return "BANNER"
	case smtp.StageEHLO:
		return "HELO"
	case smtp.StageSTARTTLS:
		return "TLS"
	case smtp.StageMAIL:
		return "MAIL"
	case smtp.StageDATA, smtp.StageDOT, smtp.StageBDAT:
		return ""
	}
	return "RCPT"
}

// isHost reports that a name can be a host's, a domain's or an address.
func isHost(s string) bool {
	return s != "" && len(s) <= maxHostName && s[0] != '-' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_") == ""
}

// maxHostName is the longest name that DNS allows (RFC 1035, 2.3.4).
const maxHostName = 255

// shellWord quotes a word for a shell where it has to be.
func shellWord(s string) string {
	if s = printable(s); s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/@:+,%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
