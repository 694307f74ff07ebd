package source

import (
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Encode returns what compresses for a file of this name, gzip where it ends in .gz and zstd
// where it ends in .zst, and passes on what goes to any other. It has to be closed, which
// leaves to open.
func Encode(to io.Writer, name string) (io.WriteCloser, error) {
	switch name = strings.ToLower(name); {
	case strings.HasSuffix(name, ".gz"):
		return gzip.NewWriter(to), nil
	case strings.HasSuffix(name, ".zst"):
		return zstd.NewWriter(to)
	}
	return asIs{to}, nil
}

type asIs struct{ io.Writer }

// Close does nothing.
func (asIs) Close() error { return nil }
