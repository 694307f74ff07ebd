package classify

import (
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	in  = smtp.Inbound
	out = smtp.Outbound
	own = smtp.Internal
)

func TestReplies(t *testing.T) {
	for _, c := range []struct {
		dir   smtp.Direction
		stage string
		text  string
		cause string
		basis string
		sev   string
	}{
		// The successes.
		{out, "CONNECT", "220 mx.example.net ESMTP Postfix", "in_progress", "context", "info"},
		{out, "EHLO", "250-mx.example.net", "in_progress", "context", "info"},
		{out, "AUTH", "334 UGFzc3dvcmQ6", "in_progress", "context", "info"},
		{out, "AUTH", "235 2.7.0 Authentication successful", "in_progress", "context", "info"},
		{out, "MAIL", "250 2.1.0 Ok", "in_progress", "context", "info"},
		{out, "RCPT", "251 User not local; will forward", "in_progress", "context", "info"},
		{out, "DATA", "354 End data with <CR><LF>.<CR><LF>", "in_progress", "context", "info"},
		{out, "DOT", "250 2.0.0 Ok: queued as 4XyZ", "accepted", "context", "info"},
		{out, "DOT", "250 spam is fine with us", "accepted", "context", "info"},
		{out, "QUIT", "221 2.0.0 Bye", "in_progress", "context", "info"},
		{out, "VRFY", "252 2.0.0 a", "in_progress", "context", "info"},

		// One code, several contexts.
		{out, "CONNECT", "421 mx.example.net Not today", "server_trouble", "context", "warning"},
		{out, "DATA", "421 mx.example.net closing transmission channel", "server_trouble", "context", "warning"},
		{out, "CONNECT", "421 4.7.0 Too many connections from 192.0.2.1", "rate_limited", "text", "warning"},
		{in, "DATA", "421 4.4.2 mx.example.net Error: timeout exceeded", "connection", "text", "info"},
		{out, "EHLO", "501 Syntactically invalid HELO argument(s)", "client_blocked", "text", "error"},
		{out, "MAIL", "501 5.1.7 Bad sender address syntax", "sender_rejected", "text", "error"},
		{out, "RCPT", "501 5.1.3 Bad recipient address syntax", "protocol", "text", "error"},
		{out, "AUTH", "501 5.5.2 Cannot decode response", "protocol", "context", "error"},
		{out, "RCPT", "550 Mailbox unavailable", "recipient_unknown", "context", "error"},
		{out, "RCPT", "550 5.7.1 Go away", "policy", "code_enhanced", "error"},
		{out, "DOT", "550 Go away", "policy", "context", "error"},
		{out, "EHLO", "550 Go away", "client_blocked", "context", "error"},
		{out, "MAIL", "550 Go away", "sender_rejected", "context", "error"},
		{out, "RCPT", "552 No room", "mailbox_full", "context", "warning"},
		{out, "MAIL", "552 5.3.4 Message size exceeds fixed limit", "too_large", "text", "error"},
		{out, "DOT", "552 Too much", "too_large", "context", "error"},
		{out, "RCPT", "552 5.5.3 Not one more", "rate_limited", "code_enhanced", "warning"},
		{out, "RCPT", "452 4.5.3 Not one more", "rate_limited", "code_enhanced", "warning"},
		{out, "RCPT", "552 Too many recipients", "rate_limited", "text", "warning"},
		{out, "MAIL", "553 Not that one", "sender_rejected", "context", "error"},
		{out, "RCPT", "553 Not that one", "recipient_unknown", "context", "error"},
		{in, "RCPT", "553 5.7.1 <boss@example.net>: Sender address rejected: not logged in", "sender_rejected", "text", "info"},
		{in, "MAIL", "553 5.7.1 No", "sender_rejected", "code_enhanced", "info"},
		{out, "CONNECT", "554 mx.example.net", "client_blocked", "context", "error"},
		{out, "DOT", "554 Transaction failed", "policy", "context", "error"},
		{out, "DATA", "554 5.5.1 Sorry", "protocol", "code_enhanced", "error"},

		// Postfix as the server.
		{in, "RCPT", "554 5.7.1 <a@example.net>: Relay access denied", "relay_denied", "text", "info"},
		{in, "RCPT", "550 5.1.1 <a@example.net>: Recipient address rejected: User unknown in local recipient table", "recipient_unknown", "text", "info"},
		{in, "RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", "blocklisted", "text", "info"},
		{in, "RCPT", "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]", "reverse_dns", "text", "info"},
		{in, "RCPT", "450 4.2.0 <a@example.net>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.net.html", "greylisted", "text", "info"},
		{in, "RCPT", "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", "client_blocked", "text", "info"},
		{in, "RCPT", "450 4.1.8 <a@example.net>: Sender address rejected: Domain not found", "sender_rejected", "text", "info"},
		{in, "RCPT", "451 4.3.0 <a@example.net>: Temporary lookup failure", "server_trouble", "text", "error"},
		{in, "DOT", "5.7.1 Spam message rejected", "spam_content", "text", "info"},
		{in, "RCPT", "452 4.3.1 Insufficient system storage", "server_trouble", "text", "error"},
		{in, "MAIL", "530 5.7.0 Must issue a STARTTLS command first", "tls", "text", "warning"},
		{in, "AUTH", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "login", "text", "warning"},

		// Others as the server.
		{out, "RCPT", "550-5.1.1 The email account that you tried to reach does not exist.", "recipient_unknown", "text", "error"},
		{out, "RCPT", "452 4.2.2 The recipient's inbox is out of storage space", "mailbox_full", "text", "warning"},
		{out, "RCPT", "550 5.4.1 Recipient address rejected: Access denied.", "recipient_unknown", "text", "error"},
		{out, "DOT", "550 5.7.26 Unauthenticated email from example.net is not accepted due to domain's DMARC policy", "auth_dmarc", "text", "critical"},
		{out, "DOT", "421 4.7.0 The sending IP has a very low reputation", "reputation", "text", "error"},
		{out, "CONNECT", "554 No SMTP service here: IP address is block listed", "blocklisted", "text", "critical"},
		{out, "RCPT", "551 5.1.6 No longer here", "recipient_moved", "code_enhanced", "error"},
		{out, "RCPT", "550 5.2.1 Mailbox disabled", "mailbox_disabled", "text", "error"},
		{out, "RCPT", "556 5.1.10 No", "domain_no_mail", "code_enhanced", "error"},
		{out, "RCPT", "550 5.1.2 No", "domain_not_found", "code_enhanced", "error"},
		{out, "DOT", "554 5.4.6 Going in circles", "loop", "code_enhanced", "critical"},
		{out, "DOT", "554 5.6.0 Bad", "malformed", "code_enhanced", "error"},
		{out, "DOT", "552 5.7.0 No", "malware", "code_enhanced", "critical"},
		{out, "DOT", "554 5.7.1 virus found", "malware", "text", "critical"},
		{out, "STARTTLS", "454 4.7.0 Not now", "tls", "context", "warning"},
		{out, "AUTH", "454 4.7.0 Not now", "login", "context", "warning"},
		{out, "AUTH", "535 5.7.0 No", "login", "context", "error"},
		{out, "RCPT", "503 5.7.0 No", "protocol", "context", "error"},
		{out, "DOT", "550 4.4.7 Gone", "expired", "code_enhanced", "error"},
		{out, "RCPT", "450 4.2.2 Try later", "mailbox_full", "code_enhanced", "warning"},

		// A test that a client passed, and what looks alike.
		{in, "RCPT", "450 4.3.2 Service currently unavailable", "greylisted", "text", "info"},
		{in, "CONNECT", "421 4.3.2 All server ports are busy", "server_trouble", "code_enhanced", "error"},

		// One word, several meanings.
		{in, "RCPT", "504 5.5.2 <nosuchuser>: Helo command rejected: need fully-qualified address/hostname", "client_blocked", "text", "info"},
		{in, "RCPT", "551 5.1.6 User not local; please try <x@example.net>", "recipient_moved", "text", "info"},
		{in, "RCPT", "550 5.7.1 <x@example.org>: Sender address rejected: Impersonation attempt", "sender_rejected", "text", "info"},
		{in, "MAIL", "550 5.7.1 Impersonation attempt", "sender_rejected", "text", "info"},
		{in, "MAIL", "553 5.7.1 Sender is on our block list", "sender_rejected", "text", "info"},
		{out, "MAIL", "554 5.7.1 192.0.2.1 BL004. Blocked for spam", "blocklisted", "text", "critical"},
		{in, "ETRN", "459 4.7.0 <example.net>: not allowed", "policy", "text", "info"},
		{in, "ETRN", "459 4.7.0 No", "policy", "code_enhanced", "info"},
		{out, "DOT", "550 Mail content denied", "spam_content", "text", "error"},
		{out, "DOT", "554 5.7.1 Message rejected due to content restrictions", "spam_content", "text", "error"},
		{out, "DOT", "550 permanent failure for one or more recipients (a@example.net:blocked)", "spam_content", "text", "error"},
		{out, "CONNECT", "554 5.7.1 mx.example.net", "client_blocked", "code_enhanced", "error"},
		{out, "AUTH", "435 4.7.8 Error: account suspended", "login", "text", "warning"},
		{out, "AUTH", "435 No", "login", "context", "warning"},
		{out, "RCPT", "451 4.7.1 Try again later (barracuda rate control)", "rate_limited", "text", "warning"},
		{out, "RCPT", "550 5.1.2 mail to this domain has been disabled", "domain_no_mail", "text", "error"},

		// What the numbers do not tell.
		{out, "RCPT", "450 Not now", "unknown", "first_digit", "warning"},
		{out, "RCPT", "599 No", "unknown", "first_digit", "warning"},
		{out, "RCPT", "699 No", "unknown", "first_digit", "warning"},
		{out, "RCPT", "299 Yes", "in_progress", "first_digit", "info"},
		{out, "DOT", "200 Yes", "accepted", "first_digit", "info"},
		{out, "DATA", "350 Go on", "in_progress", "first_digit", "info"},
		{out, "RCPT", "550 2.1.5 No", "recipient_unknown", "context", "error"},
		{out, "RCPT", "550 5.7.999 No", "recipient_unknown", "context", "error"},

		// An address is not a reason.
		{out, "RCPT", "550 5.1.1 <spam-virus-quota-exceeded@example.net> Not here", "recipient_unknown", "code_enhanced", "error"},
	} {
		ev := smtp.Event{Kind: smtp.KindAnswer, Direction: c.dir, Stage: smtp.ParseStage([]byte(c.stage)), Reply: smtp.ParseReply([]byte(c.text))}
		got, ok := Event(&ev)
		if !ok || got.Cause.ID() != c.cause || got.Basis.String() != c.basis || got.Severity.String() != c.sev {
			t.Errorf("%s %s %q:\n got %s by %s, %s (%s)\nwant %s by %s, %s", c.dir, c.stage, c.text,
				got.Cause, got.Basis, got.Severity, entry(got), c.cause, c.basis, c.sev)
		}
	}
}

func entry(a Annotation) string { return knowledge.Load().Entry(a.Entry).ID }

// Goodbyes that nobody asked for.
func TestUnasked(t *testing.T) {
	for _, c := range []struct {
		stage smtp.Stage
		text  string
		entry string
	}{
		{smtp.StageQUIT, "221 Bye", "221-quit"},
		{smtp.StageNone, "221 Bye", "221-unasked"},
		{smtp.StageRCPT, "221 Bye", "221-unasked"},
		{smtp.StageNone, "421 Bye", "421-unasked"},
		{smtp.StageRCPT, "421 Bye", "421-mid-session"},
		{smtp.StageConnect, "421 Bye", "421-connect"},
	} {
		got, _ := Event(reply(c.stage, c.text))
		if entry(got) != c.entry {
			t.Errorf("%s %q: %s, want %s", c.stage, c.text, entry(got), c.entry)
		}
	}
	// A person who asks what 221 means is told of the polite one.
	if got := Reply(&Said{Code: 221}); entry(got) != "221" {
		t.Errorf("221 alone: %s", entry(got))
	}
}

// Lines without a reply: our own MTA tells what failed.
func TestWithoutReply(t *testing.T) {
	for _, c := range []struct {
		ev    smtp.Event
		text  string
		cause string
		sev   string
	}{
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Sent, Direction: own}, "delivered to maildir", "accepted", "info"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Expired, Direction: own}, "returned to sender", "expired", "error"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out}, "connect to mail.example.net[192.0.2.1]:25: Connection refused", "connection", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out}, "connect to spam.example.net[192.0.2.1]:25: No route to host", "connection", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out}, "Host or domain name not found. Name service error for name=example.net type=MX: Host not found, try again", "domain_not_found", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: out}, "Host or domain name not found. Name service error for name=example.net type=A: Host not found", "domain_not_found", "error"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: out}, "mail for example.net loops back to myself", "loop", "critical"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out}, "Server certificate not verified", "tls", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: own}, "unknown user: \"nobody\"", "recipient_unknown", "error"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: own}, "User unknown in virtual alias table", "recipient_unknown", "error"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out, DSN: smtp.EnhancedCode{4, 2, 2}}, "no words", "mailbox_full", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: own}, "mailbox is full (MTA-imposed quota exceeded while writing to tmp/x)", "mailbox_full", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Deferred, Direction: out}, "retry time not reached for any host for 'example.net'", "connection", "warning"},
		{smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: own}, "retry timeout exceeded", "expired", "error"},
		{smtp.Event{Kind: smtp.KindReject, Outcome: smtp.Rejected, Direction: in, Stage: smtp.StageRCPT}, "relay not permitted", "relay_denied", "info"},
		{smtp.Event{Kind: smtp.KindReject, Outcome: smtp.Rejected, Direction: in, Stage: smtp.StageRCPT}, "Unrouteable address", "recipient_unknown", "info"},
		{smtp.Event{Kind: smtp.KindReject, Outcome: smtp.Rejected, Direction: in, Stage: smtp.StageRCPT}, "Sender verify failed", "sender_rejected", "info"},
		{smtp.Event{Kind: smtp.KindReject, Outcome: smtp.Rejected, Direction: in, Stage: smtp.StageRCPT}, "host lookup failed (failed to find host name from IP address)", "reverse_dns", "info"},
		{smtp.Event{Kind: smtp.KindReject, Failed: true, Direction: in, Stage: smtp.StageConnect}, "too many connections", "rate_limited", "info"},
		{smtp.Event{Kind: smtp.KindFilter, Failed: true, Direction: in}, "ALLOWLIST VETO [192.0.2.1]:4711", "client_blocked", "info"},
		{smtp.Event{Kind: smtp.KindFilter, Failed: true, Direction: in}, "WHITELIST VETO [192.0.2.1]:4711", "client_blocked", "info"},
		{smtp.Event{Kind: smtp.KindWarning, Failed: true, Direction: in}, "192.0.2.1: hostname client.example.net verification failed: Name or service not known", "reverse_dns", "info"},
		{smtp.Event{Kind: smtp.KindWarning, Failed: true, Direction: in}, "192.0.2.1: hostname client.example.net verification failed: Temporary failure in name resolution", "reverse_dns", "info"},
		{smtp.Event{Kind: smtp.KindWarning, Failed: true, Direction: in}, "hostname client.example.net does not resolve to address 192.0.2.1: host not found, try again", "reverse_dns", "info"},
		{smtp.Event{Kind: smtp.KindAuth, Failed: true, Direction: in, Stage: smtp.StageAUTH}, "UGFzc3dvcmQ6", "login", "warning"},
		{smtp.Event{Kind: smtp.KindLost, Failed: true, Direction: in, Stage: smtp.StageDATA}, "", "connection", "info"},
		{smtp.Event{Kind: smtp.KindLost, Failed: true, Direction: in, Stage: smtp.StageSTARTTLS}, "", "tls", "warning"},
		{smtp.Event{Kind: smtp.KindTimeout, Failed: true, Direction: out}, "", "connection", "warning"},
		{smtp.Event{Kind: smtp.KindClosed, Failed: true, Direction: in}, "", "protocol", "info"},
		{smtp.Event{Kind: smtp.KindTLS, Failed: true, Direction: in, Stage: smtp.StageSTARTTLS}, "", "tls", "warning"},
		{smtp.Event{Kind: smtp.KindConnect, Failed: true, Direction: out}, "", "connection", "warning"},
	} {
		c.ev.Text = []byte(c.text)
		got, ok := Event(&c.ev)
		if !ok || got.Cause.ID() != c.cause || got.Severity.String() != c.sev {
			t.Errorf("%s %s %q: %s, %s (%s by %s); want %s, %s", c.ev.Kind, c.ev.Stage, c.text, got.Cause, got.Severity, entry(got), got.Basis, c.cause, c.sev)
		}
	}
}

// A reply that does not fit what came of it.
func TestOddReply(t *testing.T) {
	ev := smtp.Event{Kind: smtp.KindDelivery, Outcome: smtp.Bounced, Direction: out, Stage: smtp.StageRCPT,
		Reply: smtp.ParseReply([]byte("354 Go ahead")), DSN: smtp.EnhancedCode{5, 5, 0}}
	if got, _ := Event(&ev); entry(got) != "odd-reply" {
		t.Errorf("354 to RCPT: %s", entry(got))
	}
}

func TestLinesThatTellNothing(t *testing.T) {
	for _, ev := range []smtp.Event{
		{Kind: smtp.KindConnect},
		{Kind: smtp.KindDisconnect},
		{Kind: smtp.KindCommand, Stage: smtp.StageMAIL, Text: []byte("MAIL FROM:<spam@example.net>")},
		{Kind: smtp.KindReceived},
		{Kind: smtp.KindForeign, Text: []byte("user unknown")},
		{Kind: smtp.KindWarning, Failed: true, Text: []byte("the moon is full")},
	} {
		if got, ok := Event(&ev); ok {
			t.Errorf("%s %q: %s", ev.Kind, ev.Text, got.Cause)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte("550 5.1.1 <a@example.net>: User unknown"), []byte(""), uint8(smtp.StageRCPT), uint8(smtp.KindAnswer), uint8(0))
	f.Add([]byte(""), []byte("lost connection with mx"), uint8(0), uint8(smtp.KindLost), uint8(smtp.Deferred))
	f.Add([]byte("999 9.9.9"), []byte(nil), uint8(255), uint8(255), uint8(255))
	f.Fuzz(func(t *testing.T, text, note []byte, stage, kind, outcome uint8) {
		ev := smtp.Event{Kind: smtp.Kind(kind), Stage: smtp.Stage(stage), Outcome: smtp.Outcome(outcome), Failed: true,
			Direction: smtp.Direction(kind % 4), Reply: smtp.ParseReply(text), Text: note}
		a, ok := Event(&ev)
		if ok && (a.Cause.ID() == "" || a.Basis.String() == "" || int(a.Entry) >= len(knowledge.Load().Entries)) {
			t.Fatalf("%+v", a)
		}
	})
}
