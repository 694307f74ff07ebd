package report

import (
	"slices"
	"strconv"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Place is where a line stands.
type Place struct {
	Path    string // the file as given
	Line    int64  // its number in it, from 1
	Guessed bool   // the year or the zone of its time was not in the log
}

// Explanation is what the knowledge base says of a line's reply or failure, by the names
// that go into machine-readable output.
type Explanation struct {
	Cause, Class, Severity, Actor, Basis, Provider string
}

// Explain names what the knowledge base says of a reply, in the words of
// machine-readable output.
func Explain(by *classify.Classifier, a classify.Annotation, code smtp.Code, d smtp.Direction) *Explanation {
	return &Explanation{
		Cause: a.Cause.ID(), Class: Class(code), Severity: a.Severity.String(),
		Actor: a.Cause.ActorOf(d).String(), Basis: a.Basis.String(), Provider: by.Base().ProviderID(a.Provider),
	}
}

// AppendEvent appends one JSON object for ev, without a newline. The names are ECS's
// where ECS has one, and smtp.*, exim.* and explain.* where it has none; what the line
// does not say is left out. x may be nil.
func AppendEvent(b []byte, ev *smtp.Event, at Place, x *Explanation) []byte {
	var head EventHead
	return AppendEventBody(head.Append(b, ev.Time, at), ev, at.Guessed, x)
}

// EventHead writes the beginnings of events' objects: what is known of a line only when those
// before it have been counted. The lines of a second have all of it in common but their number,
// so the last one is kept.
type EventHead struct {
	when time.Time
	path string
	last []byte // up to the number
}

// Append appends the beginning of an object.
func (h *EventHead) Append(b []byte, when time.Time, at Place) []byte {
	if h.last == nil || when != h.when || at.Path != h.path {
		h.when, h.path, h.last = when, at.Path, appendEventPlace(h.last[:0], when, at.Path)
	}
	b = strconv.AppendInt(append(b, h.last...), at.Line, 10)
	return append(b, '}')
}

// appendEventPlace appends the beginning as far as the number of the line.
func appendEventPlace(b []byte, when time.Time, path string) []byte {
	o := object{b: append(b, '{')}
	if !when.IsZero() {
		o.time("@timestamp", when)
	}
	o.open("log")
	o.open("file")
	o.str("path", []byte(path))
	o.close()
	o.key("line")
	return o.b
}

// AppendEventBody appends the rest: what the line itself tells. guessed says that the year
// or the zone of its time is not among that.
func AppendEventBody(b []byte, ev *smtp.Event, guessed bool, x *Explanation) []byte {
	o := object{b: b}
	o.fields[0] = 1 // the head's
	o.open("host")
	o.str("name", ev.Host)
	o.close()
	o.open("process")
	o.str("name", ev.Process)
	if ev.PID != 0 {
		o.num("pid", int64(ev.PID))
	}
	o.close()
	if len(ev.Service) > 0 {
		o.open("service")
		o.str("name", ev.Service)
		o.close()
	}
	o.email(ev)
	if !ev.Peer.IsZero() || ev.Peer.Port != 0 {
		o.client(ev)
	}
	o.smtp(ev, guessed)
	if ev.Format == smtp.FormatExim || len(ev.Transport) > 0 {
		o.exim(ev)
	}
	if len(ev.TLSVersion)+len(ev.TLSCipher) > 0 {
		o.open("tls")
		o.str("version", ev.TLSVersion)
		o.str("cipher", ev.TLSCipher)
		o.close()
	}
	if len(ev.User) > 0 {
		o.open("user")
		o.str("name", ev.User)
		o.close()
	}
	if x != nil {
		o.explain(x)
	}
	return append(o.b, '}')
}

func (o *object) exim(ev *smtp.Event) {
	o.open("exim")
	if ev.Flag != smtp.EximFakeReject { // the flags that are promised do not know it
		o.word("flag", ev.Flag.String())
	}
	o.str("router", ev.Router)
	o.str("transport", ev.Transport)
	if ev.Errno != 0 {
		o.num("errno", int64(ev.Errno))
	}
	o.close()
}

func (o *object) email(ev *smtp.Event) {
	o.open("email")
	o.str("local_id", ev.Queue)
	o.str("message_id", ev.MessageID)
	o.word("direction", ev.Direction.String())
	o.close()
}

// client writes the other side: the source of an inbound line, the destination of
// another.
func (o *object) client(ev *smtp.Event) {
	name := "destination"
	if ev.Direction == smtp.Inbound {
		name = "source"
	}
	o.open(name)
	o.peer(&ev.Peer)
	o.close()
}

func (o *object) peer(p *smtp.Peer) {
	o.str("domain", p.Name)
	o.str("ip", p.IP)
	if p.Port != 0 {
		o.num("port", int64(p.Port))
	}
}

func (o *object) smtp(ev *smtp.Event, guessed bool) {
	o.open("smtp")
	o.word("format", ev.Format.String())
	o.word("event", ev.Kind.String())
	if guessed {
		o.raw("time_guessed", "true")
	}
	o.str("session_id", ev.Session)
	o.opt("helo", ev.Helo)
	o.str("protocol", ev.Protocol)
	o.word("stage", ev.Stage.String())
	if ev.From != nil || ev.To != nil || len(ev.OrigTo) > 0 {
		o.open("envelope")
		o.opt("from", ev.From)
		o.opt("to", ev.To)
		o.str("original_to", ev.OrigTo)
		o.close()
	}
	o.reply(ev)
	o.enhanced("dsn", ev.DSN)
	o.word("outcome", ev.Outcome.String())
	o.str("queued_as", ev.QueuedAs)
	o.str("related_id", ev.Related)
	if ev.Probe {
		o.raw("probe", "true")
	}
	if ev.Size != 0 {
		o.num("size", ev.Size)
	}
	if ev.Recipients != 0 {
		o.num("recipients", int64(ev.Recipients))
	}
	if ev.ConnUse != 0 {
		o.num("connection_use", int64(ev.ConnUse))
	}
	if ev.Repeat != 0 {
		o.num("repeated", int64(ev.Count()))
	}
	if ev.Delay != smtp.NoDelay || ev.Delays[0] != smtp.NoDelay {
		o.delay(ev)
	}
	if len(ev.Commands) > 0 {
		o.commands(ev.Commands)
	}
	o.str("auth_method", ev.AuthMethod)
	o.text("text", ev.Text)
	o.close()
}

func (o *object) reply(ev *smtp.Event) {
	o.open("reply")
	if ev.Reply.Code != 0 {
		o.num("code", int64(ev.Reply.Code))
	}
	o.enhanced("enhanced_code", ev.Reply.Enhanced)
	o.text("text", ev.Reply.Text)
	if !ev.ReplyHost.IsZero() || ev.ReplyHost.Port != 0 {
		o.open("host")
		o.peer(&ev.ReplyHost)
		o.close()
	}
	o.close()
}

func (o *object) delay(ev *smtp.Event) {
	o.open("delay")
	if ev.Delay != smtp.NoDelay {
		o.seconds("total", ev.Delay)
	}
	if ev.Delays[0] != smtp.NoDelay {
		for i, name := range [...]string{"before_queue", "in_queue", "connect", "transmit"} {
			o.seconds(name, ev.Delays[i])
		}
	}
	o.close()
}

func (o *object) commands(counts []byte) {
	o.open("commands")
	smtp.EachCommand(counts, func(name []byte, ok, all int) {
		o.open(string(name))
		o.num("ok", int64(ok))
		o.num("all", int64(all))
		o.close()
	})
	o.close()
}

func (o *object) explain(x *Explanation) {
	o.open("explain")
	o.word("cause", x.Cause)
	o.word("class", x.Class)
	o.word("severity", x.Severity)
	o.word("actor", x.Actor)
	o.word("basis", x.Basis)
	o.word("provider", x.Provider)
	o.close()
}

// object writes JSON objects inside one another, field by field. A field without a
// value and an object without fields are left out.
type object struct {
	b []byte
	// starts are the lengths of b before each open object's name, so that an empty one
	// can be taken back.
	starts [8]int
	fields [8]int
	depth  int
}

func (o *object) open(name string) {
	o.starts[o.depth] = len(o.b)
	o.key(name)
	o.fields[o.depth]--
	o.depth++
	o.fields[o.depth] = 0
	o.b = append(o.b, '{')
}

func (o *object) close() {
	empty := o.fields[o.depth] == 0
	o.depth--
	if empty {
		o.b = o.b[:o.starts[o.depth]]
		return
	}
	o.fields[o.depth]++
	o.b = append(o.b, '}')
}

// key writes a field's name, in one go because there are many.
func (o *object) key(name string) {
	n := len(o.b)
	b := slices.Grow(o.b, len(name)+len(`,"":`))[:n+len(name)+len(`,"":`)]
	if o.fields[o.depth] > 0 {
		b[n] = ','
		n++
	}
	o.fields[o.depth]++
	b[n] = '"'
	n += 1 + copy(b[n+1:], name)
	b[n], b[n+1] = '"', ':'
	o.b = b[:n+2]
}

// str writes a field whose value is not empty.
func (o *object) str(name string, v []byte) {
	if len(v) > 0 {
		o.key(name)
		o.b = appendString(o.b, v)
	}
}

// text writes a field of free text, in which somebody may have put a secret.
func (o *object) text(name string, v []byte) {
	if len(v) > 0 && smtp.HasSecret(v) {
		v = smtp.AppendMasked(nil, v)
	}
	o.str(name, v)
}

// opt writes a field that is there, though it may be empty.
func (o *object) opt(name string, v []byte) {
	if v != nil {
		o.key(name)
		o.b = appendString(o.b, v)
	}
}

// word writes a field whose value needs no escaping.
func (o *object) word(name, v string) {
	if v != "" {
		o.key(name)
		o.b = append(o.b, '"')
		o.b = append(o.b, v...)
		o.b = append(o.b, '"')
	}
}

func (o *object) raw(name, v string) {
	o.key(name)
	o.b = append(o.b, v...)
}

func (o *object) num(name string, v int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, v, 10)
}

func (o *object) enhanced(name string, e smtp.EnhancedCode) {
	if !e.IsZero() {
		o.key(name)
		o.b = append(o.b, '"')
		o.b = e.Append(o.b)
		o.b = append(o.b, '"')
	}
}

func (o *object) seconds(name string, d time.Duration) {
	o.key(name)
	o.b = strconv.AppendFloat(o.b, d.Seconds(), 'f', -1, 64)
}

func (o *object) time(name string, t time.Time) {
	o.key(name)
	o.b = append(o.b, '"')
	o.b = t.AppendFormat(o.b, time.RFC3339Nano)
	o.b = append(o.b, '"')
}
