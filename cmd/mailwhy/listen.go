package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/netutil"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/metrics"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/source"
	"github.com/mailwhy/mailwhy/internal/summary"
)

// listenFlags are about what is shown to browsers and to Prometheus.
type listenFlags struct {
	Listen string `group:"Following" placeholder:"ADDR" env:"MAILWHY_LISTEN" help:"The report of what was seen so far at http://ADDR/, and counts for Prometheus at /metrics; /healthz and /readyz besides. A port alone is the loopback's; with another address whoever reaches it can read, hosts and lines of the log too, as nobody is asked for a password."`
}

// The limits of the server. It gives short answers to few; whoever is slow, or many, is
// not Prometheus.
const (
	maxConnections = 32
	maxHead        = 16 << 10 // bytes of a request's head
	readTimeout    = 5 * time.Second
	writeTimeout   = 20 * time.Second // longer than a scrape may take
	idleTimeout    = 2 * time.Minute  // Prometheus comes every minute or oftener
	closeTimeout   = time.Second

	// tickOverdue is how long the hub may be silent before it is called stuck: it ticks
	// every second.
	tickOverdue = 30 * time.Second
)

// listener counts what a followed log tells, and answers who asks for it.
type listener struct {
	*hub
	*metrics.Metrics
	server   *http.Server
	page     *webPage
	at       string // the address that it listens at
	started  time.Time
	ticked   time.Time   // when something was done last
	seen     int64       // lines by then
	caughtUp []time.Time // when each log was last read to its end; zero: never
}

// listen begins to listen, where that is asked for. It returns what ends it.
func (f *listenFlags) listen(h *hub, words *knowledge.Words, top int) (end func(), err error) {
	if f.Listen == "" {
		return func() {}, nil
	}
	address, err := listenAddress(f.Listen)
	if err != nil {
		return nil, err
	}
	in, err := net.Listen("tcp", address)
	if err != nil {
		return nil, listenError(f.Listen, err)
	}
	l := &listener{hub: h, at: in.Addr().String(), started: time.Now(), page: newWebPage(h, words, top, address)}
	l.ticked = l.started
	l.Metrics = metrics.New(strings.TrimPrefix(version(), "mailwhy "), h.by.Base(), l.health)
	l.server = &http.Server{
		Handler: l.pages(), MaxHeaderBytes: maxHead, ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, ErrorLog: log.New(io.Discard, "", 0), // of clients that break off
	}
	h.watchers, h.passed, h.ended = append(h.watchers, l), append(h.passed, l.passed), append(h.ended, l.ended)
	h.reloaded = append(h.reloaded, l.Reloaded)
	fmt.Fprintln(h.stderr, words.Text("listen.at", "page", "http://"+l.at+"/", "url", "http://"+l.at+"/metrics"))
	go func() {
		if err := l.server.Serve(netutil.LimitListener(in, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			h.warn(fmt.Errorf("--listen %s: %w", f.Listen, err))
		}
	}()
	return l.end, nil
}

// listenAddress reads an address. One without a host is the loopback's, which nobody else
// can reach.
func listenAddress(given string) (string, error) {
	address := given
	if !strings.Contains(address, ":") {
		address = ":" + address
	}
	host, port, err := net.SplitHostPort(address)
	if n, portErr := strconv.Atoi(port); err != nil || portErr != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("--listen %s: give a port, like 9925, or an address with one, like 127.0.0.1:9925 or [::1]:9925", given)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}

// listenError says why one cannot listen there.
func listenError(given string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("--listen %s: another program listens there; give another port, or end that program", given)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("--listen %s: ports below 1024 are for programs with privileges; give a higher one", given)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--listen %s: this machine has no such address; 0.0.0.0 is all that it has", given)
	}
	return fmt.Errorf("--listen %s: %w", given, err)
}

// pages are what the server has.
func (l *listener) pages() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", l.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, l.sick()) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, l.notReady()) })
	mux.Handle("GET /{$}", l.page)
	return mux
}

// answer says that all is well, or what is not.
func answer(w http.ResponseWriter, wrong []string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if len(wrong) == 0 {
		io.WriteString(w, "ok\n")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, strings.Join(wrong, "\n")+"\n")
}

// sick tells when the hub goes on no more: its output is read by nobody, say.
func (l *listener) sick() []string {
	if !l.mu.TryLock() { // it may be at work, or stuck in it
		time.Sleep(tickEvery)
		if !l.mu.TryLock() {
			return []string{"busy: what was read is not handled; is the output read by somebody?"}
		}
	}
	defer l.mu.Unlock()
	if n := l.lines(); n != l.seen {
		l.ticked, l.seen = time.Now(), n
	}
	if since := time.Since(l.ticked); since > tickOverdue {
		return []string{fmt.Sprintf("stuck: nothing was done for %s", since.Round(time.Second))}
	}
	return nil
}

// notReady tells which logs were not yet read to their end.
func (l *listener) notReady() (wrong []string) {
	if wrong = l.sick(); wrong != nil {
		return wrong
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	for i, f := range l.followed {
		switch h := f.Health(); {
		case !h.Found:
			wrong = append(wrong, l.hiding.path(f.Mark().Path)+": is not there")
		case l.caughtUp[i].IsZero():
			wrong = append(wrong, fmt.Sprintf("%s: %d bytes behind", l.hiding.path(f.Mark().Path), h.Lag))
		}
	}
	return wrong
}

// look notes which logs have been read to their end.
func (l *listener) look() {
	for len(l.caughtUp) < len(l.followed) {
		l.caughtUp = append(l.caughtUp, time.Time{})
	}
	for i, f := range l.followed {
		if h := f.Health(); h.CaughtUp && h.Found {
			l.caughtUp[i] = time.Now()
		}
	}
}

// health is how the following goes, for whoever scrapes.
func (l *listener) health() metrics.Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.look()
	d := &l.sum.Dropped
	h := metrics.Health{Dropped: metrics.Dropped{
		Replies: d.Replies, Causes: d.Causes, Peers: d.Peers, Sessions: l.open.Evicted(), Messages: l.open.Messages().Evicted, Troubles: l.watch.Dropped(),
	}}
	for _, t := range l.tallies {
		c := &t.file.Coverage
		h.Understood += c.Understood
		h.Foreign += c.Foreign
		h.Unknown += c.Unknown
		h.Cut += c.Cut
		h.Duplicate += c.Duplicate
	}
	for i, f := range l.followed {
		h.Followed = append(h.Followed, l.followedHealth(f, l.caughtUp[i]))
	}
	return h
}

func (l *listener) followedHealth(f *source.Followed, caughtUp time.Time) metrics.Followed {
	h := f.Health()
	out := metrics.Followed{
		Name: l.hiding.path(f.Mark().Path), Bytes: h.Lag, CaughtUp: h.CaughtUp && h.Found, LastRead: h.LastRead,
		Rotations: h.Rotations, Truncations: h.Truncations, Lost: h.Lost,
	}
	if !out.CaughtUp {
		if caughtUp.IsZero() {
			caughtUp = l.started
		}
		out.Behind = time.Since(caughtUp)
	}
	return out
}

func (l *listener) passed(n *line) {
	if n.note == nil {
		l.Metrics.Event(n.event(), nil)
		return
	}
	note := summary.Note{Cause: n.note.Cause, Severity: n.note.Severity}
	l.Metrics.Event(n.event(), &note)
}

func (l *listener) ended(s *session.Session) { l.Metrics.Session(s, l.graceful) }

// Tick implements watcher.
func (l *listener) Tick(time.Time) {
	l.ticked = time.Now()
	l.look()
}

// Close implements watcher.
func (l *listener) Close() {}

// end closes the server. The hub must not be held: an answer may wait for it.
func (l *listener) end() {
	soon, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if l.server.Shutdown(soon) != nil {
		l.server.Close()
	}
}
