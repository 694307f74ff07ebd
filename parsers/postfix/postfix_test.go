package postfix

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// show writes what an event says, the way the tables expect it: kind and direction,
// then each field that is there.
func show(ev *smtp.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s", ev.Kind, ev.Direction)
	word := func(name, v string) {
		if v != "" {
			fmt.Fprintf(&b, " %s=%s", name, v)
		}
	}
	field := func(name string, v []byte) {
		if v != nil {
			fmt.Fprintf(&b, " %s=%s", name, v)
		}
	}
	host := func(name string, p smtp.Peer) {
		if !p.IsZero() {
			fmt.Fprintf(&b, " %s=%s[%s]", name, p.Name, p.IP)
		}
		if p.Port != 0 {
			fmt.Fprintf(&b, ":%d", p.Port)
		}
	}
	word("stage", ev.Stage.String())
	word("outcome", ev.Outcome.String())
	if ev.Failed {
		b.WriteString(" failed")
	}
	if ev.Probe {
		b.WriteString(" probe")
	}
	if ev.Repeat > 0 {
		fmt.Fprintf(&b, " repeat=%d", ev.Repeat)
	}
	field("queue", ev.Queue)
	host("peer", ev.Peer)
	host("said-by", ev.ReplyHost)
	word("code", ev.Reply.Code.String())
	word("enhanced", ev.Reply.Enhanced.String())
	field("reply", ev.Reply.Text)
	word("dsn", ev.DSN.String())
	field("from", ev.From)
	field("to", ev.To)
	field("orig-to", ev.OrigTo)
	field("helo", ev.Helo)
	field("proto", ev.Protocol)
	field("id", ev.MessageID)
	field("queued-as", ev.QueuedAs)
	field("related", ev.Related)
	field("transport", ev.Transport)
	field("tls", ev.TLSVersion)
	field("cipher", ev.TLSCipher)
	field("auth", ev.AuthMethod)
	field("user", ev.User)
	field("commands", ev.Commands)
	if ev.Size != 0 || ev.Recipients != 0 {
		fmt.Fprintf(&b, " size=%d nrcpt=%d", ev.Size, ev.Recipients)
	}
	if ev.Delay != smtp.NoDelay {
		fmt.Fprintf(&b, " delay=%v", ev.Delay)
	}
	if ev.Delays[0] != smtp.NoDelay {
		fmt.Fprintf(&b, " delays=%v", ev.Delays)
	}
	return b.String()
}

// line puts a message of a daemon into a head.
func line(daemon, msg string) []byte {
	return []byte("Mar 11 08:00:01 mx1 postfix/" + daemon + "[3067]: " + msg)
}

func TestParse(t *testing.T) {
	for _, tt := range []struct{ daemon, msg, want string }{
		{"smtpd", "connect from unknown[2001:db8::10]:51234", "connect/inbound peer=[2001:db8::10]:51234"},
		{"smtpd", "connect from unknown[unknown]", "connect/inbound"},
		{"smtpd", "disconnect from a.example.com[192.0.2.1] ehlo=1 rcpt=0/1 commands=1/2", "disconnect/inbound peer=a.example.com[192.0.2.1] commands=ehlo=1 rcpt=0/1 commands=1/2"},
		{"smtpd", "4C1A2B3D4E: client=unknown[192.0.2.1]:unknown, sasl_method=PLAIN, sasl_username=a@example.com", "received/inbound queue=4C1A2B3D4E peer=[192.0.2.1] auth=PLAIN user=a@example.com"},
		{"smtpd", "4b8vDt2nzlz2FQl: client=f.example.com[192.0.2.1], orig_queue_id=4C1A2B3D4E, orig_client=a.example.com[192.0.2.2]", "received/inbound queue=4b8vDt2nzlz2FQl peer=f.example.com[192.0.2.1] related=4C1A2B3D4E"},
		{"smtpd", "NOQUEUE: lost connection after DATA (approximately 99 bytes) from a.example.com[192.0.2.1]", "lost/inbound stage=DATA failed peer=a.example.com[192.0.2.1]"},
		{"smtpd", "timeout after END-OF-MESSAGE from unknown[192.0.2.1]", "timeout/inbound stage=DOT failed peer=[192.0.2.1]"},
		{"smtpd", "too many errors after UNKNOWN from unknown[192.0.2.1]", "closed/inbound stage=UNKNOWN failed peer=[192.0.2.1]"},
		// The quoted command imitates the words that come before it.
		{"smtpd", "improper command pipelining after EHLO from unknown[192.0.2.1]: MAIL from x.example.com[192.0.2.9]", "warning/inbound stage=EHLO failed peer=[192.0.2.1]"},
		{"smtpd", "< unknown[192.0.2.1]: AUTH PLAIN c2VjcmV0", "command/inbound stage=AUTH peer=[192.0.2.1] auth=PLAIN"},
		{"smtpd", "< unknown[192.0.2.1]: c2VjcmV0", "command/inbound stage=UNKNOWN peer=[192.0.2.1]"},
		{"smtpd", "> unknown[192.0.2.1]: 334 VXNlcm5hbWU6", "answer/inbound peer=[192.0.2.1] code=334 reply=334 VXNlcm5hbWU6"},

		// A null reverse-path is shown, a missing one is not.
		{"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <b@example.com>: no; from=<> to=<b@example.com> proto=ESMTP helo=<[IPv6:2001:db8::1]>", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=550 enhanced=5.1.1 reply=550 5.1.1 <b@example.com>: no from= to=b@example.com helo=[IPv6:2001:db8::1] proto=ESMTP"},
		{"smtpd", "NOQUEUE: reject: VRFY from unknown[192.0.2.1]: 550 <b>: no; to=<b> proto=SMTP helo=<x>", "reject/inbound stage=VRFY outcome=rejected peer=[192.0.2.1] code=550 reply=550 <b>: no to=b helo=x proto=SMTP"},
		{"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org; see https://example.org/?a=b; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=554 enhanced=5.7.1 reply=554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example.org; see https://example.org/?a=b from=a@example.org to=b@example.com helo=x proto=ESMTP"},
		{"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=550 reply=550"},
		{"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <b@example.com>: Rela", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=554 enhanced=5.7.1 reply=554 5.7.1 <b@example.com>: Rela"},
		// The text imitates a tail; the one that Postfix wrote is the last.
		{"smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 <x; from=<z@example.org> to=<z@example.org> proto=SMTP helo=<z>: no; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=550 reply=550 <x; from=<z@example.org> to=<z@example.org> proto=SMTP helo=<z>: no from=a@example.org to=b@example.com helo=x proto=ESMTP"},
		{"smtpd", `NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <        >: no; from=<"a b> c"@example.org> to=<<1F4@b>> proto=ESMTP helo=<a b>`, `reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1] code=550 enhanced=5.1.1 reply=550 5.1.1 <        >: no from="a b> c"@example.org to=<1F4@b> helo=a b proto=ESMTP`},
		{"smtpd", "NOQUEUE: reject_warning: RCPT from unknown[192.0.2.1]: 450 4.7.1 no; from=<a> to=<b> proto=SMTP helo=<c>", "filter/inbound stage=RCPT peer=[192.0.2.1] code=450 enhanced=4.7.1 reply=450 4.7.1 no from=a to=b helo=c proto=SMTP"},
		{"smtpd", "NOQUEUE: warn: RCPT from unknown[192.0.2.1]: ; from=<a> to=<b> proto=SMTP helo=<c>", "filter/inbound stage=RCPT peer=[192.0.2.1] from=a to=b helo=c proto=SMTP"},
		{"smtpd", "NOQUEUE: discard: RCPT from unknown[192.0.2.1]: x; from=<a> to=<b> proto=SMTP helo=<c>", "filter/inbound stage=RCPT outcome=discarded peer=[192.0.2.1] from=a to=b helo=c proto=SMTP"},
		{"smtpd", "NOQUEUE: proxy-reject: END-OF-MESSAGE: 550 5.7.1 no; from=<a> to=<b> proto=SMTP helo=<c>", "reject/inbound stage=DOT outcome=rejected code=550 enhanced=5.7.1 reply=550 5.7.1 no from=a to=b helo=c proto=SMTP"},
		{"smtpd", "message repeated 3 times: [ warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6]", "auth/inbound stage=AUTH failed repeat=2 peer=[192.0.2.1] auth=LOGIN"},
		{"smtpd", "warning: unknown[192.0.2.1]:4711: SASL plain authentication failed: , sasl_username=a@example.com", "auth/inbound stage=AUTH failed peer=[192.0.2.1]:4711 auth=plain user=a@example.com"},
		{"smtpd", "warning: Illegal address syntax from unknown[192.0.2.1] in MAIL command: <a from b[192.0.2.9]>", "warning/inbound stage=MAIL failed peer=[192.0.2.1]"},
		{"smtpd", "warning: 4C1A2B3D4E: queue file size limit exceeded", "warning/inbound failed queue=4C1A2B3D4E"},
		{"smtpd", "Anonymous TLS connection established from a.example.com[192.0.2.1]: TLSv1.3 with cipher X (256/256 bits)", "tls/inbound stage=STARTTLS peer=a.example.com[192.0.2.1] tls=TLSv1.3 cipher=X"},

		{"cleanup", "4C1A2B3D4E: message-id=<a@b> (added)", "message/inbound queue=4C1A2B3D4E id=a@b"},
		// What the sender wrote imitates the client and the tail.
		{"cleanup", "4C1A2B3D4E: reject: header X: from z[192.0.2.9]; from=<z> to=<z> proto=SMTP helo=<z> from a.example.com[192.0.2.1]; from=<a> to=<b> proto=ESMTP helo=<c>: 5.7.1 no", "reject/inbound stage=DOT outcome=rejected queue=4C1A2B3D4E peer=a.example.com[192.0.2.1] enhanced=5.7.1 reply=5.7.1 no from=a to=b helo=c proto=ESMTP"},
		{"cleanup", "4C1A2B3D4E: info: header X: y from local; from=<a> to=<b>", "filter/internal stage=DOT queue=4C1A2B3D4E from=a to=b"},
		{"cleanup", "4C1A2B3D4E: milter-reject: END-OF-MESSAGE from a.example.com[192.0.2.1]: 4.7.1 later; from= to= proto=ESMTP helo=", "reject/inbound stage=DOT outcome=rejected queue=4C1A2B3D4E peer=a.example.com[192.0.2.1] enhanced=4.7.1 reply=4.7.1 later from= to= helo= proto=ESMTP"},

		{"qmgr", "A323688C523:from=<a@example.com>, size=5, nrcpt=2 (queue active)", "message/internal queue=A323688C523 from=a@example.com size=5 nrcpt=2"},
		{"qmgr", "4C1A2B3D4E: from=<>, status=force-expired, returned to sender", "delivery/internal outcome=expired failed queue=4C1A2B3D4E from="},
		{"qmgr", "DEADBEEF: removed", "removed/internal queue=DEADBEEF"},
		{"bounce", "4C1A2B3D4E: sender non-delivery notification: 4C1A2B3D4F", "notification/internal queue=4C1A2B3D4E related=4C1A2B3D4F"},
		{"pickup", "4C1A2B3D4E: uid=0 from=<root>", "received/internal queue=4C1A2B3D4E from=root"},

		{"smtp", "4C1A2B3D4E: to=<b@example.net>, relay=mx.example.net[192.0.2.5]:25, conn_use=2 delay=1, delays=0.1/0.2/0.3/0.4, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as X1Y2Z3)", "delivery/outbound stage=DOT outcome=sent queue=4C1A2B3D4E peer=mx.example.net[192.0.2.5]:25 code=250 enhanced=2.0.0 reply=250 2.0.0 Ok: queued as X1Y2Z3 dsn=2.0.0 to=b@example.net queued-as=X1Y2Z3 delay=1s delays=[100ms 200ms 300ms 400ms]"},
		// The remote's text imitates a verdict; Postfix's own words are the last.
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, dsn=5.1.1, status=bounced (host m[192.0.2.5] said: 550 5.1.1 ) status=sent (250 (in reply to DATA command)) no (in reply to RCPT TO command))", "delivery/outbound stage=RCPT outcome=bounced failed queue=4C1A2B3D4E peer=m[192.0.2.5]:25 code=550 enhanced=5.1.1 reply=550 5.1.1 ) status=sent (250 (in reply to DATA command)) no dsn=5.1.1 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m2[192.0.2.6]:25, delay=1, dsn=4.2.0, status=deferred (delivery temporarily suspended: host m[192.0.2.5] refused to talk to me: 554- (RTR:DU))", "delivery/outbound stage=CONNECT outcome=deferred failed queue=4C1A2B3D4E peer=m2[192.0.2.6]:25 said-by=m[192.0.2.5] code=554 reply=554- (RTR:DU) dsn=4.2.0 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, dsn=5.0.0, status=SOFTBOUNCE (host m[192.0.2.5] said: 552 4.2.2 full (in reply to end of DATA command))", "delivery/outbound stage=DOT outcome=deferred failed queue=4C1A2B3D4E peer=m[192.0.2.5]:25 code=552 enhanced=4.2.2 reply=552 4.2.2 full dsn=5.0.0 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)", "delivery/outbound stage=RCPT probe queue=4C1A2B3D4E peer=m[192.0.2.5]:25 code=250 enhanced=2.1.5 reply=250 2.1.5 Ok dsn=2.1.5 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, dsn=5.1.1, status=undeliverable-but-not-cached (unknown)", "delivery/outbound failed probe queue=4C1A2B3D4E peer=m[192.0.2.5]:25 dsn=5.1.1 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=none, delay=1, dsn=4.4.2, status=deferred (lost connection with m[192.0.2.5] while sending MAIL FROM)", "delivery/outbound stage=MAIL outcome=deferred failed queue=4C1A2B3D4E said-by=m[192.0.2.5] dsn=4.4.2 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: to=<b@example.net>, relay=m[192.0.2.5]:25, de", "delivery/outbound queue=4C1A2B3D4E peer=m[192.0.2.5]:25 to=b@example.net"},
		{"smtp", "4C1A2B3D4E: to=<b@exa", "delivery/outbound queue=4C1A2B3D4E to=b@exa"},
		{"smtp", "4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, delays=0/0/0, status=sen", "delivery/outbound queue=4C1A2B3D4E peer=m[192.0.2.5]:25 to=b delay=1s"},
		{"smtp", "4C1A2B3D4E: host m[192.0.2.5] said: 450 4.2.0 later (in reply to end of DATA command)", "attempt/outbound stage=DOT failed queue=4C1A2B3D4E peer=m[192.0.2.5] code=450 enhanced=4.2.0 reply=450 4.2.0 later"},
		{"smtp", "connect to m[2001:db8::5]:25: Network is unreachable", "attempt/outbound stage=CONNECT failed peer=m[2001:db8::5]:25"},
		{"smtp", "4C1A2B3D4E: SASL authentication failed; server m[192.0.2.5] said: 535 5.7.8 no", "auth/outbound stage=AUTH failed queue=4C1A2B3D4E peer=m[192.0.2.5] code=535 enhanced=5.7.8 reply=535 5.7.8 no"},
		{"smtp", "SSL_connect error to m.example.net: -1", "tls/outbound stage=STARTTLS failed peer=m.example.net[]"},
		{"lmtp", "4C1A2B3D4E: to=<b>, relay=m[private/dovecot-lmtp], delay=1, dsn=2.0.0, status=sent (250 2.0.0 <b> x Saved)", "delivery/outbound stage=DOT outcome=sent queue=4C1A2B3D4E peer=m[] code=250 enhanced=2.0.0 reply=250 2.0.0 <b> x Saved dsn=2.0.0 to=b delay=1s"},
		{"local", "4C1A2B3D4E: to=<b>, orig_to=<c>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as 4C1A2B3D4F)", "delivery/internal outcome=sent queue=4C1A2B3D4E dsn=2.0.0 to=b orig-to=c queued-as=4C1A2B3D4F transport=local delay=1s"},
		{"error", "4C1A2B3D4E: to=<b>, relay=none, delay=1e+03, status=deferred (delivery temporarily suspended: connect to m[192.0.2.5]:25: Connection refused)", "delivery/internal stage=CONNECT outcome=deferred failed queue=4C1A2B3D4E said-by=m[192.0.2.5]:25 to=b delay=16m40s"},

		{"postscreen", "CONNECT from [192.0.2.1]:4711 to [198.51.100.1]:25", "connect/inbound peer=[192.0.2.1]:4711"},
		{"postscreen", "PREGREET 9 after 0.1 from [192.0.2.1]:4711: EHLO from [192.0.2.9]:1", "warning/inbound stage=CONNECT failed peer=[192.0.2.1]:4711"},
		{"postscreen", "NOQUEUE: reject: RCPT from [192.0.2.1]:4711: 550 5.7.1 no; from=<a>, to=<b>, proto=ESMTP, helo=<c>", "reject/inbound stage=RCPT outcome=rejected peer=[192.0.2.1]:4711 code=550 enhanced=5.7.1 reply=550 5.7.1 no from=a to=b helo=c proto=ESMTP"},
		{"postscreen", "NOQUEUE: reject: CONNECT from [192.0.2.1]:4711: too many connections", "reject/inbound stage=CONNECT outcome=rejected failed peer=[192.0.2.1]:4711"},
		{"postscreen", "COMMAND PIPELINING from [192.0.2.1]:4711 after HELO: x after DATA", "warning/inbound stage=EHLO failed peer=[192.0.2.1]:4711"},
		{"master", "daemon started -- version 3.7.11, configuration /etc/postfix", "notice/"},
		{"policyd-spf", "550 5.7.23 Message rejected due to SPF", "foreign/"},
	} {
		var ev smtp.Event
		ok := Parser{}.Parse(line(tt.daemon, tt.msg), &ev)
		if got := show(&ev); got != tt.want || !ok {
			t.Errorf("%s: %s (understood: %v)\n got %s\nwant %s", tt.daemon, tt.msg, ok, got, tt.want)
		}
	}
}

// The text of a line tells what it is when its head has lost the daemon.
func TestNoDaemon(t *testing.T) {
	for _, tt := range []struct{ line, want string }{
		{"<22>1 2026-03-11T08:00:01Z mx1 postfix 1 - - warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x", "auth/inbound stage=AUTH failed peer=[192.0.2.1] auth=LOGIN"},
		{"<22>1 2026-03-11T08:00:01Z mx1 postfix 1 - - 4C1A2B3D4E: to=<b>, relay=m[192.0.2.5]:25, delay=1, status=sent (250 Ok)", "delivery/outbound stage=DOT outcome=sent queue=4C1A2B3D4E peer=m[192.0.2.5]:25 code=250 reply=250 Ok to=b delay=1s"},
		{"<22>1 2026-03-11T08:00:01Z mx1 postfix 1 - - 4C1A2B3D4E: to=<b>, relay=virtual, delay=1, status=sent (x)", "delivery/internal outcome=sent queue=4C1A2B3D4E to=b transport=virtual delay=1s"},
		{"connect from a.example.com[192.0.2.1]", "connect/inbound peer=a.example.com[192.0.2.1]"},
		{"4C1A2B3D4E: removed", "removed/internal queue=4C1A2B3D4E"},
		{")", "foreign/"},
		{"Mar 11 08:00:01 mx1 dovecot: imap-login: Login: user=<a>", "foreign/"},
		{"Mar 11 08:00:01 mx1 sendmail[1]: fatal: no", "foreign/"},
		{"Mar 11 08:00:01 mx1 opendkim[1]: 4C1A2B3D4E: DKIM-Signature field added", "foreign/"},
	} {
		var ev smtp.Event
		Parser{}.Parse([]byte(tt.line), &ev)
		if got := show(&ev); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.line, got, tt.want)
		}
	}
}

func TestOwns(t *testing.T) {
	for _, tt := range []struct {
		service, process string
		want             bool
	}{
		{"postfix", "smtpd", true}, {"postfix-out/submission", "smtpd", true}, {"mta-in", "smtpd", true}, {"postfix", "", true},
		{"", "postfix-script", true}, {"", "smtpd", false}, {"", "dovecot", false}, {"amavis", "child", false},
	} {
		var h smtp.Head
		if h.Process = []byte(tt.process); tt.service != "" {
			h.Service = []byte(tt.service)
		}
		if got := Owns(&h); got != tt.want {
			t.Errorf("Owns(%s/%s) = %v", tt.service, tt.process, got)
		}
	}
}

func TestQueueID(t *testing.T) {
	for _, tt := range []struct {
		msg, want string
	}{
		{"ED59C3D: removed", "ED59C3D"}, {"ED06590130AA1C9D6D862: x", "ED06590130AA1C9D6D862"}, {"44JCRG5tYPzCqt2: x", "44JCRG5tYPzCqt2"},
		{"DEADBEEF: x", "DEADBEEF"}, {"bcdfghjklmnpq: x", "bcdfghjklmnpq"},
		{"NOQUEUE: x", ""}, {"warning: x", ""}, {"Deleted: 3 messages", ""}, {"statistics: x", ""}, {"4711: x", ""}, {"connect from", ""},
	} {
		var ev smtp.Event
		if queueID([]byte(tt.msg), &ev); string(ev.Queue) != tt.want {
			t.Errorf("%s: queue ID %q, want %q", tt.msg, ev.Queue, tt.want)
		}
	}
}

func TestDelay(t *testing.T) {
	for _, tt := range []struct {
		text, want string
	}{
		{"0.05", "50ms"}, {"1.2e+02", "2m0s"}, {"5e-05", "50µs"}, {"99999999999999999999", "876000h0m0s"}, {"1e+99", "876000h0m0s"}, {"x", "-1ns"},
	} {
		if d, _ := seconds([]byte(tt.text)); d.String() != tt.want {
			t.Errorf("seconds(%s) = %v, want %s", tt.text, d, tt.want)
		}
	}
}

// samples returns the lines of the project's sample logs.
func samples(tb testing.TB) [][]byte {
	files, err := filepath.Glob("../../testdata/postfix/*.log")
	if err != nil || len(files) == 0 {
		tb.Fatal("no samples in testdata/postfix:", err)
	}
	var lines [][]byte
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		lines = append(lines, bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))...)
	}
	return lines
}

func TestSamples(t *testing.T) {
	var kinds [smtp.NumKinds]int
	var ev smtp.Event
	for _, l := range samples(t) {
		if !(Parser{}).Parse(l, &ev) {
			t.Errorf("not understood: %s", l)
		}
		kinds[ev.Kind]++
	}
	for k := range kinds {
		// Postfix has no line for EHLO alone.
		if k := smtp.Kind(k); kinds[k] == 0 && k != smtp.KindUnknown && k != smtp.KindHello {
			t.Errorf("no sample of kind %s", k)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	lines := samples(t)
	var ev smtp.Event
	for _, l := range lines {
		Parser{}.Parse(l, &ev) // the scratch space grows once
	}
	n := testing.AllocsPerRun(10, func() {
		for _, l := range lines {
			Parser{}.Parse(l, &ev)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations for %d lines", n, len(lines))
	}
}

// Any line may be cut anywhere, and must still be read without harm.
func TestCut(t *testing.T) {
	var ev smtp.Event
	for _, l := range samples(t) {
		for n := range l {
			Parser{}.Parse(l[:n], &ev)
		}
	}
}

func FuzzParse(f *testing.F) {
	for i, l := range samples(f) {
		if i%3 == 0 {
			f.Add(l)
		}
	}
	f.Fuzz(func(t *testing.T, l []byte) {
		var ev smtp.Event
		before := bytes.Clone(l)
		ok := Parser{}.Parse(l, &ev)
		if ok == (ev.Kind == smtp.KindUnknown) {
			t.Errorf("understood: %v, but the kind is %s", ok, ev.Kind)
		}
		if !bytes.Equal(before, l) {
			t.Error("the line was changed")
		}
		// The message alone, for logs of several programs.
		ev.Reset()
		ParseMessage(l, &ev)
	})
}

func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile("../../testdata/postfix/real.log")
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
	b.SetBytes(int64(len(data) / len(lines)))
	var ev smtp.Event
	for i := 0; b.Loop(); i++ {
		Parser{}.Parse(lines[i%len(lines)], &ev)
	}
}

// TestShortID holds the words of shortID against the loop of idRun.
func TestShortID(t *testing.T) {
	for n := range 18 {
		good := "4ABCDEF0123456789"[:min(n, 17)] + ": from=<a@example.com>"
		for at := range n {
			for c := range 256 {
				b := []byte(good)
				b[at] = byte(c)
				end, any, all := idRun(b)
				if got := shortID(b); got != 0 && (got != end || b[end] != ':' || !canBeID(end, any, all)) {
					t.Fatalf("shortID(%q) = %d", b, got)
				}
			}
		}
		if got := shortID([]byte(good)); n >= 6 && n <= 15 && got != n {
			t.Errorf("shortID(%q) = %d, want %d", good, got, n)
		}
	}
}
