package postfix

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// tlsLine reads what both sides log of TLS (src/tls/tls_server.c, tls_client.c).
func tlsLine(b []byte, ev *smtp.Event) bool {
	for i := range tlsForms {
		f := &tlsForms[i]
		at := 0
		if f.inside {
			if at = index(b[:min(len(b), maxTrust)], f.words); at < 0 {
				continue
			}
		} else if _, ok := after(b, f.words); !ok {
			continue
		}
		rest := b[at+len(f.words):]
		ev.Kind, ev.Direction, ev.Failed, ev.Stage = f.kind, f.direction, f.failed, smtp.StageSTARTTLS
		if ev.Kind == smtp.KindNotice {
			ev.Stage = smtp.StageNone
		}
		p, n := peer(rest)
		if n == 0 {
			p, n = nameOnly(rest)
		}
		ev.Peer = p
		if f.failed {
			ev.Text = b
		} else {
			cipher(rest[n:], ev)
		}
		return true
	}
	return false
}

// maxTrust bounds the words about trust before "TLS connection established".
const maxTrust = 64

var tlsForms = [...]struct {
	words     string
	inside    bool // words of another kind stand before
	kind      smtp.Kind
	direction smtp.Direction
	failed    bool
}{
	{"TLS connection established from ", true, smtp.KindTLS, smtp.Inbound, false},
	{"TLS connection established to ", true, smtp.KindTLS, smtp.Outbound, false},
	{"TLS connection reused from ", true, smtp.KindTLS, smtp.Inbound, false},
	{"TLS connection reused to ", true, smtp.KindTLS, smtp.Outbound, false},
	{"setting up TLS connection from ", false, smtp.KindNotice, smtp.Inbound, false},
	{"setting up TLS connection to ", false, smtp.KindNotice, smtp.Outbound, false},
	{"SSL_accept error from ", false, smtp.KindTLS, smtp.Inbound, true},
	{"SSL_connect error to ", false, smtp.KindTLS, smtp.Outbound, true},
	{"TLS handshake failed for service=smtpd peer=", false, smtp.KindTLS, smtp.Inbound, true},
	{"TLS handshake failed for service=smtp peer=", false, smtp.KindTLS, smtp.Outbound, true},
	{"abort: TLS from ", false, smtp.KindTLS, smtp.Inbound, true},
	{"certificate verification failed for ", false, smtp.KindTLS, smtp.Outbound, true},
	{"certificate peer name verification failed for ", false, smtp.KindTLS, smtp.Outbound, true},
	{"server certificate verification failed for ", false, smtp.KindTLS, smtp.Outbound, true},
}

// cipher reads ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) ...".
func cipher(b []byte, ev *smtp.Event) {
	version, rest, ok := cut(b, " with cipher ")
	if !ok {
		return
	}
	if i := bytes.LastIndexByte(version, ' '); i >= 0 {
		ev.TLSVersion = version[i+1:]
	}
	name, _, _ := cut(rest, " ")
	ev.TLSCipher = name
}
