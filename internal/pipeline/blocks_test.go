package pipeline

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// collect reads all blocks of r and checks what every block promises.
func collect(t *testing.T, r io.Reader, size int) (data []byte, sum Block, err error) {
	t.Helper()
	b := NewBlocks(r, size)
	var blk Block
	next := int64(1)
	for {
		if err = b.Next(&blk); err != nil {
			return data, sum, err
		}
		if len(blk.Data) == 0 {
			t.Fatal("an empty block")
		}
		if len(data) > 0 && data[len(data)-1] != '\n' {
			t.Fatal("a block follows one that does not end with a newline")
		}
		if blk.FirstLine != next {
			t.Fatalf("FirstLine = %d, want %d", blk.FirstLine, next)
		}
		if n := countLines(blk.Data); n != blk.Lines {
			t.Fatalf("Lines = %d, want %d", blk.Lines, n)
		}
		next += int64(blk.Lines)
		data = append(data, blk.Data...)
		sum.Lines += blk.Lines
		sum.Cut += blk.Cut
		sum.CutBytes += blk.CutBytes
	}
}

func countLines(data []byte) int {
	n := bytes.Count(data, newline)
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// cutLines is what collect must return for input: every line shortened to MaxLine.
func cutLines(input []byte) (want []byte, sum Block) {
	for _, line := range bytes.SplitAfter(input, newline) {
		if len(line) == 0 {
			continue
		}
		sum.Lines++
		text := bytes.TrimSuffix(line, newline)
		if len(text) > MaxLine {
			sum.Cut++
			sum.CutBytes += int64(len(text) - MaxLine)
			text = text[:MaxLine]
		}
		want = append(want, text...)
		want = append(want, line[len(bytes.TrimSuffix(line, newline)):]...)
	}
	return want, sum
}

func checkBlocks(t *testing.T, input []byte, r io.Reader, size int) {
	t.Helper()
	want, wantSum := cutLines(input)
	got, sum, err := collect(t, r, size)
	if err != io.EOF {
		t.Fatalf("error %v, want io.EOF", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d; or they differ", len(got), len(want))
	}
	if sum.Lines != wantSum.Lines || sum.Cut != wantSum.Cut || sum.CutBytes != wantSum.CutBytes {
		t.Fatalf("got %+v, want %+v", sum, wantSum)
	}
}

func TestBlocks(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for name, input := range map[string]string{
		"nothing":             "",
		"a newline":           "\n",
		"empty lines":         "\n\n\n",
		"no newline":          "abc",
		"lines":               strings.Repeat("a line of mail\n", 5000),
		"no last newline":     strings.Repeat("a line of mail\n", 5000) + "and more",
		"NULs and not UTF-8":  "\x00\x00\xff\xfe\n\x80\n",
		"as long as may be":   "a\n" + long + "\nb\n",
		"one too long":        "a\n" + long + "y\nb\n",
		"twice too long":      "a\n" + long + long + "\nb\n" + long + "yy\nc",
		"too long at the end": "a\n" + long + long,
	} {
		for _, size := range []int{0, 1, 64, 4096, 64 << 20} {
			if size == 1 && len(input) > MaxLine {
				continue // a read for each of millions of bytes
			}
			t.Run(name, func(t *testing.T) {
				checkBlocks(t, []byte(input), strings.NewReader(input), size)
				checkBlocks(t, []byte(input), iotest.DataErrReader(strings.NewReader(input)), size)
				checkBlocks(t, []byte(input), iotest.HalfReader(strings.NewReader(input)), size)
			})
		}
	}
}

// TestBlocksLongLine holds the promise that a line costs no more memory than MaxLine allows.
func TestBlocksLongLine(t *testing.T) {
	const size = 100 << 20
	b := NewBlocks(io.MultiReader(io.LimitReader(letters{}, size), strings.NewReader("\nnext\n")), 0)
	var blk Block
	if err := b.Next(&blk); err != nil {
		t.Fatal(err)
	}
	if blk.Cut != 1 || blk.CutBytes != size-MaxLine || cap(blk.Data) > 2*MaxLine {
		t.Errorf("cut %d, cut bytes %d, cap %d", blk.Cut, blk.CutBytes, cap(blk.Data))
	}
	rest := blk.Data[MaxLine:]
	if string(rest) != "\nnext\n" && string(rest) != "\n" {
		t.Errorf("the block ends with %.20q", rest)
	}
}

// letters is an endless line.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestBlocksError(t *testing.T) {
	failure := errors.New("the disk is gone")
	r := io.MultiReader(strings.NewReader("one\ntwo\nthr"), iotest.ErrReader(failure))
	data, sum, err := collect(t, r, 0)
	if string(data) != "one\ntwo\nthr" || sum.Lines != 3 || err != failure {
		t.Errorf("got %q, %d lines, %v", data, sum.Lines, err)
	}
	if _, _, err := collect(t, silent{}, 0); err != io.ErrNoProgress {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

type silent struct{}

func (silent) Read([]byte) (int, error) { return 0, nil }

// TestBlocksLive: a line is handed on when it is there, and does not wait for a full block.
func TestBlocksLive(t *testing.T) {
	r, w := io.Pipe()
	b := NewBlocks(r, 0)
	var blk Block
	for _, line := range []string{"one\n", "two\n"} {
		go w.Write([]byte(line))
		if err := b.Next(&blk); err != nil || string(blk.Data) != line {
			t.Fatalf("got %q, %v, want %q", blk.Data, err, line)
		}
	}
}

func TestBlocksAllocations(t *testing.T) {
	data := bytes.Repeat([]byte("Nov 22 06:25:01 mx postfix/smtpd[1234]: connect\n"), 20_000)
	r := bytes.NewReader(data)
	b := NewBlocks(r, 4096)
	var blk Block
	b.Next(&blk)
	if n := testing.AllocsPerRun(100, func() { b.Next(&blk) }); n > 0 {
		t.Errorf("%v allocations a block, want none", n)
	}
}

func FuzzBlocks(f *testing.F) {
	f.Add([]byte("one\ntwo\n\nthree"), uint16(4), []byte{1, 2, 3})
	f.Add([]byte("\n\n"), uint16(1), []byte{0, 9})
	f.Add(bytes.Repeat([]byte("x"), 300), uint16(7), []byte{200})
	f.Fuzz(func(t *testing.T, input []byte, size uint16, steps []byte) {
		checkBlocks(t, input, &stepReader{input, steps, 0}, int(size))
	})
}

// stepReader gives as many bytes at a time as steps say.
type stepReader struct {
	data, steps []byte
	i           int
}

func (r *stepReader) Read(p []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, io.EOF
	}
	n := len(p)
	if len(r.steps) > 0 {
		n = min(n, int(r.steps[r.i%len(r.steps)])+1)
		r.i++
	}
	n = copy(p[:n], r.data)
	r.data = r.data[n:]
	return n, nil
}

func BenchmarkBlocks(b *testing.B) {
	line := []byte("Nov 22 06:25:01 mx postfix/smtpd[1234]: connect from client.example.net[192.0.2.1] and so on to a usual length\n")
	log := bytes.Repeat(line, 64<<20/len(line))
	b.SetBytes(int64(len(log)))
	var blk Block
	for b.Loop() {
		blocks := NewBlocks(bytes.NewReader(log), 0)
		for blocks.Next(&blk) == nil {
		}
	}
}
