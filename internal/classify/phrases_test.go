package classify

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// slowScan is the plain way to find the phrases: what scan must agree with.
func slowScan(m *matcher, text []byte, found *seen) {
	pieces := slowPieces(text)
	for i := 5; i < len(text) && text[3] == '-'; i++ {
		if n := nextLine(text[i:], text[i-1]); n > 0 && (text[i] == '4' || text[i] == '5') {
			var buf [2*seamReach + 1]byte
			pieces = append(pieces, slowPieces(buf[:seam(&buf, text[:i-1], text[i+n:])])...)
		}
	}
	for n := range m.phrases {
		for _, piece := range pieces {
			if bytes.Contains(piece, []byte(m.phrases[n].text)) {
				found.add(uint16(n))
			}
		}
	}
}

// slowPieces returns what stands between brackets.
func slowPieces(text []byte) [][]byte {
	pieces := [][]byte{nil}
	for i := 0; i < len(text); i++ {
		last := len(pieces) - 1
		pieces[last] = append(pieces[last], fold[text[i]])
		if n := bracketed(text[i:]); text[i] == '<' && n > 0 {
			i += n - 1
			pieces = append(pieces, nil)
		}
	}
	return pieces
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("550 5.1.1 <user-unknown@example.net>: User\tUNKNOWN"))
	f.Add([]byte("<<a@b> spam <spam> <spam@> mailbox full<"))
	f.Add([]byte("user user user unknown unknown user"))
	f.Add([]byte("550-5.1.1 no such 550-5.1.1 <a> user\\n550-5.1.1 unknown\n550 recipient\\n"))
	f.Add([]byte{})
	m := Default().m
	f.Fuzz(func(t *testing.T, text []byte) {
		var fast, slow seen
		m.scan(text, &fast)
		slowScan(m, text, &slow)
		if fast != slow {
			t.Fatalf("%q: scan and the plain way differ", text)
		}
	})
}

func TestScanFindsEveryPhrase(t *testing.T) {
	m := Default().m
	for n, p := range m.phrases {
		for _, text := range []string{p.text, upper(p.text), "550 " + p.text + ".", "<a@b>" + p.text + "<a@b>"} {
			var found seen
			if m.scan([]byte(text), &found); !found.has(uint16(n)) {
				t.Errorf("%q is not found in %q", p.text, text)
			}
		}
	}
}

// What a hostile text can do is bounded by how many phrases share a key.
func TestKeysAreRare(t *testing.T) {
	m := Default().m
	for _, h := range m.heads {
		n := 0
		for p := h; p != 0; p = m.slots[p-1].next {
			n++
		}
		if n > 16 {
			t.Errorf("%d phrases share the key of %q: raise hashBits", n, m.phrases[h-1].text)
		}
	}
}

// No phrase is longer than what is searched around the end of a line.
func TestPhrasesFitASeam(t *testing.T) {
	for _, p := range Default().m.phrases {
		if len(p.text) > seamReach {
			t.Errorf("%q is longer than %d bytes: raise seamReach", p.text, seamReach)
		}
	}
}

func TestPhraseOverTwoLines(t *testing.T) {
	for text, want := range map[string]bool{
		`550-5.1.1 The recipient is no such\n550 5.1.1 user here`: true,
		`550-The recipient is no such\n550-user here\n550 Bye`:    true,
		"550-5.1.1 no such 550-5.1.1  user 550 5.1.1 bye":         true,
		"550-5.1.1 no such\r\n550-5.1.1 user":                     true,
		`450-no such\n450-user`:                                   true,
		`550-no such\n550-<user>`:                                 false,
		`550-<no such\n550-a> user`:                               false,
		`550-no such\n650-user`:                                   false,
		`550-no such\t550-user`:                                   false,
		`550-no such thing\n550-user`:                             false,
	} {
		var found seen
		m := Default().m
		m.scan([]byte(text), &found)
		n := slices.IndexFunc(m.phrases, func(p phrase) bool { return p.text == "no such user" })
		if found.has(uint16(n)) != want {
			t.Errorf("%s: found is not %v", text, want)
		}
	}
}

func TestBracketsAreNotLookedAt(t *testing.T) {
	for text, want := range map[string]int{
		"<a@example.net>":   15,
		"<a@example.net> x": 15,
		"<>":                2,
		"<spam>":            6,
		"<a b@example.net>": 17,
		"< a>":              0,
		"<a<b@example.net>": 0,
		"<a@example.net":    0,
		"<" + strings.Repeat("a", maxAddress) + "@example.net>": 0,
	} {
		if got := bracketed([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// upper is the text in capitals, as far as ASCII goes: beyond it phrases are written as
// servers write them.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, s)
}
