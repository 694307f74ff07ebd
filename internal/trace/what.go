package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// As is what a thing that was asked for may be: some of these.
type As uint16

// What can be asked for.
const (
	AsQueueID   As = 1 << iota // a queue ID of a server whose log is read
	AsRemoteID                 // the ID that the next server gave, as its reply tells
	AsMessageID                // a Message-ID
	AsSender                   // a reverse-path
	AsRecipient                // a forward-path, also as it was before aliases
	AsDomain                   // senders and recipients in a domain, or in one below it
	AsHost                     // the other side's name, or the domain it is in
	AsIP                       // the other side's address
)

var asNames = []string{"queue-id", "remote-id", "message-id", "sender", "recipient", "domain", "host", "ip"}

// AsNames are the names that What takes as a hint.
func AsNames() []string { return asNames }

// Names returns the names of what it may be.
func (a As) Names() (names []string) {
	for i, name := range asNames {
		if a&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// What is what was asked for.
type What struct {
	Text string // without brackets
	As   As
}

// ParseWhat reads what was asked for. A hint, one of AsNames, says what it is; without one
// its shape tells what it may be.
func ParseWhat(s, hint string) (What, error) {
	w := What{Text: pasted(s)}
	bracketed := strings.HasPrefix(w.Text, "<") && strings.HasSuffix(w.Text, ">") && len(w.Text) > 2
	if bracketed {
		w.Text = w.Text[1 : len(w.Text)-1]
	}
	address, isIP := parseIP(w.Text)
	switch at := strings.IndexByte(w.Text, '@'); {
	case hint != "":
		for i, name := range asNames {
			if name == hint {
				w.As = 1 << i
			}
		}
		if w.As == 0 {
			return w, fmt.Errorf("%q is nothing that can be traced; there are %s", hint, strings.Join(asNames, ", "))
		}
	case isIP:
		w.As = AsIP
	case at == 0:
		w.As = AsDomain
	case at > 0:
		w.As = AsMessageID | AsSender | AsRecipient
	case bracketed:
		w.As = AsMessageID
	case strings.Contains(w.Text, "."):
		w.As = AsHost | AsRemoteID | AsMessageID
	case likeID(w.Text):
		w.As = AsQueueID | AsRemoteID | AsMessageID
	default:
		w.As = AsQueueID | AsRemoteID | AsMessageID | AsHost | AsSender | AsRecipient
	}
	if w.As&AsIP != 0 {
		if !isIP {
			return w, fmt.Errorf("%q is no IP address: give one like 192.0.2.7 or 2001:db8::1", s)
		}
		w.Text = address
	}
	if w.As&AsDomain != 0 {
		w.Text = strings.TrimPrefix(w.Text, "@")
	}
	if len(w.Text) < minName {
		return w, fmt.Errorf("%q is too short to be looked for: give %d characters at least", s, minName)
	}
	if strings.ContainsAny(w.Text, "\n\r") {
		return w, fmt.Errorf("%q goes over the end of a line, which no name does", s)
	}
	return w, nil
}

// pasted is a name without what stands around it in a log: the field's name, as in
// to=<bob@example.net>, and a sign behind it.
func pasted(s string) string {
	s = strings.TrimRight(strings.TrimSpace(s), ",;")
	if !strings.HasSuffix(s, "::") { // of an address
		s = strings.TrimSuffix(s, ":")
	}
	if field, rest, ok := strings.Cut(s, "=<"); ok && strings.Trim(field, "abcdefghijklmnopqrstuvwxyz_-") == "" {
		return "<" + rest
	}
	return s
}

// likeID reports that a name can be little else than a queue ID: Postfix's with a digit and a
// letter of base 16 or its long one, which has no vowels, or Exim's.
func likeID(s string) bool {
	hex, long, letters, digits := true, strings.Contains(s, "z"), 0, 0
	for i := range len(s) {
		c := s[i]
		digit := c-'0' < 10
		if digit {
			digits++
		} else if lower(c)-'a' < 26 {
			letters++
		}
		hex = hex && (digit || c-'A' < 6)
		long = long && (digit || lower(c)-'a' < 26 && !strings.ContainsRune("aeiouAEIOU", rune(c)))
	}
	return letters > 0 && digits > 0 && (hex && len(s) >= minID || long && len(s) >= minLongID || eximID(s))
}

// minLongID is how long Postfix's long queue IDs are at least: six characters of the second,
// four of the microseconds, a z and the inode.
const minLongID = 12

// eximID reports that a name has the form of Exim's IDs, 6-6-2 characters or, since 4.97,
// 6-11-4.
func eximID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 3 || len(parts[0]) != 6 || !(len(parts[1]) == 6 && len(parts[2]) == 2 || len(parts[1]) == 11 && len(parts[2]) == 4) {
		return false
	}
	for i := range len(s) {
		if !(s[i] == '-' || s[i]-'0' < 10 || lower(s[i])-'a' < 26) {
			return false
		}
	}
	return true
}

// parseIP returns an address as logs write it.
func parseIP(s string) (string, bool) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if len(s) > 5 && strings.EqualFold(s[:5], "IPv6:") {
		s = s[5:]
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return "", false
	}
	return a.Unmap().String(), true
}

// exact reports that its letters' case tells it from others.
func (w *What) exact() bool { return w.As&^(AsQueueID|AsRemoteID|AsMessageID) == 0 }

// needle is what to look for.
func (w *What) needle() needle { return needle{w.Text, !w.exact()} }

// Match returns as what the line of an event shows it; 0 for not at all. All of it stands
// in the line.
func (w *What) match(ev *smtp.Event) (as As) {
	is := func(a As, yes bool) {
		if w.As&a != 0 && yes {
			as |= a
		}
	}
	if w.As&AsQueueID != 0 {
		is(AsQueueID, string(ev.Queue) == w.Text)
	}
	if w.As&AsRemoteID != 0 {
		is(AsRemoteID, string(ev.QueuedAs) == w.Text || ev.Outcome == smtp.Sent && (hasWord(ev.Reply.Text, w.Text) || hasWord(ev.Text, w.Text)))
	}
	if w.As&AsMessageID != 0 {
		is(AsMessageID, string(ev.MessageID) == w.Text)
	}
	if w.As&AsSender != 0 {
		is(AsSender, equalFold(ev.From, w.Text))
	}
	if w.As&AsRecipient != 0 {
		is(AsRecipient, equalFold(ev.To, w.Text) || equalFold(ev.OrigTo, w.Text))
	}
	if w.As&AsDomain != 0 {
		is(AsDomain, w.within(domainOf(ev.From)) || w.within(domainOf(ev.To)) || w.within(domainOf(ev.OrigTo)))
	}
	if w.As&AsHost != 0 {
		is(AsHost, w.within(ev.Peer.Name) || w.within(ev.ReplyHost.Name))
	}
	if w.As&AsIP != 0 {
		is(AsIP, equalFold(ev.Peer.IP, w.Text) || equalFold(ev.ReplyHost.IP, w.Text))
	}
	return as
}

// within reports that a host or a domain is the one asked for, or in it.
func (w *What) within(name []byte) bool {
	below := len(name) - len(w.Text)
	return below >= 0 && equalFold(name[below:], w.Text) && (below == 0 || name[below-1] == '.')
}

func domainOf(address []byte) []byte {
	return address[bytes.LastIndexByte(address, '@')+1:]
}

// hasWord reports that a text has a word that no letter, digit or sign of a longer name
// stands beside.
func hasWord[T string | []byte](text []byte, word T) bool {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(word))
		if i < 0 {
			return false
		}
		i += from
		if end := i + len(word); (i == 0 || !nameByte(text[i-1])) && (end == len(text) || !nameByte(text[end]) || text[end] == '.') {
			return true
		}
		from = i + 1
	}
}

func nameByte(c byte) bool {
	return c-'0' < 10 || lower(c)-'a' < 26 || c == '-' || c == '_' || c == '.' || c == '@'
}
