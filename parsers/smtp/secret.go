package smtp

import "bytes"

// Mask stands where a secret was.
const Mask = "****"

// AppendMasked appends text to dst with the secrets of logins masked: what follows the
// mechanism of an AUTH command (RFC 4954, 4), in any case and wherever in the text it
// stands, and the initial response in the verbose log of a SASL server. It looks at no
// more than that: a lone answer of an AUTH exchange, base64 without a word before it, is
// known only by its place in the dialogue.
func AppendMasked(dst, text []byte) []byte {
	for {
		from, to := findSecret(text)
		if from == to {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:from]...), Mask...)
		text = text[to:]
	}
}

// HasSecret reports whether AppendMasked would mask anything in text.
func HasSecret(text []byte) bool {
	from, to := findSecret(text)
	return from != to
}

var initialResponse = []byte("init_response ")

// findSecret returns where the first secret of text is; equal numbers for nowhere.
func findSecret(text []byte) (from, to int) {
	if i := bytes.Index(text, initialResponse); i >= 0 {
		from = i + len(initialResponse)
		return from, token(text, from)
	}
	for i := 0; i+5 < len(text); i++ {
		j := bytes.IndexAny(text[i:], "Aa")
		if j < 0 || i+j+5 >= len(text) {
			return 0, 0
		}
		if i += j; !bytes.EqualFold(text[i:i+5], []byte("AUTH ")) || i > 0 && isWord(text[i-1]) {
			continue
		}
		mechanism := i + 5
		end := token(text, mechanism)
		if end == len(text) || text[end] != ' ' || !isMechanism(text[mechanism:end]) {
			continue
		}
		from = end + 1
		if to = token(text, from); to-from >= minSecret && to > from && string(text[from:to]) != Mask && base64(text[from:to]) {
			return from, to
		}
	}
	return 0, 0
}

// LooksEncoded reports whether a text is one word of base64 and may thus be an answer of
// an AUTH exchange.
func LooksEncoded(b []byte) bool { return len(b) >= 2*minSecret && base64(b) }

// isMechanism knows the SASL mechanisms that carry a secret (IANA's registry of them).
func isMechanism(word []byte) bool {
	switch string(bytes.ToUpper(word[:min(len(word), 16)])) {
	case "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "GSSAPI", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512":
		return true
	}
	return false
}

// minSecret is how long a base64 text is at least.
const minSecret = 4

// token returns where the run of base64, and of what mechanisms are called, that begins
// at i ends.
func token(text []byte, i int) int {
	for i < len(text) && (isWord(text[i]) || text[i] == '+' || text[i] == '/' || text[i] == '=' || text[i] == '*') {
		i++
	}
	return i
}

func base64(b []byte) bool {
	for _, c := range bytes.TrimRight(b, "=") {
		if !isDigit(c) && !isLetter(c) && c != '+' && c != '/' {
			return false
		}
	}
	return len(b)%4 == 0
}

func isWord(c byte) bool { return isDigit(c) || isLetter(c) || c == '-' || c == '_' }
