package testlog_test

import (
	"bytes"
	"testing"

	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/postfix"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestUnderstood holds that the shapes are those of the real programs, as far as our parsers know them.
func TestUnderstood(t *testing.T) {
	for format, parser := range map[string]smtp.Parser{"postfix": postfix.Parser{}, "exim": exim.Parser{}} {
		var log bytes.Buffer
		if err := testlog.Write(&log, testlog.Options{Format: format, Size: 2 << 20, Seed: 3}); err != nil {
			t.Fatal(err)
		}
		var ev smtp.Event
		wrong := 0
		for line := range bytes.Lines(log.Bytes()) {
			ev.Reset()
			line = bytes.TrimSuffix(line, []byte("\n"))
			if foreign := bytes.Contains(line, []byte("CRON[")); !parser.Parse(line, &ev) && !foreign {
				if wrong++; wrong <= 5 {
					t.Errorf("%s does not understand %q", format, line)
				}
			}
		}
	}
}
