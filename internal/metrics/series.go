package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maxReplies bounds the series of mailwhy_replies_total. A real log has some hundred; a
// stranger who answers each of our commands with another code makes them by the thousand.
const maxReplies = 2000

// none and other stand for what has no name of its own: what the log does not show, and
// what is in no list.
const (
	none  = "none"
	other = "other"
)

// The numbers of formats and directions, with none.
const (
	numFormats    = int(smtp.FormatTranscript) + 1
	numDirections = int(smtp.Internal) + 1
)

// family is a metric with three labels: the mail server, the direction and one of a short
// list of names.
type family struct {
	counters *prometheus.CounterVec
	names    []string
	usual    []smtp.Direction
	known    [numFormats][numDirections][]prometheus.Counter
}

func newFamily(name, help, label string, names []string, usual ...smtp.Direction) family {
	opts := prometheus.CounterOpts{Name: "mailwhy_" + name, Help: help}
	return family{counters: prometheus.NewCounterVec(opts, []string{"mta", "direction", label}), names: names, usual: usual}
}

// names lists the names of an enumerated type; "" is for its zero that is no value.
func names[T interface {
	~uint8
	fmt.Stringer
}](n int) []string {
	var all []string
	for i := range n {
		all = append(all, T(i).String())
	}
	return all
}

// at returns the counter of a name.
func (f *family) at(mta smtp.Format, d smtp.Direction, name uint8) prometheus.Counter {
	known := f.known[mta][d]
	if known == nil {
		f.begin(mta, d)
		known = f.known[mta][d]
	}
	if known[name] == nil {
		known[name] = f.counters.WithLabelValues(orNone(mta.String()), orNone(d.String()), orNone(f.names[name]))
	}
	return known[name]
}

// begin enters the counters of a mail server at zero, all that there may be: Prometheus
// would else not see the first increase of one, as it does not know what was before.
func (f *family) begin(mta smtp.Format, d smtp.Direction) {
	f.known[mta][d] = make([]prometheus.Counter, len(f.names))
	for _, usual := range f.usual {
		if f.known[mta][usual] == nil {
			f.known[mta][usual] = make([]prometheus.Counter, len(f.names))
		}
		for i, name := range f.names {
			if name != "" {
				f.at(mta, usual, uint8(i))
			}
		}
	}
}

func orNone(name string) string {
	if name == "" {
		return none
	}
	return name
}

// reply is what the series of a reply stands for.
type reply struct {
	mta       smtp.Format
	direction smtp.Direction
	stage     smtp.Stage
	cause     knowledge.Cause
	code      smtp.Code
	enhanced  smtp.EnhancedCode
}

// Codes that stand for all that are in no list. No reply has them.
const otherCode smtp.Code = 1

var otherEnhanced = smtp.EnhancedCode{1, 0, 0}

// replies is mailwhy_replies_total.
type replies struct {
	counters *prometheus.CounterVec
	folded   prometheus.Counter
	base     *knowledge.Base
	known    map[reply]prometheus.Counter
	rest     [numFormats][numDirections]prometheus.Counter // what finds no room in known
	lastSeen reply                                         // most lines say what the line before them said
	last     prometheus.Counter
}

func newReplies(base *knowledge.Base) replies {
	return replies{
		base: base, known: map[reply]prometheus.Counter{},
		counters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mailwhy_replies_total", Help: "SMTP replies as logged. direction: inbound, our server said it; outbound, the other one did. stage: the command that it answers.",
		}, []string{"mta", "direction", "stage", "code", "enhanced_code", "cause"}),
		folded: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "mailwhy_replies_folded_total", Help: "Replies counted under \"other\", because there are too many different ones for a series each.",
		}),
	}
}

// at returns the counter of a reply.
func (r *replies) at(seen reply) prometheus.Counter {
	if seen == r.lastSeen && r.last != nil {
		return r.last
	}
	as := r.fold(seen)
	c := r.known[as]
	if c == nil {
		if len(r.known) >= maxReplies {
			return r.beyond(seen)
		}
		c = r.counters.WithLabelValues(orNone(as.mta.String()), orNone(as.direction.String()), orNone(as.stage.String()), codeName(as.code), enhancedName(as.enhanced), as.cause.ID())
		r.known[as] = c
	}
	r.lastSeen, r.last = seen, c
	return c
}

// fold makes one of all codes that are in no list.
func (r *replies) fold(seen reply) reply {
	if r.base.Code(seen.code) == nil {
		seen.code = otherCode
	}
	if !seen.enhanced.IsZero() && r.base.Status(seen.enhanced) == nil {
		seen.enhanced = otherEnhanced
	}
	return seen
}

// beyond is the counter of a reply for which there is no room.
func (r *replies) beyond(seen reply) prometheus.Counter {
	r.folded.Inc()
	c := &r.rest[seen.mta][seen.direction]
	if *c == nil {
		*c = r.counters.WithLabelValues(orNone(seen.mta.String()), orNone(seen.direction.String()), other, other, other, other)
	}
	return *c
}

func codeName(c smtp.Code) string {
	if c == otherCode {
		return other
	}
	return c.String()
}

func enhancedName(e smtp.EnhancedCode) string {
	switch {
	case e.IsZero():
		return none
	case e == otherEnhanced:
		return other
	}
	return e.String()
}
