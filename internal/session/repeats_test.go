package session

import (
	"testing"

	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestRepeats(t *testing.T) {
	const refused = "2026-11-21 06:00:01 H=(x) [192.0.2.1] F=<a@example.org> rejected RCPT <b@example.com>: relay not permitted"
	const other = "2026-11-21 06:00:01 H=(x) [192.0.2.1] F=<a@example.org> rejected RCPT <c@example.com>: relay not permitted"
	const sent = `2026-11-21 06:00:01 1avnJx-00039F-Hs => b@example.net R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5] C="250 OK"`
	const tooMany = "Connection from [192.0.2.1]:39456 refused: too many connections from that IP address"
	type file struct {
		side  bool
		lines []string
	}
	syslog := func(pid, message string) string { return "Nov 21 06:00:01 mx1 exim[" + pid + "]: " + message }
	for _, tt := range []struct {
		name    string
		several bool
		files   []file
		want    []bool
	}{
		{"a reject log repeats its main log", true,
			[]file{{false, []string{refused, other}}, {true, []string{refused, other}}}, []bool{false, false, true, true}},
		{"and the other way round", true,
			[]file{{true, []string{refused}}, {false, []string{refused}}}, []bool{false, true}},
		{"equal lines of one log are two events", true,
			[]file{{false, []string{refused, refused}}}, []bool{false, false}},
		{"which the other log has as often", true,
			[]file{{false, []string{refused, refused}}, {true, []string{refused, refused, refused}}}, []bool{false, false, true, true, false}},
		{"a reject log alone", false,
			[]file{{true, []string{refused, refused}}}, []bool{false, false}},
		{"a delivery is in one log only", true,
			[]file{{false, []string{sent}}, {true, []string{sent}}}, []bool{false, false}},
		{"a syslog has the copy behind the line", false,
			[]file{{false, []string{syslog("5", refused), syslog("5", refused)}}}, []bool{false, true}},
		{"or that of two lines, behind each", false,
			[]file{{false, []string{syslog("5", refused), syslog("5", refused), syslog("5", refused), syslog("5", refused)}}}, []bool{false, true, false, true}},
		{"with the lines of others between", false,
			[]file{{false, []string{syslog("5", refused), syslog("6", other), syslog("5", refused), syslog("6", other)}}}, []bool{false, false, true, true}},
		{"cut into pieces", false,
			[]file{{false, []string{syslog("5", refused), syslog("5", `[1\3] `+refused)}}}, []bool{false, true}},
		{"of two processes", false,
			[]file{{false, []string{syslog("5", refused), syslog("6", refused)}}}, []bool{false, false}},
		{"what goes to the main log alone comes as often as it is written", false,
			[]file{{false, []string{syslog("5", tooMany), syslog("5", tooMany)}}}, []bool{false, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRepeats(tt.several)
			var ev smtp.Event
			n := 0
			for _, f := range tt.files {
				r.File(f.side)
				for _, line := range f.lines {
					if ok := (parsers.Mixed{}).Parse([]byte(line), &ev); !ok {
						t.Fatalf("not understood: %s", line)
					}
					var step Step
					StepOf(&ev, &step)
					if got := r.Seen(&step, []byte(line)); got != tt.want[n] {
						t.Errorf("line %d: seen is %v, want %v", n+1, got, tt.want[n])
					}
					n++
				}
			}
		})
	}
}
