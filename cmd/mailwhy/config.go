package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/mailwhy/mailwhy/internal/config"
	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// configPlaces are where the configuration is looked for; the first that is there counts.
func configPlaces() []string {
	var places []string
	home := os.Getenv("XDG_CONFIG_HOME")
	if home == "" && os.Getenv("HOME") != "" {
		home = filepath.Join(os.Getenv("HOME"), ".config")
	}
	if home != "" {
		places = append(places, filepath.Join(home, "mailwhy", "config.toml"))
	}
	return append(places, "/etc/mailwhy.toml", "/etc/mailwhy/config.toml")
}

// everywhere are the flags that may stand at the top of the configuration, for all commands
// that have them.
var everywhere = []string{"lang", "color", "rules", "format", "tz"}

// The keys of the configuration that are no flags: what follows logs may be told which, and
// lists of tables.
const (
	filesKey  = "files"
	filesOf   = "tail"
	rulesList = "rule"
	alertList = "alert"
)

// configError is what is wrong with the configuration. No command's --help tells more of it.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// BeforeResolve reads the configuration, as soon as it is known which one. Flags go before
// the environment, and that before the file.
func (c *cli) BeforeResolve(ctx *kong.Context, w *world) error {
	w.app = ctx.Model
	for _, flag := range ctx.Model.Flags {
		if flag.Name != "config" {
			continue
		}
		path := ctx.FlagValue(flag).(string)
		_, named := os.LookupEnv("MAILWHY_CONFIG")
		w.findConfig = func() (*config.File, error) { return findConfig(path, named, w.app) }
	}
	var err error
	if w.conf, err = w.findConfig(); err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			err = fmt.Errorf("configuration: %w", err)
		}
		return configError{err}
	}
	ctx.AddResolver(settings{w.conf})
	return nil
}

// findConfig reads the file at path, or else the first of the usual places where one is.
// It returns nil when there is none. An empty path that was named is none at all.
func findConfig(path string, named bool, app *kong.Application) (*config.File, error) {
	if path != "" {
		return readConfig(path, app)
	}
	if named {
		return nil, nil
	}
	for _, place := range configPlaces() {
		f, err := readConfig(place, app)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) && hidden(place) {
			continue
		}
		return f, err
	}
	return nil, nil
}

// hidden reports that nobody may tell us whether a file is there: HOME is another user's, as after
// su or in a service.
func hidden(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrPermission)
}

// readConfig reads a configuration or a file of rules, which has the same form, and holds
// it against what there is to set.
func readConfig(path string, app *kong.Application) (*config.File, error) {
	f, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	var wrong []error
	for _, s := range f.Settings {
		if err := checkSetting(f, s, app); err != nil && len(wrong) < config.MaxWrong {
			wrong = append(wrong, err)
		}
	}
	lists := f.Lists()
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		if name != rulesList && name != alertList {
			wrong = append(wrong, f.Unknown(lists[name], "the file", name, []string{rulesList, alertList}))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return f, nil
}

// checkSetting tells what is wrong with a key or its value.
func checkSetting(f *config.File, s config.Setting, app *kong.Application) error {
	command := commandNamed(app, s.Table)
	known := slices.Clone(everywhere)
	switch {
	case s.Table == "":
		if table, ok := s.Value.(map[string]any); ok && len(table) == 0 && commandNamed(app, s.Name) != nil {
			return nil // [tail] with nothing in it
		}
	case command == nil:
		return f.Unknown(s.Line, "the file", s.Table, append(commandNames(app), rulesList, alertList))
	default:
		known = flagNames(command)
	}
	if s.Table == filesOf && s.Name == filesKey {
		return checkValue(f, s, reflect.TypeFor[[]string](), nil)
	}
	if !slices.Contains(known, s.Name) {
		if home := homeOf(app, s.Name); s.Table == "" && home != "" {
			return f.Errorf(s.Line, "key %q stands at the top, where only %s may; put it under [%s]", s.Name, strings.Join(everywhere, ", "), home)
		}
		where := "[" + s.Table + "]"
		if s.Table == "" {
			where, known = "the file", slices.Concat(known, commandNames(app), []string{rulesList, alertList})
		}
		return f.Unknown(s.Line, where, s.Name, known)
	}
	for _, flag := range flagsNamed(app, command, s.Name) {
		if err := checkValue(f, s, flag.Target.Type(), flag); err != nil {
			return err
		}
	}
	return nil
}

// checkValue tells whether a value is of the kind that a flag takes.
func checkValue(f *config.File, s config.Setting, takes reflect.Type, flag *kong.Flag) error {
	switch v := s.Value.(type) {
	case bool:
		if takes.Kind() == reflect.Bool {
			return nil
		}
	case int64, float64:
		if kind := takes.Kind(); takes != reflect.TypeFor[time.Duration]() && kind != reflect.Bool && kind != reflect.String && kind != reflect.Slice {
			return nil
		}
	case string:
		if kind := takes.Kind(); kind == reflect.Bool || kind == reflect.Int || kind == reflect.Int64 && takes != reflect.TypeFor[time.Duration]() {
			break
		}
		if flag != nil && flag.Enum != "" && takes.Kind() == reflect.String && !flag.EnumMap()[v] {
			return f.Errorf(s.Line, "%s = %q is none of %s", s.Name, v, strings.Join(flag.EnumSlice(), ", "))
		}
		return nil
	case []any:
		if takes.Kind() == reflect.Slice && !slices.ContainsFunc(v, func(e any) bool { return reflect.TypeOf(e) != takes.Elem() }) {
			return nil
		}
	}
	return f.Errorf(s.Line, "%s takes %s", s.Name, takesWhat(takes))
}

// takesWhat describes the values that a flag takes, as TOML writes them.
func takesWhat(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return `a duration in quotes, like "90s"`
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return `a list of texts, like ["one", "two"]`
	case t.Kind() == reflect.String:
		return "a text in quotes"
	}
	return "a number"
}

// commandNamed finds a command.
func commandNamed(app *kong.Application, name string) *kong.Node {
	for _, c := range app.Children {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// flagNames lists what may be set for a command: its own flags but rules, which hold for
// all that read replies.
func flagNames(command *kong.Node) (names []string) {
	for _, flag := range command.Flags {
		if flag.Name != "help" && flag.Name != "rules" {
			names = append(names, flag.Name)
		}
	}
	if command.Name == filesOf {
		names = append(names, filesKey)
	}
	return names
}

// flagsNamed finds the flags of a name: those of a command, or those of all.
func flagsNamed(app *kong.Application, command *kong.Node, name string) (flags []*kong.Flag) {
	for _, c := range app.Children {
		for _, flag := range c.Flags {
			if flag.Name == name && (command == nil || command == c) {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

// homeOf names the first command that has a flag, "" for none.
func homeOf(app *kong.Application, name string) string {
	for _, c := range app.Children {
		if slices.Contains(flagNames(c), name) {
			return c.Name
		}
	}
	return ""
}

// settings gives the flags the values that the configuration has for them.
type settings struct{ conf *config.File }

// Validate implements kong.Resolver: the file was checked when it was read.
func (s settings) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. kong asks of every flag that was not given, of one that
// the environment sets too.
func (s settings) Resolve(_ *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	empty := false
	for _, name := range flag.Envs {
		value, set := os.LookupEnv(name)
		if value != "" {
			return nil, nil
		}
		empty = empty || set // as good as not set at all
	}
	if parent.Command != nil && flag.Name != "rules" { // see ruleFiles
		if v := s.conf.Get(parent.Command.Name, flag.Name); v != nil {
			if path, ok := v.(string); ok && flag.Name == "state" {
				v = s.conf.Beside(path)
			}
			return v, nil
		}
	}
	if empty && flag.HasDefault {
		return flag.Default, nil
	}
	return nil, nil
}

// files are the logs that are named on the command line, or else in the configuration.
func (w *world) files(given []string) []string {
	if len(given) > 0 {
		return given
	}
	switch v := w.conf.Get(filesOf, filesKey).(type) {
	case string:
		given = append(given, w.conf.Beside(v))
	case []any:
		for _, path := range v {
			given = append(given, w.conf.Beside(path.(string)))
		}
	}
	return given
}

// ruleFiles are the files with the user's rules: the one that the flag names, or else the
// configuration does, and the configuration itself.
func (w *world) ruleFiles(flag string) (files []knowledge.RuleFile, err error) {
	if path, ok := w.conf.Get("", "rules").(string); ok && flag == "" {
		flag = w.conf.Beside(path)
	}
	if flag != "" {
		f, err := w.readRules(flag)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if w.conf != nil && w.conf.Has(rulesList) {
		files = append(files, knowledge.RuleFile{Path: w.conf.Path, Data: w.conf.Data})
	}
	return files, nil
}

// readRules reads a file of rules.
func (w *world) readRules(path string) (knowledge.RuleFile, error) {
	f, err := readConfig(path, w.app)
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return knowledge.RuleFile{}, fmt.Errorf("rules: %w", err)
	}
	if err != nil {
		return knowledge.RuleFile{}, err
	}
	return knowledge.RuleFile{Path: f.Path, Data: f.Data}, nil
}
