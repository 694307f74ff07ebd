package source

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Order returns inputs with each rotated set (mail.log.2.gz, mail.log.1, mail.log) in the
// order of its times, the oldest first, where its first member stood. Whatever belongs to no
// set keeps its place among the others.
//
// A set is what has the same name but for its number or date and its compression, in one
// directory, or in several where no two of its members claim the same number or date. It is put
// in order by first, which tells the time of an input's first line, zero when unknown, and is
// asked only about members of sets; where it does not know them all, or knows no difference,
// the number or date decides, then ModTime.
func Order(inputs []*Input, first func(*Input) time.Time) []*Input {
	var ordered []*Input
	for _, set := range sets(inputs) {
		if len(set) > 1 {
			sortSet(set, first)
		}
		for _, m := range set {
			ordered = append(ordered, m.in)
		}
	}
	return ordered
}

// member is an input of a set.
type member struct {
	in    *Input
	dir   string
	rank  rank
	first time.Time
}

// sets groups inputs, each set where its first member stood.
func sets(inputs []*Input) [][]member {
	var groups [][]member
	where := map[string]int{}
	add := func(key string, m member) {
		i, ok := where[key]
		if !ok {
			i = len(groups)
			where[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	for _, in := range inputs {
		if in.stream {
			groups = append(groups, []member{{in: in}})
			continue
		}
		dir, base := filepath.Split(filepath.Clean(in.Path))
		stem, rank := parseName(base)
		add(stem, member{in: in, dir: dir, rank: rank})
	}
	var split [][]member
	for _, group := range groups {
		split = append(split, splitByDirectory(group)...)
	}
	return split
}

// splitByDirectory splits a group in which members of different directories claim the same
// rank: the logs of two hosts, and not one log with its older parts elsewhere.
func splitByDirectory(group []member) [][]member {
	claimed := map[rank]string{}
	clash := false
	for _, m := range group {
		dir, ok := claimed[m.rank]
		clash = clash || ok && dir != m.dir
		claimed[m.rank] = m.dir
	}
	if !clash {
		return [][]member{group}
	}
	var split [][]member
	where := map[string]int{}
	for _, m := range group {
		i, ok := where[m.dir]
		if !ok {
			i = len(split)
			where[m.dir] = i
			split = append(split, nil)
		}
		split[i] = append(split[i], m)
	}
	return split
}

// sortSet sorts a set, the oldest first: by what the names say, and over that by what the
// lines say.
func sortSet(set []member, first func(*Input) time.Time) {
	known, kinds := true, map[kind]bool{}
	for i := range set {
		set[i].first = first(set[i].in)
		known = known && !set[i].first.IsZero()
		kinds[set[i].rank.kind] = true
	}
	slices.SortStableFunc(set, func(a, b member) int {
		// A number and a date cannot be compared; then no name decides, or the order
		// would depend on where one begins.
		if c := compareRanks(a.rank, b.rank); c != 0 && !(kinds[numbered] && kinds[dated]) {
			return c
		}
		return a.in.ModTime.Compare(b.in.ModTime)
	})
	if known {
		slices.SortStableFunc(set, func(a, b member) int { return a.first.Compare(b.first) })
	}
}

// kind is what a name says of a file's age.
type kind uint8

const (
	live     kind = iota // nothing: it is the one being written
	numbered             // the higher the older
	dated                // the lower the older
)

// rank is the age that a file's name tells.
type rank struct {
	kind   kind
	number int
	date   string // digits only, the year first
}

// compareRanks puts the older first. What is live comes after everything.
func compareRanks(a, b rank) int {
	switch {
	case a.kind == live || b.kind == live:
		return cmp.Compare(b.kind, a.kind)
	case a.kind == numbered:
		return cmp.Compare(b.number, a.number)
	}
	return strings.Compare(a.date, b.date)
}

// parseName takes a file's name apart: what is common to its set, and its rank. It knows
// the names that logrotate(8) gives with its options (mail.log.1, mail.log-20261101,
// mail.log-2026-11-01-1793491200, mail.1.log, mail-20261101.log), those of savelog(8), newsyslog(8)
// (mail.log.0.bz2, maillog.20261101T0000) and of Exim (mainlog.01, mainlog-20261101), each
// compressed or not.
func parseName(base string) (stem string, r rank) {
	stem = base
	for _, suffix := range []string{".gz", ".bz2", ".xz", ".zst", ".zstd", ".Z", ".lz4", ".lzma"} {
		stem = strings.TrimSuffix(stem, suffix)
	}
	if before, ok := strings.CutSuffix(stem, ".old"); ok && before != "" {
		return before, rank{kind: numbered, number: 1}
	}
	// The age stands at the end, or before the extension.
	if s, r, ok := cutAge(stem); ok {
		return s, r
	}
	ext := filepath.Ext(stem)
	if s, r, ok := cutAge(strings.TrimSuffix(stem, ext)); ok && ext != "" {
		return s + ext, r
	}
	return stem, rank{}
}

// cutAge cuts a number or a date, with the separator before it, from the end of name.
func cutAge(name string) (stem string, r rank, ok bool) {
	i := len(name)
	for i > 0 && strings.IndexByte("0123456789-_.T:", name[i-1]) >= 0 {
		i--
	}
	if stem, r, ok := cutDate(name, i); ok {
		return stem, r, true
	}
	dot := strings.LastIndexByte(name, '.')
	if number := name[dot+1:]; dot > 0 && len(number) >= 1 && len(number) <= maxRotations && hasLetter(name[:dot]) {
		if n, err := strconv.ParseUint(number, 10, 32); err == nil {
			return name[:dot], rank{kind: numbered, number: int(n)}, true
		}
	}
	return "", rank{}, false
}

// maxRotations is how many digits a rotation's number has at most. What has more is a
// process ID or a time.
const maxRotations = 4

// cutDate cuts a date from the end of name, whose digits and separators begin at i: eight
// digits that are a date, however they are separated, and what follows them; or ten that are
// seconds since 1970.
func cutDate(name string, i int) (stem string, r rank, ok bool) {
	for ; i < len(name); i++ {
		if name[i] < '0' || name[i] > '9' || i > 0 && '0' <= name[i-1] && name[i-1] <= '9' {
			continue
		}
		digits := onlyDigits(name[i:])
		if len(digits) < 8 {
			return "", rank{}, false
		}
		stem := strings.TrimRight(name[:i], "-_.")
		if run := firstRun(name[i:]); len(run) == 10 && run < "2" && run == digits {
			seconds, _ := strconv.ParseInt(run, 10, 64)
			digits = time.Unix(seconds, 0).UTC().Format("20060102150405")
			return stem, rank{kind: dated, date: digits}, true
		}
		if _, err := time.Parse("20060102", digits[:8]); err == nil && digits[:2] >= "19" && digits[:2] <= "20" {
			return stem, rank{kind: dated, date: digits}, true
		}
	}
	return "", rank{}, false
}

// firstRun returns the digits that s begins with.
func firstRun(s string) string {
	i := 0
	for i < len(s) && '0' <= s[i] && s[i] <= '9' {
		i++
	}
	return s[:i]
}

// onlyDigits returns s without what is no digit.
func onlyDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, s)
}

// hasLetter reports a letter in s: 192.0.2.1 is an address, and not the first rotation of
// 192.0.2.
func hasLetter(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c > 0x7f })
}
