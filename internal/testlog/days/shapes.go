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
	Restart     What = "restart" // none, but a candidate for what began one
)

// say is what a delivery that fails says.
type say struct {
	dsn   string
	stage string // in reply to
	text  string // the reply; %t is the recipient, %d its domain, %h the host
	local string // what our own MTA says where there is no reply
	at    string // the host, where it is not the recipient's
	errno int    // Exim's
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
	FilterDown: {outcome: "deferred", say: []say{{dsn: "4.4.1", local: "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused", errno: 111, exim: "Connection refused"}}},
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
}
