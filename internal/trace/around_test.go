package trace

import (
	"fmt"
	"strings"
	"testing"
)

// TestSessionOverRotation holds that the session in which a message came and the connection in
// which it went are told wherever the log was rotated meanwhile, compressed or not.
func TestSessionOverRotation(t *testing.T) {
	const log = `Mar 11 08:00:00 mx1 postfix/smtpd[7]: connect from one.example.org[192.0.2.9]
Mar 11 08:00:00 mx1 postfix/smtpd[7]: disconnect from one.example.org[192.0.2.9] ehlo=1 quit=1 commands=2
Mar 11 08:00:01 mx1 postfix/smtpd[7]: connect from mail.example.org[192.0.2.10]
Mar 11 08:00:01 mx1 postfix/smtpd[7]: Anonymous TLS connection established from mail.example.org[192.0.2.10]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Mar 11 08:00:02 mx1 postfix/smtpd[7]: 4C1A2B3D01: client=mail.example.org[192.0.2.10]
Mar 11 08:00:02 mx1 postfix/smtpd[8]: connect from two.example.org[192.0.2.11]
Mar 11 08:00:02 mx1 postfix/cleanup[9]: 4C1A2B3D01: message-id=<1@example.org>
Mar 11 08:00:02 mx1 postfix/qmgr[100]: 4C1A2B3D01: from=<alice@example.org>, size=1200, nrcpt=1 (queue active)
Mar 11 08:00:03 mx1 postfix/smtpd[7]: disconnect from mail.example.org[192.0.2.10] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5
Mar 11 08:00:03 mx1 postfix/smtpd[8]: disconnect from two.example.org[192.0.2.11] ehlo=1 quit=1 commands=2
Mar 11 08:00:03 mx1 postfix/smtp[11]: Untrusted TLS connection established to mx.example.net[198.51.100.5]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
Mar 11 08:00:04 mx1 postfix/smtp[11]: 4C1A2B3D01: to=<bob@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1.1, delays=0.1/0/0.5/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9F00ABCDEF)
Mar 11 08:00:04 mx1 postfix/qmgr[100]: 4C1A2B3D01: removed
Mar 11 08:00:05 mx1 postfix/smtpd[7]: connect from three.example.org[192.0.2.12]
Mar 11 08:00:06 mx1 postfix/smtpd[7]: disconnect from three.example.org[192.0.2.12] ehlo=1 quit=1 commands=2
`
	lines := strings.SplitAfter(strings.TrimSuffix(log, "\n"), "\n")
	what, _ := ParseWhat("4C1A2B3D01", "")
	var want string
	for _, stream := range []bool{false, true} {
		for cut := range lines {
			older, newer := strings.Join(lines[:cut], ""), strings.Join(lines[cut:], "")
			inputs := []*Input{logInput("mail.log.1", []byte(older), stream), logInput("mail.log", []byte(newer), false)}
			if cut == 0 {
				inputs = inputs[1:]
			}
			r := Run(Options{Inputs: inputs, What: what, Workers: 2})
			if len(r.Messages) != 1 {
				t.Fatalf("cut at %d: %d messages", cut, len(r.Messages))
			}
			var got strings.Builder
			for _, l := range r.Messages[0].Lines {
				fmt.Fprintf(&got, "%s\n", l.Raw)
			}
			if want == "" {
				want = got.String()
				if n := strings.Count(want, "\n"); n != 9 {
					t.Fatalf("%d lines of 9:\n%s", n, want)
				}
			}
			if got.String() != want || r.Messages[0].Legs[0].NoConnect {
				t.Errorf("cut at %d, compressed %v, no connect %v:\n%swant\n%s", cut, stream, r.Messages[0].Legs[0].NoConnect, got.String(), want)
			}
		}
	}
}
