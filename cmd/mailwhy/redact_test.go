package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/publicsuffix"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// redactable are the commands that print what logs say, with what they need besides files. A
// command that reads files and does not stand here fails the test, so that none is forgotten.
var redactable = map[string][]string{
	"report":   {"--section", "files,sessions,messages,causes,codes,peers,senders,recipients"},
	"sessions": {"--all"},
	"events":   {"--all"},
	"tail":     {"--from-start", "--until-caught-up", "--all"},
	"redact":   nil,
	"incident": nil,
	"trace":    {"@example.net"},
	"check":    {"--max-bounced", "2%", "--max-cause", "blocklisted=0"},
}

// unredactable are the commands that have files and no --redact, and why.
var unredactable = map[string]string{
	"rules check":   "reads rules, which the user wrote",
	"alerts replay": "shows the user his own alerts",
	"alerts":        "shows the user his own alerts",
}

// logSets are what is read at a time.
func logSets(t *testing.T) map[string][]string {
	t.Helper()
	sets := map[string][]string{}
	for name, pattern := range map[string]string{"postfix": "testdata/postfix/*.log", "exim": "testdata/exim/*.log", "transcript": "testdata/transcript/*.txt", "servers": "testdata/*/server-*.log.gz"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		sets[name] = files
	}
	return sets
}

// formatsOf are the output formats of a command, as its refusal of another one lists them.
func formatsOf(t *testing.T, command string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	args := append([]string{command}, redactable[command]...)
	if run(append(args, "-o", "nonsense", postfixLog), nil, &out, &errs) != exitUsage {
		t.Fatalf("%s -o nonsense was taken", command)
	}
	if strings.Contains(errs.String(), "unknown flag -o") {
		return []string{""}
	}
	_, list, ok := strings.Cut(errs.String(), "there is ")
	if !ok {
		_, list, ok = strings.Cut(errs.String(), "must be one of ")
	}
	list, _, _ = strings.Cut(strings.SplitN(list, ";", 2)[0], " but ")
	var formats []string
	for f := range strings.SplitSeq(list, ",") {
		formats = append(formats, strings.Trim(f, " \n\""))
	}
	if !ok || len(formats) == 0 {
		t.Fatalf("%s tells no formats: %s", command, errs.String())
	}
	return formats
}

// TestRedactKnowsAllCommands: a new command that reads logs is tried like the others.
func TestRedactKnowsAllCommands(t *testing.T) {
	var c cli
	parser, err := kong.New(&c, kong.Vars{"version": "", "causes": "", "languages": ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		name := strings.TrimPrefix(leaf.Path(), "mailwhy ")
		reads, hides := false, false
		for _, f := range leaf.Flags {
			reads, hides = reads || f.Name == "format", hides || f.Name == "redact"
		}
		_, tried := redactable[name]
		switch {
		case reads && !hides:
			t.Errorf("%s reads logs and has no --redact: embed inputFlags, or redactFlags", name)
		case reads && !tried && unredactable[name] == "":
			t.Errorf("%s reads logs and is not tried with --redact: it belongs into the table redactable", name)
		}
	}
}

// TestRedact: no name of the input stands in any output of any command, but for public ones;
// and what was counted is the same.
func TestRedact(t *testing.T) {
	root(t)
	t.Setenv("MAILWHY_REDACT_KEY", filepath.Join(t.TempDir(), "key"))
	for set, files := range logSets(t) {
		secret := namesIn(t, files)
		for command, more := range redactable {
			if command == "tail" && (set == "transcript" || set == "servers") {
				continue // what is followed is neither
			}
			for _, format := range formatsOf(t, command) {
				if set == "servers" && !strings.HasSuffix(format, "json") {
					continue // it is much, and JSON has all of it
				}
				read := files
				if command == "incident" && set == "exim" {
					read = []string{"testdata/exim/main.log"} // the others are of other years
				}
				args := slices.Concat([]string{command, "--tz", "UTC", "--year", "2026"}, more, read)
				if format != "" {
					args = append(args, "-o", format)
				}
				t.Run(fmt.Sprintf("%s %s %s", set, command, format), func(t *testing.T) {
					var out, errs, plain, plainErrs bytes.Buffer
					if status, want := run(append(args, "--redact"), nil, &out, &errs), run(args, nil, &plain, &plainErrs); status != want {
						t.Errorf("exit status %d with --redact, %d without: %s", status, want, errs.String())
					}
					secret.lookFor(t, out.String()+errs.String())
					if command != "tail" && command != "redact" { // the order of several logs' lines is by chance
						sameCounts(t, format, plain.String(), out.String())
					}
				})
			}
		}
	}
}

// names are what must not be found.
type names struct {
	hosts, ips map[string]bool
	public     *knowledge.Public
}

var (
	mailLike = regexp.MustCompile(`[^\s<>()\[\]"',;:=|\\{}]+@[-A-Za-z0-9._]+`)
	ipLike   = regexp.MustCompile(`(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}`)
	nameLike = regexp.MustCompile(`[A-Za-z0-9_][-A-Za-z0-9._]*[A-Za-z0-9]`)
)

// namesIn gathers what names somebody: by the fields of the events, and by the looks of the text.
func namesIn(t *testing.T, files []string) *names {
	t.Helper()
	n := &names{hosts: map[string]bool{}, ips: map[string]bool{}, public: &knowledge.Load().Public}
	out := mailwhy(t, nil, append([]string{"events", "--all", "--tz", "UTC", "--year", "2026"}, files...)...)
	for line := range strings.Lines(out) {
		var ev struct {
			Host                struct{ Name string }
			Source, Destination struct{ Domain, IP string }
			Email               struct {
				MessageID string `json:"message_id"`
			}
			User struct{ Name string }
			SMTP struct {
				Helo     string
				Envelope struct {
					From, To string
					Original string `json:"original_to"`
				}
			}
		}
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{
			ev.Host.Name, ev.Source.Domain, ev.Destination.Domain, ev.Email.MessageID, ev.User.Name, ev.SMTP.Helo,
			ev.SMTP.Envelope.From, ev.SMTP.Envelope.To, ev.SMTP.Envelope.Original,
		} {
			n.add(s)
		}
		n.addIPs(ev.Source.IP + " " + ev.Destination.IP)
	}
	for _, file := range files {
		text := plainText(t, file)
		for _, s := range mailLike.FindAllString(text, -1) {
			n.add(s)
		}
		for _, s := range nameLike.FindAllString(text, -1) {
			if suffix, icann := publicsuffix.PublicSuffix(strings.ToLower(s)); icann && strings.Contains(s, ".") && suffix != strings.ToLower(s) || strings.HasSuffix(s, ".example") {
				n.addHost(s)
			}
		}
		n.addIPs(text)
		n.hosts[strings.ToLower(file)] = true
	}
	if len(n.hosts) < 20 || len(n.ips) < 10 {
		t.Fatalf("only %d names and %d IPs were found in %v", len(n.hosts), len(n.ips), files)
	}
	return n
}

func plainText(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(file, ".gz") {
		return string(raw)
	}
	packed, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (n *names) add(s string) {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		n.addHost(s[i+1:])
		s = s[:i]
	}
	n.addHost(s)
}

// addHost adds a name, unless it is public, a word, or too short to be anybody's.
func (n *names) addHost(s string) {
	s = strings.ToLower(strings.Trim(s, ".-_<>[]\"' "))
	if len(s) < 4 || strings.Trim(s, "0123456789.") == "" || slices.Contains(n.public.Words, s) || slices.Contains(n.public.Paths, s) || nameLike.FindString(s) != s || n.isPublic(s) {
		return
	}
	if !slices.Contains([]string{"vacation", "discarded", "special", "nosuchuser", "meta", "hidden", "away", "offers", "swaks", "extra"}, s) { // routers, outcomes, pages and HTML's words are called so, too
		n.hosts[s] = true
	}
}

// isPublic reports the name of a provider or a blocklist. What others are called under it is not.
func (n *names) isPublic(s string) bool {
	return slices.ContainsFunc(n.public.Domains, func(d string) bool {
		before, under := strings.CutSuffix(s, "."+d)
		return s == d || strings.HasSuffix(d, "."+s) || under && !strings.ContainsFunc(before, func(c rune) bool { return c >= 0x80 }) && n.general(before)
	})
}

// general reports names of servers that only tell what they are for.
func (n *names) general(before string) bool {
	for part := range strings.FieldsFuncSeq(before, func(c rune) bool { return c == '.' || c == '-' }) {
		if word := strings.TrimRight(part, "0123456789"); word != "" && !slices.Contains(n.public.Labels, word) {
			return false
		}
	}
	return true
}

func (n *names) addIPs(text string) {
	for _, s := range ipLike.FindAllString(text, -1) {
		if a, err := netip.ParseAddr(s); err == nil && a.Unmap().String() != "127.0.0.1" && !(a.Is6() && len(strings.FieldsFunc(s, func(c rune) bool { return c == ':' })) < 3) && a != netip.IPv6Loopback() && !a.IsUnspecified() {
			n.ips[a.Unmap().String()] = true
		}
	}
}

// lookFor fails where one of the names stands in an output.
func (n *names) lookFor(t *testing.T, out string) {
	t.Helper()
	looked := map[string]bool{}
	failed := 0
	out = strings.NewReplacer("tobr@rx.t-online.de", "", "a@example.net", "", "a&#64;example.net", "", "--server mx.example.org", "", "you@example.com", "", "you@example.org", "").Replace(out) // our own words
	for line := range strings.Lines(strings.NewReplacer("&#64;", "@", "&#46;", ".", "&#58;", ":", `\`, "", "&#39;", "'").Replace(out)) {
		for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return c <= ' ' || strings.ContainsRune("<>()[]\"',;=|{}", c) }) {
			if looked[word] {
				continue
			}
			looked[word] = true
			if left := n.leftIn(word); left != "" {
				t.Errorf("%s is still there: %.500s", left, line)
				if failed++; failed > 12 {
					return
				}
			}
		}
	}
}

// leftIn returns a name that stands in a word, "" for none.
func (n *names) leftIn(word string) string {
	for _, s := range nameLike.FindAllString(strings.ToLower(word), -1) {
		for rest, more := s, true; more; _, rest, more = strings.Cut(rest, ".") {
			if n.hosts[rest] {
				return rest
			}
		}
	}
	for _, s := range mailLike.FindAllString(word, -1) {
		if local, _, _ := strings.Cut(s, "@"); local != "postmaster" && !strings.Contains(local, "user-") && !strings.Contains(local, "id-") && strings.ContainsAny(local, "abcdefghijklmnopqrstuvwxyz") {
			return s
		}
	}
	for _, s := range ipLike.FindAllString(word, -1) {
		if a, err := netip.ParseAddr(s); err == nil && n.ips[a.Unmap().String()] {
			return s
		}
	}
	return ""
}

// kept are the fields whose texts are the same with --redact.
var kept = []string{
	"@timestamp", "event", "kind", "start", "end", "first", "last", "direction", "stage", "enhanced_code", "cause", "title", "class", "severity", "actor", "basis",
	"provider", "outcome", "format", "fix", "code", "protocol", "dsn", "local_id", "flag", "router", "transport", "version", "cipher", "state",
}

// sameCounts holds that two outputs say the same, but for the names.
func sameCounts(t *testing.T, format, plain, redacted string) {
	t.Helper()
	a, b := strings.Split(plain, "\n"), strings.Split(redacted, "\n")
	if format == "csv" && len(a) != len(b) {
		t.Errorf("%d lines without --redact, %d with it", len(a), len(b))
	}
	if format == "json" {
		a, b = []string{plain}, []string{redacted}
	} else if format != "ndjson" {
		return
	}
	if len(a) != len(b) {
		t.Fatalf("%d lines without --redact, %d with it", len(a), len(b))
	}
	for i := range a {
		if a[i] == "" && b[i] == "" {
			continue
		}
		var x, y any
		if err := json.Unmarshal([]byte(a[i]), &x); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(b[i]), &y); err != nil {
			t.Fatal(err)
		}
		x, y = measured(x), measured(y)
		if diff := cmp.Diff(withoutNames("", x), withoutNames("", y)); diff != "" {
			t.Fatalf("line %d says something else with --redact (-without +with):\n%s", i+1, diff)
		}
	}
}

// measured leaves of a report of incidents what there was and when. What is listed as far as
// there is room, and told apart by its spelling, may be other names of equal weight.
func measured(v any) any {
	all, ok := v.(map[string]any)
	if !ok || all["incidents"] == nil {
		return v
	}
	out := map[string]any{"coverage": all["coverage"], "whole": all["whole"]}
	for i, in := range all["incidents"].([]any) {
		in := in.(map[string]any)
		out[fmt.Sprint(i)] = []any{in["start"], in["end"], in["cause"], in["direction"]}
	}
	return out
}

// withoutNames blanks the texts of a JSON value, and puts lists into an order that does not
// depend on them.
func withoutNames(key string, v any) any {
	switch v := v.(type) {
	case string:
		if slices.Contains(kept, key) {
			return v
		}
		return ""
	case map[string]any:
		delete(v, "redacted")
		for k := range v {
			v[k] = withoutNames(k, v[k])
		}
	case []any:
		for i := range v {
			v[i] = withoutNames(key, v[i])
		}
		slices.SortStableFunc(v, func(a, b any) int {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			return bytes.Compare(x, y)
		})
	}
	return v
}

// TestRedactExplain: what was asked about is repeated with pseudonyms, in every format.
func TestRedactExplain(t *testing.T) {
	root(t)
	t.Setenv("MAILWHY_REDACT_KEY", filepath.Join(t.TempDir(), "key"))
	files := []string{"testdata/postfix/smtp.log", "testdata/postfix/smtpd.log", "testdata/postfix/real.log"}
	secret := namesIn(t, files)
	for _, format := range []string{"text", "json", "ndjson", "md"} {
		for _, file := range files {
			out := mailwhy(t, strings.NewReader(plainText(t, file)), "explain", "--redact", "-o", format, "-")
			if len(out) < 1000 {
				t.Errorf("%s -o %s: next to nothing: %s", file, format, out)
			}
			secret.lookFor(t, out)
		}
	}
}

// TestRedactKey: a key is made once, for its owner alone, and pseudonyms last as long as it.
func TestRedactKey(t *testing.T) {
	root(t)
	key := filepath.Join(t.TempDir(), "state", "key")
	args := []string{"events", "--redact", "--redact-key", key, postfixLog}
	first := mailwhy(t, nil, args...)
	if info, err := os.Stat(key); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key file: %v, %v", info, err)
	}
	if mailwhy(t, nil, args...) != first {
		t.Error("the same key gives other pseudonyms in another run")
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if run(args, nil, &out, &errs) != exitUsage || !strings.Contains(errs.String(), "chmod 600") || out.Len() > 0 {
		t.Errorf("a key that others can read is taken: %s", errs.String())
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if mailwhy(t, nil, args...) == first {
		t.Error("another key gives the same pseudonyms")
	}
}

// TestRedactBundle: nor does a file that incident --bundle writes name anybody.
func TestRedactBundle(t *testing.T) {
	root(t)
	t.Setenv("MAILWHY_REDACT_KEY", filepath.Join(t.TempDir(), "key"))
	files := logSets(t)["servers"]
	secret := namesIn(t, files)
	dir := filepath.Join(t.TempDir(), "bundle")
	mailwhy(t, nil, slices.Concat([]string{"incident", "--redact", "--year", "2026", "--tz", "UTC", "--bundle", dir}, files)...)
	written, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(written) < 3 {
		t.Fatalf("%v in the bundle, %v", written, err)
	}
	for _, file := range written {
		secret.lookFor(t, plainText(t, file))
	}
}
