package smtp

import "bytes"

// EachCommand calls f for each of Postfix's disconnect counts in b: the name in lower
// case, how many succeeded and how many were tried ("rcpt=0/1" is 0 of 1; "mail=1" is 1
// of 1). The sum, "commands", is among them. Words that are not counts are passed over.
// The form is that of smtpd_log_info in Postfix's src/smtpd/smtpd.c, 3.0 and later.
func EachCommand(b []byte, f func(name []byte, ok, all int)) {
	for len(b) > 0 {
		word := b
		if i := bytes.IndexByte(b, ' '); i >= 0 {
			word, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		eq := bytes.IndexByte(word, '=')
		if eq <= 0 {
			continue
		}
		ok, n := count(word[eq+1:])
		if n == 0 {
			continue
		}
		all, rest := ok, word[eq+1+n:]
		if len(rest) > 1 && rest[0] == '/' {
			if v, m := count(rest[1:]); m == len(rest)-1 {
				all = v
			} else {
				continue
			}
		} else if len(rest) > 0 {
			continue
		}
		f(word[:eq], ok, all)
	}
}

// count reads up to nine digits and returns their value and number.
func count(b []byte) (v, n int) {
	for n < len(b) && n < 9 && isDigit(b[n]) {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}
