package laws

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const module = "github.com/mailwhy/mailwhy/"

// allowed says what each package of ours may import of ours. Data moves from the source
// to the report and nothing calls back up.
var allowed = map[string][]string{
	"parsers/smtp":       {},
	"parsers/syslog":     {"parsers/smtp"},
	"parsers/postfix":    {"parsers/smtp", "parsers/syslog"},
	"parsers/exim":       {"parsers/smtp", "parsers/syslog"},
	"parsers/transcript": {"parsers/smtp", "parsers/syslog"},
	"parsers":            {"parsers/smtp", "parsers/syslog", "parsers/postfix", "parsers/exim", "parsers/transcript"},
	"internal/source":    {},
	"internal/pipeline":  {"parsers/smtp"},
	"internal/index":     {},
	"internal/session":   {"internal/index", "parsers/smtp"},
	"internal/glance":    {"internal/session", "parsers/exim", "parsers/postfix", "parsers/smtp", "parsers/syslog"}, // it says what they say
	"internal/knowledge": {"parsers/smtp"},
	"internal/classify":  {"internal/knowledge", "parsers/smtp"},
	"internal/alert":     {"internal/classify", "internal/filter", "internal/knowledge", "internal/summary", "parsers/smtp"},
	"internal/trace":     {"internal/pipeline", "internal/session", "parsers/smtp"},
	"internal/dashboard": {"internal/classify", "internal/knowledge", "internal/live", "internal/report", "parsers/smtp"},
	"internal/filter":    {"parsers/smtp"},
	"internal/redact":    {"internal/knowledge", "parsers/smtp"},
	"internal/summary":   {"internal/index", "internal/knowledge", "parsers/smtp"},
	"internal/incident":  {"internal/classify", "internal/index", "internal/knowledge", "internal/summary", "parsers/smtp"},
	"internal/live":      {"internal/classify", "internal/knowledge", "internal/session", "internal/summary", "parsers/smtp"},
	"internal/report":    {"internal/alert", "internal/incident", "internal/live", "internal/classify", "internal/knowledge", "internal/session", "internal/summary", "internal/trace", "parsers/smtp"},
	"internal/config":    {"internal/source"},
	"internal/metrics":   {"internal/knowledge", "internal/session", "internal/summary", "parsers/smtp"},
}

// keepers are the packages of others that one place of ours, or two, keeps to itself, and why.
var keepers = map[string]struct{ places, why string }{
	"github.com/alecthomas/kong":         {"cmd/mailwhy", "the command line is one place's business"},
	"github.com/olekukonko/tablewriter":  {"internal/report", "what a table looks like is one place's business"},
	"charm.land/bubbletea/v2":            {"internal/dashboard", "a whole terminal is one place's business"},
	"github.com/hpcloud/tail":            {"internal/source", "a followed log is a source like the others"},
	"github.com/fsnotify/fsnotify":       {"internal/source", "a followed log is a source like the others"},
	"github.com/klauspost/compress/gzip": {"internal/source", "whoever parses gets plain bytes"},
	"github.com/klauspost/compress/zstd": {"internal/source", "whoever parses gets plain bytes"},
	"github.com/BurntSushi/toml":         {"internal/knowledge internal/config", "knowledge is data with one reader, and so is the configuration"},

	"github.com/prometheus/client_golang": {"internal/metrics", "what Prometheus is told is one place's business"},
}

type pkg struct {
	ImportPath   string
	Doc          string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Dir,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		may, ruled := allowed[name]
		for _, imported := range p.Imports {
			for outside, keeper := range keepers {
				if (imported == outside || strings.HasPrefix(imported, outside+"/")) && !slices.Contains(strings.Fields(keeper.places), name) {
					t.Errorf("%s imports %s, which only %s may: %s", name, imported, keeper.places, keeper.why)
				}
			}
			ours, isOurs := strings.CutPrefix(imported, module)
			if isOurs && ruled && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s: it may import %v of ours only, because data moves one way", name, ours, may)
			}
		}
		if !ruled && !strings.HasPrefix(name, "cmd/") && !strings.HasPrefix(name, "internal/testlog") && name != "internal/e2e" && name != "internal/laws" {
			t.Errorf("%s has no rule of what it may import: add it to the table", name)
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.Doc) < 20 {
			t.Errorf("%s does not say what it is for: give it a package comment", p.ImportPath)
		}
	}
}

// TestSamples holds that each format has samples with what they yield, and that each
// kind of event stands in one.
func TestSamples(t *testing.T) {
	kinds := map[string]bool{}
	for _, f := range parsers.Formats {
		dir := filepath.Join("..", "..", "testdata", f.Name)
		golden, err := filepath.Glob(filepath.Join(dir, "*.events"))
		if err != nil || len(golden) == 0 {
			t.Errorf("%s has no samples: a format needs %s/NAME.log and NAME.events", f.Name, dir)
		}
		for _, g := range golden {
			data, err := os.ReadFile(g)
			if err != nil {
				t.Fatal(err)
			}
			for line := range bytes.Lines(data) {
				var ev struct {
					SMTP struct{ Event string } `json:"smtp"`
				}
				if err := json.Unmarshal(line, &ev); err != nil {
					t.Fatalf("%s: %v", g, err)
				}
				kinds[ev.SMTP.Event] = true
			}
		}
	}
	for k := smtp.Kind(0); int(k) < smtp.NumKinds; k++ {
		if !kinds[k.String()] && k != smtp.KindUnknown && k != smtp.KindForeign {
			t.Errorf("no sample in testdata yields the event kind %q", k)
		}
	}
}

// TestTopLevel holds that the top of the repository stays as small as it is meant to be.
func TestTopLevel(t *testing.T) {
	out, err := exec.Command("git", "-C", filepath.Join("..", ".."), "ls-files").Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	may := []string{"cmd", "internal", "parsers", "testdata", "go.mod", "go.sum", "Makefile", "README.md", "LICENSE", ".ci", ".gitignore", ".gitattributes"}
	for line := range strings.Lines(string(out)) {
		if top, _, _ := strings.Cut(strings.TrimSpace(line), "/"); !slices.Contains(may, top) {
			t.Errorf("%s stands at the top level, which holds only %v", top, may)
		}
	}
}
