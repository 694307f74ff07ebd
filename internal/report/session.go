package report

import (
	"fmt"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// annotate asks what a session's reply means.
func annotate(by *classify.Classifier, s *session.Session, x *session.Exchange) (classify.Annotation, bool) {
	if len(x.Written) > 0 {
		as := *x
		as.Text, x = x.Written, &as
	}
	return by.Event(&smtp.Event{
		Format: s.Format, Kind: x.Kind, Direction: s.Direction, Stage: x.Stage, Outcome: x.Outcome, Failed: x.Failed,
		Reply: x.Reply(), DSN: x.DSN, Errno: x.Errno, Text: x.Reason(),
		Peer: smtp.Peer{Name: s.Peer.Name}, ReplyHost: smtp.Peer{Name: nonEmpty(x.ReplyBy)},
	})
}

// AppendSession appends one JSON object for a session, without a newline.
func AppendSession(b []byte, s *session.Session, by *classify.Classifier) []byte {
	o := object{b: append(b, '{')}
	o.open("event")
	if !s.Start.IsZero() {
		o.time("start", s.Start)
		o.time("end", s.Last)
		o.num("duration", int64(s.Last.Sub(s.Start)))
	}
	o.close()
	o.open("host")
	o.str("name", s.Host)
	o.close()
	peer := "destination"
	if s.Direction == smtp.Inbound {
		peer = "source"
	}
	o.open(peer)
	o.str("domain", s.Peer.Name)
	o.str("ip", s.Peer.IP)
	if s.Peer.Port != 0 {
		o.num("port", int64(s.Peer.Port))
	}
	o.close()
	o.open("smtp")
	o.word("format", s.Format.String())
	o.str("session_id", s.ID)
	o.word("direction", s.Direction.String())
	o.str("helo", s.Helo)
	o.word("deepest_stage", s.Deepest.String())
	o.word("end", s.End.String())
	o.word("end_stage", s.EndStage.String())
	if s.Graceful {
		o.raw("graceful", "true")
	}
	o.num("messages", int64(s.Messages))
	o.num("refused", int64(s.Refused))
	o.commands(s.Commands)
	o.exchanges(s, by)
	if s.Dropped > 0 {
		o.num("exchanges_dropped", int64(s.Dropped))
	}
	o.close()
	o.open("tls")
	o.str("version", s.TLS)
	o.close()
	o.open("user")
	o.str("name", s.User)
	o.close()
	return append(o.b, '}')
}

func (o *object) exchanges(s *session.Session, by *classify.Classifier) {
	if len(s.Exchanges) == 0 {
		return
	}
	o.key("exchanges")
	o.b = append(o.b, '[')
	for i := range s.Exchanges {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		x := &s.Exchanges[i]
		in := object{b: append(o.b, '{')}
		if !x.Time.IsZero() {
			in.time("@timestamp", x.Time)
		}
		in.word("event", x.Kind.String())
		in.word("stage", x.Stage.String())
		in.open("reply")
		if x.Code != 0 {
			in.num("code", int64(x.Code))
		}
		in.enhanced("enhanced_code", x.Enhanced)
		in.text("text", x.Text)
		in.close()
		in.word("outcome", x.Outcome.String())
		in.open("envelope")
		in.opt("from", nonEmpty(x.From))
		in.opt("to", nonEmpty(x.To))
		in.close()
		in.str("local_id", x.Queue)
		if x.Count > 1 {
			in.num("count", int64(x.Count))
		}
		if a, ok := annotate(by, s, x); ok {
			in.explain(Explain(by, a, x.Code, s.Direction))
		}
		o.b = append(in.b, '}')
	}
	o.b = append(o.b, ']')
}

func nonEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// Class returns the class of a reply code in English, as machine-readable output has it:
// "5xx permanent negative".
func Class(c smtp.Code) string { return knowledge.In(knowledge.English).Class(c) }

// SessionColumns are the columns of a table of sessions.
func SessionColumns(words *knowledge.Words) []Column {
	name := func(key string) string { return words.Text("sessions." + key) }
	return []Column{
		left(name("start")).drop(2), left(name("session")).min(10).drop(3), left(""), left(name("peer")).min(16), left(name("got_to")).drop(1), right(name("messages")),
		left(name("replies")).min(14), left(name("ended")).min(10), left(name("meaning")).min(14),
	}
}

// SessionRow makes a row of a table of sessions.
func SessionRow(s *session.Session, words *knowledge.Words, by *classify.Classifier) []Cell {
	replies, meaning, style := told(s, words, by)
	if meaning == "" {
		meaning = words.Cause(knowledge.InProgress).Title
		if s.End != smtp.EndQuit {
			meaning = ""
		}
	}
	return []Cell{
		{Text: moment(s.Start)}, {Text: string(s.ID)}, {Text: side(words, s.Direction), Style: Dim}, {Text: peerName(s)}, {Text: s.Deepest.String()},
		num(words, int64(s.Messages)), {Text: replies}, ended(s, words), {Text: meaning, Style: style},
	}
}

func peerName(s *session.Session) string {
	name, ip := string(s.Peer.Name), string(s.Peer.IP)
	switch {
	case name == "":
		name = ip
	case ip != "":
		name += " [" + ip + "]"
	}
	if name == "" {
		return string(s.Helo)
	}
	return name
}

func ended(s *session.Session, words *knowledge.Words) Cell {
	c := Cell{Text: words.End(s.End)}
	if c.Text == "" {
		c.Text = strings.ReplaceAll(s.End.String(), "_", " ")
	}
	if st := s.EndStage.String(); st != "" && s.End != smtp.EndQuit {
		c.Text = words.Text("sessions.ended_at", "end", c.Text, "stage", st)
	}
	switch s.End {
	case smtp.EndQuit:
		c.Style = Good
	case smtp.EndOpen, smtp.EndNotLogged:
		c.Style = Dim
	default:
		c.Style = Warn
	}
	return c
}

// told lists the replies of a session, and says what the worst of them means.
func told(s *session.Session, words *knowledge.Words, by *classify.Classifier) (replies, meaning string, style Style) {
	var list, refusals []string
	worst := knowledge.Severity(0)
	found := false
	last, times, refused := "", 0, false
	add := func() {
		if times > 1 && last != "" {
			last += fmt.Sprintf(" ×%d", times)
		}
		if last != "" {
			list = append(list, last)
			if refused {
				refusals = append(refusals, last)
			}
		}
		last, times = "", 0
	}
	for i := range s.Exchanges {
		x := &s.Exchanges[i]
		r := replyOf(x.Code, x.Enhanced)
		if st := x.Stage.String(); st != "" && r != "" {
			r = st + " " + r
		}
		if r != last {
			add()
			last, refused = r, x.Code >= 400
		}
		times += x.Count
		bad := x.Failed || x.Code >= 400 || x.Outcome > smtp.Sent
		if a, ok := annotate(by, s, x); ok && bad && (!found || a.Severity > worst) {
			found, worst = true, a.Severity
			meaning, style = words.Entry(a.Entry).Title, severityStyle(a.Severity)
		}
	}
	add()
	if len(list) > 6 && len(refusals) > 0 {
		list = refusals // a long dialogue: what went wrong in it is wanted
	}
	if n := len(list); n > 6 {
		list = append(list[:5], fmt.Sprintf("+%d", n-5+s.Dropped))
	}
	return strings.Join(list, "; "), meaning, style
}
