// Package config reads the configuration file: TOML whose keys are the flags of the
// command line. Those at the top are for every command, those in a table for the command
// of that name, and tables that may come again, [[rule]] and [[alert]], are lists of their
// own:
//
//	lang = "tr"
//
//	[tail]
//	files = ["/var/log/mail.log"]
//	listen = "127.0.0.1:9925"
//
//	[[rule]]
//	id = "airlock"
//
// The package knows the shape and where each key stands; which keys there are, its users
// know.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/mailwhy/mailwhy/internal/source"
)

// maxSize bounds a file, lest a device or a log that was named by mistake fill the memory.
// The thousand phrases that there is room for in rules, with their words, are half of it.
const maxSize = 1 << 20

// MaxWrong is about how many faults of a file are told of at once.
const MaxWrong = 50

// File is a configuration as it was read.
type File struct {
	Path     string
	Data     []byte
	Settings []Setting // those that are in no list, in the file's order

	lines map[string]int // by the whole key
	lists map[string]int // how many tables [[name]] there are
}

// Setting is a key with its value: a string, an int64, a float64, a bool, a time, or a list
// ([]any) of such; a map where a table stands in place of a value.
type Setting struct {
	Table string // "" at the top
	Name  string
	Value any
	Line  int
}

// Read reads the file at a path.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxSize:
		return nil, fmt.Errorf("%s has more than %d bytes; name a configuration or a file of rules, or leave some out", path, maxSize)
	}
	return Parse(path, data)
}

// Parse reads the text of a file. The path is for messages, and for what stands beside it.
func Parse(path string, data []byte) (*File, error) {
	all := map[string]any{}
	md, err := toml.Decode(string(data), &all)
	if err != nil {
		return nil, inFile(path, err)
	}
	f := &File{Path: path, Data: data, lines: lines(string(data)), lists: map[string]int{}}
	for _, key := range md.Keys() {
		top := all[key[0]]
		table, isTable := top.(map[string]any)
		switch rows, isList := top.([]map[string]any); {
		case isList:
			f.lists[key[0]] = len(rows)
		case len(key) == 1 && !isTable:
			f.add("", key[0], top)
		case len(key) == 2 && isTable:
			f.add(key[0], key[1], table[key[1]])
		case len(key) == 1 && len(table) == 0:
			f.add("", key[0], table) // an empty one; a misspelt name is told of all the same
		}
	}
	return f, nil
}

func (f *File) add(table, name string, value any) {
	f.Settings = append(f.Settings, Setting{table, name, value, f.line(table, name)})
}

// Has reports whether there are tables [[name]].
func (f *File) Has(name string) bool { return f.lists[name] > 0 }

// Lists names the lists of tables, with the line of the first.
func (f *File) Lists() map[string]int {
	names := map[string]int{}
	for name := range f.lists {
		names[name] = max(f.lines[row(name, 0)], 1)
	}
	return names
}

// Get returns the value of a key for a command: that of its table, or else that at the top.
// It is nil when neither is there.
func (f *File) Get(command, name string) any {
	if f == nil {
		return nil
	}
	var found any
	for _, s := range f.Settings {
		if s.Name == name && s.Table == command {
			return s.Value
		}
		if s.Name == name && s.Table == "" {
			found = s.Value
		}
	}
	return found
}

// Beside returns a path that was given in the file: a relative one starts where the file is.
func (f *File) Beside(path string) string {
	if path == "" || path == "-" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(f.Path), path)
}

// Errorf makes an error about a line of the file.
func (f *File) Errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", f.Path, line, fmt.Errorf(format, args...))
}

// Rows reads the tables [[name]] into structs of a user's own. A key that they have no
// field for, and a value of another type, is an error with its line. check looks at each.
func Rows[T any](f *File, name string, check func(*T) error) ([]T, error) {
	if f == nil || !f.Has(name) {
		return nil, nil
	}
	in := map[string]toml.Primitive{}
	md, err := toml.Decode(string(f.Data), &in)
	if err != nil {
		return nil, inFile(f.Path, err)
	}
	var rows []T
	if err := md.PrimitiveDecode(in[name], &rows); err != nil {
		return nil, inFile(f.Path, err)
	}
	var wrong []error
	for _, key := range md.Undecoded() {
		if len(key) > 1 && key[0] == name && len(wrong) < MaxWrong {
			wrong = append(wrong, f.Unknown(f.anyLine(name, key[1]), "[["+name+"]]", key[1], fields[T]()))
		}
	}
	for i := range rows {
		if len(wrong) >= MaxWrong {
			break
		}
		for _, err := range each(check(&rows[i])) {
			wrong = append(wrong, f.Errorf(max(f.lines[row(name, i)], 1), "%w", err))
		}
	}
	return rows, errors.Join(wrong...)
}

// each returns the errors that were joined, so that each has its line.
func each(err error) []error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		return all.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// fields names the keys that a struct has room for.
func fields[T any]() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		tag, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
		if name := cmp.Or(tag, strings.ToLower(field.Name)); name != "-" && field.IsExported() {
			names = append(names, name)
		}
	}
	return names
}

// Unknown is the error of a key that a table has no use for: it names those that were
// meant, or else all that there are.
func (f *File) Unknown(line int, table, name string, known []string) error {
	if near := source.Nearest(name, known); len(near) > 0 {
		return f.Errorf(line, "unknown key %q in %s; did you mean %s?", name, table, strings.Join(near, " or "))
	}
	return f.Errorf(line, "unknown key %q in %s; there are %s", name, table, strings.Join(known, ", "))
}

// inFile adds the file's name, and the line where it is known, to an error of the reader's.
func inFile(path string, err error) error {
	var at toml.ParseError
	if errors.As(err, &at) {
		return fmt.Errorf("%s:%d: %s", path, max(at.Position.Line, 1), at.Message)
	}
	text, line := strings.TrimPrefix(err.Error(), "toml: "), 1
	if n, _ := fmt.Sscanf(text, "line %d ", &line); n == 1 { // as the reader says it of a value of the wrong type
		text = strings.TrimLeft(strings.TrimPrefix(text, fmt.Sprintf("line %d", line)), ": ")
	}
	return fmt.Errorf("%s:%d: %s", path, line, text)
}
