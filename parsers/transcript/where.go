package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// peerOf reads whom a connection was made to: "mx.example.net [192.0.2.1]:25",
// "192.0.2.1:25...", "mx.example.net (192.0.2.1) port 25", "('mx.example.net', 25)",
// "mx.example.net/25...", "[192.0.2.1] port 25".
func peerOf(b []byte) (peer smtp.Peer) {
	b = b[:min(len(b), 200)]
	for _, before := range []string{"SMTP server: ", "host ", "from ", "smtps://", "smtp://"} {
		b = bytes.TrimPrefix(b, []byte(before))
	}
	host, rest := hostAt(bytes.TrimLeft(b, ` (['"`))
	if isAddress(host) {
		peer.IP = host
	} else if len(host) > 0 {
		peer.Name = host
	}
	peer.Port, rest = portAt(rest)
	if rest = bytes.TrimLeft(rest, " "); len(rest) > 1 && (rest[0] == '[' || rest[0] == '(') {
		ip, after := hostAt(rest[1:])
		if isAddress(ip) {
			peer.IP, rest = ip, after
		}
	}
	if peer.Port == 0 {
		peer.Port, _ = portAt(rest)
	}
	return peer
}

// hostAt cuts a host name or address off b. An IPv6 address has more than one colon; a
// single one stands before a port.
func hostAt(b []byte) (host, rest []byte) {
	i, colons, colon := 0, 0, 0
	for i < len(b) && (isLetter(b[i]) || isDigit(b[i]) || b[i] == '.' || b[i] == '-' || b[i] == '_' || b[i] == ':') {
		if b[i] == ':' {
			colons, colon = colons+1, i
		}
		i++
	}
	if colons == 1 {
		i = colon
	}
	host = bytes.TrimRight(b[:i], ".:")
	return host, b[len(host):]
}

func isAddress(b []byte) bool {
	dots, colons := 0, 0
	for _, c := range b {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case !isDigit(c) && (colons == 0 && bytes.IndexByte(b, ':') < 0 || !isHex(c)):
			return false
		}
	}
	return dots == 3 || colons >= 2
}

// portAt reads a port that follows a host: ":25", "]:25", "', 25", "/25", " port 25".
func portAt(b []byte) (port uint16, rest []byte) {
	for _, before := range []string{"]:", "'", "\"", ":", "/", "]", ")", ",", " ", "port: ", "port ", " "} {
		b = bytes.TrimPrefix(b, []byte(before))
	}
	n, i := 0, 0
	for i < len(b) && i < 5 && isDigit(b[i]) {
		n, i = n*10+int(b[i]-'0'), i+1
	}
	if i == 0 || n > 65535 || i < len(b) && isDigit(b[i]) || i+1 < len(b) && b[i] == '.' && isDigit(b[i+1]) {
		return 0, b
	}
	return uint16(n), b[i:]
}

// maxStamp is how far into a line a date may begin.
const maxStamp = 48

// stampOf returns the first date and time of a line's head, the zero stamp when it shows
// none: "2026-11-22 04:08:24.123", "2026/11/22 04:08:24", "2026-11-22T04:08:24Z",
// "Nov 22 04:08:24", "11/Oct/2026:13:16:39 -0600".
func stampOf(line []byte) smtp.Stamp {
	for i := 0; i < min(len(line), maxStamp); i++ {
		if i > 0 && (isDigit(line[i-1]) || isLetter(line[i-1])) {
			continue
		}
		if s := stampAt(line[i:]); s.Flags != 0 {
			return s
		}
	}
	return smtp.Stamp{}
}

func stampAt(b []byte) smtp.Stamp {
	switch {
	case len(b) >= 19 && (b[4] == '-' && b[7] == '-' || b[4] == '/' && b[7] == '/') && (b[10] == ' ' || b[10] == 'T'):
		y, m, d := digits(b[:4]), digits(b[5:7]), digits(b[8:10])
		return clock(y, m, d, b[11:], 0)
	case len(b) >= 15 && b[3] == ' ' && b[6] == ' ' && isLetter(b[0]):
		if b[4] == ' ' {
			return clock(0, month(b[:3]), digits(b[5:6]), b[7:], 0)
		}
		return clock(0, month(b[:3]), digits(b[4:6]), b[7:], 0)
	case len(b) >= 20 && b[2] == '/' && b[6] == '/' && b[11] == ':':
		return clock(digits(b[7:11]), month(b[3:6]), digits(b[:2]), b[12:], 0)
	case len(b) >= 17 && b[10] == '.' && b[0] != '0' && digits(b[:10]) > 0 && digits(b[11:17]) >= 0: // Dovecot: seconds since 1970
		s := smtp.MakeStamp(1970, 1, 1, 0, 0, digits(b[:10]), int64(digits(b[11:17]))*1000)
		return s.WithZone(0)
	}
	return smtp.Stamp{}
}

// clock reads "04:08:24.123Z" behind a date.
func clock(year, month, day int, b []byte, nsec int64) smtp.Stamp {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return smtp.Stamp{}
	}
	h, m, s := digits(b[:2]), digits(b[3:5]), digits(b[6:8])
	if year < 0 || month < 1 || month > 12 || day < 1 || day > 31 || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return smtp.Stamp{}
	}
	b = b[8:]
	if len(b) > 1 && (b[0] == '.' || b[0] == ',') && isDigit(b[1]) {
		unit := int64(1e8)
		for b = b[1:]; len(b) > 0 && isDigit(b[0]); b = b[1:] {
			nsec += int64(b[0]-'0') * unit
			unit /= 10
		}
	}
	stamp := smtp.MakeStamp(year, month, day, h, m, s, nsec)
	if len(b) > 0 && b[0] == 'Z' {
		return stamp.WithZone(0)
	}
	b = bytes.TrimPrefix(b, []byte{' '})
	if len(b) < 5 || b[0] != '+' && b[0] != '-' {
		return stamp
	}
	hh, rest := digits(b[1:3]), bytes.TrimPrefix(b[3:], []byte{':'})
	if mm := digits(rest[:min(len(rest), 2)]); len(rest) >= 2 && hh >= 0 && hh < 15 && mm >= 0 && mm < 60 {
		offset := hh*3600 + mm*60
		if b[0] == '-' {
			offset = -offset
		}
		return stamp.WithZone(offset)
	}
	return stamp
}

// digits returns the value of b, -1 when it is not all digits.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// month returns 1 to 12 for an English month's first three letters, 0 for others.
func month(b []byte) int {
	const names = "jan feb mar apr may jun jul aug sep oct nov dec"
	for i := range 12 {
		if equalFold(b, names[4*i:4*i+3]) {
			return i + 1
		}
	}
	return 0
}
