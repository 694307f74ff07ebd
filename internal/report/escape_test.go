package report

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"héllo":                 "héllo",
		"a\tb\r\nc":             "a b  c",
		"\x1b[2J\x07":           "?[2J?",
		"\u202eevil\u2066":      "?evil?",
		"\u009b31m":             "?31m",
		"\xff\xfe":              "??",
		"a\x00b\x7f":            "a?b?",
		"\ufeffx\u2028y\u2029z": "?x?y?z",
	} {
		if got := strings.ReplaceAll(Printable(in), "\ufffd", "?"); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"":              "",
		"a=b":           "a=b",
		"-12":           "-12",
		"+1.5":          "+1.5",
		"=1+1":          "'=1+1",
		"@SUM(A1)":      "'@SUM(A1)",
		"-2+3":          "'-2+3",
		" =1":           "' =1",
		"\t=1":          "' =1",
		"\"=1":          "'\"=1",
		"'=1":           "''=1",
		"\u00a0+cmd|x":  "'\u00a0+cmd|x",
		"\uff1dcmd":     "'\uff1dcmd",
		"- list":        "'- list",
		"'quoted' word": "'quoted' word",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"a|b":                  `a\|b`,
		"`x`":                  "\\`x\\`",
		"<script>":             "&lt;script&gt;",
		"[x](javascript:y)":    `\[x\]\(javascript:y\)`,
		"http://e.example":     "http&#58;//e.example",
		"www.e.example":        "www&#46;e.example",
		"a@e.example":          "a&#64;e.example",
		`a\|b`:                 `a\\\|b`,
		"&lt;":                 "&amp;lt;",
		"line\n# not a header": `line \# not a header`,
		"ask @admin":           "ask &#64;&#8203;admin",
		"#12 !3 ~bug %4":       `\#&#8203;12 \!&#8203;3 \~&#8203;bug %&#8203;4`,
		"2001:db8:7a:b::1 :x:": "2001:db8:7a:&#8203;b::1 :&#8203;x:",
		"12:30:45, 99 %":       "12:30:45, 99 %",
	} {
		if got := markdown(in); got != want {
			t.Errorf("markdown(%q) = %q, want %q", in, got, want)
		}
	}
}

// active is what may not stand in Markdown once its escapes are taken away.
var active = regexp.MustCompile("[|`<>*_\\[\\]()!~$]|://|www\\.|@")

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"550 5.1.1 no", "\x1b]0;x\x07", "=1+1", "a|b`<b>[x](y)", "\xff\u202e\u009b", "\x00\x01", "http://www.a@b"} {
		f.Add(s)
	}
	escape := regexp.MustCompile(`\\.`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range []string{printable(s), cell(s), markdown(s)} {
			for _, r := range out {
				if r != utf8.RuneError && harmful(r) {
					t.Fatalf("%q has %q", out, r)
				}
			}
		}
		if c := strings.TrimLeftFunc(cell(s), unicode.IsSpace); c != "" && strings.ContainsRune("=@", rune(c[0])) {
			t.Fatalf("a formula: %q", c)
		}
		if m := escape.ReplaceAllString(markdown(s), ""); active.MatchString(m) {
			t.Fatalf("markup in %q", markdown(s))
		}
		got := appendString(nil, []byte(s))
		var back string
		if err := json.Unmarshal(got, &back); err != nil {
			t.Fatalf("%s: %v", got, err)
		}
		if want := strings.ToValidUTF8(s, "\x00"); utf8.ValidString(s) && back != want {
			t.Fatalf("%q came back as %q", s, back)
		}
		standard, _ := json.Marshal(map[string]string{"s": s})
		for _, out := range [][]byte{got, quiet(standard)} {
			for _, r := range string(out) {
				if r != utf8.RuneError && harmful(r) {
					t.Fatalf("%q has %q", out, r)
				}
			}
		}
		var one, two map[string]string
		if json.Unmarshal(standard, &one) != nil || json.Unmarshal(quiet(standard), &two) != nil || one["s"] != two["s"] {
			t.Fatalf("quiet changed %q to %q", one["s"], two["s"])
		}
	})
}
