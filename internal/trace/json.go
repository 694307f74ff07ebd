package trace

import (
	"slices"
	"strings"
)

// jsonFinder finds lines in which names may stand as JSON writes them: some signs as
// escapes, and a message that is no UTF-8 as an array of its bytes.
type jsonFinder struct{ names, arrays lineFinder }

// newJSONFinder returns a finder of the names' parts that no writer of JSON escapes. Where a
// name has none, every line is found.
func newJSONFinder(safe []needle, like []byte) lineFinder {
	f := &jsonFinder{newFinder(safe, like), newRare([]needle{{":[", false}, {": [", false}}, like)}
	if f.names == nil {
		return everyLine{}
	}
	return f
}

// safest returns the longest part of a name that no writer of JSON escapes.
func safest(name string) (best string) {
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r > 127 || !nameByte(byte(r)) }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

func (f *jsonFinder) eachLine(b []byte, found func(start, end int)) {
	type place struct{ start, end int }
	var all []place
	add := func(start, end int) { all = append(all, place{start, end}) }
	f.names.eachLine(b, add)
	f.arrays.eachLine(b, add)
	slices.SortFunc(all, func(a, b place) int { return a.start - b.start })
	for _, p := range slices.Compact(all) {
		found(p.start, p.end)
	}
}

// everyLine finds every line.
type everyLine struct{}

func (everyLine) eachLine(b []byte, found func(start, end int)) {
	for start := 0; start < len(b); {
		_, end := lineAt(b, start)
		found(start, end)
		start = end + 1
	}
}
