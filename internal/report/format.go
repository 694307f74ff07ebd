package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// count writes a number with the language's mark between thousands: 1.046 is a thousand
// and more in Turkish, and 1,046 is about one.
func count(w *knowledge.Words, n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + w.Text("number.thousands") + s[i:]
	}
	return s
}

// decimal writes a number with so many places after the language's decimal mark.
func decimal(w *knowledge.Words, f float64, places int) string {
	return strings.Replace(strconv.FormatFloat(f, 'f', places, 64), ".", w.Text("number.decimal"), 1)
}

func num(w *knowledge.Words, n int64) Cell { return Cell{Text: count(w, n)} }

// percent writes a share. It never rounds to 100 % what is not all of it.
func percent(w *knowledge.Words, n, of int64) string {
	share := "100"
	if n != of {
		share = decimal(w, min(float64(n)/float64(of)*100, 99.99), 2)
	}
	return w.Text("number.percent", "n", share)
}

// moment writes a point in time for a table.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04:05")
}

// period writes from when to when, with the zone.
func period(a, b time.Time) string {
	if a.Year() == b.Year() {
		return a.Format("2 Jan 15:04:05") + " – " + b.Format("2 Jan 2006 15:04:05 -07:00")
	}
	return a.Format("2 Jan 2006 15:04:05") + " – " + b.Format("2 Jan 2006 15:04:05 -07:00")
}

// between writes from when to when within a report that begins at whole: the time alone
// where the day is clear.
func between(a, b, whole time.Time) string {
	if a.IsZero() {
		return ""
	}
	same := func(x, y time.Time) bool { return x.Format(time.DateOnly) == y.Format(time.DateOnly) }
	layout := "2 Jan 15:04"
	if same(a, b) && same(a, whole) {
		layout = "15:04"
	}
	from, to := a.Format(layout), b.Format(layout)
	if from == to {
		return from
	}
	return fmt.Sprintf("%s – %s", from, to)
}

// months puts a language's names of the months into a time.
func months(w *knowledge.Words, s string) string {
	names := strings.Fields(w.Text("time.months"))
	for m := time.January; m <= time.December && int(m) <= len(names); m++ {
		s = strings.ReplaceAll(s, " "+m.String()[:3]+" ", " "+names[m-1]+" ")
	}
	return s
}

// Count writes a number with the language's mark between thousands.
func Count(w *knowledge.Words, n int64) string { return count(w, n) }
