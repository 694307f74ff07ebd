package source

import (
	"bytes"
	"io"
	"os"
	"time"
)

// headPause is how long the head of a stream waits for more once it has a line. A program
// that writes a file into a pipe does not rest that long; one that follows a log does.
const headPause = 250 * time.Millisecond

// pump reads a stream in a goroutine of its own, so that its head can be looked at while
// the rest of it has yet to be written.
type pump struct {
	full chan chunk
	free chan []byte
	quit chan struct{}

	cur  chunk
	left []byte // of cur.data
}

// chunk is what one read gave.
type chunk struct {
	data []byte
	err  error
}

// newPump starts to read src, which it closes in the end.
func newPump(src io.ReadCloser) *pump {
	p := &pump{full: make(chan chunk), free: make(chan []byte, 2), quit: make(chan struct{})}
	p.free <- make([]byte, readSize)
	p.free <- make([]byte, readSize)
	go p.run(src)
	return p
}

// run reads until the stream or the pump ends. A read that waits for a stream that stays
// silent is left waiting: nothing else would end it.
func (p *pump) run(src io.ReadCloser) {
	defer src.Close()
	for {
		select {
		case buf := <-p.free:
			n, err := src.Read(buf[:cap(buf)])
			select {
			case p.full <- chunk{buf[:n], err}:
			case <-p.quit:
				return
			}
			if err != nil {
				return
			}
		case <-p.quit:
			return
		}
	}
}

// head takes the first bytes: HeadSize of them, or what came before the first pause after
// a whole line. The error is the one that ended the stream before that.
func (p *pump) head() (head []byte, err error) {
	var pause <-chan time.Time
	for len(head) < HeadSize && p.cur.err == nil {
		select {
		case p.cur = <-p.full:
		case <-pause:
			return head, nil
		}
		n := min(len(p.cur.data), HeadSize-len(head))
		head = append(head, p.cur.data[:n]...)
		p.left = p.cur.data[n:]
		if len(p.left) == 0 {
			p.recycle()
		}
		if bytes.IndexByte(head, '\n') >= 0 {
			pause = time.After(headPause)
		}
	}
	return head, p.cur.err
}

// Read reads what follows the head.
func (p *pump) Read(b []byte) (int, error) {
	for len(p.left) == 0 {
		if p.cur.err != nil {
			return 0, p.cur.err
		}
		select {
		case p.cur = <-p.full:
			p.left = p.cur.data
		case <-p.quit:
			return 0, os.ErrClosed
		}
		if len(p.left) == 0 {
			p.recycle()
		}
	}
	n := copy(b, p.left)
	if p.left = p.left[n:]; len(p.left) == 0 {
		p.recycle()
	}
	return n, nil
}

// recycle gives the buffer back that was read to its end.
func (p *pump) recycle() {
	if p.cur.data != nil {
		p.free <- p.cur.data
		p.cur.data = nil
	}
}

// Close lets the goroutine end. It must be called once.
func (p *pump) Close() error {
	close(p.quit)
	return nil
}
