package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// lookEvery is how often the path, its directory and what is open are looked at, and with
	// that how long a line waits at the most before it is seen by us. Notices of the directory
	// only make a look come sooner.
	lookEvery = 100 * time.Millisecond
	// linger is how long a file that has a successor is watched for lines that come late,
	// after the last that it had. A writer that was told to open its log anew does it at once;
	// one that opens it for each message (Exim) ends its delivery first.
	linger = 3 * time.Second
	// maxOpen is how many files of one log are kept open. Those beyond wait in their
	// directory until there is room.
	maxOpen = 256
	// maxKnown is how many files that were read are remembered by their beginnings, so that
	// their copies are told from what was missed.
	maxKnown = 256
	// eventPause is how long no notices are taken after one that tells nothing new. A busy
	// log has one for each line, and those that wait are made one by the system.
	eventPause = 10 * time.Millisecond
)

// FollowOptions say how a log is followed.
type FollowOptions struct {
	Lines int             // begin so many whole lines before the end of what is there; less than 0: at the start
	Mark  *Mark           // begin where an earlier run stopped; wins over Lines
	Stop  <-chan struct{} // closed when no more is wanted
	Warn  func(error)     // is told what is wrong, each thing once; is called by several goroutines, one at a time

	linger time.Duration // for tests; 0: linger
}

// Followed is a log that is written while it is read: all the files, one after the other,
// that its path stands for.
//
//	supervisor   looks at the path and its directory, opens what appears, forgets nothing
//	contents     what is open, the oldest first; the oldest that has lines is read
//	Generation   a run of lines of one content, for whoever reads
//
// The files are held open by us, so that neither renaming nor deleting one loses what is in
// it. What is read is compared with what was read before it, so that a file that was cut off
// and written anew is noticed. The order of lines is that of the files; within a file it is
// that of the writing.
//
// What cannot be promised:
//   - lines that a copying rotation (copytruncate) itself loses between its copy and its
//     cut, and those not read yet when a file is cut off with no copy beside it;
//   - files that came and went between two looks and were deleted, moved to another directory
//     or given a name that does not look rotated;
//   - lines that a writer puts into an old file when its successor has lines and it was
//     silent for some seconds;
//   - a file cut off whose new content repeats the old one, byte for byte, at its beginning and
//     at the place of reading; what a file server no longer gives of a deleted file.
//
// What can be noticed of this is told through Warn and counted in Health.Lost.
//
// A deleted file is held open, and takes its room on the disk, until there is another by
// its name.
type Followed struct {
	path string
	o    FollowOptions

	watch watch // the supervisor's

	wake chan struct{} // something may be new; for the reader
	done chan struct{} // everything is closed

	dirMu   sync.Mutex // held by whoever looks at the directory: the supervisor, or the reader at a truncation
	dir     string     // where the file is that the path leads to, and its name there
	base    string
	begun   bool
	existed bool            // the path stood for a file at the first look
	gone    time.Time       // since when there is no file
	checked map[string]seen // siblings that were looked at
	listed  []sibling       // the rotated files, as they were listed last
	crowded bool            // there are more than may be open
	moved   time.Time       // when the directory last changed
	dirTime time.Time       // its time then

	warnMu  sync.Mutex
	trouble string // the error told of last that still goes on

	mu       sync.Mutex // guards what follows, and the contents; never held while a file is read
	contents []*content
	known    [][]byte  // heads of what was read or need not be
	past     []string  // fingerprints of the last of them, and of those that an earlier run read
	since    time.Time // what was written last before this was handed out, or need not be
	looked   bool      // at least once
	closed   bool
	tailer   *tailer // the reader's, for close to stop
	health   Health

	following *tailer // the reader's own
}

// Health is how a followed log is doing.
type Health struct {
	Lag         int64     // bytes that are there and were not handled yet
	Found       bool      // a file is open; it may be one whose name is gone
	CaughtUp    bool      // no whole line is there that was not handled
	LastRead    time.Time // when lines were last read; zero: never
	Rotations   int64     // how often another file took the path's place
	Truncations int64     // how often the file was cut off and begun anew
	Lost        int64     // how often lines may have been lost; each was told through Warn
}

// Follow follows the log at path. It does not fail: a file that is not there is waited
// for. What is written after it returned is not missed. All that it holds is given back
// after o.Stop was closed, at the latest when Next returns io.EOF. Warn may be called before
// it returns.
func Follow(path string, o FollowOptions) *Followed {
	if o.linger == 0 {
		o.linger = linger
	}
	f := &Followed{
		path: path, o: o, dir: filepath.Dir(path), base: filepath.Base(path),
		wake: make(chan struct{}, 1), done: make(chan struct{}), checked: map[string]seen{},
	}
	f.resolve()
	f.watch.add(f.dir)
	f.look()
	go f.supervise()
	return f
}

// Health tells how it is doing. It never waits for a disk.
func (f *Followed) Health() Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.health
	h.Found = len(f.contents) > 0
	h.CaughtUp = f.looked
	for _, c := range f.contents {
		bytes, lines := c.lag()
		h.Lag += bytes
		h.CaughtUp = h.CaughtUp && !lines
	}
	return h
}

// supervise looks at the path until Stop, and then closes everything.
func (f *Followed) supervise() {
	defer close(f.done)
	defer f.close()
	w := &f.watch
	defer w.close()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var pause <-chan time.Time
	for {
		f.measure()
		f.poke()
		for again := true; again; {
			events := w.events()
			if pause != nil {
				events = nil
			}
			select {
			case <-f.o.Stop:
				return
			case <-tick.C:
				again = false
			case <-pause:
				pause = nil
			case ev, ok := <-events:
				if !ok {
					w.close()
				} else if ev.Op&^(fsnotify.Write|fsnotify.Chmod) != 0 && f.concerned(filepath.Base(ev.Name)) {
					again = false
				} else {
					pause = time.After(eventPause)
				}
			case <-w.errors(): // notices were lost; a look does as well
				again = false
			}
		}
		w.add(f.resolve())
		f.look()
	}
}

// concerned reports whether a notice of base calls for a look.
func (f *Followed) concerned(base string) bool {
	f.dirMu.Lock()
	defer f.dirMu.Unlock()
	return f.related(base)
}

// resolve finds out where the path leads to, and returns that directory. Copies are beside
// the file and not beside a link to it.
func (f *Followed) resolve() (dir string) {
	f.dirMu.Lock()
	defer f.dirMu.Unlock()
	if real, err := filepath.EvalSymlinks(f.path); err == nil {
		f.dir, f.base = filepath.Split(real)
		f.dir = filepath.Clean(f.dir)
	}
	return f.dir
}

// poke wakes the reader where it waits.
func (f *Followed) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// measure asks how long the open files are, for Health: the reader may be busy elsewhere.
func (f *Followed) measure() {
	for _, c := range f.list() {
		c.mu.Lock()
		src := c.src
		c.mu.Unlock()
		if src == nil {
			continue
		}
		if info, err := src.Stat(); err == nil {
			c.mu.Lock()
			if c.src == src {
				c.seen = info.Size()
			}
			c.mu.Unlock()
		}
	}
}

// look finds out what the path stands for now, opens it where it is another file, and finds
// what was missed. It reports whether that could be told, and whether there is more than may
// be open.
func (f *Followed) look() (ok, crowded bool) {
	f.dirMu.Lock()
	defer f.dirMu.Unlock()
	if !f.begun {
		f.begin()
	}
	defer func() {
		f.mu.Lock()
		f.looked = true
		f.mu.Unlock()
	}()
	for !f.stopped() {
		current := f.open()
		found, ok := f.missed()
		if !ok || len(found) == 0 || f.stands(current) {
			f.insert(found, current)
			return ok, f.crowded
		}
		// There was a rotation meanwhile, which mixes up the order.
		for _, c := range found {
			delete(f.checked, c.path)
			c.close()
		}
	}
	return true, false
}

// begin finds out where to begin. f.dirMu is held.
func (f *Followed) begin() {
	f.begun = true
	if f.o.Mark != nil {
		f.resume(f.o.Mark)
		return
	}
	_, err := os.Stat(f.path)
	f.existed = !errors.Is(err, fs.ErrNotExist)
	f.register()
}

// stands reports whether the path still stands for c.
func (f *Followed) stands(c *content) bool {
	info, err := os.Stat(f.path)
	return err != nil && c == nil || err == nil && c != nil && os.SameFile(info, c.info)
}

// open returns what the path stands for, opening it where it is new, or nil where there is
// nothing.
func (f *Followed) open() *content {
	info, err := os.Stat(f.path)
	if err != nil {
		f.absent(err)
		return nil
	}
	f.gone = time.Time{}
	if !info.Mode().IsRegular() {
		f.tell(&Error{f.path, "not a regular file", "a stream is read from stdin: mailwhy tail - < " + f.path, errors.ErrUnsupported})
		return nil
	}
	f.mu.Lock()
	for i, c := range f.contents {
		if !c.static && os.SameFile(c.info, info) {
			if last := len(f.contents) - 1; i != last { // renamed back
				copy(f.contents[i:], f.contents[i+1:])
				f.contents[last] = c
			}
			f.mu.Unlock()
			f.told("")
			return c
		}
	}
	full := len(f.contents) >= maxOpen
	f.mu.Unlock()
	if full {
		return nil // it is found later, by whatever name it has then
	}
	c, err := openContent(f.path)
	if err != nil {
		f.tell(err)
		return nil
	}
	f.told("")
	if f.existed {
		c.begin(f.o.Lines)
	}
	f.existed = false
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		c.close()
		return nil
	}
	if len(f.contents) > 0 {
		f.health.Rotations++
	}
	f.append(c)
	return c
}

// absent tells that the path cannot be looked at, unless it is between two files.
func (f *Followed) absent(err error) {
	if errors.Is(err, fs.ErrNotExist) && len(f.list()) > 0 {
		if f.gone.IsZero() {
			f.gone = time.Now()
		}
		if time.Since(f.gone) < f.o.linger {
			return
		}
	}
	f.tell(err)
}

// append puts c behind all others. f.mu is held.
func (f *Followed) append(c *content) {
	f.supersede()
	f.contents = append(f.contents, c)
}

// supersede starts the time that the newest is still watched, which gets a successor. Those
// before it have one already. f.mu is held.
func (f *Followed) supersede() {
	if n := len(f.contents); n > 0 {
		c := f.contents[n-1]
		c.mu.Lock()
		c.last = time.Now()
		c.mu.Unlock()
	}
}

// tell warns of an error that keeps the path from being read, once as long as it lasts.
func (f *Followed) tell(err error) {
	var known *Error
	e := fileError(f.path, err)
	switch {
	case errors.As(err, &known):
		e = known
	case errors.Is(err, fs.ErrNotExist):
		e.Advice = "it is waited for" + also(e.Advice)
	default:
		e.Advice = "it is tried again" + also(e.Advice)
	}
	if f.told(e.What) {
		f.warn(e)
	}
}

func also(advice string) string {
	if advice == "" {
		return ""
	}
	return "; " + advice
}

// told remembers the trouble that goes on, "" being none, and reports whether it is new.
func (f *Followed) told(what string) bool {
	f.warnMu.Lock()
	defer f.warnMu.Unlock()
	isNew := f.trouble != what
	f.trouble = what
	return isNew
}

// warn hands an error to whoever wants to know. f.mu is not held.
func (f *Followed) warn(err error) {
	if f.o.Warn == nil {
		return
	}
	f.warnMu.Lock()
	defer f.warnMu.Unlock()
	f.o.Warn(err)
}

// lose warns of a place where lines may have been lost, and counts it.
func (f *Followed) lose(what, advice string) {
	f.mu.Lock()
	f.health.Lost++
	f.mu.Unlock()
	f.warn(&Error{f.path, what, advice, nil})
}

// stopped reports that no more is wanted.
func (f *Followed) stopped() bool {
	select {
	case <-f.o.Stop:
		return true
	default:
		return false
	}
}

// close closes what is open.
func (f *Followed) close() {
	f.mu.Lock()
	f.closed = true
	l, contents := f.tailer, slices.Clone(f.contents)
	f.mu.Unlock()
	l.stop()
	for _, c := range contents {
		c.close()
	}
}

// watch is the notices that the system gives of a directory. Without them, for which it
// may be out of means, the looks alone do.
type watch struct {
	w   *fsnotify.Watcher
	dir os.FileInfo
}

// add watches dir, once more where it is another one by the same name.
func (w *watch) add(dir string) {
	info, err := os.Stat(dir)
	if err != nil || w.dir != nil && os.SameFile(w.dir, info) {
		return
	}
	w.close()
	w.dir = info
	if w.w, err = fsnotify.NewWatcher(); err != nil {
		w.w = nil
		return
	}
	if w.w.Add(dir) != nil {
		w.w.Close()
		w.w = nil
	}
}

func (w *watch) events() chan fsnotify.Event {
	if w.w == nil {
		return nil
	}
	return w.w.Events
}

func (w *watch) errors() chan error {
	if w.w == nil {
		return nil
	}
	return w.w.Errors
}

func (w *watch) close() {
	if w.w != nil {
		w.w.Close()
		w.w = nil
	}
}
