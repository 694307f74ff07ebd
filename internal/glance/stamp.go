package glance

import (
	"github.com/mailwhy/mailwhy/parsers/exim"
	"github.com/mailwhy/mailwhy/parsers/smtp"
	"github.com/mailwhy/mailwhy/parsers/syslog"
)

// stamps remembers the last stamp of each of three ways to write one, by its bytes.
type stamps struct {
	bsd, iso, exim known
	zone           uint64 // of the last iso one, with the blank behind it
}

// known is a stamp with the bytes that it was read from, as words that overlap where
// they are not a multiple of eight.
type known struct {
	words [3]uint64
	stamp smtp.Stamp
}

const (
	bsdLength  = len("Jan _2 15:04:05 ")
	isoSecond  = len("2006-01-02T15:04:05")
	isoLength  = len("2006-01-02T15:04:05.000000+01:00 ")
	eximLength = len("2006-01-02 15:04:05 ")
)

// syslogStamp reads the stamp at the start of a line of syslog, and returns where what follows it
// begins; 0 when it is not as usual.
func (k *stamps) syslogStamp(line []byte, s *smtp.Stamp) int {
	words := [3]uint64{word(line, 0), word(line, bsdLength-8)}
	if words != k.bsd.words || k.bsd.stamp.Flags == 0 {
		if line[0]-'0' < 10 {
			return k.isoStamp(line, s)
		}
		stamp, n := syslog.Plain(line)
		if n != bsdLength-1 {
			return 0
		}
		k.bsd = known{words, stamp}
	}
	*s = k.bsd.stamp
	return bsdLength
}

// isoStamp reads "2006-01-02T15:04:05.000000+01:00 ", as rsyslog writes it, or with "Z ".
func (k *stamps) isoStamp(line []byte, s *smtp.Stamp) int {
	micro, ok := sixDigits(word(line, isoSecond+1))
	if !ok || line[isoSecond] != '.' {
		return 0
	}
	words, zone, length := [3]uint64{word(line, 0), word(line, 8), word(line, isoSecond-8)}, word(line, isoLength-8)>>8, isoLength
	if byte(zone) == 'Z' {
		zone, length = zone&0xffff, isoLength-len("+01:00")+len("Z")
	}
	if words != k.iso.words || zone != k.zone || k.iso.stamp.Flags == 0 {
		stamp, n := syslog.Stamp(line)
		if n != length-1 || line[n] != ' ' || stamp.Flags&smtp.HasZone == 0 {
			return 0
		}
		stamp.Wall -= micro * 1000
		k.iso, k.zone = known{words, stamp}, zone
	}
	*s = k.iso.stamp
	s.Wall += micro * 1000
	return length
}

// sixDigits reads the first six bytes of a word as a number.
func sixDigits(w uint64) (v int64, ok bool) {
	const six = 1<<48 - 1
	d := w&six ^ 0x3030_3030_3030
	if (d|(d+0x0606_0606_0606))&0xf0f0_f0f0_f0f0 != 0 {
		return 0, false
	}
	d = d&0x0f0f_0f0f_0f0f*10 + d>>8 // pairs of digits, in every other byte
	return int64(d&0xff)*10000 + int64(d>>16&0xff)*100 + int64(d>>32&0xff), true
}

// eximStamp reads "2006-01-02 15:04:05 ", with nothing of the zone behind it.
func (k *stamps) eximStamp(line []byte, s *smtp.Stamp) bool {
	words := [3]uint64{word(line, 0), word(line, 8), word(line, eximLength-8)}
	if words != k.exim.words || k.exim.stamp.Flags == 0 {
		stamp, n := exim.Stamp(line)
		if n != eximLength-1 || line[n] != ' ' || stamp.Flags == 0 {
			return false
		}
		k.exim = known{words, stamp}
	}
	*s = k.exim.stamp
	return line[eximLength] != '+' && line[eximLength] != '-'
}
