package testlog

// eximDay is the day of an Exim server with the default log_selector, as its main log tells it.
var eximDay = day{
	scenes: []scene{
		{430, eximInbound},
		{330, eximOutbound},
		{90, eximReject},
		{60, eximPasswordGuess},
		{50, eximLost},
		{20, eximNoise},
	},
	retry: eximRetry,
}

var eximRefused = []string{
	"F=<%f> rejected RCPT <%t>: 550 5.7.1 %a is listed at zen.spamhaus.org (127.0.0.10: https://www.spamhaus.org/query/ip/%a)",
	"F=<%f> rejected RCPT <%t>: relay not permitted",
	"F=<%f> rejected RCPT <%t>: Unrouteable address",
	"F=<%f> temporarily rejected RCPT <%t>: 451 4.7.1 Greylisted, please try again in 5 minutes",
	"sender verify fail for <%f>: Unrouteable address",
	"F=<%f> rejected RCPT <%t>: Sender verify failed",
	"rejected MAIL <%f>: 550 5.7.1 Impersonation attempt",
	"F=<%f> rejected RCPT <%t>: 550 5.7.25 Client host rejected: cannot find your hostname, [%a]",
}

var eximAccepted = []string{
	"250 2.0.0 Ok: queued as %x",
	"250 2.0.0 OK  17732737%n %x - gsmtp",
	"250 2.6.0 <%m> [InternalId=1%n%p, Hostname=%R] 8%n4 bytes in 0.1%n, 61.%n KB/sec Queued mail for delivery",
	"250 OK id=1uP%x-0005JA-2M",
	"250 ok , completed",
}

// eximDeferred and eximBounced are the ends of delivery lines. Exim prints the line ends of a long reply as \n.
var eximDeferred = []string{
	"SMTP error from remote mail server after RCPT TO:<%t>: 451 4.7.500 Server busy. Please try again later from [192.0.2.10]. (S77714) [%R]",
	"SMTP error from remote mail server after pipelined MAIL FROM:<%f> SIZE=%s: 421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1",
	"SMTP error from remote mail server after RCPT TO:<%t>: 450 4.2.0 <%t>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/%R.html",
	`SMTP error from remote mail server after pipelined end of data: 421-4.7.0 [192.0.2.10      15] Our system has detected an unusual rate of\n421-4.7.0 unsolicited mail originating from your IP address.\n421 4.7.0 review our Bulk Email Senders Guidelines. %x - gsmtp`,
	`SMTP error from remote mail server after RCPT TO:<%t>: 452-4.2.2 The recipient's inbox is out of storage space. Please direct the\n452-4.2.2 recipient to\n452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp %x - gsmtp`,
	"Remote host closed connection in response to initial connection",
}

var eximBounced = []string{
	`SMTP error from remote mail server after RCPT TO:<%t>: 550-5.1.1 The email account that you tried to reach does not exist. Please try\n550-5.1.1 double-checking the recipient's email address for typos or\n550-5.1.1 unnecessary spaces.\n550 5.1.1  https://support.google.com/mail/?p=NoSuchUser %x - gsmtp`,
	"SMTP error from remote mail server after RCPT TO:<%t>: 550 5.1.1 <%t>: Recipient address rejected: User unknown",
	"SMTP error from remote mail server after pipelined end of data: 550 permanent failure for one or more recipients (%t:blocked)",
	"SMTP error from remote mail server after pipelined MAIL FROM:<%f> SIZE=%s: 550 5.7.1 Service unavailable, Client host [192.0.2.10] blocked using Spamhaus. (AS3130)",
}

func (c *conversation) eximMessage(from, to mailbox) {
	c.message = message{id: c.g.newEximID(c.at), from: from, to: to, arrived: c.at, size: 900 + c.g.rng.skewed(200_000)}
}

func eximInbound(c *conversation) {
	from := c.g.stranger()
	c.client = c.g.sender(from)
	if c.chance(4) {
		c.client = c.g.bot()
		c.log(0, noDaemon, "no host name found for IP address %a")
	}
	c.eximMessage(from, c.g.ours())
	if c.chance(2) {
		c.log(0, noDaemon, "%q H=%h [%a] F=<%f> rejected after DATA: 550 5.7.1 Message content rejected, spam")
		return
	}
	if c.chance(60) {
		c.log(0, noDaemon, "%q <= %f H=%h [%a] P=esmtps X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no S=%s id=%m")
	} else {
		c.log(0, noDaemon, "%q <= %f H=%h [%a] P=esmtp S=%s id=%m")
	}
	c.log(60, noDaemon, "%q => %l <%t> R=users_r T=maildir_t")
	c.log(1, noDaemon, "%q Completed")
}

func eximOutbound(c *conversation) {
	c.client = c.g.desk()
	c.eximMessage(c.g.ours(), c.g.stranger())
	c.log(0, noDaemon, "%q <= %f H=%h [%a] P=esmtpsa X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no A=plain_server:%u S=%s id=%m")
	if c.chance(10) {
		eximSent(c, "->")
		c.message.to = c.g.stranger()
	}
	eximTry(c)
}

func eximSent(c *conversation, flag string) {
	c.log(400, noDaemon, "%q "+flag+" %t R=dnslookup T=remote_smtp H=%R [%A] ")
	if c.chance(70) {
		c.add("X=TLS1.3:ECDHE_SECP256R1__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes ")
	}
	c.add(`C="`)
	c.add(one(c, eximAccepted))
	c.add(`"`)
}

func eximTry(c *conversation) {
	fate := c.g.rng.below(100)
	if c.message.tries > 0 {
		fate -= 45
	}
	switch {
	case fate < 10:
		if c.message.tries == 0 {
			c.message.why = c.g.rng.skewed(len(eximDeferred))
		}
		eximDefer(c)
		return
	case fate < 15:
		c.log(400, noDaemon, "%q ** %t R=dnslookup T=remote_smtp H=%R [%A]: ")
		c.add(one(c, eximBounced))
		eximNotify(c)
	case fate < 16:
		c.log(30, noDaemon, "%q ** %t: Unrouteable address")
		eximNotify(c)
	default:
		eximSent(c, "=>")
	}
	c.log(1, noDaemon, "%q Completed")
}

func eximDefer(c *conversation) {
	why := eximDeferred[c.message.why]
	if c.chance(40) { // another of its hosts was asked first
		c.log(300, noDaemon, "%q H=%R [%A]: ")
		c.add(why)
	}
	c.log(300, noDaemon, "%q == %t R=dnslookup T=remote_smtp defer (-44) H=%R [%A]: ")
	c.add(why)
	if c.later() {
		return
	}
	c.log(1, noDaemon, "%q ** %t: retry timeout exceeded")
	eximNotify(c)
	c.log(1, noDaemon, "%q Completed")
}

func eximNotify(c *conversation) {
	about := c.message
	c.eximMessage(nobody, about.from)
	c.other = about.id
	c.log(5, noDaemon, "%q <= <> R=%Q U=Debian-exim P=local S=%s")
	c.log(40, noDaemon, "%q => %l <%t> R=users_r T=maildir_t")
	c.log(1, noDaemon, "%q Completed")
	c.message = about
}

func eximRetry(c *conversation) {
	if c.chance(20) {
		c.log(0, noDaemon, "%q == %t R=dnslookup T=remote_smtp defer (-53): retry time not reached for any host for '%R'")
	}
	eximTry(c)
}

func eximReject(c *conversation) {
	c.message.from, c.message.to = c.g.stranger(), c.g.ours()
	c.client = c.g.sender(c.message.from)
	c.log(0, noDaemon, "H=%h [%a] ")
	c.add(one(c, eximRefused))
}

func eximPasswordGuess(c *conversation) {
	c.client = c.g.bot()
	c.message.from = c.g.ours()
	mechanism := one(c, []string{"login_server", "plain_server"})
	c.log(0, noDaemon, mechanism+" authenticator failed for (%h) [%a]: 535 Incorrect authentication data (set_id=%u)")
}

func eximLost(c *conversation) {
	c.client = c.g.bot()
	c.message.from = c.g.stranger()
	c.log(0, noDaemon, one(c, []string{
		"unexpected disconnection while reading SMTP command from (%h) [%a] D=%ns",
		"SMTP command timeout on connection from (%h) [%a] D=5m%ns",
		"TLS error on connection from (%h) [%a] (gnutls_handshake): An unexpected TLS packet was received.",
		"SMTP call from (%h) [%a] dropped: too many syntax or protocol errors (last command was \"XYZZY\", C=EHLO,EHLO,RCPT)",
		"SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[%a] input=\"EHLO %h\\r\\n\"",
		"rejected EHLO from [%a]: syntactically invalid argument(s): (no argument given)",
		"Connection from [%a] refused: too many connections from that IP address",
	}))
}

func eximNoise(c *conversation) {
	switch c.g.rng.below(2) {
	case 0:
		c.log(0, noDaemon, "Start queue run: pid=%p")
		c.log(300, noDaemon, "End queue run: pid=%p")
	default:
		c.eximMessage(c.g.stranger(), c.g.ours())
		c.log(0, noDaemon, "%q Spool file for %q is locked (another process is handling this message)")
	}
}
