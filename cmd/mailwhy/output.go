package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// suffixes are the endings of files that name a format.
var suffixes = map[string]string{".html": "html", ".htm": "html", ".md": "md", ".markdown": "md", ".json": "json", ".ndjson": "ndjson", ".csv": "csv", ".txt": "table"}

// output is where a command prints and in which format: -o gives a format, or a file whose
// ending tells it.
type output struct {
	format string
	path   string // "" for stdout
}

// outputOf reads -o. The file may be none of those that are read.
func outputOf(command, given string, inputs []string, formats ...string) (output, error) {
	if format := suffixes[strings.ToLower(filepath.Ext(given))]; format != "" {
		if err := checkOutput(command, format, formats...); err != nil {
			return output{}, fmt.Errorf("%w, or a file whose name ends like that", err)
		}
		if there, err := os.Stat(given); err == nil && isOneOf(there, inputs) {
			return output{}, fmt.Errorf("-o %s: that file is read; give another name", given)
		}
		return output{format, given}, nil
	}
	return output{format: given}, checkOutput(command, given, formats...)
}

func isOneOf(file os.FileInfo, paths []string) bool {
	for _, path := range paths {
		if other, err := os.Stat(path); err == nil && os.SameFile(file, other) {
			return true
		}
	}
	return false
}

// write has print write to the file, or to stdout. A file is there only when it is whole.
func (o output) write(w *world, print func(io.Writer) error) error {
	if o.path == "" {
		return print(w.stdout)
	}
	if err := writeFile(o.path, print); err != nil {
		return fmt.Errorf("-o %s: %w", o.path, err)
	}
	return nil
}

// writeFile makes a file that is there only when it is whole.
func writeFile(path string, print func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // of no use once it has its name
	if err = errors.Join(print(f), f.Chmod(reportMode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// reportMode is for a file with mail addresses in it: the user's own until he hands it on.
const reportMode = 0o600
