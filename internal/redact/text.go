package redact

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Text puts pseudonyms into a text that stands alone.
func (r *Redactor) Text(s string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.own)
	return string(r.text(nil, []byte(s)))
}

// text appends s to dst, with its pseudonyms. What stood in quotes may make another word of
// what stands beside it.
func (r *Redactor) text(dst, s []byte) []byte {
	s = r.free(s)
	start := len(dst)
	dst, again := r.eachWord(dst, s)
	for range maxLayers {
		if !again {
			break
		}
		dst, again = r.eachWord(dst[:start], append([]byte(nil), dst[start:]...))
	}
	return dst
}

// eachWord appends s to dst, word by word.
func (r *Redactor) eachWord(dst, s []byte) (_ []byte, hadQuotes bool) {
	expect := byte(0) // the kind of name that is announced by what stood before, as by "helo=<"
	for i := 0; i < len(s); {
		if n := r.quoted(s[i:]); n > 0 {
			hadQuotes = true
			dst = append(dst, r.address("user-", string(s[i:i+n]))...)
			i += n
			continue
		}
		if n := delimiter(s[i:]); n > 0 {
			dst = append(dst, s[i:i+n]...)
			if !opens(s[i]) {
				expect = 0
			}
			i += n
			continue
		}
		j := i + 1
		for j < len(s) && (delimiter(s[j:]) == 0 || s[j] == ';' && isEntity(s[i:j])) {
			j++
		}
		if expect == 0 && i > 0 && s[i-1] == '<' && j < len(s) && s[j] == '>' {
			expect = kindUser // "<alice>: no such user"
		}
		dst, expect = r.word(dst, string(s[i:j]), expect)
		i = j
	}
	return dst, hadQuotes
}

// delimiter returns the length of what ends a word at the start of s, 0 for nothing. Logs
// within JSON write < and > as escapes.
func delimiter(s []byte) int {
	switch c := s[0]; c {
	case '<', '>', '"', ',', ';', '(', ')', '[', ']', '{', '}', '|', '`':
		return 1
	case '\\':
		if len(s) >= 6 && s[1] == 'u' {
			switch string(bytes.ToLower(s[2:6])) {
			case "003c", "003e", "0026", "0022", "0027":
				return 6
			}
			return 0
		}
		if len(s) >= 2 && (s[1] == 'n' || s[1] == 'r' || s[1] == 't' || s[1] == '"' || s[1] == '\\' || s[1] == '/') {
			return 2
		}
		return 0
	default:
		if c <= ' ' || c == 0x7f {
			return 1
		}
	}
	return 0
}

// isEntity reports that a word ends with an entity but for its semicolon.
func isEntity(word []byte) bool {
	i := bytes.LastIndexByte(word, '&')
	return i >= 0 && len(word)-i > 2 && len(word)-i < 8
}

// opens reports what may stand between "helo=" and a name.
func opens(c byte) bool { return c == '<' || c == '"' || c == '(' || c == '[' || c == '\\' }

// maxQuotedLocal is how long a quoted local part may be (RFC 5321, 4.5.3.1.1, with some to
// spare).
const maxQuotedLocal = 128

// quoted returns the length of an address with a quoted local part at the start of s; 0 when
// there is none.
func (r *Redactor) quoted(s []byte) int {
	if s[0] != '"' {
		return 0
	}
	for i := 1; i < len(s) && i < maxQuotedLocal; i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			if i+2 < len(s) && i > 1 && s[i+1] == '@' && nameByte(s[i+2]) {
				return i + 2 + nameLength(string(s[i+2:]))
			}
			return 0
		}
	}
	return 0
}

// announced are the words before "=" that announce a name, with its kind.
var announced = map[string]byte{
	"helo": kindHost, "ehlo": kindHost, "host": kindHost, "hostname": kindHost, "_hostname": kindHost, "helo_name": kindHost, "client": kindHost, "relay": kindHost,
	"server": kindHost, "domain": kindHost, "rdns": kindHost, "ptr": kindHost, "h": kindHost, "internalid": kindText,
	"user": kindUser, "username": kindUser, "login": kindUser, "sasl_username": kindUser, "sasl_sender": kindUser, "account": kindUser, "authid": kindUser, "set_id": kindUser,
	"u": kindUser, "mailbox": kindUser, "rcpt": kindUser, "recipient": kindUser, "sender": kindUser, "from": kindUser, "to": kindUser, "orig_to": kindUser,
	"ctladdr": kindUser, "mail": kindUser, "email": kindUser, "e": kindUser, "f": kindUser, "addr": kindUser, "address": kindUser, "id": kindText, "message-id": kindText, "msgid": kindText,
	"uid": 0, "reporter": kindUser, "cn": kindHost, "proto": 0,
}

// word appends one word. expect is the kind of name that is announced. What was changed in a
// word that is more than a name is looked at again: next to what stood beside it, it may read
// as something else.
func (r *Redactor) word(dst []byte, w string, expect byte) ([]byte, byte) {
	start := len(dst)
	dst, expect = r.wordOnce(dst, w, expect)
	if nameLength(w) == len(w) {
		return dst, expect
	}
	for range maxLayers {
		shown := string(dst[start:])
		if shown == w {
			break
		}
		w = shown
		dst, _ = r.wordOnce(dst[:start], w, 0)
	}
	return dst, expect
}

func (r *Redactor) wordOnce(dst []byte, w string, expect byte) ([]byte, byte) {
	if shown, changed := r.unfolded(w); changed {
		return append(dst, shown...), 0
	}
	if i := strings.Index(w, "://"); i > 0 && scheme(w[:i]) > 0 {
		return r.url(dst, w, i), 0
	}
	return r.scan(dst, w, expect)
}

// scan appends a word that is no link.
func (r *Redactor) scan(dst []byte, w string, expect byte) ([]byte, byte) {
	if at := strings.LastIndexByte(w, '@'); at >= 0 {
		return r.atSign(dst, w, at), 0
	}
	begins := true // a path could
	for len(w) > 0 {
		if strings.IndexByte(w, ':') >= 0 {
			if n := ipv6(w); n > 0 {
				a, _ := netip.ParseAddr(w[:n])
				dst, w = append(dst, r.ip(a).String()...), w[n:]
				continue
			}
			if len(w) > 5 && strings.EqualFold(w[:5], "IPv6:") {
				dst, w = append(dst, w[:5]...), w[5:]
				continue
			}
		}
		n := nameLength(w)
		if n == 0 {
			if w[0] == '/' && begins && strings.IndexByte(w[1:], '/') >= 0 {
				return r.path(dst, w), 0
			}
			begins = w[0] != '/'
			dst, w = append(dst, w[0]), w[1:]
			continue
		}
		name := w[:n]
		w, begins = w[n:], false
		if len(w) > 0 && w[0] == '=' {
			if kind, ok := announced[strings.ToLower(name)]; ok {
				dst, w, expect = append(append(dst, name...), '='), w[1:], kind
				continue
			}
		}
		shown, isHost := r.name(name, expect)
		dst, expect = append(dst, shown...), 0
		if isHost && len(w) > 1 && w[0] == '/' && r.private(name) {
			return append(dst, "/"+r.labelled("path-", kindText, w)...), 0
		}
	}
	return dst, expect
}

// nameByte reports what names are made of. Other writings than ASCII are among it.
func nameByte(c byte) bool {
	return c-'0' < 10 || c|0x20-'a' < 26 || c == '.' || c == '-' || c == '_' || c >= utf8.RuneSelf
}

func nameLength(s string) int {
	n := 0
	for n < len(s) && nameByte(s[n]) {
		n++
	}
	return n
}

// ipv6 returns the length of an IPv6 address at the start of s; 0 when there is none.
func ipv6(s string) int {
	n := 0
	for n < len(s) && n < 48 && (s[n]-'0' < 10 || s[n]|0x20-'a' < 6 || s[n] == ':' || s[n] == '.') {
		n++
	}
	for ; n > 1; n-- { // the longest that is one
		if n < len(s) && nameByte(s[n]) && s[n] != '.' && s[n-1] != ':' {
			continue // in the middle of a word
		}
		if a, err := netip.ParseAddr(s[:n]); err == nil && a.Is6() {
			return n
		}
	}
	return 0
}

// atSign appends a word with an address in it, whose @ is at at.
func (r *Redactor) atSign(dst []byte, w string, at int) []byte {
	n := nameLength(w[at+1:])
	for n > 0 && strings.IndexByte(".-_", w[at+n]) >= 0 {
		n--
	}
	start := 0
	for start < at && strings.IndexByte("'*~:=", w[start]) >= 0 {
		start++
	}
	if i := strings.LastIndexByte(w[:at], ':'); i >= start {
		start = i + 1
	}
	if i := strings.IndexByte(w[start:at], '='); i > 0 {
		if _, ok := announced[strings.ToLower(w[start:start+i])]; ok {
			start += i + 1
		}
	}
	dst, _ = r.scan(dst, w[:start], 0)
	addr, rest := w[start:at+1+n], w[at+1+n:]
	switch {
	case n == 0 && start == at:
		dst = append(dst, '@')
	case n == 0: // the domain is in brackets, or left out
		dst = append(append(dst, r.user("user-", addr[:len(addr)-1])...), '@')
	case start == at && !strings.Contains(addr, "."):
		dst = append(dst, addr...) // @4000000065f0a1b2, a time
	default:
		dst = append(dst, r.address("user-", addr)...)
	}
	dst, _ = r.scan(dst, rest, 0)
	return dst
}

// name is what is shown for a name, or for a word like any other. isHost reports a host's.
func (r *Redactor) name(name string, expect byte) (shown string, isHost bool) {
	core := strings.TrimLeft(name, ".-_")
	before := name[:len(name)-len(core)]
	core = strings.TrimRight(core, ".-_")
	after := name[len(before)+len(core):]
	if core == "" || isPseudonym(core) {
		return name, false
	}
	made, isHost := r.core(core, expect)
	if made == core {
		return name, isHost
	}
	return before + made + after, isHost
}

func (r *Redactor) core(s string, expect byte) (shown string, isHost bool) {
	if p, ok := r.own[strings.ToLower(s)]; ok {
		return p, false
	}
	dot := strings.LastIndexByte(s, '.')
	last := s[dot+1:]
	switch {
	case dot > 0 && strings.Trim(s, "0123456789.") == "":
		return r.numbers(s), false
	case dot > 0 && len(last) > 1 && last[0]-'0' >= 10 && !r.words[strings.ToLower(s)] && !r.paths[s] && !standard(s):
		return r.host(s), true
	}
	if from, to, sep := findQuad(s); from < to && sep == '.' {
		four, _ := quad(s[from:], '.')
		rest, _ := r.core(s[to:], 0)
		return s[:from] + r.ip(netip.AddrFrom4(four)).String() + rest, false
	} else if from < to {
		return "host-" + r.token(kindHost, strings.ToLower(s)), false
	}
	if expect != 0 && !r.words[strings.ToLower(s)] {
		switch expect {
		case kindHost:
			return r.host(s), false
		case kindUser:
			return r.user("user-", s), false
		}
		if strings.IndexByte(s, '.') > 0 || len(s) > tokenLength {
			return r.labelled("x-", kindText, s), false
		}
	}
	return s, false
}

// standard reports a term of a standard that looks like a name: "RFC5321.MailFrom",
// "smtp.mailfrom", "header.from".
func standard(s string) bool {
	first, _, _ := strings.Cut(strings.ToLower(s), ".")
	return strings.HasPrefix(first, "rfc") && strings.Trim(first[3:], "0123456789") == "" || first == "header" || first == "smtp" && strings.HasSuffix(strings.ToLower(s), ".mailfrom")
}

// numbers is what is shown for numbers with dots between: an enhanced code and a version stay,
// an address does not.
func (r *Redactor) numbers(s string) string {
	if strings.Count(s, ".") < 3 {
		return s
	}
	if p, ok := r.ipOf(s); ok {
		return p
	}
	if four, n := quad(s, '.'); n > 0 {
		rest := strings.TrimLeft(s[n:], ".")
		return r.ip(netip.AddrFrom4(four)).String() + s[n:len(s)-len(rest)] + r.numbers(rest)
	}
	if from, to, _ := findQuad(s); from < to {
		return r.labelled("x-", kindText, s)
	}
	return s
}

// path appends a path, of which what is not the same everywhere is hidden.
func (r *Redactor) path(dst []byte, w string) []byte {
	for i, part := range strings.Split(w, "/") {
		if i > 0 {
			dst = append(dst, '/')
		}
		core := strings.TrimRight(part, ".:!?'")
		switch {
		case core == "" || r.paths[core] || strings.Trim(core, "0123456789") == "" || isPseudonym(core):
			dst = append(dst, part...)
		default:
			dst = append(append(dst, r.labelled("path-", kindText, core)...), part[len(core):]...)
		}
	}
	return dst
}

// private reports that a name is not public.
func (r *Redactor) private(host string) bool {
	public, _ := r.publicPart(strings.ToLower(host))
	return public == ""
}
