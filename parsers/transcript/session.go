package transcript

import (
	"bytes"
	"strconv"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Limits of a dialogue, so that no input can make it large or slow.
const (
	maxPending    = 1024 // commands without a reply: a pipeline of a thousand recipients is the longest that mail programs send
	maxReplyLines = 512  // lines of one reply; no server says more, the rest is counted and not kept
	maxHeld       = 8    // commands behind a dot that may not have been the end of the body
	maxSecrets    = 8    // answers of an AUTH exchange that a server could quote back
	maxSessions   = 4096 // open at one time; the oldest is closed for a new one
)

// A command waits for its reply.
type command struct {
	stage    smtp.Stage
	from, to []byte
	last     bool // BDAT ... LAST: the reply decides the message's fate
}

// session is one conversation as far as it has been read.
type session struct {
	id    []byte
	key   string
	peer  smtp.Peer
	stamp smtp.Stamp

	pending  []command
	from     []byte
	replies  int
	commands int
	last     smtp.Stage // the stage reached, for a connection that breaks

	body  bool   // between 354 and the end of the body
	dot   bool   // a dot was seen in the body, perhaps its end
	after []held // commands behind that dot
	chunk int    // bytes of a BDAT body still to come
	auth  bool   // within an AUTH exchange: what the client says is secret
	many  bool   // the end of the body has several replies (LMTP, PRDR)
	lmtp  bool

	connected, over, closed, ended bool
	refused                        bool // 421, or a refusal as the greeting: the server hangs up

	reply      [][]byte // the lines of the reply being read
	code       smtp.Code
	answers    command
	replyLine  int
	replyStamp smtp.Stamp
	more       bool // its last line had a hyphen

	secrets [][]byte
}

// waiting returns the stage that the session is at: the oldest command without a reply,
// or the last one that had one.
func (s *session) waiting() smtp.Stage {
	if s.body && s.dot {
		return smtp.StageDOT
	}
	if len(s.pending) > 0 {
		return s.pending[0].stage
	}
	return s.last
}

// session returns the open session of a key, "" for dialects that show none.
func (p *parser) session(key []byte) *session {
	if s := p.sessions[string(key)]; s != nil {
		return s
	}
	return p.open(string(key))
}

func (p *parser) open(key string) *session {
	if len(p.order) >= maxSessions {
		p.end(p.order[0])
	}
	s := &session{key: key}
	p.sessions[key] = s
	p.order = append(p.order, s)
	return s
}

// end finishes a session and forgets it.
func (p *parser) end(s *session) {
	p.finish(s)
	p.endBody(s)
	if s.over {
		p.disconnect(s)
	}
	delete(p.sessions, s.key)
	for i, o := range p.order {
		if o == s {
			p.order = append(p.order[:i], p.order[i+1:]...)
			break
		}
	}
}

func (p *parser) renew(s *session) *session {
	p.end(s)
	n := p.open(s.key)
	n.peer, n.stamp = s.peer, s.stamp
	return n
}

// turn marks that a session speaks. A reply of another one that is complete is emitted
// now, so that events keep the order of the lines.
func (p *parser) turn(s *session) {
	if p.spoke != nil && p.spoke != s && !p.spoke.more {
		p.finish(p.spoke)
	}
	p.spoke = s
}

func (s *session) push(c command) {
	if len(s.pending) == maxPending {
		s.pending = s.pending[1:]
	}
	s.pending = append(s.pending, c)
}

// name gives a session its id when it shows up for the first time: the dialect's own, or
// its number in order of appearance. A process or port that is used again gets a number
// behind it.
func (p *parser) name(s *session) {
	p.count++
	if s.key == "" {
		s.id = strconv.AppendInt(nil, int64(p.count), 10)
		return
	}
	s.id = []byte(s.key)
	if n := p.seen[s.key]; n > 0 {
		s.id = strconv.AppendInt(append(s.id, '-'), int64(n+1), 10)
	}
	if len(p.seen) < maxSessions || p.seen[s.key] > 0 {
		p.seen[s.key]++
	}
}

// event begins an event of a session.
func (p *parser) event(s *session, kind smtp.Kind) *smtp.Event {
	if s.id == nil {
		p.name(s)
	}
	p.ev.Reset()
	p.ev.Kind, p.ev.Format, p.ev.Direction = kind, smtp.FormatTranscript, p.direction
	p.ev.Session, p.ev.Peer, p.ev.Stamp = s.id, s.peer, s.stamp
	return &p.ev
}

// happened takes what a tool tells about the connection itself.
func (p *parser) happened(s *session, kind smtp.Kind, failed bool, peer smtp.Peer, line []byte) {
	p.finish(s)
	switch kind {
	case smtp.KindConnect:
		if s.replies > 0 {
			s = p.renew(s)
			s.peer = smtp.Peer{}
		}
		s.peer = merge(s.peer, peer)
		if s.connected {
			return // a second address tried, or the same told twice
		}
		s.connected = true
	case smtp.KindDisconnect:
		p.endBody(s)
		p.disconnect(s)
		return
	case smtp.KindLost, smtp.KindTimeout, smtp.KindClosed:
		if s.closed || s.over {
			return
		}
		p.endBody(s)
		s.closed = kind != smtp.KindTimeout
	}
	ev := p.event(s, kind)
	ev.Failed = failed
	if kind != smtp.KindConnect {
		ev.Stage = s.waiting()
	}
	if kind == smtp.KindTLS && !failed {
		ev.TLSVersion, ev.TLSCipher = tlsOf(line)
	}
	p.emit(ev, p.line)
}

// merge adds what a tool tells later to what it told before: first the address that it
// tries, then the name.
func merge(old, new smtp.Peer) smtp.Peer {
	if new.Name != nil {
		old.Name = new.Name
	}
	if new.IP != nil {
		old.IP = new.IP
	}
	if new.Port != 0 {
		old.Port = new.Port
	}
	return old
}

// tlsOf reads "TLSv1.3:TLS_AES_256_GCM_SHA384:256" or "TLSv1.3 / TLS_AES_256_GCM_SHA384"
// anywhere in a line.
func tlsOf(line []byte) (version, cipher []byte) {
	i := bytes.Index(line, []byte("TLSv"))
	if i < 0 {
		return nil, nil
	}
	words := bytes.FieldsFunc(line[i:], func(r rune) bool { return r == ' ' || r == ':' || r == '/' || r == ',' })
	if len(words) > 1 && bytes.ContainsAny(words[1], "_-") {
		cipher = words[1]
	}
	return words[0], cipher
}

func (p *parser) disconnect(s *session) {
	s.closed = true
	if s.ended || s.replies+s.commands == 0 && !s.connected {
		return
	}
	s.ended = true
	p.emit(p.event(s, smtp.KindDisconnect), p.line)
}
