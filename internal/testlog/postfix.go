package testlog

// postfixDay is the day of a Postfix relay: mail for our users, mail from them, and all that a host with an open port 25 meets.
var postfixDay = day{
	scenes: []scene{
		{400, postfixInbound},
		{260, postfixOutbound},
		{60, postfixApplication},
		{75, postfixPasswordGuess},
		{30, postfixReject},
		{30, postfixScreened},
		{20, postfixLost},
		{6, postfixTimeout},
		{5, postfixNoise},
	},
	retry: postfixRetry,
}

// postfixRefused are the refusals at RCPT that a day sees, the most frequent first.
var postfixRefused = []string{
	"554 5.7.1 Service unavailable; Client host [%a] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/%a; from=<%f> to=<%t>",
	"554 5.7.1 <%t>: Relay access denied; from=<%f> to=<%t>",
	"550 5.1.1 <%t>: Recipient address rejected: User unknown in virtual mailbox table; from=<%f> to=<%t>",
	"450 4.2.0 <%t>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/corp.example.html; from=<%f> to=<%t>",
	"450 4.7.25 Client host rejected: cannot find your hostname, [%a]; from=<%f> to=<%t>",
	"504 5.5.2 <%h>: Helo command rejected: need fully-qualified hostname; from=<%f> to=<%t>",
	"450 4.1.8 <%f>: Sender address rejected: Domain not found; from=<%f> to=<%t>",
	"550 5.7.23 <%t>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why; from=<%f> to=<%t>",
}

// postfixAccepted is what remote servers say when they take a message.
var postfixAccepted = []string{
	"250 2.0.0 Ok: queued as %x",
	"250 2.0.0 OK  17732737%n %x - gsmtp",
	"250 2.6.0 <%m> [InternalId=1%n%p, Hostname=%R] 8%n4 bytes in 0.1%n, 61.%n KB/sec Queued mail for delivery",
	"250 OK id=1uP%x-0005JA-2M",
	"250 ok dirdel",
}

// postfixDeferred and postfixBounced are what they say when they do not, with Postfix's dsn before it.
var postfixDeferred = [][2]string{
	{"4.7.0", "host %r said: 421-4.7.0 [%A      15] Our system has detected an unusual rate of 421-4.7.0 unsolicited mail originating from your IP address. 421 4.7.0 review our Bulk Email Senders Guidelines. %x - gsmtp (in reply to end of DATA command)"},
	{"4.7.500", "host %r said: 451 4.7.500 Server busy. Please try again later from [192.0.2.10]. (S77714) [%R 2026-03-11T09:12:%n.000Z] (in reply to RCPT TO command)"},
	{"4.2.0", "host %r said: 450 4.2.0 <%t>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/%R.html (in reply to RCPT TO command)"},
	{"4.4.1", "connect to %r:25: Connection timed out"},
	{"4.4.2", "lost connection with %r while receiving the initial server greeting"},
	{"4.2.2", "host %r said: 452-4.2.2 The recipient's inbox is out of storage space. Please direct the 452-4.2.2 recipient to 452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp %x - gsmtp (in reply to RCPT TO command)"},
	{"4.7.0", "host %r refused to talk to me: 421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes"},
	{"4.4.3", "Host or domain name not found. Name service error for name=%R type=MX: Host not found, try again"},
}

var postfixBounced = [][2]string{
	{"5.1.1", "host %r said: 550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. 550 5.1.1  https://support.google.com/mail/?p=NoSuchUser %x - gsmtp (in reply to RCPT TO command)"},
	{"5.1.1", "host %r said: 550 5.1.1 <%t>: Recipient address rejected: User unknown (in reply to RCPT TO command)"},
	{"5.1.10", "host %r said: 550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup (in reply to end of DATA command)"},
	{"5.7.1", "host %r said: 550 5.7.1 Service unavailable, Client host [192.0.2.10] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.10 (AS3130) (in reply to MAIL FROM command)"},
	{"5.0.0", "host %r said: 550 permanent failure for one or more recipients (%t:blocked) (in reply to end of DATA command)"},
	{"5.4.4", "Host or domain name not found. Name service error for name=%R type=A: Host not found"},
}

// one picks from a list in which the first are the most frequent.
func one[T any](c *conversation, list []T) T { return list[c.g.rng.skewed(len(list))] }

func (c *conversation) postfixMessage(from, to mailbox) {
	c.message = message{id: c.g.newPostfixID(c.at), from: from, to: to, arrived: c.at, size: 900 + c.g.rng.skewed(200_000)}
}

// postfixQueued is what cleanup and the queue manager say of every new message.
func postfixQueued(c *conversation, recipients string) {
	c.log(8, cleanup, "%q: message-id=<%m>")
	c.log(15, qmgr, "%q: from=<%f>, size=%s, nrcpt="+recipients+" (queue active)")
}

func postfixInbound(c *conversation) {
	from := c.g.stranger()
	c.client = c.g.sender(from)
	c.log(0, smtpd, "connect from %c")
	tls := c.chance(60)
	if tls {
		c.log(40, smtpd, "Anonymous TLS connection established from %c: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
	}
	c.wait(60)
	c.postfixMessage(from, c.g.ours())
	if c.chance(4) {
		c.client.unnamed = c.chance(30)
	}
	c.log(0, smtpd, "%q: client=%c")
	if c.chance(1) {
		c.log(8, cleanup, "%q: message-id=<%m>")
		c.log(200, cleanup, "%q: milter-reject: END-OF-MESSAGE from %c: 5.7.1 Spam message rejected; from=<%f> to=<%t> proto=ESMTP helo=<%h>")
		c.log(5, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt=1 data=0/1 quit=1 commands=4/5")
		return
	}
	postfixQueued(c, "1")
	deliver := func() {
		c.log(20, virtual, "%q: to=<%t>, relay=virtual, %k, dsn=2.0.0, status=sent (delivered to maildir)")
		c.log(1, qmgr, "%q: removed")
	}
	late := c.chance(30) // the client may leave before the message is in its mailbox, or after
	if late {
		deliver()
	}
	if tls {
		c.log(30, smtpd, "disconnect from %c ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7")
	} else {
		c.log(30, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")
	}
	if !late {
		deliver()
	}
}

func postfixOutbound(c *conversation) {
	c.client = c.g.desk()
	c.log(0, submission, "connect from %c")
	c.log(30, submission, "Anonymous TLS connection established from %c: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
	c.wait(80)
	c.postfixMessage(c.g.ours(), c.g.stranger())
	c.log(0, submission, "%q: client=%c, sasl_method=PLAIN, sasl_username=%u")
	postfixQueued(c, "1")
	c.log(30, submission, "disconnect from %c ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8")
	postfixTry(c)
}

// postfixApplication is a machine of ours that sends one message to several people.
func postfixApplication(c *conversation) {
	c.client = c.g.app()
	c.log(0, smtpd, "connect from %c")
	c.postfixMessage(c.g.ours(), c.g.stranger())
	c.log(3, smtpd, "%q: client=%c")
	n := 1 + c.g.rng.skewed(6)
	postfixQueued(c, string(rune('0'+n)))
	c.log(10, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt="+string(rune('0'+n))+" data=1 quit=1 commands="+string(rune('4'+n)))
	for range n - 1 {
		c.log(100, smtp, "%q: to=<%t>, relay=%r:25, %d, dsn=2.0.0, status=sent (")
		c.add(one(c, postfixAccepted))
		c.add(")")
		c.message.to = c.g.stranger()
	}
	postfixTry(c)
}

// postfixTry is one attempt to deliver to a remote server.
func postfixTry(c *conversation) {
	fate := c.g.rng.below(100)
	if c.message.tries > 0 { // what was deferred once is likely to be deferred again
		fate -= 45
	}
	switch {
	case fate < 6:
		if c.message.tries == 0 {
			c.message.why = c.g.rng.skewed(len(postfixDeferred))
		}
		postfixDefer(c)
		return
	case fate < 9:
		postfixBounce(c)
	default:
		if c.chance(70) {
			c.log(120, smtp, "Trusted TLS connection established to %r:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256")
		}
		c.log(300, smtp, "%q: to=<%t>, relay=%r:25, %d, dsn=2.0.0, status=sent (")
		c.add(one(c, postfixAccepted))
		c.add(")")
	}
	c.log(1, qmgr, "%q: removed")
}

func postfixDefer(c *conversation) {
	why := postfixDeferred[c.message.why]
	relay := "%r:25"
	if why[0] == "4.4.1" || why[0] == "4.4.3" { // nobody was reached
		relay = "none"
	}
	if why[0] == "4.4.1" {
		c.log(30_000, smtp, "connect to %r:25: Connection timed out")
	}
	c.log(300, smtp, "%q: to=<%t>, relay="+relay+", %d, dsn="+why[0]+", status=deferred (")
	c.add(why[1])
	c.add(")")
	if c.later() {
		return
	}
	c.log(3, qmgr, "%q: from=<%f>, status=expired, returned to sender")
	postfixNotify(c)
	c.log(1, qmgr, "%q: removed")
}

func postfixBounce(c *conversation) {
	why := one(c, postfixBounced)
	relay := "%r:25"
	if why[0] == "5.4.4" {
		relay = "none"
	}
	c.log(400, smtp, "%q: to=<%t>, relay="+relay+", %d, dsn="+why[0]+", status=bounced (")
	c.add(why[1])
	c.add(")")
	postfixNotify(c)
}

// postfixNotify is the notification to the sender: a message of its own with the null reverse-path.
func postfixNotify(c *conversation) {
	about := c.message
	c.postfixMessage(nobody, about.from)
	notice := c.message
	c.log(2, cleanup, "%q: message-id=<%m>")
	c.message, c.other = about, notice.id
	c.log(2, bounce, "%q: sender non-delivery notification: %Q")
	c.message = notice
	c.log(2, qmgr, "%q: from=<>, size=%s, nrcpt=1 (queue active)")
	c.log(10, virtual, "%q: to=<%t>, relay=virtual, %k, dsn=2.0.0, status=sent (delivered to maildir)")
	c.log(1, qmgr, "%q: removed")
	c.message = about
}

func postfixRetry(c *conversation) {
	c.log(0, qmgr, "%q: from=<%f>, size=%s, nrcpt=1 (queue active)")
	postfixTry(c)
}

func postfixPasswordGuess(c *conversation) {
	c.client = c.g.bot()
	c.message.from = c.g.ours()
	c.log(0, submission, "connect from %c")
	if c.chance(50) {
		c.log(900, submission, "warning: %c: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=%u")
	} else {
		c.log(900, submission, "warning: %c: SASL PLAIN authentication failed: authentication failure, sasl_username=%u")
	}
	if c.chance(10) {
		c.log(50, submission, "lost connection after AUTH from %c")
		c.log(0, submission, "disconnect from %c ehlo=1 auth=0/1 commands=1/2")
		return
	}
	c.log(50, submission, "disconnect from %c ehlo=1 auth=0/1 quit=1 commands=2/3")
}

func postfixReject(c *conversation) {
	c.message.from, c.message.to = c.g.stranger(), c.g.ours()
	c.client = c.g.sender(c.message.from)
	if c.chance(50) {
		c.client = c.g.bot()
	}
	c.log(0, smtpd, "connect from %c")
	if c.chance(5) {
		c.log(80, smtpd, "NOQUEUE: reject: MAIL from %c: 552 5.3.4 Message size exceeds fixed limit; proto=ESMTP helo=<%h>")
		c.log(30, smtpd, "disconnect from %c ehlo=1 mail=0/1 quit=1 commands=2/3")
		return
	}
	c.log(80, smtpd, "NOQUEUE: reject: RCPT from %c: ")
	c.add(one(c, postfixRefused))
	c.add(" proto=ESMTP helo=<%h>")
	if c.chance(30) {
		c.log(20, smtpd, "lost connection after RCPT from %c")
		c.log(0, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt=0/1 commands=2/3")
		return
	}
	c.log(30, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

// postfixScreened is a client that postscreen looks at before an SMTP server does.
func postfixScreened(c *conversation) {
	c.client = c.g.bot()
	c.message.from, c.message.to = c.g.stranger(), c.g.ours()
	c.log(0, postscreen, "CONNECT from [%a]:%o to [192.0.2.10]:25")
	switch c.g.rng.below(5) {
	case 0:
		c.log(2, postscreen, "PASS OLD [%a]:%o")
		c.log(5, smtpd, "connect from %c")
		c.log(60, smtpd, "disconnect from %c ehlo=1 quit=1 commands=2")
	case 1:
		c.log(200, postscreen, "PREGREET 18 after 0.1%n from [%a]:%o: EHLO %h\\r\\n")
		c.log(900, postscreen, "DISCONNECT [%a]:%o")
	case 2:
		c.log(1500, postscreen, "HANGUP after 1.%n from [%a]:%o in tests before SMTP handshake")
		c.log(0, postscreen, "DISCONNECT [%a]:%o")
	default:
		c.log(6000, postscreen, "DNSBL rank 6 for [%a]:%o")
		c.log(400, postscreen, "NOQUEUE: reject: RCPT from [%a]:%o: 550 5.7.1 Service unavailable; client [%a] blocked using zen.spamhaus.org; from=<%f>, to=<%t>, proto=ESMTP, helo=<%h>")
		c.log(100, postscreen, "DISCONNECT [%a]:%o")
	}
}

// postfixLost are clients that go away, with what they had done by then.
func postfixLost(c *conversation) {
	c.client = c.g.bot()
	c.log(0, smtpd, "connect from %c")
	after := one(c, [][2]string{{"CONNECT", "commands=0/0"}, {"EHLO", "ehlo=1 commands=1"}, {"STARTTLS", "ehlo=1 starttls=1 commands=2"},
		{"UNKNOWN", "unknown=0/1 commands=0/1"}, {"MAIL", "ehlo=1 mail=1 commands=2"}})
	if after[0] == "STARTTLS" {
		c.log(30, smtpd, "SSL_accept error from %c: lost connection")
	}
	c.log(500, smtpd, "lost connection after "+after[0]+" from %c")
	c.log(0, smtpd, "disconnect from %c "+after[1])
}

func postfixTimeout(c *conversation) {
	c.client = c.g.bot()
	c.log(0, smtpd, "connect from %c")
	if c.chance(50) {
		c.log(300_000, smtpd, "timeout after END-OF-MESSAGE from %c")
		c.log(0, smtpd, "disconnect from %c ehlo=1 mail=1 rcpt=1 data=1 commands=4")
		return
	}
	c.log(2000, smtpd, "too many errors after AUTH from %c")
	c.log(0, smtpd, "disconnect from %c ehlo=1 auth=0/10 commands=1/11")
}

// postfixNoise is what else stands in a mail log.
func postfixNoise(c *conversation) {
	c.client = c.g.bot()
	switch c.g.rng.below(4) {
	case 0:
		c.log(0, anvil, "statistics: max connection rate 3/60s for (smtp:%a) at Mar 11 09:%n:12")
		c.log(0, anvil, "statistics: max cache size %n at Mar 11 09:12:%n")
	case 1:
		c.log(0, smtpd, "warning: hostname %h does not resolve to address %a: Name or service not known")
		c.log(0, smtpd, "connect from %c")
		c.log(60, smtpd, "disconnect from %c helo=1 quit=1 commands=2")
	case 2:
		c.log(0, smtpd, "connect from %c")
		c.log(60, smtpd, "improper command pipelining after EHLO from %c: QUIT\\r\\n")
		c.log(60, smtpd, "disconnect from %c ehlo=1 quit=1 commands=2")
	default:
		c.log(0, cron, "(root) CMD (test -x /usr/sbin/anacron)")
	}
}
