package filter

import (
	"fmt"
	"strings"
	"time"
)

// layouts are the forms of a point in time that people type, with and without a zone.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02",
	"15:04:05", "15:04",
}

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
		t, err := time.ParseInLocation(layout, s, now.Location())
		if err != nil {
			continue
		}
		if t.Year() == 0 {
			t = midnight.Add(t.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, now.Location())))
		}
		return t, nil
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
			d, err := time.ParseDuration(t[:n-1] + "h")
			return time.Duration(float64(d) / float64(time.Hour) * float64(u)), err == nil
		}
	}
	d, err := time.ParseDuration(t)
	return d, err == nil && d >= 0
}
