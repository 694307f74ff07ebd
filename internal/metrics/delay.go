package metrics

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// bounds are the upper limits of the delays' buckets in seconds: a delivery in the same
// data centre takes a tenth of a second, one that was greylisted minutes, and a queue
// gives up after days.
var bounds = [...]float64{0.1, 0.3, 1, 3, 10, 30, 60, 5 * 60, 15 * 60, 3600, 4 * 3600, 24 * 3600, 5 * 24 * 3600}

// delays is the histogram mailwhy_delivery_delay_seconds. A line may count many times
// ("message repeated 1000 times"), for which the library's own histogram has no way but to
// be told each time.
type delays struct {
	buckets [len(bounds) + 1]atomic.Uint64 // the last is what is beyond all bounds
	sum     atomic.Uint64                  // of seconds, the bits of a float64
}

var delayDesc = prometheus.NewDesc("mailwhy_delivery_delay_seconds",
	"Time from a message's arrival to its delivery to a recipient, as logged: each hop through a content filter has its own.", nil, nil)

// observe counts a delay n times.
func (h *delays) observe(d time.Duration, n uint64) {
	d = max(d, 0)
	i := 0
	for i < len(bounds) && d.Seconds() > bounds[i] {
		i++
	}
	h.buckets[i].Add(n)
	h.sum.Store(math.Float64bits(math.Float64frombits(h.sum.Load()) + d.Seconds()*float64(n))) // one goroutine writes
}

// Describe implements prometheus.Collector.
func (h *delays) Describe(to chan<- *prometheus.Desc) { to <- delayDesc }

// Collect implements prometheus.Collector.
func (h *delays) Collect(to chan<- prometheus.Metric) {
	upTo, total := make(map[float64]uint64, len(bounds)), uint64(0)
	for i := range h.buckets {
		total += h.buckets[i].Load()
		if i < len(bounds) {
			upTo[bounds[i]] = total
		}
	}
	to <- prometheus.MustNewConstHistogram(delayDesc, total, math.Float64frombits(h.sum.Load()), upTo)
}
