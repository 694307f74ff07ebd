package smtp

import (
	"bytes"
	"testing"
)

func TestAppendMasked(t *testing.T) {
	for text, want := range map[string]string{
		"AUTH PLAIN AGFsaWNlAHMzY3IzdA==": "AUTH PLAIN ****",
		"auth login YWxpY2U=":             "auth login ****",
		`rejected "AUTH PLAIN AGFsaWNlAHMzY3IzdA==" H=x next input="QUIT\r\n"`: `rejected "AUTH PLAIN ****" H=x next input="QUIT\r\n"`,
		"xsasl: sasl_method PLAIN, init_response AGFsaWNlAHMzY3IzdA==":         "xsasl: sasl_method PLAIN, init_response ****",
		"AUTH CRAM-MD5":   "AUTH CRAM-MD5",
		"AUTH PLAIN ****": "AUTH PLAIN ****",
		"after AUTH from client.example[192.0.2.1]":   "after AUTH from client.example[192.0.2.1]",
		"AUTH command used when not advertised":       "AUTH command used when not advertised",
		"AUTH PLAIN dGVzdA== and AUTH LOGIN dGVzdA==": "AUTH PLAIN **** and AUTH LOGIN ****",
		"":                                    "",
		"no secret at all, though a lot of a": "no secret at all, though a lot of a",
		"MAIL FROM:<a@example.com> AUTH=<>":   "MAIL FROM:<a@example.com> AUTH=<>",
	} {
		if got := AppendMasked(nil, []byte(text)); string(got) != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if HasSecret([]byte(text)) != (text != want) {
			t.Errorf("HasSecret(%q)", text)
		}
	}
}

// TestAppendMaskedLinear: a text made of beginnings costs no more than its length.
func TestAppendMaskedLinear(t *testing.T) {
	text := bytes.Repeat([]byte("AUTH XYZZY "), 200_000)
	if got := AppendMasked(nil, text); !bytes.Equal(got, text) {
		t.Error("something was masked")
	}
}
