package postfix

import (
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// screening reads what postscreen and its helpers log, verdicts apart
// (src/postscreen/postscreen.c, postscreen_early.c, postscreen_smtpd.c).
func screening(b []byte, ev *smtp.Event) bool {
	if rest, ok := after(b, "addr "); ok {
		return listed(rest, b, ev)
	}
	if len(b) == 0 || b[0]-'A' >= 26 {
		return false
	}
	for i := range screenWords {
		w := &screenWords[i]
		rest, ok := after(b, w.words)
		if !ok {
			continue
		}
		ev.Kind, ev.Direction, ev.Failed, ev.Text = w.kind, smtp.Inbound, w.failed, b
		ev.Stage = w.stage
		if w.before != "" {
			if _, rest, ok = cut(rest, w.before); !ok {
				return true // cut before the client
			}
		}
		var n int
		ev.Peer, n = peer(rest)
		if last, ok := after(rest[n:], " after "); ok {
			ev.Stage = stageOf(colonless(last))
		} else if _, ok := after(rest[n:], " in tests before SMTP handshake"); ok {
			ev.Stage = smtp.StageConnect
		}
		if string(ev.Process) == "tlsproxy" {
			// The session is postscreen's; tlsproxy only carries it.
			ev.Kind = smtp.KindNotice
		}
		return true
	}
	return false
}

var screenWords = [...]struct {
	words  string
	before string // what stands between words and the client
	kind   smtp.Kind
	stage  smtp.Stage
	failed bool
}{
	{"CONNECT from ", "", smtp.KindConnect, smtp.StageNone, false},
	{"DISCONNECT ", "", smtp.KindDisconnect, smtp.StageNone, false},
	{"PASS NEW ", "", smtp.KindFilter, smtp.StageNone, false},
	{"PASS OLD ", "", smtp.KindFilter, smtp.StageNone, false},
	{"WHITELISTED ", "", smtp.KindFilter, smtp.StageNone, false},
	{"ALLOWLISTED ", "", smtp.KindFilter, smtp.StageNone, false},
	{"BLACKLISTED ", "", smtp.KindFilter, smtp.StageNone, true},
	{"DENYLISTED ", "", smtp.KindFilter, smtp.StageNone, true},
	{"WHITELIST VETO ", "", smtp.KindFilter, smtp.StageNone, true},
	{"ALLOWLIST VETO ", "", smtp.KindFilter, smtp.StageNone, true},
	{"DNSBL rank ", " for ", smtp.KindFilter, smtp.StageNone, true},
	{"PREGREET ", " from ", smtp.KindWarning, smtp.StageConnect, true},
	{"HANGUP ", " from ", smtp.KindLost, smtp.StageNone, true},
	{"COMMAND TIME LIMIT from ", "", smtp.KindTimeout, smtp.StageNone, true},
	{"COMMAND COUNT LIMIT from ", "", smtp.KindWarning, smtp.StageNone, true},
	{"COMMAND LENGTH LIMIT from ", "", smtp.KindWarning, smtp.StageNone, true},
	{"COMMAND PIPELINING from ", "", smtp.KindWarning, smtp.StageNone, true},
	{"NON-SMTP COMMAND from ", "", smtp.KindWarning, smtp.StageNone, true},
	{"BARE NEWLINE from ", "", smtp.KindWarning, smtp.StageNone, true},
	{"BDAT without valid RCPT from ", "", smtp.KindWarning, smtp.StageBDAT, true},
	{"DATA without valid RCPT from ", "", smtp.KindWarning, smtp.StageDATA, true},
}

// colonless cuts what a client sent off a command that is quoted with it.
func colonless(b []byte) []byte {
	before, _, _ := cut(b, ":")
	return before
}

// listed reads dnsblog's "addr 192.0.2.1 listed by domain D as 127.0.0.2".
func listed(rest, b []byte, ev *smtp.Event) bool {
	addr, _, ok := cut(rest, " ")
	if !ok || (index(rest, " listed by domain ") < 0 && index(rest, " blocked by domain ") < 0) {
		return false
	}
	ev.Kind, ev.Direction, ev.Text = smtp.KindNotice, smtp.Inbound, b
	ev.Peer.IP = addr
	return true
}
