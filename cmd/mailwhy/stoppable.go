package main

import (
	"errors"
	"io"
	"os"
)

// stoppable is a stream that ends when the user wants it to, also while it is silent: a
// pipe of which nothing comes would else hold the program until the next line, or the
// next Ctrl-C. What is read goes through a buffer of its own, for a read that is not
// waited for any more may still write to it.
type stoppable struct {
	in   io.Reader
	stop <-chan struct{}
	got  chan chunk
	back chan []byte
	rest chunk
}

// stream is standard input, one that stops with the program where it is no file.
func (w *world) stream() io.Reader {
	file, ok := w.stdin.(*os.File)
	if !ok {
		return w.stdin
	}
	if info, err := file.Stat(); err != nil || info.Mode().IsRegular() {
		return w.stdin
	}
	return newStoppable(file, w.stop)
}

// stopped reports that the user wants the program to end.
func (w *world) stopped() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// unlessStopped does something that may take a while, and does not wait for its end when the user
// wants the program to end. Who stopped the reading gets what was read by then.
func (w *world) unlessStopped(do func()) error {
	if w.stopped() {
		do()
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
		return nil
	case <-w.stop:
		return errors.New("stopped before the report was done: name a window with --since and --until to have it sooner")
	}
}

type chunk struct {
	buf  []byte // the whole buffer
	data []byte // what is left of what was read into it
	err  error
}

// stoppableSize is how much is read at once; what a pipe holds.
const stoppableSize = 64 << 10

func newStoppable(in io.Reader, stop <-chan struct{}) *stoppable {
	return &stoppable{in: in, stop: stop}
}

// Read implements io.Reader. After stop it returns io.EOF.
func (s *stoppable) Read(p []byte) (int, error) {
	if s.got == nil {
		s.got, s.back = make(chan chunk, 1), make(chan []byte, 2)
		s.back <- make([]byte, stoppableSize)
		s.back <- make([]byte, stoppableSize)
		go s.pump()
	}
	if len(s.rest.data) == 0 && s.rest.err == nil {
		select {
		case s.rest = <-s.got:
		case <-s.stop:
			return 0, io.EOF
		}
	}
	n := copy(p, s.rest.data)
	if s.rest.data = s.rest.data[n:]; len(s.rest.data) > 0 || s.rest.err != nil && n > 0 {
		return n, nil
	}
	if s.rest.err != nil {
		return n, s.rest.err
	}
	s.back <- s.rest.buf
	return n, nil
}

// pump reads ahead until the stream ends.
func (s *stoppable) pump() {
	for buf := range s.back {
		n, err := s.in.Read(buf)
		s.got <- chunk{buf, buf[:n], err}
		if err != nil {
			return
		}
	}
}
