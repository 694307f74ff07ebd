package trace

import (
	"bytes"
	"math"
)

// rare looks for each of a few names by its rarest byte: bytes.IndexByte leaps from one to
// the next faster than a text can be read from memory.
type rare struct{ names []rareName }

type rareName struct {
	needle
	at     int     // of the rarest byte
	first  [2]byte // that byte, and the same in the other case
	cases  int     // how many of them there are
	beside int     // the place beside it, looked at first
	a, b   byte    // what stands there, in both cases
}

// The prices by which a byte is chosen, in nanoseconds: of a call that finds one, and of a
// byte that is leaped over.
const (
	priceFound  = 6.0
	priceLeaped = 0.04
)

func newRare(names []needle, like []byte) *rare {
	var counts [256]float64
	for _, c := range like {
		counts[c]++
	}
	total := max(float64(len(like)), 1)
	f := &rare{}
	for _, n := range names {
		best, r := math.Inf(1), rareName{needle: n}
		for i := range len(n.text) {
			c := n.text[i]
			cases := [2]byte{c, c}
			number := 1
			if n.anyCase && lower(c) != upper(c) {
				cases, number = [2]byte{lower(c), upper(c)}, 2
			}
			price := float64(number)*priceLeaped + (counts[cases[0]]+counts[cases[1]])/total*priceFound
			if price < best {
				best, r.at, r.first, r.cases = price, i, cases, number
			}
		}
		if r.beside = r.at + 1; r.beside == len(n.text) {
			r.beside = r.at - 1
		}
		r.a, r.b = n.text[r.beside], n.text[r.beside]
		if n.anyCase {
			r.a, r.b = lower(r.a), upper(r.b)
		}
		f.names = append(f.names, r)
	}
	return f
}

func (f *rare) eachLine(b []byte, found func(start, end int)) {
	var next [fewNames][2]int // where each name's byte stands next in each case; len(b) for nowhere
	for i := range f.names {
		for c := range f.names[i].cases {
			next[i][c] = f.names[i].find(b, 0, c)
		}
	}
	for {
		at := len(b)
		for i := range f.names {
			for c := range f.names[i].cases {
				at = min(at, next[i][c])
			}
		}
		if at == len(b) {
			return
		}
		start, end := lineAt(b, at)
		found(start, end)
		for i := range f.names {
			for c := range f.names[i].cases {
				if next[i][c] < end {
					next[i][c] = f.names[i].find(b, end, c)
				}
			}
		}
	}
}

// find returns where the name's byte next stands in a whole name, from a place on that no
// name goes over.
func (r *rareName) find(b []byte, from, which int) int {
	c := r.first[which]
	shift := r.beside - r.at
	for i := from; ; i++ {
		j := bytes.IndexByte(b[i:], c)
		if j < 0 {
			return len(b)
		}
		if i += j; i < from+r.at || i-r.at+len(r.text) > len(b) {
			continue
		}
		if d := b[i+shift]; (d == r.a || d == r.b) && r.is(b[i-r.at:i-r.at+len(r.text)]) {
			return i
		}
	}
}

func (n *needle) is(b []byte) bool {
	return string(b) == n.text || n.anyCase && equalFold(b, n.text)
}
