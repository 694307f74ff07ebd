package knowledge

import (
	"bytes"
	"fmt"
)

// Mark is what a line tells of the mail server itself.
type Mark uint8

// The marks.
const (
	NoMark Mark = iota
	MarkStarted
	MarkStopped
	MarkConfig
	MarkTLS
	MarkDisk
	MarkFatal
	numMarks
)

var markIDs = [numMarks]string{"", "started", "stopped", "config_error", "tls_error", "disk", "fatal"}

// String returns the mark's name, "" for none.
func (m Mark) String() string { return nameOf(markIDs[:], m) }

// marker is a rule for marks.
type marker struct {
	mark   Mark
	any    [][]byte
	sample string
}

func loadMarks(b *Base) error {
	var in struct {
		Mark []struct{ What, Any, Sample string }
	}
	if err := decode("marks.toml", &in); err != nil {
		return err
	}
	for _, row := range in.Mark {
		mark, ok := byName[Mark](markIDs[:], row.What)
		if !ok || mark == NoMark || row.Sample == "" {
			return fmt.Errorf("marks.toml: %q is none, or has no sample", row.What)
		}
		m := marker{mark: mark, sample: row.Sample}
		for _, phrase := range lines(row.Any) {
			m.any = append(m.any, []byte(phrase))
		}
		b.markers = append(b.markers, m)
	}
	return nil
}

// maxMarked is how much of a line is looked at for a mark.
const maxMarked = 512

// Mark tells what a line of a mail program, without its head, says of the server.
func (b *Base) Mark(text []byte) Mark {
	var room [maxMarked]byte
	folded := room[:copy(room[:], text)]
	for i, c := range folded {
		if 'A' <= c && c <= 'Z' {
			folded[i] = c + 'a' - 'A'
		}
	}
	for i := range b.markers {
		for _, phrase := range b.markers[i].any {
			if bytes.Contains(folded, phrase) {
				return b.markers[i].mark
			}
		}
	}
	return NoMark
}
