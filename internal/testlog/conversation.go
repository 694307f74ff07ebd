package testlog

import "strconv"

// A conversation is a handful of lines that belong together, with the time of each.
type conversation struct {
	g     *generator
	at    int64 // time of the last line, in microseconds of the day
	buf   []byte
	lines []line
	pos   int // the line to print next
	pid   [daemons]uint32

	client  host
	message message
	other   queueID // the queue ID of a notification about the message
}

type line struct {
	at         int64
	start, end int32
}

// message is what outlives a conversation when the message has to wait.
type message struct {
	id       queueID
	from, to mailbox
	arrived  int64
	size     int
	tries    int
	why      int // which of the deferrals it met
}

const (
	maxTries   = 4       // after so many the message is returned to its sender
	maxWaiting = 1 << 14 // messages waiting for one try: bounds memory; beyond it they are delivered at once
)

// backoff is how long a message waits after its nth try, in microseconds. The middle ones are Postfix's defaults
// (minimal_backoff_time 300 s, maximal_backoff_time 4000 s).
var backoff = [maxTries]int64{300e6, 600e6, 1200e6, 4000e6}

func (c *conversation) next() *line { return &c.lines[c.pos] }

// wait lets so many milliseconds pass, or up to half as many more.
func (c *conversation) wait(ms int) {
	c.at += int64(ms)*1000 + int64(c.g.rng.below(ms*500+1))
}

// chance is true in so many of a hundred cases.
func (c *conversation) chance(percent int) bool { return c.g.rng.below(100) < percent }

// later puts the message aside for its next try; it says no when it had its tries or too many wait already.
func (c *conversation) later() bool {
	m := c.message
	if m.tries >= maxTries || len(c.g.waiting[m.tries]) >= maxWaiting {
		return false
	}
	m.tries++
	c.g.waiting[m.tries-1] = append(c.g.waiting[m.tries-1], m)
	return true
}

// due gives a message whose time to wait is over. Each list is in order of time because all in it wait equally long.
func (g *generator) due(now int64) (message, bool) {
	for i, list := range g.waiting {
		if len(list) > 0 && list[0].arrivedTry(i)+backoff[i] <= now {
			g.waiting[i] = list[1:]
			return list[0], true
		}
	}
	return message{}, false
}

// arrivedTry is about when the message was put aside for try i+1: the waits before it are added to its arrival.
func (m *message) arrivedTry(i int) int64 {
	at := m.arrived
	for _, b := range backoff[:i] {
		at += b
	}
	return at
}

// log adds a line of a daemon, in which %x stands for what the conversation knows:
//
//	%c client, as name[address]   %a its address   %o its port   %h its HELO name
//	%q queue ID   %Q that of the notification   %f reverse-path   %t forward-path   %l local part of it   %m Message-ID   %s size
//	%r relay, as name[address]    %R its name      %A its address
//	%u who authenticated          %n a number below 100           %p a large number  %x eight hex digits
//	%d Postfix's delay= and delays= of this try    %k of a local delivery
func (c *conversation) log(ms int, d daemon, shape string) {
	c.endLine()
	c.wait(ms)
	c.lines = append(c.lines, line{at: c.at, start: int32(len(c.buf))})
	if d != noDaemon {
		c.buf = append(c.buf, daemonNames[d]...)
		c.buf = append(c.buf, '[')
		c.buf = strconv.AppendUint(c.buf, uint64(c.g.pids.of(c, d)), 10)
		c.buf = append(c.buf, "]: "...)
	}
	c.add(shape)
}

// add goes on with the line.
func (c *conversation) add(shape string) {
	from := 0
	for i := 0; i < len(shape); i++ {
		if shape[i] == '%' {
			c.buf = append(c.buf, shape[from:i]...)
			i++
			c.fill(shape[i])
			from = i + 1
		}
	}
	c.buf = append(c.buf, shape[from:]...)
}

func (c *conversation) endLine() {
	if n := len(c.lines); n > 0 {
		c.lines[n-1].end = int32(len(c.buf))
	}
}

// fill appends what a letter of a shape stands for. A letter that is not known is a mistake in a table of this package.
func (c *conversation) fill(letter byte) {
	b, m, r := c.buf, &c.message, &c.g.rng
	switch letter {
	case 'c':
		b = c.client.appendBoth(b)
	case 'a':
		b = c.client.appendAddress(b)
	case 'o':
		b = strconv.AppendInt(b, int64(1024+c.client.domain%60_000), 10)
	case 'h':
		b = c.client.appendName(b)
	case 'q':
		b = m.id.append(b)
	case 'Q':
		b = c.other.append(b)
	case 'f':
		b = m.from.append(b)
	case 't':
		b = m.to.append(b)
	case 'l':
		b = m.to.appendLocal(b)
	case 'm':
		b = appendHex(b, uint64(m.id.serial)*0x9e3779b1+uint64(m.arrived)<<20, 12)
		b = append(b, '@')
		b = m.from.appendDomain(b)
	case 's':
		b = strconv.AppendInt(b, int64(m.size), 10)
	case 'r':
		b = m.to.relay().appendBoth(b)
	case 'R':
		b = m.to.relay().appendName(b)
	case 'A':
		b = m.to.relay().appendAddress(b)
	case 'u':
		b = m.from.append(b)
	case 'n':
		b = strconv.AppendInt(b, int64(r.below(100)), 10)
	case 'p':
		b = strconv.AppendInt(b, int64(1024+r.below(64000)), 10)
	case 'x':
		b = appendHex(b, r.next(), 8)
	case 'd':
		b = c.appendDelays(b)
	case 'k':
		b = append(b, "delay=0."...)
		b = strconv.AppendInt(b, int64(11+r.below(88)), 10)
		b = append(b, ", delays=0.1/0/0/0.0"...)
		b = strconv.AppendInt(b, int64(1+r.below(9)), 10)
	default:
		panic("testlog: no such letter in a shape: " + string(letter))
	}
	c.buf = b
}

// appendDelays prints delay and delays as Postfix does: a/b/c/d are before the queue manager, in the queue, connecting, transmitting.
func (c *conversation) appendDelays(b []byte) []byte {
	r := &c.g.rng
	before := (c.at - c.message.arrived) / 1e6 // whole seconds, from earlier tries
	if before < 2 {
		before = 0
	}
	connect, transmit := int64(10+r.below(80)), int64(10+r.below(80))
	total := before*100 + 6 + connect + transmit
	b = append(b, "delay="...)
	b = appendHundredths(b, total)
	b = append(b, ", delays="...)
	b = appendHundredths(b, before*100+5)
	b = append(b, "/0.01/"...)
	b = appendHundredths(b, connect)
	b = append(b, '/')
	return appendHundredths(b, transmit)
}

// appendHundredths prints a delay with two significant digits below ten seconds and none above, close to Postfix's delay_logging_resolution_limit.
func appendHundredths(b []byte, n int64) []byte {
	b = strconv.AppendInt(b, n/100, 10)
	switch frac := n % 100; {
	case frac == 0 || n >= 1000:
	case n >= 100:
		if frac/10 > 0 {
			b = append(b, '.', byte('0'+frac/10))
		}
	default:
		b = append(b, '.', byte('0'+frac/10))
		if frac%10 > 0 {
			b = append(b, byte('0'+frac%10))
		}
	}
	return b
}

func appendHex(b []byte, v uint64, digits int) []byte {
	const hex = "0123456789abcdef"
	for i := digits - 1; i >= 0; i-- {
		b = append(b, hex[v>>(4*i)&15])
	}
	return b
}

// day is the table of a format: what can happen, how often, and what becomes of a message that waits.
type day struct {
	scenes []scene
	retry  func(*conversation)
}

type scene struct {
	weight int // of the sum of all
	play   func(*conversation)
}

func (d *day) total() (sum int) {
	for _, s := range d.scenes {
		sum += s.weight
	}
	return sum
}

func (d *day) pick(n int) func(*conversation) {
	for _, s := range d.scenes {
		if n -= s.weight; n < 0 {
			return s.play
		}
	}
	return d.scenes[0].play
}
