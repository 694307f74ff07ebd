package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/report"
)

// pageEvery is how old the page may be that the next one who asks gets: to make it holds
// up the log for some milliseconds.
const pageEvery = time.Second

// webPage is the report of what was seen so far, as a page.
type webPage struct {
	*hub
	words *knowledge.Words
	top   int
	names []string // by which the machine is known

	making sync.Mutex
	made   time.Time
	html   []byte
}

// newWebPage returns the page of a hub that listens at an address.
func newWebPage(h *hub, words *knowledge.Words, top int, address string) *webPage {
	p := &webPage{hub: h, words: words, top: top, names: []string{"localhost"}}
	if host, _, err := net.SplitHostPort(address); err == nil {
		p.names = append(p.names, strings.ToLower(host))
	}
	if name, err := os.Hostname(); err == nil {
		name = strings.ToLower(name)
		short, _, _ := strings.Cut(name, ".")
		p.names = append(p.names, name, short)
	}
	return p
}

// current returns the page, made anew where it is old. The log goes on to be read while it
// is put into HTML.
func (p *webPage) current() ([]byte, error) {
	p.making.Lock()
	defer p.making.Unlock()
	if p.html != nil && time.Since(p.made) < pageEvery {
		return p.html, nil
	}
	page := p.page()
	var b bytes.Buffer
	if err := page.HTML(&b); err != nil {
		return nil, err
	}
	p.html, p.made = b.Bytes(), time.Now()
	return p.html, nil
}

func (p *webPage) page() *report.Page {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cover()
	day := p.day(p.words.Of(p.by.Base()), p.top)
	day.More = "--top 1000"
	return day.Page(nil)
}

// ServeHTTP answers who asks for the page.
func (p *webPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	if !p.known(r.Host) {
		// A page of somebody else's could have its own name lead here, and read along in
		// the browser of whoever looks at it.
		http.Error(w, fmt.Sprintf("this machine is not known as %.100q: use its address or its name", r.Host), http.StatusMisdirectedRequest)
		return
	}
	html, err := p.current()
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		p.warn(fmt.Errorf("--listen: the page: %w", err))
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", report.PagePolicy+"; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	w.Write(html)
}

// known reports whether a request is to this machine: to one of its names or to an address.
func (p *webPage) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	for _, name := range p.names {
		if host == name {
			return true
		}
	}
	return false
}
