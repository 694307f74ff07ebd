package source

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/unicode"
)

// MaxWindow is how many bytes of what came before a compressed file may refer back to, and
// with that the memory it can claim. It is what zstd(1) itself grants unless told otherwise,
// and twice what xz -9 needs.
const MaxWindow = 128 << 20

// magicSize is how many bytes tell every kind of file that is known here.
const magicSize = 9

// form is what the bytes of an input turned out to be.
type form struct {
	compression string // "gzip", "bzip2", "xz", "zstd", ""
	transformed string // "journal export", "UTF-16", ""
}

// errTooLarge: the data want more than MaxWindow.
var errTooLarge = errors.New("more than 128 MiB of memory")

// decode makes r.r of the bytes on disk: decompressed, and as UTF-8 lines.
func (r *reader) decode(raw io.Reader) error {
	magic, raw := peek(raw)
	if e := unsupported(magic); e != nil {
		return e
	}
	r.form.compression = compressionOf(magic)
	text, err := r.decompress(raw)
	if err != nil {
		return err
	}
	if r.form.compression != "" {
		magic, text = peek(text)
	}
	r.r, r.form.transformed = transform(magic, text)
	return nil
}

// peek returns the first bytes of r, and a reader that begins with them. An error that comes
// this early still comes after the bytes before it.
func peek(r io.Reader) ([]byte, io.Reader) {
	magic := make([]byte, magicSize)
	n, err := fill(r, magic)
	if err != nil {
		r = broken{err}
	}
	return magic[:n], io.MultiReader(bytes.NewReader(magic[:n]), r)
}

// fill reads until p is full or r ends. Unlike io.ReadFull it hands on r's own error, which
// tells an input that is short from one that is cut off.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// broken is a reader of an error, io.EOF among them.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// compressionOf names the compression that begins with magic: RFC 1952 (gzip), RFC 8878
// (zstd and its skippable frames), the .xz File Format 1.0.4, and bzip2, whose header has no
// other source than the program.
func compressionOf(magic []byte) string {
	switch {
	case bytes.HasPrefix(magic, []byte("\x1f\x8b\x08")):
		return "gzip"
	case len(magic) >= 6 && string(magic[:3]) == "BZh" && '1' <= magic[3] && magic[3] <= '9' &&
		(string(magic[4:6]) == "1A" || string(magic[4:6]) == "\x17r"): // a block, or the end of an empty file
		return "bzip2"
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		return "xz"
	case bytes.HasPrefix(magic, []byte("\x28\xb5\x2f\xfd")),
		len(magic) >= 4 && magic[0]&0xf0 == 0x50 && string(magic[1:4]) == "\x2a\x4d\x18":
		return "zstd"
	}
	return ""
}

// unsupported returns the error of a kind of file that is known and not read here, with the
// way to read it all the same.
func unsupported(magic []byte) *Error {
	for _, kind := range []struct{ magic, name, advice string }{
		{"LPKSHHRH", "a journal file, which only journalctl reads", "journalctl -o export --file FILE | mailwhy -"},
		{"PK\x03\x04", "a zip archive", "unzip -p FILE | mailwhy -"},
		{"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "7z x -so FILE | mailwhy -"},
		{"Rar!\x1a\x07", "a RAR archive", "unrar p -inul FILE | mailwhy -"},
		{"\x04\x22\x4d\x18", "compressed with lz4", "lz4 -dc FILE | mailwhy -"},
		{"\x1f\x9d", "compressed with compress(1)", "zcat FILE | mailwhy -"},
		{"LZIP", "compressed with lzip", "lzip -dc FILE | mailwhy -"},
		{"SQLite f", "an SQLite database", "name the log it was made of"},
	} {
		if bytes.HasPrefix(magic, []byte(kind.magic)) {
			return &Error{What: kind.name, Advice: kind.advice, Err: errors.ErrUnsupported}
		}
	}
	return nil
}

// decompress returns what raw holds, compressed as r.form says.
func (r *reader) decompress(raw io.Reader) (io.Reader, error) {
	if r.form.compression == "" {
		return raw, nil
	}
	buf := bufio.NewReaderSize(raw, readSize)
	switch r.form.compression {
	case "gzip":
		return gzip.NewReader(buf)
	case "bzip2":
		return newBzip2(buf), nil
	case "xz":
		return newXZ(buf)
	}
	z, err := zstd.NewReader(buf, zstd.WithDecoderMaxWindow(MaxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	r.closers = append(r.closers, z.Close)
	return z, nil
}

// damaged puts an error of compressed data in words.
func damaged(path, compression string, err error) *Error {
	var pe *fs.PathError
	const advice = "what came before it is read; get a complete copy to see the rest"
	switch {
	case errors.As(err, &pe):
		return fileError(path, err)
	case errors.Is(err, errTooLarge), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return &Error{path, compression + " data that need " + errTooLarge.Error() + " to be read", "decompress them first and name what comes out", err}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{path, compression + " data end early: the file is cut off, or still being written", advice, err}
	}
	return &Error{path, compression + " data are damaged (" + err.Error() + ")", advice, err}
}

// transform returns text as UTF-8 lines, and what it was before where it was something else.
func transform(magic []byte, text io.Reader) (io.Reader, string) {
	switch {
	case bytes.HasPrefix(magic, []byte("\xff\xfe")), bytes.HasPrefix(magic, []byte("\xfe\xff")):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(text), "UTF-16"
	case bytes.HasPrefix(magic, []byte("\xef\xbb\xbf")):
		// The byte order mark of UTF-8 says nothing and would only hide the first line's time.
		fill(text, make([]byte, 3))
		return text, ""
	case bytes.HasPrefix(magic, []byte(journalMagic)):
		return newJournal(text), "journal export"
	}
	return text, ""
}
