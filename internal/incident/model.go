package incident

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Report is what was found in a log. All times in it are in the zone of the log.
type Report struct {
	Coverage  summary.Coverage
	Incidents []*Incident   // worst first; none where nothing was abnormal
	Asked     *Asked        // the window that the user named; nil where the windows were looked for
	Whole     Counts        // all of the log, for comparison
	Width     time.Duration // of the buckets in which was counted: how fine an incident can be seen
	Gaps      []Gap         // in which no line was logged though there should be some
	Jumps     []Jump        // places where the time goes back
	Strays    []Stray       // lines whose stamps are wrong
	Hosts     []string      // the machines that logged, as their lines say
	Server    []Mark        // what the lines tell of the server itself, where they tell of no mail at all
	Thin      bool          // the log is too short or has too little in it to say what is normal
	Dropped   Dropped
}

// Asked is a window that the user named.
type Asked struct {
	Since, Until time.Time // zero: from the beginning, to the end
	Cause        knowledge.Cause
	AnyCause     bool // no cause was named: the one with the most trouble is shown, or several
}

// Incident is a window in which something was abnormal.
type Incident struct {
	ID        int // 1, 2, … the worst first
	Kind      Kind
	Start     time.Time // the first line of it
	End       time.Time // the last sign of it: its last line; of a flow that stopped, when it went on
	Status    Status
	OpenStart bool // the log begins inside of it: it may be older
	OpenEnd   bool // the log ends inside of it
	GapBefore *Gap // in which it may have begun; nil for none
	GapAfter  *Gap // in which it may have gone on, and ended
	Peak      time.Time
	PeakCount int64         // lines of it in the worst bucket, which begins at Peak
	PeakWidth time.Duration // how long that bucket is
	Recovered time.Time     // the first delivery that succeeded after End, of those that were hit; zero: none seen
	Direction smtp.Direction
	Cause     knowledge.Cause
	Severity  knowledge.Severity
	Provider  knowledge.Provider // the only one that is hit, where that is a known one
	Party     string             // that one's name, or the domain, or the relay; "" where several are hit or none is to be told
	Scope     Scope
	Stage     smtp.Stage
	Replies   []Reply      // the most frequent first: Replies[0] is the dominant one; none where a flow stopped
	Causes    []CauseCount // all causes in it, the most frequent first; more than one where they came and went together
	Impact    Impact
	Usual     Usual
	Timeline  Timeline
	Hit       Hit
	Spared    []Flow    // what kept working meanwhile
	Triggers  []Trigger // what was new just before: correlation, not cause
	Evidence  []Line    // some of its lines, in the order of time; the first is the first one
	Example   *Example  // one message that was hit; nil where there is none
	Gaps      []Gap     // of Report.Gaps, those in its timeline
	Jumps     []Jump    // of Report.Jumps, those from it or into it
	Commands  []Command // by which its figures can be had again
	Partial   int64     // lines of it whose recipients, hosts and senders were given up for want of room: Impact's and Hit's figures of those are too low
}

// Kind is what kind of abnormal it is.
type Kind uint8

// The kinds.
const (
	Failures Kind = iota // deliveries that failed, or that we refused
	Logins               // failed logins: passwords are guessed, or one is wrong
	Sessions             // sessions that broke, like TLS that failed
	Stopped              // a flow that stopped: nothing was delivered, or came in, in hours that usually have it
	Burst                // much more mail of one sender than ever, though it went through
	numKinds
)

var kindNames = [numKinds]string{"failures", "logins", "sessions", "stopped", "burst"}

// String returns the kind's machine-readable name.
func (k Kind) String() string { return kindNames[k] }

// Status is whether it is over.
type Status uint8

// The statuses.
const (
	Unknown   Status = iota // the log ends, or says nothing of those that were hit, before it could be told
	Ongoing                 // it goes on at the end of the log
	Recovered               // mail flows again, or what went on has stopped
	numStatuses
)

var statusNames = [numStatuses]string{"unknown", "ongoing", "recovered"}

// String returns the status's machine-readable name.
func (s Status) String() string { return statusNames[s] }

// Scope is how many are hit.
type Scope uint8

// The scopes.
const (
	One     Scope = iota // one provider, or one domain, or one relay: Party
	Several              // some of those with whom mail is exchanged; Hit.Parties lists them
	All                  // whoever it was: the cause is with us, or with what we depend on
	numScopes
)

var scopeNames = [numScopes]string{"one", "several", "all"}

// String returns the scope's machine-readable name.
func (s Scope) String() string { return scopeNames[s] }

// Counts are lines of the log by what they decide.
type Counts struct {
	Sent, Deferred, Bounced, Rejected int64 // Bounced with those that expired
	Logins                            int64 // that failed
	Received                          int64 // messages that came in
	Broken                            int64 // sessions that broke
}

// Failed is how many deliveries failed.
func (c *Counts) Failed() int64 { return c.Deferred + c.Bounced }

// Attempts is how many deliveries were tried.
func (c *Counts) Attempts() int64 { return c.Sent + c.Failed() }

// Impact is what an incident did. Deferred to Broken are lines of the log from Start to End that
// show one of its causes; the others are counts of different things.
type Impact struct {
	Deferred, Bounced, Expired, Rejected, Logins, Broken int64

	Messages   int64 // different queue IDs
	Recipients int64 // different addresses
	Domains    int64 // of them
	Senders    int64 // different reverse-paths
	Users      int64 // different login names: those who sent, or those that were tried
	Clients    int64 // different hosts that came to us
	Parties    int64 // providers, and domains of those that have none

	// What became of those that had to wait. A delivery is a message to a recipient.
	DeliveredLate int64 // deliveries that were made later
	Lost          int64 // deliveries that were given up, or refused for good: the sender was told
	Queued        int64 // deliveries that wait at the end of the log
	Vanished      int64 // deliveries of which the log tells no end, though the message left the queue
	Delay         Delay // how long those that were delivered late had to wait since they first failed

	// When those that wait will be given up, if nothing changes.
	ExpireFirst, ExpireLast time.Time
	Lifetime                time.Duration // that this rests on: the MTA's default, or what the log showed

	Attempts int64   // all deliveries that were tried to those that are hit, in the window, or what came to us
	Share    float64 // of Attempts, which failed by the incident's causes: 0 to 1
	All      int64   // all deliveries that were tried in the window in this direction, or what came to us
	ShareAll float64 // of them
}

// Delay is a distribution of waiting times.
type Delay struct {
	N             int64
	P50, P95, Max time.Duration
}

// Usual is what the rest of the log has of the same.
type Usual struct {
	Count    int64         // lines of the incident's causes with those that are hit, outside of all incidents
	Attempts int64         // and what was tried there
	Share    float64       // of Attempts
	PerHour  float64       // lines per hour
	Expected float64       // lines that the window would have if it were like the rest
	Span     time.Duration // how long the rest is
	Known    bool          // there is a rest to compare with
	Daily    bool          // it was held against the same hours of other days
	Score    float64       // how much better "something happened" explains the lines than chance: a log-likelihood ratio in nats; 3 is a hint, 20 sure
}

// Reply is a wording that came in the incident.
type Reply struct {
	Text     string // as logged, of the first such line in it; its secrets masked
	Code     smtp.Code
	Enhanced smtp.EnhancedCode
	DSN      smtp.EnhancedCode // Postfix's own verdict
	Stage    smtp.Stage
	Note     classify.Annotation // what it means
	Host     string              // who said it first; "" where our own MTA did
	Outcome  smtp.Outcome        // what its first line decided
	Count    int64
	First    time.Time
	Last     time.Time
	New      bool // the wording stands nowhere in the log before the incident
}

// CauseCount is how often a cause was met.
type CauseCount struct {
	Cause knowledge.Cause
	Entry knowledge.EntryID
	Count int64
}

// Timeline is how it went, of the flow that is hit: the party's, or the direction's.
type Timeline struct {
	Start   time.Time
	Width   time.Duration
	Buckets []Bucket // one after the other
	Marks   []Mark   // in the order of time
}

// Bucket is what happened in a part of the timeline.
type Bucket struct {
	Counts
	Incident int64 // lines of the incident
	Gap      bool  // the log has nothing of this time
}

// Mark is something to be seen on the timeline.
type Mark struct {
	Time  time.Time
	What  What
	Count int64  // how often, in the timeline; 0 where that is no question
	Text  string // the line's, without its head; "" where the mark is not one of a line
	Line  Line   // where it stands; its Path is "" where the mark is not one of a line
}

// What is what a mark marks.
type What uint8

// What may be marked.
const (
	FirstSeen   What = iota // the incident's first line
	PeakSeen                // its worst bucket
	LastSeen                // its last line
	FirstSent               // the first delivery that succeeded after it
	Started                 // a mail server was started or reloaded
	StoppedMark             // or stopped
	ConfigError             // an error in the configuration
	TLSError                // TLS or a certificate
	DiskError               // no room on a disk
	WarningLine             // a warning of a mail program that was not seen before
	FatalLine               // a fatal error or a panic
	SenderSpike             // a sender, user or client that sent much more than before
	ManyRcpt                // one message with very many recipients
	OtherStart              // another incident began; Text has no line of it, Count is its ID
	LogBegins
	LogEnds
	GapBegins
	numWhats
)

var whatNames = [numWhats]string{
	"first_seen", "peak", "last_seen", "first_sent", "started", "stopped", "config_error", "tls_error", "disk", "warning", "fatal",
	"sender_spike", "many_recipients", "other_incident", "log_begins", "log_ends", "gap",
}

// String returns the mark's machine-readable name.
func (w What) String() string { return whatNames[w] }

// Trigger is something that happened near the beginning and not before: a candidate.
type Trigger struct {
	Mark
	Before time.Duration // how long before Start; negative where it came after
	Name   string        // the sender, user or client of a SenderSpike, the queue ID of ManyRcpt
	Usual  float64       // of a SenderSpike: messages per hour before
}

// Hit is who is hit, the most first. The lists have HitRows at most; Impact has how many
// there are.
type Hit struct {
	Parties    []Who // providers, and domains of those that have none
	Domains    []Who // of the recipients
	Hosts      []Who // MX, relays
	Senders    []Who
	Users      []Who // who sent; of failed logins, those that were tried
	Clients    []Who // who came to us
	Recipients []Who
	Instances  []Who // of our own: the machine and the service that logged
}

// Who is somebody who is hit.
type Who struct {
	Name        string
	Count       int64 // lines
	First, Last time.Time
}

// Flow is one that kept working.
type Flow struct {
	Direction smtp.Direction
	Name      string // a provider or a domain; "" for the direction as a whole
	Sent      int64  // deliveries that succeeded in the window; of Inbound the messages that came in
	Failed    int64  // and those that did not, for whatever reason
	Usual     float64
	What      FlowKind
}

// FlowKind is which flow it is.
type FlowKind uint8

// The flows.
const (
	ToParty    FlowKind = iota // deliveries to another provider or domain
	Outgoing                   // deliveries to others as a whole
	Incoming                   // messages that come in from others
	Submission                 // messages of users who logged in
	Local                      // deliveries to mailboxes here
	numFlowKinds
)

var flowNames = [numFlowKinds]string{"party", "outbound", "inbound", "submission", "local"}

// String returns the flow's machine-readable name.
func (k FlowKind) String() string { return flowNames[k] }

// Line is a line of the log, its secrets masked.
type Line struct {
	Time   time.Time
	Path   string
	Number int64
	Text   string // "" where it was not kept
}

// Example is a message that was hit, with the lines that were kept of it.
type Example struct {
	Queue     string
	Sender    string
	Recipient string
	Arrived   time.Time    // zero where the log does not tell
	First     time.Time    // it first failed
	Tries     int64        // that failed
	Outcome   smtp.Outcome // what became of it: Sent, Bounced, Expired; Deferred while it waits
	Done      time.Time    // when
	Lines     []Line
}

// Command is how a figure can be had again.
type Command struct {
	What  string // deferred, bounced, rejected, logins, recipients, domains, window, report, example
	Line  string // for a shell
	Gives int64  // what it prints, where that is a number; more than the figure where others of the same kind lie in between
}

// Gap is a time without lines.
type Gap struct {
	Start, End time.Time
	Expected   float64 // lines that it should have, by what stands around it
	Whole      bool    // the same for all machines that log
}

// Jump is where the time of a file's lines goes back.
type Jump struct {
	Path     string
	Number   int64 // of the line
	From, To time.Time
}

// Dropped counts what was given up because of the limits.
type Dropped struct {
	Details  int64 // lines of failures whose recipients, hosts and senders were given up
	Series   int64 // lines whose wording there was no room for: they count for their cause alone
	Parties  int64 // lines whose party there was no room for
	Names    int64 // recipients, hosts, senders there was no room for
	Messages int64 // messages whose sender was given up before they failed
	Lines    int64 // notable lines (starts, warnings) there was no room for
	Untimed  int64 // lines that show no time
	Gaps     int64 // gaps there was no room for
	Astray   int64 // lines whose time is far off that of the lines around them
}

// HitRows is how many of those who are hit are listed.
const HitRows = 20
