package source

import (
	"bytes"
	"errors"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/readahead"
)

const (
	// HeadSize is how much of an input Head shows: some hundred lines, enough to tell a
	// format by them.
	HeadSize = 64 << 10
	// readSize is how much is asked of the system at once. Beyond some hundred KiB larger
	// reads gain nothing.
	readSize = 256 << 10
)

// Input is one place bytes come from: a file, or a stream that can be read once. Its
// methods may be called from several goroutines; what Open returns belongs to one.
type Input struct {
	Path    string    // as the user gave it or as found; "-" is stdin
	ModTime time.Time // of the file; zero when unknown
	Size    int64     // on disk, in bytes; -1 when unknown
	Found   bool      // found in a directory, not named by the user: it may be no log at all

	stream bool      // it can be read once: stdin, a pipe
	stdin  io.Reader // of "-"

	consumed atomic.Int64

	mu      sync.Mutex
	form    form // what the bytes turned out to be
	looked  bool // head and headErr are settled
	head    []byte
	headErr error         // why the head is all there is; nil when it is not, io.EOF included
	rest    io.ReadCloser // of a stream whose head is taken: what follows it
	opened  bool
}

// Head returns the first bytes, up to HeadSize, decompressed, and leaves them to be read by
// Open, of a stream too. Of a live stream it returns what came before the first pause; it
// waits for the first line. An input that breaks off after some bytes gives these bytes; the
// error comes when they have been read.
func (in *Input) Head() ([]byte, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.look()
	if len(in.head) == 0 && in.headErr != io.EOF {
		return nil, in.headErr
	}
	return in.head, nil
}

// Empty reports that there is not one byte in it, compressed or not, and no error either.
func (in *Input) Empty() bool {
	head, err := in.Head()
	return err == nil && len(head) == 0
}

// Binary reports that the head is no text: of its bytes, more than one in twenty are control
// characters that no log has. Random bytes have one in ten. A log that lost some lines to NULs
// in a crash is text as long as there is more of it.
func (in *Input) Binary() bool {
	head, _ := in.Head()
	controls := 0
	for _, c := range head {
		if c < ' ' && bytes.IndexByte([]byte("\t\n\r\f\x1b"), c) < 0 || c == 0x7f {
			controls++
		}
	}
	return controls*20 > len(head)
}

// Open returns the bytes from the start, decompressed. An error of the data comes out of
// Read, as an *Error, after all the bytes that could be had. A stream can be opened once.
func (in *Input) Open() (io.ReadCloser, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.stream {
		in.consumed.Store(0)
		r, err := in.open()
		if err != nil || in.form.compression == "" {
			return r, err
		}
		return readahead.NewReadCloserSize(r, aheadBuffers, aheadSize)
	}
	if in.opened {
		return nil, &Error{in.Path, "a stream that was read already", "save it to a file to read it twice", nil}
	}
	in.look()
	if in.rest == nil {
		return nil, in.headErr
	}
	in.opened = true
	return &rejoined{Reader: io.MultiReader(bytes.NewReader(in.head), in.rest), Closer: in.rest}, nil
}

// Compressed files are decompressed on a goroutine of its own, so that what that keeps at hand stays in
// one processor's cache; it is this far ahead.
const (
	aheadBuffers = 4
	aheadSize    = 128 << 10
)

// Compression returns how the bytes were compressed: "gzip", "bzip2", "xz", "zstd" or "". It
// is known after Head or Open.
func (in *Input) Compression() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.form.compression
}

// Transformed returns what the text was made of where it does not stand in the file as it is
// read: "journal export", "UTF-16" or "". It is known after Head or Open.
func (in *Input) Transformed() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.form.transformed
}

// Consumed returns how many bytes, as they are on disk, were read since Open, or of a stream
// since Head. It is safe to call while another goroutine reads.
func (in *Input) Consumed() int64 { return in.consumed.Load() }

// look settles the head. It keeps a stream open and closes a file: a run may have thousands
// of inputs and a process only so many open files.
func (in *Input) look() {
	if in.looked {
		return
	}
	in.looked = true
	r, err := in.open()
	if err != nil {
		in.headErr = err
		return
	}
	if in.stream {
		p := newPump(r)
		in.rest = p
		in.head, in.headErr = p.head()
		return
	}
	defer r.Close()
	in.head = make([]byte, HeadSize)
	n, err := fill(r, in.head)
	in.head, in.headErr = in.head[:n], err
	in.consumed.Store(0)
}

// open opens the bytes and finds out what they are.
func (in *Input) open() (io.ReadCloser, error) {
	raw, err := in.openRaw()
	if err != nil {
		return nil, fileError(in.Path, err)
	}
	r := &reader{in: in, closers: []func(){func() { raw.Close() }}}
	if err := r.decode(counter{raw, &in.consumed}); err != nil {
		r.Close()
		return nil, r.explain(err)
	}
	in.form = r.form
	return r, nil
}

// openRaw opens the bytes as they are on disk.
func (in *Input) openRaw() (io.ReadCloser, error) {
	if in.stdin != nil {
		return io.NopCloser(in.stdin), nil
	}
	return os.Open(in.Path)
}

// counter counts the bytes that pass.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// rejoined is a stream put together again from its head and its rest.
type rejoined struct {
	io.Reader
	io.Closer
}

// reader is an opened input. Its errors name the input.
type reader struct {
	in      *Input
	form    form
	r       io.Reader
	closers []func() // in the order of opening
	failed  error
}

// Read reads decompressed bytes.
func (r *reader) Read(p []byte) (int, error) {
	if r.failed != nil {
		return 0, r.failed
	}
	n, err := r.r.Read(p)
	if err != nil {
		r.failed = r.explain(err)
	}
	return n, r.failed
}

// Close frees what the input holds.
func (r *reader) Close() error {
	for i := len(r.closers) - 1; i >= 0; i-- {
		r.closers[i]()
	}
	r.closers, r.failed = nil, os.ErrClosed
	return nil
}

// explain puts an error of the data in words. io.EOF is no error.
func (r *reader) explain(err error) error {
	var known *Error
	switch {
	case err == io.EOF:
		return err
	case errors.As(err, &known):
		known.Path = r.in.Path
		return known
	case r.form.compression != "":
		return damaged(r.in.Path, r.form.compression, err)
	}
	return fileError(r.in.Path, err)
}
