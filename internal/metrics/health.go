package metrics

import (
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Health is how the following of logs goes.
type Health struct {
	Understood, Foreign, Unknown int64 // lines
	Cut, Duplicate               int64 // of these, too long to be kept whole; repeated in another file
	Dropped                      Dropped
	Followed                     []Followed
}

// Dropped counts what did not fit into the tables, all of which have bounds.
type Dropped struct {
	Replies, Causes, Peers, Sessions, Messages, Troubles int64
}

// Followed is one followed log.
type Followed struct {
	Name        string        // as given on the command line or in the configuration
	Bytes       int64         // written to it and not yet handled
	Behind      time.Duration // since it was last read to its end, zero when it is
	CaughtUp    bool
	LastRead    time.Time // zero when nothing was read of it
	Rotations   int64
	Truncations int64
	Lost        int64 // places where lines may have been lost
}

// following shows Health. Its metrics live elsewhere and are only asked for.
type following struct{ health func() Health }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mailwhy_"+name, help, labels, nil)
}

var (
	linesDesc     = desc("log_lines_total", "Lines read: understood, foreign (of another program), unknown (should have been understood and were not).", "result")
	cutDesc       = desc("log_lines_cut_total", "Lines that were too long to be kept whole.")
	duplicateDesc = desc("log_lines_duplicate_total", "Lines passed over because another followed log has them too (Exim's reject log).")
	droppedDesc   = desc("dropped_total", "What found no room in one of the tables, all of which have bounds.", "table")

	bytesDesc     = desc("follower_lag_bytes", "Bytes of the log that are written and not yet handled.", "file")
	secondsDesc   = desc("follower_lag_seconds", "Time since the log was last read to its end; 0 when it is.", "file")
	caughtDesc    = desc("follower_caught_up", "1 when the log has been read to its end.", "file")
	lastReadDesc  = desc("follower_last_read_timestamp_seconds", "When something was last read of the log.", "file")
	rotationsDesc = desc("follower_rotations_total", "Times another file took the log's place.", "file")
	truncatedDesc = desc("follower_truncations_total", "Times the log was cut to nothing and written anew.", "file")
	lostDesc      = desc("follower_losses_total", "Places of the log where lines may have been lost; each is told on standard error too.", "file")
)

// Describe implements prometheus.Collector.
func (f following) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		linesDesc, cutDesc, duplicateDesc, droppedDesc,
		bytesDesc, secondsDesc, caughtDesc, lastReadDesc, rotationsDesc, truncatedDesc, lostDesc,
	} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (f following) Collect(to chan<- prometheus.Metric) {
	h := f.health()
	count := func(d *prometheus.Desc, n int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count(linesDesc, h.Understood, "understood")
	count(linesDesc, h.Foreign, "foreign")
	count(linesDesc, h.Unknown, "unknown")
	count(cutDesc, h.Cut)
	count(duplicateDesc, h.Duplicate)
	count(droppedDesc, h.Dropped.Replies, "replies")
	count(droppedDesc, h.Dropped.Causes, "causes")
	count(droppedDesc, h.Dropped.Peers, "peers")
	count(droppedDesc, h.Dropped.Sessions, "sessions")
	count(droppedDesc, h.Dropped.Messages, "messages")
	count(droppedDesc, h.Dropped.Troubles, "troubles")
	had := map[string]bool{}
	for _, l := range h.Followed {
		l.Name = strings.ToValidUTF8(l.Name, "\uFFFD") // as labels must be
		if had[l.Name] {
			continue // nor may two series be one
		}
		had[l.Name] = true
		gauge(bytesDesc, float64(l.Bytes), l.Name)
		gauge(secondsDesc, l.Behind.Seconds(), l.Name)
		gauge(caughtDesc, truth(l.CaughtUp), l.Name)
		if !l.LastRead.IsZero() {
			gauge(lastReadDesc, float64(l.LastRead.UnixNano())/1e9, l.Name)
		}
		count(rotationsDesc, l.Rotations, l.Name)
		count(truncatedDesc, l.Truncations, l.Name)
		count(lostDesc, l.Lost, l.Name)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
