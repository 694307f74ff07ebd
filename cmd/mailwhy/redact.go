package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// redactFlags say whether pseudonyms stand for what names somebody, in all that is printed.
// Whatever reads logs has them: they are among the inputFlags, and lines are hidden where they
// are handed to a command.
type redactFlags struct {
	Redact    bool   `group:"Sharing" help:"Pseudonyms for addresses, hosts, IPs, logins, subjects, Message-IDs and files, so that what is printed can be shared; codes, times, counts and public names stay."`
	RedactKey string `group:"Sharing" placeholder:"FILE" env:"MAILWHY_REDACT_KEY" help:"Key of the pseudonyms; else ~/.local/state/mailwhy/redact.key, made when there is none. mailwhy redact --help tells how to resolve them."`
}

// hiding hides names where that was asked for. All copies of a world have the same.
type hiding struct{ by *redact.Redactor }

// hide returns what hides names, nil when nothing is to be hidden.
func (f *redactFlags) hide(w *world) (*redact.Redactor, error) {
	if !f.Redact {
		return nil, nil
	}
	if w.hiding != nil && w.hiding.by != nil {
		return w.hiding.by, nil
	}
	by, err := f.redactor()
	if err == nil && w.hiding != nil {
		w.hiding.by = by
	}
	return by, err
}

// redactor returns one with the key.
func (f *redactFlags) redactor() (*redact.Redactor, error) {
	path := f.RedactKey
	if path == "" {
		var err error
		if path, err = redact.KeyFile(os.Getenv); err != nil {
			return nil, err
		}
	}
	key, err := redact.LoadKey(path)
	if err != nil {
		return nil, err
	}
	return redact.New(key, knowledge.Load()), nil
}

// path is a file as it may be named.
func (h *hiding) path(path string) string {
	if h == nil || h.by == nil {
		return path
	}
	return h.by.Path(path)
}

// message is an error as it may be told.
func (h *hiding) message(err error) error {
	if h == nil || h.by == nil || err == nil {
		return err
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var hidden []error
		for _, err := range all.Unwrap() {
			hidden = append(hidden, h.message(err))
		}
		return errors.Join(hidden...)
	}
	return errors.New(h.by.Message(err.Error()))
}

// asWritten returns, for a line's event, the one that the log has: for filters, and for
// whatever tells things apart.
func asWritten(at **line) func(*smtp.Event) *smtp.Event {
	return func(*smtp.Event) *smtp.Event { return (*at).written }
}

// names are the files as they may be named.
func (w *world) names(files []string) []string {
	var all []string
	for _, path := range files {
		all = append(all, w.hiding.path(path))
	}
	return all
}

// redactCmd prints logs with pseudonyms, and tells whose they are.
type redactCmd struct {
	inputFlags
	Lookup  []string `placeholder:"NAME" help:"Print the pseudonym of an address, a host, an IP, a login name or a file, and read nothing."`
	Resolve []string `placeholder:"PSEUDONYM" help:"Print whose pseudonym it is, by looking through the logs for who has it."`
}

// Help is what --help says besides the flags.
func (c *redactCmd) Help() string {
	return `Prints the lines of logs with pseudonyms in the place of what names somebody, as --redact does in what the other commands print. A name has the same pseudonym everywhere, as long as the key is the same; with another key it has another. Nobody can tell the name without the key, and whoever has the key needs the logs: it says whether a name is meant and not which.

  mailwhy redact /var/log/mail.log >shared.log
  mailwhy report --redact /var/log/mail.log
  mailwhy redact --lookup alice@example.com
  mailwhy redact --resolve user-k3f9x2a@dom-7acq2zw.example /var/log/mail.log*

Of a transcript the commands and replies are printed; what was in the messages is not. Read what you share: a name that stands in a text alone, and in no field of its line, looks like any other word.`
}

// Run implements the command.
func (c *redactCmd) Run(w *world) error {
	c.Redact = true
	by, err := c.redactFlags.hide(w)
	if err != nil {
		return err
	}
	if len(c.Lookup) > 0 {
		for _, name := range c.Lookup {
			p := by.Name(name)
			if strings.Contains(name, "/") && p == name {
				p = by.Path(name)
			}
			fmt.Fprintf(w.stdout, "%s\t%s\n", report.Printable(name), p)
		}
		return nil
	}
	out := bufio.NewWriterSize(w.stdout, outBuffer)
	print := func(line string) error {
		_, err := out.WriteString(report.Printable(line) + "\n")
		return err
	}
	var found *resolved
	if len(c.Resolve) > 0 {
		found = &resolved{wanted: c.Resolve, names: map[string][]string{}}
		by.Tell(found.told)
		print = func(string) error { return nil }
	}
	_, err = c.read(w, reading{by: classify.Default(), endFile: func() {}, handle: func(l *line) error {
		return print(l.shown())
	}})
	if err == nil && found != nil {
		err = found.print(w, out)
	}
	if flushErr := out.Flush(); err == nil {
		err = flushErr
	}
	return err
}

// maxResolved is how many originals are shown for a pseudonym. There is one, unless it is
// written in several ways or chance has two names with one pseudonym.
const maxResolved = 8

// resolved gathers the originals of pseudonyms.
type resolved struct {
	wanted []string
	names  map[string][]string
}

// told takes a name and its pseudonym. One may be asked for by a part of it, as a local part
// or a host is.
func (r *resolved) told(original, pseudonym string) {
	local, _, _ := strings.Cut(pseudonym, "@")
	host, _, _ := strings.Cut(pseudonym, ".")
	for _, want := range r.wanted {
		if want != pseudonym && want != local && want != host {
			continue
		}
		if all := r.names[want]; len(all) < maxResolved && !slices.Contains(all, original) {
			r.names[want] = append(all, original)
		}
	}
}

func (r *resolved) print(w *world, out *bufio.Writer) error {
	for _, want := range r.wanted {
		if len(r.names[want]) == 0 {
			w.atLeast(exitNothing)
			w.warn(fmt.Errorf("%s: no name in these logs has this pseudonym with this key", want))
		}
		for _, name := range r.names[want] {
			if _, err := fmt.Fprintf(out, "%s\t%s\n", want, report.Printable(name)); err != nil {
				return err
			}
		}
	}
	return nil
}
