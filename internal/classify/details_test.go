package classify

import (
	"strings"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func detailsOf(text string) Details {
	r := smtp.ParseReply([]byte(text))
	return DetailsOf(&Said{Code: r.Code, Enhanced: r.Enhanced, Text: r.Text})
}

func TestDetails(t *testing.T) {
	for _, c := range []struct {
		text                                    string
		list, removal, refused, link, reference string
		retry                                   time.Duration
	}{
		{text: "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.7",
			list: "Spamhaus ZEN", removal: "https://check.spamhaus.org/", refused: "192.0.2.7", link: "https://www.spamhaus.org/query/ip/192.0.2.7"},
		{text: "554 5.7.1 Service unavailable; Client host [2001:db8::7] blocked using bl.example.org",
			list: "bl.example.org", refused: "2001:db8::7"},
		{text: "550 5.7.1 Service unavailable; Sender address [a@example.net] blocked using dbl.spamhaus.org", list: "Spamhaus DBL", removal: "https://check.spamhaus.org/", refused: "a@example.net"},
		{text: "550 5.7.1 Unfortunately, messages from [192.0.2.7] weren't sent, since part of their network is on our block list (S3150).",
			list: "Outlook.com", removal: "https://sendersupport.olc.protection.outlook.com/", refused: "192.0.2.7", reference: "S3150"},
		{text: "421 4.7.0 [TSS04] Messages from 192.0.2.7 temporarily deferred; see https://postmaster.yahooinc.com/error-codes.",
			refused: "192.0.2.7", link: "https://postmaster.yahooinc.com/error-codes", reference: "TSS04"},
		{text: "550 5.7.1 Service refuse. OFR_999 [999]", reference: "OFR_999"},
		{text: "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [mx.example.net]", reference: "AS(201806281)"},
		{text: "550-5.1.1 NoSuchUser 550 5.1.1 x12-20020ab12.34 - gsmtp", reference: "x12-20020ab12.34"},
		{text: "550 5.7.26 Unauthenticated - gsmtp"},
		{text: "450 4.2.0 Greylisted, please try again in 300 seconds", retry: 5 * time.Minute},
		{text: "451 4.7.1 Try again later (in 5 minutes).", retry: 5 * time.Minute},
		{text: "451 4.7.1 Greylisting in action, please come back in 00:04:59", retry: 4*time.Minute + 59*time.Second},
		{text: "450 4.7.1 Retry in 1h", retry: time.Hour},
		{text: "450 wait 999999 hours", retry: maxRetryAfter},
		{text: "450 Greylisted, retry in 2 days", retry: 48 * time.Hour},
		{text: "550 5.1.1 \xff\xff\xff\xff domain [bad.example.net] refused", refused: "bad.example.net"},
		{text: "550 5.7.1 Malformed (RFC5322) mail over (IPV6)"},
		{text: "550 We had 3 hours of sun"},
		{text: "250 2.0.0 Ok: queued as 4XyZ from 192.0.2.7"},
	} {
		d := detailsOf(c.text)
		link := strings.Join(d.Links, " ")
		if d.Blocklist != c.list || d.Removal != c.removal || d.Refused != c.refused || link != c.link || d.Reference != c.reference || d.RetryAfter != c.retry {
			t.Errorf("%s\ngot %+v", c.text, d)
		}
	}
}

func TestOddNumbers(t *testing.T) {
	for text, want := range map[string][2]bool{
		"550 5.1.1 No":  {false, false},
		"550 4.1.1 No":  {true, false},
		"421 5.7.32 No": {true, false},
		"599 No":        {false, true},
		"571 5.7.1 No":  {false, true},
	} {
		if d := detailsOf(text); d.Contradicts != want[0] || d.Nonstandard != want[1] {
			t.Errorf("%s: contradicts %v, nonstandard %v", text, d.Contradicts, d.Nonstandard)
		}
	}
}

func FuzzDetails(f *testing.F) {
	for _, s := range []string{"554 5.7.1 Client host [192.0.2.7] blocked using zen.spamhaus.org; https://x/.", "450 try again in 300 seconds", "(S3150) [TSS04] httphttp://", "domain [", "::::....1:2:3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := DetailsOf(&Said{Code: 550, Text: []byte(s)})
		if len(d.Links) > maxLinks || d.RetryAfter < 0 || d.RetryAfter > maxRetryAfter || len(d.Reference) > maxReference {
			t.Errorf("%q: %+v", s, d)
		}
	})
}
