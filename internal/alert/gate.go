package alert

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Limit is how much is allowed: a share, or a count.
type Limit struct {
	Text    string // as given
	IsShare bool
	Share   float64
	Count   int64
}

// ParseLimit reads "2%" or "10".
func ParseLimit(s string) (l Limit, err error) {
	l.Text = strings.TrimSpace(s)
	if strings.HasSuffix(l.Text, "%") {
		l.IsShare = true
		l.Share, err = ParseShare(l.Text)
		return l, err
	}
	if l.Count, err = strconv.ParseInt(l.Text, 10, 64); err != nil || l.Count < 0 {
		return l, fmt.Errorf("%q is no limit; give a share like 2%%, or a count like 10", s)
	}
	return l, nil
}

// Gate is what a log is held against: at most so much of each, and at least so many
// deliveries.
type Gate struct {
	Most   []Most
	Least  int64 // deliveries that succeeded; 0 is no limit
	Sample int64 // fewer deliveries, or for refusals fewer messages, are too few for a share to tell anything
}

// Most is the most that is allowed of something.
type Most struct {
	Outcome smtp.Outcome    // Deferred, Bounced (with Expired, which goes back to its sender too) or Rejected;
	Cause   knowledge.Cause // else what there is a cause to
	Limit   Limit
}

// Name is what a limit is about, in machine-readable output.
func (m *Most) Name() string {
	if m.Outcome != smtp.OutcomeNone {
		return m.Outcome.String()
	}
	return m.Cause.ID()
}

// Tally counts what a gate asks for. The zero value is ready.
type Tally struct {
	Outcomes [smtp.NumOutcomes]int64
	Received int64

	// Strangers counts those too whom our server refused, as it should; else they are no
	// cause of ours.
	Strangers bool

	causes   [smtp.NumOutcomes][knowledge.NumCauses]int64 // of lines that decide a fate
	failures [knowledge.NumCauses]int64                   // of all that failed
}

// Event counts a line. a is nil when it shows neither a reply nor a failure.
func (t *Tally) Event(ev *smtp.Event, a *classify.Annotation) {
	n := int64(ev.Count())
	if ev.Kind == smtp.KindReceived {
		t.Received += n
		return
	}
	decides := ev.Decides()
	if decides {
		t.Outcomes[ev.Outcome] += n
	}
	if a == nil || !ev.WentWrong() {
		return
	}
	if decides {
		t.causes[ev.Outcome][a.Cause] += n
	}
	if t.Strangers || ev.Direction != smtp.Inbound || a.Severity > knowledge.Info {
		t.failures[a.Cause] += n
	}
}

// Deliveries is how many recipients' fates were decided on our way out, once for each try.
func (t *Tally) Deliveries() int64 {
	return t.Outcomes[smtp.Sent] + t.Outcomes[smtp.Deferred] + t.of(smtp.Bounced)
}

func (t *Tally) of(o smtp.Outcome) int64 {
	n := t.Outcomes[o]
	if o == smtp.Bounced {
		n += t.Outcomes[smtp.Expired]
	}
	return n
}

// Finding is how much there was of something.
type Finding struct {
	Most
	Count   int64
	Of      int64
	Judged  bool // there were enough to tell
	Over    bool
	Mostly  knowledge.Cause // the most frequent cause, of an outcome; Unknown where there is none
	HasMost bool
}

// Share is the part of Of that Count is, 0 of nothing.
func (f *Finding) Share() float64 {
	if f.Of == 0 {
		return 0
	}
	return float64(f.Count) / float64(f.Of)
}

// Judge holds a tally against the gate. few tells that there were too few deliveries.
func (g *Gate) Judge(t *Tally) (found []Finding, few bool) {
	for _, m := range g.Most {
		f := Finding{Most: m, Of: t.Deliveries()}
		switch m.Outcome {
		case smtp.OutcomeNone:
			f.Count = t.failures[m.Cause]
		case smtp.Rejected:
			f.Of = t.Received + t.Outcomes[smtp.Rejected]
			fallthrough
		default:
			f.Count = t.of(m.Outcome)
			f.Mostly, f.HasMost = t.mostly(m.Outcome)
		}
		if m.Limit.IsShare {
			f.Judged = f.Of >= g.Sample
			f.Over = f.Judged && f.Share() > m.Limit.Share
		} else {
			f.Judged, f.Over = true, f.Count > m.Limit.Count
		}
		found = append(found, f)
	}
	return found, t.Outcomes[smtp.Sent] < g.Least
}

// mostly returns the most frequent cause of an outcome.
func (t *Tally) mostly(o smtp.Outcome) (most knowledge.Cause, any bool) {
	best := int64(0)
	for _, c := range knowledge.Causes() {
		n := t.causes[o][c]
		if o == smtp.Bounced {
			n += t.causes[smtp.Expired][c]
		}
		if n > best {
			most, best = c, n
		}
	}
	return most, best > 0
}
