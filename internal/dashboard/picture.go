package dashboard

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Minutes is how far back the rates go.
const Minutes = 60

// The rates that are shown.
const (
	Sent = iota
	Deferred
	Bounced
	Rejected
	NumRates
)

// Picture is what is going on at one moment. It is not changed once it is shown.
type Picture struct {
	Now       time.Time // the log's time
	Paths     []string
	Lines     int64
	PerSecond int64
	Lag       int64                    // bytes that are written and not read yet
	Waiting   int                      // of Paths: those that are not there
	Rates     [NumRates][Minutes]int64 // by minute; the last is the running one
	Totals    [NumRates]int64
	Troubles  []Trouble
	Sessions  []Session
	Open      int // sessions; Sessions may be fewer
	Peers     []Peer
}

// Trouble is a cause with a party, as it goes on.
type Trouble struct {
	Key         string // the same in each picture
	Cause       knowledge.Cause
	Entry       knowledge.EntryID
	Direction   smtp.Direction
	Severity    knowledge.Severity
	Party       string
	Stage       smtp.Stage
	Code        smtp.Code
	Enhanced    smtp.EnhancedCode
	Reply       string
	Total       int64
	Recent      int64 // in the last minute
	PerMinute   [Minutes]int64
	First, Last time.Time
	Lines       []Line // the last ones
	Recovered   bool
}

// Line is a line of the log, its secrets masked.
type Line struct {
	Path   string
	Number int64
	Text   string
}

// Session is one that is open.
type Session struct {
	Key       string
	Peer      string // its name, or its address
	IP        string
	Direction smtp.Direction
	Start     time.Time
	Last      time.Time
	Stage     smtp.Stage
	Messages  int
	Refused   int
}

// Peer is a host that was spoken with.
type Peer struct {
	Name      string
	Direction smtp.Direction
	Counts    [NumRates]int64
}
