package session

import (
	"bytes"
	"hash/maphash"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxRepeats is how many verdict lines of Exim are remembered for comparison.
const maxRepeats = 1 << 18

// Repeats finds the lines that Exim writes twice, so that they are counted once. An
// entry of its reject log and of its panic log begins with a copy, byte for byte, of a
// line of the main log; with both going to syslog the copy stands right behind the line
// (Exim specification, chapter "Log files", syslog_duplication). Otherwise two equal
// lines are two events.
type Repeats struct {
	seed    maphash.Seed
	several bool
	side    uint8 // 0 for a main log, 1 for a reject or panic log
	// seen counts, for each verdict line, how often main logs and the others had it.
	seen map[uint64]*[2]uint32

	last [256]written // by process, for the copies in a syslog
}

// onlyMain is in a refusal of the daemon's that goes to the main log alone, and comes in
// equal lines when a client hammers (smtp_in.c, too many connections).
var onlyMain = []byte("Connection from [")

// written is the last verdict of a process in the syslog.
type written struct {
	pid  uint32
	copy bool // it was the second of two
	key  uint64
}

// NewRepeats returns an empty memory. several says that a main log and a reject or panic
// log are among the files; without it only the copies in a syslog are looked for.
func NewRepeats(several bool) *Repeats {
	return &Repeats{seed: maphash.MakeSeed(), several: several, seen: map[uint64]*[2]uint32{}}
}

// File says that another file begins, and whether it is a reject or panic log.
func (r *Repeats) File(side bool) {
	r.Turn(side)
	clear(r.last[:])
}

// Turn says that what comes next is of a reject or panic log, or of a main log, where
// several are read at once.
func (r *Repeats) Turn(side bool) {
	r.side = 0
	if side {
		r.side = 1
	}
}

// Seen reports whether the line was counted already.
func (r *Repeats) Seen(st *Step, line []byte) bool {
	if st.Format != smtp.FormatExim || !twice(st) {
		return false
	}
	if st.Tagged {
		return r.behind(st, line)
	}
	if !r.several {
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
	n[r.side]++
	return n[r.side] <= n[1-r.side]
}

// behind reports whether a line of a syslog repeats the last verdict of its process. The
// message alone is compared: the stamps before it are of two calls, and the copy may
// have been cut into numbered pieces.
func (r *Repeats) behind(st *Step, line []byte) bool {
	if bytes.Contains(line, onlyMain) {
		return false
	}
	if i := bytes.Index(line, []byte("]: ")); i >= 0 {
		line = line[i+3:]
	}
	if len(line) > 0 && line[0] == '[' {
		if i := bytes.Index(line, []byte("] ")); i >= 0 {
			line = line[i+2:]
		}
	}
	key := maphash.Bytes(r.seed, line)
	w := &r.last[st.PID%uint32(len(r.last))]
	*w = written{pid: st.PID, key: key, copy: w.pid == st.PID && w.key == key && !w.copy}
	return w.copy
}

// twice reports whether Exim may write such a line to two logs: refusals go to the
// reject log, errors to the panic log.
func twice(st *Step) bool {
	switch st.Kind {
	case smtp.KindReject, smtp.KindAuth, smtp.KindClosed, smtp.KindWarning, smtp.KindTLS, smtp.KindNotice, smtp.KindFilter, smtp.KindDelivery:
		return st.Outcome != smtp.Sent
	}
	return false
}
