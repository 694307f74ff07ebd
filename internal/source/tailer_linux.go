package source

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	hpcloud "github.com/hpcloud/tail"
	"github.com/hpcloud/tail/util"
)

// tailer hands out the lines at the end of one open file as they are written. The library
// that does it is given the open file and not its path, so that it sees no rotation, which
// it loses lines at; and it looks on a clock instead of taking notices, of which it misses
// some.
type tailer struct {
	t    *hpcloud.Tail
	name *os.File // what the library knows it by, until it has ended
	left string   // of a line, what did not fit
	dead bool     // it gives no more

	once sync.Once
}

// startTailer follows src from offset on. The supervisor may close src meanwhile.
func startTailer(src *os.File, offset int64) (*tailer, error) {
	spareProcess()
	name, err := again(src)
	if err != nil {
		return nil, err
	}
	t, err := hpcloud.TailFile(nameOf(name.Fd()), hpcloud.Config{
		Location:  &hpcloud.SeekInfo{Offset: offset, Whence: io.SeekStart},
		MustExist: true,
		Follow:    true,
		Poll:      true,
		Logger:    hpcloud.DiscardingLogger,
	})
	if err != nil {
		name.Close()
		return nil, err
	}
	return &tailer{t: t, name: name}, nil
}

// again opens the file once more that src has open. The number of a descriptor is good only
// as long as nobody closes it, and then it is another file's: that of src is used only while
// it is held, and the library gets the number of one that nobody closes under it.
func again(src *os.File) (file *os.File, err error) {
	raw, err := src.SyscallConn()
	if err != nil {
		return nil, err
	}
	if gone := raw.Control(func(fd uintptr) { file, err = os.Open(nameOf(fd)) }); gone != nil {
		return nil, gone
	}
	return file, err
}

// nameOf is a name of an open file that follows it through renaming and deletion.
func nameOf(fd uintptr) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// spareProcess keeps the library from ending the whole process when the system does not
// tell it how long the file is: before it does, it writes a message, and there only its own
// goroutine ends. The line that it does not give is read by us a second later.
var spareProcess = sync.OnceFunc(func() { util.LOGGER.SetOutput(lastWords{}) })

type lastWords struct{}

func (lastWords) Write([]byte) (int, error) {
	runtime.Goexit()
	return 0, nil
}

// lines is where lines come from, for put.
func (l *tailer) lines() <-chan *hpcloud.Line {
	if l == nil || l.dead || l.left != "" {
		return nil
	}
	return l.t.Lines
}

// put takes a line that came from lines.
func (l *tailer) put(line *hpcloud.Line, ok bool) {
	if !ok || line.Err != nil {
		l.dead = true
		return
	}
	l.left = line.Text + "\n"
}

// take puts into p what there is, and does not wait.
func (l *tailer) take(p []byte) (n int) {
	for {
		m := copy(p[n:], l.left)
		n, l.left = n+m, l.left[m:]
		if n == len(p) || l.dead {
			return n
		}
		select {
		case line, ok := <-l.t.Lines:
			l.put(line, ok)
		default:
			return n
		}
	}
}

// stop ends it and waits for that. The library waits for whoever takes its lines.
func (l *tailer) stop() {
	if l == nil {
		return
	}
	l.once.Do(func() {
		go func() {
			for range l.t.Lines {
			}
		}()
		l.t.Stop()
		l.name.Close()
	})
}
