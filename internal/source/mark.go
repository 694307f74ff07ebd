package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mark is how far a followed log was handled, for another run to go on from there.
type Mark struct {
	Path   string   `json:"path"`
	Cursor string   `json:"cursor,omitempty"` // of a journal: the record
	Places []Place  `json:"places,omitempty"` // of a log, one for each file that may get more, the oldest first; none: there was no file yet
	Past   []string `json:"past,omitempty"`   // fingerprints of the files that were over last, so that none is taken for a missed one
	Open   bool     `json:"open,omitempty"`   // the run that wrote it went on: if this is found, it ended suddenly
}

// maxPast is how many past files a mark tells of: those that can be as young as the one
// that is read, or become so when they are compressed.
const maxPast = 64

// Place is how far one file was handled. The file is found again by what it holds, also
// under another name or compressed.
type Place struct {
	Device      uint64    `json:"device"`
	Inode       uint64    `json:"inode"`
	Offset      int64     `json:"offset"` // bytes handled, uncompressed
	Lines       int64     `json:"lines"`  // lines handled; -1: not counted
	Changed     time.Time `json:"changed"`
	Past        bool      `json:"past,omitempty"` // all of it was handled, and it has a successor
	Fingerprint string    `json:"fingerprint"`    // LENGTH:HASH of the first bytes; says nothing of what they are
}

// Mark returns how far the log was handled. It may be called at any time, after the end
// too.
func (f *Followed) Mark() Mark {
	f.mu.Lock()
	m := Mark{Path: f.path, Past: slices.Clone(f.past)}
	f.mu.Unlock()
	all := f.list()
	for i, c := range all {
		p := c.place()
		lag, _ := c.lag()
		p.Past = lag == 0 && i < len(all)-1
		m.Places = append(m.Places, p)
	}
	return m
}

// place returns how far c was handled.
func (c *content) place() Place {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.print) == 0 || c.printOf != len(c.head) {
		c.print, c.printOf = fingerprint(c.head), len(c.head)
	}
	p := Place{Offset: c.handled, Lines: c.done, Changed: c.changed, Fingerprint: c.print}
	p.Device, p.Inode = identity(c.info)
	return p
}

// fingerprint stands for the first bytes of a file, as far as they are known.
func fingerprint(head []byte) string {
	sum := sha256.Sum256(head)
	return fmt.Sprintf("%d:%s", len(head), hex.EncodeToString(sum[:16]))
}

// begins reports whether head begins with the bytes of a fingerprint that is not empty.
func begins(head []byte, print string) bool {
	length, _, _ := strings.Cut(print, ":")
	n, err := strconv.Atoi(length)
	return err == nil && 0 < n && n <= len(head) && fingerprint(head[:n]) == print
}

// fits reports whether c holds what was marked. Where nothing was in it, its number on the
// disk must do.
func (p *Place) fits(c *content) bool {
	if p.Fingerprint == fingerprint(nil) {
		device, inode := identity(c.info)
		return p.Offset == 0 && device == p.Device && inode == p.Inode
	}
	return begins(c.head, p.Fingerprint)
}

// resume opens what was marked, so that it goes on from there. f.dirMu is held.
func (f *Followed) resume(m *Mark) {
	f.mu.Lock()
	f.past = slices.Clone(m.Past[max(0, len(m.Past)-maxPast):])
	f.mu.Unlock()
	current := false
	for i := range m.Places {
		p := &m.Places[i]
		if i == 0 {
			f.mu.Lock()
			f.since = p.Changed
			f.mu.Unlock()
		}
		c := f.find(p)
		if c == nil && (p.Past || p.Fingerprint == fingerprint(nil)) {
			continue // it was deleted, as old files are
		}
		if c == nil {
			f.lose(fmt.Sprintf("the file that was read up to byte %d in the last run is gone", p.Offset), "lines that came after that are lost; keep rotated files in the directory of the log, or start sooner")
			continue
		}
		c.done = p.Lines
		if info, err := os.Stat(f.path); err == nil {
			// A file that was empty then fits whatever has its path now, be it cut off since or not.
			current = os.SameFile(info, c.info) && p.Fingerprint != fingerprint(nil)
		}
		f.mu.Lock()
		f.contents = append(f.contents, c)
		f.mu.Unlock()
	}
	// Where the last of them still has the path, none came after it.
	if current || len(m.Places) == 0 {
		f.register()
	}
}

// find opens what was marked at p, at its place; nil where it is no more.
func (f *Followed) find(p *Place) *content {
	try := func(path string) *content {
		c, err := openSibling(path)
		if err != nil {
			return nil
		}
		if p.fits(c) && (path != f.path || c.size >= p.Offset) && c.skip(p.Offset, nil) {
			return c
		}
		c.close()
		return nil
	}
	if c := try(f.path); c != nil {
		c.path = f.path
		return c
	}
	all := f.siblings(f.related)
	for turn := range 2 { // those with the same number on the disk first
		for i := len(all) - 1; i >= 0; i-- {
			device, inode := identity(all[i].info)
			if (device == p.Device && inode == p.Inode) == (turn == 0) {
				if c := try(all[i].path); c != nil {
					return c
				}
			}
		}
	}
	return nil
}

// LoadMarks reads the marks that a State keeps. A file that is not there holds no marks.
func LoadMarks(file string) ([]Mark, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(file, err)
	}
	var marks []Mark
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&marks); err != nil {
		return nil, &Error{file, "not a file of places in logs: " + err.Error(), "name another, or remove it to begin anew", err}
	}
	var later since
	if d.Decode(&later) == nil {
		later.apply(marks)
	}
	for i := range marks {
		for j := range marks[i].Places {
			if p := &marks[i].Places[j]; p.Offset < 0 || p.Lines < -1 {
				return nil, &Error{file, "it holds a place before the beginning of a file", "remove it to begin anew", nil}
			}
		}
	}
	return marks, nil
}
