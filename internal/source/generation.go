package source

import (
	"bytes"
	"io"
	"slices"
	"time"
)

const (
	// edge is how far behind the end of a file the live following may be. What has more
	// unread is read in large pieces.
	edge = 64 << 10
	// stuckAfter is how long the live following may leave a line that is there.
	stuckAfter = time.Second
)

// Generation is a run of lines from one of the files that a followed path stands for. It
// ends at the end of a line, when the file has no more and another one has, so that the
// lines come in the order of their writing. A file that gets lines after that has another
// generation.
type Generation struct {
	Path    string    // as followed; another where the file was found by its name after a rotation
	Changed time.Time // when the file was last written, as it was opened
	Before  int64     // so many lines of the file were handled before the first that Read gives; -1: not counted, it is too far in a large file
	Again   bool      // lines of the same file were in a generation before

	f      *Followed
	c      *content
	behind time.Time // since when the live following left something
	burst  int       // bytes read since the end was last reached
}

// Next returns the next run of lines. It waits until there is a file. After Stop it returns
// io.EOF, when everything is closed.
func (f *Followed) Next() (*Generation, error) {
	f.setTailer(nil)
	for !f.stopped() {
		f.recheck()
		f.release()
		if c := f.pick(); c != nil {
			g := &Generation{Path: c.path, Changed: c.info.ModTime(), Before: c.linesDone(), Again: c.given > 0, f: f, c: c}
			return g, nil
		}
		select {
		case <-f.wake:
		case <-f.o.Stop:
		}
	}
	<-f.done
	return nil, io.EOF
}

// list returns what is open.
func (f *Followed) list() []*content {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.contents)
}

// pick returns the oldest content that has something, else the newest.
func (f *Followed) pick() *content {
	all := f.list()
	for _, c := range all {
		if c.ready() {
			return c
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// release gives up what has a successor and was silent for long enough, and what is over.
func (f *Followed) release() {
	all := f.list()
	for i, c := range all {
		if !c.over && !c.static && !c.flush && !c.ready() && c.silence() >= f.o.linger {
			c.flush = slices.ContainsFunc(all[i+1:], (*content).begunWriting)
		}
		if c.over || c.spent() {
			f.drop(c)
		}
	}
}

// recheck finds out which files were cut off.
func (f *Followed) recheck() {
	for _, c := range f.list() {
		if !c.verify(c.offset) {
			f.truncated(c)
		}
	}
}

// drop forgets a content that is over.
func (f *Followed) drop(c *content) {
	f.mu.Lock()
	f.contents = slices.DeleteFunc(f.contents, func(other *content) bool { return other == c })
	f.know(c)
	f.mu.Unlock()
	c.close()
}

// know remembers a file that was read, or need not be. f.mu is held.
func (f *Followed) know(c *content) {
	if c.changed.After(f.since) {
		f.since = c.changed
	}
	if len(c.head) == 0 {
		return
	}
	f.known = append(f.known, c.head)
	f.known = f.known[max(0, len(f.known)-maxKnown):]
	f.past = append(f.past, fingerprint(c.head))
	f.past = f.past[max(0, len(f.past)-maxPast):]
}

// Read reads lines, and waits for them. It gives whole lines, but for those that do not fit
// into p. It returns io.EOF at the end of the run, and after Stop. No other error is
// returned: what can be tried again is, and the rest is told by Warn.
func (g *Generation) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for !g.f.stopped() {
		n, err := g.try(p)
		if n > 0 || err != nil {
			if err != nil {
				g.f.setTailer(nil)
			}
			return n, err
		}
	}
	g.f.setTailer(nil)
	return 0, io.EOF
}

// try hands out what there is, or waits for a change.
func (g *Generation) try(p []byte) (int, error) {
	f, c := g.f, g.c
	if c.over {
		return 0, io.EOF
	}
	n, added := g.get(p)
	if f.stopped() {
		return 0, nil
	}
	length := c.offset + int64(n)
	if added {
		length--
	}
	if !c.verify(length) {
		f.setTailer(nil)
		f.truncated(c)
		return 0, nil
	}
	if n > 0 {
		// What an older file got meanwhile, or what was missed, was written before this.
		alone := c.alone || g.alone()
		if !c.mid && f.older(c) {
			return 0, io.EOF
		}
		if c.alone = alone; !alone {
			return 0, nil
		}
		c.advance(p[:n], added)
		f.mu.Lock()
		f.health.LastRead = time.Now()
		f.mu.Unlock()
		c.over = added || c.over
		g.burst += n
		g.behind = time.Time{}
		return n, nil
	}
	if c.flush || c.static {
		c.over = true
		return 0, io.EOF
	}
	f.recheck()
	f.release()
	if !c.mid && f.others(c) {
		return 0, io.EOF
	}
	g.rest()
	return 0, nil
}

// alone reports whether no file can have been missed that comes before this one.
func (g *Generation) alone() bool {
	ok, crowded := g.f.look()
	if !ok {
		g.f.recheck() // one that was cut off is in the way
		return false
	}
	if crowded && g.f.newest(g.c) {
		g.f.release() // until there is room for all that come before
		g.wait()
		return false
	}
	return true
}

// get reads what there is: through the live following while that keeps up, else by itself.
func (g *Generation) get(p []byte) (n int, added bool) {
	f, c := g.f, g.c
	if l := f.following; l != nil {
		unread := c.size - c.offset
		if unread <= edge && !c.flush && f.newest(c) && !l.dead {
			if n := l.take(p); n > 0 {
				// The library begins anew by itself where it finds a file cut off. Only what
				// stands at our place in the file is ours.
				check := make([]byte, n)
				if m, _ := c.src.ReadAt(check, c.offset); bytes.Equal(check[:m], p[:n]) {
					return n, false
				}
				f.setTailer(nil)
				return 0, false
			}
			if unread == 0 || c.size == c.half {
				g.behind = time.Time{}
				return 0, false
			}
			if g.behind.IsZero() {
				g.behind = time.Now()
			}
			if time.Since(g.behind) < stuckAfter {
				return 0, false
			}
		}
		f.setTailer(nil)
	}
	n, added, err := c.fetch(p)
	if err != nil && !f.stopped() {
		g.fail(err)
	}
	return n, added
}

// fail tells of an error of reading, once, and gives up what cannot get better.
func (g *Generation) fail(err error) {
	f, c := g.f, g.c
	if c.failed == nil || c.failed.Error() != err.Error() {
		c.failed = err
		e, ok := err.(*Error)
		if !ok {
			e = fileError(c.path, err)
			e.Advice = "it is tried again"
		}
		f.warn(e)
	}
	if c.broken {
		f.mu.Lock()
		f.health.Lost++
		f.mu.Unlock()
		return
	}
	c.mu.Lock()
	c.half = c.size // nothing more is expected until it grows
	c.mu.Unlock()
}

// rest waits for a change at the end of the file, which the live following then hands out
// unless there was much just now.
func (g *Generation) rest() {
	f, c := g.f, g.c
	if f.following == nil && g.burst <= edge && !c.deaf && !c.mid && !c.blank && c.size-c.offset <= edge && f.newest(c) {
		l, err := startTailer(c.src, c.offset)
		c.deaf = err != nil
		f.setTailer(l)
	}
	g.burst = 0
	g.wait()
}

// wait waits for a look, or a line of the live following.
func (g *Generation) wait() {
	f := g.f
	select {
	case <-f.wake:
	case <-f.o.Stop:
	case line, ok := <-f.following.lines():
		f.following.put(line, ok)
	}
}

// setTailer puts another live following in the place of the one there is, which is stopped.
func (f *Followed) setTailer(l *tailer) {
	if f.following == nil && l == nil {
		return
	}
	f.following.stop()
	f.following = l
	f.mu.Lock()
	f.tailer = l
	closed := f.closed
	f.mu.Unlock()
	if closed {
		l.stop()
	}
}

// newest reports whether c is the one that is being written, as far as is known.
func (f *Followed) newest(c *content) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.contents) > 0 && f.contents[len(f.contents)-1] == c
}

// older reports whether a content before c has something.
func (f *Followed) older(c *content) bool {
	for _, other := range f.list() {
		if other == c {
			return false
		}
		if other.ready() {
			return true
		}
	}
	return false
}

// others reports whether any other content has something.
func (f *Followed) others(c *content) bool {
	return slices.ContainsFunc(f.list(), func(other *content) bool { return other != c && other.ready() })
}

// silence returns how long nothing came since it has a successor.
func (c *content) silence() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.last)
}

// begunWriting reports that something is in it, or was.
func (c *content) begunWriting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.static || c.offset > 0 || c.seen > 0
}

// Handled tells that so many bytes more of what Read gave were handled, and what lines they
// were. It moves the Mark.
func (g *Generation) Handled(bytes, lines int64) {
	g.c.take(bytes, lines)
}
