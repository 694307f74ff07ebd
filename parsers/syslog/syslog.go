// Package syslog reads the head of a log line: who wrote it, and when. It knows the
// heads that mail logs are found with: RFC 3164 (BSD) and RFC 5424, the RFC 3339 stamps
// of rsyslog, templates with the year in front, metalog, Solaris, the journal as text
// and as JSON, the JSON of Docker and of log shippers, Kubernetes and docker compose
// prefixes, a line that one syslog relayed in another's, and a bare tag.
//
// A head is recognised by its shape alone and nothing is kept from line to line. The
// year and the zone that a stamp lacks are settled by others.
package syslog

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// maxNesting bounds the wrappings within wrappings: a container's JSON round a
	// shipper's JSON round a relayed line is three.
	maxNesting = 4
	// maxTag bounds a tag. RFC 5424 gives APP-NAME 48 characters; multi-instance
	// Postfix names grow longer, file names in messages much longer.
	maxTag = 128
	// maxLost is the number of words before a tag that may be the rest of a head whose
	// beginning was lost or makes no sense: a BSD stamp and a host are four.
	maxLost = 5
)

// Parse reads the head of line into ev.Head and returns the message behind it. The
// message lies in the line, or in ev's scratch space where the line holds it encoded,
// as JSON does. It sets ev.Repeat for "message repeated N times: [ ... ]" and takes
// that wrapping off. A line without any head comes back whole, with ev.Head untouched.
// ev is not reset.
func Parse(line []byte, ev *smtp.Event) (msg []byte) {
	msg, ok := common(line, ev)
	if !ok {
		msg = parse(trim(line), ev, 0)
	}
	return unfold(msg, ev)
}

// common reads the head that nearly every line of a mail log has, "Jan _2 15:04:05 host
// instance/program[pid]: ", in one go. It gives what parse gives, and leaves to parse all
// that is written otherwise or might mean more.
func common(b []byte, ev *smtp.Event) (msg []byte, ok bool) {
	s, n := plain(b)
	if n == 0 || b[len(b)-1] <= '\r' {
		return nil, false
	}
	host := b[plainLength:]
	i := 0
	for i < len(host) && host[i] > ' ' {
		i++
	}
	// A second stamp, or what a container says, begins with such letters.
	if i == 0 || i+1 >= len(host) || host[i] != ' ' || host[i-1] == ':' || host[i-1] == ']' || host[0]-'a' >= 26 || host[0] == 's' && host[1] == 't' {
		return nil, false
	}
	name := host[i+1:]
	host = host[:i]
	slash, end := tagWords(name)
	if slash < 0 || end+1 >= len(name) || name[end] != '[' {
		return nil, false
	}
	pid, digits := number(name[end+1:], 10)
	rest := name[end+1+digits:]
	if digits == 0 || len(rest) < 4 || rest[0] != ']' || rest[1] != ':' || rest[2] != ' ' || rest[3] <= ' ' || rest[3] == '[' {
		return nil, false
	}
	keep(ev, s)
	ev.Host, ev.Service, ev.Process, ev.PID = host, name[:slash], name[slash+1:end], uint32(pid)
	return rest[3:], true
}

// parse reads one wrapping of a line and those that it finds within.
func parse(b []byte, ev *smtp.Event, depth int) []byte {
	if len(b) == 0 || depth >= maxNesting {
		return b
	}
	start := b
	switch c := b[0]; {
	case c == '<':
		if n := priority(b); n > 0 {
			if b = b[n:]; len(b) > 2 && b[0] == '1' && b[1] == ' ' {
				if msg, ok := rfc5424(b[2:], ev); ok {
					return relayed(msg, ev, depth)
				}
			}
			b = blanks(b)
		}
	case c == '{':
		if msg, ok := object(b, ev, depth); ok {
			return msg
		}
	}
	s, n := stamp(b)
	if n == 0 {
		if msg, ok := bare(b, ev, depth); ok {
			return msg
		}
		return start
	}
	rest := blanks(b[n:])
	if len(rest) > 0 && (rest[0]-'0' < 10 || rest[0]-'A' < 26) {
		// A collector's clock before the line's own.
		if inner, m := stamp(rest); m > 0 {
			s, rest = better(s, inner), blanks(rest[m:])
		}
	}
	if msg, ok := container(rest); ok {
		// Kubernetes: what the container wrote may have a head of its own, or none.
		keep(ev, s)
		return parse(msg, ev, depth+1)
	}
	msg, ok := origin(rest, ev, n == isoLength && b[10] == ' ')
	if !ok {
		return start
	}
	keep(ev, s)
	if ev.Service == nil {
		return relayed(msg, ev, depth)
	}
	return msg
}

// isoLength is the length of "2006-01-02 15:04:05".
const isoLength = 19

// origin reads host and tag, or the tag alone, and returns the message behind them.
// Exim's own log begins with a date and a time too, so such a line has a head only when
// strict: its tag shows a pid or an instance. Otherwise a host may stand alone.
func origin(b []byte, ev *smtp.Event, strict bool) ([]byte, bool) {
	i := bytes.IndexByte(b, ' ')
	if i <= 0 || b[i-1] == ':' || b[i-1] == ']' {
		// The first word is no host, or there is but one.
		if name, msg, ok := metalog(b); ok && !strict {
			setName(ev, name, bytes.LastIndexByte(name, '/'))
			return msg, true
		}
		if t := readTag(b); t.next > 0 && (!strict || t.sure()) {
			setTag(ev, b, t)
			return message(b[t.next:]), true
		}
		if i <= 0 {
			return b, !strict
		}
	}
	rest := blanks(b[i:])
	t := readTag(rest)
	if strict && (t.next == 0 || !t.sure()) {
		return b, false
	}
	ev.Host = b[:i]
	if t.next == 0 {
		return rest, true
	}
	setTag(ev, rest, t)
	return message(rest[t.next:]), true
}

// bare reads a line without a stamp that makes sense: a tag at its start, a host and a
// tag, the prefix of docker compose, or the rest of a head whose start was lost. The
// tag must be sure, for any text may hold a word and a colon.
func bare(b []byte, ev *smtp.Event, depth int) ([]byte, bool) {
	if msg, ok := compose(b); ok {
		return parse(msg, ev, depth+1), true
	}
	var host []byte
	rest := b
	for range maxLost + 1 {
		if t := readTag(rest); t.next > 0 && t.sure() {
			if host != nil {
				ev.Host = host
			}
			setTag(ev, rest, t)
			return message(rest[t.next:]), true
		}
		i := bytes.IndexByte(rest, ' ')
		if i <= 0 || rest[i-1] == ':' {
			break
		}
		host, rest = rest[:i], blanks(rest[i:])
	}
	return b, false
}

// tagWords finds the '[' behind a tag and the last slash in it, eight bytes at a time,
// for tags vary in length and a loop over bytes is guessed wrong at its end. It returns -1
// for a slash where the tag is unusual: with bytes that others than Postfix use, or very
// long.
func tagWords(name []byte) (slash, end int) {
	const ones, low, high = 0x0101_0101_0101_0101, 0x7f7f_7f7f_7f7f_7f7f, 0x8080_8080_8080_8080
	slash = -1
	for i := 0; i+8 <= len(name) && i < maxTag-8; i += 8 {
		w := binary.LittleEndian.Uint64(name[i:])
		// The high bit of each byte says: '-' to '9', or '@' and above.
		allowed := ((w|high)-'-'*ones)&(('9'*ones|high)-w&low) | w<<1
		zero := func(v uint64) uint64 { return ^((v&low + low) | v | low) }
		stop := ^allowed&high | w&high | zero(w^'['*ones)
		slashes := zero(w ^ '/'*ones)
		if stop != 0 {
			slashes &= stop&-stop - 1
		}
		if slashes != 0 {
			slash = i + 7 - bits.LeadingZeros64(slashes)/8
		}
		if stop != 0 {
			return slash, i + bits.TrailingZeros64(stop)/8
		}
	}
	return -1, 0
}

// relayed looks for a second head at the start of a message whose own tag is not
// Postfix's: one syslog may carry the line of another, and some put a word between host
// and tag (AIX "mail:info", FreeBSD "<mail.info>"). The inner head must show a pid, and
// an instance when it has no stamp, for its text is not the relaying program's.
func relayed(msg []byte, ev *smtp.Event, depth int) []byte {
	if len(msg) == 0 || depth+1 >= maxNesting {
		return msg
	}
	s, n := stamp(msg)
	b := blanks(msg[n:])
	var host []byte
	t := readTag(b)
	if t.next == 0 {
		i := bytes.IndexByte(b, ' ')
		if i <= 0 {
			return msg
		}
		host, b = b[:i], blanks(b[i:])
		if n == 0 && ev.PID != 0 {
			return msg // a sentence of the outer program's, in which a line is quoted
		}
		t = readTag(b)
	}
	if t.next == 0 || t.pid == 0 || (n == 0 && t.slash < 0) {
		return msg
	}
	if n > 0 {
		keep(ev, s)
	}
	if host != nil && bytes.IndexByte(host, ':') < 0 {
		ev.Host = host
	}
	setTag(ev, b, t)
	return message(b[t.next:])
}

// A tag is the program's name with its pid, as places in the bytes it was read from.
// It has no more than four fields, so that it travels in registers.
type tag struct {
	end   int // of the name
	slash int // the last one in the name, -1 for none
	next  int // where the message begins; 0 when there is no tag
	pid   uint32
}

// sure reports that the tag is no word of a sentence: it has a pid or an instance.
func (t tag) sure() bool { return t.slash >= 0 || t.next > t.end+1 }

// tagEnd marks the bytes at which a tag ends or that it must not have, and the slash.
var tagEnd = [256]bool{' ': true, '\t': true, '=': true, '<': true, '"': true, '/': true, '[': true, ':': true}

// readTag reads "name[pid]:", "name:", and "name[pid] " without a colon, as some
// rsyslog templates write it. A line may have been cut within the pid.
func readTag(b []byte) tag {
	slash := -1
	for i, c := range b[:min(len(b), maxTag)] {
		if !tagEnd[c] {
			continue
		}
		switch c {
		case '/':
			slash = i
		case '[':
			next, pid := process(b, i)
			return tag{i, slash, next, pid}
		case ':':
			if i > 0 && (i+1 == len(b) || b[i+1] == ' ') {
				return tag{i, slash, i + 1, 0}
			}
		default:
			return tag{slash: -1}
		}
	}
	return tag{slash: -1}
}

// process reads the "[pid]:" of a tag whose name ends at i and returns where the message
// begins, 0 when it is none.
func process(b []byte, i int) (next int, pid uint32) {
	v, n := number(b[i+1:], 10)
	next = i + 1 + n
	switch {
	case i == 0 || n == 0:
		return 0, 0
	case next == len(b):
		return next, uint32(v)
	case b[next] != ']':
		return 0, 0
	}
	if next++; next < len(b) && b[next] == ':' {
		next++
	} else if next < len(b) && b[next] != ' ' {
		return 0, 0
	}
	return next, uint32(v)
}

// metalog reads "[name] ", the only head of a metalog line besides its stamp. A name
// has a letter: "[1234] " is the pid of a program that writes its own head.
func metalog(b []byte) (name, msg []byte, ok bool) {
	i := bytes.IndexByte(b[:min(len(b), maxTag)], ']')
	if i < 2 || b[0] != '[' || (i+1 < len(b) && b[i+1] != ' ') || bytes.IndexByte(b[:i], ' ') >= 0 || (b[1]|0x20)-'a' >= 26 {
		return nil, nil, false
	}
	return b[1:i], message(b[i+1:]), true
}

// setTag notes the program that a tag of b names.
func setTag(ev *smtp.Event, b []byte, t tag) {
	setName(ev, b[:t.end], t.slash)
	ev.PID = t.pid
}

// setName splits a tag's name at its last slash: "postfix/submission/smtpd" is the
// instance "postfix/submission" and the program "smtpd". An instance without a name, as
// in "/postfix-script", is empty and not nil.
func setName(ev *smtp.Event, name []byte, slash int) {
	ev.Process, ev.Service = name[slash+1:], nil
	if slash >= 0 {
		ev.Service = name[:slash]
	}
}

// message takes the blanks and the message ID of Solaris ("[ID 197553 mail.info] ") off
// the start of a message.
func message(b []byte) []byte {
	b = blanks(b)
	if len(b) > 4 && b[0] == '[' && b[1] == 'I' && b[2] == 'D' && b[3] == ' ' {
		if i := bytes.IndexByte(b[:min(len(b), 64)], ']'); i > 0 {
			return blanks(b[i+1:])
		}
	}
	return b
}

// unfold takes "message repeated N times: [ ... ]" off a message; rsyslog and journald
// write it. The bracket may have been cut off at the end.
func unfold(msg []byte, ev *smtp.Event) []byte {
	const before, after = "message repeated ", " times: ["
	if len(msg) < len(before)+len(after) || msg[0] != 'm' || string(msg[:len(before)]) != before {
		return msg
	}
	times, n := number(msg[len(before):], 9)
	rest := msg[len(before)+n:]
	if n == 0 || !bytes.HasPrefix(rest, []byte(after)) {
		return msg
	}
	if times > 1 {
		ev.Repeat = uint32(times - 1)
	}
	rest = blanks(rest[len(after):])
	return bytes.TrimSuffix(rest, []byte("]"))
}

// container takes Kubernetes' "stdout F " off: what follows is what a container wrote.
func container(b []byte) ([]byte, bool) {
	if len(b) < 9 || b[0] != 's' || (string(b[:7]) != "stdout " && string(b[:7]) != "stderr ") || (b[7] != 'F' && b[7] != 'P') || b[8] != ' ' {
		return nil, false
	}
	return b[9:], true
}

// compose takes the "name  | " of docker compose off.
func compose(b []byte) ([]byte, bool) {
	i := bytes.IndexByte(b[:min(len(b), maxTag)], '|')
	if i < 2 || i+1 >= len(b) || b[i-1] != ' ' || b[i+1] != ' ' {
		return nil, false
	}
	if bytes.IndexByte(bytes.TrimRight(b[:i], " "), ' ') >= 0 {
		return nil, false
	}
	return blanks(b[i+1:]), true
}

// priority returns the length of "<13>" (RFC 3164, 4.1.1), 0 when there is none.
func priority(b []byte) int {
	if _, n := number(b[1:], 3); n > 0 && n+1 < len(b) && b[n+1] == '>' {
		return n + 2
	}
	return 0
}

// trim takes off what is no part of a line: the CR of another system, the NULs that a
// crash leaves in a file, a byte order mark, and blanks before the head.
func trim(b []byte) []byte {
	for n := len(b); n > 0 && (b[n-1] == '\r' || b[n-1] == '\n' || b[n-1] == 0); n-- {
		b = b[:n-1]
	}
	for len(b) > 0 {
		if b[0] <= ' ' {
			b = b[1:]
		} else if len(b) > 2 && b[0] == 0xef && b[1] == 0xbb && b[2] == 0xbf {
			b = b[3:]
		} else {
			break
		}
	}
	return b
}

// blanks takes the blanks off the start of b.
func blanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// number reads up to most digits and returns their value and number. More digits than
// that make no number.
func number(b []byte, most int) (v uint64, n int) {
	for n < len(b) && b[n]-'0' < 10 {
		if n == most {
			return 0, 0
		}
		v = v*10 + uint64(b[n]-'0')
		n++
	}
	return v, n
}
