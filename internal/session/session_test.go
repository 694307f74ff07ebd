package session

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// keep runs a log and returns a copy of what its sessions' exchanges say.
func keep(t *testing.T, log string) (texts []string, dropped int) {
	t.Helper()
	a := NewAssembler(Options{Exchanges: true}, func(s *Session) {
		for _, x := range s.Exchanges {
			texts = append(texts, fmt.Sprintf("%v %v %d x%d <%s>", x.Kind, x.Stage, x.Code, x.Count, x.To))
		}
		dropped += s.Dropped
	})
	feed(t, a, log)
	a.Close()
	return texts, dropped
}

func TestExchanges(t *testing.T) {
	const c = "client.example.org[192.0.2.1]"
	reject := func(to string) string {
		return "06:00:02 smtpd[1]: NOQUEUE: reject: RCPT from " + c + ": 550 5.1.1 <" + to + ">: Recipient address rejected: User unknown; from=<a@example.org> to=<" + to + "> proto=ESMTP helo=<x>\n"
	}
	log := "06:00:01 smtpd[1]: connect from " + c + "\n" + reject("b@example.com") + reject("b@example.com") + reject("c@example.com") +
		"06:00:03 smtpd[1]: warning: " + c + ": SASL LOGIN authentication failed: UGFzc3dvcmQ6\n"
	got, dropped := keep(t, postfix(log))
	want := []string{"reject RCPT 550 x2 <b@example.com>", "reject RCPT 550 x1 <c@example.com>", "auth AUTH 0 x1 <>"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || dropped != 0 {
		t.Errorf("got %q, %d dropped, want %q", got, dropped, want)
	}

	var b strings.Builder
	b.WriteString("06:00:01 smtpd[1]: connect from " + c + "\n")
	for i := range MaxExchanges + 7 {
		b.WriteString(reject(fmt.Sprintf("b%d@example.com", i)))
	}
	if got, dropped := keep(t, postfix(b.String())); len(got) != MaxExchanges || dropped != 7 {
		t.Errorf("%d exchanges, %d dropped", len(got), dropped)
	}
}

// What a session keeps of a line is its own, and bounded.
func TestExchangeText(t *testing.T) {
	line := bytes.Repeat([]byte("x"), MaxText+100)
	ev := smtp.Event{Kind: smtp.KindReject, Format: smtp.FormatPostfix, Direction: smtp.Inbound, Reply: smtp.Reply{Code: 550, Text: line}}
	ev.Time = time.Unix(1e9, 0)
	var n int
	a := NewAssembler(Options{Exchanges: true}, func(s *Session) {
		n++
		x := &s.Exchanges[0]
		if len(x.Text) != MaxText || bytes.ContainsAny(x.Text, "y") {
			t.Errorf("kept %d bytes, ending in %q", len(x.Text), x.Text[len(x.Text)-1:])
		}
		if x.Reply().Code != 550 || x.Reason() != nil {
			t.Errorf("reply %v, reason %q", x.Reply(), x.Reason())
		}
	})
	var step Step
	StepOf(&ev, &step)
	a.Add(&step, ev.Time, &ev)
	copy(line, bytes.Repeat([]byte("y"), len(line)))
	a.Close()
	if n != 1 {
		t.Errorf("%d sessions", n)
	}
}

// A transcript shows every reply, and ends with its file.
func TestTranscriptSessions(t *testing.T) {
	type step struct {
		kind  smtp.Kind
		stage smtp.Stage
		code  smtp.Code
	}
	const answer = smtp.KindAnswer
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"quit", []step{{answer, smtp.StageConnect, 220}, {answer, smtp.StageDOT, 250}, {answer, smtp.StageQUIT, 221}}, "quit m1 r0"},
		{"221 out of turn", []step{{answer, smtp.StageConnect, 220}, {answer, smtp.StageMAIL, 221}}, "server_closed/MAIL m0 r0"},
		{"421", []step{{answer, smtp.StageRCPT, 421}}, "server_closed/RCPT m0 r1"},
		{"421 as the greeting", []step{{answer, smtp.StageConnect, 421}}, "refused/CONNECT m0 r1"},
		{"554 as the greeting, QUIT all the same", []step{{answer, smtp.StageConnect, 554}, {answer, smtp.StageQUIT, 221}}, "refused/CONNECT m0 r1"},
		{"lost", []step{{answer, smtp.StageMAIL, 250}, {smtp.KindLost, smtp.StageRCPT, 0}}, "lost/RCPT m0 r0"},
		{"timed out", []step{{smtp.KindTimeout, smtp.StageDATA, 0}}, "timed_out/DATA m0 r0"},
		{"TLS failed", []step{{answer, smtp.StageSTARTTLS, 220}, {smtp.KindTLS, smtp.StageSTARTTLS, 0}}, "aborted/STARTTLS m0 r0"},
		{"it just ends", []step{{answer, smtp.StageMAIL, 250}}, "open m0 r0"},
		{"it is over without QUIT", []step{{answer, smtp.StageMAIL, 250}, {smtp.KindDisconnect, 0, 0}}, "aborted m0 r0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			a := NewAssembler(Options{}, func(s *Session) { got = append(got, strings.TrimSpace(describe(s))) })
			for _, st := range tt.steps {
				ev := smtp.Event{Kind: st.kind, Stage: st.stage, Format: smtp.FormatTranscript, Direction: smtp.Outbound, Session: []byte("1")}
				ev.Reply.Code = st.code
				ev.Failed = st.kind == smtp.KindTLS
				var step Step
				StepOf(&ev, &step)
				a.Add(&step, ev.Time, &ev)
			}
			a.EndOfFile()
			if len(got) != 1 || strings.Join(strings.Fields(got[0])[1:], " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
