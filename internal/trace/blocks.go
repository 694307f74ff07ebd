package trace

import (
	"bytes"
	"io"

	"github.com/mailwhy/mailwhy/internal/pipeline"
)

const (
	// blockSize is how many bytes a worker takes at a time: they stay in its second-level
	// cache between the reading and the search.
	blockSize = 128 << 10
	// blockTail is how much is read beyond a block, for the end of its last line.
	blockTail = page
	page      = 4 << 10
)

// block is a run of whole lines of an input. The last line may lack its newline, at the end
// of the input or where it is longer than pipeline.MaxLine.
type block struct {
	data []byte
	at   int64  // where it stands in the input
	room []byte // to be used again
}

// readBlock reads the lines that begin in [start, start+blockSize) of a plain file of a
// size, into blk.room. There may be none, of a long line.
func readBlock(r io.ReaderAt, size, start int64, blk *block) error {
	// One byte before tells whether a line begins right at the start. A whole page of them is
	// read: copies that begin at a page are faster.
	before := min(start, page)
	from := start - before
	if blk.room == nil {
		blk.room = make([]byte, 0, page+blockSize+blockTail)
	}
	buf, err := extend(r, size, from, blk.room[:0], int(before)+blockSize+blockTail)
	if err != nil {
		return err
	}
	own := min(len(buf), int(before)+blockSize) // a line that begins before is ours
	first := 0
	if before > 0 {
		begin := int(before) - 1
		first = begin + bytes.IndexByte(buf[begin:max(own, begin)], '\n') + 1
		if first <= begin || first >= own {
			blk.data, blk.at = buf[:0], start
			return nil
		}
	}
	last := bytes.LastIndexByte(buf[first:own-1], '\n') + 1 + first // where our last line begins
	for searched := max(last, own-1); ; {
		if i := bytes.IndexByte(buf[searched:], '\n'); i >= 0 {
			buf = buf[:searched+i+1]
			break
		}
		searched = len(buf)
		if from+int64(len(buf)) >= size || len(buf)-last > pipeline.MaxLine {
			break
		}
		if buf, err = extend(r, size, from, buf, len(buf)); err != nil {
			return err
		}
		if len(buf) == searched {
			break // the file became shorter
		}
	}
	if len(buf)-last > pipeline.MaxLine && buf[min(last+pipeline.MaxLine, len(buf)-1)] != '\n' {
		buf = buf[:last+pipeline.MaxLine]
	}
	blk.data, blk.at = buf[first:], from+int64(first)
	return nil
}

// extend reads n more bytes into buf, which holds those from a place on, or as many as
// there are.
func extend(r io.ReaderAt, size, from int64, buf []byte, n int) ([]byte, error) {
	have := len(buf)
	n = int(min(int64(n), size-from-int64(have)))
	if n <= 0 {
		return buf, nil
	}
	if cap(buf) < have+n {
		buf = append(make([]byte, 0, have+n), buf...)
	}
	m, err := r.ReadAt(buf[have:have+n], from+int64(have))
	if err == io.EOF {
		err = nil
	}
	return buf[:have+m], err
}
