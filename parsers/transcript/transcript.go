package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// MaxSize is the most that a caller should pass to Parse. A transcript is what people
	// paste; a debug log of a busy server may reach some megabytes.
	MaxSize = 64 << 20

	// sampleSize is how much of a file decides its dialect.
	sampleSize = 64 << 10
)

// Info says what Parse made of a file. Every line counts once: Understood is part of a
// dialogue or its tool's own talk, Unknown stands where the server speaks and is neither a
// reply nor anything else we know, Foreign is all other text.
type Info struct {
	Dialect                             string // "" when it is no transcript
	Lines, Understood, Foreign, Unknown int
	Sessions                            int
}

// Parse reads a whole transcript and calls emit for each event with the 1-based number
// of the last line that it stands on. The event is used again after emit returns; its
// bytes point into data or into the event's scratch space. Secrets of AUTH are in no
// field of any event. Text that is no transcript yields no events.
func Parse(data []byte, emit func(ev *smtp.Event, line int)) Info {
	sample, margin := unindent(data[:min(len(data), sampleSize)])
	d, swapped, _ := recognise(sample)
	p := &parser{d: d, emit: emit, sessions: map[string]*session{}, seen: map[string]int{}, swapped: swapped}
	if d == nil {
		p.info.Lines = countLines(data)
		p.info.Foreign = p.info.Lines
		return p.info
	}
	p.info.Dialect = d.nameIn(sample)
	p.direction = d.direction
	if swapped {
		p.direction = smtp.Inbound + smtp.Outbound - d.direction
	}
	read := d.read
	if read == nil {
		read = readMarked
	}
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		p.line++
		line = bytes.TrimPrefix(bytes.TrimRight(line, "\r"), margin)
		p.tally(read(p, line), line)
	}
	p.flush()
	for len(p.order) > 0 {
		p.end(p.order[0])
	}
	p.info.Lines, p.info.Sessions = p.line, p.count
	return p.info
}

// flush hands on what a reader has gathered of something that may go on.
func (p *parser) flush() {
	p.flushBytes()
	p.endParagraph()
}

func (p *parser) tally(v verdict, line []byte) {
	switch {
	case v == understood || len(trim(line)) == 0:
		p.info.Understood++
	case v == unknown:
		p.info.Unknown++
	default:
		p.info.Foreign++
	}
}

func countLines(data []byte) int {
	n := bytes.Count(data, []byte{'\n'})
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	return n
}

// verdict is what became of a line.
type verdict uint8

const (
	foreign verdict = iota
	understood
	unknown
)

// parser holds the state of one Parse.
type parser struct {
	d         *dialect
	direction smtp.Direction
	swapped   bool // the marks of server and client are the other way round
	emit      func(*smtp.Event, int)
	ev        smtp.Event
	info      Info
	line      int

	sessions map[string]*session
	seen     map[string]int // how often a key was used
	order    []*session
	count    int

	spoke *session  // whose server spoke last: unmarked lines may continue its reply
	echo  smtp.Code // an exception is quoting a reply of several lines

	state readerState
}
