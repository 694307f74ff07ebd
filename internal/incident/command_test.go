package incident

import (
	"os/exec"
	"testing"
)

// A name is one word of a shell's, whatever stands in it, and no flag.
func TestQuote(t *testing.T) {
	for _, s := range []string{"mail.log", "a b", "$(id)", "`id`", "it's", "a;b|c&d>e<f", "*", "~", "!x", "a\\b", "# no", "-rf", "--since", "x=y", "ü", ""} {
		out, err := exec.Command("sh", "-c", "printf '%s|' "+quote(s)).Output()
		want := s
		if s != "" && s[0] == '-' {
			want = "./" + s
		}
		if err != nil || string(out) != want+"|" {
			t.Errorf("%q: %q, %v", s, out, err)
		}
	}
}
