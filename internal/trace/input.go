package trace

import (
	"io"
	"time"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Input is a log to look in.
type Input struct {
	Path   string
	Place  string // what tells its server from others where its lines do not: its directory
	Copies bool   // it repeats lines of another log, as Exim's reject log does
	Parser smtp.Parser
	Stamp  func(line []byte, ev *smtp.Event) smtp.Stamp // what the parser finds as stamp, and perhaps more, in ev; for a search by times
	Clock  func() *session.Clock                        // a new one for each reading
	Head   []byte                                       // its first bytes
	Size   int64                                        // in bytes, as far as known
	Open   func() (io.ReadCloser, error)                // its bytes from the start
	Plain  func() (File, error)                         // the same where they can be read from any place on; nil where not
}

// File is a plain file.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// Line is a line that was found.
type Line struct {
	Input   int
	Path    string
	Number  int64 // in the input, from 1
	At      int64 // where it stands in the input
	Raw     []byte
	Text    []byte      // what a search made of it
	Time    time.Time   // what its stamp says, for a search; zero where it has none
	Event   *smtp.Event // Time is settled; zero where nothing shows it
	Guessed bool        // its year or zone was not in the log
	Seed    As          // as what it shows what was asked for
	When    time.Time   // its time, or that of a line before it where it shows none
}

// Span is what an input was found to hold.
type Span struct {
	Path        string
	Bytes       int64
	Lines       int64
	First, Last time.Time
	Err         error // why it was not read to its end
}

// see makes a span hold a time.
func (s *Span) see(t time.Time) {
	if t.IsZero() {
		return
	}
	if s.First.IsZero() || t.Before(s.First) {
		s.First = t
	}
	if t.After(s.Last) {
		s.Last = t
	}
}
