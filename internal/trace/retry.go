package trace

import (
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// What Postfix and Exim do with a message that waits, when nobody configured it otherwise. A
// log does not tell the configuration.
const (
	// Postfix (postconf(5)): the next try comes when the message has waited as long again as
	// it is old, within these bounds, at the queue manager's next run.
	PostfixMinimalBackoff = 300 * time.Second
	PostfixMaximalBackoff = 4000 * time.Second
	PostfixQueueRun       = 300 * time.Second
	PostfixLifetime       = 5 * 24 * time.Hour

	// Exim (its default configuration's "* * F,2h,15m; G,16h,1h,1.5; F,4d,6h"), and the
	// queue runs that Debian starts.
	eximFixed     = 2 * time.Hour
	eximFixedStep = 15 * time.Minute
	eximGrowing   = 16 * time.Hour
	eximFirstStep = time.Hour
	eximLastStep  = 6 * time.Hour
	eximQueueRun  = 30 * time.Minute
	EximLifetime  = 4 * 24 * time.Hour
)

// Retry is when a message that waits is tried again, as far as that can be told.
type Retry struct {
	From, To time.Time // between these; zero for unknown
	Expires  time.Time // when the queue's patience ends
	Overdue  bool      // the log goes on beyond To and shows no try
}

// nextTry tells it of a recipient that waits, of a message that came to that server at a
// time, in a log that ends at another.
func nextTry(r *Recipient, came, end time.Time) (next Retry) {
	last := r.Line.When
	if last.IsZero() {
		return next
	}
	if d := r.Line.Event.Delay; d > 0 {
		came = last.Add(-d)
	}
	if came.IsZero() {
		came = last
	}
	age := last.Sub(came)
	wait, run, life := min(max(age, PostfixMinimalBackoff), PostfixMaximalBackoff), PostfixQueueRun, PostfixLifetime
	if r.Line.Event.Format == smtp.FormatExim {
		wait, run, life = eximWait(age), eximQueueRun, EximLifetime
	}
	next = Retry{From: last.Add(wait), To: last.Add(wait + run), Expires: came.Add(life)}
	next.Overdue = end.After(next.To)
	return next
}

// eximWait is how long Exim waits after a failure at an age.
func eximWait(age time.Duration) time.Duration {
	switch {
	case age < eximFixed:
		return eximFixedStep
	case age >= eximGrowing:
		return eximLastStep
	}
	step := eximFirstStep
	for at := eximFixed; at+step <= age; at += step {
		step = step * 3 / 2
	}
	return step
}
