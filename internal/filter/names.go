package filter

import "strings"

// Name is a text that stands in every line that a filter lets pass. Letters of ASCII may be
// written in any case where Case says so.
type Name struct {
	Text    string
	AnyCase bool
}

// minName is how long such a text must be to be worth looking for.
const minName = 4

// Names returns texts of which every line that passes holds one, empty where there are none
// that must be there. They are of the part of the filter that tells most.
func (f *Filter) Names() []Name {
	if len(f.QueueID) >= minName {
		return []Name{{f.QueueID, false}}
	}
	if names := f.ipNames(); names != nil {
		return names
	}
	for _, a := range []Address{f.To, f.Host} {
		if text := a.name(); len(text) >= minName {
			return []Name{{text, true}}
		}
	}
	return f.Code.names()
}

// ipNames are for an address of IPv4, or for a network whose bounds are those of its bytes.
// What of IPv6 is written in one way only, nobody promises.
func (f *Filter) ipNames() []Name {
	if !f.IP.IsValid() || !f.IP.Addr().Is4() || f.IP.Bits() < 8 {
		return nil
	}
	text := f.IP.Addr().String()
	for range 4 - f.IP.Bits()/8 {
		text = text[:strings.LastIndexByte(strings.TrimSuffix(text, "."), '.')+1]
	}
	if len(text) < minName {
		return nil
	}
	return []Name{{text, false}, {"ffff:", true}} // an address of IPv4 in the dress of IPv6
}

// name is the longest part of a pattern that must be there. Letters beyond ASCII have other
// cases than one can tell here, and two of theirs are an i and a k in lower case.
func (p Address) name() (best string) {
	if p == "<>" {
		return ""
	}
	text := string(p)
	if !strings.Contains(text, "*") && strings.HasPrefix(text, "@") {
		text = text[1:]
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '*' || r > 127 || r == 'i' || r == 'k' }) {
		if len(part) > len(best) {
			best = part
		}
	}
	return best
}

// names are for one code. It stands in the line with its digits.
func (c Code) names() []Name {
	if c.enhanced[0] == 0 {
		return nil // three digits are in too many lines for the search to be worth it
	}
	text := smtpText(c.enhanced)
	if len(text) < minName {
		return nil
	}
	return []Name{{text, false}}
}

// smtpText writes an enhanced code as far as it is told: "5.7.1", "5.7.".
func smtpText(e [3]int16) string {
	text := ""
	for i, n := range e {
		if n < 0 {
			break
		}
		if i > 0 {
			text += "."
		}
		text += digits(n)
	}
	if e[2] < 0 && e[1] >= 0 {
		text += "."
	}
	return text
}

func digits(n int16) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return digits(n/10) + string(rune('0'+n%10))
}
