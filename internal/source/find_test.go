package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tree makes files in a directory of its own and works in it. "a -> b" is a symbolic link,
// "a = b" a hard link, "a/" a directory; all others are files.
func tree(t *testing.T, entries ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, entry := range entries {
		var err error
		if link, target, ok := strings.Cut(entry, " -> "); ok {
			err = errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Symlink(target, link))
		} else if link, target, ok := strings.Cut(entry, " = "); ok {
			err = errors.Join(os.MkdirAll(filepath.Dir(link), 0o700), os.Link(target, link))
		} else if strings.HasSuffix(entry, "/") {
			err = os.MkdirAll(entry, 0o700)
		} else {
			err = errors.Join(os.MkdirAll(filepath.Dir(entry), 0o700), os.WriteFile(entry, []byte(entry), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestFind(t *testing.T) {
	deep := strings.Repeat("d/", MaxDepth+1)
	for _, c := range []struct {
		name, tree, args, want string
		errs                   []string // each part of the error of its place
	}{
		{"files in the order given", "b a c", "c a b", "c a b", nil},
		{"a file twice", "a b", "a b a ./a", "a b", nil},
		{"links to one file", "a|s -> a|h = a|b", "s a h b", "s b", nil},
		{"a pattern", "m.log m.log.1 m.log.2.gz other", "m.log*", "m.log m.log.1 m.log.2.gz", nil},
		{"a file named like a pattern", "m[1].log m1.log", "m[1].log", "m[1].log", nil},
		{"a pattern over what was named", "a b c", "b *", "b a c", nil},
		{"a pattern that finds directories", "x/a y/b", "*", "x/a y/b", nil},
		{"a pattern that finds nothing", "a", "x* a", "a", []string{"x*: no file matches"}},
		{"a broken pattern", "a", "[x a", "a", []string{"[x: not a pattern"}},
		{"a pattern over a dead link", "a|m -> gone", "m*|a", "a", []string{"m: a link that leads nowhere"}},
		{"a directory", "d/b d/a d/.hidden d/s/c d/.s/d", "d", "d/a d/b d/s/c", nil},
		{"the working directory", "b a", ".", "a b", nil},
		{"an empty directory", "d/ d/e/ d/.f a", "d a", "a", []string{"d: a directory without files"}},
		{"a directory of what was named", "d/a", "d/a d d", "d/a", nil},
		{"a directory twice", "d/a|e -> d", "d e d/a", "d/a", nil},
		{"a link to a directory", "d/a|e/l -> ../d", "e", "e/l/a", nil},
		{"a loop", "d/a|d/e/b|d/e/up -> ..", "d", "d/a d/e/b", []string{"d/e/up: a link that leads back"}},
		{"a loop to itself", "d/a|d/me -> .", "d", "d/a", []string{"d/me: a link that leads back"}},
		{"a circle of links", "d/a|d/x -> y|d/y -> x", "d", "d/a", []string{"d/x: a link that leads nowhere", "d/y: a link that leads nowhere"}},
		{"a dead link", "d/a|d/x -> gone", "d", "d/a", []string{"d/x: a link that leads nowhere"}},
		{"too deep", deep + "a|" + deep + "d/b", "d", deep + "a", []string{deep + "d: lies too deep"}},
		{"nothing there", "mail.log.1 a", "mail.log a", "a", []string{"mail.log: no such file; did you mean mail.log.1?"}},
		{"a slip", "d/mail.log d/syslog", "d/mial.log", "", []string{"d/mial.log: no such file; did you mean d/mail.log?"}},
		{"another name for it", "maillog messages", "mail.log", "", []string{"did you mean maillog?"}},
		{"nothing like it", "wtmp", "mail.log", "", []string{"mail.log: no such file; check the name"}},
		{"no directory", "a", "d/a", "", []string{"d/a: no such file; the directory d cannot be read"}},
		{"a file for a directory", "a", "a/b", "", []string{"a/b: cannot stat: not a directory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			entries := strings.Split(c.tree, "|")
			if len(entries) == 1 || !strings.Contains(c.tree, " -> ") && !strings.Contains(c.tree, " = ") {
				entries = strings.FieldsFunc(c.tree, func(r rune) bool { return r == ' ' || r == '|' })
			}
			tree(t, entries...)
			args := strings.FieldsFunc(c.args, func(r rune) bool { return r == ' ' || r == '|' })
			inputs, errs := Find(args, nil)
			var got []string
			for _, in := range inputs {
				got = append(got, in.Path)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
			if len(errs) != len(c.errs) {
				t.Fatalf("errors %v, want %v", errs, c.errs)
			}
			for i, err := range errs {
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.errs[i]) || e.Advice == "" {
					t.Errorf("error %q, want %q", err, c.errs[i])
				}
			}
		})
	}
}

func TestFindTells(t *testing.T) {
	tree(t, "d/a", "b")
	inputs, _ := Find([]string{"d", "b"}, nil)
	if !inputs[0].Found || inputs[1].Found {
		t.Error("only what a directory held is Found")
	}
	if inputs[1].Size != 1 || inputs[1].ModTime.IsZero() {
		t.Errorf("size %d, time %v", inputs[1].Size, inputs[1].ModTime)
	}
}

func TestFindStdin(t *testing.T) {
	tree(t, "mail.log")
	if _, errs := Find([]string{"-"}, nil); len(errs) != 1 {
		t.Error("no stdin and no error")
	}
	inputs, errs := Find([]string{"-", "mail.log", "-"}, strings.NewReader("x"))
	if len(inputs) != 2 || len(errs) != 0 || inputs[0].Path != "-" || inputs[0].Size != -1 {
		t.Errorf("found %v, %v", inputs, errs)
	}
	// "mailwhy - mail.log < mail.log"
	file, err := os.Open("mail.log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	inputs, _ = Find([]string{"-", "mail.log"}, file)
	if len(inputs) != 1 || inputs[0].Size != 8 {
		t.Errorf("stdin and the file it is: %d inputs", len(inputs))
	}
}

func TestFindTooMany(t *testing.T) {
	tree(t, "a", "d/b", "d/c")
	f := finder{inputs: make([]*Input, MaxFiles-1)}
	if err := f.argument("a"); err != nil {
		t.Error(err)
	}
	// It ends the walk of a directory, rather than being said of each file.
	for _, arg := range []string{"d", "d/c", "d/*"} {
		err := f.argument(arg)
		if !errors.Is(err, errTooMany) || len(f.inputs) != MaxFiles || len(f.errs) != 0 || !strings.Contains(err.Error(), "more than 10000 files") {
			t.Errorf("%s: %d inputs, %v, %v", arg, len(f.inputs), err, f.errs)
		}
		f.dirs = nil
	}
}

func TestPermission(t *testing.T) {
	// Root may read everything, so the error is made and not met.
	err := fileError("mail.log", &fs.PathError{Op: "open", Path: "mail.log", Err: syscall.EACCES})
	if got := err.Error(); got != "mail.log: permission denied; try sudo, or join the group that may read logs (often adm)" {
		t.Error(got)
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Error("the cause is lost")
	}
}

func TestTypos(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"mail", "mail", 0}, {"mail", "mial", 2}, {"mail", "mai", 1}, {"a", "abc", 2}, {"a", "abcd", 3}, {"abc", "xyz", 3}} {
		if got := typos(c.a, c.b); got != c.want {
			t.Errorf("typos(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
