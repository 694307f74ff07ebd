package summary

import "github.com/cespare/xxhash/v2"

// maxWording is how many bytes of a reply its wording is told by.
const maxWording = 400

// WordingOf is a hash of a text without what differs from line to line: addresses, hosts,
// numbers and IDs. Texts of one wording say the same.
func WordingOf(text []byte) uint64 {
	var room [maxWording]byte
	return xxhash.Sum64(AppendWording(room[:0], text))
}

// AppendWording appends the words of a text in lower case, and one '#' for what is none: a
// run of letters and marks that has a digit or a mark of addresses and hosts in it.
func AppendWording(dst, text []byte) []byte {
	text = text[:min(len(text), maxWording)]
	for i := 0; i < len(text); {
		if separates(text[i]) {
			i++
			continue
		}
		start, plain := i, true
		for ; i < len(text) && !separates(text[i]); i++ {
			c := text[i]
			plain = plain && (c|0x20 >= 'a' && c|0x20 <= 'z' || c == '\'' || c >= 0x80 || c == '.' && i+1 < len(text) && separates(text[i+1]) || c == '.' && i+1 == len(text))
		}
		if !plain {
			if n := len(dst); n < 2 || dst[n-2] != '#' {
				dst = append(dst, '#', ' ')
			}
			continue
		}
		for _, c := range text[start:i] {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			if c != '.' {
				dst = append(dst, c)
			}
		}
		dst = append(dst, ' ')
	}
	return dst
}

func separates(c byte) bool {
	switch c {
	case ' ', '\t', '\n', '\r', ',', ';', '(', ')', '[', ']', '<', '>', '"', '/', '=':
		return true
	}
	return false
}
