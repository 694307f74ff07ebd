package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const text = `# ours
lang = "tr"
"color" = 'never'

[tail]
files = [
  "/var/log/mail.log", # listen = "here"
]
listen = ":9925"
note = """
lang = "en"
"""

[report]
top = 3

[empty]

[[alert]]
name = "first"
count = 3

[[alert]]
name = "second"
[[rule]]
id = "x"
`

func TestSettings(t *testing.T) {
	f, err := Parse("dir/m.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Setting{
		{"", "lang", "tr", 2}, {"", "color", "never", 3},
		{"tail", "files", []any{"/var/log/mail.log"}, 6}, {"tail", "listen", ":9925", 9}, {"tail", "note", "lang = \"en\"\n", 10},
		{"report", "top", int64(3), 15}, {"", "empty", map[string]any{}, 17},
	}
	if diff := cmp.Diff(want, f.Settings); diff != "" {
		t.Error(diff)
	}
	if !f.Has("alert") || !f.Has("rule") || f.Has("tail") {
		t.Error("lists")
	}
	if diff := cmp.Diff(map[string]int{"alert": 19, "rule": 25}, f.Lists()); diff != "" {
		t.Error(diff)
	}
	if f.Get("report", "lang") != "tr" || f.Get("report", "top") != int64(3) || f.Get("sessions", "top") != nil {
		t.Error("Get")
	}
	if f.Beside("a") != "dir/a" || f.Beside("/a") != "/a" || f.Beside("-") != "-" {
		t.Error("Beside")
	}
	if (*File)(nil).Get("a", "b") != nil {
		t.Error("no file has a value")
	}
}

type alert struct {
	Name  string
	Count int
}

func fine(*alert) error { return nil }

func TestRows(t *testing.T) {
	f, _ := Parse("m.toml", []byte(text))
	rows, err := Rows(f, "alert", fine)
	if err != nil || len(rows) != 2 || rows[0] != (alert{"first", 3}) {
		t.Fatalf("%v %v", rows, err)
	}
	if rows, err := Rows[alert](nil, "alert", fine); rows != nil || err != nil {
		t.Error("rows of no file")
	}
	if _, err = Rows(f, "alert", func(a *alert) error {
		if a.Count == 0 {
			return errors.New("no count; give one")
		}
		return nil
	}); err == nil || err.Error() != "m.toml:23: no count; give one" {
		t.Error(err)
	}
}

func TestWrong(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a = ", "m.toml:1: "},
		{"a = 1\na = 2", "m.toml:2: "},
		{"[[alert]]\nname = \"x\"\n\n[[alert]]\ncuont = 3", `m.toml:5: unknown key "cuont" in [[alert]]; did you mean count?`},
		{"[[alert]]\n\nname = 3", "m.toml:3: "},
		{"[[alert]]\n[alert.sub]\nx = 3", `m.toml:1: unknown key "sub" in [[alert]]; there are name, count`},
	} {
		f, err := Parse("m.toml", []byte(c.text))
		if err == nil {
			_, err = Rows(f, "alert", fine)
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v", c.text, err)
		}
	}
	if _, err := Read("/dev/zero"); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Error(err)
	}
	if _, err := Read("nothing.toml"); err == nil || !strings.Contains(fmt.Sprint(err), "nothing.toml") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(text)
	f.Add("[a.b]\nc = 1\n[[a.d]]\n")
	f.Add("a = {b = 1}\n'x.y' = 3")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse("m.toml", []byte(text))
		if err != nil {
			return
		}
		for _, s := range file.Settings {
			if s.Line < 1 {
				t.Errorf("%v stands on no line", s)
			}
		}
		for name := range file.Lists() {
			Rows(file, name, func(*alert) error { return nil })
		}
	})
}

// A file of nothing but faults does not keep one waiting, nor fill the screen.
func TestManyFaults(t *testing.T) {
	var b strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&b, "[[alert]]\nx%d = 1\n", i)
	}
	f, err := Parse("m.toml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = Rows(f, "alert", fine); err == nil || strings.Count(err.Error(), "\n") != MaxWrong-1 {
		t.Errorf("%d lines", strings.Count(fmt.Sprint(err), "\n")+1)
	}
}
