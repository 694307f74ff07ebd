package session

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestMessages(t *testing.T) {
	const in = `
		06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
		06:00:01 cleanup[2]: 4C1A000001: message-id=<1@example.org>
		06:00:01 qmgr[3]: 4C1A000001: from=<a@example.org>, size=512, nrcpt=1 (queue active)
		`
	const gone = `
		06:00:09 qmgr[3]: 4C1A000001: removed
		`
	const to = "4C1A000001: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, "
	const filter = "4C1A000001: to=<b@example.net>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4C1A000002)\n"
	const second = `
		06:00:02 smtpd[5]: 4C1A000002: client=localhost[127.0.0.1]
		06:00:02 cleanup[2]: 4C1A000002: message-id=<1@example.org>
		06:00:02 qmgr[3]: 4C1A000002: from=<a@example.org>, size=900, nrcpt=1 (queue active)
		`
	const secondSent = `
		06:00:04 smtp[7]: 4C1A000002: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
		06:00:05 qmgr[3]: 4C1A000002: removed
		`
	const arrives = " <= a@example.org H=client.example.org [192.0.2.1] P=esmtp S=700 id=1@example.org\n"
	for _, tt := range []struct {
		name  string
		files []string
		want  Counts
	}{
		{"in and out", []string{postfix(in + `06:00:02 smtp[4]: ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)` + gone)},
			Counts{Received: 1, Sent: 1}},
		{"refused before there was one", []string{postfix(`
			06:00:01 smtpd[1]: NOQUEUE: reject: RCPT from client.example.org[192.0.2.1]: 550 5.1.1 <b@example.com>: User unknown; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>`)},
			Counts{Rejected: 1}},
		{"refused when it had come", []string{postfix(`
			06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
			06:00:01 cleanup[2]: 4C1A000001: message-id=<1@example.org>
			06:00:01 cleanup[2]: 4C1A000001: milter-reject: END-OF-MESSAGE from client.example.org[192.0.2.1]: 5.7.1 no; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>`)},
			Counts{Rejected: 1}},
		{"given up by its client", []string{postfix(`
			06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
			06:00:01 smtpd[1]: lost connection after DATA (10 bytes) from client.example.org[192.0.2.1]`)},
			Counts{}},
		{"waiting", []string{postfix(in + `06:00:02 smtp[4]: ` + to + `dsn=4.2.0, status=deferred (host mx.example.net[198.51.100.5] said: 450 4.2.0 later (in reply to RCPT TO command))`)},
			Counts{Received: 1, Deferred: 1, Queued: 1, Waiting: 1}},
		{"waited twice, then sent", []string{postfix(in + `
			06:00:02 smtp[4]: ` + to + `dsn=4.2.0, status=deferred (host mx.example.net[198.51.100.5] said: 450 4.2.0 later (in reply to RCPT TO command))
			06:10:02 smtp[4]: ` + to + `dsn=4.2.0, status=deferred (host mx.example.net[198.51.100.5] said: 450 4.2.0 later (in reply to RCPT TO command))
			06:20:02 smtp[4]: ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)` + gone)},
			Counts{Received: 1, Deferred: 1, Sent: 1}},
		{"given up after days", []string{postfix(in + `
			06:00:03 qmgr[3]: 4C1A000001: from=<a@example.org>, status=expired, returned to sender` + gone)},
			Counts{Received: 1, Expired: 1}},
		{"two recipients are one message", []string{postfix(in + `
			06:00:02 smtp[4]: ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)
			06:00:02 smtp[4]: ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok)` + gone)},
			Counts{Received: 1, Sent: 1}},
		{"through a content filter", []string{postfix(in + second + `06:00:03 smtp[4]: ` + filter + gone + secondSent)},
			Counts{Received: 1, Sent: 1}},
		{"through a content filter, the copy being faster", []string{postfix(in + second + secondSent + `06:00:06 smtp[4]: ` + filter + gone)},
			Counts{Received: 1, Sent: 1}},
		{"through a content filter that keeps the queue ID", []string{postfix(in + `
			06:00:02 smtpd[5]: 4C1A000002: client=filter.example.com[192.0.2.12], orig_queue_id=4C1A000001, orig_client=client.example.org[192.0.2.1]
			06:00:02 qmgr[3]: 4C1A000002: from=<a@example.org>, size=900, nrcpt=1 (queue active)` + secondSent)},
			Counts{Received: 1, Sent: 1, Queued: 1}},
		{"through a content filter and sendmail", []string{postfix(in + `
			06:00:02 pickup[5]: 4C1A000002: uid=65534 from=<a@example.org>
			06:00:02 cleanup[2]: 4C1A000002: message-id=<1@example.org>
			06:00:02 qmgr[3]: 4C1A000002: from=<a@example.org>, size=900, nrcpt=1 (queue active)
			06:00:03 pipe[4]: 4C1A000001: to=<b@example.net>, relay=filter, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, status=sent (delivered via filter service)` + gone + secondSent)},
			Counts{Received: 1, Sent: 1}},
		{"another copy from elsewhere is another message", []string{postfix(in + `
			06:00:02 smtpd[5]: 4C1A000002: client=list.example.org[192.0.2.50]
			06:00:02 cleanup[2]: 4C1A000002: message-id=<1@example.org>
			06:00:02 qmgr[3]: 4C1A000002: from=<list@example.org>, size=900, nrcpt=1 (queue active)`)},
			Counts{Received: 2, Queued: 2}},
		{"forwarded by an alias", []string{postfix(in + `
			06:00:02 cleanup[2]: 4C1A000002: message-id=<1@example.org>
			06:00:02 qmgr[3]: 4C1A000002: from=<a@example.org>, size=900, nrcpt=1 (queue active)
			06:00:02 local[4]: 4C1A000001: to=<b@example.com>, relay=local, delay=0.1, delays=0.09/0/0/0.01, dsn=2.0.0, status=sent (forwarded as 4C1A000002)` + gone + secondSent)},
			Counts{Received: 1, Sent: 1}},
		{"a bounce is not received", []string{postfix(in + `
			06:00:02 smtp[4]: ` + to + `dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.5] said: 550 5.1.1 no (in reply to RCPT TO command))
			06:00:03 cleanup[2]: 4C1A000002: message-id=<2@mx1.example.com>
			06:00:03 qmgr[3]: 4C1A000002: from=<>, size=900, nrcpt=1 (queue active)
			06:00:03 bounce[6]: 4C1A000001: sender non-delivery notification: 4C1A000002` + gone + secondSent)},
			Counts{Received: 1, Bounced: 1, Sent: 1}},
		{"nor when another server of ours receives it", []string{postfix(in + `
			06:00:02 smtp[4]: ` + to + `dsn=5.1.1, status=bounced (host mx.example.net[198.51.100.5] said: 550 5.1.1 no (in reply to RCPT TO command))
			06:00:03 bounce[6]: 4C1A000001: sender non-delivery notification: 4C1A000002
			06:00:04 smtp[7]: 4C1A000002: to=<a@example.org>, relay=mx2.example.com[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5D1A000001)
			06:00:04 qmgr[3]: 4C1A000002: removed` + gone),
			"Nov 21 06:00:04 mx2 postfix/smtpd[1]: 5D1A000001: client=mx1.example.com[198.51.100.8]\n" +
				"Nov 21 06:00:04 mx2 postfix/qmgr[2]: 5D1A000001: from=<>, size=900, nrcpt=1 (queue active)\n" +
				"Nov 21 06:00:05 mx2 postfix/qmgr[2]: 5D1A000001: removed\n"},
			Counts{Received: 1, Bounced: 1, Sent: 1}},
		{"a bounce from elsewhere is", []string{postfix(`
			06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
			06:00:01 qmgr[3]: 4C1A000001: from=<>, size=512, nrcpt=1 (queue active)` + gone)},
			Counts{Received: 1}},
		{"from one server to the next, in either order of the files", []string{
			"Nov 21 06:00:04 mx2 postfix/smtpd[1]: 5D1A000001: client=mx1.example.com[198.51.100.8]\n" +
				"Nov 21 06:00:04 mx2 postfix/qmgr[2]: 5D1A000001: from=<a@example.org>, size=900, nrcpt=1 (queue active)\n" +
				"Nov 21 06:00:05 mx2 postfix/virtual[2]: 5D1A000001: to=<b@example.com>, relay=virtual, delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, status=sent (delivered to maildir)\n" +
				"Nov 21 06:00:05 mx2 postfix/qmgr[2]: 5D1A000001: removed\n",
			postfix(in + `06:00:04 smtp[4]: ` + to + `dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5D1A000001)` + gone)},
			Counts{Received: 1, Sent: 1}},
		{"requeued by hand under another queue ID", []string{postfix(in + `
			06:00:03 postsuper[8]: 4C1A000001: requeued
			06:00:04 pickup[5]: 4C1A000002: uid=103 from=<a@example.org> orig_id=4C1A000001
			06:00:04 cleanup[2]: 4C1A000002: message-id=<1@example.org>
			06:00:04 qmgr[3]: 4C1A000002: from=<a@example.org>, size=900, nrcpt=1 (queue active)`)},
			Counts{Received: 1, Queued: 1}},
		{"thrown away by a rule", []string{postfix(`
			06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
			06:00:01 cleanup[2]: 4C1A000001: message-id=<1@example.org>
			06:00:01 cleanup[2]: 4C1A000001: discard: header Subject: spam from client.example.org[192.0.2.1]; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<x>`)},
			Counts{Received: 1, Discarded: 1}},
		{"a short queue ID used again", []string{postfix(in + gone + in + gone)}, Counts{Received: 2}},
		{"the same queue ID on two hosts and in two instances", []string{postfix(in) +
			"Nov 21 06:00:01 mx2 postfix/smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]\n" +
			"Nov 21 06:00:01 mx2 postfix/qmgr[1]: 4C1A000001: from=<a@example.org>, size=512, nrcpt=1 (queue active)\n" +
			"Nov 21 06:00:01 mx1 postfix-out/smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]\n" +
			"Nov 21 06:00:01 mx1 postfix-out/qmgr[1]: 4C1A000001: from=<a@example.org>, size=512, nrcpt=1 (queue active)\n"},
			Counts{Received: 3, Queued: 3}},
		{"submission shares the queue", []string{postfix(`
			06:00:01 submission/smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1], sasl_method=PLAIN, sasl_username=a@example.org
			06:00:01 qmgr[3]: 4C1A000001: from=<a@example.org>, size=512, nrcpt=1 (queue active)` + gone)},
			Counts{Received: 1}},
		{"an address probe is no mail", []string{postfix(`
			06:00:02 cleanup[2]: 4C1A000001: message-id=<2@mx1.example.com>
			06:00:02 qmgr[3]: 4C1A000001: from=<double-bounce@mx1.example.com>, size=900, nrcpt=1 (queue active)
			06:00:02 smtp[4]: ` + to + `dsn=2.1.5, status=deliverable (250 2.1.5 Ok)` + gone)},
			Counts{}},
		{"a loop of mail", []string{postfix(`
			06:00:01 smtp[4]: 4C1A000001: to=<b@example.net>, relay=127.0.0.1[127.0.0.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4C1A000002)
			06:00:02 smtp[4]: 4C1A000002: to=<b@example.net>, relay=127.0.0.1[127.0.0.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4C1A000001)
			06:00:03 smtp[4]: 4C1A000001: to=<b@example.net>, relay=127.0.0.1[127.0.0.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4C1A000001)`)},
			Counts{Sent: 1, Queued: 2}},
		{"Exim: in, out, completed", []string{exim(`06:00:01 1avnJx-00039F-Hs` + arrives + `
			06:00:02 1avnJx-00039F-Hs => b@example.net R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5] C="250 OK"
			06:00:02 1avnJx-00039F-Hs Completed`)},
			Counts{Received: 1, Sent: 1}},
		{"Exim: a bounce names what it is about", []string{exim(`06:00:01 1avnJx-00039F-Hs` + arrives + `
			06:00:02 1avnJx-00039F-Hs ** b@example.net R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5]: SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 no
			06:00:02 1avnJy-00039F-Hs <= <> R=1avnJx-00039F-Hs U=exim P=local S=3958
			06:00:02 1avnJx-00039F-Hs Completed`)},
			Counts{Received: 1, Bounced: 1, Queued: 1}},
		{"Exim: to the next Exim", []string{exim(`06:00:01 1avnJx-00039F-Hs` + arrives + `
			06:00:02 1avnJx-00039F-Hs => b@example.net R=dnslookup T=remote_smtp H=mx.example.net [203.0.113.5] C="250 OK id=1avnJz-00039F-Hs"
			06:00:02 1avnJx-00039F-Hs Completed`),
			exim(`06:00:02 1avnJz-00039F-Hs <= a@example.org H=mail.example.com [192.0.2.9] P=esmtp S=700
			06:00:02 1avnJz-00039F-Hs => bob <b@example.net> R=localuser T=local_delivery
			06:00:02 1avnJz-00039F-Hs Completed`)},
			Counts{Received: 1, Sent: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := run(t, Options{}, tt.files...)
			if got := a.Messages(); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestSelect(t *testing.T) {
	const log = `
		06:00:01 smtpd[1]: connect from client.example.org[192.0.2.1]
		06:00:01 smtpd[1]: 4C1A000001: client=client.example.org[192.0.2.1]
		06:00:01 qmgr[3]: 4C1A000001: from=<a@example.org>, size=512, nrcpt=1 (queue active)
		06:00:01 smtpd[1]: disconnect from client.example.org[192.0.2.1] quit=1 commands=1
		06:00:01 smtpd[2]: connect from client.example.org[192.0.2.2]
		06:00:01 smtpd[2]: 4C1A000002: client=client.example.org[192.0.2.2]
		06:00:01 qmgr[3]: 4C1A000002: from=<z@example.org>, size=512, nrcpt=1 (queue active)
		06:00:01 smtpd[2]: disconnect from client.example.org[192.0.2.2] quit=1 commands=1
		06:00:02 smtp[4]: 4C1A000001: to=<b@example.net>, relay=mx.example.net[198.51.100.5]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)
		06:00:02 smtp[5]: 4C1A000002: to=<b@example.net>, relay=mx.example.net[198.51.100.6]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 Ok)`
	a, got := run(t, Options{Exchanges: true, Envelopes: true, Select: func(ev *smtp.Event, from []byte) bool {
		return ev.Kind == smtp.KindDelivery && string(from) == "a@example.org"
	}}, postfix(log))
	check(t, got, "out 198.51.100.5 quit m1 r0")
	if m, want := a.Messages(), (Counts{Received: 1, Sent: 1, Queued: 1}); m != want {
		t.Errorf("got %+v, want %+v", m, want)
	}
}

// The memory of messages has a bound, and what it costs is counted.
func TestMaxMessages(t *testing.T) {
	const extra = 1000
	a := NewAssembler(Options{}, func(*Session) {})
	ev := smtp.Event{Kind: smtp.KindDelivery, Format: smtp.FormatPostfix, Outcome: smtp.Deferred}
	var id []byte
	for i := range MaxMessages + extra {
		id = strconv.AppendInt(append(id[:0], "4C1A"...), int64(i), 16)
		ev.Queue = id
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
	}
	m := a.Messages()
	if m.Evicted != extra || m.Queued != MaxMessages || m.Waiting != MaxMessages || m.Deferred != MaxMessages+extra {
		t.Errorf("got %+v", m)
	}
	if n := len(a.messages.slab); n > MaxMessages+keptComing+keptRemoved+1 {
		t.Errorf("%d messages are kept", n)
	}

	// Nor do those grow that never come, or are gone.
	ev.Outcome = smtp.OutcomeNone
	for i := range 4 * keptComing {
		ev.Queue = fmt.Appendf(nil, "5D1A%x", i)
		for _, ev.Kind = range []smtp.Kind{smtp.KindReceived, smtp.KindRemoved} {
			var step Step
			StepOf(&ev, &step)
			a.Add(&step, ev.Time, &ev)
			if i%2 == 0 {
				break
			}
		}
	}
	if n := len(a.messages.slab); n > MaxMessages+keptComing+keptRemoved+1 {
		t.Errorf("%d messages are kept", n)
	}
}

func TestMaxSessions(t *testing.T) {
	const extra = 100
	var ended, open int
	a := NewAssembler(Options{}, func(s *Session) {
		ended++
		if s.End == smtp.EndOpen {
			open++
		}
	})
	ev := smtp.Event{Kind: smtp.KindConnect, Format: smtp.FormatPostfix, Direction: smtp.Inbound}
	ev.Process, ev.Time = []byte("smtpd"), time.Unix(1e9, 0)
	for ev.PID = range uint32(MaxSessions + extra) {
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
	}
	if a.Evicted() != extra || ended != extra || open != 0 || len(a.slab) > MaxSessions {
		t.Errorf("evicted %d, ended %d, %d of them open, room for %d", a.Evicted(), ended, open, len(a.slab))
	}
	a.Close()
	if ended != MaxSessions+extra || open != MaxSessions {
		t.Errorf("in the end: ended %d, %d of them open", ended, open)
	}
}

// Connections of one client that nothing tells apart are kept apart up to a number.
func TestMaxSameClient(t *testing.T) {
	ended := 0
	a := NewAssembler(Options{}, func(*Session) { ended++ })
	ev := smtp.Event{Kind: smtp.KindConnect, Format: smtp.FormatExim, Direction: smtp.Inbound, Peer: smtp.Peer{IP: []byte("192.0.2.1")}}
	ev.Time = time.Unix(1e9, 0)
	for range 10 * maxSameClient {
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
	}
	if n := len(a.slab); n > 2*maxSameClient {
		t.Errorf("%d sessions are kept", n)
	}
	a.Close()
	if ended != 10*maxSameClient {
		t.Errorf("%d sessions ended, want %d", ended, 10*maxSameClient)
	}
}

// Making room may take the very session that the new one would stand upon.
func TestMaxSessionsStacked(t *testing.T) {
	ended := 0
	a := NewAssembler(Options{}, func(*Session) { ended++ })
	ev := smtp.Event{Kind: smtp.KindConnect, Format: smtp.FormatExim, Direction: smtp.Inbound}
	ev.Time = time.Unix(1e9, 0)
	connect := func(client string, port uint16) {
		ev.Peer = smtp.Peer{IP: []byte(client), Port: port}
		var step Step
		StepOf(&ev, &step)
		a.Add(&step, ev.Time, &ev)
	}
	for range 3 {
		connect("192.0.2.1", 0)
	}
	for i := range MaxSessions - 3 {
		connect("192.0.2.2", uint16(i+1))
	}
	for range 5 {
		connect("192.0.2.1", 0)
	}
	a.Close()
	if want := MaxSessions + 5; ended != want || a.open.Len() != 0 || len(a.slab) > MaxSessions {
		t.Errorf("%d sessions ended, want %d; %d are left", ended, want, a.open.Len())
	}
}
