package exim

import (
	"bytes"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Bounds on what is searched for its end, so that a line full of things that never end
// costs no more than its length. All are well above what SMTP allows (RFC 5321,
// 4.5.3.1: a path has 256 octets, a command line 512), as Exim logs longer ones.
const (
	maxAddress = 1024
	maxHelo    = 1024
	maxGroup   = 1024 // a text in brackets
)

// within returns no more than the first n bytes of b.
func within(b []byte, n int) []byte { return b[:min(n, len(b))] }

// What a byte may be.
const (
	digit = 1 << iota
	letter
	separator // between the numbers of an IP address
	percent   // before the zone of one
)

// class tells what each byte is, for where many are looked at.
var class = func() (class [256]uint8) {
	for c := range class {
		switch {
		case isDigit(byte(c)):
			class[c] = digit
		case isLetter(byte(c)):
			class[c] = letter
		}
	}
	class['.'], class[':'], class['%'] = separator, separator, percent
	return class
}()

func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }

// digits reads up to nine digits, enough for a pid or a size and too few to overflow.
func digits(b []byte) (v, n int) {
	for n < len(b) && n < 9 && isDigit(b[n]) {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

func blanks(b []byte) []byte {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// gap returns the number of blanks at the start of b.
func gap(b []byte) int { return len(b) - len(blanks(b)) }

func cutPrefix(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return b, false
	}
	return b[len(prefix):], true
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// cut returns what stands before and behind the first sep.
func cut(b []byte, sep string) (before, after []byte, found bool) {
	return bytes.Cut(b, []byte(sep))
}

// word returns the length of b's first word.
func word(b []byte) int {
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return i
	}
	return len(b)
}

// quoted returns the length of the quoted string at the start of b with its quotes. A
// backslash keeps the next byte from ending it. One that does not end goes to the end.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// angle reads "<address>" at the start of b and returns the address, which may hold
// anything within a quoted local part, and its length with the brackets; 0 when the
// brackets are not closed.
func angle(b []byte) (address []byte, n int) {
	if len(b) == 0 || b[0] != '<' {
		return nil, 0
	}
	b = within(b, maxAddress)
	quotes := true
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			if !quotes {
				continue
			}
			if q := quoted(b[i:]); i+q < len(b) {
				i += q - 1
			} else {
				quotes = false // it is not closed, so it is no quoted string; nor is a later one
			}
		case '>':
			return b[1:i:i], i + 1
		}
	}
	return nil, 0
}

// address reads an address with or without its brackets and returns its length. One
// without goes to the next blank, a colon at its end excepted.
func address(b []byte) (a []byte, n int) {
	if a, n = angle(b); n > 0 {
		return a, n
	}
	if len(b) == 0 {
		return nil, 0
	}
	n = addressWord(b)
	a = b[:n]
	if len(a) > 0 && a[len(a)-1] == ':' {
		a, n = a[:len(a)-1], n-1
	}
	return a, n
}

// duration reads Exim's "1d2h3m4s" or "0.123s" (src/log.c, string_timediff). Durations
// beyond a century are none.
func duration(b []byte) time.Duration {
	const century = 100 * 365 * 24 * time.Hour
	var d time.Duration
	for len(b) > 0 {
		v, n := digits(b)
		if n == 0 || n == len(b) {
			return smtp.NoDelay
		}
		b = b[n:]
		var nsec time.Duration
		if b[0] == '.' {
			unit := time.Second / 10
			for b = b[1:]; len(b) > 0 && isDigit(b[0]); b = b[1:] {
				nsec += time.Duration(b[0]-'0') * unit
				unit /= 10
			}
			if len(b) == 0 {
				return smtp.NoDelay
			}
		}
		var unit time.Duration
		switch b[0] {
		case 'w':
			unit = 7 * 24 * time.Hour
		case 'd':
			unit = 24 * time.Hour
		case 'h':
			unit = time.Hour
		case 'm':
			unit = time.Minute
		case 's':
			unit = time.Second
		default:
			return smtp.NoDelay
		}
		if time.Duration(v) > century/unit || d > century {
			return smtp.NoDelay
		}
		d, b = d+time.Duration(v)*unit+nsec, b[1:]
	}
	return d
}

// Host reads a host as Exim names one, "name (helo) [ip]:port" with any part left out, and
// returns what follows.
func Host(b []byte) (p smtp.Peer, helo, rest []byte) { return peer(b) }

// peer reads a host as Exim names one: "name (helo) [ip]:port" with any part left out.
// A name alone is a host or, on lines about a local process, its user. It returns what
// follows.
func peer(b []byte) (p smtp.Peer, helo, rest []byte) {
	if len(b) > 0 && b[0] != '(' && b[0] != '[' {
		n := word(b)
		for n > 0 && (b[n-1] == ':' || b[n-1] == ',') && n < len(b) {
			n--
		}
		p.Name, b = b[:n:n], b[n:]
		next := b
		if r, ok := cutPrefix(next, " DS"); ok && len(r) > 0 && r[0] == ' ' {
			next = r // "DNSSEC secure", between name and address
		}
		if len(next) < 3 || next[0] != ' ' || (next[1] != '(' && next[1] != '[') {
			return p, nil, b
		}
		if next[1] == '[' {
			if ip, port, n := endpoint(next[1:]); n > 0 {
				p.IP, p.Port = ip, port
				return p, nil, next[1+n:]
			}
			return p, nil, b
		}
		b = next[1:]
	}
	if len(b) > 0 && b[0] == '(' {
		end, n := heloEnd(b)
		if n == 0 {
			return p, nil, b
		}
		helo = b[1:end:end]
		b = b[end+2:]
	}
	if ip, port, n := endpoint(b); n > 0 {
		p.IP, p.Port = ip, port
		b = b[n:]
	}
	return p, helo, b
}

// heloEnd finds the ") [ip]" that ends the HELO name which b starts with. A client whom
// helo_accept_junk_hosts lets in may have written one of its own into the name, so a
// bracket that closes nothing further on, with an address behind it, is the true one.
// So is one whose opening follows the first address at once: nothing of Exim's does.
// That search ends where other fields or a text begin, for those are strangers' words
// too. n is 0 when there is none.
func heloEnd(b []byte) (end, n int) {
	b = within(b, maxHelo)
	depth, next := 0, 0 // next is where the words behind the address begin
	again := false
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '(':
			depth++
			again = again || i == next
		case ')':
			depth--
			if i+2 < len(b) && b[i+1] == ' ' && b[i+2] == '[' && (n == 0 || depth < 0 || again) {
				if _, _, m := endpoint(b[i+2:]); m > 0 {
					end, n, depth = i, m, 0
					i += 1 + m
					next, again = i+2, false
				}
			}
		case '=', '<', '"':
			if n > 0 {
				return end, n
			}
		case ':':
			if n > 0 && i+1 < len(b) && b[i+1] == ' ' {
				return end, n
			}
		}
	}
	return end, n
}

// endpoint reads "[ip]" or "[ip]:port" and returns its length, 0 when it is neither or
// something sticks to it that never follows an address.
func endpoint(b []byte) (ip []byte, port uint16, n int) {
	if len(b) < 4 || b[0] != '[' {
		return nil, 0, 0
	}
	var seen uint8
	for n = 1; n < len(b) && class[b[n]] != 0; n++ {
		seen |= class[b[n]]
	}
	if n >= len(b) || b[n] != ']' || seen&separator == 0 {
		return nil, 0, 0
	}
	ip = b[1:n:n]
	n++
	if n+1 < len(b) && b[n] == ':' {
		if v, m := digits(b[n+1:]); m > 0 && v <= 65535 {
			port, n = uint16(v), n+1+m
		}
	}
	if n < len(b) && b[n] == '*' {
		n++ // the connection was used before
	}
	if n < len(b) {
		switch b[n] {
		case ' ', ':', ',', ';', '"', '\'':
		case ')': // "(during SMTP connection from host [ip])"
		default:
			return nil, 0, 0
		}
	}
	return ip, port, n
}
