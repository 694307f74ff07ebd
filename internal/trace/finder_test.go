package trace

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

func found(f lineFinder, b []byte) (starts []int) {
	f.eachLine(b, func(start, end int) {
		if start > 0 && b[start-1] != '\n' || end < len(b) && b[end] != '\n' {
			panic("no line")
		}
		starts = append(starts, start)
	})
	return starts
}

// foundSlow is the same by looking for each name in each line.
func foundSlow(b []byte, names []needle) (starts []int) {
	at := 0
	for line := range strings.Lines(string(b)) {
		if slices.ContainsFunc(names, func(n needle) bool {
			return strings.Contains(line, n.text) || n.anyCase && strings.Contains(strings.ToLower(line), strings.ToLower(n.text))
		}) {
			starts = append(starts, at)
		}
		at += len(line)
	}
	return starts
}

func checkFinder(t *testing.T, b []byte, names []needle) {
	t.Helper()
	want := foundSlow(b, names)
	for which, f := range map[string]lineFinder{"rare": newRare(names[:min(len(names), fewNames)], b), "grams": newGrams(names)} {
		if which == "rare" && len(names) > fewNames {
			continue
		}
		if got := found(f, b); !slices.Equal(got, want) {
			t.Fatalf("%s: %+v in %q: lines at %v, want %v", which, names, b, got, want)
		}
	}
}

func TestFinder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		b := make([]byte, rng.IntN(400))
		for i := range b {
			b[i] = "ABab01\n"[rng.IntN(7)]
		}
		var names []needle
		for range 1 + rng.IntN(8) {
			name := make([]byte, minName+rng.IntN(9))
			for i := range name {
				name[i] = "ABab01"[rng.IntN(6)]
			}
			names = append(names, needle{string(name), rng.IntN(2) == 0})
		}
		for i := range rng.IntN(3) * maxChain { // that begin alike
			names = append(names, needle{"AABB0" + string(rune('0'+i%2)) + string(rune('A'+i%3)) + "1"[:i%2], i%5 == 0})
		}
		checkFinder(t, b, names)
	}
}

func TestNewFinder(t *testing.T) {
	if newFinder([]needle{{"abcde", false}, {"abc", true}}, nil) != nil || newFinder(nil, nil) != nil {
		t.Error("a finder of names that are too short, or of none")
	}
	if _, ok := newFinder(make7(), nil).(*grams); !ok {
		t.Error("many names are not looked for together")
	}
}

func make7() (names []needle) {
	for i := range 7 {
		names = append(names, needle{strings.Repeat(string(rune('a'+i)), 5), false})
	}
	return names
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte("one 4XyZabc\ntwo 4xyzABC\n"), "4XyZabc", "two 4", true)
	f.Fuzz(func(t *testing.T, b []byte, one, two string, anyCase bool) {
		for _, s := range []string{one, two} {
			if len(s) < minName || len(s) > maxNeedle || strings.Contains(s, "\n") || strings.IndexFunc(s, func(r rune) bool { return r > 127 }) >= 0 {
				return
			}
		}
		if bytes.IndexFunc(b, func(r rune) bool { return r > 127 }) >= 0 {
			return // strings.ToLower knows more letters
		}
		checkFinder(t, b, []needle{{one, anyCase}, {two, false}})
	})
}

func BenchmarkFinder(b *testing.B) {
	file := os.Getenv("MAILWHY_BENCH_LOG")
	if file == "" {
		file = "../../testdata/postfix/server-in.log.gz"
	}
	log := sample(b, file)
	log = log[len(log)/2:]
	log = log[:min(len(log), blockSize)]
	for name, names := range map[string][]needle{
		"queue ID":   {{"E6BB246E441", false}},
		"message-id": {{"60c26b861041@corp.example", false}},
		"both":       {{"E6BB246E441", false}, {"60c26b861041@corp.example", false}},
		"address":    {{"ida.dietz99@corp.example", true}},
		"many":       {{"E6BB246E441", false}, {"E6CB246E441", false}, {"E6DB246E441", false}, {"E6BB246E442", false}, {"E6BB246E443", false}, {"E6BB246E444", false}, {"E6BB246E445", false}},
	} {
		b.Run(name, func(b *testing.B) {
			f := newFinder(names, log)
			b.SetBytes(int64(len(log)))
			for b.Loop() {
				f.eachLine(log, func(int, int) {})
			}
		})
	}
}
