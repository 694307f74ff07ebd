// Command mailwhy reads mail logs and SMTP transcripts, rebuilds the sessions, explains
// every reply in its context, and says what to do.
//
// Exit status: 0 when all went well, 1 when nothing was found that was asked for, 2 for
// wrong usage or input that could not be read, 3 when nothing in the input was
// understood.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/config"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// The exit statuses.
const (
	exitFine    = 0
	exitNothing = 1
	exitUsage   = 2
	exitUnread  = 3
)

// cli is the command line.
type cli struct {
	Version kong.VersionFlag `short:"V" help:"Print the version and exit."`
	Config  string           `placeholder:"FILE" env:"MAILWHY_CONFIG" help:"Configuration; else ~/.config/mailwhy/config.toml or /etc/mailwhy.toml, where one is."`

	Report   reportCmd   `cmd:"" default:"withargs" help:"Summarise what happened: coverage, sessions, causes with fixes, codes, peers. The default command."`
	Merge    mergeCmd    `cmd:"" help:"Add up the saved summaries of many hosts or days: one report of all."`
	Sessions sessionsCmd `cmd:"" help:"One row a session: who, when, how far it got, its replies, how it ended."`
	Incident incidentCmd `cmd:"" help:"Find what went wrong, and when: the report of an incident."`
	Tail     tailCmd     `cmd:"" help:"The same eyes on a live log: new kinds of trouble are explained as they appear."`
	Trace    traceCmd    `cmd:"" help:"Where is my mail: the life of a message, by a queue ID, a Message-ID, an address or a host."`
	Events   eventsCmd   `cmd:"" help:"One JSON object a line of the log, for jq and log collectors."`
	Explain  explainCmd  `cmd:"" help:"What a reply or a code means, when one sees it, how to fix it; no log needed."`
	Compare  compareCmd  `cmd:"" help:"Codes side by side: what each means, the differences, when which."`
	Codes    codesCmd    `cmd:"" help:"The catalogue of codes."`
	Causes   causesCmd   `cmd:"" help:"The causes to which replies come down."`
	Check    checkCmd    `cmd:"" help:"Hold a log against limits, for monitoring: a line and an exit status."`
	Redact   redactCmd   `cmd:"" help:"Print logs with pseudonyms for what names somebody, and tell whose they are."`
	Alerts   alertsCmd   `cmd:"" help:"Show, try and rehearse the alerts of the configuration."`
	Rules    rulesCmd    `cmd:"" help:"Check rules of your own."`
	Print    printCmd    `cmd:"" help:"Print a Grafana dashboard, Prometheus alert rules, a systemd unit, a configuration."`
}

const description = `Reads mail logs and SMTP transcripts, rebuilds the sessions, explains every reply, and says what to do.

  mailwhy /var/log/mail.log*                 what happened, and what went wrong
  mailwhy --since -2h --code 5xx mail.log    filters: time, sender, recipient, host, code, cause, ...
  mailwhy sessions -o csv mail.log           other forms of output: table, json, ndjson, csv, md
  mailwhy help sessions                      all filters and formats of a command

Exit status: 0 all went well, 1 nothing found that was asked for, 2 wrong usage or input that cannot be read, 3 nothing in the input understood.`

// world is what a command works in: where it reads and writes, and how it is told to stop.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	stop           <-chan struct{} // closed when the user wants it to end
	status         int             // the exit status, the highest that was asked for

	hiding     *hiding                      // of names, for what is to be shared
	conf       *config.File                 // the configuration; nil for none
	findConfig func() (*config.File, error) // reads it anew
	app        *kong.Application
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // a write says so then, and the exit status can be ours
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with everything that a test wants to set.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	collect(gcAtStart)
	go func() { // nearly every command needs them, and they take as long as all else at the start
		classify.Default()
		knowledge.In(knowledge.English)
	}()
	var c cli
	w := &world{stdin: stdin, stdout: stdout, stderr: stderr, stop: interrupted(), hiding: &hiding{}}
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("mailwhy"),
		kong.Description(description),
		kong.Vars{"version": version(), "causes": list(knowledge.Causes()), "languages": strings.Join(knowledge.Languages(), ", ")},
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100}),
		kong.Bind(w),
	)
	if err != nil {
		fmt.Fprintln(stderr, "mailwhy:", err)
		return exitUsage
	}
	if len(args) == 0 && isTerminal(stdin) {
		args = []string{"--help"} // instead of waiting for input that nobody pipes
	}
	commands := commandNames(parser.Model)
	args = straighten(args, commands)
	if err := mistyped(args, commands); err != nil {
		return fail(stderr, err)
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help or version
	}
	var inConfig configError
	if errors.As(err, &inConfig) {
		return fail(stderr, inConfig.error)
	}
	if broken(err) {
		return exitFine // of the help, too
	}
	if err != nil {
		return fail(stderr, fmt.Errorf("%w (%s --help shows what there is)", err, meant(args, commands)))
	}
	if err := ctx.Run(w); err != nil {
		if broken(err) {
			return exitFine // whoever read our output has seen enough
		}
		return fail(stderr, w.hiding.message(err))
	}
	return w.status
}

// How much may be allocated between two collections of garbage, in percent of what is in use. Go
// begins with 4 MB in use for the count; the knowledge that is loaded at the start makes more garbage than
// that, which is not worth a collection. Later next to nothing is allocated.
const (
	gcAtStart = 400
	gcLater   = 100
	gcTight   = 40 // where much is kept and little is garbage
)

// collect sets when garbage is collected, unless the user has.
func collect(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

func fail(stderr io.Writer, err error) int {
	if all, ok := err.(interface{ Unwrap() []error }); ok { // a file may have more than one thing wrong
		for _, err := range all.Unwrap() {
			fail(stderr, err)
		}
		return exitUsage
	}
	fmt.Fprintln(stderr, "mailwhy:", report.Printable(err.Error()))
	return exitUsage
}

// atLeast raises the exit status.
func (w *world) atLeast(status int) { w.status = max(w.status, status) }

// warn tells of something that is not right but does not end the run.
func (w *world) warn(err error) {
	fmt.Fprintln(w.stderr, "mailwhy:", report.Printable(w.hiding.message(err).Error()))
}

func broken(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// interrupted returns a channel that is closed at the first Ctrl-C or SIGTERM, so that what was read
// until then can be reported. The second one ends the program at once.
func interrupted() <-chan struct{} {
	signals := make(chan os.Signal, 1)
	stop := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		close(stop)
		signal.Stop(signals)
	}()
	return stop
}

// version is the module's version, or that of the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "mailwhy (development)"
	}
	return "mailwhy " + info.Main.Version
}
