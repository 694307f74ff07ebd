package source

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// maxRegistered is how many of the rotated files that are there at the start are known
	// by their beginnings: those written last, which may be written still.
	maxRegistered = 16
	// maxSiblings is how many files are looked at to find one again.
	maxSiblings = 1000
)

// seen is a file as it was when it was looked at.
type seen struct {
	size    int64
	changed time.Time
	info    os.FileInfo
}

// same reports whether nothing changed since.
func (s seen) same(info os.FileInfo) bool {
	return s.info != nil && s.size == info.Size() && s.changed.Equal(info.ModTime()) && os.SameFile(s.info, info)
}

// rotated reports whether base is the name of a file that was rotated.
func (f *Followed) rotated(base string) bool {
	stem, r := parseName(base)
	return stem == f.base && r.kind != live
}

// related reports whether base may be the name of the log or of a copy of it.
func (f *Followed) related(base string) bool {
	stem, _ := parseName(base)
	return stem == f.base || strings.HasPrefix(base, f.base)
}

// sibling is a file beside the followed one.
type sibling struct {
	path string
	rank rank
	info os.FileInfo
}

// siblings returns the regular files beside the log whose names is says yes to, the one
// written first first.
func (f *Followed) siblings(is func(base string) bool) []sibling {
	names, err := entries(f.dir)
	if err != nil {
		return nil
	}
	var all []sibling
	for _, name := range names {
		if name == f.base || !is(name) {
			continue
		}
		path := filepath.Join(f.dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			_, r := parseName(name)
			all = append(all, sibling{path, r, info})
		}
	}
	slices.SortFunc(all, func(a, b sibling) int {
		if c := a.info.ModTime().Compare(b.info.ModTime()); c != 0 {
			return c
		}
		return compareRanks(a.rank, b.rank)
	})
	return all[max(0, len(all)-maxSiblings):]
}

// openSibling opens a file, decompressing it where it is compressed.
func openSibling(path string) (*content, error) {
	c, err := openContent(path)
	if err != nil || compressionOf(c.head) == "" {
		return c, err
	}
	c.src.Close()
	c.src, c.static = nil, true
	in := &Input{Path: path, ModTime: c.info.ModTime(), Size: c.info.Size()}
	if c.stream, err = in.Open(); err != nil {
		return nil, err
	}
	c.head = make([]byte, headSize)
	n, err := fill(c.stream, c.head)
	c.head = c.head[:n]
	c.carry = bytes.Clone(c.head)
	if err != nil && err != io.EOF {
		c.close()
		return nil, err
	}
	return c, nil
}

// skip moves to offset and reports whether heel is before it. A copy that ends sooner was
// read further than it goes: a rotation copies, and what is written before it cuts the file
// off is in no copy.
func (c *content) skip(offset int64, heel []byte) bool {
	if c.stream == nil {
		if offset > c.size {
			c.seek(c.size)
			return true
		}
		c.seek(offset)
		return bytes.HasSuffix(c.heel, heel)
	}
	buf := make([]byte, readSize)
	for c.offset < offset {
		n, end, err := c.raw(buf[:min(int64(len(buf)), offset-c.offset)])
		if err != nil {
			return false
		}
		c.tread(buf[:n])
		c.carry = append(c.carry[:0], c.carry[n:]...)
		c.offset += int64(n)
		if end && c.offset < offset {
			c.handled = c.offset
			return true
		}
	}
	c.handled = offset
	return bytes.HasSuffix(c.heel, heel)
}

// alike reports whether two files begin alike, as far as is known of both.
func alike(a, b []byte) bool {
	n := min(len(a), len(b))
	return n > 0 && bytes.Equal(a[:n], b[:n])
}

// isKnown reports whether c is a file that is open, or a copy of what was read.
func (f *Followed) isKnown(c *content) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, other := range f.contents {
		other.mu.Lock()
		// No copy is longer than what is still there to be copied.
		same := bytes.HasPrefix(other.head, c.head) || other.static && alike(other.head, c.head) ||
			!other.static && os.SameFile(other.info, c.info)
		other.mu.Unlock()
		if same {
			return true
		}
	}
	return slices.ContainsFunc(f.known, func(head []byte) bool { return alike(head, c.head) }) ||
		slices.ContainsFunc(f.past, func(print string) bool { return begins(c.head, print) })
}

// peek looks at the beginnings of what is open, of which the reader may have seen none yet,
// and reports whether all are as they were.
func (f *Followed) peek() bool {
	for _, c := range f.list() {
		if !c.peek() {
			return false
		}
	}
	return true
}

// register takes the rotated files that are there for known: they were before our time.
func (f *Followed) register() {
	all := f.siblings(f.rotated)
	for _, s := range all[max(0, len(all)-maxRegistered):] {
		if c, err := openSibling(s.path); err == nil {
			f.mu.Lock()
			f.know(c)
			f.mu.Unlock()
			c.close()
		}
	}
}

// missed returns the files that the path stood for between two looks, by then rotated: those
// with such a name that were written since, and are not known. The caller inserts or closes
// them. It is not ok where that cannot be told now.
func (f *Followed) missed() (found []*content, ok bool) {
	info, err := os.Stat(f.dir)
	if err != nil {
		return nil, true
	}
	if !info.ModTime().Equal(f.dirTime) {
		f.dirTime, f.moved = info.ModTime(), time.Now()
	}
	// A file that was made just now may be filled only later.
	if time.Since(f.moved) > linger {
		return nil, true
	}
	for {
		all := f.siblings(f.rotated)
		found, ok := f.judge(all)
		f.listed = all
		// Names that moved on meanwhile may have hidden one, and the order is theirs.
		if ok && (len(found) == 0 || sameFiles(all, f.siblings(f.rotated))) || f.stopped() {
			return found, true
		}
		for _, c := range found {
			delete(f.checked, c.path)
			c.close()
		}
		if !ok {
			return nil, false
		}
	}
}

// judge returns which of the rotated files were missed. It is not ok where it cannot tell:
// a name stands for another file than when it was listed, or the log was cut off and the
// reader has not found out yet what it has of it.
func (f *Followed) judge(all []sibling) (found []*content, ok bool) {
	f.mu.Lock()
	since := f.since
	f.mu.Unlock()
	checked := map[string]seen{}
	f.crowded = false
	for _, s := range all {
		if s.info.Size() == 0 || s.info.ModTime().Before(since) {
			continue
		}
		if old := f.checked[s.path]; old.same(s.info) {
			checked[s.path] = old
			continue
		}
		if len(found)+len(f.list()) >= maxOpen {
			// The others are found when there is room.
			f.crowded, f.moved = true, time.Now()
			break
		}
		c, err := openSibling(s.path)
		if err != nil {
			continue
		}
		if !f.peek() || !os.SameFile(s.info, c.info) {
			c.close()
			f.moved = time.Now()
			return found, false
		}
		checked[s.path] = seen{c.info.Size(), c.info.ModTime(), c.info}
		if f.isKnown(c) || slices.ContainsFunc(found, func(other *content) bool { return alike(other.head, c.head) }) {
			c.close()
			continue
		}
		c.alone = true
		found = append(found, c)
	}
	f.checked = checked
	return found, true
}

// sameFiles reports whether two lists name the same files.
func sameFiles(a, b []sibling) bool {
	return slices.EqualFunc(a, b, func(x, y sibling) bool { return x.path == y.path && os.SameFile(x.info, y.info) })
}

// insert puts what was missed where the last list says: before the open file that comes
// next, the one that the path stands for being the last.
func (f *Followed) insert(found []*content, current *content) {
	if len(found) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		for _, c := range found {
			c.close()
		}
		return
	}
	f.supersede()
	next := len(f.contents)
	if i := slices.Index(f.contents, current); i >= 0 {
		next = i
	}
	for _, s := range slices.Backward(f.listed) {
		is := func(c *content) bool { return os.SameFile(c.info, s.info) }
		if i := slices.IndexFunc(f.contents, is); i >= 0 {
			next = min(next, i)
		} else if i := slices.IndexFunc(found, is); i >= 0 {
			f.contents = slices.Insert(f.contents, next, found[i])
		}
	}
	f.health.Rotations += int64(len(found))
}

// truncated is called by the reader when c is not what it was: the file was cut off, and
// perhaps written since. What was not read of it is in the copy that was made before, if
// any; the file itself is read from its start.
func (f *Followed) truncated(c *content) {
	f.dirMu.Lock()
	defer f.dirMu.Unlock()
	if f.stopped() {
		return
	}
	now := &content{path: c.path, info: c.info, src: c.src, half: -1, blank: true, last: time.Now()}
	now.verify(0)
	rest := f.copyOf(c)

	f.mu.Lock()
	c.mu.Lock()
	c.src, c.static = nil, true
	if rest != nil {
		c.src, c.stream, c.carry, c.info = rest.src, rest.stream, rest.carry, rest.info
	}
	c.mu.Unlock()
	at := slices.Index(f.contents, c) + 1
	f.contents = slices.Insert(f.contents, at, now)
	newest := at == len(f.contents)-1
	f.health.Truncations++
	f.mu.Unlock()

	var found []*content
	if newest {
		f.moved = time.Now()
		clear(f.checked)
		found, _ = f.missed()
		f.insert(found, now)
	}
	if rest == nil && (c.given > 0 || len(found) == 0) {
		f.lose("the file was cut off, and no copy of what it held is beside it", "lines that were written just before may be lost; let it be rotated by renaming, or keep the copy uncompressed in the same directory")
	}
}

// copyOf returns the copy of what c held, at the place where c is read.
func (f *Followed) copyOf(c *content) *content {
	if len(c.head) == 0 {
		return nil
	}
	for all := f.siblings(f.related); ; {
		for _, s := range slices.Backward(all) {
			if os.SameFile(s.info, c.info) {
				continue
			}
			rest, err := openSibling(s.path)
			if err != nil {
				continue
			}
			if alike(rest.head, c.head) && len(rest.head) >= min(len(c.head), heelSize) && rest.skip(c.offset, c.heel) {
				return rest
			}
			rest.close()
		}
		again := f.siblings(f.related)
		if sameFiles(all, again) || f.stopped() {
			return nil
		}
		all = again
	}
}
