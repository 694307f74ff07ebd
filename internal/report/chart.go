package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// maxBars is how many bars a chart has at the most: a day in quarters of an hour, and as
// many as a narrow screen can show.
const maxBars = 100

// Chart is how something went: rows of bars over one axis of time. Each row has a measure
// of its own, its tallest bar, so that ten failures are seen beside ten thousand
// deliveries.
type Chart struct {
	Title, Desc string // the latter for those who do not see it
	Start       time.Time
	Width       time.Duration // of a bar
	Bars        int
	Rows        []ChartRow
	Bands       []Band
	Marks       []ChartMark
	Notes       []string
	Seen        string // what only a picture shows: the meaning of its shades
	Words       *knowledge.Words
}

// ChartRow is a row of bars.
type ChartRow struct {
	Name   string
	Class  string // which colour it has
	Values []int64
}

// Band is a stretch of the time that is told from the rest.
type Band struct {
	From, To time.Time
	Class    string
}

// ChartMark is a point in the time that is told of below the chart, by its number.
type ChartMark struct {
	At    time.Time
	Label string
}

func (r *ChartRow) total() (n int64) {
	for _, v := range r.Values {
		n += v
	}
	return n
}

func (r *ChartRow) peak() (n int64) {
	for _, v := range r.Values {
		n = max(n, v)
	}
	return n
}

// end is when the last bar ends.
func (c *Chart) end() time.Time { return c.Start.Add(time.Duration(c.Bars) * c.Width) }

// at is where a time stands on the axis, from 0 to 1.
func (c *Chart) at(t time.Time) float64 {
	return min(1, max(0, float64(t.Sub(c.Start))/float64(c.end().Sub(c.Start))))
}

// barWidths are widths that people know from the clock.
var barWidths = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 4 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// barWidth is the narrowest width of a bar that a span has no more than so many of, and
// of which a bucket is a part.
func barWidth(span, bucket time.Duration, bars int) time.Duration {
	fits := func(w time.Duration) bool { return w >= bucket && w%bucket == 0 && span <= time.Duration(bars-1)*w }
	for _, w := range barWidths {
		if fits(w) {
			return w
		}
	}
	w := max(bucket, barWidths[len(barWidths)-1])
	for !fits(w) {
		w *= 2
	}
	return w
}

// floorLocal is the beginning of the bar that a time falls into. Bars begin at midnight
// where the log was written, unless that would cut buckets, which begin at midnight in UTC.
func floorLocal(t time.Time, width, bucket time.Duration) time.Time {
	_, seconds := t.Zone()
	offset := time.Duration(seconds) * time.Second
	if offset%bucket != 0 {
		offset = 0
	}
	return t.Add(offset).Truncate(width).Add(-offset)
}

// Tick is a label on the axis of time.
type Tick struct {
	At   float64 // from 0 to 1
	Text string
}

// maxTicks is how many labels there is room for on a narrow screen.
const maxTicks = 7

// Ticks returns the labels of the axis, at full hours, days and so on.
func (c *Chart) Ticks() (all []Tick) {
	span := c.end().Sub(c.Start)
	every := barWidth(span, time.Second, maxTicks)
	layout := "15:04"
	switch {
	case every < time.Minute:
		layout = "15:04:05"
	case every >= 24*time.Hour || span > 48*time.Hour:
		layout = "2 Jan"
	}
	if layout == "2 Jan" {
		every = max(every, 24*time.Hour)
	}
	for t := floorLocal(c.Start, every, time.Second); !t.After(c.end()); t = t.Add(every) {
		if !t.Before(c.Start) {
			all = append(all, Tick{c.at(t), strings.TrimSpace(months(c.Words, " "+t.Format(layout)+" "))})
		}
	}
	return all
}

// label says which time a bar is of.
func (c *Chart) label(i int) string {
	from := c.Start.Add(time.Duration(i) * c.Width)
	layout := "15:04"
	switch {
	case c.Width < time.Minute:
		layout = "15:04:05"
	case c.Width >= 24*time.Hour:
		return strings.TrimSpace(months(c.Words, " "+from.Format("2 Jan")+" "))
	}
	label := from.Format(layout) + "–" + from.Add(c.Width).Format(layout)
	if c.end().Sub(c.Start) > 24*time.Hour+c.Width {
		label = strings.TrimSpace(months(c.Words, " "+from.Format("2 Jan")+" ")) + " " + label
	}
	return label
}

// table has the chart's figures: what is read where it cannot be seen. It has no more
// rows than are asked for, each of several bars then; stretches in which there was nothing
// are left out.
func (c *Chart) table(rows int) Table {
	c = c.folded(rows)
	t := Table{Title: c.Title, Columns: []Column{left(c.Words.Text("page.time"))}}
	for _, r := range c.Rows {
		t.Columns = append(t.Columns, right(r.Name))
	}
	for i := range c.Bars {
		row, some := []Cell{{Text: c.label(i)}}, false
		for _, r := range c.Rows {
			row = append(row, num(c.Words, r.Values[i]))
			some = some || r.Values[i] > 0
		}
		if some {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

// folded returns the chart with no more than so many bars.
func (c *Chart) folded(bars int) *Chart {
	if c.Bars <= bars {
		return c
	}
	width := barWidth(time.Duration(c.Bars)*c.Width, c.Width, bars)
	f := *c
	f.Start, f.Width = floorLocal(c.Start, width, c.Width), width
	f.Bars = int((c.end().Sub(f.Start) + width - 1) / width)
	f.Rows = nil
	for _, r := range c.Rows {
		wide := ChartRow{Name: r.Name, Class: r.Class, Values: make([]int64, f.Bars)}
		for i, v := range r.Values {
			wide.Values[c.Start.Add(time.Duration(i)*c.Width).Sub(f.Start)/width] += v
		}
		f.Rows = append(f.Rows, wide)
	}
	return &f
}

// blocks are the bars that a line of text has, the lowest first.
var blocks = []rune("▁▂▃▄▅▆▇█")

// spark draws a row of bars in a line of text. What is not nothing is always seen.
func spark(values []int64) string {
	most := int64(1)
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for _, v := range values {
		if v == 0 {
			b.WriteRune(' ')
			continue
		}
		b.WriteRune(blocks[(v*int64(len(blocks))-1)/most])
	}
	return b.String()
}

// path draws a row of bars, each one wide, in a field of so much height.
func path(values []int64, height float64) string {
	most := int64(1)
	for _, v := range values {
		most = max(most, v)
	}
	var b strings.Builder
	for i, v := range values {
		if v > 0 {
			h := max(float64(v)/float64(most)*height, 1.5) // what is not nothing is always seen
			fmt.Fprintf(&b, "M%d %.4gh.86v-%.4gh-.86z", i, height, h)
		}
	}
	return b.String()
}
