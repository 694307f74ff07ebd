package config

import (
	"fmt"
	"strings"
)

// lines finds on which line each key stands, for messages: the reader does not tell. Keys
// of lists are numbered, "alert[0].cause"; the head of a table is the key without a name.
// What it cannot make out it leaves out.
func lines(text string) map[string]int {
	at, rows := map[string]int{}, map[string]int{}
	table, until := "", "" // until ends a text or a list of several lines
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if until != "" {
			if strings.Contains(line, until) {
				until = ""
			}
			continue
		}
		if name, ok := head(line, "[[", "]]"); ok {
			table = row(name, rows[name])
			rows[name]++
			at[table] = i + 1
			continue
		}
		if name, ok := head(line, "[", "]"); ok {
			table = name
			at[table] = i + 1
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if name := join(table, unquoted(key)); at[name] == 0 {
			at[name] = i + 1
		}
		until = open(strings.TrimSpace(value))
	}
	return at
}

// head reads the name of a table.
func head(line, before, after string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, before)
	if !ok {
		return "", false
	}
	name, _, ok = strings.Cut(rest, after)
	return unquoted(name), ok
}

// open returns what ends a value that goes on on the next line, "" for one that does not.
func open(value string) string {
	for _, mark := range []string{`"""`, `'''`} {
		if rest, ok := strings.CutPrefix(value, mark); ok && !strings.Contains(rest, mark) {
			return mark
		}
	}
	if strings.HasPrefix(value, "[") && !strings.Contains(value, "]") {
		return "]"
	}
	return ""
}

func unquoted(name string) string { return strings.Trim(strings.TrimSpace(name), `"'`) }

func row(name string, i int) string { return fmt.Sprintf("%s[%d]", name, i) }

func join(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// line returns the line of a key, that of its table where it is not known, or 1.
func (f *File) line(table, name string) int {
	if at := f.lines[join(table, name)]; at > 0 {
		return at
	}
	return max(f.lines[table], f.lines[name], 1)
}

// anyLine returns the first line on which a list has a key.
func (f *File) anyLine(list, name string) int {
	for i := range f.lists[list] {
		if at := f.lines[join(row(list, i), name)]; at > 0 {
			return at
		}
	}
	return max(f.lines[row(list, 0)], 1)
}
