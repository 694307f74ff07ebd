package trace

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// within searches a block for the lines whose times pass. A log need not be in order, so each
// line's stamp is looked at; the rest of the line only where it passes.
//
// A stamp without a year gets the one in which it is not later than the file's last change.
// That is what the file's clock gives it, too, but where December has turned into January more
// than once; so each such stamp is handed on to the clock, which sees them in order and tells
// where it differs (OtherYear).
func (w *worker) within(want *wants, b *searched) {
	data := w.blk.data
	clock := w.in.Clock()
	var last smtp.Stamp
	known, passes := false, false
	everyLine{}.eachLine(data, func(start, end int) {
		line := data[start:end]
		parsed := passes // what stands behind a line that passes mostly does, too
		var s smtp.Stamp
		if parsed {
			w.in.Parser.Parse(line, &w.ev)
			s = w.ev.Stamp
		} else {
			s = w.in.Stamp(line, &w.ev)
		}
		if !known || s != last {
			alone := w.alone(clock, s)
			last, known, passes = s, true, want.times(alone)
			if s.Flags&smtp.HasTime != 0 && (s.Flags&smtp.HasYear == 0 || len(b.stamps) == 0) {
				b.stamps = append(b.stamps, stampAt{start, s, alone, b.lines})
			}
		}
		if passes {
			if !parsed {
				w.in.Parser.Parse(line, &w.ev)
			}
			if m := want.match(&w.ev, line); m.any() {
				w.note(want, b, m, start, end)
			}
		}
		b.lines++
	})
	if n := len(b.stamps); known && last.Flags&smtp.HasTime != 0 && n > 0 && b.stamps[n-1].stamp != last {
		b.stamps = append(b.stamps, stampAt{len(data), last, time.Time{}, b.lines})
	}
}

// alone is the time that a stamp has when no line before it is known.
func (w *worker) alone(clock *session.Clock, s smtp.Stamp) time.Time {
	if s.Flags&smtp.HasYear == 0 {
		fresh := *clock
		return fresh.Settle(s)
	}
	return clock.Settle(s)
}
