package testlog

import (
	"strconv"
	"time"
)

// The population: bounded, so that reports stay readable, and large, so that no counter fits a processor's cache.
const (
	populationDomains = 20_000
	populationUsers   = 200_000
	ourUsers          = 500
)

var (
	firstNames = [...]string{"anna", "ben", "carla", "david", "emma", "felix", "greta", "hugo", "ida", "jonas", "karl", "lena", "maria", "nils", "olga", "paul", "rosa", "sven", "tina", "vera"}
	lastNames  = [...]string{"adler", "brown", "costa", "dietz", "evans", "fischer", "garcia", "hansen", "ito", "jensen", "kumar", "lopez", "meyer", "novak", "okafor", "perez", "quinn", "rossi", "smith", "yilmaz"}
	places     = [...]string{"alder", "birch", "cedar", "delta", "elm", "fjord", "grove", "harbor", "isle", "juniper", "kelp", "lake", "maple", "north", "ocean", "pine", "quarry", "river", "stone", "valley"}
	trades     = [...]string{"books", "cargo", "dental", "energy", "films", "garden", "hosting", "invest", "jobs", "kitchen", "labs", "media", "news", "optics", "parts", "quilts", "rent", "shop", "travel", "works"}
)

// mailbox is a mail address by number; negative ones are ours at corp.example, the null reverse-path is nobody.
type mailbox int

const nobody mailbox = -1 << 30

func (g *generator) stranger() mailbox { return mailbox(g.rng.skewed(populationUsers)) }
func (g *generator) ours() mailbox     { return mailbox(-1 - g.rng.skewed(ourUsers)) }

func (m mailbox) append(b []byte) []byte {
	if m == nobody {
		return b
	}
	b = m.appendLocal(b)
	b = append(b, '@')
	return m.appendDomain(b)
}

func (m mailbox) appendLocal(b []byte) []byte {
	if m == nobody {
		return b
	}
	n := int(m)
	if n < 0 {
		n = -n
	}
	b = append(b, firstNames[n%20]...)
	b = append(b, '.')
	b = append(b, lastNames[n/20%20]...)
	if n >= 400 {
		b = strconv.AppendInt(b, int64(n/400), 10)
	}
	return b
}

// domain scatters the users over the domains; as low numbers are frequent, so are some domains.
func (m mailbox) domain() int { return int(m) * 7919 % populationDomains }

func (m mailbox) appendDomain(b []byte) []byte {
	if m < 0 {
		return append(b, "corp.example"...)
	}
	return appendDomain(b, m.domain())
}

func (m mailbox) relay() host { return host{domain: m.domain(), label: "mx"} }

func appendDomain(b []byte, n int) []byte {
	b = append(b, places[n%20]...)
	b = append(b, trades[n/20%20]...)
	if n >= 400 {
		b = strconv.AppendInt(b, int64(n/400), 10)
	}
	return append(b, ".example"...)
}

// host is a machine: mx or out of a domain, one of our application servers, or one without a name.
type host struct {
	domain  int
	label   string
	unnamed bool
	ours    bool
	v6      bool
}

func (g *generator) sender(m mailbox) host {
	return host{domain: m.domain(), label: "out", v6: g.rng.below(10) == 0}
}
func (g *generator) bot() host  { return host{domain: g.rng.below(1 << 20), unnamed: true} }
func (g *generator) app() host  { return host{domain: g.rng.below(8), label: "app", ours: true} }
func (g *generator) desk() host { return host{domain: g.rng.below(200), label: "desk", ours: true} }

func (h host) appendBoth(b []byte) []byte {
	b = h.appendPTR(b)
	b = append(b, '[')
	b = h.appendAddress(b)
	return append(b, ']')
}

// appendPTR is the name that reverse DNS gives, which a bot has not.
func (h host) appendPTR(b []byte) []byte {
	if h.unnamed {
		return append(b, "unknown"...)
	}
	return h.appendName(b)
}

// appendName is the name a host gives itself.
func (h host) appendName(b []byte) []byte {
	switch {
	case h.unnamed:
		b = append(b, "host"...)
		b = strconv.AppendInt(b, int64(h.domain%4096), 10)
		return append(b, ".pool.example"...)
	case h.ours:
		b = append(b, h.label...)
		b = strconv.AppendInt(b, int64(h.domain), 10)
		return append(b, ".corp.example"...)
	}
	b = append(b, h.label...)
	b = strconv.AppendInt(b, int64(h.domain%4), 10)
	b = append(b, '.')
	return appendDomain(b, h.domain)
}

func (h host) appendAddress(b []byte) []byte {
	switch {
	case h.ours:
		b = append(b, "192.0.2."...)
		return strconv.AppendInt(b, int64(h.domain+20), 10)
	case h.v6:
		b = append(b, "2001:db8:"...)
		b = strconv.AppendInt(b, int64(h.domain/100), 16)
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(h.domain%100), 16)
		return append(b, "::25"...)
	case h.domain&1 == 0:
		b = append(b, "198.51.100."...)
	default:
		b = append(b, "203.0.113."...)
	}
	return strconv.AppendInt(b, int64(h.domain>>1&0xff), 10)
}

// queueID is a queue ID; its serial number keeps it from coming again soon, as the inode does in Postfix and the process in Exim.
type queueID struct {
	serial uint32
	micros uint32
	unix   int64 // Exim: the time of arrival; zero for Postfix
}

func (g *generator) newPostfixID(at int64) queueID {
	g.serial++
	return queueID{serial: g.serial, micros: uint32(at % 1e6)}
}

func (g *generator) newEximID(at int64) queueID {
	g.serial++
	return queueID{serial: g.serial, micros: uint32(at % 1e6), unix: g.start.Add(time.Duration(at) * time.Microsecond).Unix()}
}

// append prints five digits of microseconds and six of the inode, or Exim's three groups in base 62: time, process, fraction (up to 4.96).
func (q queueID) append(b []byte) []byte {
	if q.unix > 0 {
		b = append62(b, uint64(q.unix), 6)
		b = append(b, '-')
		b = append62(b, uint64(q.serial), 6)
		b = append(b, '-')
		return append62(b, uint64(q.micros/500), 2)
	}
	const hex = "0123456789ABCDEF"
	v := uint64(q.micros)<<24 | uint64(0x400000+q.serial%0xb00000)
	for i := 10; i >= 0; i-- {
		b = append(b, hex[v>>(4*i)&15])
	}
	return b
}

func append62(b []byte, v uint64, digits int) []byte {
	const set = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n := len(b)
	for range digits {
		b = append(b, '0')
	}
	for i := n + digits - 1; i >= n; i, v = i-1, v/62 {
		b[i] = set[v%62]
	}
	return b
}

// daemon is a program of the server, which has a number of processes.
type daemon int

const (
	noDaemon daemon = iota // Exim's main log names none
	smtpd
	submission
	cleanup
	qmgr
	smtp
	virtual
	bounce
	postscreen
	anvil
	cron
	daemons
)

var daemonNames = [daemons]string{"", "postfix/smtpd", "postfix/submission/smtpd", "postfix/cleanup", "postfix/qmgr", "postfix/smtp",
	"postfix/virtual", "postfix/bounce", "postfix/postscreen", "postfix/anvil", "CRON"}

// alone says of which daemons there is one process that serves everyone.
var alone = [daemons]bool{qmgr: true, postscreen: true, anvil: true}

// pids lends processes to conversations: one process serves one client at a time, and is used again, as in Postfix.
type pids struct {
	free [daemons][]uint32
	last uint32
}

func newPIDs() *pids { return &pids{last: 900} }

// firstPID and lastPID bound the process numbers, as Linux does by default on small machines.
const firstPID, lastPID = 1000, 4_000_000

func (p *pids) of(c *conversation, d daemon) uint32 {
	if c.pid[d] != 0 {
		return c.pid[d]
	}
	if n := len(p.free[d]); n > 0 {
		c.pid[d] = p.free[d][n-1]
		if !alone[d] {
			p.free[d] = p.free[d][:n-1]
		}
		return c.pid[d]
	}
	p.last = firstPID + (p.last+7-firstPID)%(lastPID-firstPID)
	c.pid[d] = p.last
	if alone[d] {
		p.free[d] = append(p.free[d], p.last)
	}
	return p.last
}

// give takes the processes back. One in a hundred ends instead (Postfix: max_use = 100).
func (p *pids) give(c *conversation) {
	if p == nil {
		return
	}
	for d := smtpd; d < daemons; d++ {
		if c.pid[d] != 0 && !alone[d] && !c.chance(1) {
			p.free[d] = append(p.free[d], c.pid[d])
		}
	}
}
