package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func TestParseCodes(t *testing.T) {
	for _, c := range []struct {
		in     string
		code   smtp.Code
		status smtp.EnhancedCode
		ok     bool
	}{
		{"553", 553, smtp.EnhancedCode{}, true},
		{"#5.7.1", 0, smtp.EnhancedCode{5, 7, 1}, true},
		{"(#5.1.1)", 0, smtp.EnhancedCode{5, 1, 1}, true},
		{" 550 5.7.1 ", 550, smtp.EnhancedCode{5, 7, 1}, true},
		{"550-5.7.1", 550, smtp.EnhancedCode{5, 7, 1}, true},
		{"599", 599, smtp.EnhancedCode{}, true},
		{"650", 0, smtp.EnhancedCode{}, false},
		{"199", 0, smtp.EnhancedCode{}, false},
		{"5500", 0, smtp.EnhancedCode{}, false},
		{"550 no", 0, smtp.EnhancedCode{}, false},
		{"7.1.1", 0, smtp.EnhancedCode{}, false},
		{"hello", 0, smtp.EnhancedCode{}, false},
		{"", 0, smtp.EnhancedCode{}, false},
	} {
		code, status, ok := parseCodes(c.in)
		if ok != c.ok || ok && (code != c.code || status != c.status) {
			t.Errorf("%q: %v %v %v", c.in, code, status, ok)
		}
	}
}

// TestRepliesOnStandardInput holds which lines belong together.
func TestRepliesOnStandardInput(t *testing.T) {
	for _, c := range []struct {
		in      string
		answers int
	}{
		{"550 one\n550 two\n", 2},
		{"550-one\n550 two\n", 1},
		{"550-one\r\n550-two\r\n550 three\r\n", 1},
		{"550-5.1.1 all of it in one line 550 5.1.1 as some logs have it\n421 next\n", 2},
		{"550-cut off\n421 another\n", 2},
		{"550-cut off by the end", 1},
		{"\n\n250 ok\n\n", 1},
		{`550-one\r\n550 two`, 1},
		{"", 0},
	} {
		var out, errs bytes.Buffer
		run([]string{"explain", "-o", "json", "--lang", "en"}, strings.NewReader(c.in), &out, &errs)
		var all []struct {
			SMTP struct{ Reply struct{ Text string } }
		}
		if err := json.Unmarshal(out.Bytes(), &all); err != nil || len(all) != c.answers {
			t.Errorf("%q: %d answers, want %d (%v): %s%s", c.in, len(all), c.answers, err, &out, &errs)
		}
	}
}

// FuzzExplain holds that whatever is pasted gets an answer or a refusal, in each form.
func FuzzExplain(f *testing.F) {
	for _, seed := range []string{
		"553", "5.7.1", "550 5.1.1 User unknown", `550-5.7.1 a\n550 5.7.1 b`, "hello", "", "\x1b[2J",
		"Mar 11 08:01:00 mx1 postfix/smtpd[100]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@example.net>: Relay access denied; from=<b@example.org> to=<a@example.net> proto=ESMTP helo=<x>",
		"2026-11-23 01:00:00 1abcde-000001-AB ** a@example.net R=dnslookup T=remote_smtp H=mx.example.net [192.0.2.1]: SMTP error from remote mail server after RCPT TO:<a@example.net>: 550 5.1.1 User unknown",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, reply string) {
		for _, form := range []string{"json", "ndjson", "text", "md"} {
			var out, errs bytes.Buffer
			status := run([]string{"explain", "--lang", "en", "-o", form, "--", reply}, strings.NewReader(""), &out, &errs)
			switch {
			case form == "ndjson" && reply != "-" && !json.Valid(out.Bytes()), form == "json" && status != exitUsage && !json.Valid(out.Bytes()):
				t.Errorf("%s: no JSON for %q: %s", form, reply, &out)
			case status == exitUsage && errs.Len() == 0:
				t.Errorf("%s: refused without a word: %q", form, reply)
			case strings.ContainsAny(out.String(), "\x1b\x00\x07"):
				t.Errorf("%s: control characters for %q: %q", form, reply, &out)
			}
		}
	})
}

// TestExplainAnswersAtOnce holds that each line has its answer before the next is read.
func TestExplainAnswersAtOnce(t *testing.T) {
	for _, form := range []string{"ndjson", "text", "md", "json"} {
		asked, ask := io.Pipe()
		answered, answer := io.Pipe()
		go func() {
			run([]string{"explain", "-o", form, "--lang", "en", "-"}, asked, answer, io.Discard)
			answer.Close()
		}()
		fmt.Fprintln(ask, "553")
		if n, err := answered.Read(make([]byte, 1<<16)); n == 0 || err != nil {
			t.Errorf("%s: %d bytes, %v", form, n, err)
		}
		ask.Close()
		io.Copy(io.Discard, answered)
	}
}

// TestExplainStops holds that lines without end are no reason to go on.
func TestExplainStops(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	var out bytes.Buffer
	w := &world{stdin: strings.NewReader("553\n553\n"), stdout: &out, stop: stop}
	c := explainCmd{What: []string{"-"}, By: "remote", Output: "json", wordsFlags: wordsFlags{Lang: "en"}}
	if err := c.Run(w); err != nil || out.String() != "[]\n" {
		t.Errorf("%v: %s", err, &out)
	}
}

// TestExplainRefusesQuietly holds that a message repeats no secret and nothing long.
func TestExplainRefusesQuietly(t *testing.T) {
	var out, errs bytes.Buffer
	nonsense := "AUTH PLAIN AGFsaWNlAHNlY3JldA== " + strings.Repeat("é", 1<<14)
	if status := run([]string{"explain", "--lang", "en", nonsense}, strings.NewReader(""), &out, &errs); status != exitUsage {
		t.Errorf("exit %d: %s", status, &out)
	}
	if s := errs.String(); strings.Contains(s, "AGFs") || len(s) > 1000 || !strings.Contains(s, "...") {
		t.Errorf("%d bytes: %.300s", len(s), s)
	}
}
