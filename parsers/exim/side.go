package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// IsRejectLog reports whether sample, the beginning of a file, is of a reject log: only
// there the header of a refused message stands below its line.
func IsRejectLog(sample []byte) bool {
	var ev smtp.Event
	refused := false
	for line := range bytes.Lines(sample) {
		line = bytes.TrimRight(line, "\r\n")
		if refused && bytes.HasPrefix(line, []byte("Envelope-from: ")) {
			return true
		}
		Parser{}.Parse(line, &ev)
		refused = ev.Kind == smtp.KindReject
	}
	return false
}
