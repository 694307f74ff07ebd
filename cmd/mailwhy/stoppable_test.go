package main

import (
	"bytes"
	"io"
	"os"
	"testing"
	"testing/iotest"
)

// A pipe that is silent ends when the user wants it to, with what came before.
func TestStoppable(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	stop := make(chan struct{})
	in := (&world{stdin: r, stop: stop}).stream()
	if _, err := w.WriteString("one line\n"); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := in.Read(buf)
	if string(buf[:n]) != "one line\n" || err != nil {
		t.Fatalf("%q, %v", buf[:n], err)
	}
	close(stop)
	if n, err := in.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
}

func TestStoppableGivesAll(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789"), 40_000)
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(want), "halves": iotest.HalfReader(bytes.NewReader(want)), "with its end": iotest.DataErrReader(bytes.NewReader(want)),
	} {
		got, err := io.ReadAll(iotest.OneByteReader(newStoppable(r, nil)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
	r := newStoppable(io.MultiReader(bytes.NewReader(want[:10]), iotest.ErrReader(io.ErrUnexpectedEOF)), nil)
	if got, err := io.ReadAll(r); len(got) != 10 || err != io.ErrUnexpectedEOF {
		t.Errorf("%q, %v", got, err)
	}
}

// What takes a while is left when the user wants it; what was read by then is reported.
func TestUnlessStopped(t *testing.T) {
	stop, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	w := &world{stop: stop}
	begun, result := make(chan struct{}), make(chan error)
	go func() {
		result <- w.unlessStopped(func() {
			close(begun)
			<-release
		})
	}()
	<-begun
	close(stop)
	if err := <-result; err == nil {
		t.Error("nothing says that it was left")
	}
	done := false
	if err := w.unlessStopped(func() { done = true }); err != nil || !done {
		t.Error("what was read is not reported:", err)
	}
	if err := (&world{}).unlessStopped(func() { done = false }); err != nil || done {
		t.Error("not done:", err)
	}
}
