package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/summary"
)

// The files of a bundle. Those who get it see with sha256sum -c that they have all of it and
// as it was; inputSums is for those who have the logs too.
const (
	bundleSums = "SHA256SUMS"
	inputSums  = "INPUTS.sha256"
)

// bundle writes all that belongs to a report of incidents into a folder.
func (c *incidentCmd) bundle(w *world, found report.Incidents) error {
	parts := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"report.md", func(to io.Writer) error { return found.Print(to, "md", report.Terminal{}, false) }},
		{"report.html", func(to io.Writer) error { return found.Print(to, "html", report.Terminal{}, false) }},
		{"incident.json", found.JSON},
		{"hit.csv", func(to io.Writer) error { return found.Print(to, "csv", report.Terminal{}, false) }},
		{"evidence.log", found.EvidenceLines},
	}
	var names []string
	for _, p := range parts {
		if err := (output{path: filepath.Join(c.Bundle, p.name)}).write(w, p.write); err != nil {
			return err
		}
		names = append(names, p.name)
	}
	more, err := c.summaries(w)
	if err != nil {
		return err
	}
	return c.sums(w, append(names, more...))
}

// emptyFolder makes a folder, or takes one in which nothing is.
func emptyFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil { // there are mail addresses in it
		return fmt.Errorf("--bundle: %w", err)
	}
	there, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("--bundle: %w", err)
	}
	if len(there) > 0 {
		return fmt.Errorf("--bundle %s: there are files in it already; give an empty or a new folder", path)
	}
	return nil
}

// summaries writes what mailwhy report tells of the same logs, by reading them once more. What
// came through a pipe cannot be: it is gone.
func (c *incidentCmd) summaries(w *world) (names []string, err error) {
	if !c.lasting() {
		w.warn(errors.New("--bundle: a stream is read once only, so summary.json and " + inputSums + " are left out; name files to have them"))
		return nil, nil
	}
	again := *w
	again.stderr = io.Discard // it has all been told
	day := &reportCmd{inputFlags: c.inputFlags, wordsFlags: c.wordsFlags, dayFlags: dayFlags{tableFlags: c.tableFlags, Output: filepath.Join(c.Bundle, "summary.json"), Top: 1, All: true}}
	if err := day.Run(&again); err != nil {
		return nil, err
	}
	return []string{"summary.json"}, nil
}

// lasting reports that what is read can be read once more.
func (c *incidentCmd) lasting() bool {
	for _, name := range c.Files {
		info, err := os.Stat(name)
		if name == "-" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
			return false
		}
	}
	return len(c.Files) > 0
}

// readFiles are the files that were read to their end. Where names are hidden there are none:
// they would be told, and so would whether somebody has the same log.
func readFiles(c *summary.Coverage) (paths []string) {
	if c.Redacted {
		return nil
	}
	for i := range c.Files {
		path := absolute(c.Files[i].Path)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && c.Files[i].Err == nil && c.Files[i].Path != "-" {
			paths = append(paths, path)
		}
	}
	return paths
}

// sums writes the lists of sums: of the logs that were read, and of all files of the bundle.
func (c *incidentCmd) sums(w *world, names []string) error {
	if len(c.inputs) > 0 {
		if err := writeSums(w, filepath.Join(c.Bundle, inputSums), "", c.inputs); err != nil {
			return err
		}
		names = append(names, inputSums)
	}
	return writeSums(w, filepath.Join(c.Bundle, bundleSums), c.Bundle, names)
}

// writeSums writes the SHA-256 of files, whose names are taken from a folder, as sha256sum does.
func writeSums(w *world, path, folder string, names []string) error {
	return output{path: path}.write(w, func(to io.Writer) error {
		for _, name := range names {
			sum, err := sumOf(filepath.Join(folder, name))
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(to, sumLine(sum, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// sumLine is a line as sha256sum writes and reads it: a name with a line end or a backslash
// in it is escaped, and that stands at the beginning.
func sumLine(sum []byte, name string) string {
	escaped := strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\r", "\\r").Replace(name)
	if escaped != name {
		return fmt.Sprintf("\\%x  %s", sum, escaped)
	}
	return fmt.Sprintf("%x  %s", sum, name)
}

func sumOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return h.Sum(nil), err
}
