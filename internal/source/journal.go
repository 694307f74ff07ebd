package source

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// MaxMessage is how many bytes of a record's message are kept: as much as of a line
// elsewhere.
const MaxMessage = 1 << 20

var newline = []byte{'\n'}

const (
	// journalMagic begins every journal export: journalctl writes the cursor first.
	journalMagic = "__CURSOR="
	// maxJournalField is how long a field may be. The journal itself takes none longer than
	// 768 MiB (DATA_SIZE_MAX in systemd's src/libsystemd/sd-journal), so a longer one is damage.
	maxJournalField = 768 << 20
	// maxJournalName is how long a field's name may be (systemd's journal_field_valid).
	maxJournalName = 64
	// maxJournalWord is how much is kept of a field that makes a word of the line: a host
	// name has 253 bytes at most and a program's name fewer.
	maxJournalWord = 256
	// maxCursor is how long the name of a record's place may be; those of systemd 257 have
	// some 130 bytes.
	maxCursor = 1024
)

// journal turns a journal export into lines, one a record:
//
//	2026-11-22T06:25:01.123456+00:00 host ident[pid]: MESSAGE
//
// The format is systemd's "Journal Export Format": fields KEY=VALUE, each on a line; a
// field whose value is not plain text as KEY, a newline, its length in 8 bytes with the lowest
// first, the value and a newline; an empty line after each record. Newlines within a value
// become blanks. Of a message, MaxMessage bytes are kept; of the fields that do not go into the line, nothing is kept.
type journal struct {
	r       *bufio.Reader
	out     []byte // lines that wait to be read, from off on
	off     int
	err     error
	records int64

	any                            bool // the record has a field
	received, sent                 []byte
	host, ident, comm, pid, sysPID []byte
	message                        []byte

	ended  func(cursor []byte, line int) // is told of each record: its cursor and how long its line is
	cursor []byte
}

// newJournal returns the lines of the journal export in r.
func newJournal(r io.Reader) *journal { return &journal{r: bufio.NewReaderSize(r, readSize)} }

// Read reads lines.
func (j *journal) Read(p []byte) (int, error) {
	if j.off == len(j.out) {
		j.out, j.off = j.out[:0], 0
		// Whatever is here already is turned into lines at once, and no line waits for more.
		for j.err == nil && len(j.out) < readSize && (len(j.out) == 0 || j.r.Buffered() > 0) {
			j.err = j.field()
		}
	}
	if j.off == len(j.out) {
		return 0, j.err
	}
	n := copy(p, j.out[j.off:])
	j.off += n
	return n, nil
}

// field reads one field, or the empty line that ends a record.
func (j *journal) field() error {
	line, err := j.r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) == 0:
		j.emitCut()
		return io.EOF
	case len(line) == 1 && line[0] == '\n':
		j.emit()
		return nil
	}
	name, value, isText := bytes.Cut(line, []byte{'='})
	if !isText {
		if err != nil && err != bufio.ErrBufferFull {
			return j.stop(err)
		}
		name = bytes.TrimSuffix(line, newline)
	}
	if !validField(name) {
		return j.damaged("there is no field's name where one should be")
	}
	j.any = true
	keep, limit := j.slot(name)
	if isText {
		return j.text(keep, limit, value, err)
	}
	return j.binary(keep, limit)
}

// text takes the value of a field of plain text. err is bufio.ErrBufferFull while there is
// more of it.
func (j *journal) text(keep *[]byte, limit int, value []byte, err error) error {
	for size := 0; ; {
		if size += len(value); size > maxJournalField {
			return j.damaged("a field is longer than any that the journal takes")
		}
		add(keep, limit, bytes.TrimSuffix(value, newline))
		if err == nil {
			return nil
		}
		if err != bufio.ErrBufferFull {
			return j.stop(err)
		}
		value, err = j.r.ReadSlice('\n')
	}
}

// binary takes the value of a field that is given with its length.
func (j *journal) binary(keep *[]byte, limit int) error {
	var b [8]byte
	if _, err := io.ReadFull(j.r, b[:]); err != nil {
		return j.stop(err)
	}
	size := binary.LittleEndian.Uint64(b[:])
	if size > maxJournalField {
		return j.damaged("a field is longer than any that the journal takes")
	}
	for left := int(size); left > 0; {
		part, err := j.r.Peek(min(left, j.r.Size()))
		add(keep, limit, part)
		j.r.Discard(len(part))
		if left -= len(part); err != nil {
			return j.stop(err)
		}
	}
	if end, err := j.r.ReadByte(); err != nil {
		return j.stop(err)
	} else if end != '\n' {
		return j.damaged("a field does not end where its length says")
	}
	return nil
}

// slot returns where a field's value is kept and how much of it, nil for a field that is not
// needed.
func (j *journal) slot(name []byte) (keep *[]byte, limit int) {
	switch string(name) {
	case "MESSAGE":
		return &j.message, MaxMessage
	case "__CURSOR":
		if j.ended != nil {
			return &j.cursor, maxCursor
		}
	case "__REALTIME_TIMESTAMP":
		return &j.received, maxJournalWord
	case "_SOURCE_REALTIME_TIMESTAMP":
		return &j.sent, maxJournalWord
	case "_HOSTNAME":
		return &j.host, maxJournalWord
	case "SYSLOG_IDENTIFIER":
		return &j.ident, maxJournalWord
	case "_COMM":
		return &j.comm, maxJournalWord
	case "SYSLOG_PID":
		return &j.sysPID, maxJournalWord
	case "_PID":
		return &j.pid, maxJournalWord
	}
	return nil, 0
}

// add appends part to keep, up to limit. A newline in it would begin another line, which
// anyone who can log could forge.
func add(keep *[]byte, limit int, part []byte) {
	if keep == nil {
		return
	}
	begun := len(*keep)
	*keep = append(*keep, part[:min(len(part), limit-begun)]...)
	for rest := (*keep)[begun:]; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return
		}
		rest[i] = ' '
		rest = rest[i+1:]
	}
}

// emit ends a record. Two empty lines in a row end only one.
func (j *journal) emit() {
	if !j.any {
		return
	}
	j.records++
	begun := len(j.out)
	j.out = appendMicros(j.out, either(j.sent, j.received))
	j.out = append(j.out, ' ')
	j.out = append(j.out, either(j.host, []byte("-"))...)
	j.out = append(j.out, ' ')
	j.out = append(j.out, either(j.ident, either(j.comm, []byte("unknown")))...)
	// The process ID that the program gave for itself is the one its own lines speak of; in
	// a container, the system sees another.
	if pid := either(j.sysPID, j.pid); len(pid) > 0 {
		j.out = append(j.out, '[')
		j.out = append(j.out, pid...)
		j.out = append(j.out, ']')
	}
	j.out = append(j.out, ": "...)
	j.out = append(j.out, j.message...)
	j.out = append(j.out, '\n')
	if j.ended != nil {
		j.ended(j.cursor, len(j.out)-begun)
		j.cursor = j.cursor[:0]
	}
	j.any = false
	for _, field := range []*[]byte{&j.received, &j.sent, &j.host, &j.ident, &j.comm, &j.pid, &j.sysPID, &j.message} {
		*field = (*field)[:0]
	}
}

// emitCut ends a record that breaks off. One that is followed comes again, whole.
func (j *journal) emitCut() {
	if j.ended == nil {
		j.emit()
	}
}

// either returns a, or b where a is empty.
func either(a, b []byte) []byte {
	if len(a) > 0 {
		return a
	}
	return b
}

// appendMicros appends a time given in microseconds since 1970 as RFC 3339 in UTC, and "-"
// for one that is none.
func appendMicros(b, micros []byte) []byte {
	n, err := strconv.ParseInt(string(micros), 10, 64)
	if err != nil || n < 0 {
		return append(b, '-')
	}
	return time.UnixMicro(n).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000+00:00")
}

// validField reports whether b can name a field: capitals, digits and underscores.
func validField(b []byte) bool {
	if len(b) == 0 || len(b) > maxJournalName {
		return false
	}
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// stop ends the reading within a record, of which what is there is handed on. The end of
// the input is in the wrong place here.
func (j *journal) stop(err error) error {
	j.emitCut()
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	return &Error{What: fmt.Sprintf("the journal export ends within record %d", j.records),
		Advice: "what came before it is read; export it again to see the rest", Err: io.ErrUnexpectedEOF}
}

var errJournal = errors.New("damaged journal export")

// damaged is the error of an export that does not keep to the format. Nothing after it can
// be trusted, since where a record begins is no longer known.
func (j *journal) damaged(what string) error {
	return &Error{What: fmt.Sprintf("the journal export is damaged after record %d: %s", j.records, what),
		Advice: "what came before it is read; export it again to see the rest", Err: errJournal}
}
