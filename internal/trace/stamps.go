package trace

import (
	"bytes"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// The clock of an input must see the year turn, and few lines are parsed. So some lines are
// looked at besides: one in stampEvery bytes, and all between two of these that are more than
// stampLeap apart. Only a log that has fewer lines in all a year than stampEvery holds could
// let a year pass unseen.
const (
	stampEvery = 32 << 10
	stampLeap  = 30 * 24 * time.Hour
	// stampTries is how many lines in a row may show no time.
	stampTries = 8
)

// stampAt is the stamp of a line of a block.
type stampAt struct {
	at    int
	stamp smtp.Stamp

	alone    time.Time // of a search by times: the time that it has for itself; zero where that is not asked
	newlines int       // before it in the block, where it is
}

// stamps returns stamps of some lines of a block, its first and its last among them.
func (w *worker) stamps(data []byte) (all []stampAt) {
	for from := 0; from < len(data); from += stampEvery {
		at := from
		if from > 0 {
			i := bytes.IndexByte(data[from:], '\n')
			if at = from + i + 1; i < 0 || at == len(data) {
				break
			}
		}
		all = w.stampFrom(all, data, at)
		if len(all) > 0 && all[0].stamp.Flags&smtp.HasYear != 0 {
			break
		}
	}
	if len(data) > 0 {
		start, _ := lineAt(data, len(data)-1)
		if n := len(all); n == 0 || all[n-1].at < start {
			all = w.stampFrom(all, data, start)
		}
	}
	return all
}

// stampFrom adds the stamp of the first line from at on that shows one, and those between it
// and the one before where time leaps.
func (w *worker) stampFrom(all []stampAt, data []byte, at int) []stampAt {
	for range stampTries {
		if at >= len(data) {
			break
		}
		_, end := lineAt(data, at)
		if s, ok := w.stamp(data[at:end]); ok {
			if n := len(all); n > 0 && time.Duration(s.Wall-all[n-1].stamp.Wall).Abs() > stampLeap {
				all = w.stampsBetween(all, data, all[n-1].at, at)
			}
			return append(all, stampAt{at: at, stamp: s})
		}
		at = end + 1
	}
	return all
}

func (w *worker) stampsBetween(all []stampAt, data []byte, from, to int) []stampAt {
	for _, at := lineAt(data, from); at+1 < to; {
		start := at + 1
		_, at = lineAt(data, start)
		if s, ok := w.stamp(data[start:at]); ok {
			all = append(all, stampAt{at: start, stamp: s})
		}
	}
	return all
}

func (w *worker) stamp(line []byte) (smtp.Stamp, bool) {
	w.in.Parser.Parse(line, &w.ev)
	return w.ev.Stamp, w.ev.Stamp.Flags&smtp.HasTime != 0
}
