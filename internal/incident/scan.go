package incident

import (
	"math"
	"slices"
)

// seen is how often something happened (k) in a bucket in which it could have happened n
// times, or in n minutes; p0 is the share, or the rate, that it usually has then.
type seen struct {
	at      minute
	k, n    float64
	p0      float64
	outside bool // of all incidents that were found so far
}

// model is how k comes about.
type model uint8

const (
	share model = iota // k of n deliveries fail
	rate               // k lines come in n minutes
)

const (
	// minScore is the log-likelihood ratio, in nats, from which on a window is no chance.
	// With a million windows looked at, 14 would be met once by chance; the rest is for what
	// is not as independent as the reckoning has it.
	minScore = 25
	// maxSegments is how many windows of one kind are looked for in a log.
	maxSegments = 64
	// mostUsual is the largest share of failures that is taken for usual. Where more than
	// that fails in all of a log, it is an incident that is older than the log.
	mostUsual = 0.3
	// leastShare and leastRate are usual shares and rates where next to nothing is known.
	leastShare, leastRate = 1e-3, 1e-4
)

// segment is a run of buckets, from and to included, and how sure it is that they are not
// like the rest.
type segment struct {
	from, to int
	k, n     float64
	expected float64
	score    float64
}

// llr is by how much the segment is better explained by its own share than by the usual one.
func llr(m model, k, n, expected float64) float64 {
	if k <= expected || k == 0 {
		return 0
	}
	expected = max(expected, 1e-9)
	if m == rate || n <= expected {
		return k*math.Log(k/expected) - (k - expected)
	}
	score := k * math.Log(k/expected)
	if n > k {
		score += (n - k) * math.Log((n-k)/(n-expected))
	}
	return score
}

// steps are shares, or multiples of the highest rate, that are tried for a segment.
var steps = [...]float64{0.95, 0.5, 0.2, 0.06, 0.02, 0.006}

// best finds the run of buckets whose failures are the least like the rest.
func best(m model, all []seen) segment {
	top := 1.0
	if m == rate {
		top = 0
		for i := range all {
			top = max(top, all[i].k/max(all[i].n, 1))
		}
	}
	var found segment
	for _, step := range steps {
		s := climb(m, all, step*top)
		for range 3 {
			if s.k == 0 {
				break
			}
			p := min(s.k/max(s.n, 1), 0.97*top)
			again := climb(m, all, p)
			if again.score <= s.score {
				break
			}
			s = again
		}
		if s.score > found.score {
			found = s
		}
	}
	return found
}

// climb finds the run of buckets that a share, or rate, of p1 explains best against the
// usual ones: the largest sum of their log-likelihood ratios (Kadane's algorithm).
func climb(m model, all []seen, p1 float64) segment {
	var top segment
	start, sum, highest := 0, 0.0, 0.0
	for i := range all {
		if sum <= 0 {
			start, sum = i, 0
		}
		sum += all[i].weigh(m, p1)
		if sum > highest {
			highest = sum
			top = segment{from: start, to: i}
		}
	}
	if highest == 0 {
		return segment{}
	}
	// A bucket in which nothing failed is no end of it.
	for top.from < top.to && all[top.from].k == 0 {
		top.from++
	}
	for top.to > top.from && all[top.to].k == 0 {
		top.to--
	}
	for _, s := range all[top.from : top.to+1] {
		top.k += s.k
		top.n += s.n
		top.expected += s.n * s.p0
	}
	top.score = llr(m, top.k, top.n, top.expected)
	return top
}

// weigh is the log-likelihood ratio of a bucket.
func (s *seen) weigh(m model, p1 float64) float64 {
	if p1 <= s.p0 {
		p1 = min(2*s.p0, 0.98)
	}
	if m == rate {
		return s.k*math.Log(p1/s.p0) - s.n*(p1-s.p0)
	}
	k := min(s.k, s.n)
	return k*math.Log(p1/s.p0) + (s.n-k)*math.Log((1-p1)/(1-s.p0))
}

// segments finds all runs of buckets that are not like the rest, in their order.
func segments(m model, all []seen, least float64) []segment {
	var found []segment
	var look func(from, to int)
	look = func(from, to int) {
		if from >= to || len(found) >= maxSegments {
			return
		}
		s := best(m, all[from:to])
		if s.score < least {
			return
		}
		s.from, s.to = s.from+from, s.to+from
		found = append(found, s)
		look(from, s.from)
		look(s.to+1, to)
	}
	look(0, len(all))
	slices.SortFunc(found, func(a, b segment) int { return a.from - b.from })
	return found
}

// usual sets what is usual in each bucket: the share of failures, or the rate, of the log
// without the hours that have the most and without what was found in it, and at least what
// the same hour of the day has on most days. prior is the share that is likely where little
// is known, and weighs as much as so many deliveries or minutes.
func usual(m model, all []seen, prior, weight float64) (p0 float64, daily bool) {
	type hour struct {
		k, n float64
		at   int32
	}
	var hours []hour
	for i := range all {
		h := int32(all[i].at / 60)
		if n := len(hours); n == 0 || hours[n-1].at != h {
			hours = append(hours, hour{at: h})
		}
		if all[i].outside {
			hours[len(hours)-1].k += all[i].k
			hours[len(hours)-1].n += all[i].n
		}
	}
	byDay := map[int32][]float64{}
	for _, h := range hours {
		if h.n > 0 {
			byDay[h.at%24] = append(byDay[h.at%24], h.k/h.n)
		}
	}
	ranked := slices.Clone(hours)
	slices.SortStableFunc(ranked, func(a, b hour) int {
		switch {
		case a.k > b.k:
			return -1
		case a.k < b.k:
			return 1
		}
		return 0
	})
	var k, n float64
	for _, h := range ranked[(len(ranked)+3)/4:] {
		k += h.k
		n += h.n
	}
	least := leastShare
	if m == rate {
		least = leastRate
	}
	p0 = max((k+prior*weight)/(n+weight), least)
	if m == share {
		p0 = min(p0, mostUsual)
	}
	for i := range all {
		all[i].p0 = p0
		if days := byDay[int32(all[i].at/60)%24]; len(days) >= enoughDays {
			all[i].p0 = max(p0, median(days))
			if m == share {
				all[i].p0 = min(all[i].p0, mostUsual)
			}
			daily = true
		}
	}
	return p0, daily
}

// enoughDays is of how many days the same hour must be there to say what is usual in it.
const enoughDays = 4

func median(all []float64) float64 {
	s := slices.Clone(all)
	slices.Sort(s)
	return s[len(s)/2]
}

// spread is by how much the counts of what is left of a log, by the hour, vary more than
// those of independent events would: 1 for such, more for what comes in bursts.
func spread(all []seen) float64 {
	const enough, atLeast = 3.0, 8 // expected in a block, and so many blocks
	var sum float64
	blocks := 0
	var k, e float64
	for i := range all {
		if !all[i].outside {
			continue
		}
		k += all[i].k
		if e += all[i].n * all[i].p0; e >= enough {
			sum += min((k-e)*(k-e)/e, 25)
			blocks++
			k, e = 0, 0
		}
	}
	if blocks < atLeast {
		return 1
	}
	return max(1, sum/float64(blocks))
}

// search finds the windows in which something is not as it is in the rest of the log.
func search(m model, all []seen, prior, weight float64) (found []segment, p0 float64, daily bool) {
	for i := range all {
		all[i].outside = true
	}
	for range 2 {
		p0, daily = usual(m, all, prior, weight)
		found = segments(m, all, minScore*spread(all))
		for i := range all {
			all[i].outside = true
		}
		for _, s := range found {
			for i := s.from; i <= s.to; i++ {
				all[i].outside = false
			}
		}
	}
	return found, p0, daily
}
