package syslog

import (
	"encoding/binary"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Plain reads the stamp that nearly every line of a traditional log begins with, "Jan _2
// 15:04:05 ", and returns its length without the blank; 0 for any other.
func Plain(line []byte) (smtp.Stamp, int) { return plain(line) }

// Stamp reads the time at the start of a line, in any of the ways in which logs show it, and
// returns its length; 0 when there is none.
func Stamp(line []byte) (smtp.Stamp, int) { return stamp(line) }

// stamp reads the time at the start of b and returns its length, 0 when there is none.
func stamp(b []byte) (smtp.Stamp, int) {
	if len(b) < 10 {
		return smtp.Stamp{}, 0
	}
	if b[0]-'0' < 10 {
		if s, n := dated(b); n > 0 {
			return s, n
		}
		if s, n := yearFirst(b); n > 0 {
			return s, n
		}
		return epoch(b)
	}
	if s, n := plain(b); n > 0 {
		return s, n
	}
	if s, n := bsd(b, 0); n > 0 {
		return s, n
	}
	return weekday(b)
}

// plainLength is the length of "Jan _2 15:04:05 ", the stamp with the blank behind it.
const plainLength = 16

// plain reads the stamp that nearly every line of a traditional log has, "Jan _2
// 15:04:05" with two columns for the day. It gives what bsd gives and leaves to bsd all
// that is written otherwise.
func plain(b []byte) (smtp.Stamp, int) {
	if len(b) < plainLength || b[3] != ' ' || b[6] != ' ' || b[15] != ' ' {
		return smtp.Stamp{}, 0
	}
	tens := b[4]
	if tens == ' ' {
		tens = '0'
	}
	day := int(tens-'0')*10 + int(b[5]-'0')
	sec, ok := clockWord(binary.LittleEndian.Uint64(b[7:]))
	if month, _ := monthOf(b); ok && month > 0 && tens-'0' < 10 && b[5]-'0' < 10 && day > 0 && day <= 31 {
		return smtp.MakeStamp(0, month, day, 0, 0, sec, 0), plainLength - 1
	}
	return smtp.Stamp{}, 0
}

// clockWord reads "15:04:05" as the eight bytes of a word and returns the seconds of the
// day. All six digits are checked and put together at once.
func clockWord(w uint64) (sec int, ok bool) {
	const colons, digits, zeros = 0x0000_ff00_00ff_0000, 0x0f0f_000f_0f00_0f0f, 0x3030_3a30_303a_3030
	d := w ^ zeros // the digits' values; nothing at the colons
	if d&colons != 0 || (d|(d+0x0606_0006_0600_0606))&^digits&^colons != 0 {
		return 0, false
	}
	h := int(d&0xff)*10 + int(d>>8&0xff)
	m := int(d>>24&0xff)*10 + int(d>>32&0xff)
	s := int(d>>48&0xff)*10 + int(d>>56)
	return h*3600 + m*60 + s, h < 24 && m < 60 && s <= 60
}

// bsd reads "Jan _2 15:04:05" (RFC 3164, 4.1.2) with the liberties that people take:
// any number of blanks, a zero before the day, a year behind it, a fraction of the
// second. year is 0 when none was shown before.
func bsd(b []byte, year int) (smtp.Stamp, int) {
	if len(b) < 14 {
		return smtp.Stamp{}, 0
	}
	month, i := monthOf(b)
	if month == 0 {
		return smtp.Stamp{}, 0
	}
	for i < len(b) && b[i] == ' ' {
		i++
	}
	if i == len(b) || b[i]-'0' >= 10 {
		return smtp.Stamp{}, 0
	}
	day := int(b[i] - '0')
	if i++; i < len(b) && b[i]-'0' < 10 {
		day = day*10 + int(b[i]-'0')
		i++
	}
	if i == len(b) || b[i] != ' ' || day == 0 || day > 31 {
		return smtp.Stamp{}, 0
	}
	i++
	if year == 0 && i+5 < len(b) && b[i+4] == ' ' {
		if y, n := number(b[i:i+4], 4); n == 4 {
			year, i = int(y), i+5
		}
	}
	sec, nsec, n := clock(b[i:])
	if n == 0 {
		return smtp.Stamp{}, 0
	}
	return smtp.MakeStamp(year, month, day, 0, 0, sec, nsec), i + n
}

// yearFirst reads "2006 Jan _2 15:04:05.000".
func yearFirst(b []byte) (smtp.Stamp, int) {
	y, n := number(b[:5], 4)
	if n != 4 || b[4] != ' ' || y == 0 {
		return smtp.Stamp{}, 0
	}
	s, m := bsd(b[5:], int(y))
	if m == 0 {
		return smtp.Stamp{}, 0
	}
	return s, m + 5
}

// dated reads "2006-01-02T15:04:05.000000+01:00" (RFC 3339), or with a blank for the T,
// with slashes for the hyphens, without zone, with a zone without its colon. A line
// from the middle of a file may have lost the first digit of its year.
func dated(b []byte) (smtp.Stamp, int) {
	year, n := number(b[:5], 4)
	if n == 3 && b[3] == '-' {
		year += 2000
	} else if n != 4 {
		return smtp.Stamp{}, 0
	}
	if len(b) < n+15 || (b[n] != '-' && b[n] != '/') || b[n+3] != b[n] || (b[n+6] != 'T' && b[n+6] != ' ' && b[n+6] != 't') {
		return smtp.Stamp{}, 0
	}
	month, day := two(b[n+1:]), two(b[n+4:])
	if year == 0 || month < 1 || month > 12 || day < 1 || day > 31 {
		return smtp.Stamp{}, 0
	}
	i := n + 7
	sec, nsec, m := clock(b[i:])
	if m == 0 {
		return smtp.Stamp{}, 0
	}
	i += m
	s := smtp.MakeStamp(int(year), month, day, 0, 0, sec, nsec)
	if off, z := zone(b[i:]); z > 0 {
		return s.WithZone(off), i + z
	}
	return s, i
}

// weekday reads the form of "journalctl -o short-full", "Sun 2006-01-02 15:04:05 UTC",
// and a weekday before a BSD stamp. Other zones than UTC have names that mean several.
func weekday(b []byte) (smtp.Stamp, int) {
	if len(b) < 19 || b[3] != ' ' {
		return smtp.Stamp{}, 0
	}
	switch string(b[:3]) {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
	default:
		return smtp.Stamp{}, 0
	}
	s, n := dated(b[4:])
	if n == 0 {
		s, n = bsd(b[4:], 0)
		if n == 0 {
			return s, 0
		}
		return s, n + 4
	}
	rest := b[4+n:]
	if len(rest) < 4 || rest[0] != ' ' {
		return s, n + 4
	}
	if string(rest[1:4]) == "UTC" && (len(rest) == 4 || rest[4] == ' ') {
		return s.WithZone(0), n + 8
	}
	for i := 1; i < 6 && i < len(rest); i++ {
		if rest[i] == ' ' && i > 2 {
			return s, n + 4 + i // "CET", "CEST"
		}
		if rest[i]-'A' >= 26 {
			break
		}
	}
	return s, n + 4
}

// epoch reads the seconds since 1970 of "journalctl -o short-unix": ten digits, a dot
// and a fraction.
func epoch(b []byte) (smtp.Stamp, int) {
	sec, n := number(b, 10)
	if n != 10 || n >= len(b) || b[n] != '.' {
		return smtp.Stamp{}, 0
	}
	nsec, m := fraction(b[n:])
	if m == 0 {
		return smtp.Stamp{}, 0
	}
	return utc(int64(sec)*int64(time.Second) + nsec), n + m
}

// utc is the stamp of an instant.
func utc(nsec int64) smtp.Stamp {
	return smtp.Stamp{Wall: nsec, Flags: smtp.HasTime | smtp.HasYear | smtp.HasZone}
}

// clock reads "15:04:05" with a fraction and returns the seconds of the day, the rest
// in nanoseconds, and the length. A leap second is in range.
func clock(b []byte) (sec int, nsec int64, n int) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, 0, 0
	}
	h, m, s := two(b), two(b[3:]), two(b[6:])
	if h < 0 || m < 0 || s < 0 || h > 23 || m > 59 || s > 60 {
		return 0, 0, 0
	}
	n = 8
	if len(b) > 9 && (b[8] == '.' || b[8] == ',') {
		var f int
		nsec, f = fraction(b[8:])
		n += f
	}
	return h*3600 + m*60 + s, nsec, n
}

// fraction reads a dot or a comma and up to nine digits that count; more are passed
// over. Length 0 when no digit follows.
func fraction(b []byte) (nsec int64, n int) {
	scale := int64(time.Second)
	for n = 1; n < len(b) && b[n]-'0' < 10; n++ {
		scale /= 10
		nsec += int64(b[n]-'0') * scale
	}
	if n == 1 {
		return 0, 0
	}
	return nsec, n
}

// zone reads "Z", "+01:00", "+0100" or "+01" and returns seconds east of UTC and the
// length, 0 when there is none.
func zone(b []byte) (offset, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] == 'Z' || b[0] == 'z' {
		return 0, 1
	}
	if len(b) < 3 || (b[0] != '+' && b[0] != '-') {
		return 0, 0
	}
	h := two(b[1:])
	if h < 0 || h > 23 {
		return 0, 0
	}
	offset, n = h*3600, 3
	rest := b[3:]
	if len(rest) > 2 && rest[0] == ':' {
		rest = rest[1:]
		n++
	}
	if m := two(rest); m >= 0 && m < 60 {
		offset += m * 60
		n += 2
	}
	if b[0] == '-' {
		offset = -offset
	}
	return offset, n
}

// monthOf reads the English name of a month and returns it with its length. A name that
// lost its first letter still tells the month.
func monthOf(b []byte) (month, n int) {
	if b[2] == ' ' {
		for m, name := range monthNames {
			if name[1:] == string(b[:2]) {
				return m + 1, 2
			}
		}
		return 0, 0
	}
	if b[3] != ' ' {
		return 0, 0
	}
	switch uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) {
	case 'J'<<16 | 'a'<<8 | 'n':
		return 1, 3
	case 'F'<<16 | 'e'<<8 | 'b':
		return 2, 3
	case 'M'<<16 | 'a'<<8 | 'r':
		return 3, 3
	case 'A'<<16 | 'p'<<8 | 'r':
		return 4, 3
	case 'M'<<16 | 'a'<<8 | 'y':
		return 5, 3
	case 'J'<<16 | 'u'<<8 | 'n':
		return 6, 3
	case 'J'<<16 | 'u'<<8 | 'l':
		return 7, 3
	case 'A'<<16 | 'u'<<8 | 'g':
		return 8, 3
	case 'S'<<16 | 'e'<<8 | 'p':
		return 9, 3
	case 'O'<<16 | 'c'<<8 | 't':
		return 10, 3
	case 'N'<<16 | 'o'<<8 | 'v':
		return 11, 3
	case 'D'<<16 | 'e'<<8 | 'c':
		return 12, 3
	}
	return 0, 0
}

var monthNames = [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

// two reads two digits, -1 when there are not two.
func two(b []byte) int {
	if len(b) < 2 || b[0]-'0' >= 10 || b[1]-'0' >= 10 {
		return -1
	}
	return int(b[0]-'0')*10 + int(b[1]-'0')
}

// better chooses between the clock of a collector and that of the line itself: the
// line's own, unless only the other shows year or zone.
func better(outer, inner smtp.Stamp) smtp.Stamp {
	if inner.Flags < outer.Flags {
		return outer
	}
	return inner
}

// keep sets the event's stamp to s, or leaves an outer one that shows more.
func keep(ev *smtp.Event, s smtp.Stamp) {
	ev.Stamp = better(ev.Stamp, s)
}
