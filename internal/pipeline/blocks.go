package pipeline

import (
	"io"

	"github.com/mailwhy/mailwhy/internal/source"
)

type (
	Block  = source.Block
	Blocks = source.Blocks
)

func NewBlocks(r io.Reader, size int) *Blocks {
	if size == 0 {
		size = DefaultBlockSize
	}
	return source.NewBlocks(r, size)
}
