package source

import (
	"os"
	"path/filepath"
	"strings"
)

const (
	// maxNear is how many names a missing file's error suggests: more than three is a
	// listing, and ls does that better.
	maxNear = 3
	// maxNearEntries is how many names of the directory are looked at for them. An error
	// message is not worth reading a spool of a million files.
	maxNearEntries = 10_000
	// maxTypos is how far a suggested name may be from the one given.
	maxTypos = 2
)

// missing is the error of a path that leads nowhere, with the names that its user may
// have meant.
func missing(path string, err error) *Error {
	dir, base := filepath.Split(path)
	names, dirErr := entries(dir)
	e := &Error{path, "no such file", "check the name", err}
	if dirErr != nil {
		e.Advice = "the directory " + filepath.Clean(dir) + " cannot be read either: check the path"
		return e
	}
	if near := Nearest(base, names); len(near) > 0 {
		for i := range near {
			near[i] = dir + near[i]
		}
		e.Advice = "did you mean " + strings.Join(near, " or ") + "?"
	} else if strings.HasPrefix(path, "/var/log/") {
		// A system without a syslog daemon keeps its mail log nowhere else.
		e.Advice = "a system that logs to the journal is read with: journalctl -o export | mailwhy -"
	}
	return e
}

// entries lists some of the names in dir, "" being the working directory.
func entries(dir string) ([]string, error) {
	if dir == "" {
		dir = "."
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, _ := f.Readdirnames(maxNearEntries)
	return names, nil
}

// Nearest returns the names that base may have been meant to be, the likeliest first:
// first those that differ by a slip of the fingers, then those that base begins.
func Nearest(base string, names []string) []string {
	if base == "" {
		return nil
	}
	var byRank [maxTypos + 2][]string
	for _, name := range names {
		if d := typos(strings.ToLower(base), strings.ToLower(name)); d <= maxTypos && d < len(base)/2+1 {
			byRank[d] = append(byRank[d], name)
		} else if strings.HasPrefix(name, base) {
			byRank[maxTypos+1] = append(byRank[maxTypos+1], name)
		}
	}
	var near []string
	for _, rank := range byRank {
		near = append(near, sorted(rank)...)
	}
	return near[:min(len(near), maxNear)]
}

// typos returns how many letters must be changed, added or taken away to make b of a
// (the Levenshtein distance), or more than maxTypos where that is all one needs to know.
func typos(a, b string) int {
	if d := len(a) - len(b); d > maxTypos || d < -maxTypos {
		return maxTypos + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
