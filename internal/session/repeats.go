package session

import (
	"hash/maphash"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxRepeats is how many verdict lines of Exim are remembered for comparison.
const maxRepeats = 1 << 18

// Repeats finds the lines that Exim writes twice: its reject log and panic log begin an
// entry with a copy, byte for byte, of a line of the main log (Exim specification,
// chapter "Log files"). When both files are given such a line is counted once. Two
// equal lines of one file are two events.
type Repeats struct {
	seed maphash.Seed
	// seen counts, for each verdict line, how often the files before this one had it,
	// and how often this one does.
	seen map[uint64]*[2]uint32
	file []uint64 // the lines of this file
}

// NewRepeats returns an empty memory.
func NewRepeats() *Repeats {
	return &Repeats{seed: maphash.MakeSeed(), seen: map[uint64]*[2]uint32{}}
}

// Seen reports whether an earlier file had the line already.
func (r *Repeats) Seen(ev *smtp.Event, line []byte) bool {
	if ev.Format != smtp.FormatExim || !twice(ev) {
		return false
	}
	key := maphash.Bytes(r.seed, line)
	n := r.seen[key]
	if n == nil {
		if len(r.seen) >= maxRepeats {
			return false
		}
		n = new([2]uint32)
		r.seen[key] = n
	}
	if n[1] == 0 {
		r.file = append(r.file, key)
	}
	n[1]++
	return n[1] <= n[0]
}

// EndOfFile makes the lines of the file that ends those of an earlier one.
func (r *Repeats) EndOfFile() {
	for _, key := range r.file {
		n := r.seen[key]
		n[0], n[1] = max(n[0], n[1]), 0
	}
	r.file = r.file[:0]
}

// twice reports whether Exim may write such a line to two logs: refusals go to the
// reject log, errors to the panic log.
func twice(ev *smtp.Event) bool {
	switch ev.Kind {
	case smtp.KindReject, smtp.KindAuth, smtp.KindClosed, smtp.KindWarning, smtp.KindTLS, smtp.KindNotice, smtp.KindFilter, smtp.KindDelivery:
		return ev.Outcome != smtp.Sent
	}
	return false
}
