package source

import (
	"bufio"
	"compress/bzip2"
	"io"

	"github.com/ulikunitz/xz"
)

// xzReader guards the xz decoder in two places where it trusts the file: it takes the end
// of the input between two blocks for the end of the data, and it allocates whatever
// dictionary the file asks for.
type xzReader struct {
	xz   io.Reader
	tail *tail
}

// newXZ returns a reader of the .xz data in r, which must have room for a block header.
func newXZ(r *bufio.Reader) (io.Reader, error) {
	// A stream header of 12 bytes, then the first block's header of at most 1024.
	head, _ := r.Peek(12 + 1024)
	if xzDictionary(head) > MaxWindow {
		return nil, errTooLarge
	}
	t := &tail{r: r}
	x, err := xz.NewReader(t)
	if err != nil {
		return nil, err
	}
	return &xzReader{x, t}, nil
}

// Read reads decompressed bytes. A file that does not end with the footer's magic bytes is
// cut off.
func (x *xzReader) Read(p []byte) (int, error) {
	n, err := x.xz.Read(p)
	if err == io.EOF && x.tail.last != [2]byte{'Y', 'Z'} {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// xzDictionary returns the size of the dictionary that the first block of an .xz file asks
// for, and 0 where head shows none (The .xz File Format 1.0.4, 3.1 and 5.3.1). Blocks after the
// first are not looked at: xz(1) gives all of them the same.
func xzDictionary(head []byte) int64 {
	if len(head) < 14 || head[12] == 0 { // a header size of 0 is the index: there is no block
		return 0
	}
	block := head[12:min(len(head), 12+(int(head[12])+1)*4)]
	i := 2
	for _, flag := range []byte{0x40, 0x80} { // compressed size, uncompressed size
		if block[1]&flag == 0 {
			continue
		}
		for i < len(block) && block[i]&0x80 != 0 {
			i++
		}
		i++
	}
	if i+2 >= len(block) || block[i] != 0x21 || block[i+1] != 1 { // LZMA2 with its one byte
		return 0
	}
	bits := int64(block[i+2] & 0x3f)
	return (2 | bits&1) << (bits/2 + 11)
}

// tail remembers the last two bytes that passed and are not padding, which is zeros.
type tail struct {
	r    io.Reader
	last [2]byte
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	end := n
	for end > 0 && p[end-1] == 0 {
		end--
	}
	switch {
	case end >= 2:
		t.last = [2]byte(p[end-2 : end])
	case end == 1:
		t.last = [2]byte{t.last[1], p[0]}
	}
	return n, err
}

// bzip2Reader guards the bzip2 decoder, which reads zeros behind the end of its input and
// then calls the data damaged that are only cut off.
type bzip2Reader struct {
	bzip2 io.Reader
	end   *end
}

// newBzip2 returns a reader of the bzip2 data in r.
func newBzip2(r *bufio.Reader) io.Reader {
	e := &end{Reader: r}
	return &bzip2Reader{bzip2.NewReader(e), e}
}

// Read reads decompressed bytes.
func (b *bzip2Reader) Read(p []byte) (int, error) {
	n, err := b.bzip2.Read(p)
	if err != nil && err != io.EOF && b.end.reached {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// end remembers whether more was asked of its reader than there is.
type end struct {
	*bufio.Reader
	reached bool
}

func (e *end) ReadByte() (byte, error) {
	b, err := e.Reader.ReadByte()
	e.reached = e.reached || err == io.EOF
	return b, err
}
