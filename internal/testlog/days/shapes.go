package days

// What is what goes wrong.
type What string

// What may be planted.
const (
	Throttle    What = "throttle"
	DNS         What = "dns"
	Blocklist   What = "blocklist"
	RemoteDown  What = "remote_down"
	TLS         What = "tls"
	FullBoxes   What = "mailbox_full"
	Greylisting What = "greylisting"
	RelayLogin  What = "relay_login"
	FilterDown  What = "filter_down" // deliveries to the content filter
	BruteForce  What = "bruteforce"
	SpamWave    What = "spam_wave"
	DiskFull    What = "disk_full"
	MilterDown  What = "milter_down"
	CertExpired What = "cert_expired"
	Stopped     What = "stopped"
	SpamRun     What = "spam_run"
	DeadList    What = "dead_list"

	ThrottleGoogle What = "throttle_google"
	ThrottleYahoo  What = "throttle_yahoo" // in the greeting
	Handshake      What = "tls_handshake"  // with somebody else's server
	RelayDenied    What = "relay_denied"   // the relay that takes all our mail does not know us any more
	MailboxDown    What = "lmtp_down"      // deliveries to mailboxes here
	QuotaHere      What = "quota_here"     // likewise
	LookupFailure  What = "lookup_failure" // our own tables cannot be read
	ConfigError    What = "config_error"   // likewise
	AccessDenied   What = "access_denied"  // our own rule refuses everybody
	UsersUnknown   What = "users_unknown"  // our own list of mailboxes is empty
	OursDenied     What = "ours_denied"    // our own domain is none any more

	Restart What = "restart" // none, but a candidate for what began one
)

// say is what a delivery that fails says.
type say struct {
	dsn   string
	stage string // in reply to
	text  string // the reply; %t is the recipient, %d its domain, %h the host
	local string // what our own MTA says where there is no reply
	at    string // the host, where it is not the recipient's
	errno int    // Exim's
	hello bool   // the text is the greeting
	exim  string // what Exim says where it is something else
}

// shape is how an incident of deliveries looks.
type shape struct {
	outcome string
	say     []say
	once    bool // each message meets it once
}

var (
	unknownUser = say{dsn: "5.1.1", stage: "RCPT TO", text: "550 5.1.1 <%t>: Recipient address rejected: User unknown"}
	greylisted  = say{dsn: "4.2.0", stage: "RCPT TO", text: "450 4.2.0 <%t>: Recipient address rejected: Greylisted, see http://postgrey.example/help/%d.html"}
	mailboxFull = say{dsn: "4.2.2", stage: "RCPT TO", text: "452 4.2.2 The recipient's inbox is out of storage space"}
	timedOut    = say{dsn: "4.4.1", local: "connect to %h:25: Connection timed out", errno: 110, exim: "Connection timed out"}
	spam        = say{dsn: "5.7.1", stage: "end of DATA", text: "550 5.7.1 This message looks too much like spam to accept"}
)

var shapes = map[What]shape{
	Throttle:  {outcome: "deferred", say: []say{{dsn: "4.7.500", stage: "MAIL FROM", text: "451 4.7.500 Server busy. Please try again later from [192.0.2.10]. (S77714) [AM4EUR05FT009.eop-EUR05.prod.protection.outlook.com]"}}},
	DNS:       {outcome: "deferred", say: []say{{dsn: "4.4.3", local: "Host or domain name not found. Name service error for name=%d type=MX: Host not found, try again", errno: -1, exim: "host lookup did not complete"}}},
	Blocklist: {outcome: "bounced", say: []say{{dsn: "5.7.1", stage: "MAIL FROM", text: "550 5.7.1 Service unavailable, Client host [192.0.2.10] blocked using Spamhaus. To request removal from this list see https://www.spamhaus.org/query/ip/192.0.2.10 (AS3130)"}}},
	RemoteDown: {outcome: "deferred", say: []say{
		{dsn: "4.4.1", local: "connect to %h:25: Connection timed out", errno: 110, exim: "Connection timed out"},
		{dsn: "4.4.1", local: "connect to %h:25: Connection refused", errno: 111, exim: "Connection refused"},
	}},
	TLS:         {outcome: "deferred", say: []say{{dsn: "4.7.5", local: "Server certificate not verified", at: "%h", errno: -37, exim: "TLS session: (certificate verification failed): certificate has expired"}}},
	FullBoxes:   {outcome: "deferred", say: []say{mailboxFull}},
	Greylisting: {outcome: "deferred", say: []say{greylisted}, once: true},
	RelayLogin: {outcome: "deferred", say: []say{{dsn: "4.7.8", local: "SASL authentication failed; server relay.isp.example[192.0.2.200] said: 535 5.7.8 Error: authentication failed", at: "relay.isp.example[192.0.2.200]",
		errno: -42, exim: "authentication failed"}}},
	ThrottleGoogle: {outcome: "deferred", say: []say{{dsn: "4.7.28", stage: "end of DATA", text: "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address. To protect our users from spam, mail sent from your IP address has been temporarily rate limited. For more information, go to https://support.google.com/mail/?p=UnsolicitedRateLimitError - gsmtp"}}},
	ThrottleYahoo:  {outcome: "deferred", say: []say{{dsn: "4.7.0", hello: true, text: "421 4.7.0 [TSS04] Messages from 192.0.2.10 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes"}}},
	Handshake:      {outcome: "deferred", say: []say{{dsn: "4.7.5", local: "Cannot start TLS: handshake failure", at: "%h", errno: -37, exim: "TLS session: (SSL_connect): error:0A000410:SSL routines::sslv3 alert handshake failure"}}},
	RelayDenied:    {outcome: "bounced", say: []say{{dsn: "5.7.1", stage: "RCPT TO", text: "554 5.7.1 <%t>: Relay access denied"}}},
	FilterDown:     {outcome: "deferred", say: []say{{dsn: "4.4.1", local: "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused", errno: 111, exim: "Connection refused"}}},
}

// refusal is how our server refuses.
type refusal struct {
	stage  string
	text   string
	exim   string
	milter bool
	withTo bool
}

var (
	relaying = refusal{stage: "RCPT", text: "554 5.7.1 <%t>: Relay access denied", exim: "rejected RCPT <%t>: relay not permitted", withTo: true}
	listed   = refusal{stage: "RCPT", text: "554 5.7.1 Service unavailable; Client host [%a] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/%a", exim: "rejected RCPT <%t>: 550 5.7.1 %a is listed at zen.spamhaus.org", withTo: true}
)

var refusals = map[What]refusal{
	DiskFull:    {stage: "MAIL", text: "452 4.3.1 Insufficient system storage", exim: "temporarily rejected MAIL <%f>: space shortage"},
	MilterDown:  {stage: "RCPT", text: "451 4.7.1 Service unavailable - try again later", exim: "temporarily rejected RCPT <%t>: 451 Temporary local problem - please try later", milter: true, withTo: true},
	CertExpired: {},

	LookupFailure: {stage: "RCPT", text: "451 4.3.0 <%t>: Temporary lookup failure", exim: "temporarily rejected RCPT <%t>: lookup of \"SELECT 1\" gave DEFER: MYSQL connection failed: Can't connect to MySQL server on 'db.corp.example' (111)", withTo: true},
	ConfigError:   {stage: "RCPT", text: "451 4.3.5 Server configuration error", exim: "temporarily rejected RCPT <%t>: local configuration problem", withTo: true},
	AccessDenied:  {stage: "RCPT", text: "554 5.7.1 <%t>: Recipient address rejected: Access denied", exim: "rejected RCPT <%t>: Administrative prohibition", withTo: true},
	UsersUnknown:  {stage: "RCPT", text: "550 5.1.1 <%t>: Recipient address rejected: User unknown in local recipient table", exim: "rejected RCPT <%t>: Unrouteable address", withTo: true},
	OursDenied:    {stage: "RCPT", text: "454 4.7.1 <%t>: Relay access denied", exim: "rejected RCPT <%t>: relay not permitted", withTo: true},
}

// heres is what deliveries to mailboxes here fail of.
var heres = map[What]say{
	MailboxDown: {dsn: "4.4.1", local: "connect to mx1.corp.example[private/dovecot-lmtp]: Connection refused", errno: 111, exim: "LMTP connection to /run/dovecot/lmtp failed: Connection refused"},
	QuotaHere:   {dsn: "4.2.2", local: "maildir delivery failed: error writing message: Disk quota exceeded", errno: -22, exim: "mailbox is full (MTA-imposed quota exceeded while writing to tmp/)"},
}
