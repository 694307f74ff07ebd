package days

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// writer writes the lines of one format.
type writer interface {
	accept(m *message, at time.Time, user string) // one of ours hands a message in
	deliver(m *message, at time.Time, f fate)
	remove(m *message, at time.Time)
	receive(at time.Time, name, ip, from, to string) (id string)
	keep(id string, at time.Time, to string, fails *say) // in a mailbox here
	refuse(at time.Time, name, ip, from, to string, r refusal)
	login(at time.Time, ip, user string)
	lost(at time.Time, name, ip string)
	tls(at time.Time, name, ip string)
	restart(at time.Time)
}

func fill(s string, m *message) string {
	host := m.to.remote.host + "[" + m.to.remote.ip + "]"
	return strings.NewReplacer("%t", m.to.address, "%d", m.to.domain, "%h", host, "%f", m.from).Replace(s)
}

type postfix struct{ *world }

func (p postfix) log(at time.Time, process, text string) {
	p.add(at, fmt.Sprintf("%s mx1 postfix/%s[%d]: %s", at.Format(time.Stamp), process, 1000+p.rng.IntN(30000), text))
}

func (p postfix) accept(m *message, at time.Time, user string) {
	m.id = p.hex(11)
	n := p.rng.IntN(4)
	client := fmt.Sprintf("app%d.corp.example[192.0.2.%d]", n, 32+n)
	login, process := "", "smtpd"
	if user != "" {
		login, process = ", sasl_method=PLAIN, sasl_username="+user, "submission/smtpd"
	}
	p.log(at, process, "connect from "+client)
	p.log(at, process, m.id+": client="+client+login)
	p.log(at, "cleanup", m.id+": message-id=<"+strings.ToLower(p.hex(12))+"@corp.example>")
	p.log(at, "qmgr", fmt.Sprintf("%s: from=<%s>, size=%d, nrcpt=1 (queue active)", m.id, m.from, 900+p.rng.IntN(90000)))
	p.log(at, process, "disconnect from "+client+" ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")
}

func (p postfix) deliver(m *message, at time.Time, f fate) {
	host := m.to.remote.host + "[" + m.to.remote.ip + "]"
	relay, dsn, said := host+":25", "2.0.0", "250 2.0.0 Ok: queued as "+p.hex(11)
	switch {
	case f.outcome == "sent":
	case f.say.hello:
		dsn, said, relay = f.say.dsn, "host "+host+" refused to talk to me: "+fill(f.say.text, m), host+":25"
	case f.say.text != "":
		dsn, said = f.say.dsn, "host "+host+" said: "+fill(f.say.text, m)+" (in reply to "+f.say.stage+" command)"
	default:
		dsn, said, relay = f.say.dsn, fill(f.say.local, m), "none"
		if f.say.at != "" {
			relay = fill(f.say.at, m) + ":25"
		}
	}
	delay := at.Sub(m.arrived).Seconds()
	p.log(at, "smtp", fmt.Sprintf("%s: to=<%s>, relay=%s, delay=%.2g, delays=0.05/0.01/0.2/0.14, dsn=%s, status=%s (%s)", m.id, m.to.address, relay, max(delay, 0.1), dsn, f.outcome, said))
}

func (p postfix) remove(m *message, at time.Time) { p.log(at, "qmgr", m.id+": removed") }

func (p postfix) receive(at time.Time, name, ip, from, to string) string {
	id, client := p.hex(11), name+"["+ip+"]"
	p.log(at, "smtpd", "connect from "+client)
	p.log(at, "smtpd", id+": client="+client)
	p.log(at, "cleanup", id+": message-id=<"+strings.ToLower(p.hex(12))+"@sender.example>")
	p.log(at, "qmgr", fmt.Sprintf("%s: from=<%s>, size=%d, nrcpt=1 (queue active)", id, from, 900+p.rng.IntN(90000)))
	p.log(at, "smtpd", "disconnect from "+client+" ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5")
	return id
}

func (p postfix) keep(id string, at time.Time, to string, fails *say) {
	agent := "virtual"
	if slices.ContainsFunc(p.truths, func(t *truth) bool { return t.What == MailboxDown }) {
		agent = "lmtp"
	}
	if fails != nil {
		relay := "virtual"
		if agent == "lmtp" {
			relay = "none"
		}
		p.log(at, agent, fmt.Sprintf("%s: to=<%s>, relay=%s, delay=0.2, delays=0.1/0/0/0.1, dsn=%s, status=deferred (%s)", id, to, relay, fails.dsn, fails.local))
		return
	}
	relay, said := "virtual", "delivered to maildir"
	if agent == "lmtp" {
		relay, said = "mx1.corp.example[private/dovecot-lmtp]", "250 2.0.0 <"+to+"> Saved"
	}
	p.log(at, agent, id+": to=<"+to+">, relay="+relay+", delay=0.2, delays=0.1/0/0/0.1, dsn=2.0.0, status=sent ("+said+")")
	p.log(at, "qmgr", id+": removed")
}

func (p postfix) refuse(at time.Time, name, ip, from, to string, r refusal) {
	client := name + "[" + ip + "]"
	text := strings.NewReplacer("%t", to, "%a", ip, "%f", from).Replace(r.text)
	verb, recipient := "reject", ""
	if r.milter {
		verb = "milter-reject"
	}
	if r.withTo {
		recipient = " to=<" + to + ">"
	}
	p.log(at, "smtpd", "connect from "+client)
	p.log(at, "smtpd", fmt.Sprintf("NOQUEUE: %s: %s from %s: %s; from=<%s>%s proto=ESMTP helo=<%s>", verb, r.stage, client, text, from, recipient, name))
	p.log(at, "smtpd", "disconnect from "+client+" ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")
}

func (p postfix) login(at time.Time, ip, user string) {
	client := "unknown[" + ip + "]"
	p.log(at, "submission/smtpd", "connect from "+client)
	p.log(at, "submission/smtpd", "warning: "+client+": SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username="+user)
	p.log(at, "submission/smtpd", "disconnect from "+client+" ehlo=1 auth=0/1 quit=1 commands=2/3")
}

func (p postfix) lost(at time.Time, name, ip string) {
	client := name + "[" + ip + "]"
	p.log(at, "smtpd", "connect from "+client)
	p.log(at, "smtpd", "lost connection after AUTH from "+client)
	p.log(at, "smtpd", "disconnect from "+client+" ehlo=1 auth=0/1 commands=1/2")
}

func (p postfix) tls(at time.Time, name, ip string) {
	client := name + "[" + ip + "]"
	p.log(at, "smtpd", "connect from "+client)
	p.log(at, "smtpd", "SSL_accept error from "+client+": -1")
	p.log(at, "smtpd", "warning: TLS library problem: error:0A000415:SSL routines::sslv3 alert certificate expired:../ssl/record/rec_layer_s3.c:1586:SSL alert number 45:")
	p.log(at, "smtpd", "lost connection after STARTTLS from "+client)
	p.log(at, "smtpd", "disconnect from "+client+" ehlo=1 starttls=0/1 commands=1/2")
}

func (p postfix) restart(at time.Time) {
	p.log(at, "postfix-script", "stopping the Postfix mail system")
	p.log(at, "master", "terminating on signal 15")
	p.log(at.Add(2*time.Second), "postfix-script", "starting the Postfix mail system")
	p.log(at.Add(2*time.Second), "master", "daemon started -- version 3.7.11, configuration /etc/postfix")
}

type exim struct{ *world }

func (e exim) log(at time.Time, text string) { e.add(at, at.Format(time.DateTime)+" "+text) }

func (e exim) id() string {
	e.serial++
	return fmt.Sprintf("1uP%s-%s-%s", e.hex(3), fmt.Sprintf("%06d", e.serial%1000000), e.hex(2))
}

func (e exim) accept(m *message, at time.Time, user string) {
	m.id = e.id()
	n := e.rng.IntN(4)
	login := "P=esmtps"
	if user != "" {
		login = "P=esmtpsa A=plain_server:" + user
	}
	e.log(at, fmt.Sprintf("%s <= %s H=app%d.corp.example [192.0.2.%d] %s S=%d id=%s@corp.example", m.id, m.from, n, 32+n, login, 900+e.rng.IntN(90000), strings.ToLower(e.hex(12))))
}

func (e exim) deliver(m *message, at time.Time, f fate) {
	host := "H=" + m.to.remote.host + " [" + m.to.remote.ip + "]"
	head := m.id + " => "
	switch {
	case f.outcome == "sent":
		e.log(at, head+m.to.address+" R=dnslookup T=remote_smtp "+host+` C="250 2.0.0 Ok: queued as `+e.hex(11)+`"`)
		return
	case f.outcome == "bounced":
		head = m.id + " ** "
	default:
		head = m.id + " == "
	}
	said := "SMTP error from remote mail server after " + f.say.stage + ":<" + m.to.address + ">: " + fill(f.say.text, m)
	if f.say.hello {
		said = "SMTP error from remote mail server after initial connection: " + f.say.text
	}
	switch {
	case f.say.text != "" && f.outcome == "bounced":
		e.log(at, head+m.to.address+" R=dnslookup T=remote_smtp "+host+": "+said)
	case f.say.text != "":
		e.log(at, head+m.to.address+" R=dnslookup T=remote_smtp defer (-44) "+host+": "+said)
	case f.say.errno == -1:
		e.log(at, head+m.to.address+" R=dnslookup defer (-1): "+f.say.exim)
	default:
		e.log(at, fmt.Sprintf("%s%s R=dnslookup T=remote_smtp defer (%d): %s", head, m.to.address, f.say.errno, f.say.exim))
	}
}

func (e exim) remove(m *message, at time.Time) { e.log(at, m.id+" Completed") }

func (e exim) receive(at time.Time, name, ip, from, to string) string {
	id := e.id()
	e.log(at, fmt.Sprintf("%s <= %s H=%s [%s] P=esmtps S=%d id=%s@sender.example", id, from, name, ip, 900+e.rng.IntN(90000), strings.ToLower(e.hex(12))))
	return id
}

func (e exim) keep(id string, at time.Time, to string, fails *say) {
	user := to[:strings.IndexByte(to, '@')]
	if fails != nil {
		e.log(at, fmt.Sprintf("%s == %s <%s> R=local_user T=maildir_home defer (%d): %s", id, user, to, fails.errno, fails.exim))
		return
	}
	e.log(at, id+" => "+user+" <"+to+"> R=local_user T=maildir_home")
	e.log(at, id+" Completed")
}

func (e exim) refuse(at time.Time, name, ip, from, to string, r refusal) {
	text := strings.NewReplacer("%t", to, "%a", ip, "%f", from).Replace(r.exim)
	e.log(at, fmt.Sprintf("H=%s [%s] F=<%s> %s", name, ip, from, text))
}

func (e exim) login(at time.Time, ip, user string) {
	e.log(at, fmt.Sprintf("login authenticator failed for (User) [%s]: 535 Incorrect authentication data (set_id=%s)", ip, user))
}

func (e exim) lost(at time.Time, name, ip string) {
	e.log(at, fmt.Sprintf("SMTP connection from %s [%s] lost", name, ip))
}

func (e exim) tls(at time.Time, name, ip string) {
	e.log(at, fmt.Sprintf("TLS error on connection from %s [%s] (SSL_accept): error:0A000415:SSL routines::sslv3 alert certificate expired", name, ip))
}

func (e exim) restart(at time.Time) {
	e.log(at, "exim 4.96 daemon started: pid=1234, -q30m, listening for SMTP on port 25")
}
