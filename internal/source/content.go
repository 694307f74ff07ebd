package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

const (
	// headSize is how many of a file's first bytes tell it from others: some lines, each with
	// its time.
	headSize = 512
	// heelSize is how many bytes before the place of reading must be what they were. They
	// tell a file that was cut off and outgrew its old length since.
	heelSize = 64
	// maxSpans is how many reads are remembered that were not handled yet. Of more, some are
	// taken for one.
	maxSpans = 1024
	// coarse is more than the stamps of a change may be apart from it, on any file system: FAT's are even
	// seconds.
	coarse = 3 * time.Second
	// maxCounted is how much of a file is read to know its lines' numbers where its reading
	// begins near the end.
	maxCounted = 256 << 20
)

// content is what one file held from when it was opened until it was cut off or given up.
type content struct {
	path string

	// The reader's own.
	carry  []byte // read from stream and not handed out
	size   int64  // as last looked at
	heel   []byte // the last bytes before offset
	alone  bool   // nothing that was missed comes before it
	blank  bool   // NULs at the beginning are no part of it: they fill the hole of a writer that went on where it was
	mid    bool   // what was handed out ends within a line
	flush  bool   // no more comes: its half line is one
	over   bool   // all of it was handed out
	broken bool   // no more can be read
	failed error  // the error that was told of last
	deaf   bool   // no live following of it
	quiet  bool   // when it was last looked at, its last change was so long ago that another one would have shown

	// Others look at these: the reader changes them with mu held, and needs no lock to read them.
	mu      sync.Mutex
	info    os.FileInfo   // as it was when it was opened
	src     *os.File      // nil: it is compressed, or nothing of it is left
	stream  io.ReadCloser // of a compressed file
	static  bool          // nobody writes it any more
	seen    int64         // size, which the supervisor asks for too
	changed time.Time     // as last seen
	head    []byte        // never changed in place; it only grows
	print   string        // its fingerprint, when it was so long
	printOf int
	offset  int64     // all before it was handed out
	half    int64     // the length at which there was but a half line behind offset; -1: not known
	last    time.Time // when it last gave something, or got a successor

	// What was handed out and what of it was handled, in bytes as the reader got them.
	given, taken  int64
	spans         []span
	handled, done int64 // offset; lines before it, -1: not counted

	reading sync.Mutex // of stream, which must not be closed meanwhile
}

// span is one read that was not handled yet.
type span struct{ given, offset int64 } // all at its end

// openContent opens the file at path, compressed or not.
func openContent(path string) (*content, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that took its place must not hold us
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errors.ErrUnsupported}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	c := &content{path: path, info: info, src: file, half: -1, last: time.Now()}
	c.verify(0)
	return c, nil
}

// close gives the file back.
func (c *content) close() {
	c.mu.Lock()
	src, stream := c.src, c.stream
	c.mu.Unlock()
	if src != nil {
		src.Close()
	}
	if stream != nil {
		c.reading.Lock()
		stream.Close()
		c.reading.Unlock()
	}
}

// begin moves to the start of the last n whole lines; less than 0: all.
func (c *content) begin(n int) {
	if n < 0 {
		return
	}
	c.seek(c.lastLines(n))
	if c.offset > maxCounted {
		c.done = -1
		return
	}
	buf := make([]byte, readSize)
	for at := int64(0); at < c.offset; {
		m, err := c.src.ReadAt(buf[:min(int64(len(buf)), c.offset-at)], at)
		c.done += int64(bytes.Count(buf[:m], newline))
		at += int64(m)
		if err != nil {
			break
		}
	}
}

// seek moves to offset, as if all before it were handled.
func (c *content) seek(offset int64) {
	c.offset, c.handled = offset, offset
	c.heel = make([]byte, min(offset, heelSize))
	c.src.ReadAt(c.heel, offset-int64(len(c.heel)))
}

// lastLines returns where the last n whole lines begin.
func (c *content) lastLines(n int) int64 {
	buf := make([]byte, edge)
	for end := c.size; end > 0; {
		begin := max(0, end-int64(len(buf)))
		m, err := c.src.ReadAt(buf[:end-begin], begin)
		if err != nil {
			return 0
		}
		for rest := buf[:m]; ; n-- {
			i := bytes.LastIndexByte(rest, '\n')
			if i < 0 {
				break
			}
			if n == 0 {
				return begin + int64(i) + 1
			}
			rest = rest[:i]
		}
		end = begin
	}
	return 0
}

// verify asks for the file's length, and reports whether it is still the one that was read:
// length bytes long at the least, with the same beginning and the same bytes before offset.
func (c *content) verify(length int64) bool {
	if c.static {
		return true
	}
	info, err := c.src.Stat()
	if err != nil {
		return true // the next read tells
	}
	size := info.Size()
	if size < max(length, c.offset) {
		return false
	}
	if size == c.size && info.ModTime().Equal(c.changed) && (length <= c.offset || c.quiet) {
		return true // nothing happened since
	}
	if !c.peek() {
		return false
	}
	var buf [heelSize]byte
	heel := buf[:len(c.heel)]
	if m, _ := c.src.ReadAt(heel, c.offset-int64(len(heel))); !bytes.Equal(heel[:m], c.heel) {
		return false
	}
	c.mu.Lock()
	c.size, c.seen, c.changed = size, size, info.ModTime()
	c.mu.Unlock()
	c.quiet = time.Since(c.changed) > coarse
	return true
}

// peek looks at the beginning of the file, and reports whether it is what it was. As long
// as it is short, what came is taken into it. Others than the reader may call it.
func (c *content) peek() bool {
	c.mu.Lock()
	src, head := c.src, c.head
	c.mu.Unlock()
	if src == nil {
		return true
	}
	var buf [headSize]byte
	n, _ := src.ReadAt(buf[:], 0)
	if !bytes.HasPrefix(buf[:n], head) {
		return false
	}
	if n == len(head) {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.src == src && len(c.head) == len(head) {
		c.head = bytes.Clone(buf[:n])
	}
	return true
}

// ready reports whether there may be something to hand out.
func (c *content) ready() bool {
	switch {
	case c.over:
		return false
	case c.flush, c.static:
		return true
	}
	info, err := c.src.Stat()
	if err != nil {
		return false
	}
	size := info.Size()
	return size < c.offset || size > c.offset && size != c.half
}

// spent reports that no more comes, not even the end of a line.
func (c *content) spent() bool {
	if c.mid || c.stream != nil || !c.static && !c.flush {
		return false
	}
	if c.src == nil || c.broken {
		return true
	}
	info, err := c.src.Stat()
	return err == nil && info.Size() <= c.offset
}

// fetch reads what comes next, cut behind its last whole line. Of a line that is longer
// than p it gives a part. It moves nothing but over the NULs of a hole. added reports that
// the last newline is not in the file.
func (c *content) fetch(p []byte) (n int, added bool, err error) {
	n, end, err := c.raw(p)
	if c.blank && n > 0 {
		n = c.skipHole(p, n)
	}
	if i := bytes.LastIndexByte(p[:n], '\n'); i >= 0 {
		return i + 1, false, err
	}
	switch {
	case n == len(p):
		return n, false, err
	case end && (c.flush || c.static):
		if n == 0 && !c.mid {
			return 0, false, err
		}
		p[n] = '\n'
		return n + 1, true, err
	}
	c.mu.Lock()
	c.half = c.offset + int64(n)
	c.mu.Unlock()
	return 0, false, err
}

// skipHole moves over the NULs that p begins with, and returns what is left.
func (c *content) skipHole(p []byte, n int) int {
	k := n - len(bytes.TrimLeft(p[:n], "\x00"))
	c.blank = k == n
	if k > 0 {
		c.mu.Lock()
		c.offset, c.handled = c.offset+int64(k), c.handled+int64(k)
		c.mu.Unlock()
		c.heel = make([]byte, min(c.offset, heelSize))
	}
	return copy(p, p[k:n])
}

// raw reads the bytes at offset; end reports that there are no more.
func (c *content) raw(p []byte) (n int, end bool, err error) {
	if c.stream != nil {
		n = copy(p, c.carry)
		if n == len(p) || c.broken {
			return n, c.broken && n < len(p), nil
		}
		c.reading.Lock()
		m, err := fill(c.stream, p[n:])
		c.reading.Unlock()
		c.carry = append(c.carry, p[n:n+m]...)
		if err == io.EOF {
			err = nil
		}
		c.broken = err != nil
		return n + m, n+m < len(p), err
	}
	if c.src == nil || c.broken {
		return 0, true, nil
	}
	n, err = c.src.ReadAt(p, c.offset)
	if err == io.EOF {
		return n, true, nil
	}
	c.broken = err != nil && c.static
	return n, c.broken, err
}

// advance moves behind p, which is handed out.
func (c *content) advance(p []byte, added bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.given += int64(len(p))
	c.mid = p[len(p)-1] != '\n'
	if added {
		p = p[:len(p)-1]
	}
	if c.stream != nil {
		c.carry = append(c.carry[:0], c.carry[len(p):]...)
	}
	c.offset += int64(len(p))
	c.half = -1
	c.last = time.Now()
	c.tread(p)
	if len(c.spans) == maxSpans {
		c.spans = c.spans[:maxSpans-1]
	}
	c.spans = append(c.spans, span{c.given, c.offset})
}

// tread keeps the last bytes before offset, p being those that were read last.
func (c *content) tread(p []byte) {
	keep := c.heel
	if len(p) >= heelSize {
		keep, p = nil, p[len(p)-heelSize:]
	} else if n := len(keep) + len(p) - heelSize; n > 0 {
		keep = keep[n:]
	}
	c.heel = slices.Concat(keep, p)
}

// take notes that n bytes more of what was handed out were handled, and what lines they were.
func (c *content) take(n, lines int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = min(c.taken+n, c.given)
	if c.done >= 0 {
		c.done += lines
	}
	i := 0
	for ; i < len(c.spans) && c.spans[i].given <= c.taken; i++ {
		c.handled = c.spans[i].offset
	}
	c.spans = c.spans[:copy(c.spans, c.spans[i:])]
	if len(c.spans) > 0 {
		c.handled = max(c.handled, c.spans[0].offset-(c.spans[0].given-c.taken))
	}
}

// linesDone returns how many lines were handled, -1 when they were not counted.
func (c *content) linesDone() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

// lag returns how many bytes were not handled yet, and whether a whole line is among them.
// Of compressed data only what was handed out is known.
func (c *content) lag() (bytes int64, lines bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.static {
		return c.given - c.taken, true
	}
	bytes = max(0, c.seen-c.handled)
	return bytes, bytes > 0 && (c.given > c.taken || c.seen != c.half)
}
