package smtp

// Kind says what a line is about.
type Kind uint8

// The kinds of events.
const (
	KindUnknown      Kind = iota // of a format's own program, but not understood
	KindForeign                  // another program's line, or none of a mail server at all
	KindNotice                   // understood, says nothing of a session or a message: a start, statistics, settings, a log's continuation line
	KindWarning                  // a warning, error, fatal or panic of a mail program
	KindConnect                  // a connection was made
	KindHello                    // EHLO or HELO
	KindTLS                      // TLS came up, or failed to
	KindAuth                     // AUTH succeeded or failed
	KindCommand                  // a command as sent (transcripts, verbose logs); secrets are masked
	KindAnswer                   // a reply to a command (transcripts, verbose logs)
	KindReject                   // our server refused something, with or without a code in the log
	KindFilter                   // our server did something else to it: hold, discard, redirect, warn, greylist pass
	KindReceived                 // a message came in: Postfix client= and pickup, Exim <=
	KindMessage                  // more of a message in the queue: its Message-ID, sender, size
	KindAttempt                  // a try at one host failed; the recipient's fate is not decided by it
	KindDelivery                 // a recipient's fate at one attempt
	KindNotification             // a bounce, delay or delivery report was made: a new message of this one
	KindRemoved                  // the message left the queue: Postfix removed, Exim Completed
	KindLost                     // the connection was lost
	KindTimeout                  // the other side did not speak in time
	KindClosed                   // our server hung up: too many errors, postscreen, an ACL's drop
	KindDisconnect               // the session is over
	numKinds
)

// NumKinds is the number of kinds, for tables that are indexed by one.
const NumKinds = int(numKinds)

var kindNames = [numKinds]string{
	"unknown", "foreign", "notice", "warning", "connect", "hello", "tls", "auth", "command", "answer", "reject", "filter",
	"received", "message", "attempt", "delivery", "notification", "removed", "lost", "timeout", "closed", "disconnect",
}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if k < numKinds {
		return kindNames[k]
	}
	return ""
}

// Format is the program family that wrote a line.
type Format uint8

// The formats.
const (
	FormatNone Format = iota
	FormatPostfix
	FormatExim
	FormatTranscript
	numFormats
)

var formatNames = [numFormats]string{"", "postfix", "exim", "transcript"}

// String returns the format's name in lower case, "" for none.
func (f Format) String() string {
	if f < numFormats {
		return formatNames[f]
	}
	return ""
}

// Direction says which side we are on. Inbound: we are the server and said the reply.
// Outbound: we are the client and the other side said it. Internal: no session at all,
// a delivery to a local mailbox or a step of the queue.
type Direction uint8

// The directions.
const (
	DirectionNone Direction = iota
	Inbound
	Outbound
	Internal
	numDirections
)

var directionNames = [numDirections]string{"", "inbound", "outbound", "internal"}

// String returns the direction's name in lower case, "" for none.
func (d Direction) String() string {
	if d < numDirections {
		return directionNames[d]
	}
	return ""
}

// Outcome is the fate that a line decides.
type Outcome uint8

// The outcomes. Expired is a bounce because the queue's patience ended. Discarded is a
// message that was accepted and thrown away on purpose.
const (
	OutcomeNone Outcome = iota
	Sent
	Deferred
	Bounced
	Expired
	Rejected
	Discarded
	numOutcomes
)

// NumOutcomes is the number of outcomes, for tables that are indexed by one.
const NumOutcomes = int(numOutcomes)

var outcomeNames = [numOutcomes]string{"", "sent", "deferred", "bounced", "expired", "rejected", "discarded"}

// String returns the outcome's name in lower case, "" for none.
func (o Outcome) String() string {
	if o < numOutcomes {
		return outcomeNames[o]
	}
	return ""
}

// EximFlag is the two-character flag of an Exim main-log line (Exim specification,
// chapter "Log files").
type EximFlag uint8

// The flags. EximRejected stands for Exim's own verdict lines, which show the word.
const (
	EximNone       EximFlag = iota
	EximArrival             // <=
	EximFakeReject          // (=
	EximDelivery            // =>
	EximAdditional          // ->
	EximCutthrough          // >>
	EximSuppressed          // *>
	EximFailed              // **
	EximDeferred            // ==
	EximCompleted
	EximRejected
	numEximFlags
)

var eximFlagNames = [numEximFlags]string{"", "<=", "(=", "=>", "->", ">>", "*>", "**", "==", "Completed", "rejected"}

// String returns the flag as Exim writes it, "" for none.
func (f EximFlag) String() string {
	if f < numEximFlags {
		return eximFlagNames[f]
	}
	return ""
}
