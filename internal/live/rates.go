package live

import (
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Rate is what the rates are of.
type Rate uint8

// The rates.
const (
	Sent Rate = iota
	Deferred
	Bounced // or expired
	Rejected
	NumRates
)

var rateOf = [smtp.NumOutcomes]Rate{
	smtp.OutcomeNone: NumRates, smtp.Sent: Sent, smtp.Deferred: Deferred, smtp.Bounced: Bounced, smtp.Expired: Bounced,
	smtp.Rejected: Rejected, smtp.Discarded: NumRates,
}

// Counts are by minute; the last one is the running minute.
type Counts [Minutes]int64

// Recent is the count of the last minute, of which the running one is the end, and a part
// of the one before it, by the seconds, the beginning.
func (c *Counts) Recent(now time.Time) int64 {
	return c[Minutes-1] + c[Minutes-2]*int64(60-now.Second())/60
}

// shift moves the counts n minutes into the past.
func (c *Counts) shift(n int64) {
	if n <= 0 {
		return
	}
	n = min(n, Minutes)
	copy(c[:], c[n:])
	clear(c[Minutes-n:])
}

// rates counts deliveries by minute.
type rates struct {
	when   time.Time // of the last of them
	minute int64     // the latest, which counts end with
	counts [NumRates]Counts
	totals [NumRates]int64
}

// count counts n deliveries. Those of a line out of order are of the latest minute.
func (r *rates) count(when time.Time, o smtp.Outcome, n int64) {
	if when != r.when {
		r.when = when
		r.roll(unixMinute(when))
	}
	if rate := rateOf[o]; rate != NumRates {
		r.counts[rate][Minutes-1] += n
		r.totals[rate] += n
	}
}

func (r *rates) roll(minute int64) {
	if minute <= r.minute {
		return
	}
	for i := range r.counts {
		r.counts[i].shift(minute - r.minute)
	}
	r.minute = minute
}

// until returns the counts that end with a minute, or with the latest if that is later.
func (r *rates) until(minute int64) [NumRates]Counts {
	r.roll(minute)
	return r.counts
}

func unixMinute(t time.Time) int64 { return t.Unix() / 60 }
