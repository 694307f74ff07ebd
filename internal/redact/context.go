package redact

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// context is what the fields of an event name, in lower case, with the pseudonyms: its texts
// are searched for it.
type context map[string]string

// minWord is the least length of a name that is looked for in texts: shorter ones are words,
// units and flags. minPart is that of a part of a name.
const (
	minWord = 3
	minPart = 4
)

// name has a name looked for.
func (c context) name(r *Redactor, name, pseudonym string) {
	if len(name) >= minWord && len(name) <= maxName && name != pseudonym {
		if n := strings.ToLower(name); !r.words[n] && strings.Trim(n, "0123456789") != "" {
			c[n] = pseudonym
		}
	}
}

// local has the local part of an address looked for, or a login name, and its parts: "Alice
// Smith is over quota".
func (c context) local(r *Redactor, local, pseudonym string) {
	c.name(r, local, pseudonym)
	parts := strings.FieldsFunc(local, func(c rune) bool { return strings.ContainsRune("._+-= '\"%!/", c) })
	if len(parts) < 2 {
		return
	}
	for _, p := range parts {
		if strings.Trim(p, "0123456789") == "" || len(p) < minPart {
			continue
		}
		if n := strings.ToLower(p); c[n] == "" {
			c.name(r, p, pseudonym)
		}
	}
}

// host has a host's name looked for, and that of whose it is: "Example Corp takes no mail".
func (c context) host(r *Redactor, name, pseudonym string) {
	if !strings.Contains(name, ".") {
		c.name(r, name, pseudonym)
		return
	}
	n := strings.ToLower(strings.TrimRight(name, "."))
	if public, _ := r.publicPart(n); public != "" {
		return
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(n)
	if err != nil {
		return
	}
	if label, _, _ := strings.Cut(registered, "."); len(label) >= minPart {
		domain, _, _ := strings.Cut(r.host(registered), ".")
		c.name(r, label, domain)
	}
}

// address has an address looked for.
func (c context) address(r *Redactor, addr, pseudonym string) {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		c.local(r, addr, pseudonym)
		return
	}
	end := strings.LastIndexByte(pseudonym, '@')
	c.local(r, addr[:at], pseudonym[:max(end, 0)])
	c.host(r, addr[at+1:], pseudonym[end+1:])
}

// ip has the ways looked for in which an IP is hidden.
func (c context) ip(r *Redactor, ip string) {
	a, err := netip.ParseAddr(ip)
	if err != nil || r.ip(a) == a {
		return
	}
	for _, s := range spellings(a) {
		c[s] = "x-" + r.token(kindText, s)
	}
}
