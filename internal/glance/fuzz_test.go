package glance

import (
	"bytes"
	"testing"
)

// FuzzLine: two lines, the first of which may teach the eye what it keeps, mean what the parsers
// say, and so does the second after it.
func FuzzLine(f *testing.F) {
	n := 0
	for _, log := range samples(f) {
		var before []byte
		for line := range bytes.Lines(log) {
			if n++; n%40 == 0 {
				f.Add(before, bytes.TrimSuffix(line, []byte{'\n'}))
			}
			before = line
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, w := range watchers() {
			w.look(t, first)
			w.look(t, second)
			w.look(t, first)
		}
	})
}
