package trace

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mailwhy/mailwhy/internal/testlog"
)

// BenchmarkTrace looks for a message in the middle of a log: 64 MB that are written for it,
// or the file that MAILWHY_BENCH_LOG names.
func BenchmarkTrace(b *testing.B) {
	file := os.Getenv("MAILWHY_BENCH_LOG")
	if file == "" {
		file = filepath.Join(b.TempDir(), "mail.log")
		out, err := os.Create(file)
		if err != nil {
			b.Fatal(err)
		}
		if err := testlog.Write(out, testlog.Options{Format: "postfix", Size: 64 << 20, Seed: 1}); err != nil {
			b.Fatal(err)
		}
		out.Close()
	}
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	info, _ := f.Stat()
	part := make([]byte, 64<<10)
	f.ReadAt(part, info.Size()/2)
	id := queueIDIn(b, part)
	in := logInput(file, part, false)
	in.Size = info.Size()
	in.Plain = func() (File, error) { return osFile{f, info.Size()}, nil }
	what, _ := ParseWhat(id, "")
	b.SetBytes(info.Size())
	for b.Loop() {
		r := Run(Options{Inputs: []*Input{in}, What: what, Workers: runtime.GOMAXPROCS(0)})
		if len(r.Messages) != 1 {
			b.Fatalf("%d messages of %s", len(r.Messages), id)
		}
	}
}

// queueIDIn returns a queue ID of a message that was delivered in a piece of a log.
func queueIDIn(b *testing.B, part []byte) string {
	for line := range bytes.Lines(part) {
		if before, _, ok := bytes.Cut(line, []byte(": removed")); ok {
			return string(before[bytes.LastIndexByte(before, ' ')+1:])
		}
	}
	b.Fatal("no message")
	return ""
}

type osFile struct {
	*os.File
	size int64
}

func (f osFile) Size() int64 { return f.size }
func (osFile) Close() error  { return nil }
