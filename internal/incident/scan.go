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
	var by weight
	for i := range all {
		if sum <= 0 {
			start, sum = i, 0
		}
		if all[i].p0 != by.p0 { // it changes by the hour
			by = weightOf(m, all[i].p0, p1)
		}
		sum += by.of(m, &all[i])
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

// weight is what a failure, and all else in a bucket, adds to its log-likelihood ratio where p0 is
// usual in it.
type weight struct{ p0, failed, other float64 }

func weightOf(m model, p0, p1 float64) weight {
	if p1 <= p0 {
		p1 = min(2*p0, 0.98)
	}
	if m == rate {
		return weight{p0, math.Log(p1 / p0), p0 - p1}
	}
	return weight{p0, math.Log(p1 / p0), math.Log((1 - p1) / (1 - p0))}
}

// of is the log-likelihood ratio of a bucket.
func (w *weight) of(m model, s *seen) float64 {
	if m == rate {
		return s.k*w.failed + s.n*w.other
	}
	k := min(s.k, s.n)
	return k*w.failed + (s.n-k)*w.other
}

// segments finds all runs of buckets that are not like the rest and have at least few
// failures in them, in their order.
func segments(m model, all []seen, least, few float64) []segment {
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
		if s.k >= few {
			found = append(found, s)
		}
		look(from, s.from)
		look(s.to+1, to)
	}
	look(0, len(all))
	slices.SortFunc(found, func(a, b segment) int { return a.from - b.from })
	return found
}

// usual sets what is usual in each bucket: the share of failures, or the rate, of the log
// without what was found in it, and at least what the same hour of the day has on most days.
// prior is the share that is likely where little is known, and weighs as much as so many
// deliveries or minutes.
func usual(m model, all []seen, prior, weight float64) (p0 float64, daily bool) {
	var k, n float64
	for i := range all {
		if all[i].outside {
			k += all[i].k
			n += all[i].n
		}
	}
	most, least := 1e9, leastRate
	if m == share {
		most, least = mostUsual, leastShare
	}
	p0 = min(max((k+prior*weight)/(n+weight), least), most)
	var hourly [24]float64
	for h, days := range byHour(all) {
		hourly[h] = p0
		if len(days) >= enoughDays {
			hourly[h] = min(max(p0, median(days)), most)
			daily = true
		}
	}
	for i := range all {
		all[i].p0 = hourly[all[i].at/60%24]
	}
	return p0, daily
}

// byHour lists for each hour of the day the shares, or rates, that it had on the days of the
// log.
func byHour(all []seen) (hours [24][]float64) {
	for i := 0; i < len(all); {
		h, k, n := all[i].at/60, 0.0, 0.0
		for ; i < len(all) && all[i].at/60 == h; i++ {
			k += all[i].k
			n += all[i].n
		}
		if n > 0 {
			hours[h%24] = append(hours[h%24], k/n)
		}
	}
	return hours
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

// rounds is how often what is usual is reckoned anew, without what was found.
const rounds = 4

// search finds the windows in which something is not as it is in the rest of the log. What is
// usual is reckoned with all of the log first, then without the windows that were found, and
// so on until none are found that were not. A window with fewer failures than few is no
// incident, and so it is part of what is usual.
func search(m model, all []seen, prior, weight, few float64) (found []segment, p0 float64, daily bool) {
	for i := range all {
		all[i].outside = true
	}
	for round := range rounds {
		p0, daily = usual(m, all, prior, weight)
		least := minScore * spread(all)
		if round == 0 { // what is to be found is still among the rest, and hides itself
			least = minScore / 2
		}
		again := segments(m, all, least, few)
		known := round > 0 && slices.EqualFunc(found, again, func(a, b segment) bool { return a.from == b.from && a.to == b.to })
		if found = again; known {
			break
		}
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
