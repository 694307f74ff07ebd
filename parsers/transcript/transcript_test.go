package transcript

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const samples = "../../testdata/transcript"

// full is the conversation that most samples hold: AUTH LOGIN, a recipient refused in two
// lines, a body full of lines that look like replies and commands.
const full = "220/CONNECT 250/EHLO 334/AUTH 334/AUTH 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/DOT/2.0.0 221/QUIT/2.0.0"

var cases = []struct {
	name, dialect string
	sessions      int
	want          string // code/stage/enhanced code of each reply
}{
	{"blat", "blat", 1, full},
	{"crystal", "arrows", 1, full},
	{"curl", "curl", 1, "220/CONNECT 250/EHLO 250/MAIL/2.1.0 550/RCPT/5.1.1 221/QUIT/2.0.0"},
	{"curl-tls-535", "curl", 1, "220/CONNECT 250/EHLO 220/STARTTLS/2.0.0 250/EHLO 334/AUTH 535/AUTH/5.7.8"},
	{"curl-trace-ascii", "curl-trace", 1, full},
	{"curl-trace-hex", "curl-trace", 1, full},
	{"dokuwiki", "dokuwiki", 1, full},
	{"dovecot-client-in", "dovecot-rawlog", 1, ""},
	{"dovecot-relay-in", "dovecot-rawlog", 1, "220/CONNECT 250/EHLO 334/AUTH 334/AUTH 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/UNKNOWN/2.0.0 221/QUIT/2.0.0"},
	{"dsn-exim", "dsn", 1, "554/DOT/5.7.1 550/RCPT/5.1.1"},
	{"dsn-fields", "dsn", 1, "550/RCPT/5.1.1"},
	{"dsn-postfix", "dsn", 2, "550/RCPT/5.1.1 554/DOT/5.7.1"},
	{"dsn-sendmail", "dsn", 2, "550/RCPT/5.1.1 451/DATA/4.7.1"},
	{"evolution", "evolution", 1, full},
	{"exchange-receive", "exchange", 1, full},
	{"exchange-send", "exchange", 1, full},
	{"exim-bh", "exim-bh", 1, "220/CONNECT 250/EHLO 250/MAIL 550/RCPT/5.1.1 221/QUIT"},
	{"exim-client", "eximclient", 1, "220/CONNECT 250/EHLO 250/MAIL 250/RCPT 250/BDAT 250/BDAT 221/QUIT"},
	{"exim-d-pid", "exim", 1, "220/CONNECT 250/EHLO 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/DOT/2.0.0 221/QUIT/2.0.0"},
	{"exim-server", "exim", 1, "220/CONNECT 250/EHLO 250/MAIL 250/RCPT 354/DATA 250/DOT 221/QUIT"},
	{"exim-v", "exim", 1, "220/CONNECT 250/EHLO 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/DOT/2.0.0 221/QUIT/2.0.0"},
	{"fakesmtp", "fakesmtp", 1, full},
	{"fetchmail", "sylpheed", 1, full},
	{"ftp", "", 0, ""},
	{"gomail", "gomail", 1, "250/EHLO 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RSET/2.0.0 221/QUIT/2.0.0"},
	{"haraka", "haraka", 1, full},
	{"heirloom", "sendmail", 1, full},
	{"hmailserver", "hmailserver", 2, "220/CONNECT 220/CONNECT 250/EHLO 554/EHLO/5.7.1 334/AUTH 535/AUTH"},
	{"iis-ncsa", "iis-ncsa", 2, "220/CONNECT 250/EHLO 250/EHLO 550/MAIL 221/QUIT"},
	{"iis-w3c", "iis-w3c", 1, "250/EHLO 250/MAIL 250/RCPT 250/DATA 240/QUIT"},
	{"javamail", "javamail", 1, "220/CONNECT 250/EHLO 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/DOT/2.0.0 221/QUIT/2.0.0"},
	{"mailenable", "mailenable", 1, "220/CONNECT 250/MAIL 250/RCPT 250/DOT/2.0.0"},
	{"mailkit", "rfc", 1, full},
	{"mdaemon", "arrows", 1, full},
	{"msmtp", "msmtp", 1, full},
	{"mutt", "mutt", 1, full},
	{"neomutt", "mutt", 1, full},
	{"nodemailer", "nodemailer", 1, full},
	{"openssl", "openssl", 1, full},
	{"openssl-starttls", "plain", 1, "250/EHLO 250/EHLO 250/MAIL/2.1.0 550/RCPT/5.1.1 221/QUIT/2.0.0"},
	{"opmlog", "opmlog", 1, full},
	{"pearmail", "pearmail", 1, full},
	{"perl", "perlsmtp", 1, full},
	{"phpmailer", "phpmailer", 1, full},
	{"phpmailer-html", "phpmailer", 1, full},
	{"postal", "double-arrows", 1, full},
	{"postfix-smtp-notice", "postfix-notice", 1, "220/CONNECT 250/EHLO 501/MAIL/5.1.7 503/RCPT/5.5.1 503/DATA/5.5.1 250/RSET/2.0.0 221/QUIT/2.0.0"},
	{"postfix-smtp-verbose", "postfix-verbose", 1, full},
	{"postfix-smtpd-notice", "postfix-notice", 1, "220/CONNECT 250/EHLO 250/MAIL/2.1.0 550/RCPT/5.1.1 554/DATA/5.5.1"},
	{"postfix-smtpd-verbose", "postfix-verbose", 1, full},
	{"recordio", "recordio", 1, full},
	{"rfc", "rfc", 1, full},
	{"ruby", "rubysmtp", 1, full},
	{"s-nail", "s-nail", 1, full},
	{"sendmail-v", "sendmail", 1, full},
	{"smartermail", "smartermail", 1, full},
	{"smtp-source", "smtp-source", 1, full},
	{"smtplib", "smtplib", 1, full},
	{"smtplib-python2", "smtplib", 1, full},
	{"smtplib-two-transactions", "smtplib", 1, "220/CONNECT 250/EHLO 250/MAIL/2.1.0 250/RCPT/2.1.5 550/RCPT/5.1.1 354/DATA 250/DOT/2.0.0 250/MAIL/2.1.0 554/RCPT/5.7.1 250/RSET/2.0.0 221/QUIT/2.0.0"},
	{"smtpmock", "smtpmock", 1, full},
	{"ssmtp", "ssmtp", 1, full},
	{"stalwart", "stalwart", 1, full},
	{"stranger", "unknown", 1, full},
	{"swaks-auth", "swaks", 1, full},
	{"swaks-refused", "swaks", 1, ""},
	{"swaks-tls", "swaks", 1, "220/CONNECT 250/EHLO 220/STARTTLS/2.0.0 250/EHLO 235/AUTH/2.7.0 250/MAIL/2.1.0 250/RCPT/2.1.5 354/DATA 250/DOT/2.0.0 221/QUIT/2.0.0"},
	{"swiftmailer", "swiftmailer", 1, full},
	{"swiftmailer-json", "swiftmailer-json", 1, full},
	{"sylpheed", "sylpheed", 1, full},
	{"symfony", "angles", 1, full},
	{"telnet", "telnet", 1, full},
	{"telnet-annotated", "rfc", 1, full},
	{"thunderbird", "thunderbird", 1, full},
	{"tmail", "angles", 1, full},
	{"tshark-follow", "tshark-follow", 1, full},
	{"tshark-follow-hex", "tshark-follow", 1, full},
	{"tshark-summary", "tshark", 1, full},
	{"tshark-verbose", "tshark-verbose", 1, full},
	{"smtp-cli", "smtp-cli", 1, full},
	{"nodemailer-old", "nodemailer-old", 1, full},
	{"sendmail-traffic", "sendmail-traffic", 1, full},
	{"swaks-no-hints", "swaks", 1, full},
	{"arrows-reversed", "msmtp", 1, full},
}

func TestSamples(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases {
		seen[c.name+".txt"] = true
		data := read(t, c.name)
		got, info := replies(data)
		if got != c.want {
			t.Errorf("%s:\n got  %s\n want %s", c.name, got, c.want)
		}
		if info.Dialect != c.dialect || info.Sessions != c.sessions {
			t.Errorf("%s: dialect %q with %d sessions, want %q with %d", c.name, info.Dialect, info.Sessions, c.dialect, c.sessions)
		}
		check(t, c.name, data)
	}
	files, err := os.ReadDir(samples)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".txt") && !seen[f.Name()] {
			t.Errorf("%s is not among the cases", f.Name())
		}
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// replies writes the answers of a transcript as "code/stage/enhanced code".
func replies(data []byte) (string, Info) {
	var b strings.Builder
	info := Parse(data, func(ev *smtp.Event, line int) {
		if ev.Reply.Code == 0 {
			return
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%v/%v", ev.Reply.Code, ev.Stage)
		if !ev.Reply.Enhanced.IsZero() {
			fmt.Fprintf(&b, "/%v", ev.Reply.Enhanced)
		}
	})
	return b.String(), info
}

// secrets stand in the samples, as they are and as AUTH sends them.
var secrets = []string{"open-sesame", "b3Blbi1zZXNhbWU", "YWxpY2U=", "G9wZW4tc2VzYW1l", "AGFubmFA"}

// check holds what is true of every input: no secret in any field, every line counted
// once, line numbers within the file, sessions named.
func check(t *testing.T, name string, data []byte) {
	t.Helper()
	lines := 0
	info := Parse(data, func(ev *smtp.Event, line int) {
		if line < lines {
			t.Errorf("%s: %v at line %d stands behind line %d", name, ev.Kind, line, lines)
		}
		lines = max(lines, line)
		if line < 1 || len(ev.Session) == 0 || ev.Format != smtp.FormatTranscript {
			t.Errorf("%s: event %v at line %d of session %q", name, ev.Kind, line, ev.Session)
		}
		for _, field := range [][]byte{ev.Text, ev.Reply.Text, ev.Helo, ev.From, ev.To, ev.AuthMethod, ev.User, ev.Session, ev.Peer.Name, ev.Peer.IP} {
			for _, s := range secrets {
				if bytes.Contains(field, []byte(s)) {
					t.Errorf("%s: line %d: %v shows a secret: %q", name, line, ev.Kind, field)
				}
			}
		}
	})
	if info.Understood+info.Foreign+info.Unknown != info.Lines || lines > info.Lines {
		t.Errorf("%s: %+v, last event at line %d", name, info, lines)
	}
}
