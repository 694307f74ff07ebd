package main

import (
	"bytes"
	"strings"

	"github.com/mailwhy/mailwhy/internal/glance"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// words are those of a line.
type words line

func (w *words) Host() []byte {
	if host := glance.Host(w.raw, w.step.Format, w.step.Host); host != nil {
		return host
	}
	return summary.HostOf((*line)(w).event())
}

func (w *words) Reply() []byte { return (*line)(w).event().Reply.Text }

func (w *words) Sample() summary.Sample {
	return summary.Sample{File: w.path, Line: w.number, Text: (*line)(w).shown()}
}

// Domain is the recipient's.
func (w *words) Domain() []byte {
	if domain := glance.Domain(w.raw, w.step.Format); domain != nil {
		return domain
	}
	return live.DomainOf((*line)(w).event())
}

// Ends tells what the names of the line end with.
func (w *words) Ends() live.Ends {
	if w.ends != (live.Ends{}) {
		return w.ends
	}
	return live.EndsOf((*line)(w).event())
}

// Said is the reply's text, or what was told instead of one.
func (w *words) Said() []byte { return (*line)(w).event().Said() }

// Line is how the line may be shown.
func (w *words) Line() live.Line {
	return live.Line{Path: w.path, Number: w.number, Text: (*line)(w).shown()}
}

// maxShown is how much of a line is looked at to be shown: four times what is kept of one
// anywhere, so that what is cut off at the end never matters.
const maxShown = 4 << 10

// shown is a line as it may be shown: with the secrets of logins masked, and as text. Where
// its parser, who knows more of the line, took one out, the parser's text stands for it.
func (l *line) shown() string {
	ev, raw := l.event(), l.raw
	if l.hide != nil {
		raw = l.hide.Line(l.written, l.hidden[:min(len(l.hidden), maxShown)])
	}
	raw = raw[:min(len(raw), maxShown)]
	for _, text := range [][]byte{ev.Reply.Text, ev.Text} {
		text = text[:min(len(text), maxShown)]
		if bytes.Count(text, []byte(smtp.Mask)) > bytes.Count(raw, []byte(smtp.Mask)) {
			return masked(text)
		}
	}
	if i := bytes.Index(raw, []byte(`input="`)); i >= 0 { // what Exim's client went on to say
		raw = append(raw[:i+7:i+7], smtp.Mask...)
	}
	return masked(raw)
}

func masked(text []byte) string {
	var room [1024]byte // enough for most lines
	return strings.ToValidUTF8(string(smtp.AppendMasked(room[:0], text)), "\uFFFD")
}
