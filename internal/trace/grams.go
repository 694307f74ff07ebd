package trace

import (
	"encoding/binary"
	"math"
)

const (
	// gram is how many bytes are looked at at once.
	gram = 4
	// maxStride bounds the steps: beyond, the reading of the bytes is all that is left.
	maxStride = 32
	// maxChain is up to how many names that have one gram are compared one by one. Of more, as
	// where IDs count on and all begin alike, the beginnings are looked up.
	maxChain = 8
	// fold makes the letters of a gram lower case (and some marks others, which does no
	// harm: what is found is compared).
	fold = 0x20202020
)

// grams looks for many names in one go. An occurrence of a name of n bytes holds exactly one
// of the places that lie n-3 bytes apart at one of its first n-3 bytes. So only at these
// places four bytes are looked up, in a table of those that the names have there; the longer
// the shortest name, the fewer places.
type grams struct {
	stride int
	shift  uint   // of the hash, that it fits the tables
	here   []byte // by hash: whether some name has such a gram
	heads  []int32
	chains []uint16 // by hash: how many names have such a gram
	all    []gramAt
	names  []needle
	begin  int              // how many bytes of each name are looked up
	begins map[string][]int // the names by these, all in lower case
}

type gramAt struct{ name, offset, next int32 }

func newGrams(names []needle) *grams {
	f := &grams{stride: maxStride, names: names, begin: maxNeedle, begins: map[string][]int{}}
	for _, n := range names {
		f.stride, f.begin = min(f.stride, len(n.text)-gram+1), min(f.begin, len(n.text))
	}
	for i, n := range names {
		key := string(appendLower(nil, []byte(n.text[:f.begin])))
		f.begins[key] = append(f.begins[key], i)
	}
	// Fourteen bits of hash for few names, which the first-level cache holds; for many, more, so that one place in twenty at most
	// passes the first look by chance.
	size := uint(14)
	for size < 22 && len(names)*f.stride*20 > 1<<size {
		size++
	}
	f.shift = 32 - size
	f.here, f.heads, f.chains = make([]byte, 1<<size), make([]int32, 1<<size), make([]uint16, 1<<size)
	for i := range f.heads {
		f.heads[i] = -1
	}
	for i, n := range names {
		for at := range f.stride {
			h := f.hash([]byte(n.text[at : at+gram]))
			f.here[h] = 1
			f.all = append(f.all, gramAt{int32(i), int32(at), f.heads[h]})
			f.heads[h] = int32(len(f.all) - 1)
			f.chains[h] = min(f.chains[h], math.MaxUint16-1) + 1
		}
	}
	return f
}

func (f *grams) hash(b []byte) uint32 {
	return (binary.LittleEndian.Uint32(b) | fold) * 0x9e3779b1 >> f.shift
}

func (f *grams) eachLine(b []byte, found func(start, end int)) {
	for from := 0; ; {
		at := f.next(b, from)
		if at < 0 {
			return
		}
		start, end := lineAt(b, at)
		found(start, end)
		from = end
	}
}

// next returns where in b, from a place on, a name stands; -1 for nowhere. Of occurrences in
// one line it may return the later.
func (f *grams) next(b []byte, from int) int {
	stride, here := f.stride, f.here
	p := from + stride - 1
	for span := 3*stride + gram; p+span <= len(b); p += 4 * stride {
		q := b[p : p+span]
		if here[f.hash(q)]|here[f.hash(q[stride:])]|here[f.hash(q[2*stride:])]|here[f.hash(q[3*stride:])] == 0 {
			continue
		}
		for i := range 4 {
			if at := f.verify(b, p+i*stride, from); at >= 0 {
				return at
			}
		}
	}
	for ; p+gram <= len(b); p += stride {
		if at := f.verify(b, p, from); at >= 0 {
			return at
		}
	}
	return -1
}

// verify returns where a name stands that has the gram at p.
func (f *grams) verify(b []byte, p, from int) int {
	h := f.hash(b[p:])
	if f.chains[h] > maxChain {
		return f.lookUp(b, p, from)
	}
	for i := f.heads[h]; i >= 0; i = f.all[i].next {
		g := &f.all[i]
		n := &f.names[g.name]
		if at := p - int(g.offset); at >= from && at+len(n.text) <= len(b) && n.is(b[at:at+len(n.text)]) {
			return at
		}
	}
	return -1
}

// lookUp is the same by the beginnings of the names.
func (f *grams) lookUp(b []byte, p, from int) int {
	var low [maxNeedle]byte
	for at := max(from, p-f.stride+1); at <= p && at+f.begin <= len(b); at++ {
		for _, i := range f.begins[string(appendLower(low[:0], b[at:at+f.begin]))] {
			if n := &f.names[i]; at+len(n.text) <= len(b) && n.is(b[at:at+len(n.text)]) {
				return at
			}
		}
	}
	return -1
}

func appendLower(to, b []byte) []byte {
	for _, c := range b {
		to = append(to, lower(c))
	}
	return to
}
