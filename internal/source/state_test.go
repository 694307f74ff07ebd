package source

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestState: what is kept in place is what a file made anew would have.
func TestState(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	s := NewState(file)
	changed := time.Date(2026, 9, 14, 8, 0, 0, 1000, time.UTC)
	marks := func(places, n int) []Mark {
		m := []Mark{{Path: "/var/log/mail.log", Past: []string{"1:ff"}, Open: true}, {Path: "journal:", Cursor: fmt.Sprint("s=", n)}}
		for i := range places {
			m[0].Places = append(m[0].Places, Place{Inode: uint64(i), Offset: int64(n * 100), Lines: int64(n), Changed: changed.Add(time.Duration(n) * time.Second), Fingerprint: "2:ab"})
		}
		m[0].Places[0].Changed = time.Time{}
		return m
	}
	kept := func(want []Mark) {
		t.Helper()
		got, err := LoadMarks(file)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
	}
	number := func() string {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		_, inode := identity(info)
		return fmt.Sprint(inode)
	}
	save := func(m []Mark) {
		t.Helper()
		if err := s.Save(m); err != nil {
			t.Fatal(err)
		}
		kept(m)
	}
	save(marks(2, 1))
	was := number()
	for _, n := range []int{2, 1000000, 3} { // a shorter one over a longer one
		save(marks(2, n))
	}
	if number() != was {
		t.Error("the file was made anew for nothing")
	}
	save(marks(3, 4)) // another file
	if number() == was {
		t.Error("the file was not made anew")
	}
	save(marks(200, 5)) // more than a page has room for
	save(marks(200, 6))
	save(marks(3, 7))
	save(marks(3, 8))

	// What was written in part, or is of another set of files, is left out.
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{1, page / 2, page - 10, page - 1, page} {
		if err := os.WriteFile(file, data[:len(data)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := LoadMarks(file); err != nil || got[0].Places[0].Lines != 7 && got[0].Places[0].Lines != 8 {
			t.Errorf("without the last %d bytes: %v %+v", cut, err, got)
		}
	}
	data[len(data)-page+30] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	kept(marks(3, 7))

	last := marks(3, 9)
	last[0].Open = false
	if err := s.Close(last); err != nil {
		t.Fatal(err)
	}
	kept(last)
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("%v is left behind", names)
	}
}
