package knowledge

import "github.com/mailwhy/mailwhy/parsers/smtp"

// Cause is what a reply or a failure comes down to: the name under which a report
// counts it and gives its advice.
type Cause uint8

// The causes. Unknown is the zero value: a reply of which nothing is recognised but its
// code. The others stand in the order in which people are shown them.
const (
	Unknown Cause = iota
	Accepted
	InProgress
	RecipientUnknown
	RecipientMoved
	MailboxDisabled
	MailboxFull
	RecipientRefused
	DomainNotFound
	DomainNoMail
	SenderRejected
	AuthDMARC
	ReverseDNS
	Blocklisted
	Reputation
	ClientBlocked
	RateLimited
	Greylisted
	SpamContent
	Malware
	Policy
	TooLarge
	Malformed
	RelayDenied
	Login
	TLS
	Protocol
	Connection
	Loop
	ServerTrouble
	Expired
	numCauses
)

// NumCauses is the number of causes, for tables that are indexed by one.
const NumCauses = int(numCauses)

// causeIDs are the names in machine-readable output, a promise to users' pipelines.
var causeIDs = [numCauses]string{
	"unknown", "accepted", "in_progress", "recipient_unknown", "recipient_moved", "mailbox_disabled", "mailbox_full",
	"recipient_refused", "domain_not_found", "domain_no_mail", "sender_rejected", "auth_dmarc", "reverse_dns",
	"blocklisted", "reputation", "client_blocked", "rate_limited", "greylisted", "spam_content", "malware", "policy",
	"too_large", "malformed", "relay_denied", "login", "tls", "protocol", "connection", "loop", "server_trouble", "expired",
}

// ID returns the cause's name in machine-readable output.
func (c Cause) ID() string { return nameOf(causeIDs[:], c) }

// String is ID.
func (c Cause) String() string { return c.ID() }

// CauseByID finds a cause by its machine-readable name.
func CauseByID(id string) (Cause, bool) { return byName[Cause](causeIDs[:], id) }

// Causes returns all causes in the order in which people are shown them: the successes
// first, Unknown last.
func Causes() []Cause {
	all := make([]Cause, 0, NumCauses)
	for c := Unknown + 1; c < numCauses; c++ {
		all = append(all, c)
	}
	return append(all, Unknown)
}

// Severity says how loudly a report speaks of a cause.
type Severity uint8

// The severities, rising.
const (
	Info Severity = iota
	Warning
	Error
	Critical
	numSeverities
)

// NumSeverities is the number of severities, for tables that are indexed by one.
const NumSeverities = int(numSeverities)

var severityIDs = [numSeverities]string{"info", "warning", "error", "critical"}

// String returns the severity's machine-readable name.
func (s Severity) String() string { return nameOf(severityIDs[:], s) }

// Severity is the cause's severity for one permanent (5yz) reply of another server to us.
func (c Cause) Severity() Severity { return Load().cause(c).severity }

// Severity is the severity of one reply. A 4yz form of an error or of something
// critical is one step lower, because the queue tries again. Inbound, where our own
// server said it, most refusals are the stranger's trouble and not ours.
func (b *Base) Severity(c Cause, inbound, transient bool) Severity {
	facts := b.cause(c)
	if inbound {
		return facts.inbound
	}
	if transient && facts.severity >= Error {
		return facts.severity - 1
	}
	return facts.severity
}

// Actor says who can do something about a cause, by role. Which role is ours depends on
// the direction; Words.Side says it.
type Actor uint8

// The actors.
const (
	Nobody Actor = iota
	SenderUser
	SendingAdmin
	ReceivingAdmin
	Recipient
	numActors
)

var actorIDs = [numActors]string{"nobody", "sender_user", "sending_admin", "receiving_admin", "recipient"}

// String returns the actor's machine-readable name.
func (a Actor) String() string { return nameOf(actorIDs[:], a) }

// Actors returns all actors.
func Actors() []Actor { return []Actor{Nobody, SenderUser, SendingAdmin, ReceivingAdmin, Recipient} }

// Actor returns who can do something about the cause.
func (c Cause) Actor() Actor { return Load().cause(c).actor }

// ActorOf returns who can do something about the cause where d says whose server told
// of it: inbound ours.
func (c Cause) ActorOf(d smtp.Direction) Actor {
	if d == smtp.Inbound {
		return Load().cause(c).inboundActor
	}
	return c.Actor()
}

// Permanence says how long a cause lasts.
type Permanence uint8

// The permanences. Policy is formally 4yz or 5yz, but it ends when somebody changes
// something and not by waiting. ByDigit leaves it to the first digit of the reply.
const (
	Success Permanence = iota
	Transient
	Permanent
	ByPolicy
	ByDigit
	numPermanences
)

var permanenceIDs = [numPermanences]string{"success", "transient", "permanent", "policy", "by_digit"}

// String returns the permanence's machine-readable name.
func (p Permanence) String() string { return nameOf(permanenceIDs[:], p) }

// Permanence returns how long the cause usually lasts.
func (c Cause) Permanence() Permanence { return Load().cause(c).permanence }

// nameOf returns the name of an enumerated value, "" beyond the last.
func nameOf[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return ""
}

// byName is the way back from a name to its value.
func byName[T ~uint8](names []string, name string) (T, bool) {
	for i, n := range names {
		if n == name && name != "" {
			return T(i), true
		}
	}
	return 0, false
}
