package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
)

const (
	maxLayers  = 4  // of encodings in one another
	minEncoded = 12 // characters of base64 or hexadecimal in which an address has room
)

// unfolded looks at what a word hides. Where it names somebody when it is decoded, the decoded
// word is shown, with its pseudonyms.
func (r *Redactor) unfolded(w string) (shown []byte, changed bool) {
	if strings.HasPrefix(w, "=?") {
		return []byte(r.labelled("text-", kindText, w)), true // an encoded word (RFC 2047)
	}
	if strings.ContainsAny(w, `%=+&\`) {
		plain := w
		for range maxLayers {
			next := decoded(plain)
			if next == plain {
				break
			}
			plain = next
		}
		if plain != w {
			if shown := r.again(plain); string(shown) != plain {
				return shown, true
			}
		}
	}
	if len(w) >= minEncoded {
		return r.blobs(w)
	}
	return nil, false
}

// again takes a decoded word apart; there may be several in it.
func (r *Redactor) again(plain string) []byte {
	var dst []byte
	b := []byte(plain)
	for i := 0; i < len(b); {
		if n := delimiter(b[i:]); n > 0 {
			dst = append(dst, b[i:i+n]...)
			i += n
			continue
		}
		j := i + 1
		for j < len(b) && delimiter(b[j:]) == 0 {
			j++
		}
		word := string(b[i:j])
		if k := strings.Index(word, "://"); k > 0 && scheme(word[:k]) > 0 {
			dst = r.url(dst, word, k)
		} else {
			dst, _ = r.scan(dst, word, 0)
		}
		i = j
	}
	return dst
}

// decoded decodes one layer of percent encoding, xtext and quoted-printable (=XX, +XX; RFC
// 3461, 4), entities and escapes, as far as they stand for visible ASCII.
func decoded(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := byte(0), 0
		switch s[i] {
		case '%', '=', '+':
			c, n = hexByte(s, i+1, 2)
		case '&':
			c, n = entity(s[i:])
		case '\\':
			if i+1 < len(s) {
				switch s[i+1] {
				case 'x':
					c, n = hexByte(s, i+2, 2)
					n++
				case 'u':
					c, n = hexByte(s, i+2, 4)
					n++
				}
			}
		}
		if c > ' ' && c < 0x7f {
			b.WriteByte(c)
			i += n
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}

// hexByte reads digits that stand for one byte, and returns how far they and one sign before
// them go.
func hexByte(s string, at, digits int) (c byte, n int) {
	if at+digits > len(s) {
		return 0, 0
	}
	v, err := strconv.ParseUint(s[at:at+digits], 16, 16)
	if err != nil || v > 0x7f {
		return 0, 0
	}
	return byte(v), digits + 1
}

// entity reads "&#64;", "&#x40;" or "&commat;", with or without its end.
func entity(s string) (c byte, n int) {
	for name, c := range map[string]byte{"&commat;": '@', "&period;": '.', "&lt;": '<', "&gt;": '>', "&amp;": '&'} {
		if strings.HasPrefix(s, name) {
			return c, len(name)
		}
	}
	if len(s) < 3 || s[1] != '#' {
		return 0, 0
	}
	start, base := 2, 10
	if s[2]|0x20 == 'x' {
		start, base = 3, 16
	}
	end := start
	for end < len(s) && end < start+4 && (s[end]-'0' < 10 || base == 16 && s[end]|0x20-'a' < 6) {
		end++
	}
	v, err := strconv.ParseUint(s[start:end], base, 16)
	if err != nil || v > 0x7f {
		return 0, 0
	}
	if end < len(s) && s[end] == ';' {
		end++
	}
	return byte(v), end
}

// blobs hides those parts of a word that name somebody when they are read as base64 or as
// hexadecimal.
func (r *Redactor) blobs(w string) (shown []byte, changed bool) {
	start := 0
	for i := 0; i <= len(w); i++ {
		if i < len(w) && (w[i]-'0' < 10 || w[i]|0x20-'a' < 26 || strings.IndexByte("+/_-", w[i]) >= 0) {
			continue
		}
		if i-start >= minEncoded {
			if blob := w[start:i]; r.betrays(blob) {
				before, _ := r.scan(nil, w[:start], 0)
				after, _ := r.scan(nil, strings.TrimLeft(w[i:], "="), 0)
				return append(append(before, r.labelled("enc-", kindText, blob)...), after...), true
			}
		}
		start = i + 1
	}
	return nil, false
}

// betrays reports whether a blob decodes to text in which somebody is named.
func (r *Redactor) betrays(blob string) bool {
	try := func(b []byte, err error) bool {
		if err != nil || len(b) < minEncoded*3/4 || bytes.ContainsFunc(b, func(c rune) bool { return c < ' ' && c != 0 && c != '\n' && c != '\r' && c != '\t' || c > 0x7e }) {
			return false
		}
		plain := strings.Map(func(c rune) rune { return max(c, ' ') }, string(b))
		return string(r.again(plain)) != plain
	}
	return try(base64.RawStdEncoding.DecodeString(blob)) || try(base64.RawURLEncoding.DecodeString(blob)) || try(hex.DecodeString(blob))
}
