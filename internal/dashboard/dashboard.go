package dashboard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// Options say what is shown, where and how.
type Options struct {
	Words  *knowledge.Words // in the language to begin with
	By     *classify.Classifier
	Colour bool
	Env    []string // os.Environ(): TERM, the locale

	Input  io.Reader // nil is the terminal
	Output io.Writer

	// Picture returns what is going on, or nil when nothing has changed since it was last
	// asked. It is asked Refresh often, by one goroutine.
	Picture func() *Picture

	// Report writes an incident report, which begins with the table of what is seen, and
	// returns the name of its file.
	Report func(words *knowledge.Words, seen report.Table) (string, error)

	// News returns what is to be told since it was last asked, the newest last: that mail
	// flows again, and warnings that would else go to stderr, in the midst of the screen.
	News func() []News

	Stop <-chan struct{} // closed to end it from outside
}

// Refresh is how often the screen is drawn at the most: it shows counts that people read.
const Refresh = 250 * time.Millisecond

// framesPerSecond is how often keys show an effect, which is sooner than pictures do.
const framesPerSecond = 20

// Dashboard is one that is shown, or will be.
type Dashboard struct {
	o    Options
	tea  *tea.Program
	fell chan error // what feed fell over
}

// New returns a dashboard that is not shown yet.
func New(o Options) *Dashboard {
	d := &Dashboard{o: o, fell: make(chan error, 1)}
	m := newModel(o.Words, o.By, o.Colour, plain(o.Env))
	m.setLight(light(o.Env))
	if file, ok := o.Output.(*os.File); ok {
		o.Output = &screen{File: file, gone: d.Leave}
	}
	d.tea = tea.NewProgram(program{m, &d.o}, options(&o)...)
	return d
}

// screen is a terminal that may go away, with the window that it is in or the connection
// over which it is: there is nobody left then to quit. SIGHUP, which tells of it, may be
// ignored.
type screen struct {
	*os.File
	gone func()
	once sync.Once
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	if err != nil {
		s.once.Do(func() { go s.gone() })
	}
	return n, err
}

// Run shows the dashboard until the user quits or Stop is closed. The terminal is left as
// it was found, after a panic too; then an error is returned.
func (d *Dashboard) Run() error {
	done, fed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(fed)
		d.feed(done)
	}()
	_, err := d.tea.Run()
	close(done)
	<-fed
	select {
	case err = <-d.fell:
	default:
	}
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// Leave gives the terminal back at once, for a goroutine that is about to end the program.
func (d *Dashboard) Leave() { d.tea.Kill() }

func options(o *Options) []tea.ProgramOption {
	all := []tea.ProgramOption{
		tea.WithoutSignalHandler(), // the program has one, which closes Stop
		tea.WithFPS(framesPerSecond),
		tea.WithFilter(keepCodePoints),
		tea.WithEnvironment(o.Env),
	}
	if o.Input != nil {
		all = append(all, tea.WithInput(o.Input))
	}
	if o.Output != nil {
		all = append(all, tea.WithOutput(o.Output))
	}
	return all
}

// keepCodePoints keeps Bubble Tea from making the terminal count clusters.
func keepCodePoints(_ tea.Model, msg tea.Msg) tea.Msg {
	if r, ok := msg.(tea.ModeReportMsg); ok && r.Mode == ansi.ModeUnicodeCore {
		return nil
	}
	return msg
}

// feed hands what has changed to the program.
func (d *Dashboard) feed(done <-chan struct{}) {
	defer func() {
		if r := recover(); r != nil {
			d.fell <- fmt.Errorf("dashboard: panic: %v\n%s", r, debug.Stack())
			d.Leave()
		}
	}()
	tick := time.NewTicker(Refresh)
	defer tick.Stop()
	for {
		if picture := d.o.Picture(); picture != nil {
			d.tea.Send(picture)
		}
		if d.o.News != nil {
			for _, n := range d.o.News() {
				d.tea.Send(n)
			}
		}
		select {
		case <-tick.C:
		case <-d.o.Stop:
			d.tea.Quit()
			return
		case <-done:
			return
		}
	}
}

// News is something to tell in the last line.
type News struct {
	Text func(*knowledge.Words) string // in the language that is chosen
	Bad  bool
}

// Plain is a text that is the same in every language.
func Plain(text string) func(*knowledge.Words) string {
	return func(*knowledge.Words) string { return text }
}

// plain reports whether the terminal may have no more than ASCII: its locale is not UTF-8,
// or it is a console with few glyphs.
func plain(env []string) bool {
	console := getenv(env, "TERM") == "linux"
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToLower(getenv(env, name)); v != "" {
			return console || !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return console // no locale at all, as in containers: most terminals take UTF-8
}

// light reports whether the environment tells of a light background, which holds until the
// terminal has answered. COLORFGBG ends with the background's number: 7 and 15 are white.
func light(env []string) bool {
	v := getenv(env, "COLORFGBG")
	v = v[strings.LastIndexByte(v, ';')+1:]
	return v == "7" || v == "15"
}

func getenv(env []string, name string) string {
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// program is the model as Bubble Tea wants it.
type program struct {
	*Model
	o *Options
}

// Init implements tea.Model.
func (p program) Init() tea.Cmd { return tea.RequestBackgroundColor }

// Update implements tea.Model.
func (p program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case *Picture:
		p.see(msg)
	case News:
		p.say(msg)
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		p.setLight(!msg.IsDark())
	case tea.PasteMsg:
		if p.typing {
			p.write(msg.Content)
		}
	case tea.KeyPressMsg:
		switch p.key(msg.String(), msg.Text) {
		case quit:
			return p, tea.Quit
		case suspend:
			return p, tea.Suspend
		case writeReport:
			return p, p.report(p.words, p.seen())
		}
	}
	return p, nil
}

// report writes the incident report. It is done beside the screen: a disk may be slow.
func (p program) report(words *knowledge.Words, seen report.Table) tea.Cmd {
	return func() tea.Msg {
		name, err := p.o.Report(words, seen)
		if err != nil {
			return News{Plain(err.Error()), true}
		}
		return News{func(w *knowledge.Words) string { return w.Text("dash.written", "file", name) }, false}
	}
}

// View implements tea.Model.
func (p program) View() tea.View {
	text := p.frame()
	if p.plain {
		text = asciiOnly.Replace(text)
	}
	v := tea.NewView(seamed(text))
	v.AltScreen = true
	v.WindowTitle = "mailwhy"
	return v
}

// asciiOnly spells what is drawn between words for terminals that may not have it.
var asciiOnly = strings.NewReplacer("·", "-", "→", ">", "…", "~", "–", "-", "×", "x", "↑", "up", "↓", "dn", "←", "lt")
