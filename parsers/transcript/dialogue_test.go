package transcript

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// story writes the events of a transcript, one a line: the line, the session, the kind,
// the stage, and what is said.
func story(data string) string {
	var b strings.Builder
	Parse([]byte(data), func(ev *smtp.Event, line int) {
		said := ev.Text
		if ev.Reply.Code != 0 {
			said = ev.Reply.Text
		}
		fmt.Fprintf(&b, "%d %s %v %v %q", line, ev.Session, ev.Kind, ev.Stage, said)
		if ev.To != nil {
			fmt.Fprintf(&b, " %s>%s", ev.From, ev.To)
		}
		if ev.Outcome != 0 {
			fmt.Fprintf(&b, " %v", ev.Outcome)
		}
		b.WriteByte('\n')
	})
	return b.String()
}

func TestDialogue(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"pipelining is answered in order, QUIT stands before the reply to the dot", `
  SMTP<< 220 mx.example.net
  SMTP|> MAIL FROM:<alice@example.org>
  SMTP|> RCPT TO:<bob@example.net>
  SMTP>> DATA
  SMTP<< 250 ok
  SMTP<< 550 no
  SMTP<< 354 go
  SMTP>> (writing message)
  SMTP>> .
  SMTP+> QUIT
  SMTP<< 250 taken
  SMTP<< 221 bye
`, `
2 1 answer CONNECT "220 mx.example.net"
3 1 command MAIL "MAIL FROM:<alice@example.org>"
4 1 command RCPT "RCPT TO:<bob@example.net>" alice@example.org>bob@example.net
5 1 command DATA "DATA"
6 1 answer MAIL "250 ok"
7 1 answer RCPT "550 no" alice@example.org>bob@example.net
8 1 answer DATA "354 go"
10 1 command DOT "."
11 1 command QUIT "QUIT"
12 1 answer DOT "250 taken" sent
13 1 answer QUIT "221 bye"
13 1 disconnect  ""
`},
		{"an unasked 421 answers nothing", `
<- 220 mx.example.net
-> EHLO a
<- 250 mx.example.net
<- 421 4.4.2 timeout
`, `
2 1 answer CONNECT "220 mx.example.net"
3 1 hello EHLO "EHLO a"
4 1 answer EHLO "250 mx.example.net"
5 1 answer UNKNOWN "421 4.4.2 timeout"
`},
		{"LMTP answers the dot once a recipient (RFC 2033)", `
S: 220 mx.example.net LMTP
C: LHLO a
S: 250 mx.example.net
C: RCPT TO:<a@example.net>
S: 250 ok
C: RCPT TO:<b@example.net>
S: 250 ok
C: DATA
S: 354 go
C: x
C: .
S: 250 a
S: 452 b
C: QUIT
S: 221 bye
`, `
2 1 answer CONNECT "220 mx.example.net LMTP"
3 1 hello EHLO "LHLO a"
4 1 answer EHLO "250 mx.example.net"
5 1 command RCPT "RCPT TO:<a@example.net>" >a@example.net
6 1 answer RCPT "250 ok" >a@example.net
7 1 command RCPT "RCPT TO:<b@example.net>" >b@example.net
8 1 answer RCPT "250 ok" >b@example.net
9 1 command DATA "DATA"
10 1 answer DATA "354 go"
12 1 command DOT "."
13 1 answer DOT "250 a" sent
14 1 answer DOT "452 b"
15 1 command QUIT "QUIT"
16 1 answer QUIT "221 bye"
16 1 disconnect  ""
`},
		{"a dot in a body that is not stuffed is no end", `
Net::SMTP=GLOB(0x1)<<< 220 mx.example.net
Net::SMTP=GLOB(0x1)>>> DATA
Net::SMTP=GLOB(0x1)<<< 354 go
Net::SMTP=GLOB(0x1)>>> .
Net::SMTP=GLOB(0x1)>>> QUIT
Net::SMTP=GLOB(0x1)>>> the rest
Net::SMTP=GLOB(0x1)>>> .
Net::SMTP=GLOB(0x1)<<< 250 taken
`, `
2 1 answer CONNECT "220 mx.example.net"
3 1 command DATA "DATA"
4 1 answer DATA "354 go"
8 1 command DOT "."
9 1 answer DOT "250 taken" sent
`},
		{"a connection that breaks names the command it broke at", `
=== Trying mx.example.net:25...
=== Connected to mx.example.net.
<-  220 mx.example.net
 -> EHLO a
*** Remote host closed connection unexpectedly.
=== Trying mx.example.net:25...
=== Connected to mx.example.net.
<** 554 no service for you
 -> QUIT
<** Timeout (6 secs) waiting for server response
`, `
2 1 connect  ""
4 1 answer CONNECT "220 mx.example.net"
5 1 hello EHLO "EHLO a"
6 1 lost EHLO ""
7 2 connect  ""
9 2 answer CONNECT "554 no service for you"
10 2 command QUIT "QUIT"
11 2 timeout QUIT ""
`},
		{"AUTH shows its mechanism and nothing else", `
<- 220 mx.example.net
-> AUTH PLAIN AGFsaWNlAG9wZW4tc2VzYW1l
<- 535 no
-> auth login YWxpY2U=
<- 334 UGFzc3dvcmQ6
-> b3Blbi1zZXNhbWU=
<- 535 5.7.8 no: b3Blbi1zZXNhbWU=
-> AUTH b3Blbi1zZXNhbWU=
<- 504 no
-> b3Blbi1zZXNhbWU=
<- 500 what is "b3Blbi1zZXNhbWU="
-> PASS open-sesame
<- 500 what
`, `
2 1 answer CONNECT "220 mx.example.net"
3 1 command AUTH "AUTH PLAIN ****"
4 1 answer AUTH "535 no"
5 1 command AUTH "auth login ****"
6 1 answer AUTH "334 UGFzc3dvcmQ6"
7 1 command AUTH "****"
8 1 answer AUTH "535 5.7.8 no: ****"
9 1 command AUTH "AUTH ****"
10 1 answer AUTH "504 no"
11 1 command UNKNOWN "****"
12 1 answer UNKNOWN "500 what is \"****\""
13 1 command UNKNOWN "PASS ****"
14 1 answer UNKNOWN "500 what"
`},
		{"recordio shows long lines in parts", `
29 > 220 mx.example.net and+
29 > 250 more 
29 < MAIL FROM:<alice@exam+
29 < ple.org> 
29 > 250 ok 
`, `
3 1 answer CONNECT "220 mx.example.net and250 more"
5 1 command MAIL "MAIL FROM:<alice@example.org>"
6 1 answer MAIL "250 ok"
`},
		{"what an exception quotes is not said again", `
DEBUG SMTP: trying to connect to host "mx.example.net", port 25, isSSL false
220 mx.example.net
RCPT TO:<bob@example.net>
550-5.1.1 no
550 5.1.1 such user
com.sun.mail.smtp.SMTPAddressFailedException: 550-5.1.1 no
550 5.1.1 such user
QUIT
221 bye
`, `
2 1 connect  ""
3 1 answer CONNECT "220 mx.example.net"
4 1 command RCPT "RCPT TO:<bob@example.net>" >bob@example.net
6 1 answer RCPT "550-5.1.1 no\n550 5.1.1 such user" >bob@example.net
9 1 command QUIT "QUIT"
10 1 answer QUIT "221 bye"
10 1 disconnect  ""
`},
	} {
		got := story(c.in)
		if got != c.want[1:] {
			t.Errorf("%s:\n got:\n%s want:%s", c.name, got, c.want)
		}
	}
}

func TestDirection(t *testing.T) {
	for name, want := range map[string]smtp.Direction{
		"swaks-auth": smtp.Outbound, "msmtp": smtp.Outbound, "exim-v": smtp.Outbound, "postfix-smtp-notice": smtp.Outbound, "exchange-send": smtp.Outbound,
		"arrows-reversed": smtp.Inbound, "mdaemon": smtp.Inbound, "exim-server": smtp.Inbound, "postfix-smtpd-notice": smtp.Inbound, "exchange-receive": smtp.Inbound,
		"recordio": smtp.Inbound, "haraka": smtp.Inbound, "postfix-smtpd-verbose": smtp.Inbound, "postfix-smtp-verbose": smtp.Outbound,
	} {
		Parse(read(t, name), func(ev *smtp.Event, line int) {
			if ev.Kind == smtp.KindAnswer && ev.Direction != want {
				t.Errorf("%s, line %d: %v, want %v", name, line, ev.Direction, want)
			}
		})
	}
}

func TestStamp(t *testing.T) {
	for _, line := range []string{"2026-11-22 04:08:24 x", "[2026-11-22 04:08:24] x", "2026/11/22 04:08:24 x", "2026-11-22T04:08:24Z x", "1795320504.000000 x",
		"x 22/Nov/2026:04:08:24 +0000", "Sun 2026-11-22 04:08:24: 03: x", `"2026-11-22 04:08:24.000"`} {
		s := stampOf([]byte(line))
		if want := smtp.MakeStamp(2026, 11, 22, 4, 8, 24, 0); s.Wall != want.Wall || s.Flags&smtp.HasYear == 0 {
			t.Errorf("stampOf(%q) = %+v, want wall %d", line, s, want.Wall)
		}
	}
	for line, offset := range map[string]int32{"2026-11-22T04:08:24.5+01:00 x": 3600, "2026-11-22 04:08:24 -0630 x": -23400} {
		if s := stampOf([]byte(line)); s.Flags&smtp.HasZone == 0 || s.Offset != offset {
			t.Errorf("stampOf(%q) = %+v, want an offset of %d", line, s, offset)
		}
	}
	if s := stampOf([]byte("Nov  2 04:08:24 mx")); s.Flags != smtp.HasTime || s.Wall != smtp.MakeStamp(0, 11, 2, 4, 8, 24, 0).Wall {
		t.Errorf("a stamp of syslog: %+v", s)
	}
	if s := stampOf([]byte("04:08:24 2026-13-45 99:99:99")); s.Flags != 0 {
		t.Errorf("no date: %+v", s)
	}
}

func TestPeer(t *testing.T) {
	for _, c := range []struct {
		in, name, ip string
		port         uint16
	}{
		{"mx.example.net [192.0.2.1]:25 ... connected", "mx.example.net", "192.0.2.1", 25},
		{"192.0.2.1:25...", "", "192.0.2.1", 25},
		{"mx.example.net (192.0.2.1) port 25 (#0)", "mx.example.net", "192.0.2.1", 25},
		{"('mx.example.net', 25) None", "mx.example.net", "", 25},
		{"mx.example.net/25...connected.", "mx.example.net", "", 25},
		{"[192.0.2.1] port 25 via relay...", "", "192.0.2.1", 25},
		{`"mx.example.net", port 587, isSSL false`, "mx.example.net", "", 587},
		{"[2001:db8::1]:25", "", "2001:db8::1", 25},
		{"smtp://mx.example.net:25/", "mx.example.net", "", 25},
		{"mx.example.net.", "mx.example.net", "", 0},
	} {
		p := peerOf([]byte(c.in))
		if string(p.Name) != c.name || string(p.IP) != c.ip || p.Port != c.port {
			t.Errorf("peerOf(%q) = %s %s %d", c.in, p.Name, p.IP, p.Port)
		}
	}
}

func TestDetect(t *testing.T) {
	for _, c := range cases {
		if c.sessions == 0 || c.want == "" || c.dialect == "unknown" {
			continue
		}
		if d, sure := Detect(read(t, c.name)); d != c.dialect || sure < 40 {
			t.Errorf("%s: %q with %d, want %q with 40 at least", c.name, d, sure, c.dialect)
		}
	}
	for _, text := range []string{
		"",
		"Dear Bob,\n\n250 grams of flour\n500 ml of milk\n\nHelp yourself.\n",
		"Nov 22 03:49:41 mx postfix/smtp[77]: 28CAC9BC06C: to=<a@example.net>, relay=mx.example.net[192.0.2.1]:25, dsn=5.1.1, status=bounced (host mx.example.net[192.0.2.1] said: 550 5.1.1 no (in reply to RCPT TO command))\n",
		"2026-11-22 03:39:05 1xUyPx-0002gy-2n ** bob@example.net R=dnslookup T=smtp: SMTP error from remote mail server after RCPT TO:<bob@example.net>: 550 no\n",
		"if n >= 200 && n < 400 {\n\treturn n > 300\n}\n",
		"220 Example FTP server\nUSER a\n331 Password\n",
	} {
		if d, sure := Detect([]byte(text)); sure >= 30 {
			t.Errorf("%q is taken for %s with %d", text, d, sure)
		}
	}
}

// FuzzParse holds what is true of any bytes: no panic, every line counted once, line
// numbers within the file.
func FuzzParse(f *testing.F) {
	for _, c := range cases {
		f.Add(read(f, c.name))
	}
	f.Add([]byte("\"SMTPD\"\t\n\"SMTP\t5\t4\tx\ty\t\"SENT: 220 x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		last := 0
		info := Parse(data, func(ev *smtp.Event, line int) {
			last = max(last, line)
			if line < 1 || len(ev.Session) == 0 {
				t.Errorf("%v at line %d of session %q", ev.Kind, line, ev.Session)
			}
		})
		if info.Understood+info.Foreign+info.Unknown != info.Lines || last > info.Lines {
			t.Errorf("%+v, last event at line %d", info, last)
		}
		Detect(data)
	})
}

// FuzzSecret sends any secret where AUTH sends it, in several dialects, and looks for it
// in every field.
func FuzzSecret(f *testing.F) {
	f.Add([]byte("open-sesame"), uint8(0))
	f.Add([]byte("\x00alice\x00open-sesame"), uint8(1))
	marks := [][2]string{{"<- ", "-> "}, {"", ""}, {"SERVER -> CLIENT: ", "CLIENT -> SERVER: "}, {"S: ", "C: "}, {"29 > ", "29 < "}, {"rx| ", "tx| "}}
	f.Fuzz(func(t *testing.T, secret []byte, n uint8) {
		if len(secret) < 6 {
			return
		}
		enc := base64.StdEncoding.EncodeToString(secret)
		m := marks[int(n)%len(marks)]
		var b strings.Builder
		for _, l := range []string{"<220 mx.example.net", ">EHLO a", "<250-mx.example.net", "<250 AUTH PLAIN LOGIN", ">AUTH PLAIN " + enc, "<535 no " + enc,
			">AUTH PLAIN", "<334 ", ">" + enc, "<535 no", ">AUTH LOGIN", "<334 VXNlcm5hbWU6", ">" + enc, "<334 UGFzc3dvcmQ6", ">" + enc, "<235 yes", ">QUIT", "<221 bye"} {
			if l[0] == '<' {
				b.WriteString(m[0])
			} else {
				b.WriteString(m[1])
			}
			b.WriteString(l[1:])
			if m[0] == "29 > " {
				b.WriteString(" ") // recordio's mark of a line's end; a plus would go on
			}
			b.WriteString("\n")
		}
		answers := 0
		Parse([]byte(b.String()), func(ev *smtp.Event, line int) {
			if ev.Reply.Code != 0 {
				answers++
			}
			for _, field := range [][]byte{ev.Text, ev.Reply.Text, ev.Helo, ev.From, ev.To, ev.AuthMethod, ev.User} {
				if bytes.Contains(field, []byte(enc)) {
					t.Errorf("line %d of\n%s\nshows the secret: %q", line, b.String(), field)
				}
			}
		})
		if answers != 9 {
			t.Errorf("%d answers of 9 in\n%s", answers, b.String())
		}
	})
}
