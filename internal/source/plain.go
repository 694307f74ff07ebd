package source

import (
	"bytes"
	"io"
	"os"
)

// Plain is an opened file whose text stands in it as it is read, so that any part of it can
// be read at any time, by several goroutines too.
type Plain struct {
	*io.SectionReader
	file *os.File
}

// Close gives the file back.
func (p *Plain) Close() error { return p.file.Close() }

// IsPlain reports that OpenPlain can open the input: it is a file, and neither compressed nor
// anything else that has to be read from its start. It looks at the head.
func (in *Input) IsPlain() bool {
	if _, err := in.Head(); err != nil || in.stream {
		return false
	}
	return in.Compression() == "" && in.Transformed() == ""
}

// Once reports that the input can be read once only: it is a pipe.
func (in *Input) Once() bool { return in.stream }

// OpenPlain opens a plain file, as long as it is now.
func (in *Input) OpenPlain() (*Plain, error) {
	file, err := os.Open(in.Path)
	if err != nil {
		return nil, fileError(in.Path, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, fileError(in.Path, err)
	}
	start := int64(0)
	var mark [3]byte
	if n, _ := file.ReadAt(mark[:], 0); bytes.Equal(mark[:n], []byte("\xef\xbb\xbf")) {
		start = 3 // UTF-8's byte order mark, which Open leaves out too
	}
	return &Plain{io.NewSectionReader(file, start, max(0, info.Size()-start)), file}, nil
}
