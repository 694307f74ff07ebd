package classify

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Details are what a reply itself tells besides its cause. What it does not tell is empty.
type Details struct {
	Blocklist   string        // the list's own name: "Spamhaus ZEN"
	Removal     string        // the page where an entry is looked up and taken off
	Refused     string        // the IP address, domain or sender that was refused
	Links       []string      // links in the text, as written, maxLinks at most
	Reference   string        // what to quote to the provider: "TSS04", "S3150"
	RetryAfter  time.Duration // how long the server asks to wait
	Contradicts bool          // the enhanced code is of another class than the code
	Nonstandard bool          // the code is in no standard
}

const (
	// maxDetailText is how much of a text is looked at. Postfix cuts replies at 2048 bytes.
	maxDetailText = 4096
	maxLinks      = 4
	maxReference  = 64
	maxBracketed  = 16 // what is longer in brackets is no code but a host or a remark
	// maxRetryAfter bounds what a server can ask for: RFC 5321, section 4.5.4.1, has a
	// client give up after some days.
	maxRetryAfter = 5 * 24 * time.Hour
)

// Details reads what the reply tells. It is for people and allocates; a log's lines are
// not read by it one by one.
func (c *Classifier) Details(s *Said) Details {
	text := string(s.Text)
	if len(text) == 0 {
		text = string(s.Note)
	}
	text = text[:min(len(text), maxDetailText)]
	lower := lowered(text)
	d := Details{Links: links(text), Reference: reference(text), RetryAfter: retryAfter(lower)}
	if s.Code != 0 {
		d.Contradicts = !s.Enhanced.IsZero() && int(s.Enhanced[0]) != s.Code.Class()
		known := c.base.Code(s.Code)
		d.Nonstandard = known == nil || known.RFC == ""
	}
	if !s.Code.Positive() || s.Code == 0 {
		c.blocklist(lower, &d)
		d.Refused = refused(text, lower)
	}
	return d
}

// lowered folds the letters of ASCII to lower case. What stands at a place of it stands at
// the same of text, also where text is no UTF-8.
func lowered(text string) string {
	b := []byte(text)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// DetailsOf reads a reply by the built-in base.
func DetailsOf(s *Said) Details { return Default().Details(s) }

// blocklist finds the list that is named. One that we do not know is named by its zone.
func (c *Classifier) blocklist(lower string, d *Details) {
	for i := range c.base.Blocklists {
		l := &c.base.Blocklists[i]
		for _, mark := range l.Marks {
			if strings.Contains(lower, mark) {
				d.Blocklist, d.Removal = l.Name, l.Page
				return
			}
		}
	}
	for _, before := range []string{"blocked using ", "listed in ", "listed by ", "listed at ", "listed on "} {
		if _, rest, ok := strings.Cut(lower, before); ok {
			zone := strings.TrimRight(word(rest), ".,;:")
			if strings.Count(zone, ".") >= 1 && !strings.Contains(zone, "/") {
				d.Blocklist = zone
				return
			}
		}
	}
}

// word is what stands before the next blank or bracket.
func word(s string) string {
	if i := strings.IndexAny(s, " \t\r\n<>()[]\"'"); i >= 0 {
		return s[:i]
	}
	return s
}

// links finds the links of a text.
func links(text string) (all []string) {
	for len(all) < maxLinks {
		i := strings.Index(text, "http")
		if i < 0 {
			break
		}
		link := word(text[i:])
		text = text[i+len(link):]
		link = strings.TrimRight(link, ".,;:!?\\")
		if strings.HasPrefix(link, "http://") || strings.HasPrefix(link, "https://") {
			all = append(all, link)
		}
	}
	return all
}

// refused finds whom the reply refuses: the first address in it, else what stands in
// brackets behind "domain" or "host".
func refused(text, lower string) string {
	for i := 0; i < len(text); {
		if !addressByte(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && addressByte(text[end]) {
			end++
		}
		if ip := strings.Trim(text[i:end], ".:"); strings.Count(ip, ".") == 3 || strings.Count(ip, ":") >= 2 {
			if a, err := netip.ParseAddr(ip); err == nil {
				return a.String()
			}
		}
		i = end
	}
	for _, before := range []string{"domain [", "host [", "sender [", "domain ", "address ["} {
		if i := strings.Index(lower, before); i >= 0 && i < len(text) {
			name := strings.TrimRight(word(text[min(i+len(before), len(text)):]), ".,;:")
			if strings.Contains(name, ".") && !strings.Contains(name, "/") && len(name) <= 255 {
				return name
			}
		}
	}
	return ""
}

func addressByte(c byte) bool {
	return c-'0' < 10 || c-'a' < 6 || c-'A' < 6 || c == '.' || c == ':'
}

// reference finds what a provider wants quoted: the short code that it puts in brackets,
// letters and digits mixed, like [TSS04] and (S3150), Orange's OFR_999, Microsoft's
// AS(201806281), or the name that Google gives a session before "- gsmtp".
func reference(text string) string {
	if head, _, ok := strings.Cut(text, " - gsmtp"); ok {
		id := head[strings.LastIndexAny(head, " \n")+1:]
		if strings.Contains(id, "-") && len(id) >= 8 && len(id) <= maxReference {
			return id
		}
	}
	if _, rest, ok := strings.Cut(text, "AS("); ok {
		if n, _, closed := strings.Cut(rest[:min(len(rest), maxBracketed)], ")"); closed && n != "" && strings.Trim(n, "0123456789") == "" {
			return "AS(" + n + ")"
		}
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '[' && text[i] != '(' {
			continue
		}
		closing := byte(']')
		if text[i] == '(' {
			closing = ')'
		}
		end := strings.IndexByte(text[i+1:min(len(text), i+2+maxBracketed)], closing)
		if end > 1 && isReference(text[i+1:i+1+end]) {
			return text[i+1 : i+1+end]
		}
	}
	for _, w := range strings.Fields(text) {
		w = strings.Trim(w, ".,;:[]()")
		if head, tail, ok := strings.Cut(w, "_"); ok && len(w) <= maxBracketed && isReference(head+tail) && strings.HasPrefix(head, "OFR") {
			return w
		}
	}
	return ""
}

// standards begin what a remark in brackets may name: "(RFC5321)", "(IPV6)".
var standards = []string{"RFC", "IPV", "UTF", "TLS", "SPF"}

func isReference(s string) bool {
	if slices.ContainsFunc(standards, func(name string) bool { return strings.HasPrefix(s, name) }) {
		return false
	}
	letters, digits := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case 'A' <= c && c <= 'Z':
			letters++
		case c-'0' < 10:
			digits++
		case c != '-' && c != '_':
			return false
		}
	}
	return letters > 0 && digits > 0
}

// units are the words for spans of time, as servers write them.
var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute, "minuten": time.Minute,
	"day": 24 * time.Hour, "days": 24 * time.Hour,
	"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "hrs": time.Hour, "stunden": time.Hour,
}

// retryAfter reads how long to wait from a text that speaks of trying again.
func retryAfter(lower string) time.Duration {
	again := false
	for _, phrase := range []string{"again", "retry", "wait", "greylist", "graylist", "later", "come back", "resend", "delay"} {
		again = again || strings.Contains(lower, phrase)
	}
	if !again {
		return 0
	}
	fields := strings.FieldsFunc(lower, func(r rune) bool { return r == ' ' || r == '(' || r == ')' || r == ',' || r == ';' || r == '\n' })
	for i, f := range fields {
		f = strings.TrimRight(f, ".")
		if d := clock(f); d > 0 {
			return min(d, maxRetryAfter)
		}
		digits := 0
		for digits < len(f) && f[digits]-'0' < 10 {
			digits++
		}
		if digits == 0 || digits > 6 {
			continue
		}
		unit := f[digits:]
		if unit == "" && i+1 < len(fields) {
			unit = strings.TrimRight(fields[i+1], ".:!")
		}
		if u := units[unit]; u != 0 {
			n, _ := strconv.Atoi(f[:digits])
			return min(time.Duration(n)*u, maxRetryAfter)
		}
	}
	return 0
}

// clock reads "00:04:59".
func clock(s string) time.Duration {
	if len(s) != 8 || s[2] != ':' || s[5] != ':' {
		return 0
	}
	h, err1 := strconv.Atoi(s[:2])
	m, err2 := strconv.Atoi(s[3:5])
	sec, err3 := strconv.Atoi(s[6:])
	if err1 != nil || err2 != nil || err3 != nil || h < 0 || m < 0 || sec < 0 {
		return 0
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(sec)*time.Second
}
