package report

import (
	"slices"
	"time"

	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// series are the rows of a chart of outcomes, and the outcomes that each has.
var series = [...]struct {
	class    string
	outcomes []smtp.Outcome
}{
	{"sent", []smtp.Outcome{smtp.Sent}},
	{"deferred", []smtp.Outcome{smtp.Deferred}},
	{"bounced", []smtp.Outcome{smtp.Bounced, smtp.Expired}},
	{"rejected", []smtp.Outcome{smtp.Rejected}},
	{"discarded", []smtp.Outcome{smtp.Discarded}},
}

// seriesName is what a row is called.
func (d Day) seriesName(class string) string {
	return map[string]string{
		"sent": d.text("column_delivered"), "deferred": d.text("column_deferred"), "bounced": d.text("column_bounced"),
		"rejected": d.text("column_rejected"), "discarded": d.text("column_discarded"),
	}[class]
}

// chart shows the deliveries by their time, nil when no line shows one.
func (d Day) chart() *Chart {
	line := &d.Summary.Timeline
	buckets, strays := together(line.Buckets())
	if len(buckets) == 0 {
		return nil
	}
	first := buckets[0].Start.In(d.Summary.Coverage.First.Location())
	last := buckets[len(buckets)-1].Start.Add(line.Width())
	c := &Chart{Title: d.Words.Text("page.timeline"), Words: d.Words, Width: barWidth(last.Sub(first), line.Width(), maxBars)}
	c.Start = floorLocal(first, c.Width, line.Width())
	c.Bars = int((last.Sub(c.Start) + c.Width - 1) / c.Width)
	for _, s := range series {
		row := ChartRow{Name: d.seriesName(s.class), Class: s.class, Values: make([]int64, c.Bars)}
		for _, b := range buckets {
			for _, o := range s.outcomes {
				row.Values[b.Start.Sub(c.Start)/c.Width] += b.Outcomes[o]
			}
		}
		if row.total() > 0 {
			c.Rows = append(c.Rows, row)
			c.Desc += d.Words.Text("page.row_described", "name", row.Name, "n", count(d.Words, row.total()), "peak", count(d.Words, row.peak()), "when", c.label(slices.Index(row.Values, row.peak()))) + " "
		}
	}
	c.Notes = append(c.Notes, d.Words.Text("page.measure", "width", Span(d.Words, c.Width)))
	if strays += line.Untimed; strays > 0 {
		c.Notes = append(c.Notes, d.Words.Text("page.strays", "n", count(d.Words, strays)))
	}
	return c
}

// together leaves out the buckets of a few lines that lie so far from the rest, a clock
// that was wrong perhaps, that a chart of all would show nothing of either.
func together(all []summary.Bucket) (kept []summary.Bucket, strays int64) {
	for len(all) > 1 {
		at, gap := 0, time.Duration(0)
		for i := 1; i < len(all); i++ {
			if g := all[i].Start.Sub(all[i-1].Start); g > gap {
				at, gap = i, g
			}
		}
		before, after := deliveries(all[:at]), deliveries(all[at:])
		rest := all[len(all)-1].Start.Sub(all[0].Start) - gap
		if gap < farAway*rest || min(before, after)*fewOfAll > before+after {
			break
		}
		if strays += min(before, after); before < after {
			all = all[at:]
		} else {
			all = all[:at]
		}
	}
	return all, strays
}

// Lines are left out of a chart when they are fewer than a fiftieth, and the gap between
// them and the others is so many times as long as all the rest.
const (
	farAway  = 3
	fewOfAll = 50
)

func deliveries(all []summary.Bucket) (n int64) {
	for i := range all {
		n += all[i].Total()
	}
	return n
}
