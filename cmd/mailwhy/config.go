package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// configPlaces are where the configuration is looked for; the first that is there counts.
// MAILWHY_CONFIG names another file, and must be right; empty, it is none at all.
func configPlaces() []string {
	var places []string
	home := os.Getenv("XDG_CONFIG_HOME")
	if home == "" && os.Getenv("HOME") != "" {
		home = filepath.Join(os.Getenv("HOME"), ".config")
	}
	if home != "" {
		places = append(places, filepath.Join(home, "mailwhy", "config.toml"))
	}
	return append(places, "/etc/mailwhy/config.toml")
}

// config is the user's configuration.
type config struct {
	knowledge.Config
	file  knowledge.RuleFile
	rules bool // file has some
}

// readConfig reads the configuration; the zero one when there is none.
func readConfig() (c config, err error) {
	if named, ok := os.LookupEnv("MAILWHY_CONFIG"); ok {
		if named == "" {
			return c, nil
		}
		c.file, err = readRules(named)
	} else {
		for _, place := range configPlaces() {
			if c.file, err = readRules(place); !errors.Is(err, fs.ErrNotExist) {
				break
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return config{}, nil
		}
	}
	if err != nil {
		return c, err
	}
	if c.Config, c.rules, err = c.file.Config(); err != nil {
		return c, err
	}
	switch c.Color {
	case "", "auto", "always", "never":
	default:
		return c, fmt.Errorf("%s: color %q is none of auto, always, never", c.file.Path, c.Color)
	}
	if c.Rules != "" && !filepath.IsAbs(c.Rules) {
		c.Rules = filepath.Join(filepath.Dir(c.file.Path), c.Rules)
	}
	return c, nil
}

// maxRules bounds a file of rules, lest a device or a log that was named by mistake fill the
// memory. The thousand phrases that there is room for, with their words, are half of it.
const maxRules = 1 << 20

// readRules reads a file of rules.
func readRules(path string) (knowledge.RuleFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return knowledge.RuleFile{}, fmt.Errorf("rules: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRules+1))
	switch {
	case err != nil:
		return knowledge.RuleFile{}, fmt.Errorf("rules: %w", err)
	case len(data) > maxRules:
		return knowledge.RuleFile{}, fmt.Errorf("rules: %s has more than %d bytes; name a file of rules, or leave some out", path, maxRules)
	}
	return knowledge.RuleFile{Path: path, Data: data}, nil
}

// ruleFiles are the files with the user's rules: the one that the flag names, or else the
// configuration does, and the configuration itself.
func (c *config) ruleFiles(flag string) (files []knowledge.RuleFile, err error) {
	if path := cmp.Or(flag, c.Rules); path != "" {
		f, err := readRules(path)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if c.rules {
		files = append(files, c.file)
	}
	return files, nil
}
