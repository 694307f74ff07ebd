package laws

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// asked finds phrases that are asked for by their whole key, listed those that stand in
// tables before they are, built those that are put
// together of a prefix and something.
var (
	asked  = regexp.MustCompile(`\b(?:Text|text|name|each|add)\((?:[&\w.+]+, )?"([a-z_.]+)"`)
	listed = regexp.MustCompile(`"((?:dash|people|trace)\.[a-z_]+)"`)
	built  = regexp.MustCompile(`Text\((?:fmt\.Sprintf\()?"([a-z]+\.)(?:%d|"\s*\+)`)
)

// Every phrase that a command asks for is there, in every language, and every phrase that
// is there is asked for by somebody.
func TestPhrases(t *testing.T) {
	used := map[string]bool{}
	var prefixes []string
	for _, dir := range []string{"../report", "../dashboard", "../../cmd/mailwhy"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range asked.FindAllStringSubmatch(string(src), -1) {
				used[m[1]] = true
			}
			for _, m := range listed.FindAllStringSubmatch(string(src), -1) {
				used[m[1]] = true
			}
			for _, m := range built.FindAllStringSubmatch(string(src), -1) {
				prefixes = append(prefixes, m[1])
			}
		}
	}
	words := knowledge.In(knowledge.English)
	keys := words.Keys()
	known := map[string]bool{}
	for _, key := range keys {
		known[key] = true
		_, short, _ := strings.Cut(key, ".")
		if !used[key] && !used[short] && !hasPrefix(key, prefixes) {
			t.Errorf("nobody asks for the phrase %q: take it out of lang/", key)
		}
	}
	for key := range used {
		if strings.Contains(key, ".") && !known[key] && words.Text(key) == "" && !strings.HasSuffix(key, ".") {
			t.Errorf("there is no phrase %q in lang/en.toml", key)
		}
	}
}

func hasPrefix(key string, prefixes []string) bool {
	for _, p := range prefixes {
		// What is put together of a prefix and a digit; names have been found by themselves.
		if rest, ok := strings.CutPrefix(key, p); ok && len(rest) == 1 && rest >= "0" && rest <= "9" {
			return true
		}
	}
	return false
}
