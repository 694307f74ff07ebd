package redact

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Event fills out with what may be shown of ev, whose own texts are left as they are.
func (r *Redactor) Event(out, ev *smtp.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.event(out, ev)
}

// Line is what may be shown of an event's line.
func (r *Redactor) Line(ev *smtp.Event, raw []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out smtp.Event
	r.event(&out, ev)
	return r.line(ev, raw)
}

func (r *Redactor) event(out, ev *smtp.Event) {
	clear(r.own)
	*out = *ev
	out.From, out.To, out.OrigTo = r.mailbox(ev.From), r.mailbox(ev.To), r.mailbox(ev.OrigTo)
	out.MessageID = r.messageID(ev.MessageID)
	out.Host, out.Helo = r.machine(ev.Host), r.machine(ev.Helo)
	out.Peer, out.ReplyHost = r.peer(ev.Peer), r.peer(ev.ReplyHost)
	out.User = r.login(ev.User)
	r.greeting(ev)
	for _, field := range []struct{ out, in *[]byte }{
		{&out.Reply.Text, &ev.Reply.Text}, {&out.Service, &ev.Service}, {&out.Text, &ev.Text}, {&out.Session, &ev.Session}, {&out.QueuedAs, &ev.QueuedAs}, {&out.Related, &ev.Related}, {&out.Queue, &ev.Queue},
	} {
		if len(*field.in) > 0 {
			*field.out = r.masked(*field.in)
		}
	}
}

// masked hides names in a text, of which secrets have gone before: not even a pseudonym is
// made of one.
func (r *Redactor) masked(s []byte) []byte {
	if smtp.HasSecret(s) {
		s = smtp.AppendMasked(nil, s)
	}
	return r.text(nil, s)
}

// line is what may be shown of an event's line. The machine that wrote it may have a name that
// is too short, or too common, to be looked for anywhere but at its place.
func (r *Redactor) line(ev *smtp.Event, raw []byte) []byte {
	if host := string(ev.Host); host != "" && r.own[strings.ToLower(host)] == "" && !r.words[strings.ToLower(host)] {
		if i := bytes.Index(raw, []byte(" "+host+" ")); i >= 0 {
			shown := append([]byte(nil), raw[:i+1]...)
			raw = append(append(shown, r.host(host)...), raw[i+1+len(host):]...)
		}
	}
	if from, ok := headerLine(raw); ok {
		return append(append([]byte(nil), raw[:from]...), r.labelled("text-", kindText, string(raw[from:]))...)
	}
	r.command(raw)
	return r.masked(raw)
}

// command has the name looked for that a client gives by itself in a command.
func (r *Redactor) command(line []byte) {
	line = line[:min(len(line), maxName)]
	if i := indexFold(line, "ssword required for "); i >= 0 { // 331, of FTP and POP
		if words := bytes.Fields(line[i+len("ssword required for "):]); len(words) > 0 {
			r.login(bytes.TrimRight(words[0], ".,;:"))
		}
	}
	words := bytes.Fields(line)
	if len(words) != 2 {
		return
	}
	switch string(bytes.ToUpper(words[0])) {
	case "EHLO", "HELO", "LHLO":
		r.machine(words[1])
	case "USER", "PASS":
		r.login(words[1])
	}
}

func (r *Redactor) mailbox(addr []byte) []byte {
	if len(addr) == 0 {
		return addr // shown as empty, or not shown
	}
	a := string(addr)
	p := r.address("user-", a)
	r.own.address(r, a, p)
	return []byte(p)
}

func (r *Redactor) messageID(id []byte) []byte {
	if len(id) == 0 {
		return id
	}
	a := string(id)
	p := r.address("id-", a)
	if local, _, _ := strings.Cut(a, "@"); len(local) >= minWord {
		token, _, _ := strings.Cut(p, "@")
		r.own.name(r, local, token)
	}
	return []byte(p)
}

func (r *Redactor) login(user []byte) []byte {
	if len(user) == 0 {
		return user
	}
	u := string(user)
	p := r.address("user-", u)
	r.own.address(r, u, p)
	return []byte(p)
}

// machine is the pseudonym of what a host is called, or calls itself, which may be anything.
func (r *Redactor) machine(name []byte) []byte {
	if len(name) == 0 {
		return name
	}
	n := string(name)
	var p string
	switch {
	case n[0] == '[' && n[len(n)-1] == ']':
		p = "[" + r.literal(n[1:len(n)-1]) + "]"
	case nameLength(n) == len(n):
		p = r.host(n)
	case r.isIP(n):
		p = r.host(n)
	case strings.ContainsAny(n, "/@"):
		p = string(r.text(nil, name)) // a socket; an address where a name should be
		if p == n && strings.Contains(n, "/") {
			return []byte(p)
		}
	default:
		p = r.labelled("host-", kindHost, strings.ToLower(n))
	}
	r.own.host(r, n, p)
	return []byte(p)
}

func (r *Redactor) isIP(s string) bool {
	_, ok := r.ipOf(s)
	return ok
}

func (r *Redactor) peer(p smtp.Peer) smtp.Peer {
	if len(p.IP) > 0 {
		r.own.ip(r, string(p.IP))
		p.IP = []byte(r.host(string(p.IP)))
	}
	p.Name = r.machine(p.Name)
	return p
}

// greeting has the name looked for that a server calls itself by where no field has it, and
// that a client gives in its EHLO.
func (r *Redactor) greeting(ev *smtp.Event) {
	words := bytes.Fields(ev.Reply.Text[:min(len(ev.Reply.Text), maxName)])
	if len(words) > 0 && len(words[0]) > 4 { // "250-mx1"
		words = append([][]byte{words[0][:3], words[0][4:]}, words[1:]...)
	}
	at := -1
	switch c := ev.Reply.Code; {
	case c == 220 && ev.Stage <= smtp.StageConnect || c == 250 && ev.Stage == smtp.StageEHLO || c == 221 || c == 421:
		if at = 1; len(words) > 1 && len(words[1]) > 0 && words[1][0]-'0' < 10 && bytes.Count(words[1], []byte(".")) == 2 {
			at = 2
		}
	}
	if at > 0 && at < len(words) && len(words) > at+1 || ev.Reply.Code == 250 && at == 1 && len(words) == 2 {
		name := string(words[at])
		if nameLength(name) == len(name) && (ev.Reply.Code < 300 && ev.Reply.Code != 221 || strings.ContainsAny(name, "0123456789.-")) { // "421 Too many" names nobody
			r.own.host(r, name, r.host(name))
		}
	}
	r.command(ev.Reply.Text)
	r.command(ev.Text)
}

// Path is the pseudonym of a file. Where it is named in a text, that has it too.
func (r *Redactor) Path(path string) string {
	if path == "" || path == "-" {
		return path
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.files[path]; ok {
		return p
	}
	p := r.labelled("file-", kindFile, path)
	r.files[path] = p
	if abs, err := filepath.Abs(path); err == nil {
		r.files[abs] = p
	}
	return p
}

// Address is the pseudonym of an address, or of a login name.
func (r *Redactor) Address(addr string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.address("user-", addr)
}

// MessageID is the pseudonym of a Message-ID, without its brackets.
func (r *Redactor) MessageID(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.own)
	return string(r.messageID([]byte(id)))
}

// Host is the pseudonym of a host's name, or of its IP.
func (r *Redactor) Host(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.own)
	return string(r.machine([]byte(name)))
}

// Name is the pseudonym of one name that somebody gives by itself: an address, a host, an IP or
// a login name.
func (r *Redactor) Name(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.own)
	switch {
	case strings.Contains(name, "@"):
		return r.address("user-", name)
	case r.isIP(name) || strings.Contains(name, "."):
		return string(r.machine([]byte(name)))
	}
	return r.user("user-", name)
}

// Message is Text for what the program itself says, in which files are named that were given
// to it.
func (r *Redactor) Message(s string) string {
	r.mu.Lock()
	longest := ""
	for { // the longest first, which others may be part of
		longest = ""
		for path := range r.files {
			if len(path) > len(longest) && strings.Contains(s, path) {
				longest = path
			}
		}
		if longest == "" {
			break
		}
		s = strings.ReplaceAll(s, longest, r.files[longest])
	}
	r.mu.Unlock()
	return r.Text(s)
}
