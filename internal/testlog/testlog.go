// Package testlog writes mail logs of any size that look like the day of a real relay, for benches and for tests of whole runs.
//
// A log is made of conversations: a client that delivers, one that is refused, one that guesses passwords, a message that waits
// for its next try. Each is written as a table of line shapes (postfix.go, exim.go), and their lines are interleaved in time
// as a busy server interleaves them. The same options give the same bytes on every machine and with every Go version.
//
// All hosts are below .example (RFC 2606), all addresses from RFC 5737 and RFC 3849.
package testlog

import (
	"container/heap"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Options say what log to write.
type Options struct {
	Format  string    // "postfix" or "exim"
	Size    int64     // bytes to write; the log ends with the first conversation that passes it
	Seed    uint64    // another seed gives another log of the same kind
	RFC3339 bool      // Postfix: RFC 3339 stamps with microseconds instead of the BSD "Mar 11 00:00:38"
	Start   time.Time // the log spans one day from here, whatever its size: a larger log is a busier day; zero means Wednesday, 11 March 2026, midnight UTC
}

// flushAt is how many bytes are gathered before they are written: large enough that system calls do not count.
const flushAt = 256 << 10

// Write writes one log. The error is that of w, or says which option is wrong.
func Write(w io.Writer, o Options) error {
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 3, 11, 0, 0, 0, 0, time.UTC)
	}
	g := &generator{
		rng:   rng(o.Seed),
		start: o.Start,
		size:  max(o.Size, 1),
		w:     w,
		out:   make([]byte, 0, flushAt+flushAt/4),
	}
	switch o.Format {
	case "postfix":
		g.script, g.stamp, g.pids = postfixDay, bsdStamp, newPIDs()
		if o.RFC3339 {
			g.stamp = rfc3339Stamp
		}
	case "exim":
		g.script, g.stamp = eximDay, eximStamp
	default:
		return fmt.Errorf("testlog: format %q is not known: use postfix or exim", o.Format)
	}
	return g.run()
}

// generator holds a day while it is being written.
type generator struct {
	rng    rng
	start  time.Time
	size   int64
	script day // which conversations there are, and how often each
	stamp  func(dst []byte, t time.Time) []byte
	pids   *pids

	made    int64 // bytes of all conversations begun so far: what drives the clock
	running timeline
	spare   []*conversation // finished ones, to be used again
	waiting [maxTries][]message
	serial  uint32 // counts queue IDs

	w      io.Writer
	out    []byte
	second int64 // what the cached head is for
	head   []byte
}

// run begins conversations as the clock reaches their time and prints the lines of all that are running in order of time.
func (g *generator) run() error {
	headWidth := len(g.stamp(nil, g.start)) + len("\n")
	for g.made < g.size {
		now := g.clock()
		if err := g.print(now); err != nil {
			return err
		}
		c := g.begin(now)
		if m, ok := g.due(now); ok {
			c.message = m
			g.script.retry(c)
		} else {
			g.script.pick(g.rng.below(g.script.total()))(c)
		}
		c.endLine()
		g.made += int64(len(c.buf) + len(c.lines)*headWidth)
		heap.Push(&g.running, c)
	}
	if err := g.print(1 << 62); err != nil {
		return err
	}
	_, err := g.w.Write(g.out)
	return err
}

// hours is the load of each hour of the day, as on a relay that serves offices: it sums to hoursTotal.
var hours = [24]int64{2, 2, 2, 2, 2, 3, 4, 6, 7, 8, 8, 7, 6, 7, 8, 8, 7, 6, 4, 3, 3, 3, 2, 2}

const hoursTotal = 112

// clock is the time of day in microseconds at which so much of the log has been made.
func (g *generator) clock() int64 {
	const hour = int64(time.Hour / time.Microsecond)
	at := float64(g.made) / float64(g.size) * hoursTotal
	for h, load := range hours {
		if at < float64(load) {
			return int64(h)*hour + int64(at/float64(load)*float64(hour))
		}
		at -= float64(load)
	}
	return 24 * hour
}

// begin takes a fresh conversation that starts at now.
func (g *generator) begin(now int64) *conversation {
	if n := len(g.spare); n > 0 {
		c := g.spare[n-1]
		g.spare = g.spare[:n-1]
		*c = conversation{g: g, at: now, buf: c.buf[:0], lines: c.lines[:0]}
		return c
	}
	return &conversation{g: g, at: now, buf: make([]byte, 0, 1024)}
}

// print writes the lines of the running conversations that come before the time until.
func (g *generator) print(until int64) error {
	for len(g.running) > 0 && g.running[0].next().at < until {
		c := g.running[0]
		line := c.next()
		g.writeHead(line.at)
		g.out = append(g.out, c.buf[line.start:line.end]...)
		g.out = append(g.out, '\n')
		if c.pos++; c.pos < len(c.lines) {
			heap.Fix(&g.running, 0)
		} else {
			heap.Pop(&g.running)
			g.pids.give(c)
			g.spare = append(g.spare, c)
		}
		if len(g.out) >= flushAt {
			if _, err := g.w.Write(g.out); err != nil {
				return err
			}
			g.out = g.out[:0]
		}
	}
	return nil
}

// writeHead prints the stamp; it is formatted once a second, and only microseconds are filled in for each line.
func (g *generator) writeHead(at int64) {
	const second = int64(time.Second / time.Microsecond)
	if s := at / second; s != g.second || g.head == nil {
		g.second = s
		g.head = g.stamp(g.head[:0], g.start.Add(time.Duration(s)*time.Second))
	}
	n := len(g.out)
	g.out = append(g.out, g.head...)
	if len(g.head) > microsAt && g.head[microsAt-1] == '.' {
		for i, us := n+microsAt+5, at%second; i >= n+microsAt; i, us = i-1, us/10 {
			g.out[i] = byte('0' + us%10)
		}
	}
}

// microsAt is where the microseconds of an RFC 3339 stamp begin.
const microsAt = len("2026-03-11T00:00:38.")

func bsdStamp(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(dst, time.Stamp), " mx1 "...)
}

func rfc3339Stamp(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(dst, "2006-01-02T15:04:05.000000Z07:00"), " mx1 "...)
}

func eximStamp(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(dst, time.DateTime), ' ')
}

// timeline is a heap of running conversations, the one with the earliest next line first.
type timeline []*conversation

func (t timeline) Len() int           { return len(t) }
func (t timeline) Less(i, j int) bool { return t[i].next().at < t[j].next().at }
func (t timeline) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timeline) Push(c any)        { *t = append(*t, c.(*conversation)) }
func (t *timeline) Pop() any {
	n := len(*t) - 1
	c := (*t)[n]
	*t = (*t)[:n]
	return c
}

// rng is SplitMix64 (Steele, Lea, Flood 2014): small, fast, and ours, so that a Go release cannot change our logs.
type rng uint64

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1.
func (r *rng) below(n int) int { return int((r.next() >> 33) * uint64(n) >> 31) }

// skewed gives a number from 0 to n-1 of which the low ones are far more frequent, as with real senders and domains:
// the first hundredth of them gets about a fifth of all.
func (r *rng) skewed(n int) int {
	u := float64(r.next()>>11) / (1 << 53)
	return int(u * u * u * float64(n))
}

// ParseSize reads a number of bytes, which may end in K, M or G for powers of 1024.
func ParseSize(s string) (int64, error) {
	unit := 0
	digits := strings.TrimRight(s, "KMG")
	if len(s)-len(digits) == 1 {
		unit = 10 * (1 + strings.IndexByte("KMG", s[len(s)-1]))
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n <= 0 || len(s)-len(digits) > 1 || n > 1<<62>>unit {
		return 0, fmt.Errorf("size %q is not a number of bytes: write something like 100M or 1G", s)
	}
	return n << unit, nil
}
