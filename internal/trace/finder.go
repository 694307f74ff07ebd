package trace

import "bytes"

const (
	// minName is how long a name must be to be looked for: shorter ones stand everywhere.
	minName = 4
	// maxNeedle is how much of a name is looked for. The parsed line tells the rest.
	maxNeedle = 256
	// fewNames is up to how many names are looked for one by one. Of more, all together
	// cost less.
	fewNames = 6
)

// needle is a name to be looked for. Where a name may be written in any case, so are its
// letters of ASCII.
type needle struct {
	text    string
	anyCase bool
}

// lineFinder finds the lines that hold one of its names, or look so: what it finds is parsed
// and compared, what it does not find is not there.
type lineFinder interface {
	// eachLine calls f for each such line in order, without its newline.
	eachLine(b []byte, f func(start, end int))
}

// newFinder returns a finder of names of at least minName bytes; nil when there are none.
// like is a piece of such text as it is for, from which it learns what is rare.
func newFinder(names []needle, like []byte) lineFinder {
	for i := range names {
		names[i].text = names[i].text[:min(len(names[i].text), maxNeedle)]
		if len(names[i].text) < minName {
			return nil
		}
	}
	switch {
	case len(names) == 0:
		return nil
	case len(names) <= fewNames:
		return newRare(names, like)
	}
	return newGrams(names)
}

// lineAt returns where the line begins and ends, without its newline, that holds a place.
func lineAt(b []byte, at int) (start, end int) {
	start = bytes.LastIndexByte(b[:at], '\n') + 1
	if i := bytes.IndexByte(b[at:], '\n'); i >= 0 {
		return start, at + i
	}
	return start, len(b)
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c-'a' < 26 {
		c -= 'a' - 'A'
	}
	return c
}

// equalFold compares in any case of ASCII's letters.
func equalFold[A, B string | []byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}
