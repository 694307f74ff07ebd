package smtp

// Reply is what a server answered (RFC 5321, 4.2).
type Reply struct {
	Code     Code
	Enhanced EnhancedCode // the one the reply carries right behind its code (RFC 2034)
	Text     []byte       // the reply as written, with its code; nil when there was none
}

// ParseReply reads a reply that stands at the start of text: a code, then a blank, a
// hyphen or the end, then perhaps an enhanced code. Text becomes the whole of text. A
// reply without a code that still shows an enhanced code ("4.7.1 try later", as milters
// give) keeps that one. When neither is there only Text is set.
func ParseReply(text []byte) Reply {
	r := Reply{Text: text}
	rest := text
	if c := ParseCode(text); c != 0 && (len(text) == 3 || text[3] == ' ' || text[3] == '-' || text[3] == '\t') {
		r.Code = c
		rest = text[min(4, len(text)):]
		for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
			rest = rest[1:]
		}
	}
	r.Enhanced, _ = ParseEnhanced(rest)
	return r
}
