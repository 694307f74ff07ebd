package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/filter"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/redact"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// explainCmd tells what replies mean and how to fix them.
type explainCmd struct {
	wordsFlags
	tableFlags
	redactFlags
	What []string `arg:"" optional:"" name:"reply" help:"A reply code (553), an enhanced code (5.7.1), a whole reply in quotes, or a line of a log; - reads them from standard input, one a line."`

	Stage  string `placeholder:"COMMAND" help:"The command that it answers: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT (the end of the message), QUIT."`
	By     string `default:"remote" enum:"remote,local" help:"Who said it: the other server, or ours (${enum})."`
	Host   string `help:"Name of the host that said it, by which its provider is known."`
	Output string `group:"Output" short:"o" default:"text" enum:"text,json,ndjson,md" help:"Output format: ${enum}. json is one array."`
}

const (
	// maxAsked bounds what is read of one reply from standard input.
	maxAsked = 1 << 20

	// maxQuoted is how many bytes of nonsense a message repeats: enough to know it again.
	maxQuoted = 200
)

// Run implements the command.
func (c *explainCmd) Run(w *world) error {
	e, by, err := c.explainer(w, c.Color)
	if err != nil {
		return err
	}
	said, err := c.said(e.Words)
	if err != nil {
		return err
	}
	hide, err := c.hide(w)
	if err != nil {
		return err
	}
	p := &answers{cmd: c, world: w, hide: hide, explainer: e, classifier: by, said: said, out: bufio.NewWriter(w.stdout)}
	if len(c.What) == 0 && isTerminal(w.stdin) {
		return errors.New(e.Words.Text("explain.accepted"))
	}
	if len(c.What) == 0 {
		c.What = []string{"-"}
	}
	c.What = p.unsplit(c.What)
	for _, what := range c.What { // before anything is printed
		if _, ok := p.answer(unquoted(what)); !ok && what != "-" && c.Output != "ndjson" {
			return nothingIn(what, e.Words)
		}
	}
	err = p.all(c.What)
	if c.Output == "json" {
		fmt.Fprintln(p.out, "["[min(p.n, 1):]+"]")
	}
	if flushErr := p.out.Flush(); err == nil {
		err = flushErr
	}
	return err
}

// quoted is what was asked as a message may repeat it.
func quoted(what string) string {
	masked := smtp.AppendMasked(nil, []byte(what))
	if len(masked) > maxQuoted {
		masked = append(masked[:maxQuoted], "..."...)
	}
	return strconv.Quote(strings.ToValidUTF8(string(masked), ""))
}

// said is what the flags tell of the reply.
func (c *explainCmd) said(words *knowledge.Words) (s classify.Said, err error) {
	s.Direction, s.Host = smtp.Outbound, []byte(c.Host)
	if c.By == "local" {
		s.Direction = smtp.Inbound
	}
	if c.Stage != "" {
		if s.Stage = smtp.ParseStage(bytes.ToUpper([]byte(c.Stage))); s.Stage == smtp.StageNone || s.Stage.String() != strings.ToUpper(c.Stage) {
			return s, errors.New(words.Text("explain.no_stage", "what", c.Stage, "stages", "CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT, QUIT"))
		}
	}
	return s, nil
}

// answers prints one answer after the other.
type answers struct {
	cmd        *explainCmd
	world      *world
	explainer  *report.Explainer
	classifier *classify.Classifier
	said       classify.Said    // what the flags tell
	hide       *redact.Redactor // nil: all is shown
	out        *bufio.Writer
	n          int
	buf        []byte
}

// nothingIn says why there is no answer, and what to ask instead.
func nothingIn(what string, words *knowledge.Words) error {
	if _, err := filter.ParseCode(what); err == nil && strings.ContainsAny(what, "xX") {
		return errors.New(words.Text("explain.pattern", "what", what))
	}
	if info, err := os.Stat(what); err == nil && info.Mode().IsRegular() {
		return errors.New(words.Text("explain.file", "what", what))
	}
	return errors.New(words.Text("explain.nothing_in", "what", quoted(what), "accepted", words.Text("explain.accepted")))
}

// unsplit makes one reply of a reply without quotes, which the shell has cut into words: a
// code comes first, and a later word says nothing by itself.
func (p *answers) unsplit(asked []string) []string {
	if len(asked) == 0 {
		return asked
	}
	if _, _, alone := parseCodes(asked[0]); !alone {
		return asked
	}
	for _, what := range asked[1:] {
		if what == "-" || strings.ContainsAny(what, " \n") {
			return asked // somebody knows how to quote
		}
	}
	for _, what := range asked[1:] {
		if _, ok := p.answer(what); !ok {
			return []string{strings.Join(asked, " ")}
		}
	}
	return asked
}

// all prints the answers to what was asked on the command line.
func (p *answers) all(asked []string) error {
	for _, what := range asked {
		var err error
		if what == "-" {
			err = p.lines(p.world.stream())
		} else {
			err = p.print(unquoted(what))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unquoted makes line ends of those that logs and programs write as \r\n and \n.
func unquoted(reply string) string {
	return strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", "\r\n", "\n").Replace(reply)
}

// unheld is a stream whose reader has had all answers before it is waited for more: who
// asks one thing at a time through a pipe waits for the answer first.
type unheld struct {
	in  io.Reader
	out *bufio.Writer
}

// Read implements io.Reader.
func (u unheld) Read(p []byte) (int, error) {
	if err := u.out.Flush(); err != nil {
		return 0, err
	}
	return u.in.Read(p)
}

// lines reads one reply a line, until the end or until the user wants it to stop. The
// lines of a reply that goes on belong together, but for ndjson, whose reader wants an
// object for each line.
func (p *answers) lines(r io.Reader) error {
	in := bufio.NewScanner(unheld{r, p.out})
	in.Buffer(nil, maxAsked)
	var reply []byte
	flush := func() error {
		if len(reply) == 0 {
			return nil
		}
		err := p.print(string(reply))
		reply = reply[:0]
		return err
	}
	for !p.world.stopped() && in.Scan() {
		line := bytes.TrimRight(in.Bytes(), "\r")
		if p.cmd.Output == "ndjson" {
			if err := p.print(unquoted(string(line))); err != nil {
				return err
			}
			continue
		}
		if len(reply) > 0 && (len(line) < 3 || !bytes.Equal(reply[:3], line[:3]) || len(reply)+len(line) > maxAsked) {
			if err := flush(); err != nil {
				return err
			}
		}
		if len(reply) > 0 {
			reply = append(reply, '\n')
		}
		if reply = append(reply, unquoted(string(line))...); goesOn(line) {
			continue
		}
		if err := flush(); err != nil {
			return err
		}
	}
	switch err := in.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("standard input, after %d answers: a line has more than %d bytes; cut it", p.n, maxAsked)
	case err != nil:
		return fmt.Errorf("standard input, after %d answers: %w", p.n, err)
	}
	return flush()
}

// goesOn reports that a line is of a reply that has more: "550-...".
func goesOn(line []byte) bool {
	return len(line) > 3 && line[3] == '-' && smtp.ParseCode(line) != 0 && !bytes.Contains(line[4:], append(line[:3:3], ' '))
}

// print prints the answer to one thing that was asked. Of a list, what is nonsense has
// an answer too, so that answers and lines stay side by side.
func (p *answers) print(what string) error {
	a, ok := p.answer(what)
	if !ok || !a.Known(p.explainer.Base) {
		p.world.atLeast(exitNothing)
	}
	p.n++
	switch p.cmd.Output {
	case "json":
		fmt.Fprint(p.out, [...]string{"[", ",\n"}[min(p.n-1, 1)])
		p.buf = p.explainer.AppendAnswer(p.buf[:0], a)
	case "ndjson":
		p.buf = append(p.explainer.AppendAnswer(p.buf[:0], a), '\n')
	default:
		if p.n > 1 {
			fmt.Fprintln(p.out)
		}
		if p.cmd.Output == "md" {
			return p.explainer.Markdown(p.out, a)
		}
		return p.explainer.Text(p.out, a)
	}
	_, err := p.out.Write(p.buf)
	return err
}

// answer finds what is known of a code, a reply or a line of a log; ok is false for what
// is none of them.
func (p *answers) answer(what string) (a *report.Answer, ok bool) {
	what = strings.TrimSpace(what)
	if digit := firstDigit(what); digit != 0 {
		return report.OfDigit(digit), true
	}
	if code, status, alone := parseCodes(what); alone {
		if p.said.Stage == smtp.StageNone && len(p.said.Host) == 0 && p.said.Direction == smtp.Outbound {
			return report.Alone(p.classifier, code, status), true
		}
		s := p.said
		s.Code, s.Enhanced = code, status
		return p.of("", &s), true
	}
	s := p.said
	s.Text = []byte(what)
	if r := smtp.ParseReply(s.Text); r.Code.Class() <= 5 && (r.Code != 0 || !r.Enhanced.IsZero()) {
		s.Code, s.Enhanced = r.Code, r.Enhanced
		return p.of(what, &s), true
	}
	ev := new(smtp.Event)
	if (parsers.Mixed{}).Parse(s.Text, ev) && ev.Kind != smtp.KindForeign {
		if note, known := p.classifier.Event(ev); known {
			return p.ofEvent(ev, note), true
		}
	}
	s.Note, s.Text = s.Text, nil
	a = p.of(what, &s)
	return a, a.Basis >= classify.Text
}

func (p *answers) of(text string, s *classify.Said) *report.Answer {
	told := p.classifier.Reply(s)
	if p.hide != nil {
		as := *s
		as.Text, as.Note = []byte(p.hide.Text(string(s.Text))), []byte(p.hide.Text(string(s.Note)))
		text, s = p.hide.Text(text), &as
	}
	return &report.Answer{
		Text: text, Code: s.Code, Enhanced: s.Enhanced, Stage: s.Stage, Direction: s.Direction,
		Annotation: told, Details: p.classifier.Details(s),
	}
}

// ofEvent is the answer to a line of a log, which tells more than its reply.
func (p *answers) ofEvent(ev *smtp.Event, note classify.Annotation) *report.Answer {
	if p.hide != nil {
		shown := new(smtp.Event)
		p.hide.Event(shown, ev)
		ev = shown
	}
	text, status := ev.Reply.Text, ev.Reply.Enhanced
	if len(text) == 0 {
		text = ev.Text
	}
	if status.IsZero() && ev.Reply.Code == 0 {
		status = ev.DSN
	}
	s := classify.Said{Code: ev.Reply.Code, Enhanced: status, Text: text}
	return &report.Answer{
		Text: string(text), Code: s.Code, Enhanced: status, Stage: ev.Stage, Direction: ev.Direction,
		Annotation: note, Details: p.classifier.Details(&s),
	}
}

// parseCodes reads a code, an enhanced code, or both, and nothing else: "553", "5.7.1",
// "550 5.7.1", "550-5.7.1".
func parseCodes(what string) (code smtp.Code, status smtp.EnhancedCode, ok bool) {
	what = strings.Trim(strings.TrimSpace(what), "#()")
	if len(what) >= 3 {
		if code = smtp.ParseCode([]byte(what)); code.Class() > 5 {
			return 0, status, false // in a reply there is none such
		}
		if code != 0 {
			what = strings.TrimLeft(what[3:], " -")
		}
	}
	if what == "" {
		return code, status, code != 0
	}
	status, n := smtp.ParseEnhanced([]byte(what))
	return code, status, n == len(what) && n > 0
}

// firstDigit reads "5xx", "5yz", "5.x.x" or "5": all codes that begin so. 0 is none.
func firstDigit(what string) int {
	if len(what) == 0 || what[0] < '2' || what[0] > '5' {
		return 0
	}
	switch what[1:] {
	case "", "xx", "yz", "XX", ".x.x", ".X.X", ".*.*", "**":
		return int(what[0] - '0')
	}
	return 0
}
