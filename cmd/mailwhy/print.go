package main

import "embed"

//go:embed print
var printed embed.FS

// printCmd prints what others need to work with the program.
type printCmd struct {
	What string `arg:"" enum:"grafana,prometheus-rules,systemd-unit,config" help:"grafana: a dashboard to import; prometheus-rules: alert rules; systemd-unit: a hardened service that follows the mail log; config: a configuration to begin with."`
}

// The files in print.
var prints = map[string]string{
	"grafana":          "print/grafana.json",
	"prometheus-rules": "print/prometheus-rules.yml",
	"systemd-unit":     "print/systemd-unit.service",
	"config":           "print/config.toml",
}

// Run implements the command.
func (c *printCmd) Run(w *world) error {
	text, err := printed.ReadFile(prints[c.What])
	if err != nil {
		return err
	}
	_, err = w.stdout.Write(text)
	return err
}
