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
		if ok, all, valid := counted(word[eq+1:]); valid {
			f(word[:eq], ok, all)
		}
	}
}

// CommandCount returns how many of one command succeeded and how many were tried, by
// Postfix's disconnect counts in b; 0 and 0 when it is not among them. It is EachCommand for
// those who ask for few: it leaps from one place where the name may begin to the next.
func CommandCount(b []byte, name string) (ok, all int) {
	for i := 0; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], name[0])
		if j < 0 {
			break
		}
		i += j
		end := i + len(name)
		if i > 0 && b[i-1] != ' ' || end >= len(b) || b[end] != '=' || string(b[i:end]) != name {
			continue
		}
		word := b[end+1:]
		if k := bytes.IndexByte(word, ' '); k >= 0 {
			word = word[:k]
		}
		if ok, all, valid := counted(word); valid {
			return ok, all
		}
	}
	return 0, 0
}

// counted reads "1" or "0/1".
func counted(word []byte) (ok, all int, valid bool) {
	ok, n := count(word)
	switch {
	case n == 0:
		return 0, 0, false
	case n == len(word):
		return ok, ok, true
	case word[n] != '/':
		return 0, 0, false
	}
	all, m := count(word[n+1:])
	return ok, all, m > 0 && n+1+m == len(word)
}

// count reads up to nine digits and returns their value and number.
func count(b []byte) (v, n int) {
	for n < len(b) && n < 9 && isDigit(b[n]) {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}
