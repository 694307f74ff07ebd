package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/mailwhy/mailwhy/internal/source"
)

// follow makes "mailwhy -f FILE", and "mailwhy tail -f FILE", what their user meant: tail
// follows, and no other command does.
func follow(args, commands []string) []string {
	command := "report"
	if len(args) > 0 && slices.Contains(commands, args[0]) {
		command = args[0]
	}
	if command != "report" && command != "tail" {
		return args
	}
	rest := slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "-f" || a == "-F" || a == "--follow" })
	if len(rest) == len(args) {
		return args
	}
	if len(rest) > 0 && rest[0] == command {
		rest = rest[1:]
	}
	return append([]string{"tail"}, rest...)
}

// straighten makes of the arguments what their user meant and kong would not take:
// "help sessions", and numbers and times that begin with a minus ("--since -2h",
// "--top -1"), which are values and no flags.
func straighten(args []string, commands []string) []string {
	if len(args) > 0 && args[0] == "help" && !exists("help") {
		if len(args) > 1 && slices.Contains(commands, args[1]) {
			return []string{args[1], "--help"}
		}
		if len(args) == 1 {
			return []string{"--help"}
		}
		return args[1:] // no command: what it may have been meant to be is told
	}
	args = follow(args, commands)
	long := map[string]string{"--since": "--since", "-S": "--since", "--until": "--until", "-U": "--until", "--top": "--top", "-n": "--lines", "--lines": "--lines"}
	var out []string
	for i := 0; i < len(args); i++ {
		flag, ok := long[args[i]]
		if ok && i+1 < len(args) && len(args[i+1]) > 1 && args[i+1][0] == '-' && args[i+1][1] >= '0' && args[i+1][1] <= '9' {
			out = append(out, flag+"="+args[i+1])
			i++
			continue
		}
		out = append(out, args[i])
	}
	return out
}

// mistyped returns an error where the first argument is no file and nearly a command.
func mistyped(args []string, commands []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") || slices.Contains(commands, args[0]) || exists(args[0]) {
		return nil
	}
	if _, _, alone := parseCodes(args[0]); alone || firstDigit(args[0]) != 0 {
		return fmt.Errorf("there is no file %s; for what a code means: mailwhy explain %s", args[0], args[0])
	}
	near := source.Nearest(args[0], commands)
	if len(near) == 0 {
		return nil
	}
	return fmt.Errorf("there is no file or command %s; did you mean %s?", args[0], strings.Join(near, " or "))
}

// meant is the command whose flags a wrong line was about. One that stands behind flags is
// what the user wanted, too: "--lang hi explain 553".
func meant(args, commands []string) string {
	for _, a := range args {
		if slices.Contains(commands, a) {
			return "mailwhy " + a
		}
	}
	return "mailwhy"
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// commandNames lists the commands that users are shown.
func commandNames(app *kong.Application) []string {
	var names []string
	for _, c := range app.Children {
		names = append(names, c.Name)
	}
	return names
}

// checkOutput refuses an output format that a command has not, and says which it has.
func checkOutput(command, given string, formats ...string) error {
	if slices.Contains(formats, given) {
		return nil
	}
	hint := ""
	switch {
	case given == "json" && slices.Contains(formats, "ndjson"):
		hint = "; -o ndjson is JSON, one object a line"
	case given == "ndjson" && slices.Contains(formats, "json"):
		hint = "; -o json is one object, and mailwhy events prints one a line"
	case given == "csv" || given == "table" || given == "md":
		hint = "; mailwhy sessions -o " + given + " has one row a session"
	}
	return fmt.Errorf("%s -o %s: there is %s%s", command, given, strings.Join(formats, ", "), hint)
}
