package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailwhy/mailwhy/internal/dashboard"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/internal/report"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// board is the watcher behind the dashboard: it notes that something has changed, and
// makes pictures of it when it is asked for one.
type board struct {
	*hub
	*dashboard.Dashboard
	paths   []string
	top     int // rows of a report's tables
	news    *news
	changed atomic.Bool
	quit    func()
	ended   chan error
	stderr  io.Writer // where news goes afterwards

	// What was so at the last picture, for the one that is asked for next.
	peers     []dashboard.Peer
	peersAt   time.Time
	waiting   int
	said      int64
	saidAt    time.Time
	perSecond int64
}

// What a picture has of long lists; more than the tallest window shows, and enough to
// search in.
const (
	boardTroubles = 200
	boardSessions = 500
	boardPeers    = 500
)

const (
	// peersEvery is how often the peers are ranked anew, all of which have to be looked at,
	// and the logs looked for.
	peersEvery = time.Second
	// speedOver is how long lines are counted to tell how many come in a second.
	speedOver = time.Second
	// silentFor is how long our own client may say nothing until it is taken to be done: it
	// does not log the end of a session.
	silentFor = 30 * time.Second
)

// board returns the dashboard that shows what the hub is told. Warnings go to it.
func (c *tailCmd) board(h *hub, words *knowledge.Words, quit func()) (*board, error) {
	if !isTerminal(h.stdout) || os.Getenv("TERM") == "dumb" {
		return nil, errors.New("--dashboard needs a terminal to draw on; without it, tail prints what happens")
	}
	b := &board{hub: h, paths: h.names(c.Files), top: c.Top, news: &news{}, quit: quit, stderr: h.stderr, ended: make(chan error, 1), saidAt: time.Now()}
	if len(b.paths) == 1 && b.paths[0] == "-" {
		b.paths = nil
	}
	h.world.stderr = b.news
	h.watch = live.New(h.by.Base(), b.notice)
	h.watch.KeepLines()
	h.flush = func() error {
		b.changed.Store(true)
		return nil
	}
	b.changed.Store(true)
	h.leave = func() { b.Leave() }
	b.Dashboard = dashboard.New(dashboard.Options{
		Words: words, By: h.by, Colour: colour(c.Color, h.stdout), Env: os.Environ(), Output: h.stdout,
		Picture: b.picture, Report: b.report, News: b.news.take, Stop: h.stop,
	})
	return b, nil
}

// begin shows the dashboard until the user quits, which ends the run.
func (b *board) begin([]string) {
	go func() {
		b.ended <- b.Run()
		b.quit()
	}()
}

// wait waits for the user, who may go on looking when there is no more to read.
func (b *board) wait(err error) error {
	if err != nil {
		b.news.add(dashboard.News{Text: dashboard.Plain(err.Error()), Bad: true}) // it is printed as what the run ends with
	}
	return errors.Join(err, <-b.ended)
}

// end prints what was to be told meanwhile.
func (b *board) end() { b.news.print(b.stderr) }

// notice tells of what is not to be seen in the lists: that a trouble is over.
func (b *board) notice(n *live.Notice) {
	if n.What == live.Over {
		over := *n
		b.news.add(dashboard.News{Text: func(w *knowledge.Words) string { return report.Flows(w, &over) }})
	}
}

// picture returns what is going on, nil when nothing has changed since the last one.
func (b *board) picture() *dashboard.Picture {
	if !b.changed.Swap(false) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	p := &dashboard.Picture{Snapshot: b.watch.Snapshot(boardTroubles), Paths: b.paths, Lines: b.lines()}
	if since := now.Sub(b.saidAt); since >= speedOver {
		b.perSecond = int64(float64(p.Lines-b.said) / since.Seconds())
		b.said, b.saidAt = p.Lines, now
	}
	p.PerSecond = b.perSecond
	for _, f := range b.followed {
		p.Lag += f.Health().Lag
	}
	b.sessions(p)
	if now.Sub(b.peersAt) >= peersEvery {
		b.peers, b.waiting, b.peersAt = b.rank(), b.absent(), now
	}
	p.Peers, p.Waiting = b.peers, b.waiting
	return p
}

// sessions lists those that are open.
func (b *board) sessions(p *dashboard.Picture) {
	b.open.Open(func(s *session.Session) bool {
		if s.Direction != smtp.Inbound && p.Now.Sub(s.Last) > silentFor {
			return true
		}
		if p.Open++; len(p.Sessions) < boardSessions {
			p.Sessions = append(p.Sessions, dashboard.Session{
				Key: string(s.ID), Peer: cmp.Or(string(s.Peer.Name), string(s.Peer.IP), string(s.ID)), IP: string(s.Peer.IP), Direction: s.Direction,
				Start: s.Start, Last: s.Last, Stage: s.Deepest, Messages: s.Messages, Refused: s.Refused,
			})
		}
		return true
	})
}

// absent counts the logs that are not there.
func (b *board) absent() (n int) {
	for _, p := range b.paths {
		if p != "-" && !exists(p) {
			n++
		}
	}
	return n
}

// rank lists the peers, those with the most trouble first.
func (b *board) rank() []dashboard.Peer {
	rows := b.sum.Peers()
	rows = rows[:min(len(rows), boardPeers)]
	peers := make([]dashboard.Peer, len(rows))
	for i, r := range rows {
		peers[i] = dashboard.Peer{Name: r.Name, Direction: r.Direction, Counts: [live.NumRates]int64{
			live.Sent: r.Deliveries[smtp.Sent], live.Deferred: r.Deliveries[smtp.Deferred], live.Bounced: r.Deliveries[smtp.Bounced] + r.Deliveries[smtp.Expired], live.Rejected: r.Deliveries[smtp.Rejected],
		}}
	}
	return peers
}

// report writes what is seen, and the report of all that was read, to a new file here.
func (b *board) report(words *knowledge.Words, seen report.Table) (string, error) {
	f, err := create("mailwhy-incident-"+time.Now().Format("20060102-1504"), ".md")
	if err != nil {
		return "", err
	}
	err = errors.Join(b.write(f, words, seen), f.Close())
	return f.Name(), err
}

func (b *board) write(out io.Writer, words *knowledge.Words, seen report.Table) error {
	return b.page(words, seen).Markdown(out)
}

// page is the report of all that was read, with what is seen before it.
func (b *board) page(words *knowledge.Words, seen report.Table) *report.Page {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cover()
	day := b.day(words, b.top)
	return day.PageWith(seen)
}

// maxReports is how many reports of one minute may lie beside each other.
const maxReports = 100

// create makes a file that was not there. Mail addresses stand in it: it is the user's own.
func create(name, suffix string) (*os.File, error) {
	for n := 1; ; n++ {
		path := name + suffix
		if n > 1 {
			path = fmt.Sprintf("%s-%d%s", name, n, suffix)
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if n < maxReports && errors.Is(err, fs.ErrExist) {
			continue
		}
		return f, err
	}
}

// news takes what would else be written to stderr, in the midst of the screen, and what
// else there is to tell in its last line. The warnings are printed when the screen is gone.
type news struct {
	mu       sync.Mutex
	fresh    []dashboard.News
	warnings []string
	dropped  int
}

// The most that is kept of what was not shown yet, and of warnings; a log that is lost
// again and again gives one each time.
const (
	maxFresh    = 100
	maxWarnings = 200
)

// Write implements io.Writer; each call is a warning.
func (n *news) Write(p []byte) (int, error) {
	text := strings.TrimRight(string(p), "\n")
	n.add(dashboard.News{Text: dashboard.Plain(text), Bad: true})
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.warnings) < maxWarnings {
		n.warnings = append(n.warnings, text)
	} else {
		n.dropped++
	}
	return len(p), nil
}

// add has something shown.
func (n *news) add(fresh dashboard.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fresh = append(n.fresh[max(0, len(n.fresh)-maxFresh+1):], fresh)
}

// take returns what came since it was last called.
func (n *news) take() (fresh []dashboard.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh, n.fresh = n.fresh, nil
	return fresh
}

// print prints the warnings.
func (n *news) print(out io.Writer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.warnings {
		fmt.Fprintln(out, s)
	}
	if n.dropped > 0 {
		fmt.Fprintf(out, "mailwhy: %d more warnings\n", n.dropped)
	}
}
