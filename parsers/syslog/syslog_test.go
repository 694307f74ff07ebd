package syslog

import (
	"bytes"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// show writes an event's head the way the tables expect it: stamp | host | service |
// process | pid.
func show(ev *smtp.Event) string {
	var b strings.Builder
	if s := ev.Stamp; s.Flags&smtp.HasTime != 0 {
		layout := "01-02T15:04:05.999999999"
		if s.Flags&smtp.HasYear != 0 {
			layout = "2006-" + layout
		}
		b.WriteString(time.Unix(0, s.Wall).UTC().Format(layout))
		if s.Flags&smtp.HasZone != 0 {
			b.WriteString(time.Unix(0, 0).In(time.FixedZone("", int(s.Offset))).Format("-07:00"))
		}
	}
	for _, f := range [][]byte{ev.Host, ev.Service, ev.Process} {
		b.WriteByte('|')
		if f == nil {
			b.WriteByte('-')
		}
		b.Write(f)
	}
	return b.String() + "|" + strconv.Itoa(int(ev.PID))
}

func TestParse(t *testing.T) {
	const bsd = "03-11T00:00:38|mx1|postfix|smtpd|3067"
	const full = "2026-03-11T00:00:38+01:00|mx1|postfix|smtpd|3067"
	for _, tt := range []struct{ line, head, msg string }{
		{"Mar 11 00:00:38 mx1 postfix/smtpd[3067]: connect from a", bsd, "connect from a"},
		{"Mar 11 00:00:38 mx1 postfix/smtpd[3067]: connect from a\r", bsd, "connect from a"},
		{"Mar 11 00:00:38 mx1 postfix/smtpd[3067] A1B2C3: client=a", bsd, "A1B2C3: client=a"},
		{"Mar 11 00:00:38 mx1 postfix/smtpd[3067]", bsd, ""},
		{"Mar 11 00:00:38 mx1 postfix/smtpd[30", "03-11T00:00:38|mx1|postfix|smtpd|30", ""},
		{"\x00\x00\x00Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"\xef\xbb\xbf  Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"ar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"Mar  1 00:00:38 mx1 postfix/qmgr[1]: x", "03-01T00:00:38|mx1|postfix|qmgr|1", "x"},
		{"Mar 1 00:00:38 mx1 postfix/qmgr[1]: x", "03-01T00:00:38|mx1|postfix|qmgr|1", "x"},
		{"Mar 01 00:00:38 mx1 postfix/qmgr[1]: x", "03-01T00:00:38|mx1|postfix|qmgr|1", "x"},
		{"Oct  30 19:24:16 h exim[7706]: 2015-10-30 19:24:16 [7706] x", "10-30T19:24:16|h|-|exim|7706", "2015-10-30 19:24:16 [7706] x"},
		{"Mar 11 2026 00:00:38 mx1 postfix/qmgr[1]: x", "2026-03-11T00:00:38|mx1|postfix|qmgr|1", "x"},
		{"Mar 11 00:00:38.250 mx1 postfix/qmgr[1]: x", "03-11T00:00:38.25|mx1|postfix|qmgr|1", "x"},
		{"Feb 29 00:00:38 mx1 postfix/qmgr[1]: x", "02-29T00:00:38|mx1|postfix|qmgr|1", "x"},
		{"2026-03-11T00:00:38+01:00 mx1 postfix/smtpd[3067]: x", full, "x"},
		{"2026-03-11T00:00:38+0100 mx1 postfix/smtpd[3067]: x", full, "x"},
		{"26-03-11T00:00:38+01:00 mx1 postfix/smtpd[3067]: x", "|mx1|postfix|smtpd|3067", "x"},
		{"026-03-11T00:00:38+01:00 mx1 postfix/smtpd[3067]: x", full, "x"},
		{"2026-03-11T00:00:38.123456789Z mx1 postfix/smtpd[3067]: x", "2026-03-11T00:00:38.123456789+00:00|mx1|postfix|smtpd|3067", "x"},
		{"2026-03-11T00:00:38.123-09:30 mx1 postfix/smtpd[3067]: x", "2026-03-11T00:00:38.123-09:30|mx1|postfix|smtpd|3067", "x"},
		{"2026 Mar 11 00:00:38.123 mx1 postfix/smtp[1]: x", "2026-03-11T00:00:38.123|mx1|postfix|smtp|1", "x"},
		{"2026-03-11 00:00:38 mx1 postfix/smtp[1]: x", "2026-03-11T00:00:38|mx1|postfix|smtp|1", "x"},
		{"2026-03-11 00:00:38.5 mx1 exim[1]: x", "2026-03-11T00:00:38.5|mx1|-|exim|1", "x"},
		{"2026-03-11 00:00:38 info exim[8003]: [8003] x", "2026-03-11T00:00:38|info|-|exim|8003", "[8003] x"},
		{"2026-03-11 00:00:38 1w0Abc-0004A7-TL DKIM: d=example.com", "|-|-|-|0", "2026-03-11 00:00:38 1w0Abc-0004A7-TL DKIM: d=example.com"},
		{"2026-03-11 00:00:38 +0100 [16006] 1w0Abc-0004A7-TL Completed", "|-|-|-|0", "2026-03-11 00:00:38 +0100 [16006] 1w0Abc-0004A7-TL Completed"},
		{"Sun 2026-03-11 00:00:38 UTC mx1 postfix/smtp[1]: x", "2026-03-11T00:00:38+00:00|mx1|postfix|smtp|1", "x"},
		{"Sun 2026-03-11 00:00:38 CEST mx1 postfix/smtp[1]: x", "2026-03-11T00:00:38|mx1|postfix|smtp|1", "x"},
		{"1773187238.5 mx1 postfix/smtp[1]: x", "2026-03-11T00:00:38.5+00:00|mx1|postfix|smtp|1", "x"},
		{"<22>Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"<22>Mar 11 00:00:38 postfix/cleanup[10]: x", "03-11T00:00:38|-|postfix|cleanup|10", "x"},
		{"<22>postfix/cleanup[10]: x", "|-|postfix|cleanup|10", "x"},
		{"<22>1 2026-03-11T00:00:38+01:00 mx1 postfix 2454 - -  daemon started", "2026-03-11T00:00:38+01:00|mx1|postfix|-|2454", "daemon started"},
		{"<22>1 2026-03-11T00:00:38+01:00 mx1 postfix/smtpd 3067 - - \xef\xbb\xbfx", full, "x"},
		{`<22>1 2026-03-11T00:00:38+01:00 mx1 postfix/smtpd 3067 ID1 [a@1 k="v\"]"][b@2] x y`, full, "x y"},
		{"<22>1 - - - - - -", "|-|-|-|0", ""},
		{"Mar 11 00:00:38 mx1 postfix/smtpd[3067]: [ID 197553 mail.info] connect", bsd, "connect"},
		{"Mar 11 00:00:38 mx1 dovecot: [ID 583609 mail.error] master: x", "03-11T00:00:38|mx1|-|dovecot|0", "master: x"},
		{"Mar 11 00:00:38 [postfix/smtpd] connect from a", "03-11T00:00:38|-|postfix|smtpd|0", "connect from a"},
		{"2026-03-11T00:00:39.000Z Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", "2026-03-11T00:00:39+00:00|mx1|postfix|smtpd|3067", "x"},
		{"Mar 11 00:00:39 2026-03-11T00:00:38+01:00 mx1 postfix/smtpd[3067]: x", full, "x"},
		{"Mar 11 00:00:38 relay wietse[100]: postfix/smtpd[3067]: x", "03-11T00:00:38|relay|postfix|smtpd|3067", "x"},
		{"Mar 11 00:00:39 relay syslog[100]: Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"Mar 11 00:00:38 192.0.2.1 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"Mar 11 00:00:38 mx1 mail:info postfix/smtpd[3067]: x", bsd, "x"},
		{"Mar 11 00:00:38 <mail.info> mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"mx1 postfix/smtpd[3067]: x", "|mx1|postfix|smtpd|3067", "x"},
		{"postfix/postlog: starting", "|-|postfix|postlog|0", "starting"},
		{"XYZ 32 25:99:99 mx1 postfix/smtpd[3067]: x", "|mx1|postfix|smtpd|3067", "x"},
		{"Mar 11 00:00:38 mx1 /postfix-script[1]: x", "03-11T00:00:38|mx1||postfix-script|1", "x"},
		{"Mar 11 00:00:38 mx1 postfix/postfix-script: fatal: x", "03-11T00:00:38|mx1|postfix|postfix-script|0", "fatal: x"},
		{"Mar 11 00:00:38 mx1 postfix-out/submission/smtpd[123]: x", "03-11T00:00:38|mx1|postfix-out/submission|smtpd|123", "x"},
		{"Mar 11 00:00:38 mx1 postfix-192.0.2.1/smtp[123]: x", "03-11T00:00:38|mx1|postfix-192.0.2.1|smtp|123", "x"},
		{"Mar 11 00:00:38 2001:db8::1 postfix/smtp[1]: x", "03-11T00:00:38|2001:db8::1|postfix|smtp|1", "x"},
		{"Mar 11 00:00:38 (none) postfix/smtp[1]: x", "03-11T00:00:38|(none)|postfix|smtp|1", "x"},
		{"Mar 11 00:00:38 <i-node> postfix/smtp[1]: x", "03-11T00:00:38|<i-node>|postfix|smtp|1", "x"},
		{"Mar 11 00:00:38 123-mail postfix/smtp[1]: x", "03-11T00:00:38|123-mail|postfix|smtp|1", "x"},
		{"Mar 11 00:00:38 mx1 last message repeated 3 times", "03-11T00:00:38|mx1|-|-|0", "last message repeated 3 times"},
		{"mail-1  | Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x", bsd, "x"},
		{"2026-03-11T00:00:38+01:00 stdout F postfix/smtpd[3067]: x", "2026-03-11T00:00:38+01:00|-|postfix|smtpd|3067", "x"},
		{"2026-03-11T00:00:38+01:00 stderr F Mar 11 00:00:37 mx1 postfix/smtpd[3067]: x", full, "x"},
		{"connect from host.example.com[192.0.2.1]", "|-|-|-|0", "connect from host.example.com[192.0.2.1]"},
		{"A1B2C3D4: to=<a@example.com>, relay=none", "|-|-|-|0", "A1B2C3D4: to=<a@example.com>, relay=none"},
		{"", "|-|-|-|0", ""},
		{")", "|-|-|-|0", ")"},
		{`{"log":"Mar 11 00:00:38 mx1 postfix/smtpd[3067]: x\n","stream":"stdout","time":"2026-03-11T00:00:39Z"}`, "2026-03-11T00:00:39+00:00|mx1|postfix|smtpd|3067", "x"},
		{`{"log-source":"filebeat","x":{"message":"no"},"n":[1,{"a":"]"}],"message":"Mar 11 00:00:38 mx1 postfix/smtpd[3067]: a \"b\" \u00e9\ud83d\ude00"}`, bsd, `a "b" é😀`},
		{`{"SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"3067","__REALTIME_TIMESTAMP":"1773187238500000","_HOSTNAME":"mx1","MESSAGE":"NOQUEUE: x"}`, "2026-03-11T00:00:38.5+00:00|mx1|postfix|smtpd|3067", "NOQUEUE: x"},
		{`{"SYSLOG_IDENTIFIER":"postfix/smtpd","MESSAGE":[104,101, 233]}`, "|-|postfix|smtpd|0", "he\xe9"},
		{`{"host":"mx1","ident":"postfix/qmgr","pid":"7","message":"x"}`, "|mx1|postfix|qmgr|7", "x"},
		{`{"MESSAGE":null}`, "|-|-|-|0", `{"MESSAGE":null}`},
		{`{"message":"postfix/qmgr[7]: cut sho`, "|-|postfix|qmgr|7", "cut sho"},
	} {
		var ev smtp.Event
		ev.Reset()
		msg := Parse([]byte(tt.line), &ev)
		if got := show(&ev); got != tt.head {
			t.Errorf("%s\n got %s\nwant %s", tt.line, got, tt.head)
		}
		if string(msg) != tt.msg {
			t.Errorf("%s\n got message %q\nwant %q", tt.line, msg, tt.msg)
		}
	}
}

func TestRepeat(t *testing.T) {
	for _, tt := range []struct {
		msg, want string
		count     int
	}{
		{"message repeated 5 times: [ warning: a[b]: x]", "warning: a[b]: x", 5},
		{"message repeated 1 times: [ x]", "x", 1},
		{"message repeated 2 times: [ cut", "cut", 2},
		{"message repeated often", "message repeated often", 1},
		{"message repeated 99999999999 times: [ x]", "message repeated 99999999999 times: [ x]", 1},
	} {
		var ev smtp.Event
		ev.Reset()
		msg := Parse([]byte("Mar 11 00:00:38 mx1 postfix/smtpd[1]: "+tt.msg), &ev)
		if string(msg) != tt.want || ev.Count() != tt.count {
			t.Errorf("%s: got %q, %d times; want %q, %d times", tt.msg, msg, ev.Count(), tt.want, tt.count)
		}
	}
}

var usual = [][]byte{
	[]byte("Mar 11 00:00:38 mx1 postfix/smtpd[3067]: connect from out127.sender.example[203.0.113.127]"),
	[]byte("2026-03-11T00:00:38.123456+01:00 mx1 postfix/smtpd[3067]: connect from out127.sender.example[203.0.113.127]"),
	[]byte(`{"SYSLOG_IDENTIFIER":"postfix/smtpd","SYSLOG_PID":"3067","__REALTIME_TIMESTAMP":"1773187238500000","_HOSTNAME":"mx1","MESSAGE":"NOQUEUE: \"x\""}`),
}

func TestNoAllocation(t *testing.T) {
	var ev smtp.Event
	for _, line := range usual {
		if n := testing.AllocsPerRun(100, func() { ev.Reset(); Parse(line, &ev) }); n != 0 {
			t.Errorf("%s: %v allocations", line, n)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range usual {
		f.Add(line)
	}
	for _, s := range []string{
		"<22>1 2026-03-11T00:00:38+01:00 mx1 postfix 2454 - [a b=\"c\\]", "Mar 14 01:00:58 [postfix/smtpd] x",
		"a | b | {\"log\":\"{\\\"message\\\":\\\"x", "2026-03-11T00:00:38Z stdout F Mar  1", "\xef\xbb\xbf\xef\xbb\xbf{\"MESSAGE\":[1,2",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var ev smtp.Event
		ev.Reset()
		before := bytes.Clone(line)
		msg := Parse(line, &ev)
		if len(msg) > len(line) {
			t.Errorf("the message %q is longer than its line", msg)
		}
		if !bytes.Equal(before, line) {
			t.Error("the line was changed")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for i, name := range []string{"bsd", "rfc3339", "journal"} {
		b.Run(name, func(b *testing.B) {
			var ev smtp.Event
			b.SetBytes(int64(len(usual[i])))
			for b.Loop() {
				ev.Head = smtp.Head{}
				if i == 2 {
					ev.Reset()
				}
				Parse(usual[i], &ev)
			}
		})
	}
}

// What plain reads it reads as bsd does.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{"Mar 11 00:00:38 mx1 ", "Mar  1 23:59:60 x", "Mar 00 00:00:38 mx1", "Mar 31 24:00:00 mx1", "Mar 11 00;00:38 mx1", "Mar 11 0/:0::3? mx1", "Mar 11 2026 00:00:38"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, n := plain(b)
		if n == 0 {
			return
		}
		if want, m := bsd(b, 0); got != want || n != m {
			t.Errorf("%q: %v, %d; bsd says %v, %d", b, got, n, want, m)
		}
	})
}

// plain must not leave to bsd what it is there for.
func TestPlain(t *testing.T) {
	for _, line := range []string{"Jan  1 00:00:00 mx1", "Dec 31 23:59:60 mx1", "Sep 10 19:28:37 mx1"} {
		if _, n := plain([]byte(line)); n == 0 {
			t.Errorf("%q is left to bsd", line)
		}
	}
	for _, line := range []string{"Jan 01 00:00:0x mx1", "Jan 32 00:00:00 mx1", "Jan  0 00:00:00 mx1", "Jan 10 24:00:00 mx1", "Jan 10 23:60:00 mx1", "Jan 10 23:59:61 mx1", "Jan 10 23:59:59.5 mx1", "Jan 10 23.59:59 mx1"} {
		if _, n := plain([]byte(line)); n != 0 {
			t.Errorf("%q is read", line)
		}
	}
}

// FuzzCommon holds that the short way gives what the long one does.
func FuzzCommon(f *testing.F) {
	for _, s := range []string{
		"Mar 11 00:00:38 mx1 postfix/smtpd[2454]: connect", "Mar  1 23:59:60 mx1 postfix/submission/smtpd[1]: message repeated 2 times: [ x]",
		"Mar 11 00:00:38 stdout F postfix/smtpd[1]: x", "Mar 11 00:00:38 mx1 a//b[12345678901]: x", "Mar 11 00:00:38 mx1 /b[1]: [ID 7 mail.info] x\r",
		"Mar 11 00:00:38 mx1 a/b[1]:  x", "Mar 11 00:00:38 mx1: a/b[1]: x", "Mar 11 00:00:38 mx1 a/ [1]: x", "Mar 11 00:00:38 mx1 a/b\x00[1]: x",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var quick, slow smtp.Event
		msg, ok := common(line, &quick)
		if !ok {
			return
		}
		want := parse(trim(line), &slow, 0)
		if !bytes.Equal(msg, want) || !reflect.DeepEqual(quick, slow) {
			t.Errorf("%q: %q %+v, the long way %q %+v", line, msg, quick.Head, want, slow.Head)
		}
	})
}
