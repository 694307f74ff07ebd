// Package session puts events together: sessions from the lines of one conversation,
// messages from the lines of one queue ID and of those it was re-injected under. It is
// the only place with a memory, and that memory has bounds that do not grow with the
// log; what had to be given up because of them is counted.
package session

import (
	"strconv"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Session is one conversation between two hosts, from connect to disconnect. It and all
// it holds are used again once the function it was passed to returns.
type Session struct {
	course
	*Detail // nil without Options.Exchanges
}

// course is how a session went. It is what every line touches, so it is kept small.
type course struct {
	older, newer *Session
	key          uint64
	scope        uint64 // the process that speaks in it, for outbound ones
	queue        uint64 // the message it last carried, by key
	last         int64  // the time of its last line, or of the line before where that shows none, in nanoseconds since 1970
	place        int32  // in the assembler's slab
	under        int32  // an earlier open session with the same key, none for none
	depth        int32  // how many there are under it
	selected     bool   // one of its events was asked for
	implied      bool   // no line said that it began: it was read from its messages and refusals
	passed       bool   // postscreen gave the client to smtpd, which logs the session itself
	greeting     bool   // the only thing that happened was a refusal at the greeting

	Format    smtp.Format
	Direction smtp.Direction
	Deepest   smtp.Stage // how far it got, by the stages' order
	End       smtp.End
	EndStage  smtp.Stage // after which command it broke, for Lost and TimedOut
	Graceful  bool       // QUIT was answered by 221, by the counts where the log shows no more
	Messages  int        // messages that passed
	Refused   int        // replies of 4yz or 5yz that our server or the other one gave
	Start     time.Time
	Last      time.Time // its last line
}

// Detail is what only those want who print sessions. It is kept with Options.Exchanges.
type Detail struct {
	ID        []byte // "smtpd[1830]#12": the process and the how-manieth session of this run; a transcript's own
	Host      []byte // the machine that logged it
	Peer      Peer
	Helo      []byte
	User      []byte     // who logged in
	TLS       []byte     // the TLS version, when it came up
	Commands  []byte     // Postfix's counts at the end, as written
	Exchanges []Exchange // the replies that the log shows, in order, MaxExchanges at most
	Dropped   int        // exchanges beyond them
}

// Peer is the other side of a session; its fields are owned by the session.
type Peer struct {
	Name, IP []byte
	Port     uint16
}

// Exchange is a reply within a session.
type Exchange struct {
	Time     time.Time
	Stage    smtp.Stage
	Kind     smtp.Kind
	Outcome  smtp.Outcome
	Code     smtp.Code
	Enhanced smtp.EnhancedCode
	DSN      smtp.EnhancedCode
	Errno    int32
	Failed   bool
	Count    int    // the log's own repetitions and equal neighbours folded into one
	Text     []byte // the reply's text, or the reason where there was no reply; cut at MaxText
	From, To []byte
	Queue    []byte
	ReplyBy  []byte // the host that said it, when it was not the peer
	Written  []byte // the text as the log has it, where Text is one that may be shown: what the reply means is told by it, and it is shown nowhere
}

const (
	// MaxExchanges bounds a session's replies. An attacker's session can have
	// thousands; the first ones show what it was about.
	MaxExchanges = 24

	// MaxText bounds the text kept of a reply in an exchange. Postfix itself cuts replies at 2048.
	MaxText = 2048

	// MaxAddress bounds what is kept of an address, and of names: more than RFC 5321,
	// 4.5.3.1, allows.
	MaxAddress = 320

	// MaxSessions is how many sessions may be open at once. A busy server has some
	// thousands of processes.
	MaxSessions = 1 << 15

	// maxSameClient is how many open connections of one client are kept apart where
	// the log shows nothing but its address.
	maxSameClient = 64
)

// Table limits by time, in the log's own clock.
const (
	connectedIdle = time.Hour       // a session whose connect was logged; smtpd times out after minutes
	impliedIdle   = 5 * time.Minute // one that was only read from its messages: RFC 5321, 4.5.3.2.7
)

// reset makes a used session blank, but for its detail.
func (s *Session) reset(key uint64) {
	s.course = course{key: key, place: s.place, under: none}
}

func (d *Detail) reset() {
	*d = Detail{
		ID: d.ID[:0], Host: d.Host[:0], Helo: d.Helo[:0], User: d.User[:0], TLS: d.TLS[:0], Commands: d.Commands[:0],
		Peer:      Peer{Name: d.Peer.Name[:0], IP: d.Peer.IP[:0]},
		Exchanges: d.Exchanges[:0],
	}
}

// name gives the session its ID, the how-manieth of this run.
func (s *Session) name(ev *smtp.Event, number int64) {
	s.Host = append(s.Host, cut(ev.Host, MaxAddress)...)
	s.ID = append(s.ID, cut(ev.Process, MaxAddress)...)
	if ev.PID != 0 {
		s.ID = append(s.ID, '[')
		s.ID = strconv.AppendUint(s.ID, uint64(ev.PID), 10)
		s.ID = append(s.ID, ']')
	}
	s.ID = append(s.ID, '#')
	s.ID = strconv.AppendInt(s.ID, number, 10)
}

// note remembers when a line was and how far the session got with it.
func (s *Session) note(st *Step, when time.Time, now int64) {
	if !when.IsZero() {
		if s.Start.IsZero() {
			s.Start = when
		}
		s.Last = when
	}
	s.last = now
	if st.Stage > s.Deepest && st.Stage <= smtp.StageDOT {
		s.Deepest = st.Stage
	}
}

// introduce remembers who the other side is, as soon as a line says so.
func (s *Session) introduce(ev *smtp.Event) {
	if len(s.Peer.IP) == 0 && len(s.Peer.Name) == 0 {
		s.Peer.Name = append(s.Peer.Name, cut(ev.Peer.Name, MaxAddress)...)
		s.Peer.IP = append(s.Peer.IP, cut(ev.Peer.IP, MaxAddress)...)
		s.Peer.Port = ev.Peer.Port
	}
	if len(s.Helo) == 0 {
		s.Helo = append(s.Helo, cut(ev.Helo, MaxAddress)...)
	}
	if len(s.User) == 0 && !ev.Failed {
		s.User = append(s.User, cut(ev.User, MaxAddress)...)
	}
	if len(s.TLS) == 0 {
		s.TLS = append(s.TLS, cut(ev.TLSVersion, MaxAddress)...)
	}
}

// exchange keeps the reply or the failure that ev shows. Equal neighbours are folded.
func (s *Session) exchange(ev, written *smtp.Event) {
	if n := len(s.Exchanges); n > 0 {
		if x := &s.Exchanges[n-1]; x.same(ev) {
			x.Count += ev.Count()
			return
		}
	}
	if len(s.Exchanges) == MaxExchanges {
		s.Dropped++
		return
	}
	if len(s.Exchanges) < cap(s.Exchanges) {
		s.Exchanges = s.Exchanges[:len(s.Exchanges)+1] // keeps the buffers of an earlier use
	} else {
		s.Exchanges = append(s.Exchanges, Exchange{})
	}
	x := &s.Exchanges[len(s.Exchanges)-1]
	var asWritten []byte
	if written != ev {
		asWritten = append(x.Written[:0], cut(textOf(written), MaxText)...)
	}
	*x = Exchange{
		Time: ev.Time, Stage: ev.Stage, Kind: ev.Kind, Outcome: ev.Outcome, Failed: ev.Failed, Count: ev.Count(),
		Code: ev.Reply.Code, Enhanced: ev.Reply.Enhanced, DSN: ev.DSN, Errno: ev.Errno,
		Text:  append(x.Text[:0], cut(textOf(ev), MaxText)...),
		From:  append(x.From[:0], cut(ev.From, MaxAddress)...),
		To:    append(x.To[:0], cut(ev.To, MaxAddress)...),
		Queue: append(x.Queue[:0], cut(ev.Queue, MaxAddress)...), ReplyBy: append(x.ReplyBy[:0], cut(ev.ReplyHost.Name, MaxAddress)...),
		Written: asWritten,
	}
}

// textOf is the reply that ev shows, or its reason where it shows none.
func textOf(ev *smtp.Event) []byte {
	if len(ev.Reply.Text) > 0 {
		return ev.Reply.Text
	}
	return ev.Text
}

// same reports whether ev repeats the exchange: the same reply to the same recipient of
// the same message, whatever its words.
func (x *Exchange) same(ev *smtp.Event) bool {
	return x.Stage == ev.Stage && x.Kind == ev.Kind && x.Code == ev.Reply.Code && x.Enhanced == ev.Reply.Enhanced &&
		x.Outcome == ev.Outcome && string(x.To) == string(cut(ev.To, MaxAddress)) && string(x.Queue) == string(cut(ev.Queue, MaxAddress)) && x.Code != 0
}

// Reply returns the reply as it was read.
func (x *Exchange) Reply() smtp.Reply {
	r := smtp.Reply{Code: x.Code, Enhanced: x.Enhanced}
	if x.Code != 0 || !x.Enhanced.IsZero() {
		r.Text = x.Text
	}
	return r
}

// Reason returns what the line told where it showed no reply.
func (x *Exchange) Reason() []byte {
	if x.Code != 0 || !x.Enhanced.IsZero() {
		return nil
	}
	return x.Text
}

// cut returns no more than n bytes of b.
func cut(b []byte, n int) []byte { return b[:min(len(b), n)] }
