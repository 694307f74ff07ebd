package exim

import (
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestHead(t *testing.T) {
	const (
		zone   = smtp.HasTime | smtp.HasYear | smtp.HasZone
		noZone = smtp.HasTime | smtp.HasYear
		noYear = smtp.HasTime
	)
	for _, r := range []struct {
		line  string
		stamp string // as the line shows it, +0000 when it shows no zone
		flags smtp.StampFlags
		host  string
		pid   uint32
		queue string
	}{
		{`2026-03-02 09:44:33 [1235] 16ZCW1-0005MB-00 Completed`, "2026-03-02 09:44:33.000 +0000", noZone, "", 1235, "16ZCW1-0005MB-00"},
		{`2017-07-30 18:51:05.712 +0100 [16006] 10HmbQ-000000005vi-0000 Completed QT=2s`, "2017-07-30 18:51:05.712 +0100", zone, "", 16006, "10HmbQ-000000005vi-0000"},
		{`2020-05-26 16:01:40 -0230 10HmbQ-000000005vi-0000 Completed`, "2020-05-26 16:01:40.000 -0230", zone, "", 0, "10HmbQ-000000005vi-0000"},
		{`10HmaX-000000005vi-0000 Completed`, "", 0, "", 0, "10HmaX-000000005vi-0000"},
		{`[1250] 10HmaX-000000005vi-0000 Completed`, "", 0, "", 1250, "10HmaX-000000005vi-0000"},
		{`Mar  2 09:44:32 mx1 exim[12105]: 2026-03-02 09:44:33 [12106] 10HmaX-000000005vi-0000 Completed`, "2026-03-02 09:44:33.000 +0000", noZone, "mx1", 12106, "10HmaX-000000005vi-0000"},
		{`Mar  2 09:44:32 mx1 exim[12105]: 10HmaX-000000005vi-0000 Completed`, "1972-03-02 09:44:32.000 +0000", noYear, "mx1", 12105, "10HmaX-000000005vi-0000"},
		{`2026-03-02T09:44:32+01:00 mx1 exim[12105]: 2026-03-02 09:44:33 10HmaX-000000005vi-0000 Completed`, "2026-03-02 09:44:32.000 +0100", zone, "mx1", 12105, "10HmaX-000000005vi-0000"},
		{`2026-03-02 09:44:33 mx1.example.com exim4[29786]: 10HmaX-000000005vi-0000 Completed`, "2026-03-02 09:44:33.000 +0000", noZone, "mx1.example.com", 29786, "10HmaX-000000005vi-0000"},
		{`mx1.example.com exim[375]: 2026-03-02 09:44:33 End queue run: pid=1`, "2026-03-02 09:44:33.000 +0000", noZone, "mx1.example.com", 375, ""},
		{`Mar  2 09:44:33 mx1 exim[1]: [1\3] 2026-03-02 09:44:33 10HmaX-000000005vi-0000 Completed`, "2026-03-02 09:44:33.000 +0000", noZone, "mx1", 1, "10HmaX-000000005vi-0000"},
	} {
		var ev smtp.Event
		if ok := (Parser{}).Parse([]byte(r.line), &ev); !ok || ev.Format != smtp.FormatExim {
			t.Errorf("%s: not understood", r.line)
		}
		var stamp string
		if ev.Stamp.Flags != 0 {
			at := time.Unix(0, ev.Stamp.Wall).UTC()
			stamp = at.Format("2006-01-02 15:04:05.000 ") + time.Unix(0, 0).In(time.FixedZone("", int(ev.Stamp.Offset))).Format("-0700")
		}
		if stamp != r.stamp || ev.Stamp.Flags != r.flags {
			t.Errorf("%s: stamp %s flags %b, want %s %b", r.line, stamp, ev.Stamp.Flags, r.stamp, r.flags)
		}
		if string(ev.Host) != r.host || ev.PID != r.pid || string(ev.Queue) != r.queue {
			t.Errorf("%s: host %q pid %d queue %q", r.line, ev.Host, ev.PID, ev.Queue)
		}
	}
}

func TestWhatIsNoEntry(t *testing.T) {
	for _, r := range []struct {
		line string
		kind smtp.Kind
	}{
		{`Envelope-to: <550@example.com>`, smtp.KindNotice},
		{`P Received: from [192.0.2.1]`, smtp.KindNotice},
		{`    <c@example.com>`, smtp.KindNotice},
		{`  Subject: 550 5.1.1 no`, smtp.KindNotice},
		{"\tid 10HmaX-000000005vi-0000", smtp.KindNotice},
		{`* Bcc: x@example.com`, smtp.KindNotice},
		{`*** truncated ***`, smtp.KindNotice},
		{``, smtp.KindNotice},
		{`[10/18] rejected RCPT <a@example.com>: 550 no`, smtp.KindNotice},
		{`Mar  2 09:44:33 mx1 exim[1]: [2\3] P Received: from x`, smtp.KindNotice},
		{`Mar  2 09:44:33 mx1 exim[1]: P Received: from x`, smtp.KindNotice},
		{`Mar  2 09:44:33 mx1 dovecot: imap-login: Login`, smtp.KindForeign},
		{`2026-03-02 09:44:33 mx1.example.com dovecot[1]: imap-login: Login`, smtp.KindForeign},
		{`P is a letter and this no header`, smtp.KindUnknown},
	} {
		var ev smtp.Event
		ok := Parser{}.Parse([]byte(r.line), &ev)
		if ev.Kind != r.kind || ok != (r.kind != smtp.KindUnknown) || ev.Reply.Code != 0 {
			t.Errorf("%s: %s", r.line, show(&ev))
		}
		if foreign := ev.Format == smtp.FormatNone; foreign != (r.kind == smtp.KindForeign) {
			t.Errorf("%s: format %s", r.line, ev.Format)
		}
	}
}

func TestOwns(t *testing.T) {
	for name, want := range map[string]bool{
		"exim": true, "exim4": true, "exim-4.96-2": true, "exim_queue": true,
		"": false, "eximstats": false, "postfix": false, "dovecot": false,
	} {
		if got := Owns(&smtp.Head{Process: []byte(name)}); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

func TestErrnoName(t *testing.T) {
	for _, r := range []struct {
		n    int32
		text string
		want string
	}{
		{-1, "", "UNKNOWNERROR"},
		{-22, "mailbox is full", "EXIMQUOTA"},
		{-38, "", "TLSREQUIRED"},
		{-44, "", "RCPT4XX"},
		{-50, "", "HOST_IS_LOCAL"},
		{-51, "retry time not reached", "RRETRY"},
		{-52, "retry time not reached", "RRETRY"},
		{-52, "Retry time not yet reached", "LRETRY"},
		{-53, "retry time not reached for any host for 'example.net'", "HRETRY"},
		{-54, "retry time not reached for any host", "HRETRY"},
		{-56, "domain is in queue_domains", "QUEUE_DOMAIN"},
		{-58, "", ""},
		{-2147483648, "", ""},
		{110, "Connection timed out", "ETIMEDOUT"},
		{60, "Operation timed out", "ETIMEDOUT"},
		{146, "Connection refused", "ECONNREFUSED"},
		{0, "", ""},
	} {
		if got := ErrnoName(r.n, []byte(r.text)); got != r.want {
			t.Errorf("%d %q: %q, want %q", r.n, r.text, got, r.want)
		}
	}
}

// TestMessageIDBytes holds the words of messageID against a loop over the bytes.
func TestMessageIDBytes(t *testing.T) {
	alnum := func(b string) bool {
		for _, c := range []byte(b) {
			if !isDigit(c) && !isLetter(c) {
				return false
			}
		}
		return true
	}
	want := func(b string) int {
		for _, l := range []struct{ length, dash int }{{shortID, 13}, {longID, 18}} {
			if len(b) >= l.length && b[6] == '-' && b[l.dash] == '-' && alnum(b[:6]) && alnum(b[7:l.dash]) && alnum(b[l.dash+1:l.length]) &&
				(len(b) == l.length || b[l.length] == ' ') {
				return l.length
			}
		}
		return 0
	}
	for _, id := range []string{"16ZCW1-0005MB-00", "10HmaX-000000005vi-0000"} {
		for _, tail := range []string{"", " <= x", "-", "0"} {
			good := id + tail
			for at := range good {
				for c := range 256 {
					b := []byte(good)
					b[at] = byte(c)
					if got := messageID(b); got != want(string(b)) {
						t.Fatalf("messageID(%q) = %d, want %d", b, got, want(string(b)))
					}
				}
				if got := messageID([]byte(good[:at])); got != want(good[:at]) {
					t.Fatalf("messageID(%q) = %d", good[:at], got)
				}
			}
		}
	}
}
