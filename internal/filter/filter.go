// Package filter tells which events a user asked for: by time, address, host, queue ID,
// reply, cause, outcome and direction. All that is asked must hold.
package filter

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// Filter is what was asked for. The zero value asks for everything.
type Filter struct {
	Since, Until time.Time // from Since on and before Until; zero is no bound
	From, To     Address
	Host         Address // the other side's name, without its @
	IP           netip.Prefix
	QueueID      string
	Code         Code
	Cause        string
	Outcome      smtp.Outcome
	Direction    smtp.Direction
}

// IsZero reports that everything is asked for.
func (f *Filter) IsZero() bool { return *f == Filter{} }

// Match reports whether ev is asked for. from is the reverse-path of its message, for
// the lines that do not show it, or nil; cause is the ID of the cause of its reply, or
// "".
func (f *Filter) Match(ev *smtp.Event, from []byte, cause string) bool {
	if !f.Within(ev.Time) {
		return false
	}
	if f.Outcome != smtp.OutcomeNone && ev.Outcome != f.Outcome || f.Direction != smtp.DirectionNone && ev.Direction != f.Direction {
		return false
	}
	if ev.From != nil {
		from = ev.From
	}
	return (f.From == "" || from != nil && f.From.matches(from)) &&
		(f.To == "" || ev.To != nil && f.To.matches(ev.To) || ev.OrigTo != nil && f.To.matches(ev.OrigTo)) &&
		(f.Host == "" || f.Host.matchesHost(ev.Peer.Name) || f.Host.matchesHost(ev.ReplyHost.Name)) &&
		(!f.IP.IsValid() || f.contains(ev.Peer.IP) || f.contains(ev.ReplyHost.IP)) &&
		(f.QueueID == "" || string(ev.Queue) == f.QueueID || string(ev.QueuedAs) == f.QueueID || string(ev.Related) == f.QueueID) &&
		(f.Code == Code{} || f.Code.matches(ev)) &&
		(f.Cause == "" || f.Cause == cause)
}

// Within reports whether a time is asked for.
func (f *Filter) Within(t time.Time) bool {
	return (f.Since.IsZero() || !t.Before(f.Since)) && (f.Until.IsZero() || t.Before(f.Until))
}

// Could reports whether an event may match, by all but its time, of which only this is known: its outcome
// and direction, its reply's code and enhanced code (Postfix's verdict where there is no reply), and its cause; does, whether it is bound to.
func (f *Filter) Could(o smtp.Outcome, d smtp.Direction, code smtp.Code, e smtp.EnhancedCode, cause string) (could, does bool) {
	if f.Outcome != smtp.OutcomeNone && o != f.Outcome || f.Direction != smtp.DirectionNone && d != f.Direction || f.Cause != "" && f.Cause != cause {
		return false, false
	}
	does = f.Code == Code{} || f.Code.Match(code, e)
	could = does || f.Code.enhanced[0] != 0 && code != 0 && e.IsZero() // Postfix's own verdict may stand beside the reply
	rest := Filter{From: f.From, To: f.To, Host: f.Host, IP: f.IP, QueueID: f.QueueID}
	return could, does && rest.IsZero()
}

func (f *Filter) contains(ip []byte) bool {
	if len(ip) == 0 {
		return false
	}
	a, err := netip.ParseAddr(string(ip))
	return err == nil && f.IP.Contains(a.Unmap())
}

// Address is what addresses or hosts are compared with, in lower case: "alice@example.com",
// "@example.com" or "example.com" for all of a domain and those below it, "<>" for the
// null reverse-path, and "*" for any run of characters.
type Address string

// ParseAddress returns the pattern for s.
func ParseAddress(s string) Address {
	s = strings.ToLower(strings.TrimSpace(s))
	if s != "<>" {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")
	}
	return Address(s)
}

func (p Address) matches(addr []byte) bool {
	if p == "<>" {
		return len(addr) == 0
	}
	a := bytes.ToLower(addr)
	if strings.Contains(string(p), "*") {
		return glob(string(p), string(a))
	}
	at := strings.IndexByte(string(p), '@')
	if at > 0 {
		return string(a) == string(p)
	}
	i := bytes.LastIndexByte(a, '@')
	return i >= 0 && Address(p[at+1:]).matchesHost(a[i+1:])
}

func (p Address) matchesHost(name []byte) bool {
	if len(name) == 0 {
		return false
	}
	n := string(bytes.ToLower(name))
	if strings.Contains(string(p), "*") {
		return glob(string(p), n)
	}
	return n == string(p) || strings.HasSuffix(n, "."+string(p))
}

// glob reports whether s matches p, in which "*" stands for any run of characters. It
// goes back to the last star only, so its time is at most len(p)*len(s).
func glob(p, s string) bool {
	star, mark, i, j := -1, 0, 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && p[i] == s[j]:
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// Code is a pattern for replies: 550, 5xx, 55x, 5.7.1, 5.7.x.
type Code struct {
	low, high smtp.Code
	enhanced  [3]int16 // -1 is any; the class 0 means that Code is no enhanced pattern
}

// ParseCode returns the pattern for s.
func ParseCode(s string) (Code, error) {
	bad := fmt.Errorf("%q is no reply code: give one like 550, 5xx, 5.7.1 or 5.7.x", s)
	s = strings.ToLower(strings.TrimSpace(s))
	if parts := strings.Split(s, "."); len(parts) == 3 {
		var c Code
		for i, p := range parts {
			n, err := strconv.ParseUint(p, 10, 10)
			switch {
			case err == nil:
				c.enhanced[i] = int16(n)
			case i > 0 && (p == "x" || p == "*"):
				c.enhanced[i] = -1
			default:
				return Code{}, bad
			}
		}
		if c.enhanced[0] < 1 {
			return Code{}, bad
		}
		return c, nil
	}
	s = strings.NewReplacer("y", "x", "z", "x", "*", "x").Replace(s)
	digits := strings.TrimRight(s, "x")
	n, err := strconv.ParseUint(digits, 10, 10)
	if err != nil || len(s) != 3 || n < 1 {
		return Code{}, bad
	}
	width := smtp.Code(1)
	for range len(s) - len(digits) {
		width *= 10
	}
	return Code{low: smtp.Code(n) * width, high: smtp.Code(n+1)*width - 1}, nil
}

// matches reports whether ev carries such a reply. An enhanced pattern also matches
// Postfix's own verdict (dsn=) where the reply carries no enhanced code.
func (c Code) matches(ev *smtp.Event) bool {
	e := ev.Reply.Enhanced
	if e.IsZero() {
		e = ev.DSN
	}
	return c.Match(ev.Reply.Code, e)
}

// Match reports whether a reply with this code and this enhanced code fits.
func (c Code) Match(code smtp.Code, e smtp.EnhancedCode) bool {
	if c.enhanced[0] == 0 {
		return code >= c.low && code <= c.high
	}
	for i, want := range c.enhanced {
		if want >= 0 && int16(e[i]) != want {
			return false
		}
	}
	return true
}
