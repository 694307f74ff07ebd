package source

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// writeInput writes a file and finds it.
func writeInput(tb testing.TB, name string, data []byte) *Input {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return findOne(tb, path, nil)
}

func findOne(tb testing.TB, arg string, stdin io.Reader) *Input {
	tb.Helper()
	inputs, errs := Find([]string{arg}, stdin)
	if len(inputs) != 1 || len(errs) != 0 {
		tb.Fatalf("found %d inputs, errors %v", len(inputs), errs)
	}
	return inputs[0]
}

func readFile(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// readInput reads all of an input.
func readInput(tb testing.TB, in *Input) ([]byte, error) {
	tb.Helper()
	r, err := in.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// compressed returns data in each compression. The bzip2 file was made by bzip2(1), Go having
// no writer of it; it holds testdata/small.log.
func compressed(tb testing.TB, data []byte) map[string][]byte {
	tb.Helper()
	var gz, x, z bytes.Buffer
	gw := gzip.NewWriter(&gz)
	xw, err := xz.WriterConfig{DictCap: 1 << 16}.NewWriter(&x)
	if err != nil {
		tb.Fatal(err)
	}
	zw, err := zstd.NewWriter(&z)
	if err != nil {
		tb.Fatal(err)
	}
	for _, w := range []io.WriteCloser{gw, xw, zw} {
		half := len(data) / 2
		_, err1 := w.Write(data[:half])
		if w == zw {
			zw.Flush() // a second block, or a cut would leave nothing to read
		}
		_, err2 := w.Write(data[half:])
		if err := errors.Join(err1, err2); err != nil {
			tb.Fatal(err)
		}
		if err := w.Close(); err != nil {
			tb.Fatal(err)
		}
	}
	return map[string][]byte{"gzip": gz.Bytes(), "xz": x.Bytes(), "zstd": z.Bytes(),
		"bzip2": readFile(tb, "testdata/small.log.bz2")}
}

func TestCompressed(t *testing.T) {
	want := readFile(t, "testdata/small.log")
	for name, data := range compressed(t, want) {
		// Two files put one after the other are read as one, as cat(1) and logs in pieces need it.
		for _, double := range []bool{false, true} {
			want, data := want, data
			if double {
				want, data = bytes.Repeat(want, 2), bytes.Repeat(data, 2)
			}
			t.Run(name, func(t *testing.T) {
				// The name says nothing: only the content does.
				checkInput(t, writeInput(t, "mail.log", data), name, "", want)
				checkInput(t, findOne(t, "-", bytes.NewReader(data)), name, "", want)
			})
		}
	}
	checkInput(t, writeInput(t, "mail.log.gz", want), "", "", want)
	checkInput(t, findOne(t, "testdata/blocks.log.xz", nil), "xz", "", want)
	checkInput(t, findOne(t, "testdata/empty.bz2", nil), "bzip2", "", nil)
}

// checkInput looks at the head and then reads all of in.
func checkInput(t *testing.T, in *Input, compression, transformed string, want []byte) {
	t.Helper()
	head, err := in.Head()
	if err != nil || !bytes.Equal(head, want[:min(len(want), HeadSize)]) {
		t.Errorf("Head: %d bytes, %v", len(head), err)
	}
	if in.Empty() != (len(want) == 0) {
		t.Errorf("Empty() = %v", in.Empty())
	}
	got, err := readInput(t, in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes of %d, %v", len(got), len(want), err)
	}
	if in.Compression() != compression || in.Transformed() != transformed {
		t.Errorf("compression %q, transformed %q, want %q, %q", in.Compression(), in.Transformed(), compression, transformed)
	}
	if in.Size >= 0 && in.Consumed() != in.Size {
		t.Errorf("Consumed() = %d, want %d", in.Consumed(), in.Size)
	}
}

// TestTruncated cuts compressed files at every byte: whatever is missing, an error says so,
// and what could be read is the beginning of the text.
func TestTruncated(t *testing.T) {
	want := readFile(t, "testdata/small.log")
	files := compressed(t, want)
	files["xz of several blocks"] = readFile(t, "testdata/blocks.log.xz")
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			most := 0
			for n := 6; n < len(data); n++ {
				in := &Input{Path: "-", stdin: bytes.NewReader(data[:n])}
				got, err := readInput(t, in)
				if err == nil {
					t.Fatalf("cut at byte %d of %d: no error", n, len(data))
				}
				var e *Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), "stdin: "+strings.Fields(name)[0]+" data end early") {
					t.Fatalf("cut at byte %d of %d: %v", n, len(data), err)
				}
				if !bytes.HasPrefix(want, got) {
					t.Fatalf("cut at byte %d: %d bytes that are not the beginning", n, len(got))
				}
				most = max(most, len(got))
			}
			if most == 0 {
				t.Error("nothing was read of any truncated file")
			}
		})
	}
}

func TestDamaged(t *testing.T) {
	for name, data := range compressed(t, readFile(t, "testdata/small.log")) {
		for n := 0; n < len(data); n += 7 {
			broken := bytes.Clone(data)
			broken[n] ^= 0x55
			in := &Input{Path: "-", stdin: bytes.NewReader(broken)}
			_, err := readInput(t, in) // and no panic
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Path != "-" || e.Advice == "") {
				t.Errorf("%s, byte %d changed: %v", name, n, err)
			}
		}
		in := writeInput(t, "mail.log", append(bytes.Clone(data), "and a line that is not compressed\n"...))
		got, err := readInput(t, in)
		if err == nil || !strings.Contains(err.Error(), "mail.log: "+name+" data are damaged") || len(got) == 0 {
			t.Errorf("%s, text after it: %d bytes, %v", name, len(got), err)
		}
	}
}

func TestTooMuchMemory(t *testing.T) {
	var b bytes.Buffer
	w, _ := zstd.NewWriter(&b, zstd.WithWindowSize(2*MaxWindow))
	w.Write([]byte("one line\n"))
	w.Flush() // so that the size of the content is not in the header, which would do instead of the window
	w.Write([]byte("another\n"))
	w.Close()
	big := readFile(t, "testdata/blocks.log.xz")[:64]
	head := bytes.Clone(big)
	// The dictionary's byte is the one after the filter's 21 01.
	head[bytes.Index(head, []byte{0x21, 0x01})+2] = 40
	for name, data := range map[string][]byte{"zstd": b.Bytes(), "xz": head} {
		_, err := readInput(t, writeInput(t, "mail.log", data))
		if err == nil || !strings.Contains(err.Error(), "need more than 128 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := xzDictionary(big); got <= 0 || got > MaxWindow {
		t.Errorf("xzDictionary = %d", got)
	}
}

func TestTransformed(t *testing.T) {
	text := "Nov 22 06:25:01 mx é 😀\r\nsecond\n"
	encode := func(order int) (b []byte) {
		for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
			b = append(b, byte(u>>(8*order)), byte(u>>(8*(1-order))))
		}
		return b
	}
	checkInput(t, writeInput(t, "little.log", encode(0)), "", "UTF-16", []byte(text))
	checkInput(t, writeInput(t, "big.log", encode(1)), "", "UTF-16", []byte(text))
	checkInput(t, writeInput(t, "utf8.log", []byte("\ufeff"+text)), "", "", []byte(text))
	var gz bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write(encode(0))
	w.Close()
	checkInput(t, writeInput(t, "little.log.gz", gz.Bytes()), "gzip", "UTF-16", []byte(text))
}

func TestPlain(t *testing.T) {
	for name, data := range map[string]string{
		"empty": "", "a byte": "x", "NULs": "\x00\x00\x00", "not UTF-8": "\xff\x80\n",
		"a head": strings.Repeat("x", HeadSize), "more": strings.Repeat("a line\n", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			checkInput(t, writeInput(t, "mail.log", []byte(data)), "", "", []byte(data))
			checkInput(t, findOne(t, "-", strings.NewReader(data)), "", "", []byte(data))
		})
	}
}

// TestStream: a stream is read once, and its head does not wait for what has yet to be said.
func TestStream(t *testing.T) {
	r, w := io.Pipe()
	in := findOne(t, "-", r)
	go w.Write([]byte("the first line\n"))
	head, err := in.Head()
	if err != nil || string(head) != "the first line\n" {
		t.Fatalf("Head() = %q, %v", head, err)
	}
	stream, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		w.Write([]byte("the second\n"))
		w.Close()
	}()
	if all, err := io.ReadAll(stream); err != nil || string(all) != "the first line\nthe second\n" {
		t.Errorf("read %q, %v", all, err)
	}
	stream.Close()
	if _, err := in.Open(); err == nil {
		t.Error("a stream was opened twice")
	}
}

func TestStreamError(t *testing.T) {
	r, w := io.Pipe()
	in := findOne(t, "-", r)
	go func() {
		w.Write([]byte("one\n"))
		w.CloseWithError(errors.New("gone"))
	}()
	got, err := readInput(t, in)
	if string(got) != "one\n" || err == nil || !strings.Contains(err.Error(), "stdin: cannot read: gone") {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestUnsupported(t *testing.T) {
	for _, magic := range []string{"LPKSHHRH\x00\x00", "PK\x03\x04xxxxxx", "\x04\x22\x4d\x18", "\x1f\x9d\x90"} {
		in := writeInput(t, "some.file", []byte(magic))
		_, err := in.Head()
		_, openErr := in.Open()
		if !errors.Is(err, errors.ErrUnsupported) || !errors.Is(openErr, errors.ErrUnsupported) || !strings.Contains(err.Error(), "| mailwhy -") {
			t.Errorf("%q: %v, %v", magic, err, openErr)
		}
	}
}

func TestBinary(t *testing.T) {
	random := make([]byte, 4096)
	rand.NewChaCha8([32]byte{}).Read(random)
	for name, c := range map[string]struct {
		data string
		want bool
	}{
		"empty":       {"", false},
		"a log":       {string(readFile(t, "testdata/small.log")), false},
		"colours":     {"\x1b[31mwarning\x1b[0m: \ttext\r\n", false},
		"Latin-1":     {"gr\xfc\xdfe aus K\xf6ln\n", false},
		"a few NULs":  {"\x00" + strings.Repeat("a line\n", 20), false},
		"login times": {"\x07\x00\x00\x00user\x00\x00\x00\x00", true},
		"random":      {string(random), true},
	} {
		if in := writeInput(t, "file", []byte(c.data)); in.Binary() != c.want {
			t.Errorf("%s: Binary() = %v", name, in.Binary())
		}
	}
}

func TestVanished(t *testing.T) {
	in := writeInput(t, "mail.log", []byte("x\n"))
	os.Rename(in.Path, in.Path+".1")
	_, err := in.Head()
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "did you mean "+in.Path+".1?") {
		t.Errorf("Head: %v", err)
	}
}

func BenchmarkDecompress(b *testing.B) {
	text := bytes.Repeat(readFile(b, "testdata/small.log"), 2000)
	files := compressed(b, text)
	delete(files, "bzip2")
	for name, data := range files {
		b.Run(name, func(b *testing.B) {
			in := writeInput(b, "mail.log", data)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				r, err := in.Open()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, r); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}
