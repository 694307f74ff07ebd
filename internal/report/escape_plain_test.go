package report

import (
	"encoding/binary"
	"testing"
)

// TestAllPlain holds that eight bytes at once are judged as each of them is, wherever it
// stands; doubt is allowed.
func TestAllPlain(t *testing.T) {
	for c := range 256 {
		for at := range 8 {
			word := []byte("abcdefgh")
			word[at] = byte(c)
			want := c < 0x80 && plain[c&0x7f]
			if got := allPlain(binary.LittleEndian.Uint64(word)); got != want {
				t.Errorf("%q: %v, want %v", word, got, want)
			}
		}
	}
}
