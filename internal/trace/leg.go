package trace

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// legKey is a queue ID in one server's queue.
type legKey struct{ host, instance, queue string }

// keyOf returns the queue ID that a line is about, with whose it is.
func (t *Tracer) keyOf(l *Line) legKey {
	return legKey{t.hostOf(l), instanceOf(l.Event.Service), string(l.Event.Queue)}
}

func instanceOf(service []byte) string {
	instance, _, _ := bytes.Cut(service, []byte{'/'})
	return string(instance)
}

// hostOf returns what tells the server that wrote a line from others.
func (t *Tracer) hostOf(l *Line) string {
	if len(l.Event.Host) > 0 {
		return string(l.Event.Host)
	}
	return t.placeOf(l.Input)
}

// placeOf stands for the server whose log an input is, where the lines do not name it.
func (t *Tracer) placeOf(input int) string { return "\x00" + t.scanner.inputs[input].Place }

// gathered are the lines of a queue ID as they come.
type gathered struct {
	lines []*Line
	there map[place]*Line
	texts map[uint64]*Line // by the hash of its text, the last line that has it
	copy  bool             // it was found by its Message-ID alone
}

// place is where a line stands.
type place struct {
	input int
	at    int64
}

// add takes a line in, once. Logs may say a thing twice: Exim in its reject log, and both in a
// syslog, any syslog in a file of all and one of errors. In one main log two equal lines are
// two events.
func (g *gathered) add(l *Line, copies bool) bool {
	at := place{l.Input, l.At}
	if g.there[at] != nil {
		return false
	}
	text := maphash.Bytes(textSeed, l.Raw)
	if o := g.texts[text]; o != nil && bytes.Equal(o.Raw, l.Raw) && (o.Input != l.Input || copies || l.Event.Format == smtp.FormatExim && len(l.Event.Process) > 0) {
		return false
	}
	g.there[at], g.texts[text] = l, l
	g.lines = append(g.lines, l)
	return true
}

var textSeed = maphash.MakeSeed()

// Leg is what one server had of a message under one queue ID.
type Leg struct {
	Host     string // "" where the log does not name it
	Instance string // of Postfix
	Queue    string

	Lines     []*Line // in order of time
	Around    []*Line // what was said around them without the queue ID, in order of time
	Start     time.Time
	End       time.Time
	Received  *Line  // how it came; nil where that is not in the log
	Removed   *Line  // how it left the queue
	From      []byte // nil where it is not told
	MessageID []byte
	Size      int64
	Expected  int // how many recipients the queue manager told of

	Parent *Leg
	How    How    // it came of its parent
	By     *Line  // the parent's line that tells so; nil where the Message-ID does
	Kids   []*Leg // in order of time

	key        legKey
	seeded     bool // one of its lines is what was asked for
	NoConnect  bool // the session that it came in begins with no connect line
	Unsearched bool // where it begins was not looked for
}

// How is how a leg came of another.
type How uint8

// The ways.
const (
	HowRoot     How = iota // it did not
	HowQueuedAs            // the next server said under which ID it took the message
	HowRequeued            // the same server gave it a new ID
	HowBounce              // a report about it
	HowLocal               // a filter on the same machine gave it back
	HowOther               // another server has a message of the same Message-ID
)

var howNames = [...]string{"", "queued_as", "requeued", "bounce", "reinjected", "message_id"}

// String returns the machine-readable name.
func (h How) String() string { return howNames[h] }

// sameTime is how far two lines may be apart for the second to be of the message that the
// first is of, where nothing but time tells.
const sameTime = time.Minute

// legsOf cuts the lines of a queue ID into legs: short queue IDs are used again.
func legsOf(key legKey, lines []*Line) (legs []*Leg) {
	slices.SortStableFunc(lines, byTime)
	var leg *Leg
	for _, l := range lines {
		if leg == nil || leg.endsBefore(l) {
			leg = &Leg{Host: strings.TrimPrefix(key.host, "\x00"), Instance: key.instance, Queue: key.queue, key: key}
			if strings.HasPrefix(key.host, "\x00") {
				leg.Host = ""
			}
			legs = append(legs, leg)
		}
		leg.add(l)
	}
	return legs
}

// endsBefore reports that a line is of the next message of the same queue ID.
func (g *Leg) endsBefore(l *Line) bool {
	if l.Event.Kind != smtp.KindReceived {
		return false
	}
	return g.Removed != nil || g.Received != nil || l.When.Sub(g.End) > sameTime
}

// add takes in the next line.
func (g *Leg) add(l *Line) {
	ev := l.Event
	if len(g.Lines) == 0 {
		g.Start = l.When
	}
	g.End = l.When
	g.Lines = append(g.Lines, l)
	switch ev.Kind {
	case smtp.KindReceived:
		if g.Received == nil {
			g.Received = l
		}
	case smtp.KindRemoved:
		g.Removed = l
	}
	if ev.From != nil && g.From == nil && ev.Kind != smtp.KindDelivery {
		g.From = ev.From
	}
	if len(ev.MessageID) > 0 && g.MessageID == nil {
		g.MessageID = ev.MessageID
	}
	if ev.Kind == smtp.KindMessage || ev.Kind == smtp.KindReceived {
		g.Size = max(g.Size, ev.Size)
		g.Expected = max(g.Expected, int(ev.Recipients))
	}
	g.seeded = g.seeded || l.Seed != 0
}

// Came is when the message came: by its first line, or where the log begins later, by how
// old it was at a delivery.
func (g *Leg) Came() time.Time {
	if g.Received != nil {
		return g.Received.When
	}
	came := g.Start
	for _, l := range g.Lines {
		if d := l.Event.Delay; d > 0 && !l.When.IsZero() && l.When.Add(-d-stampError).Before(came) {
			came = l.When.Add(-d)
		}
	}
	return came
}

// stampError is how far a delay and a stamp without fractions may disagree.
const stampError = 2 * time.Second

// root returns the leg that all came of.
func (g *Leg) root() *Leg {
	for g.Parent != nil {
		g = g.Parent
	}
	return g
}

// byTime puts lines in order of time, those of one time in the order of the inputs.
func byTime(a, b *Line) int {
	return cmp.Or(a.When.Compare(b.When), cmp.Compare(a.Input, b.Input), cmp.Compare(a.At, b.At))
}

func sameID(a, b []byte) bool { return len(a) > 0 && bytes.Equal(a, b) }
