package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// commands are those by which the figures can be had again. Where others of the same kind
// lie in the window, of parties that are not hit or in wordings that are as ever, what the
// command gives is more than the figure, and both are told.
func (b *builder) commands() {
	im := &b.out.Impact
	window := fmt.Sprintf("--since %s --until %s", b.out.Start.Format(time.RFC3339), b.out.End.Add(time.Second).Format(time.RFC3339))
	files := b.fileArgs()
	for _, x := range []struct {
		what    string
		n       int64
		outcome smtp.Outcome
	}{{"deferred", im.Deferred, smtp.Deferred}, {"bounced", im.Bounced, smtp.Bounced}, {"expired", im.Expired, smtp.Expired}, {"rejected", im.Rejected, smtp.Rejected}} {
		if x.n == 0 {
			continue
		}
		for _, c := range b.out.Causes {
			host, gives := b.narrow(c.Cause.ID(), x.outcome)
			line := fmt.Sprintf("mailwhy events %s --cause %s --outcome %s%s %s | wc -l", window, c.Cause.ID(), x.outcome, host, files)
			if gives > 0 {
				b.out.Commands = append(b.out.Commands, Command{What: x.what, Line: line, Gives: gives})
			}
		}
		if x.outcome == smtp.Deferred || x.outcome == smtp.Bounced || x.outcome == smtp.Rejected {
			host, _ := b.narrow(b.out.Cause.ID(), x.outcome)
			line := fmt.Sprintf("mailwhy events %s --cause %s --outcome %s%s %s | jq -r '.smtp.envelope.to // empty' | sort -u | wc -l", window, b.out.Cause.ID(), x.outcome, host, files)
			b.out.Commands = append(b.out.Commands, Command{What: "recipients", Line: line})
		}
	}
	for _, c := range b.out.Causes {
		events := fmt.Sprintf("mailwhy events %s --cause %s --direction inbound %s | jq -c ", window, c.Cause.ID(), files)
		if n := b.linesOf(Logins, c.Cause); n > 0 {
			b.out.Commands = append(b.out.Commands, Command{What: "logins", Line: events + `'select(.smtp.event == "auth" and .source)' | wc -l`, Gives: n})
		}
		if n := b.linesOf(Sessions, c.Cause); n > 0 {
			which := `'select(.smtp.event == "tls" or ((.smtp.event | IN("lost", "timeout", "closed")) and .smtp.stage != "STARTTLS"))'`
			b.out.Commands = append(b.out.Commands, Command{What: "broken_sessions", Line: events + which + " | wc -l", Gives: n})
		}
	}
	b.out.Commands = append(b.out.Commands,
		Command{What: "report", Line: fmt.Sprintf("mailwhy report %s %s", window, files)},
		Command{What: "window", Line: fmt.Sprintf("mailwhy incident %s --cause %s %s", window, b.out.Cause.ID(), files)})
}

// linesOf is how many lines of a kind show a cause in the window.
func (b *builder) linesOf(of Kind, cause knowledge.Cause) (n int64) {
	if !slices.ContainsFunc(b.series, func(s *series) bool { return s.of == of && s.cause == cause }) {
		return 0
	}
	for _, s := range b.Finder.all {
		if s.of == of && s.cause == cause && s.direction == smtp.Inbound {
			n += b.in(s)
		}
	}
	return n
}

// narrow returns the flag that leaves the parties out that are not hit, where it is needed
// and there is one, and what a command with it gives.
func (b *builder) narrow(cause string, o smtp.Outcome) (flag string, gives int64) {
	all, hit, own := int64(0), int64(0), int64(0)
	for _, s := range b.Finder.all {
		if s.cause.ID() != cause || s.of != Failures {
			continue
		}
		n := int64(0)
		s.within(b.from, b.to, func(r *record) {
			if r.outcome == o {
				n += int64(max(r.count, 1))
			}
		})
		all += n
		if b.out.Scope == One && b.parties.all[s.party].name == b.out.Party {
			own += n
		}
		for _, x := range b.series {
			if x == s {
				hit += n
			}
		}
	}
	if hit == 0 {
		return "", 0
	}
	if domain := b.onlyHostDomain(); domain != "" && all != hit {
		return " --host=" + quote(domain), own
	}
	return "", all
}

// onlyHostDomain is the domain that all hosts of the other side are in; "" where there are
// several, or none.
func (b *builder) onlyHostDomain() string {
	domain := ""
	for _, w := range b.out.Hit.Hosts {
		d := hostDomain(w.Name)
		if domain != "" && d != domain {
			return ""
		}
		domain = d
	}
	return domain
}

// fileArgs are the files that were read, for a shell.
func (b *builder) fileArgs() string {
	var out []string
	for _, f := range b.found.Coverage.Files {
		out = append(out, quote(f.Path))
	}
	if len(out) > mostFiles {
		out = append(out[:mostFiles], "...")
	}
	return strings.Join(out, " ")
}

// mostFiles is how many files are named in a command.
const mostFiles = 6

// quote quotes a word for a shell where it has to be.
func quote(s string) string {
	if strings.HasPrefix(s, "-") {
		s = "./" + s // a file, and no flag
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-/@:+,", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
