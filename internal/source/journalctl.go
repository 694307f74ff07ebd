package source

import (
	"bufio"
	"io"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// journalPause is how long after its end journalctl is started again.
const journalPause = time.Second

// maxCursors is how many records that were not handled yet are told apart.
const maxCursors = 4096

// JournalOptions say what of the journal is followed.
type JournalOptions struct {
	Unit   string          // a unit of systemd, as journalctl --unit takes it; empty: all
	Lines  int             // begin so many records before the end; less than 0: at the start of the journal
	Cursor string          // begin behind this record; wins over Lines
	Stop   <-chan struct{} // closed when no more is wanted
	Warn   func(error)     // is told what journalctl says of itself, and when it is started again

	pause time.Duration // for tests; 0: journalPause
}

// Journal is the journal of systemd, followed as a log is. What it gives are the lines that a
// file of journalctl -o export would give.
type Journal struct {
	o       JournalOptions
	lines   chan piece
	done    chan struct{}
	current piece

	mu      sync.Mutex
	given   int64 // bytes of whole records that were made lines
	taken   int64 // of those, handled
	pending []record
	cursor  string
}

// record is where a record's line ends, in bytes since the start.
type record struct {
	end    int64
	cursor string
}

// piece is some lines, or why there are no more.
type piece struct {
	data []byte
	err  error
}

// FollowJournal starts journalctl and follows what it says. It fails where there is none;
// what goes wrong at its first start comes out of Read.
func FollowJournal(o JournalOptions) (*Journal, error) {
	if _, err := exec.LookPath("journalctl"); err != nil {
		return nil, &Error{"journal", "there is no journalctl", "name the log file, or pipe a journal export in", err}
	}
	if o.pause == 0 {
		o.pause = journalPause
	}
	j := &Journal{o: o, cursor: o.Cursor, lines: make(chan piece), done: make(chan struct{})}
	go j.run()
	return j, nil
}

// run runs journalctl, once more where it ends though nobody wanted it to.
func (j *Journal) run() {
	defer close(j.done)
	defer close(j.lines)
	last := j.cursor
	for {
		err := j.once(&last)
		if j.stopped() {
			return
		}
		if last == "" { // not one record came: it never will
			j.send(piece{err: err})
			return
		}
		j.warn(&Error{"journal", "journalctl ended: " + err.Error(), "it is started again", err})
		select {
		case <-time.After(j.o.pause):
		case <-j.o.Stop:
			return
		}
	}
}

// once runs journalctl from behind the record last on, until it ends.
func (j *Journal) once(last *string) error {
	cmd := exec.Command("journalctl", j.arguments(*last)...)
	apart(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	words, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	var helpers sync.WaitGroup
	helpers.Go(func() {
		select {
		case <-j.o.Stop:
			cmd.Process.Kill()
			out.Close()
			words.Close()
		case <-ended:
		}
	})
	helpers.Go(func() { j.listen(words) })
	r := newJournal(out)
	r.ended = func(cursor []byte, line int) {
		*last = string(cursor)
		j.note(*last, line)
	}
	for err == nil {
		buf := make([]byte, edge)
		var n int
		n, err = r.Read(buf)
		if n > 0 && !j.send(piece{data: buf[:n]}) {
			break
		}
	}
	cmd.Process.Kill()
	close(ended)
	helpers.Wait()
	if waited := cmd.Wait(); err == io.EOF && waited != nil {
		return waited
	}
	return err
}

// arguments are those of journalctl.
func (j *Journal) arguments(last string) []string {
	args := []string{"--follow", "--output=export", "--no-pager"}
	switch {
	case last != "":
		args = append(args, "--lines=all", "--after-cursor="+last)
	case j.o.Lines < 0:
		args = append(args, "--lines=all")
	default:
		args = append(args, "--lines="+strconv.Itoa(j.o.Lines))
	}
	if j.o.Unit != "" {
		args = append(args, "--unit="+j.o.Unit)
	}
	return args
}

// listen hands on what journalctl says of itself: that it may not see all, say.
func (j *Journal) listen(words io.Reader) {
	lines := bufio.NewReaderSize(words, 4096)
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		if len(line) > 0 {
			j.warn(&Error{"journal", "journalctl says: " + strconv.Quote(string(line)), "", nil})
		}
	}
}

// note remembers the place of a record whose line was made.
func (j *Journal) note(cursor string, line int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.given += int64(line)
	if len(j.pending) == maxCursors {
		j.pending = j.pending[:maxCursors-1]
	}
	j.pending = append(j.pending, record{j.given, cursor})
}

// send hands lines to the reader, and reports whether more are wanted.
func (j *Journal) send(p piece) bool {
	select {
	case j.lines <- p:
		return true
	case <-j.o.Stop:
		return false
	}
}

func (j *Journal) warn(err error) {
	if j.o.Warn != nil {
		j.o.Warn(err)
	}
}

func (j *Journal) stopped() bool {
	select {
	case <-j.o.Stop:
		return true
	default:
		return false
	}
}

// Read reads lines, and waits for them. After Stop it returns io.EOF, when journalctl has
// ended.
func (j *Journal) Read(p []byte) (int, error) {
	if len(j.current.data) == 0 && j.current.err == nil {
		select {
		case next, ok := <-j.lines:
			if !ok {
				next.err = io.EOF
			}
			j.current = next
		case <-j.o.Stop:
			<-j.done
			j.current.err = io.EOF
		}
	}
	if len(j.current.data) == 0 {
		return 0, j.current.err
	}
	n := copy(p, j.current.data)
	j.current.data = j.current.data[n:]
	return n, nil
}

// Handled tells that so many bytes more of what Read gave were handled. It moves the Cursor.
func (j *Journal) Handled(bytes int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.taken += bytes
	i := 0
	for ; i < len(j.pending) && j.pending[i].end <= j.taken; i++ {
		j.cursor = j.pending[i].cursor
	}
	j.pending = j.pending[:copy(j.pending, j.pending[i:])]
}

// Cursor returns the place of the last record that was handled, for JournalOptions of
// another run.
func (j *Journal) Cursor() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.cursor
}

// Mark returns the same, to be kept with the marks of files.
func (j *Journal) Mark() Mark { return Mark{Path: "journal:" + j.o.Unit, Cursor: j.Cursor()} }
