package classify

import (
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Providers are known by their words, or by the host that speaks, and their numbers mean
// what they say they mean.
func TestProviders(t *testing.T) {
	for _, c := range []struct{ host, text, provider, cause, basis string }{
		{"", "550-5.7.26 This mail has been blocked because the sender is unauthenticated. 550 5.7.26 - gsmtp", "google", "auth_dmarc", "provider_text"},
		{"aspmx.l.google.com", "421 4.7.29 Not today", "google", "tls", "provider_text"},
		{"mx.example.net", "550 5.1.1 No such user", "", "recipient_unknown", "text"},
		{"mx.example.net", "421 4.7.28 An unusual rate of unsolicited mail originates from your IP address [192.0.2.1] - gsmtp", "google", "rate_limited", "provider_text"},
		{"", "452-4.2.2 The recipient's inbox is out of storage space. 452 4.2.2 https://support.google.com/mail/?p=OverQuotaTemp x12-20020a - gsmtp", "google", "mailbox_full", "text"},
		{"example-net.mail.protection.outlook.com", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", "microsoft", "blocklisted", "provider_text"},
		{"example-net.mail.protection.outlook.com", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "microsoft", "recipient_unknown", "provider_text"},
		{"", "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", "microsoft", "blocklisted", "provider_text"},
		{"", "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints", "yahoo", "reputation", "provider_text"},
		{"mx01.mail.icloud.com", "550 5.7.1 [CS01] Message rejected due to local policy. Please visit https://support.apple.com/en-us/HT204137", "apple", "policy", "provider_text"},
		{"", "550 5.7.1 INT-P6 https://postmaster.facebook.com/response_codes?ip=192.0.2.1#int", "facebook", "policy", "provider_text"},
	} {
		r := smtp.ParseReply([]byte(c.text))
		got := Reply(&Said{Code: r.Code, Enhanced: r.Enhanced, Text: r.Text, Host: []byte(c.host), Stage: smtp.StageRCPT, Direction: smtp.Outbound})
		provider := knowledge.Load().ProviderID(got.Provider)
		if provider != c.provider || got.Cause.ID() != c.cause || got.Basis.String() != c.basis {
			t.Errorf("%s said %q\ngot  %q, %s by %s (%s)\nwant %q, %s by %s", c.host, c.text, provider, got.Cause.ID(), got.Basis, entry(got), c.provider, c.cause, c.basis)
		}
	}
}

// A user's rule goes before ours, and its sample is taken by it.
func TestOwnRuleWins(t *testing.T) {
	base, err := knowledge.WithRules(knowledge.RuleFile{Path: "own.toml", Data: []byte(`
[[rule]]
id = "ours"
cause = "policy"
any = "user unknown"
sample = "550 5.1.1 User unknown"

[[rule]]
id = "never-heard"
cause = "spam_content"
any = "unknown in"
sample = "550 5.1.1 User unknown in table"
`)})
	if err != nil {
		t.Fatal(err)
	}
	c := New(base)
	if got := c.Reply(&Said{Code: 550, Text: []byte("User unknown in table")}); base.Entry(got.Entry).ID != "ours" {
		t.Errorf("the built-in rule won: %s", base.Entry(got.Entry).ID)
	}
	for i := range base.Rules[:base.OwnRules] {
		if taker := c.Taker(&base.Rules[i]); taker == nil || taker.ID != "ours" {
			t.Errorf("the sample of %s is not taken by ours: %v", base.Rules[i].ID, taker)
		}
	}
}
