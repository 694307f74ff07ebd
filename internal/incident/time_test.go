package incident

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/testlog/days"
)

// dated gives the lines of a log of BSD stamps their year, as rsyslog's other stamps have it.
func dated(log []byte, year int) []byte {
	var out []byte
	for line := range bytes.Lines(log) {
		at, err := time.Parse(time.Stamp, string(line[:15]))
		if err != nil {
			panic(err)
		}
		out = append(out, at.AddDate(year, 0, 0).Format("2006-01-02T15:04:05+00:00")...)
		out = append(out, line[15:]...)
	}
	return out
}

// lineAt is where the first line from a time on stands.
func lineAt(t *testing.T, log []byte, stamp string) int {
	t.Helper()
	i := bytes.Index(log, []byte("\n"+stamp))
	if i < 0 {
		t.Fatal("no line at", stamp)
	}
	return i + 1
}

// The same trouble in two years is two incidents, and the years between are a gap; the rest of
// the log is as long as the log is.
func TestYearsApart(t *testing.T) {
	day, truths := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}})
	log := append(dated(day, 2019), dated(day, 2026)...)
	r := find(t, log, "postfix", nil)
	if len(r.Incidents) != 2 || len(r.Gaps) != 1 || r.Gaps[0].Start.Year() != 2019 || r.Gaps[0].End.Year() != 2026 {
		for _, in := range r.Incidents {
			t.Log(show(in))
		}
		t.Fatalf("%d incidents, gaps %v", len(r.Incidents), r.Gaps)
	}
	for _, in := range r.Incidents {
		near64(t, "deferred", in.Impact.Deferred, truths[0].Deferred, 0)
		if long := in.End.Sub(in.Start); long > 2*hour || in.Status != Recovered || in.GapBefore != nil || in.GapAfter != nil || in.Usual.Span > 48*hour {
			t.Error(show(in), in.Usual.Span)
		}
	}
}

// Stamps that are wrong are told of; they make no log longer and change no figure.
func TestStrayStamps(t *testing.T) {
	day, truths := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}})
	log := dated(day, 2026)
	middle, late := lineAt(t, log, "2026-03-09T09"), lineAt(t, log, "2026-03-09T18")
	stray := func(year int, at int) string {
		end := at + bytes.IndexByte(log[at:], '\n') + 1
		return fmt.Sprint(year) + string(log[at+4:end])
	}
	failure := bytes.Index(log[middle:], []byte("status=deferred")) + middle
	failure = bytes.LastIndexByte(log[:failure], '\n') + 1
	for name, c := range map[string]struct {
		log    string
		strays []int64 // lines of each
	}{
		"ahead":          {string(log[:middle]) + stray(2099, failure) + string(log[middle:]), []int64{1}},
		"long ago":       {string(log[:middle]) + stray(1970, failure) + stray(1970, middle) + string(log[middle:]), []int64{2}},
		"both":           {string(log[:middle]) + stray(2099, middle) + string(log[middle:late]) + stray(1970, failure) + string(log[late:]), []int64{1, 1}},
		"each another":   {string(log[:middle]) + stray(2099, middle) + stray(2044, failure) + stray(9999, failure) + string(log[middle:]), []int64{3}},
		"the first line": {stray(2099, failure) + string(log), []int64{1}},
	} {
		r := find(t, []byte(c.log), "postfix", nil)
		if len(r.Strays) != len(c.strays) || len(r.Jumps) != 0 || len(r.Gaps) != 0 {
			t.Errorf("%s: strays %v, jumps %v, gaps %v", name, r.Strays, r.Jumps, r.Gaps)
			continue
		}
		all := int64(0)
		for i, s := range r.Strays {
			all += c.strays[i]
			if s.Lines != c.strays[i] || s.Path != "mail.log" || s.Number == 0 || s.Time.Year() == 2026 {
				t.Errorf("%s: %+v", name, s)
			}
		}
		in := only(t, r)
		near64(t, name+": deferred", in.Impact.Deferred, truths[0].Deferred, 0)
		if r.Dropped.Astray != all || in.Usual.Span > 24*hour || in.Status != Recovered || in.Impact.Delay.Max > 5*hour || r.Coverage.First.Year() != 2026 || r.Coverage.Last.Year() != 2026 {
			t.Errorf("%s: %s, %d astray, rest %s, delay %v", name, show(in), r.Dropped.Astray, in.Usual.Span, in.Impact.Delay)
		}
	}
}

// What stands alone years after all other lines, at the very end, may be all that there is of
// another time: the years between are told as a gap.
func TestLastLineYearsLater(t *testing.T) {
	day, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}, Length: 9*hour + 10*mins})
	log := dated(day, 2026)
	log = append(log, strings.Replace(string(log[bytes.LastIndexByte(log[:len(log)-1], '\n')+1:]), "2026-", "2099-", 1)...)
	r := find(t, log, "postfix", nil)
	in := only(t, r)
	if len(r.Gaps) != 1 || r.Gaps[0].End.Year() != 2099 || in.GapAfter == nil || in.Status == Recovered || in.End.Year() != 2026 {
		t.Error(r.Gaps, show(in))
	}
}

// An incident that a gap cuts off began, or ended, nobody knows when.
func TestBesideGap(t *testing.T) {
	for _, c := range []struct {
		gap           [2]time.Duration
		before, after bool
	}{
		{[2]time.Duration{7 * hour, 8*hour + 40*mins}, true, false},
		{[2]time.Duration{9 * hour, 11 * hour}, false, true},
		{[2]time.Duration{5 * hour, 6 * hour}, false, false},
		{[2]time.Duration{12 * hour, 13 * hour}, false, false},
	} {
		log, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}, Gaps: [][2]time.Duration{c.gap}})
		r := find(t, log, "postfix", nil)
		in := only(t, r)
		if len(r.Gaps) != 1 || in.GapBefore != nil != c.before || in.GapAfter != nil != c.after || in.OpenStart || in.OpenEnd || in.Status != Recovered {
			t.Error(c, r.Gaps, in.GapBefore, in.GapAfter, show(in))
		}
	}
}

// Where the time goes back within an incident, its report says so.
func TestJumpInside(t *testing.T) {
	log, _ := write(t, days.Options{Format: "postfix", Seed: 3, Plans: []days.Plan{throttle}})
	i, j := lineAt(t, log, "Mar  9 09:20"), lineAt(t, log, "Mar  9 09:05")
	r := find(t, append(append([]byte(nil), log[:i]...), log[j:]...), "postfix", nil)
	in := only(t, r)
	if len(r.Jumps) != 1 || len(in.Jumps) != 1 || r.Jumps[0].To.Minute() != 5 {
		t.Error(r.Jumps, in.Jumps, show(in))
	}
}

// A small server that logs some lines a day has no gaps but where it did not log for weeks.
func TestGapsOfQuietLog(t *testing.T) {
	var log []byte
	for d := range 200 {
		if d >= 100 && d < 160 || d%7 > 4 { // nor at weekends
			continue
		}
		at := start.AddDate(0, 0, d).Add(time.Duration(8+d%3) * hour)
		for i := range 3 {
			log = fmt.Appendf(log, "%s mx1 postfix/smtp[9]: ABCDE%d: to=<a@b.example>, relay=mx.b.example[192.0.2.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n", at.Add(time.Duration(i)*hour).Format("2006-01-02T15:04:05+00:00"), d)
		}
	}
	r := find(t, log, "postfix", nil)
	if len(r.Gaps) != 1 || r.Gaps[0].End.Sub(r.Gaps[0].Start) < 55*24*hour || len(r.Incidents) != 0 {
		t.Error(r.Gaps, len(r.Incidents))
	}
}
