package dashboard

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/live"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// now is when the pictures were taken.
var now = time.Date(2026, 11, 23, 14, 3, 22, 0, time.UTC)

// saying is a reply, or what our own server said, so many times a minute.
type saying struct {
	direction smtp.Direction
	host      string
	stage     smtp.Stage
	outcome   smtp.Outcome
	code      smtp.Code
	enhanced  smtp.EnhancedCode
	text      string
	perMinute func(minute float64) float64
}

// said is what was said to a server that has some trouble. One of the texts would drive the
// terminal.
var said = []saying{
	{smtp.Outbound, "mx.example.com", smtp.StageDOT, smtp.Sent, 250, smtp.EnhancedCode{2, 0, 0}, "250 2.0.0 OK", func(m float64) float64 { return 80 + 30*math.Sin(m/6) + m/3 }},
	{smtp.Outbound, "gmail-smtp-in.l.google.com", smtp.StageDOT, smtp.Deferred, 421, smtp.EnhancedCode{4, 7, 28}, "421-4.7.28 Gmail has detected an unusual rate of mail \x1b]0;owned\a", func(m float64) float64 { return m - 40 }},
	{smtp.Inbound, "", smtp.StageRCPT, smtp.Rejected, 554, smtp.EnhancedCode{5, 7, 1}, "554 5.7.1 <a@example.net>: Relay access denied", func(m float64) float64 { return 40 + 30*math.Sin(m/3) }},
	{smtp.Outbound, "example-com.mail.protection.outlook.com", smtp.StageMAIL, smtp.Bounced, 550, smtp.EnhancedCode{5, 7, 1}, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent (S3140)", func(m float64) float64 { return 45 - m }},
	{smtp.Outbound, "mx.example.org", smtp.StageRCPT, smtp.Bounced, 550, smtp.EnhancedCode{5, 1, 1}, "550 5.1.1 <nobody@example.org>: no such user", func(m float64) float64 { return math.Sin(m) - 0.5 }},
	{smtp.Outbound, "mx.example.net", smtp.StageConnect, smtp.Deferred, 421, smtp.EnhancedCode{4, 4, 2}, "421 4.4.2 mx.example.net Error: timeout exceeded", func(m float64) float64 { return 2 - math.Abs(m-30) }},
}

// busy is a picture of an hour of that, each time one of its own.
func busy() *Picture {
	p := hour()
	p.Troubles = slices.Clone(p.Troubles)
	return &p
}

var hour = sync.OnceValue(func() Picture {
	watch := live.New(knowledge.Load(), nil)
	watch.KeepLines()
	var number int64
	for minute := range 60 {
		at := now.Truncate(time.Minute).Add(time.Duration(minute-59) * time.Minute)
		watch.Tick(at)
		for i, s := range said {
			for n := range int(math.Ceil(s.perMinute(float64(minute)))) {
				if number++; minute == 59 && n > 30 {
					break
				}
				ev := smtp.Event{Kind: smtp.KindDelivery, Direction: s.direction, Stage: s.stage, Outcome: s.outcome,
					Reply: smtp.Reply{Code: s.code, Enhanced: s.enhanced, Text: []byte(s.text)}, Failed: s.outcome != smtp.Sent}
				ev.Time = at.Add(time.Duration(n%20) * time.Second)
				ev.Peer.Name = []byte(s.host)
				a, _ := classify.Event(&ev)
				watch.Event(&ev, &a, uint64(i+1)<<8, func() live.Line {
					return live.Line{Path: "/var/log/mail.log", Number: number, Text: ev.Time.Format(time.Stamp) + " mx1 postfix/smtp[2211]: 4Fxq2L3zW1z9: to=<anna@example.org>, relay=" + s.host + "[192.0.2.7]:25, delay=1.2, status=" + s.outcome.String() + " (host said: " + s.text + ")"}
				})
			}
		}
	}
	watch.Tick(now)
	p := Picture{Snapshot: watch.Snapshot(100), Paths: []string{"/var/log/mail.log", "/var/log/exim4/mainlog"}, Lines: 1204331, PerSecond: 212}
	p.Open = 3
	p.Sessions = []Session{
		{Key: "a", Peer: "mail.example.com", IP: "192.0.2.10", Direction: smtp.Inbound, Start: now.Add(-4 * time.Second), Last: now, Stage: smtp.StageRCPT, Messages: 1},
		{Key: "b", Peer: "198.51.100.7", IP: "198.51.100.7", Direction: smtp.Inbound, Start: now.Add(-62 * time.Second), Last: now, Stage: smtp.StageAUTH, Refused: 3},
		{Key: "c", Peer: "mx.example.org", IP: "2001:db8::25", Direction: smtp.Outbound, Start: now.Add(-2 * time.Hour), Last: now, Stage: smtp.StageDOT, Messages: 214},
	}
	p.Peers = []Peer{
		{"gmail-smtp-in.l.google.com", smtp.Outbound, [live.NumRates]int64{30112, 412, 3, 0}},
		{"mx.example.org", smtp.Outbound, [live.NumRates]int64{812, 0, 33, 0}},
		{"198.51.100.7", smtp.Inbound, [live.NumRates]int64{0, 0, 0, 2711}},
		{"ग्राहक.example", smtp.Inbound, [live.NumRates]int64{12, 0, 0, 1}},
	}
	return p
})
