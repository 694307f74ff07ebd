package trace

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/pipeline"
)

// sample returns the text of a log.
func sample(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = io.LimitReader(f, 64<<20)
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestReadBlock holds that the blocks of a file have the lines that the pipeline cuts it
// into, each in one block.
func TestReadBlock(t *testing.T) {
	long := strings.Repeat("x", pipeline.MaxLine)
	usual := strings.Repeat("a line of mail of a usual length\n", 3*blockSize/30)
	for name, text := range map[string]string{
		"nothing": "", "a line": "abc\n", "no newline": "abc", "newlines": strings.Repeat("\n", 2*blockSize+5), "usual": usual, "usual, cut": usual + "and more",
		"line at the edge": strings.Repeat("x", blockSize-1) + "\nb\nc\n", "line over the edge": strings.Repeat("x", blockSize) + "\nb\nc\n", "line before the edge": strings.Repeat("x", blockSize-2) + "\nb\nc\n",
		"long": "a\n" + long + "\nb\n", "too long": "a\n" + long + "yz\nb\n", "long at the end": "a\n" + long, "far too long": long + long + long + "\n" + usual, "far too long at the end": usual + long + long,
	} {
		t.Run(name, func(t *testing.T) {
			var want, got []string
			var at []int64
			blocks := pipeline.NewBlocks(strings.NewReader(text), 0)
			for blk := (pipeline.Block{}); blocks.Next(&blk) == nil; {
				for line := range bytes.Lines(blk.Data) {
					want = append(want, strings.TrimSuffix(string(line), "\n"))
				}
			}
			blk := block{}
			for start := int64(0); start < int64(len(text)); start += blockSize {
				if err := readBlock(strings.NewReader(text), int64(len(text)), start, &blk); err != nil {
					t.Fatal(err)
				}
				place := blk.at
				for line := range bytes.Lines(blk.data) {
					got = append(got, strings.TrimSuffix(string(line), "\n"))
					at = append(at, place)
					place += int64(len(line))
				}
			}
			if len(got) != len(want) {
				t.Fatalf("%d lines, want %d", len(got), len(want))
			}
			for i := range got {
				if got[i] != want[i] {
					t.Fatalf("line %d: %.40q of %d bytes, want %.40q of %d", i, got[i], len(got[i]), want[i], len(want[i]))
				}
				if !strings.HasPrefix(text[at[i]:], got[i]) {
					t.Fatalf("line %d does not stand at %d", i, at[i])
				}
			}
		})
	}
}
