package exim

import (
	"encoding/binary"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// The sizes of what stands at the start of a line.
const (
	stampLen = len("2006-01-02 15:04:05")
	shortID  = len("16ZCW1-0005MB-00")        // up to 4.96
	longID   = len("10HmaX-000000005vi-0000") // since 4.97
)

// startsEntry reports whether a line begins as only Exim's own do: with a stamp, a
// message id, a pid or the mark of a fragment.
func startsEntry(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '[' {
		if n, _ := fragment(b); n > 0 {
			return true
		}
		pid, _ := bracketed(b)
		return pid > 0
	}
	return isStamp(b) || messageID(b) > 0
}

// head reads "2006-01-02 15:04:05[.000][ +0100][ [pid]][ message-id] " and returns what
// follows. All of it is optional, for syslog may have the rest. Of two stamps the one
// with a year wins, for a guessed year is worth less, and then the one with a zone.
func head(b []byte, ev *smtp.Event) []byte {
	if isStamp(b) {
		s, n := stamp(b)
		const known = smtp.HasYear | smtp.HasZone
		if s.Flags&known > ev.Stamp.Flags&known || ev.Stamp.Flags&known == 0 {
			ev.Stamp = s
		}
		b = blanks(b[n:])
	}
	if len(b) > 0 && b[0] == '[' {
		if pid, n := bracketed(b); pid > 0 {
			ev.PID = pid
			b = blanks(b[n:])
		}
	}
	if n := messageID(b); n > 0 {
		ev.Queue = b[:n]
		b = blanks(b[n:])
	}
	return b
}

// fragment reads the mark of a piece of a long message, "[2/3] " or, where the piece
// ends at a line's end, "[2\3] ", and returns the piece's number; 0 when there is none.
func fragment(b []byte) (n int, rest []byte) {
	if len(b) < len("[1/2] ") || b[0] != '[' {
		return 0, b
	}
	n, i := digits(b[1:])
	if i == 0 || len(b) < i+2 || (b[i+1] != '/' && b[i+1] != '\\') {
		return 0, b
	}
	_, j := digits(b[i+2:])
	if end := i + 2 + j; j > 0 && len(b) > end && b[end] == ']' {
		// The blank behind it is the mark's; any others are the text's.
		rest = b[end+1:]
		if len(rest) > 0 && rest[0] == ' ' {
			rest = rest[1:]
		}
		return n, rest
	}
	return 0, b
}

// bracketed reads "[123]" and returns the number and its length with the brackets.
func bracketed(b []byte) (pid uint32, n int) {
	v, i := digits(b[1:])
	if i == 0 || len(b) < i+2 || b[i+1] != ']' || (len(b) > i+2 && b[i+2] != ' ') {
		return 0, 0
	}
	return uint32(v), i + 2
}

// isStamp reports whether b starts with a date and a time of day, "2006-01-02 15:04:05".
func isStamp(b []byte) bool {
	return len(b) >= stampLen && b[4] == '-' && b[7] == '-' && b[10] == ' ' && b[13] == ':' && b[16] == ':' &&
		isDigit(b[0]) && isDigit(b[3]) && isDigit(b[11]) && isDigit(b[18]) && (len(b) == stampLen || b[stampLen] == ' ' || b[stampLen] == '.')
}

// stamp reads the date and time that isStamp has seen, with milliseconds and zone where
// log_selector and log_timezone ask for them, and returns their length.
func stamp(b []byte) (s smtp.Stamp, n int) {
	t := (*[stampLen]byte)(b)
	two := func(i int) int { return int(t[i]-'0')*10 + int(t[i+1]-'0') }
	month, day, hour, minute, second := two(5), two(8), two(11), two(14), two(17)
	n = stampLen
	var nsec int64
	if len(b) > n && b[n] == '.' {
		unit := int64(100_000_000)
		for n++; n < len(b) && isDigit(b[n]); n++ {
			nsec += int64(b[n]-'0') * unit
			unit /= 10
		}
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 || !isDigit(t[1]) || !isDigit(t[2]) {
		return smtp.Stamp{}, n
	}
	s = smtp.MakeStamp(two(0)*100+two(2), month, day, hour, minute, second, nsec)
	if z := b[n:]; len(z) >= len(" +0100") && z[0] == ' ' && (z[1] == '+' || z[1] == '-') && allDigits(z[2:6]) && (len(z) == 6 || z[6] == ' ') {
		hours, _ := digits(z[2:4])
		minutes, _ := digits(z[4:6])
		offset := hours*3600 + minutes*60
		if z[1] == '-' {
			offset = -offset
		}
		return s.WithZone(offset), n + 6
	}
	return s, n
}

// Stamp reads the date and time at the start of a line, and returns its length; 0 when
// there is none.
func Stamp(line []byte) (smtp.Stamp, int) {
	if !isStamp(line) {
		return smtp.Stamp{}, 0
	}
	return stamp(line)
}

// MessageID returns the length of the message id at the start of b, 0 for none.
func MessageID(b []byte) int { return messageID(b) }

// messageID returns the length of the message id at the start of b, 0 for none: six
// characters of time, then eleven of process and four of fraction, or six and two up
// to 4.96.
func messageID(b []byte) int {
	if len(b) >= shortID && b[6] == '-' {
		const dashes = 0xff << 48 // in the first word; in the second they are a byte before
		first, second := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		if b[13] == '-' && (len(b) == shortID || b[shortID] == ' ') && isID(first&^dashes|dashes&zeros) && isID(second&^(dashes>>8)|dashes>>8&zeros) {
			return shortID
		}
		if len(b) >= longID && b[18] == '-' && (len(b) == longID || b[longID] == ' ') && isID(first&^dashes|dashes&zeros) && isID(second) {
			const dash = 0xff << 24
			if third := binary.LittleEndian.Uint64(b[longID-8:]); isID(third&^dash | dash&zeros) {
				return longID
			}
		}
	}
	return 0
}

// zeros is a word of the digit.
const zeros = 0x3030_3030_3030_3030

// isID reports whether the eight bytes of a word are letters and digits.
func isID(w uint64) bool {
	const ones, low, high = 0x0101_0101_0101_0101, 0x7f7f_7f7f_7f7f_7f7f, 0x8080_8080_8080_8080
	lower := w | 0x20*ones
	// The high bit of each byte says: a digit, or a letter.
	known := ((w|high)-'0'*ones)&(('9'*ones|high)-w&low) | ((lower|high)-'a'*ones)&(('z'*ones|high)-lower&low)
	return known&^w&high == high
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}
