package report

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: make golden writes it", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got); look at it, then make golden:\n%s", file, diff)
	}
}

var zone = time.FixedZone("", 2*3600)

func at(hour, minute, second int) time.Time {
	return time.Date(2026, 3, 11, hour, minute, second, 0, zone)
}

// sampleDay is a day on which a provider refused us and strangers were refused.
func sampleDay() *summary.Summary {
	s := summary.New()
	s.Coverage = summary.Coverage{
		Lines: 12345, Understood: 12300, Foreign: 40, Unknown: 5, Bytes: 1 << 20, First: at(0, 0, 4), Last: at(23, 59, 1), Guessed: 12345,
		Files: []summary.File{{Path: "mail.log", Format: "Postfix"}, {Path: "mail.log.1.gz", Format: "Postfix", Compression: "gzip"}},
	}
	s.Messages = summary.Messages{Received: 2000, Rejected: 31, Sent: 1893, Deferred: 61, Bounced: 40, Queued: 7}
	by := classify.Default()
	add := func(when time.Time, d smtp.Direction, o smtp.Outcome, host, to, said string, code smtp.Code, status smtp.EnhancedCode) {
		ev := &smtp.Event{Kind: smtp.KindDelivery, Direction: d, Stage: smtp.StageRCPT, Outcome: o, Head: smtp.Head{Time: when}, Peer: smtp.Peer{Name: []byte(host)}, To: []byte(to), Failed: o != smtp.Sent}
		ev.Reply = smtp.Reply{Code: code, Enhanced: status, Text: []byte(said)}
		if o == smtp.Rejected {
			ev.Kind = smtp.KindReject
		}
		var note *summary.Note
		if a, ok := by.Event(ev); ok {
			note = &summary.Note{Cause: a.Cause, Severity: a.Severity, Entry: uint16(a.Entry)}
		}
		s.Event(ev, note, uint64(len(host))<<2, func() summary.Sample { return summary.Sample{File: "mail.log", Line: 7, Text: host + " said: " + said} })
	}
	for i := range 300 {
		add(at(i/15, i%60, 0), smtp.Outbound, smtp.Sent, "mx.example.net", "a@example.net", "250 2.0.0 Ok", 250, smtp.EnhancedCode{2})
	}
	for i := range 40 {
		add(at(8, i, 3), smtp.Outbound, smtp.Deferred, "example-org.mail.protection.outlook.com", "b@example.org", "451 4.7.500 Server busy. Please try again later from [192.0.2.25]. (S77719)", 451, smtp.EnhancedCode{4, 7, 500})
	}
	for i := range 9 {
		add(at(10+i, 1, 0), smtp.Outbound, smtp.Bounced, "mx.example.net", "nobody@example.net", "550 5.1.1 <nobody@example.net>: User unknown", 550, smtp.EnhancedCode{5, 1, 1})
	}
	for i := range 31 {
		add(at(3, i, 0), smtp.Inbound, smtp.Rejected, "client.example", "c@example.com", "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org", 554, smtp.EnhancedCode{5, 7, 1})
	}
	return s
}

func dayIn(lang string, s *summary.Summary) Day {
	by := classify.Default()
	return Day{Summary: s, Words: knowledge.In(lang).Of(by.Base()), By: by, Top: 10}
}

// sampleIncidents is a report with an incident of each sort that is told in another way.
func sampleIncidents() *incident.Report {
	by := classify.Default()
	said := incident.Reply{
		Text: "451 4.7.500 Server busy. Please try again later from [192.0.2.25]. (S77719)", Code: 451, Enhanced: smtp.EnhancedCode{4, 7, 500}, Stage: smtp.StageMAIL,
		Host: "example-org.mail.protection.outlook.com", Outcome: smtp.Deferred, Count: 40, First: at(8, 12, 48), Last: at(9, 46, 51), New: true,
	}
	said.Note = by.Reply(&classify.Said{Code: said.Code, Enhanced: said.Enhanced, Text: []byte(said.Text), Host: []byte(said.Host), Direction: smtp.Outbound, Stage: smtp.StageMAIL})
	other := incident.Reply{
		Text: "550 5.7.1 Client host [192.0.2.25] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.25", Code: 550, Enhanced: smtp.EnhancedCode{5, 7, 1},
		Stage: smtp.StageRCPT, Host: "mx.example.net", Outcome: smtp.Bounced, Count: 3, First: at(8, 20, 0), Last: at(9, 0, 0),
	}
	other.Note = by.Reply(&classify.Said{Code: other.Code, Enhanced: other.Enhanced, Text: []byte(other.Text), Direction: smtp.Outbound, Stage: smtp.StageRCPT})
	line := func(n int64, t time.Time) incident.Line {
		return incident.Line{Time: t, Path: "mail.log", Number: n, Text: "Mar 11 08:12:48 mx1 postfix/smtp[1]: 4F1: to=<b@example.org>, status=deferred (host said: 451 4.7.500 Server busy)"}
	}
	who := func(name string, n int64) []incident.Who {
		return []incident.Who{{Name: name, Count: n, First: at(8, 12, 48), Last: at(9, 46, 51)}}
	}
	one := &incident.Incident{
		ID: 1, Kind: incident.Failures, Start: at(8, 12, 48), End: at(9, 46, 51), Status: incident.Recovered, Peak: at(9, 17, 0), PeakCount: 11, PeakWidth: time.Minute,
		Recovered: at(9, 47, 6), Direction: smtp.Outbound, Cause: said.Note.Cause, Severity: said.Note.Severity, Provider: said.Note.Provider, Party: "Microsoft", Scope: incident.One,
		Stage: smtp.StageMAIL, Replies: []incident.Reply{said, other}, Causes: []incident.CauseCount{{Cause: said.Note.Cause, Entry: said.Note.Entry, Count: 40}, {Cause: other.Note.Cause, Entry: other.Note.Entry, Count: 3}},
		Impact: incident.Impact{
			Deferred: 40, Bounced: 3, Messages: 40, Recipients: 38, Domains: 2, Senders: 3, Clients: 1, Parties: 1, DeliveredLate: 36, Lost: 3, Queued: 1,
			Delay:       incident.Delay{N: 36, P50: 32 * time.Minute, P95: 81 * time.Minute, Max: 101*time.Minute + 29*time.Second},
			ExpireFirst: at(8, 13, 0).AddDate(0, 0, 5), ExpireLast: at(9, 40, 0).AddDate(0, 0, 5), Lifetime: 5 * 24 * time.Hour, Attempts: 50, Share: .86, All: 90, ShareAll: .48,
		},
		Usual: incident.Usual{Known: true, Count: 2, Attempts: 900, Expected: .4, PerHour: .1, Span: 22 * time.Hour, Score: 90},
		Hit: incident.Hit{
			Parties: who("Microsoft", 43), Domains: who("example.org", 43), Hosts: who("example-org.mail.protection.outlook.com", 43), Senders: who("billing@example.com", 43),
			Clients: who("app.example.com", 43), Recipients: who("b@example.org", 40), Instances: who("mx1 postfix", 43),
		},
		Spared:   []incident.Flow{{Direction: smtp.Outbound, Name: "Google", Sent: 143, Failed: 5, Usual: 77.9, What: incident.ToParty}, {Direction: smtp.Inbound, Sent: 700, Usual: 650, What: incident.Incoming}},
		Evidence: []incident.Line{line(7103, at(8, 12, 48)), line(7999, at(9, 46, 51))},
		Example: &incident.Example{
			Queue: "4F1", Sender: "billing@example.com", Recipient: "b@example.org", Arrived: at(8, 12, 40), First: at(8, 12, 48), Tries: 3, Outcome: smtp.Sent, Done: at(9, 50, 0),
			Lines: []incident.Line{line(7103, at(8, 12, 48)), line(7300, at(8, 30, 0))},
		},
		Gaps:     []incident.Gap{{Start: at(9, 0, 0), End: at(9, 10, 0), Expected: 30}},
		Commands: []incident.Command{{What: "deferred", Line: "mailwhy events --cause rate_limited mail.log | wc -l", Gives: 40}},
		Partial:  2,
	}
	one.Triggers = []incident.Trigger{
		{Mark: incident.Mark{Time: at(8, 10, 0), What: incident.Started, Text: "daemon started -- version 3.7.11", Line: line(7000, at(8, 10, 0))}, Before: 168 * time.Second},
		{Mark: incident.Mark{Time: at(8, 0, 0), What: incident.SenderSpike, Count: 400}, Before: 12 * time.Minute, Name: "newsletter@example.com", Usual: 3.5},
		{Mark: incident.Mark{Time: at(8, 13, 0), What: incident.ManyRcpt, Count: 2000, Line: line(7104, at(8, 13, 0))}, Before: -12 * time.Second, Name: "4F2"},
	}
	one.Timeline = incident.Timeline{Start: at(7, 45, 0), Width: 5 * time.Minute, Marks: []incident.Mark{
		{Time: at(8, 10, 0), What: incident.Started, Text: "daemon started -- version 3.7.11", Line: line(7000, at(8, 10, 0))},
		{Time: at(8, 12, 48), What: incident.FirstSeen, Line: line(7103, at(8, 12, 48))}, {Time: at(9, 17, 0), What: incident.PeakSeen, Count: 11},
		{Time: at(9, 46, 51), What: incident.LastSeen}, {Time: at(9, 47, 6), What: incident.FirstSent},
	}}
	for i := range 30 {
		b := incident.Bucket{Counts: incident.Counts{Sent: int64(10 - i%4), Bounced: int64(i % 7 / 6)}, Gap: i == 15 || i == 16}
		if i > 4 && i < 25 {
			b.Incident, b.Sent = int64(i/4), int64(i%3)
			b.Deferred = b.Incident + int64(i%2)
		}
		one.Timeline.Buckets = append(one.Timeline.Buckets, b)
	}
	two := &incident.Incident{
		ID: 2, Kind: incident.Logins, Start: at(22, 5, 1), End: at(23, 59, 1), Status: incident.Ongoing, OpenEnd: true, Direction: smtp.Inbound, Cause: knowledge.Login, Severity: knowledge.Warning,
		Scope: incident.All, Causes: []incident.CauseCount{{Cause: knowledge.Login, Count: 911}}, Impact: incident.Impact{Logins: 911, Users: 4, Clients: 16, Attempts: 1030, All: 1030},
		Hit:     incident.Hit{Clients: who("203.0.113.9", 911), Users: who("info@example.com", 500)},
		Replies: []incident.Reply{{Text: "535 5.7.8 Error: authentication failed", Code: 535, Enhanced: smtp.EnhancedCode{5, 7, 8}, Stage: smtp.StageAUTH, Count: 911, First: at(22, 5, 1), Last: at(23, 59, 1)}},
	}
	two.Replies[0].Note = by.Reply(&classify.Said{Code: 535, Enhanced: smtp.EnhancedCode{5, 7, 8}, Text: []byte(two.Replies[0].Text), Direction: smtp.Inbound, Stage: smtp.StageAUTH})
	return &incident.Report{
		Coverage: sampleDay().Coverage, Incidents: []*incident.Incident{one, two}, Whole: incident.Counts{Sent: 1893, Deferred: 61}, Width: time.Minute,
		Gaps: one.Gaps, Jumps: []incident.Jump{{Path: "mail.log", Number: 99, From: at(5, 0, 0), To: at(4, 0, 0)}}, Hosts: []string{"mx1"}, Dropped: incident.Dropped{Names: 3},
	}
}

func incidentsIn(lang string, r *incident.Report) Incidents {
	by := classify.Default()
	return Incidents{Report: r, Words: knowledge.In(lang).Of(by.Base()), By: by}
}

// replaced sets every text in v, however deep, to what f makes of it.
func replaced(v reflect.Value, f func(string) string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && v.Type() != reflect.TypeFor[*time.Location]() {
			replaced(v.Elem(), f)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				replaced(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			replaced(v.Index(i), f)
		}
	case reflect.String:
		v.SetString(f(v.String()))
	}
}
