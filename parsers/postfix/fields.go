package postfix

import (
	"bytes"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// after returns what follows prefix at the start of b.
func after(b []byte, prefix string) ([]byte, bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return nil, false
	}
	return b[len(prefix):], true
}

// cut is bytes.Cut with a string that costs nothing to pass.
func cut(b []byte, sep string) (before, behind []byte, ok bool) {
	if i := index(b, sep); i >= 0 {
		return b[:i], b[i+len(sep):], true
	}
	return b, nil, false
}

// index is bytes.Index for a short string. It leaps from one first byte to the next.
func index(b []byte, sep string) int {
	for i := 0; ; {
		j := bytes.IndexByte(b[i:], sep[0])
		if j < 0 || i+j+len(sep) > len(b) {
			return -1
		}
		if i += j; string(b[i:i+len(sep)]) == sep {
			return i
		}
		i++
	}
}

// lastIndex is bytes.LastIndex for a short string.
func lastIndex(b []byte, sep string) int {
	for end := len(b) - len(sep) + 1; end > 0; {
		i := bytes.LastIndexByte(b[:end], sep[0])
		if i < 0 || string(b[i:i+len(sep)]) == sep {
			return i
		}
		end = i
	}
	return -1
}

// peer reads "name[address]" or "name[address]:port" at the start of b and returns its
// length, 0 when none stands there. A port may be called unknown (smtpd with a client
// that vanished); the address of a Unix socket is a path and no address.
func peer(b []byte) (p smtp.Peer, n int) {
	open := bytes.IndexByte(b, '[')
	if open < 0 || bytes.IndexByte(b[:open], ' ') >= 0 {
		return p, 0
	}
	size := bytes.IndexByte(b[open:], ']')
	if size < 0 {
		return p, 0
	}
	p.Name, p.IP = b[:open], b[open+1:open+size]
	if open == 0 || string(p.Name) == "unknown" {
		p.Name = nil
	}
	if !isAddress(p.IP) {
		p.IP = nil
	} else if len(p.IP) > 5 && (p.IP[0] == 'I' || p.IP[0] == 'i') && p.IP[4] == ':' {
		p.IP = p.IP[5:] // the IPv6: tag of RFC 5321, 4.1.3
	}
	n = open + size + 1
	if n+1 >= len(b) || b[n] != ':' {
		return p, n
	}
	if string(b[n+1:min(n+8, len(b))]) == "unknown" {
		return p, n + 8
	}
	if port, m := digits(b[n+1:]); m > 0 && port < 1<<16 {
		p.Port = uint16(port)
		n += 1 + m
	}
	return p, n
}

// isAddress tells an address from "unknown", from the path of a socket and from a word
// in brackets. Whether it is a good one is not asked: it is shown as it is logged.
func isAddress(b []byte) bool {
	found := false
	for _, c := range b {
		switch c {
		case '.', ':':
			found = true
		case '/', ' ':
			return false
		}
	}
	return found
}

// same reports that two peers are one host as far as they show.
func same(a, b *smtp.Peer) bool {
	return bytes.Equal(a.Name, b.Name) && bytes.Equal(a.IP, b.IP)
}

// angle reads "<value>" at the start of b and returns the value and the length with the
// brackets. The value may hold brackets, blanks and quotes of its own: it ends where a
// closing bracket stands at the end, before a separator and the next "key=", or before
// a colon and a blank. A cut value goes to the end. Without an opening bracket the
// value is a plain word.
func angle(b []byte) (value []byte, n int) {
	if len(b) == 0 || b[0] != '<' {
		return plain(b)
	}
	for i := 1; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], '>')
		if j < 0 {
			break
		}
		if i += j; ends(b[i+1:]) {
			return b[1:i], i + 1
		}
	}
	return b[1:], len(b)
}

// ends reports that b, which follows a closing bracket, is no part of the value.
func ends(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 0 || b[0] == ' ' || b[0] == ','
	}
	switch {
	case b[0] == ':' || b[0] == ';' || b[0] == ',':
		if b[1] != ' ' {
			return false
		}
		if b[0] != ',' {
			return true
		}
		b = b[2:]
	case b[0] == ' ':
		if b = b[1:]; b[0] == '(' {
			return true
		}
	default:
		return false
	}
	for i, c := range b[:min(len(b), maxKey)] {
		if c == '=' {
			return i > 0
		}
		if c-'a' >= 26 && c != '_' {
			return false
		}
	}
	return len(b) < maxKey // the line was cut within the next key
}

// maxKey bounds the name of a key; the longest is "orig_queue_id".
const maxKey = 20

// plain reads a value without brackets: it ends at a blank, and a comma or a colon
// before the blank is no part of it.
func plain(b []byte) (value []byte, n int) {
	if n = bytes.IndexByte(b, ' '); n < 0 {
		n = len(b)
	}
	if n > 0 && (b[n-1] == ',' || b[n-1] == ':') {
		n--
	}
	return b[:n], n
}

// key reads "name=" at the start of b.
func key(b []byte) (name, rest []byte, ok bool) {
	for i, c := range b[:min(len(b), maxKey)] {
		if c == '=' {
			return b[:i], b[i+1:], i > 0
		}
		if c-'a' >= 26 && c != '_' {
			break
		}
	}
	return nil, b, false
}

// separator passes over the blank, or the comma and the blank, between two fields.
func separator(b []byte) []byte {
	if len(b) > 0 && b[0] == ',' {
		b = b[1:]
	}
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	return b
}

// digits reads up to eighteen digits and returns their value and number.
func digits(b []byte) (v int64, n int) {
	for n < len(b) && n < 18 && b[n]-'0' < 10 {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}

// count is digits for a number that a counter takes; a greater one is cut down to it.
func count(b []byte) int32 {
	v, _ := digits(b)
	return int32(min(v, 1<<31-1))
}

// maxDelay bounds a delay. Nothing waits a century; a number that says so is cut down
// to it, lest a sum overflow.
const maxDelay = 100 * 365 * 24 * time.Hour

// seconds reads "12", "0.25" or "1.2e+02" (printf's %g) and returns it and its length.
func seconds(b []byte) (d time.Duration, n int) {
	v, n := digits(b)
	if n == 0 {
		return smtp.NoDelay, 0
	}
	d = time.Duration(min(v, int64(maxDelay/time.Second))) * time.Second
	if n+1 < len(b) && b[n] == '.' && b[n+1]-'0' < 10 {
		scale := time.Second
		for n++; n < len(b) && b[n]-'0' < 10; n++ {
			scale /= 10
			d += time.Duration(b[n]-'0') * scale
		}
	}
	if n+2 < len(b) && b[n] == 'e' && (b[n+1] == '+' || b[n+1] == '-') {
		power, m := digits(b[n+2:])
		for range min(power, 18) {
			if b[n+1] == '-' {
				d /= 10
			} else {
				d = min(d, maxDelay/10) * 10
			}
		}
		n += 2 + m
	}
	return min(d, maxDelay), n
}
