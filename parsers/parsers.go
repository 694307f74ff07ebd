// Package parsers lists the formats that mailwhy reads and tells which of them a file
// is in.
package parsers

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/postfix"
	"github.com/mailwhy/mailwhy/parsers/smtp"
	"github.com/mailwhy/mailwhy/parsers/syslog"
	"github.com/mailwhy/mailwhy/parsers/transcript"
)

// Format is a format of log or transcript.
type Format struct {
	Name string // as --format takes it and testdata's folders are called
	ID   smtp.Format

	// Lines parses line by line. It is nil for a transcript, whose lines mean nothing
	// without those before them: transcript.Parse reads it whole.
	Lines smtp.Parser
}

// Formats are the formats that can be named, in the order in which they are tried.
var Formats = []Format{
	{Name: "postfix", ID: smtp.FormatPostfix, Lines: postfix.Parser{}},
	{Name: "exim", ID: smtp.FormatExim, Lines: exim.Parser{}},
	{Name: "transcript", ID: smtp.FormatTranscript},
}

// Any is what a file is in when nothing better is known: each line is read by its own
// program's parser.
var Any = Format{Name: "log", Lines: Mixed{}}

// ByName returns the format of that name.
func ByName(name string) (Format, bool) {
	for _, f := range Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// FormatOf returns what the lines are of that a parser reads; FormatNone when they may be of any.
func FormatOf(p smtp.Parser) smtp.Format {
	for _, f := range Formats {
		if f.Lines == p {
			return f.ID
		}
	}
	return smtp.FormatNone
}

// Mixed parses each line with the parser of the program that wrote it, for logs that
// several programs share. Lines of programs that are no mail server are foreign.
type Mixed struct{}

// Parse implements smtp.Parser.
func (Mixed) Parse(line []byte, ev *smtp.Event) bool {
	if eximStamp(line) {
		if ok := (exim.Parser{}).Parse(line, ev); ev.Format == smtp.FormatExim {
			return ok
		}
	}
	ev.Reset()
	msg := syslog.Parse(line, ev)
	switch {
	case postfix.Owns(&ev.Head):
		return postfix.ParseMessage(msg, ev)
	case exim.Owns(&ev.Head):
		return exim.ParseMessage(msg, ev)
	}
	ev.Kind = smtp.KindForeign
	return true
}

// StampOf returns the stamp that p finds in a line, as far as it can without parsing all of it.
// It writes into ev what it likes.
func StampOf(p smtp.Parser, line []byte, ev *smtp.Event) smtp.Stamp {
	if p == (exim.Parser{}) || eximStamp(line) {
		p.Parse(line, ev)
		return ev.Stamp
	}
	ev.Head = smtp.Head{}
	syslog.Parse(line, ev)
	if exim.Owns(&ev.Head) { // it may show another of its own
		p.Parse(line, ev)
	}
	return ev.Stamp
}

// eximStamp reports whether the line starts with a stamp as Exim's own log files have
// it, "2026-11-22 04:08:24 ".
func eximStamp(line []byte) bool {
	return len(line) > 20 && line[4] == '-' && line[7] == '-' && line[10] == ' ' && line[13] == ':' && line[16] == ':'
}

const (
	// detectLines is how many lines of a sample are looked at: enough to get past the
	// other programs' start-up at the top of a shared log.
	detectLines = 2000

	// sureTranscript is the confidence from which a file is a transcript even if some
	// lines look like a log's: debug output quotes them. Where no line does, any
	// confidence is enough.
	sureTranscript = 80
)

// Detect tells the format of a file by its first bytes. sure is false when nothing in
// the sample was recognised: the file is then read as Any.
func Detect(sample []byte) (f Format, sure bool) {
	var native, logged int
	var ev smtp.Event
	lines := 0
	for rest := sample; len(rest) > 0 && lines < detectLines; lines++ {
		line := rest
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line, rest = rest[:i], rest[i+1:]
		} else {
			rest = nil
		}
		if ok := (Mixed{}).Parse(line, &ev); !ok || ev.Format == smtp.FormatNone || ev.Kind == smtp.KindForeign {
			continue
		}
		if ev.Process == nil && ev.Format == smtp.FormatExim {
			native++
		} else {
			logged++
		}
	}
	confidence := 0
	if found := native + logged; found == 0 || found < lines/2 { // else it is a log, whatever it may look like besides
		_, confidence = transcript.Detect(sample)
	}
	switch {
	case confidence >= sureTranscript:
		return Formats[2], true
	case native > logged:
		return Formats[1], true
	case logged > 0:
		return Any, true
	case confidence > 0:
		return Formats[2], true
	}
	return Any, false
}
