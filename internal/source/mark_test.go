package source

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// compress makes a file a .gz with its time, as logrotate does.
func (w *writer) compress(path string) {
	data, err := os.ReadFile(path)
	w.must(err)
	info, err := os.Stat(path)
	w.must(err)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err = z.Write(data)
	w.must(err)
	w.must(z.Close())
	w.must(os.WriteFile(path+".gz", b.Bytes(), 0o600))
	w.must(os.Chtimes(path+".gz", info.ModTime(), info.ModTime()))
	w.must(os.Remove(path))
}

// TestFollowMarks: stopped at any place and started again, with whatever happened between.
func TestFollowMarks(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { t.Parallel(); restarts(t, seed) })
	}
}

func restarts(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	w := newWriter(t)
	state := filepath.Join(filepath.Dir(w.path), "state.json")
	w.write(1 + r.IntN(20))
	var all []string
	for run := range 5 {
		marks, err := LoadMarks(state)
		w.must(err)
		o := FollowOptions{Lines: -1}
		if len(marks) > 0 {
			o.Mark = &marks[0]
		}
		f := follow(t, w.path, o)
		for range r.IntN(4) {
			w.write(r.IntN(3000))
			if r.IntN(4) == 0 {
				w.rename(9)
				w.reopen()
				w.write(1)
			}
		}
		enough := len(w.want) - len(all)
		if run < 4 {
			enough = r.IntN(enough + 1)
		}
		f.wait("some lines", func() bool { return len(f.got()) >= enough })
		if run == 4 {
			f.check(w.want[len(all):])
		}
		f.end()
		all = append(all, f.got()...)
		if !slices.Equal(all, w.want[:len(all)]) {
			t.Fatalf("seed %d, run %d: the lines are %s; warnings %s", seed, run, ranges(all), f.warnings())
		}
		w.must(NewState(state).Close([]Mark{f.Mark()}))
		for range r.IntN(3) {
			w.write(r.IntN(100))
			if r.IntN(2) == 0 {
				w.rename(9)
				w.reopen()
			} else {
				w.copytruncate(9)
			}
			time.Sleep(10 * time.Millisecond) // the clock of the files ticks every few ms; names that are mixed tell nothing
			w.write(1 + r.IntN(9))
			if old := w.path + ".2"; r.IntN(2) == 0 && exists(old) {
				w.compress(old)
				w.must(os.Rename(old+".gz", filepath.Join(filepath.Dir(old), "mail.log-2026112"+string(rune('0'+run))+".gz")))
			}
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestFollowMarkEmpty: stopped just when the new file was there and nothing in it yet, and cut off
// before the next start.
func TestFollowMarkEmpty(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(5)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(5)
	w.rename(9)
	w.reopen()
	w.raw("")
	f.wait("the empty file", func() bool { return f.Health().Rotations == 1 })
	f.end()
	m := f.Mark()
	if len(m.Places) != 2 || m.Places[1].Lines != 0 {
		t.Fatalf("%+v", m)
	}
	time.Sleep(10 * time.Millisecond)
	w.write(3)
	w.copytruncate(9)
	time.Sleep(10 * time.Millisecond)
	w.write(2)
	f = follow(t, w.path, FollowOptions{Mark: &m})
	f.check(w.want[5:])
}

// TestFollowMarkPlaces: what a mark says where two files are open, one of them late.
func TestFollowMarkPlaces(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(5)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(5)
	old := w.file
	w.file = nil
	w.rename(9)
	w.write(3)
	f.check(w.want)
	f.end()
	m := f.Mark()
	if len(m.Places) != 2 || m.Places[0].Lines != 5 || m.Places[1].Lines != 3 || m.Path != w.path {
		t.Fatalf("%+v", m)
	}
	_, err := old.WriteString("late\n")
	w.must(err)
	w.write(1)
	f = follow(t, w.path, FollowOptions{Mark: &m})
	f.check([]string{"late", w.want[8]})
	f.end()
	if want := "[mail.log.1+5 mail.log+3]"; strings.Join(f.runs, " ") != want[1:len(want)-1] {
		t.Errorf("runs %v", f.runs)
	}
	m = f.Mark()
	w.must(os.Remove(w.path + ".1"))
	f = follow(t, w.path, FollowOptions{Mark: &m})
	w.write(1)
	f.check(w.want[9:])
	if f.Health().Lost > 0 {
		t.Errorf("that an old file was deleted is no loss: %s", f.warnings())
	}
}

// TestFollowMarkLost: what was marked is gone, and that is said; what came after is read.
func TestFollowMarkLost(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	w.write(5)
	f := follow(t, w.path, FollowOptions{Lines: -1})
	f.until(5)
	f.wait("handled", func() bool { return f.Health().Lag == 0 })
	f.end()
	m := f.Mark()
	w.reopen()
	w.must(os.Remove(w.path))
	time.Sleep(5 * time.Millisecond)
	w.write(3)
	w.rename(9)
	w.reopen()
	w.write(2)
	f = follow(t, w.path, FollowOptions{Mark: &m})
	f.check(w.want[5:])
	if f.Health().Lost != 1 || !strings.Contains(f.warnings(), "is gone") {
		t.Errorf("%+v %s", f.Health(), f.warnings())
	}
}

// TestFollowMarkAbsent: the first run ended before there was a file.
func TestFollowMarkAbsent(t *testing.T) {
	t.Parallel()
	w := newWriter(t)
	f := follow(t, w.path, FollowOptions{Lines: 3})
	f.end()
	m := f.Mark()
	w.write(10)
	f = follow(t, w.path, FollowOptions{Lines: 3, Mark: &m})
	f.check(w.want)
}

func TestMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state")
	if marks, err := LoadMarks(file); marks != nil || err != nil {
		t.Errorf("no file: %v, %v", marks, err)
	}
	if err := NewState(file).Close([]Mark{{Path: "a"}, {Path: "b", Places: []Place{{Offset: 3}}}}); err != nil {
		t.Fatal(err)
	}
	marks, err := LoadMarks(file)
	if err != nil || len(marks) != 2 || marks[1].Places[0].Offset != 3 {
		t.Errorf("%+v, %v", marks, err)
	}
	if err := NewState(filepath.Join(file, "no")).Close(nil); err == nil {
		t.Error("saved below a file")
	}
	if names, _ := os.ReadDir(filepath.Dir(file)); len(names) != 1 {
		t.Errorf("%v is left behind", names)
	}
	for _, bad := range []string{"", "{}", "[", `[{"places":[{"offset":-1}]}]`, `[{"places":[{"fingerprint":"x:y"}]}`} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadMarks(file); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
