package pipeline

import (
	"bytes"
	"io"
)

const (
	// MaxLine is how many bytes of a line are kept, its newline not counted. Mail programs
	// write lines of a few KiB at most; what is longer is damage or an attack, and must not
	// cost memory.
	MaxLine = 1 << 20

	// maxLines is how many lines a block has at the most. An event takes nearly a kilobyte,
	// so that a block of nothing but newlines would cost sixty megabytes.
	maxLines = 4096

	// BlockSize is the usual size of a block. At 150 bytes a line this makes 400 events, so
	// that those of the blocks that wait stay in the processors' second-level caches.
	BlockSize = 64 << 10
)

// Block is a run of whole lines. Data ends with a newline except perhaps in the last block
// of an input.
type Block struct {
	Data      []byte
	FirstLine int64 // the number of its first line, from 1
	Lines     int   // how many there are
	Cut       int   // how many of them were longer than MaxLine and are cut to it
	CutBytes  int64 // how many bytes that cost
}

// Blocks cuts what a reader gives into blocks.
type Blocks struct {
	r     io.Reader
	size  int
	carry []byte // the line that was begun when the last block ended, behind whole ones that did not fit into it
	line  int64  // lines handed out
	err   error  // what ended the reading
}

// NewBlocks returns the blocks of r. A block has as many whole lines as one read of size
// bytes completes, so that the lines of a live log do not wait for those to come. A size of
// 0 is BlockSize; more than MaxLine is taken for MaxLine.
func NewBlocks(r io.Reader, size int) *Blocks {
	if size <= 0 {
		size = BlockSize
	}
	return &Blocks{r: r, size: min(size, MaxLine)}
}

// Next puts the next lines into blk and uses its Data again. It returns io.EOF after the
// last line, and any other error of the reader after all the bytes before it were
// delivered, the last line being as long as it was read.
func (b *Blocks) Next(blk *Block) error {
	*blk = Block{Data: blk.Data[:0], FirstLine: b.line + 1}
	if whole := bytes.LastIndexByte(b.carry, '\n') + 1; whole > 0 {
		blk.Data = append(blk.Data, b.carry[:whole]...)
		b.carry = append(b.carry[:0], b.carry[whole:]...)
	} else {
		blk.Data = append(blk.Data, b.carry...)
		b.carry = b.carry[:0]
		if err := b.read(blk); err != nil {
			return err
		}
	}
	if blk.CutBytes > 0 {
		blk.Cut = 1 // a block has one line at most that did not come in one read
	}
	if blk.Lines = bytes.Count(blk.Data, newline); blk.Lines > maxLines {
		b.shorten(blk)
	}
	if blk.Data[len(blk.Data)-1] != '\n' {
		blk.Lines++
	}
	b.line += int64(blk.Lines)
	return nil
}

var newline = []byte{'\n'}

// shorten puts what is more than maxLines back before the line that was begun.
func (b *Blocks) shorten(blk *Block) {
	end := 0
	for range maxLines {
		end += bytes.IndexByte(blk.Data[end:], '\n') + 1
	}
	b.carry = append(bytes.Clone(blk.Data[end:]), b.carry...)
	blk.Data, blk.Lines = blk.Data[:end], maxLines
}

// maxEmptyReads is how often in a row a reader may give neither bytes nor an error.
const maxEmptyReads = 100

// read reads until blk ends with a newline or nothing more comes. Each turn reads at most
// size bytes, and size is not above MaxLine: so a line that is too long is always the first
// of its block, begun in an earlier read.
func (b *Blocks) read(blk *Block) error {
	for empty := 0; ; {
		if b.err != nil {
			if len(blk.Data) > 0 {
				return nil
			}
			return b.err
		}
		begun := len(blk.Data)
		blk.Data = grow(blk.Data, b.size)
		n, err := b.r.Read(blk.Data[begun : begun+min(b.size, cap(blk.Data)-begun)])
		b.err = err
		if n == 0 && err == nil {
			if empty++; empty == maxEmptyReads {
				b.err = io.ErrNoProgress
			}
			continue
		}
		empty = 0
		blk.Data = blk.Data[:begun+n]
		last := bytes.LastIndexByte(blk.Data[begun:], '\n')
		if last >= 0 && err == nil {
			b.carry = append(b.carry, blk.Data[begun+last+1:]...)
			blk.Data = blk.Data[:begun+last+1]
		}
		cut(blk, begun)
		if last >= 0 && err == nil {
			return nil
		}
	}
}

// cut shortens the first line of blk to MaxLine. Its newline is not before begun.
func cut(blk *Block, begun int) {
	if len(blk.Data) <= MaxLine {
		return
	}
	end := bytes.IndexByte(blk.Data[begun:], '\n')
	if end < 0 {
		end = len(blk.Data)
	} else {
		end += begun
	}
	if end > MaxLine {
		blk.CutBytes += int64(end - MaxLine)
		blk.Data = append(blk.Data[:MaxLine], blk.Data[end:]...)
	}
}

// grow returns data with room for another read: half of size at least, so that few reads are
// small, and no more than is needed, so that a block does not outgrow its size for the few
// bytes that were carried over. It doubles, so that a long line is not copied again and again.
func grow(data []byte, size int) []byte {
	if cap(data)-len(data) >= (size+1)/2 {
		return data
	}
	more := make([]byte, len(data), max(size+size/2, min(2*cap(data), MaxLine+size)))
	copy(more, data)
	return more
}
