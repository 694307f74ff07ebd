package session

import (
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Clock settles the times of one file's lines in their order. A stamp may lack its year
// (traditional syslog) or its zone (nearly all but RFC 3339): the year is chosen so that
// the first line is not later than the file's last change, and goes on by one when
// December turns into January; the zone is the caller's.
type Clock struct {
	zone     *time.Location
	year     int       // of the last line without one; 0 before the first
	fixed    int       // the user's word for the first line's year; 0 for none
	changed  time.Time // when the file was last written to
	lastWall int64     // of the last line without a year, in the year smtp.NoYearYear
	guessed  bool

	// The offset of zone is looked up once for each quarter of an hour of the log: no
	// zone changes within one.
	quarter int64
	offset  int64
	known   bool

	// So is the move of a day into its year.
	day      int64
	dayYear  int
	dayMoved int64

	fixedZone   *time.Location // for the last offset that a stamp showed itself
	fixedOffset int32
}

const (
	halfYear    = 183 * 24 * time.Hour
	quarterHour = int64(15 * time.Minute)
	clockSlack  = 48 * time.Hour // by how much a line may be later than its file, by clocks and zones that differ
	dayNanos    = int64(24 * time.Hour)
)

// NewClock returns a clock for a file that was last changed at changed (now, for a
// pipe). zone is where stamps without one were written. year is the year of the first
// line, 0 to have it guessed.
func NewClock(changed time.Time, zone *time.Location, year int) *Clock {
	if zone == nil {
		zone = time.Local
	}
	return &Clock{zone: zone, fixed: year, changed: changed}
}

// Guessed reports whether the last settled time rests on a guess: its year was not in
// the log and the user did not name it.
func (c *Clock) Guessed() bool { return c.guessed }

// Settle returns the time of s, zero when there is none.
func (c *Clock) Settle(s smtp.Stamp) time.Time {
	if s.Flags&smtp.HasTime == 0 {
		return time.Time{}
	}
	wall := s.Wall
	c.guessed = false
	if s.Flags&smtp.HasYear == 0 {
		c.guessed = c.fixed == 0
		wall = c.inYear(wall)
	}
	if s.Flags&smtp.HasZone != 0 {
		if c.fixedZone == nil || s.Offset != c.fixedOffset {
			c.fixedOffset, c.fixedZone = s.Offset, time.UTC
			if s.Offset != 0 {
				c.fixedZone = time.FixedZone("", int(s.Offset))
			}
		}
		return at(wall-int64(s.Offset)*int64(time.Second), c.fixedZone)
	}
	return at(wall-c.offsetAt(wall), c.zone)
}

// inYear moves a wall time of the year NoYearYear into the year of the line.
func (c *Clock) inYear(wall int64) int64 {
	switch {
	case c.year == 0:
		c.year = c.firstYear(wall)
	case wall < c.lastWall-int64(halfYear):
		c.year++ // December is over
	case wall > c.lastWall+int64(halfYear):
		c.year-- // a late line of last December
	}
	c.lastWall = wall
	if day := wall / dayNanos; day != c.day || c.year != c.dayYear {
		c.day, c.dayYear = day, c.year
		c.dayMoved = shiftYear(day*dayNanos, c.year) - day*dayNanos
	}
	return wall + c.dayMoved
}

// firstYear is the latest year in which wall is not after the file's last change.
func (c *Clock) firstYear(wall int64) int {
	if c.fixed != 0 {
		return c.fixed
	}
	limit := c.changed.Add(clockSlack)
	y := limit.In(c.zone).Year()
	if shiftYear(wall, y) > limit.UnixNano() {
		y--
	}
	return y
}

// shiftYear moves a wall time of NoYearYear into year. The 29th of February of a year
// that has none becomes the 1st of March.
func shiftYear(wall int64, year int) int64 {
	t := time.Unix(0, wall).UTC()
	return time.Date(year, t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).UnixNano() + wall%dayNanos
}

// offsetAt returns the zone's offset in nanoseconds at a wall time.
func (c *Clock) offsetAt(wall int64) int64 {
	q := wall / quarterHour
	if !c.known || q != c.quarter {
		t := time.Unix(0, q*quarterHour).UTC()
		_, off := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, c.zone).Zone()
		c.quarter, c.offset, c.known = q, int64(off)*int64(time.Second), true
	}
	return c.offset
}

func at(unixNano int64, zone *time.Location) time.Time {
	return time.Unix(unixNano/int64(time.Second), unixNano%int64(time.Second)).In(zone)
}
