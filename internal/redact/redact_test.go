package redact

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func newRedactor() *Redactor { return New([]byte("a key for tests"), knowledge.Load()) }

// TestText: what names somebody has gone, what does not is as it was. In the wanted texts A
// stands for any pseudonym of an address, H for a host's, I for an IP, X for any other one.
func TestText(t *testing.T) {
	r := newRedactor()
	for text, want := range map[string]string{
		"550 5.1.1 <alice@example.com>: Recipient address rejected: User unknown":             "550 5.1.1 <A>: Recipient address rejected: User unknown",
		"host mx.example.net[198.51.100.5] said: 450 4.2.0 try later":                         "host H[I] said: 450 4.2.0 try later",
		"connect to mx.example.net[2001:db8::1:25]:25: timed out":                             "connect to H[I]:25: timed out",
		"blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7":         "blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/I",
		"see https://support.google.com/mail/answer/81126 - gsmtp":                            "see https://support.google.com/mail/answer/81126 - gsmtp",
		"see https://example.net/u/alice?id=77":                                               "see https://H/X",
		"https://alice:pw@example.net:8443/x":                                                 "https://A:8443/X",
		"http://feedback.smtp.example/?mail=alice%40example.com.":                             "http://H/X.",
		"https://check.spamhaus.org/?email=alice%2540example.com":                             "https://check.spamhaus.org/?email=A",
		"from=<SRS0=HHH=TT=example.com=alice@forward.example> to=<bob@example.net>":           "from=<A> to=<A>",
		"<prvs=12345678ab=alice@example.com>":                                                 "<A>",
		"bounces+alice=example.com@list.example.org":                                          "A",
		"alice%example.com@relay.example.net is not a user":                                   "A is not a user",
		`"odd name"@example.com`:                                                              "A",
		"to=alice@example.com,":                                                               "to=A,",
		"alice+40example.com":                                                                 "A",
		"alice=40example.com":                                                                 "A",
		"alice&#64;example.com":                                                               "A",
		`alice\u0040example.com`:                                                              "A",
		`"log":"to=\u003calice@example.com\u003e, relay"`:                                     `"log":"to=\u003cA\u003e, relay"`,
		"rfc822;alice@example.com":                                                            "rfc822;A",
		"mailto:alice@example.com":                                                            "mailto:A",
		"[192.0.2.7]:25 and 192.0.2.7:25 and 192.000.002.007":                                 "[I]:25 and I:25 and I",
		"192.0.2.7.198.51.100.5 192.0.2.7.25":                                                 "I.I I.25",
		"7.2.0.192.in-addr.arpa":                                                              "I.in-addr.arpa",
		"7.2.0.192.zen.spamhaus.org":                                                          "I.zen.spamhaus.org",
		"secretkey.zen.dq.spamhaus.net":                                                       "X.zen.dq.spamhaus.net",
		"dsl-192-0-2-7.pool":                                                                  "H",
		"helo=<ip-192-0-2-7>":                                                                 "helo=<X>",
		"helo=<LAPTOP7>":                                                                      "helo=<X>",
		"sasl_username=alice, sasl_method=PLAIN":                                              "sasl_username=X, sasl_method=PLAIN",
		"alt1.gmail-smtp-in.l.google.com":                                                     "alt1.gmail-smtp-in.l.google.com",
		"example-com.mail.protection.outlook.com":                                             "X.mail.protection.outlook.com",
		"bob@gmail.com":                                                                       "A",
		"[IPv6:2001:db8::1]":                                                                  "[IPv6:I]",
		"::ffff:192.0.2.7":                                                                    "::ffff:I",
		"cannot open /home/alice/Maildir/new":                                                 "cannot open /home/X/Maildir/new",
		"YWxpY2VAZXhhbXBsZS5jb20= rejected":                                                   "X rejected",
		"616c696365406578616d706c652e636f6d":                                                  "X",
		": header Subject: Your bill from client.example.com[192.0.2.10]; from=<>":            ": header Subject: X from H[I]; from=<>",
		"reject: header From: Alice Smith <a@example.com> from x.example[192.0.2.1]; from=<>": "reject: header From: X from H[I]; from=<>",
		`S=700 T="Your bill" from <a@example.com>`:                                            `S=700 T="X" from <A>`,
		"=?utf-8?q?alice=40example?=":                                                         "X",

		"2026-11-22T04:02:50.123456+00:00 postfix/smtpd[123]: warning: 5.7.1 4.7.1":        "2026-11-22T04:02:50.123456+00:00 postfix/smtpd[123]: warning: 5.7.1 4.7.1",
		"delays=0.1/0/0.02/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5D1A2B3D70)": "delays=0.1/0/0.02/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5D1A2B3D70)",
		"RFC5321.MailFrom, e.g. v3.5.0 in main.cf":                                         "RFC5321.MailFrom, e.g. v3.5.0 in main.cf",
		"TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)":                        "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)",
		"connect from unknown[127.0.0.1], localhost, [::1]":                                "connect from unknown[127.0.0.1], localhost, [::1]",
		"rejected: <alice>; bare <LF> received":                                            "rejected: <X>; bare <LF> received", "a@": "X@", "@": "@", "": "", "@example.com": "@H",
	} {
		got := r.Text(text)
		if shape(got) != want {
			t.Errorf("%q\n got %q\n  as %q\nwant %q", text, got, shape(got), want)
		}
		if again := r.Text(got); again != got {
			t.Errorf("%q: %q becomes %q", text, got, again)
		}
	}
}

const token = `[a-km-np-z2-9]{7}`

var shapes = []struct {
	as string
	of *regexp.Regexp
}{
	{"A", regexp.MustCompile(`(user|id)-` + token + `@(\[[^]]*\]|[-a-z0-9.]+[a-z0-9])`)},
	{"H", regexp.MustCompile(`(h-` + token + `\.)?dom-` + token + `\.example`)},
	{"I", regexp.MustCompile(`2[45][0-9]\.\d+\.\d+\.\d+|\d+\.\d+\.\d+\.2[45][0-9]|3fff:[0-9a-f:]+`)},
	{"X", regexp.MustCompile(`(user|id|h|host|x|text|path|enc)-` + token)},
}

func shape(s string) string {
	for _, p := range shapes {
		s = p.of.ReplaceAllString(s, p.as)
	}
	return s
}

// TestSameEverywhere: a name has one pseudonym in fields, texts and encodings, and another with
// another key.
func TestSameEverywhere(t *testing.T) {
	r := newRedactor()
	want := r.Name("alice@example.com")
	for _, text := range []string{"<alice@example.com>", "to=ALICE@Example.COM,", "alice%40example.com", "x:alice@example.com.", "ADDR=alice@example.com"} {
		if got := r.Text(text); !strings.Contains(got, want) {
			t.Errorf("%s: %s has not %s", text, got, want)
		}
	}
	if _, domain, _ := strings.Cut(want, "@"); !strings.HasSuffix(r.Name("mx.example.com"), "."+domain) || r.Name("example.com") != domain {
		t.Errorf("the domain of %s is not that of its host %s", want, r.Name("mx.example.com"))
	}
	if other := New([]byte("another key"), knowledge.Load()).Name("alice@example.com"); other == want {
		t.Error("another key gives the same pseudonym")
	}
	if newRedactor().Name("alice@example.com") != want {
		t.Error("the same key gives another pseudonym")
	}
}

// TestEvent: what an event's fields name is hidden in its texts.
func TestEvent(t *testing.T) {
	r := newRedactor()
	ev := &smtp.Event{
		Head: smtp.Head{Host: []byte("mx7")},
		Peer: smtp.Peer{Name: []byte("mail.contoso.com"), IP: []byte("192.0.2.7"), Port: 25}, Helo: []byte("LAPTOP7"),
		To: []byte("alice.smith@contoso.com"), From: []byte{}, MessageID: []byte("4711abc@laptop7"), User: []byte("asmith"),
		Reply: smtp.ParseReply([]byte("550 5.1.1 Alice Smith (asmith) of Contoso at LAPTOP7 [c0000207] is unknown, 3221225991")),
	}
	raw := []byte("Nov 22 04:02:50 mx7 postfix/smtp[1]: to=<alice.smith@contoso.com>, message-id=<4711abc@laptop7>")
	var out smtp.Event
	r.Event(&out, ev)
	line := string(r.Line(ev, raw))
	all := line + string(out.Reply.Text) + string(out.To) + string(out.MessageID) + string(out.User) + string(out.Helo) + string(out.Host) + string(out.Peer.Name) + string(out.Peer.IP)
	for _, name := range []string{"alice", "smith", "contoso", "laptop7", "192.0.2.7", "c0000207", "3221225991", "mx7", "4711abc"} {
		if strings.Contains(strings.ToLower(all), name) {
			t.Errorf("%s is still there: %s", name, all)
		}
	}
	if out.From == nil || out.Peer.Port != 25 || out.Reply.Code != 550 || !strings.HasPrefix(string(out.Reply.Text), "550 5.1.1 ") || !strings.HasPrefix(line, "Nov 22 04:02:50 host-") {
		t.Errorf("too much was taken: %+v %s", out, line)
	}
	if string(ev.To) != "alice.smith@contoso.com" {
		t.Error("the original was changed")
	}
	if !strings.Contains(line, string(out.To)) || !strings.Contains(line, string(out.MessageID)[3:]) {
		t.Errorf("%s has not %s and %s", line, out.To, out.MessageID)
	}
}

var (
	addressLike = regexp.MustCompile(`[A-Za-z0-9\\][A-Za-z0-9._%+=-]*@[A-Za-z0-9][-A-Za-z0-9]*(\.[-A-Za-z0-9]+)*\.[A-Za-z]{2,}`)
	quadLike    = regexp.MustCompile(`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}`)
)

// FuzzText: no address survives, and what was hidden once stays as it is.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"to=<alice@example.com>, relay=mx.example.net[198.51.100.5]:25", `"a b"@c.example`, "a%40b.example", "::1 fe80::1%eth0 2001:db8::7", "x@y@z.example.com",
		"http://a@b.example/c?d=e@f.example", `\u003ca@b.cc\u003e`, "=?q?x?=", "dXNlckBleGFtcGxlLmNvbQ==", "1.2.3.4.5.6", "helo=<x>", ": header a: b from c[",
	} {
		f.Add(seed)
	}
	r := newRedactor()
	f.Fuzz(func(t *testing.T, s string) {
		got := r.Text(s)
		if again := r.Text(got); again != got {
			t.Errorf("%q: %q becomes %q", s, got, again)
		}
		for _, a := range addressLike.FindAllString(got, -1) {
			local, domain, _ := strings.Cut(a, "@")
			if !strings.Contains(local, "user-") && !strings.Contains(local, "id-") && !strings.HasSuffix(local, "=") && local[0] != '\\' {
				t.Errorf("%q: %s of %s survives in %q", s, local, domain, got)
			}
		}
		for _, q := range quadLike.FindAllStringIndex(got, -1) {
			if q[0] > 0 && got[q[0]-1] >= '0' && got[q[0]-1] <= '9' || q[1] < len(got) && got[q[1]] >= '0' && got[q[1]] <= '9' {
				continue
			}
			a, err := netip.ParseAddr(got[q[0]:q[1]])
			if err != nil || a.IsLoopback() || a.IsUnspecified() || pseudonyms4.Contains(a) {
				continue
			}
			if four := a.As4(); four[3] < 240 { // written backwards
				t.Errorf("%q: %s survives in %q", s, a, got)
			}
		}
	})
}
