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

// daysFromCivil returns the days from 1970-01-01 to a date of the Gregorian calendar
// (Howard Hinnant, "chrono-compatible low-level date algorithms").
func daysFromCivil(y, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*((m+9)%12)+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int64(era)*146097 + int64(doe) - 719468
}
