package dashboard

import (
	"math"
	"time"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// busy is a picture of a server that has some trouble. Its texts are those that strangers
// write: one of them would drive the terminal.
func busy() *Picture {
	now := time.Date(2026, 11, 23, 14, 3, 22, 0, time.UTC)
	p := &Picture{Now: now, Paths: []string{"/var/log/mail.log", "/var/log/exim4/mainlog"}, Lines: 1204331, PerSecond: 212, Totals: [NumRates]int64{48112, 412, 129, 2941}}
	for i := range Minutes {
		f := float64(i)
		p.Rates[Sent][i] = int64(800 + 300*math.Sin(f/6) + f*3)
		p.Rates[Deferred][i] = int64(max(0, 4*f-160))
		p.Rates[Rejected][i] = int64(40 + 30*math.Sin(f/3))
	}
	p.Rates[Bounced][20], p.Rates[Bounced][41], p.Rates[Bounced][59] = 2, 7, 1
	trouble := func(d smtp.Direction, party string, at smtp.Stage, code smtp.Code, status smtp.EnhancedCode, reply string, total, recent int64) {
		a := classify.Reply(&classify.Said{Code: code, Enhanced: status, Text: []byte(reply), Stage: at, Direction: d})
		t := Trouble{Key: reply, Cause: a.Cause, Entry: a.Entry, Direction: d, Severity: a.Severity, Party: party, Stage: at, Code: code, Enhanced: status, Reply: reply,
			Total: total, Recent: recent, First: now.Add(-50 * time.Minute), Last: now.Add(-time.Duration(len(p.Troubles)) * time.Minute)}
		for i := range Minutes {
			t.PerMinute[i] = max(0, recent*int64(i-40)/19)
		}
		t.PerMinute[Minutes-1] = recent
		for i := range 3 {
			t.Lines = append(t.Lines, Line{"/var/log/mail.log", 1204301 + int64(i), "Nov 23 14:03:1" + string(rune('0'+i)) + " mx1 postfix/smtp[2211]: 4Fxq2L3zW1z9: to=<anna@example.org>, relay=mx." + party + "[192.0.2.7]:25, status=deferred (host said: " + reply + ")"})
		}
		p.Troubles = append(p.Troubles, t)
	}
	trouble(smtp.Outbound, "Google", smtp.StageDOT, 421, smtp.EnhancedCode{4, 7, 28}, "421-4.7.28 Gmail has detected an unusual rate of mail \x1b]0;owned\a", 412, 37)
	trouble(smtp.Outbound, "Microsoft", smtp.StageMAIL, 550, smtp.EnhancedCode{5, 7, 1}, "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent (S3140)", 96, 4)
	trouble(smtp.Outbound, "example.org", smtp.StageRCPT, 550, smtp.EnhancedCode{5, 1, 1}, "550 5.1.1 no such user", 33, 1)
	trouble(smtp.Inbound, "", smtp.StageRCPT, 554, smtp.EnhancedCode{5, 7, 1}, "554 5.7.1 Relay access denied", 2711, 21)
	trouble(smtp.Outbound, "example.net", smtp.StageConnect, 421, smtp.EnhancedCode{4, 4, 2}, "421 4.4.2 timeout exceeded", 12, 0)
	p.Troubles[4].Recovered = true
	p.Open = 3
	p.Sessions = []Session{
		{Key: "a", Peer: "mail.example.com", IP: "192.0.2.10", Direction: smtp.Inbound, Start: now.Add(-4 * time.Second), Last: now, Stage: smtp.StageRCPT, Messages: 1},
		{Key: "b", Peer: "198.51.100.7", IP: "198.51.100.7", Direction: smtp.Inbound, Start: now.Add(-62 * time.Second), Last: now, Stage: smtp.StageAUTH, Refused: 3},
		{Key: "c", Peer: "mx.example.org", IP: "2001:db8::25", Direction: smtp.Outbound, Start: now.Add(-2 * time.Hour), Last: now, Stage: smtp.StageDOT, Messages: 214},
	}
	p.Peers = []Peer{
		{"gmail-smtp-in.l.google.com", smtp.Outbound, [NumRates]int64{30112, 412, 3, 0}},
		{"mx.example.org", smtp.Outbound, [NumRates]int64{812, 0, 33, 0}},
		{"198.51.100.7", smtp.Inbound, [NumRates]int64{0, 0, 0, 2711}},
		{"ग्राहक.example", smtp.Inbound, [NumRates]int64{12, 0, 0, 1}},
	}
	return p
}
