package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const (
	// page is what the system writes of a file at once: of what lies within one, a process that
	// is killed has written all or nothing.
	page = 4096
	// wholeEvery is how often the file of marks is made anew while nothing changes but how far
	// was read. A machine that loses its power may keep nothing else of it.
	wholeEvery = time.Minute
)

// State is a file of marks that is kept up while logs are read. How far was read is written
// into it in place, which costs a microsecond or two; whatever else changes makes it anew.
//
//	the marks as JSON, and spaces up to the end of a page
//	one page: how far was read since, as JSON with a sum over it
type State struct {
	file  string
	out   *os.File
	at    int64     // where the last page begins
	marks []Mark    // as they were written as a whole
	whole time.Time // when that was

	all, page []byte // room for what is written in place
}

// since is how far was read since the marks were written.
type since struct {
	Marks json.RawMessage `json:"since"` // a reached for each, in their order
	Sum   uint32          `json:"sum"`
}

type reached struct {
	Cursor string     `json:"cursor"`
	Places [][3]int64 `json:"places"` // offset, lines, and when the file was changed, in microseconds
}

var blank = bytes.Repeat([]byte{' '}, page)

// NewState returns the state to be kept in file.
func NewState(file string) *State { return &State{file: file} }

// Save keeps marks. The file is always whole: either as it was or as it is now.
func (s *State) Save(marks []Mark) error {
	if s.out != nil && time.Since(s.whole) < wholeEvery && slices.EqualFunc(s.marks, marks, alikeBut) {
		if written, err := s.note(marks); written || err != nil {
			return err
		}
	}
	return s.anew(marks)
}

// Close keeps marks for good, and gives the file back.
func (s *State) Close(marks []Mark) error {
	return errors.Join(s.anew(marks), s.release())
}

func (s *State) release() error {
	if s.out == nil {
		return nil
	}
	err := s.out.Close()
	s.out = nil
	return err
}

// alikeBut reports that two marks differ in nothing but how far was read.
func alikeBut(a, b Mark) bool {
	return a.Path == b.Path && a.Open == b.Open && slices.Equal(a.Past, b.Past) && slices.EqualFunc(a.Places, b.Places, func(x, y Place) bool {
		x.Offset, x.Lines, x.Changed = y.Offset, y.Lines, y.Changed
		return x == y
	})
}

// note writes how far was read into the last page, unless there are too many files for it.
func (s *State) note(marks []Mark) (written bool, err error) {
	all := appendReached(s.all[:0], marks)
	data := fmt.Appendf(s.page[:0], `{"since":%s,"sum":%d}`, all, crc32.ChecksumIEEE(all))
	s.all, s.page = all, data[:0]
	if len(data) >= page {
		return false, nil
	}
	data = append(data, blank[:page-len(data)]...) // over what is there
	if _, err = s.out.WriteAt(data, s.at); err != nil {
		s.release()
		return false, fileError(s.file, err)
	}
	return true, nil
}

// appendReached appends how far was read, as it is after each batch.
func appendReached(b []byte, marks []Mark) []byte {
	b = append(b, '[')
	for i := range marks {
		b = append(b, `{"cursor":`...)
		if c := marks[i].Cursor; c != "" {
			quoted, _ := json.Marshal(c) // no string fails
			b = append(b, quoted...)
		} else {
			b = append(b, `""`...)
		}
		b = append(b, `,"places":[`...)
		for _, p := range marks[i].Places {
			b = append(strconv.AppendInt(append(b, '['), p.Offset, 10), ',')
			b = append(strconv.AppendInt(b, p.Lines, 10), ',')
			b = append(strconv.AppendInt(b, p.Changed.UnixMicro(), 10), "],"...)
		}
		b = append(bytes.TrimSuffix(b, []byte{','}), "]},"...)
	}
	return append(bytes.TrimSuffix(b, []byte{','}), ']')
}

// anew makes the file anew.
func (s *State) anew(marks []Mark) error {
	s.release()
	data, err := json.MarshalIndent(marks, "", "\t")
	if err != nil {
		return err
	}
	if over := (len(data) + 1) % page; over > 0 {
		data = append(data, blank[:page-over]...)
	}
	data = append(data, '\n')
	temp, err := os.CreateTemp(filepath.Dir(s.file), filepath.Base(s.file)+".*")
	if err != nil {
		return fileError(s.file, err)
	}
	_, err = temp.Write(data)
	if err == nil {
		err = os.Rename(temp.Name(), s.file)
	}
	if err != nil {
		temp.Close()
		os.Remove(temp.Name())
		return fileError(s.file, err)
	}
	s.out, s.at, s.marks, s.whole = temp, int64(len(data)), slices.Clone(marks), time.Now()
	return nil
}

// apply moves marks on to where was read. What does not fit to them, or was written in part, is
// left out: they are older then, but right.
func (s *since) apply(marks []Mark) {
	var all []reached
	if crc32.ChecksumIEEE(s.Marks) != s.Sum || json.Unmarshal(s.Marks, &all) != nil || len(all) != len(marks) {
		return
	}
	for i := range all {
		if len(all[i].Places) != len(marks[i].Places) {
			return
		}
	}
	for i := range all {
		marks[i].Cursor = all[i].Cursor
		for j, p := range all[i].Places {
			to := &marks[i].Places[j]
			to.Offset, to.Lines, to.Changed = p[0], p[1], time.UnixMicro(p[2])
		}
	}
}
