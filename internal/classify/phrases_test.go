package classify

import (
	"bytes"
	"strings"
	"testing"
)

// slowScan is the plain way to find the phrases: what scan must agree with.
func slowScan(m *matcher, text []byte, found *seen) {
	pieces := [][]byte{nil}
	for i := 0; i < len(text); i++ {
		if text[i] == '<' {
			if n := address(text[i:]); n > 0 {
				i += n - 1
				pieces = append(pieces, nil)
				continue
			}
		}
		last := len(pieces) - 1
		pieces[last] = append(pieces[last], fold[text[i]])
	}
	for n := range m.phrases {
		for _, piece := range pieces {
			if bytes.Contains(piece, []byte(m.phrases[n].text)) {
				found.add(uint16(n))
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("550 5.1.1 <user-unknown@example.net>: User\tUNKNOWN"))
	f.Add([]byte("<<a@b> spam <spam> <spam@> mailbox full<"))
	f.Add([]byte("user user user unknown unknown user"))
	f.Add([]byte{})
	m := rules()
	f.Fuzz(func(t *testing.T, text []byte) {
		var fast, slow seen
		hit := m.scan(text, &fast)
		slowScan(m, text, &slow)
		if fast != slow || hit != (slow != seen{}) {
			t.Fatalf("%q: scan and the plain way differ", text)
		}
	})
}

func TestScanFindsEveryPhrase(t *testing.T) {
	m := rules()
	for n, p := range m.phrases {
		for _, text := range []string{p.text, strings.ToUpper(p.text), "550 " + p.text + ".", "<a@b>" + p.text + "<a@b>"} {
			var found seen
			if m.scan([]byte(text), &found); !found.has(uint16(n)) {
				t.Errorf("%q is not found in %q", p.text, text)
			}
		}
	}
}

// What a hostile text can do is bounded by how many phrases share a key.
func TestKeysAreRare(t *testing.T) {
	m := rules()
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

func TestAddressesAreNotLookedAt(t *testing.T) {
	for text, want := range map[string]int{
		"<a@example.net>":   15,
		"<a@example.net> x": 15,
		"<>":                0,
		"<spam>":            0,
		"<a b@example.net>": 0,
		"<a<b@example.net>": 0,
		"<a@example.net":    0,
		"<" + strings.Repeat("a", maxAddress) + "@example.net>": 0,
	} {
		if got := address([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}
