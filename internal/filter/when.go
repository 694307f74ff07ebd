package filter

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are the forms of a point in time that people type, with and without a zone.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
}

// clocks are the forms of a time of today.
var clocks = []string{"15:04:05", "15:04"}

// ParseWhen reads a point in time: "2026-09-14 08:00", RFC 3339, "08:00" of today,
// "today", "yesterday", "now", "-2h" or "2h ago" (also d and w). now is the present; a form without
// zone is in now's.
func ParseWhen(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(s)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch strings.ToLower(s) {
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if d, ok := ago(s); ok {
		return now.Add(-d), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range clocks {
		if t, err := time.Parse(layout, s); err == nil {
			// By the clock and not by the hours since midnight, which differ on the two
			// days a year when the clocks are changed.
			return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf(`%q is no time: give one like "2026-09-14 08:00", 2026-09-14T08:00:00+02:00, 08:00, today, yesterday or -2h`, s)
}

// ago reads "-2h", "2h ago", "-3d", "1w", "-1h30m".
func ago(s string) (time.Duration, bool) {
	t := strings.TrimSpace(strings.TrimSuffix(s, "ago"))
	t, minus := strings.CutPrefix(t, "-")
	if !minus && t == s && !strings.HasSuffix(s, "ago") {
		return 0, false
	}
	unit := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(t); n > 1 {
		if u, ok := unit[t[n-1]]; ok {
			number, err := strconv.ParseFloat(t[:n-1], 64)
			d := number * float64(u)
			return time.Duration(d), err == nil && d >= 0 && d < math.MaxInt64
		}
	}
	d, err := time.ParseDuration(t)
	return d, err == nil && d >= 0
}
