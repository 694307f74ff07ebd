package redact

import "strings"

// url appends a word with a link in it, whose "://" is at i. Of a link to a place that
// everybody knows its words stay, and the rest of it is hidden; of another link all but its
// scheme and its pseudonym is.
func (r *Redactor) url(dst []byte, w string, i int) []byte {
	start := i - scheme(w[:i])
	dst, _ = r.scan(dst, w[:start], 0)
	dst = append(dst, w[start:i+3]...)
	rest := w[i+3:]
	body := strings.TrimRight(rest, ".:!'")
	tail := rest[len(body):]
	n := strings.IndexAny(body, "/?#")
	if n < 0 {
		n = len(body)
	}
	authority, path := body[:n], body[n:]
	host := authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		dst = append(append(dst, r.user("user-", authority[:at])...), '@')
		host = authority[at+1:]
	}
	name, port := host, ""
	if colon := strings.LastIndexByte(host, ':'); colon >= 0 && ipv6(host) != len(host) {
		name, port = host[:colon], host[colon:]
	}
	if strings.Trim(port, ":0123456789") != "" {
		port = ""
	}
	if name != "" {
		dst = append(dst, r.host(name)...)
	}
	dst = append(dst, port...)
	if r.private(name) && len(path) > 1 {
		dst = append(append(dst, path[0]), r.labelled("path-", kindText, path[1:])...)
	} else {
		dst = r.link(dst, path)
	}
	return append(dst, tail...)
}

// scheme returns the length of the scheme at the end of s; 0 where it is part of a longer name,
// or of an address, and so is none.
func scheme(s string) int {
	start := len(s)
	for start > 0 && s[start-1]|0x20-'a' < 26 {
		start--
	}
	if start > 0 && (nameByte(s[start-1]) || s[start-1] == '@') {
		return 0
	}
	return len(s) - start
}

// link appends the path and the query of a link to a public place.
func (r *Redactor) link(dst []byte, s string) []byte {
	for len(s) > 0 {
		n := strings.IndexAny(s, "/?#&;=")
		if n == 0 {
			dst, s = append(dst, s[0]), s[1:]
			continue
		}
		if n < 0 {
			n = len(s)
		}
		part := s[:n]
		s = s[n:]
		shown, _ := r.scan(nil, part, 0)
		if string(shown) == part && !r.hidden(part) && !telling(part) {
			shown = []byte(r.labelled("x-", kindText, part))
		}
		dst = append(dst, shown...)
	}
	return dst
}

// maxLinkWord and maxLinkNumber bound what is taken for a word or for the number of a page.
const (
	maxLinkWord   = 24
	maxLinkNumber = 8
)

// telling reports a part of a link that tells what is there and not for whom: a word, a short
// number, a page.
func telling(part string) bool {
	part = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(part, ".html"), ".php"), ".aspx")
	if strings.Trim(part, "0123456789") == "" {
		return len(part) <= maxLinkNumber
	}
	return len(part) <= maxLinkWord && strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

// hidden reports that a part of a link is a pseudonym already.
func (r *Redactor) hidden(part string) bool {
	local, _, at := strings.Cut(part, "@")
	return isPseudonym(local) || !at && r.isIP(part)
}
