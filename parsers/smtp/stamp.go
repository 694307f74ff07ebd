package smtp

import "time"

// Stamp is a time as a line writes it, before year and zone are settled.
type Stamp struct {
	Wall   int64 // nanoseconds from 1970-01-01 00:00:00 to the date and time shown, as if in UTC; in the year NoYearYear when none is shown
	Offset int32 // seconds east of UTC, when HasZone
	Flags  StampFlags
}

// StampFlags says what a stamp shows.
type StampFlags uint8

// What a stamp may show.
const (
	HasTime StampFlags = 1 << iota // a date and a time of day; without it the line has no stamp at all
	HasYear
	HasZone
)

// NoYearYear is the year that Wall counts in when the stamp shows none. It is a leap
// year, so that the 29th of February exists.
const NoYearYear = 1972

// MakeStamp returns a stamp for a date and a time of day. Year 0 means that none is
// shown. It does not check the ranges; a parser does.
func MakeStamp(year, month, day, hour, minute, second int, nsec int64) Stamp {
	flags := HasTime | HasYear
	if year == 0 {
		year, flags = NoYearYear, HasTime
	}
	sec := daysFromCivil(year, month, day)*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	return Stamp{Wall: sec*int64(time.Second) + nsec, Flags: flags}
}

// WithZone returns the stamp with a zone, in seconds east of UTC.
func (s Stamp) WithZone(offset int) Stamp {
	s.Offset, s.Flags = int32(offset), s.Flags|HasZone
	return s
}

// daysFromCivil returns the days from 1970-01-01 to a date of the Gregorian calendar.
// Years begin in March here, so that the leap day is the last one of its year (Howard
// Hinnant, "chrono-compatible low-level date algorithms").
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	const epoch = 719469 // the days up to 1970-01-01, and one because d counts from 1
	u := uint32(y)       // no year of four digits is negative, and unsigned divisions are cheaper
	return int64(u*365+u/4-u/100+u/400) + int64(marchDays[m&15]) + int64(d) - epoch
}

// marchDays are the days of a year from the first of March to the first of a month.
var marchDays = [16]uint16{1: 306, 2: 337, 3: 0, 4: 31, 5: 61, 6: 92, 7: 122, 8: 153, 9: 184, 10: 214, 11: 245, 12: 275}
