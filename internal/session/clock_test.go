package session

import (
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// stamp reads "Jan _2 15:04:05", a stamp without year and zone.
func stamp(t *testing.T, s string) smtp.Stamp {
	t.Helper()
	at, err := time.Parse("2006 Jan _2 15:04:05", "1972 "+s)
	if err != nil {
		t.Fatal(err)
	}
	return smtp.MakeStamp(0, int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second(), 0)
}

func TestClockYears(t *testing.T) {
	const layout = "2006-01-02 15:04:05"
	for _, tt := range []struct {
		name    string
		changed string // the file's last change
		year    int    // the user's word
		lines   []string
		want    []string
	}{
		{"this year", "2026-11-22 08:00:00", 0,
			[]string{"Nov 21 06:00:00", "Nov 22 07:00:00"}, []string{"2026-11-21 06:00:00", "2026-11-22 07:00:00"}},
		{"last year's December, read in January", "2026-01-03 08:00:00", 0,
			[]string{"Dec 30 06:00:00", "Dec 31 23:59:59", "Jan  1 00:00:00", "Jan  3 07:00:00"},
			[]string{"2025-12-30 06:00:00", "2025-12-31 23:59:59", "2026-01-01 00:00:00", "2026-01-03 07:00:00"}},
		{"a late line of December after the turn", "2026-01-03 08:00:00", 0,
			[]string{"Dec 31 23:59:58", "Jan  1 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:01"},
			[]string{"2025-12-31 23:59:58", "2026-01-01 00:00:00", "2025-12-31 23:59:59", "2026-01-01 00:00:01"}},
		{"two turns", "2026-02-01 00:00:00", 2024,
			[]string{"Nov  1 00:00:00", "Mar  1 00:00:00", "Dec  1 00:00:00", "Jan  1 00:00:00"},
			[]string{"2024-11-01 00:00:00", "2025-03-01 00:00:00", "2024-12-01 00:00:00", "2025-01-01 00:00:00"}},
		{"a server whose clock is some hours ahead", "2026-03-01 08:00:00", 0,
			[]string{"Mar  2 06:00:00"}, []string{"2026-03-02 06:00:00"}},
		{"further ahead is last year", "2026-03-01 08:00:00", 0,
			[]string{"Mar  4 06:00:00"}, []string{"2025-03-04 06:00:00"}},
		{"on New Year's Eve a clock ahead", "2025-12-31 23:00:00", 0,
			[]string{"Dec 31 23:30:00", "Jan  1 00:10:00"}, []string{"2025-12-31 23:30:00", "2026-01-01 00:10:00"}},
		{"New Year has come where the log is, not where it is read", "2025-12-31 20:00:00", 0,
			[]string{"Jan  1 00:10:00", "Jan  1 05:00:00"}, []string{"2026-01-01 00:10:00", "2026-01-01 05:00:00"}},
		{"leap day of a leap year", "2024-03-05 00:00:00", 0,
			[]string{"Feb 28 12:00:00", "Feb 29 12:00:00", "Mar  1 12:00:00"},
			[]string{"2024-02-28 12:00:00", "2024-02-29 12:00:00", "2024-03-01 12:00:00"}},
		{"leap day of a year without one", "2026-11-22 00:00:00", 0,
			[]string{"Feb 29 12:00:00"}, []string{"2026-03-01 12:00:00"}},
		{"the user's year", "2026-11-22 00:00:00", 2019,
			[]string{"Dec 31 12:00:00", "Jan  1 12:00:00"}, []string{"2019-12-31 12:00:00", "2020-01-01 12:00:00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			changed, err := time.Parse(layout, tt.changed)
			if err != nil {
				t.Fatal(err)
			}
			c := NewClock(changed, time.UTC, tt.year)
			for i, line := range tt.lines {
				if got := c.Settle(stamp(t, line)).Format(layout); got != tt.want[i] {
					t.Errorf("%s: %s, want %s", line, got, tt.want[i])
				}
				if c.Guessed() != (tt.year == 0) {
					t.Errorf("%s: guessed is %v", line, c.Guessed())
				}
			}
		})
	}
}

func TestClockZones(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClock(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), berlin, 0)
	for _, tt := range []struct {
		name  string
		stamp smtp.Stamp
		want  string
	}{
		{"winter", smtp.MakeStamp(2026, 1, 15, 12, 0, 0, 0), "2026-01-15T12:00:00+01:00"},
		{"the last second of winter", smtp.MakeStamp(2026, 3, 29, 1, 59, 59, 0), "2026-03-29T01:59:59+01:00"},
		{"the first second of summer", smtp.MakeStamp(2026, 3, 29, 3, 0, 0, 0), "2026-03-29T03:00:00+02:00"},
		{"summer", smtp.MakeStamp(2026, 7, 15, 12, 0, 0, 5e8), "2026-07-15T12:00:00.5+02:00"},
		{"after summer", smtp.MakeStamp(2026, 10, 25, 3, 0, 0, 0), "2026-10-25T03:00:00+01:00"},
		{"its own zone", smtp.MakeStamp(2026, 7, 15, 12, 0, 0, 0).WithZone(-5 * 3600), "2026-07-15T12:00:00-05:00"},
		{"another own zone", smtp.MakeStamp(2026, 7, 15, 12, 0, 0, 0).WithZone(19800), "2026-07-15T12:00:00+05:30"},
		{"UTC", smtp.MakeStamp(2026, 7, 15, 12, 0, 0, 0).WithZone(0), "2026-07-15T12:00:00Z"},
		{"before 1970", smtp.MakeStamp(1969, 12, 31, 23, 0, 0, 25e7), "1969-12-31T23:00:00.25+01:00"},
	} {
		if got := c.Settle(tt.stamp).Format(time.RFC3339Nano); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if c.Guessed() {
			t.Errorf("%s: guessed", tt.name)
		}
	}
	if got := c.Settle(smtp.Stamp{}); !got.IsZero() {
		t.Errorf("no stamp: %v, want no time", got)
	}
}

// The year is guessed by the zone of the log: when its file was written to, it was 2026
// there already.
func TestClockYearInZone(t *testing.T) {
	east := time.FixedZone("", 12*3600)
	c := NewClock(time.Date(2025, 12, 31, 15, 0, 0, 0, time.UTC), east, 0)
	if got := c.Settle(stamp(t, "Jan  1 02:00:00")); got.Format(time.RFC3339) != "2026-01-01T02:00:00+12:00" {
		t.Error(got)
	}
}

// A line of the turn of the hour in the night when clocks are set back stands for one of
// two times; whichever it is, time does not jump by more than that hour.
func TestClockSetBack(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClock(time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), berlin, 0)
	last := c.Settle(stamp(t, "Oct 25 01:59:00"))
	for _, s := range []string{"Oct 25 02:00:00", "Oct 25 02:59:00", "Oct 25 02:00:00", "Oct 25 02:59:00", "Oct 25 03:00:00"} {
		now := c.Settle(stamp(t, s))
		if d := now.Sub(last); d < -time.Hour || d > 2*time.Hour {
			t.Errorf("%s: %v after the line before", s, d)
		}
		last = now
	}
}
