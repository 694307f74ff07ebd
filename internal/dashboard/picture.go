package dashboard

import (
	"time"

	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Picture is what is going on at one moment. It is not changed once it is shown.
type Picture struct {
	live.Snapshot

	Paths     []string // what is followed; none is standard input
	Waiting   int      // how many of them are not there
	Lines     int64    // read so far
	PerSecond int64    // lines
	Lag       int64    // bytes that are written and not read yet

	Sessions []Session // those that are open, or some of them
	Open     int       // how many are open
	Peers    []Peer
}

// Session is one that is open.
type Session struct {
	Key       string // the same in each picture
	Peer      string // its name, or its address
	IP        string
	Direction smtp.Direction
	Start     time.Time
	Last      time.Time
	Stage     smtp.Stage // how far it got
	Messages  int
	Refused   int // commands
}

// Peer is a host that was spoken with, and what became of the mail.
type Peer struct {
	Name      string
	Direction smtp.Direction
	Counts    [live.NumRates]int64
}
