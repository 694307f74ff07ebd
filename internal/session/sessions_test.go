package session

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// run reads files of a small log and returns its sessions, one a line, and its messages.
func run(t *testing.T, o Options, files ...string) (*Assembler, []string) {
	t.Helper()
	var got []string
	a := NewAssembler(o, func(s *Session) { got = append(got, describe(s)) })
	for _, file := range files {
		feed(t, a, file)
		a.EndOfFile()
	}
	a.Close()
	return a, got
}

// feed adds the lines of one file.
func feed(t *testing.T, a *Assembler, file string) {
	t.Helper()
	c := NewClock(time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), time.UTC, 0)
	var ev smtp.Event
	for line := range strings.Lines(file) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if ok := (parsers.Mixed{}).Parse([]byte(line), &ev); !ok {
			t.Errorf("not understood: %s", line)
		}
		ev.Time = c.Settle(ev.Stamp)
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
	}
}

// describe writes what matters of a session: "in 192.0.2.1 lost/DATA m1 r0".
func describe(s *Session) string {
	peer := ""
	if s.Detail != nil {
		peer = cmp.Or(string(s.Peer.IP), string(s.Peer.Name))
	}
	end := s.End.String()
	if s.EndStage != smtp.StageNone {
		end += "/" + s.EndStage.String()
	}
	d := "in"
	if s.Direction == smtp.Outbound {
		d = "out"
	}
	return fmt.Sprintf("%s %s %s m%d r%d", d, peer, end, s.Messages, s.Refused)
}

// postfix and exim put the heads before the lines of a log: "06:00:01 smtpd[1]: text"
// and "06:00:01 text".
func postfix(lines string) string {
	return heads(lines, func(at, rest string) string { return "Nov 21 " + at + " mx1 postfix/" + rest })
}

func exim(lines string) string {
	return heads(lines, func(at, rest string) string { return "2026-11-21 " + at + " " + rest })
}

func heads(lines string, head func(at, rest string) string) string {
	var b strings.Builder
	for line := range strings.Lines(lines) {
		if at, rest, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			b.WriteString(head(at, rest) + "\n")
		}
	}
	return b.String()
}

func check(t *testing.T, got []string, want string) {
	t.Helper()
	var w []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			w = append(w, line)
		}
	}
	if g := strings.Join(got, "\n"); g != strings.Join(w, "\n") {
		t.Errorf("got sessions\n%s\nwant\n%s", g, strings.Join(w, "\n"))
	}
}

func TestPostfixServerSessions(t *testing.T) {
	const c = "client.example.org[192.0.2.1]"
	for _, tt := range []struct{ name, log, want string }{
		{"quit, by the counts", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`,
			`in 192.0.2.1 quit m1 r0`},
		{"quit, before there were counts", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c,
			`in 192.0.2.1 quit m0 r0`},
		{"lost in the body", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:02 smtpd[1]: lost connection after DATA (70 bytes) from ` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 commands=4`,
			`in 192.0.2.1 lost/DATA m0 r0`},
		{"lost after DATA was refused", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: reject: DATA from ` + c + `: 503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining; from=<a@example.org> proto=SMTP helo=<x>
			06:00:02 smtpd[1]: lost connection after DATA (0 bytes) from ` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4`,
			`in 192.0.2.1 lost/DATA m0 r1`},
		{"gone after the message, which smtpd does not log", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 commands=4`,
			`in 192.0.2.1 lost/DOT m1 r0`},
		{"gone after the message was refused", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:02 cleanup[2]: 4C1A2B3D4E: milter-reject: END-OF-MESSAGE from ` + c + `: 5.7.1 Spam message rejected; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 commands=4`,
			`in 192.0.2.1 lost/DOT m0 r1`},
		{"refused by cleanup, and quit", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:02 cleanup[2]: 4C1A2B3D4E: reject: header Subject: buy from ` + c + `; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>: 5.7.1 no thanks
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`,
			`in 192.0.2.1 quit m0 r1`},
		{"timed out", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:05:01 smtpd[1]: timeout after MAIL from ` + c + `
			06:05:01 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 commands=2`,
			`in 192.0.2.1 timed_out/MAIL m0 r0`},
		{"too many errors", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: too many errors after RCPT from ` + c + `
			06:00:02 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=0/20 commands=2/22`,
			`in 192.0.2.1 server_closed/RCPT m0 r0`},
		{"421", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: NOQUEUE: reject: RCPT from ` + c + `: 421 4.7.0 <b@example.com>: Recipient address rejected: go away; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>
			06:00:02 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=0/1 commands=2/3`,
			`in 192.0.2.1 server_closed/RCPT m0 r1`},
		{"TLS came to nothing", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: SSL_accept error from ` + c + `: -1
			06:00:02 smtpd[1]: disconnect from ` + c + ` ehlo=1 starttls=0/1 commands=1/2`,
			`in 192.0.2.1 aborted/STARTTLS m0 r0`},
		{"TLS broke off", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: SSL_accept error from ` + c + `: lost connection
			06:00:02 smtpd[1]: lost connection after STARTTLS from ` + c + `
			06:00:02 smtpd[1]: disconnect from ` + c + ` ehlo=1 starttls=0/1 commands=1/2`,
			`in 192.0.2.1 lost/STARTTLS m0 r0`},
		{"refused at the greeting", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: NOQUEUE: reject: CONNECT from ` + c + `: 554 5.7.1 <` + c + `>: Client host rejected: Access denied; proto=SMTP
			06:00:02 smtpd[1]: disconnect from ` + c + ` commands=0/0`,
			`in 192.0.2.1 refused m0 r1`},
		{"still there", `
			06:00:01 smtpd[1]: connect from ` + c,
			`in 192.0.2.1 open m0 r0`},
		{"the process died and another took its number", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:09 smtpd[1]: connect from unknown[192.0.2.2]
			06:00:10 smtpd[1]: disconnect from unknown[192.0.2.2] ehlo=1 quit=1 commands=2`,
			`in 192.0.2.1 not_logged m0 r0
			in 192.0.2.2 quit m0 r0`},
		{"the log begins in the middle", `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:03 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5`,
			`in 192.0.2.1 quit m1 r0`},
		{"a process each", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:01 submission/smtpd[2]: connect from ` + c + `
			06:00:02 submission/smtpd[2]: disconnect from ` + c + ` quit=1 commands=1
			06:00:03 smtpd[1]: disconnect from ` + c + ` quit=1 commands=1`,
			`in 192.0.2.1 quit m0 r0
			in 192.0.2.1 quit m0 r0`},
		{"cleanup alone makes no session", `
			06:00:02 cleanup[2]: 4C1A2B3D4E: reject: header Subject: buy from ` + c + `; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>: 5.7.1 no thanks`, ``},
		{"one session with three messages", `
			06:00:01 smtpd[1]: connect from ` + c + `
			06:00:02 smtpd[1]: 4C1A2B3D4E: client=` + c + `
			06:00:03 smtpd[1]: 4C1A2B3D4F: client=` + c + `
			06:00:04 smtpd[1]: 4C1A2B3D50: client=` + c + `
			06:00:05 smtpd[1]: disconnect from ` + c + ` ehlo=1 mail=3 rcpt=3 bdat=3 quit=1 commands=11`,
			`in 192.0.2.1 quit m3 r0`},
		{"idle for longer than any server waits", `
			06:00:01 smtpd[1]: connect from ` + c + `
			09:00:00 smtpd[2]: connect from unknown[192.0.2.2]
			09:00:01 smtpd[2]: disconnect from unknown[192.0.2.2] quit=1 commands=1`,
			`in 192.0.2.1 not_logged m0 r0
			in 192.0.2.2 quit m0 r0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, Options{Exchanges: true}, postfix(tt.log))
			check(t, got, tt.want)
		})
	}
}

func TestPostscreenSessions(t *testing.T) {
	const c = "[192.0.2.1]:4711"
	const connect = `06:00:01 postscreen[7]: CONNECT from ` + c + ` to [198.51.100.1]:25
	`
	for _, tt := range []struct{ name, log, want string }{
		{"passed on: smtpd logs the session", `
			06:00:01 postscreen[7]: PASS OLD ` + c + `
			06:00:01 smtpd[8]: connect from client.example.org[192.0.2.1]
			06:00:02 smtpd[8]: disconnect from client.example.org[192.0.2.1] quit=1 commands=1`,
			`in 192.0.2.1 quit m0 r0`},
		{"passed and disconnected after the deeper tests", `
			06:00:07 postscreen[7]: NOQUEUE: reject: RCPT from ` + c + `: 450 4.3.2 Service currently unavailable; from=<a@example.org>, to=<b@example.com>, proto=ESMTP, helo=<x>
			06:00:07 postscreen[7]: PASS NEW ` + c + `
			06:00:08 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 refused m0 r1`},
		{"hung up", `
			06:00:02 postscreen[7]: HANGUP after 1 from ` + c + ` in tests before SMTP handshake
			06:00:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 lost/CONNECT m0 r0`},
		{"spoke too early and was dropped", `
			06:00:02 postscreen[7]: PREGREET 14 after 0.08 from ` + c + `: EHLO x\r\n
			06:00:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 refused m0 r0`},
		{"is listed and was dropped", `
			06:00:02 postscreen[7]: DNSBL rank 6 for ` + c + `
			06:00:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 refused m0 r0`},
		{"no mail client at all", `
			06:00:02 postscreen[7]: NON-SMTP COMMAND from ` + c + ` after CONNECT: GET / HTTP/1.1
			06:00:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 server_closed/CONNECT m0 r0`},
		{"too many commands", `
			06:00:02 postscreen[7]: COMMAND COUNT LIMIT from ` + c + ` after RCPT
			06:00:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 server_closed/RCPT m0 r0`},
		{"too slow", `
			06:05:02 postscreen[7]: COMMAND TIME LIMIT from ` + c + ` after MAIL
			06:05:02 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 timed_out/MAIL m0 r0`},
		{"no room", `
			06:00:01 postscreen[7]: NOQUEUE: reject: CONNECT from ` + c + `: too many connections
			06:00:01 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 refused m0 r1`},
		{"nothing wrong, and gone", `
			06:00:09 postscreen[7]: DISCONNECT ` + c,
			`in 192.0.2.1 aborted m0 r0`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, Options{Exchanges: true}, postfix(connect+tt.log))
			check(t, got, tt.want)
		})
	}
}

func TestPostfixClientSessions(t *testing.T) {
	const q = "smtp[9]: 4C1A2B3D4E: "
	const to = q + "to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, "
	const said = " (in reply to RCPT TO command))"
	for _, tt := range []struct{ name, log, want string }{
		{"sent", `06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 1)`, `out 198.51.100.5 quit m1 r0`},
		{"two recipients are one session", `
			06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)
			06:00:01 smtp[9]: 4C1A2B3D4E: to=<c@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.5] said: 550 5.1.1 no` + said,
			`out 198.51.100.5 quit m1 r1`},
		{"a connection used again", `
			06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)
			06:00:02 smtp[9]: 4C1A2B3D4F: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, conn_use=2, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
			`out 198.51.100.5 quit m2 r0`},
		{"the next message opens its own", `
			06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)
			06:00:02 smtp[9]: 4C1A2B3D4F: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
			`out 198.51.100.5 quit m1 r0
			out 198.51.100.5 quit m1 r0`},
		{"the greeting refused", `06:00:01 ` + to + `dsn=4.7.1, status=deferred (host mx.example.net[198.51.100.5] refused to talk to me: 554 5.7.1 no)`,
			`out 198.51.100.5 refused/CONNECT m0 r1`},
		{"421 at the greeting", `06:00:01 ` + to + `dsn=4.3.2, status=deferred (host mx.example.net[198.51.100.5] refused to talk to me: 421 4.3.2 busy)`,
			`out 198.51.100.5 refused/CONNECT m0 r1`},
		{"421 later", `06:00:01 ` + to + `dsn=4.7.0, status=deferred (host mx.example.net[198.51.100.5] said: 421 4.7.0 slow down` + said,
			`out 198.51.100.5 server_closed/RCPT m0 r1`},
		{"no connection", `
			06:00:01 smtp[9]: connect to mx.example.net[198.51.100.5]:25: Connection refused
			06:00:31 smtp[9]: connect to mx2.example.net[198.51.100.6]:25: Connection timed out
			06:00:31 ` + q + `to=<b@example.net>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx2.example.net[198.51.100.6]:25: Connection timed out)`,
			`out 198.51.100.5 refused/CONNECT m0 r0
			out 198.51.100.6 timed_out/CONNECT m0 r0`},
		{"lost", `06:00:01 ` + to + `dsn=4.4.2, status=deferred (lost connection with mx.example.net[198.51.100.5] while sending end of data -- message may be sent more than once)`,
			`out 198.51.100.5 lost/DOT m0 r0`},
		{"timed out", `06:00:01 ` + to + `dsn=4.4.2, status=deferred (conversation with mx.example.net[198.51.100.5] timed out while sending RCPT TO)`,
			`out 198.51.100.5 timed_out/RCPT m0 r0`},
		{"no TLS to be had", `06:00:01 ` + to + `dsn=4.7.4, status=deferred (TLS is required, but was not offered by host mx.example.net[198.51.100.5])`,
			`out 198.51.100.5 aborted/STARTTLS m0 r0`},
		{"too large to be sent", `06:00:01 ` + to + `dsn=5.3.4, status=bounced (message size 60205 exceeds size limit 20000 of server mx.example.net[198.51.100.5])`,
			`out 198.51.100.5 quit m0 r0`},
		{"an untrusted certificate ends nothing", `
			06:00:01 smtp[9]: certificate verification failed for mx.example.net[198.51.100.5]:25: self-signed certificate
			06:00:01 smtp[9]: Untrusted TLS connection established to mx.example.net[198.51.100.5]:25: TLSv1.2 with cipher ECDHE-RSA-AES256-GCM-SHA384 (256/256 bits)
			06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
			`out 198.51.100.5 quit m1 r0`},
		{"TLS fails, and a second connection does without", `
			06:00:01 smtp[9]: SSL_connect error to mx.example.net[198.51.100.5]:25: -1
			06:00:01 smtp[9]: 4C1A2B3D4E: Cannot start TLS: handshake failure
			06:00:01 ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)`,
			`out 198.51.100.5 aborted/STARTTLS m0 r0
			out 198.51.100.5 quit m1 r0`},
		{"two hosts, then the verdict of the second", `
			06:00:01 ` + q + `host mx.example.net[198.51.100.5] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)
			06:00:02 ` + q + `to=<b@example.net>, relay=mx2.example.net[198.51.100.6]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host mx2.example.net[198.51.100.6] said: 450 4.2.0 Greylisted` + said,
			`out 198.51.100.5 quit m0 r1
			out 198.51.100.6 quit m0 r1`},
		{"back at the greeting is another connection", `
			06:00:01 ` + q + `host mx.example.net[198.51.100.5] said: 450 4.2.0 Greylisted (in reply to RCPT TO command)
			06:00:02 ` + q + `host mx.example.net[198.51.100.5] refused to talk to me: 421 4.3.2 Too busy`,
			`out 198.51.100.5 quit m0 r1
			out 198.51.100.5 refused/CONNECT m0 r1`},
		{"a break after 421 follows from it", `
			06:00:01 ` + q + `host mx.example.net[198.51.100.5] said: 421 4.7.0 slow down (in reply to MAIL FROM command)
			06:00:01 ` + q + `lost connection with mx.example.net[198.51.100.5] while sending RCPT TO`,
			`out 198.51.100.5 server_closed/MAIL m0 r1`},
		{"421 twice is twice", `
			06:00:01 ` + q + `host mx.example.net[198.51.100.5] said: 421 4.7.0 slow down (in reply to MAIL FROM command)
			06:00:02 ` + q + `host mx.example.net[198.51.100.5] said: 421 4.7.0 slow down (in reply to MAIL FROM command)`,
			`out 198.51.100.5 server_closed/MAIL m0 r1
			out 198.51.100.5 server_closed/MAIL m0 r1`},
		{"no connection twice is twice", `
			06:00:01 smtp[9]: connect to mx.example.net[198.51.100.5]:25: Connection refused
			06:00:02 smtp[9]: connect to mx.example.net[198.51.100.5]:25: Connection refused`,
			`out 198.51.100.5 refused/CONNECT m0 r0
			out 198.51.100.5 refused/CONNECT m0 r0`},
		{"a later attempt of the same process is another session", `
			06:00:01 ` + to + `dsn=4.2.0, status=deferred (host mx.example.net[198.51.100.5] said: 450 4.2.0 Greylisted` + said + `
			06:10:01 ` + to + `dsn=4.2.0, status=deferred (host mx.example.net[198.51.100.5] said: 450 4.2.0 Greylisted` + said,
			`out 198.51.100.5 quit m0 r1
			out 198.51.100.5 quit m0 r1`},
		{"no host was spoken to", `
			06:00:01 error[9]: 4C1A2B3D4E: to=<b@example.net>, relay=none, delay=9, delays=9/0.01/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.net[198.51.100.5]:25: Connection refused)
			06:00:02 local[9]: 4C1A2B3D4E: to=<b@example.com>, relay=local, delay=0.1, delays=0.09/0/0/0.01, dsn=2.0.0, status=sent (delivered to mailbox)`, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, Options{Exchanges: true}, postfix(tt.log))
			check(t, got, tt.want)
		})
	}
}

func TestEximServerSessions(t *testing.T) {
	const h = "H=client.example.org (x) [192.0.2.1]"
	const refused = " F=<a@example.org> rejected RCPT <b@example.com>: relay not permitted"
	for _, tt := range []struct{ name, log, want string }{
		{"a message a session, where no connection is logged", `
			06:00:01 1avnJx-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:02 1avnJy-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700`,
			`in 192.0.2.1 not_logged m1 r0
			in 192.0.2.1 not_logged m1 r0`},
		{"refusals close together are of one session", `
			06:00:01 ` + h + refused + `
			06:00:02 ` + h + refused,
			`in 192.0.2.1 not_logged m0 r2`},
		{"refusals far apart are not", `
			06:00:01 ` + h + refused + `
			07:00:02 ` + h + refused,
			`in 192.0.2.1 not_logged m0 r1
			in 192.0.2.1 not_logged m0 r1`},
		{"ports keep them apart", `
			06:00:01 H=(x) [192.0.2.1]:1001` + refused + `
			06:00:02 H=(x) [192.0.2.1]:1002` + refused,
			`in 192.0.2.1 not_logged m0 r1
			in 192.0.2.1 not_logged m0 r1`},
		{"each refusal at the greeting is a session", `
			06:00:01 ` + h + refused + `
			06:00:02 refused connection from [192.0.2.1] (host_reject_connection)
			06:00:03 refused connection from [192.0.2.1] (host_reject_connection)
			06:00:04 ` + h + refused,
			`in 192.0.2.1 not_logged m0 r1
			in 192.0.2.1 refused m0 r1
			in 192.0.2.1 refused m0 r1
			in 192.0.2.1 not_logged m0 r1`},
		{"lost, timed out and dropped", `
			06:00:01 unexpected disconnection while reading SMTP command from (x) [192.0.2.1]
			06:00:02 SMTP command timeout on connection from (x) [192.0.2.1]
			06:00:03 SMTP call from (x) [192.0.2.1] dropped: too many nonmail commands (last was "RSET")`,
			`in 192.0.2.1 lost m0 r0
			in 192.0.2.1 timed_out m0 r0
			in 192.0.2.1 server_closed m0 r0`},
		{"a message, and then lost", `
			06:00:01 1avnJx-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:02 unexpected disconnection while reading SMTP command from client.example.org (x) [192.0.2.1]`,
			`in 192.0.2.1 lost m1 r0`},
		{"a message, and a handshake that failed", `
			06:00:01 1avnJx-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:02 TLS error on connection from client.example.org (x) [192.0.2.1] (SSL_accept): error:0A00010B:wrong version number`,
			`in 192.0.2.1 not_logged m1 r0
			in 192.0.2.1 aborted/STARTTLS m0 r0`},
		{"TLS that failed is all there is of it", `
			06:00:01 TLS error on connection from client.example.org (x) [192.0.2.1] (SSL_accept): error:0A00010B:wrong version number`,
			`in 192.0.2.1 aborted/STARTTLS m0 r0`},
		{"with connections logged", `
			06:00:01 SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)
			06:00:02 1avnJx-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:03 1avnJy-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:04 SMTP connection from client.example.org (x) [192.0.2.1] closed by QUIT`,
			`in 192.0.2.1 quit m2 r0`},
		{"connections of one client, stacked", `
			06:00:01 SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)
			06:00:02 SMTP connection from [192.0.2.1] (TCP/IP connection count = 2)
			06:00:03 SMTP connection from (x) [192.0.2.1] closed by QUIT
			06:00:04 SMTP connection from (x) [192.0.2.1] lost`,
			`in 192.0.2.1 quit m0 r0
			in 192.0.2.1 lost m0 r0`},
		{"dropped by the connect ACL, with connections logged", `
			06:00:01 SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)
			06:00:01 H=[192.0.2.1] rejected connection in "connect" ACL: 550 client disliked
			06:00:01 SMTP connection from [192.0.2.1] closed by DROP in ACL`,
			`in 192.0.2.1 refused m0 r1`},
		{"Ci= ties them", `
			06:00:01 SMTP connection from [192.0.2.1]:1001 I=[198.51.100.25]:25 Ci=11 (TCP/IP connection count = 1)
			06:00:02 SMTP connection from [192.0.2.1]:1002 I=[198.51.100.25]:25 Ci=12 (TCP/IP connection count = 2)
			06:00:03 SMTP connection Ci=11 from (x) [192.0.2.1]:1001 I=[198.51.100.25]:25 D=2s closed by QUIT`,
			`in 192.0.2.1 quit m0 r0
			in 192.0.2.1 open m0 r0`},
		{"the daemon logs the connection, a child the rest", `
			06:00:01 [10] SMTP connection from [192.0.2.1] (TCP/IP connection count = 1)
			06:00:01 [10] SMTP connection from [192.0.2.1] (TCP/IP connection count = 2)
			06:00:02 [11] ` + h + refused + `
			06:00:03 [12] 1avnJx-00039F-Hs <= a@example.org ` + h + ` P=esmtp S=700
			06:00:04 [12] SMTP connection from client.example.org (x) [192.0.2.1] closed by QUIT
			06:00:05 [11] SMTP connection from client.example.org (x) [192.0.2.1] lost`,
			`in 192.0.2.1 quit m1 r0
			in 192.0.2.1 lost m0 r1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, Options{Exchanges: true}, exim(tt.log))
			check(t, got, tt.want)
		})
	}
}

func TestEximClientSessions(t *testing.T) {
	const h = " R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5]"
	const q = "1avnJx-00039F-Hs "
	const after = ": SMTP error from remote mail server after "
	for _, tt := range []struct{ name, log, want string }{
		{"two recipients", `
			06:00:01 ` + q + `=> b@example.net` + h + ` C="250 OK"
			06:00:01 ` + q + `-> c@example.net` + h + ` C="250 OK"`,
			`out 203.0.113.5 quit m2 r0`},
		{"processes of the same number are told apart by the message", `
			06:00:01 ` + q + `=> b@example.net` + h + ` C="250 OK"
			06:00:01 1avnJy-00039F-Hs => b@example.net` + h + ` C="250 OK"`,
			`out 203.0.113.5 quit m1 r0
			out 203.0.113.5 quit m1 r0`},
		{"refused by a reply", `06:00:01 ` + q + `** b@example.net` + h + after + `RCPT TO:<b@example.net>: 550 5.1.1 no`,
			`out 203.0.113.5 quit m0 r1`},
		{"refused at the greeting", `06:00:01 ` + q + `** b@example.net` + h + after + `initial connection: 554 no`,
			`out 203.0.113.5 refused/CONNECT m0 r1`},
		{"refused below SMTP", `06:00:01 ` + q + `H=mx.example.net [203.0.113.5] Connection refused`,
			`out 203.0.113.5 refused/CONNECT m0 r0`},
		{"421", `06:00:01 ` + q + `== b@example.net R=dnslookup T=remote_smtp defer (-45) H=mx.example.net [203.0.113.5]` + after + `MAIL FROM:<a@example.com>: 421 slow`,
			`out 203.0.113.5 server_closed/MAIL m0 r1`},
		{"closed by the other side", `06:00:01 ` + q + `H=mx.example.net [203.0.113.5]: Remote host closed connection in response to EHLO mail.example.com`,
			`out 203.0.113.5 lost/EHLO m0 r0`},
		{"timed out", `06:00:01 ` + q + `== b@example.net R=dnslookup T=remote_smtp defer (110): Connection timed out H=mx.example.net [203.0.113.5]: SMTP timeout after end of data (512 bytes written)`,
			`out 203.0.113.5 timed_out/DOT m0 r0`},
		{"no SMTP at all", `06:00:01 ` + q + `H=mx.example.net [203.0.113.5]: Malformed SMTP reply (an empty line) in response to pipelined DATA`,
			`out 203.0.113.5 aborted/DATA m0 r0`},
		{"without TLS after it failed", `
			06:00:01 ` + q + `TLS session: (gnutls_handshake): A TLS fatal alert has been received.: delivering unencrypted to H=mx.example.net [203.0.113.5] (not in hosts_require_tls)
			06:00:02 ` + q + `=> b@example.net` + h + ` C="250 OK"`,
			`out 203.0.113.5 aborted/STARTTLS m0 r0
			out 203.0.113.5 quit m1 r0`},
		{"an untrusted certificate ends nothing", `
			06:00:01 ` + q + `[203.0.113.5] SSL verify error: depth=0 error=self signed certificate cert=/C=UK/CN=mx.example.net
			06:00:02 ` + q + `=> b@example.net` + h + ` C="250 OK"`,
			`out 203.0.113.5 quit m1 r0`},
		{"local deliveries are none", `
			06:00:02 ` + q + `=> bob <bob@mail.example.com> R=localuser T=local_delivery`, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, Options{Exchanges: true}, exim(tt.log))
			check(t, got, tt.want)
		})
	}
}
