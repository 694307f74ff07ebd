package redact

import (
	"bytes"
	"strings"
)

// free hides what is written by the author of a message and stands in a log whole: a header or
// a line of the body that Postfix's header_checks tell of, and Exim's T="subject".
func (r *Redactor) free(s []byte) []byte {
	from, to := header(s)
	if from == to {
		if i := bytes.Index(s, []byte(` T="`)); i >= 0 {
			from, to = i+4, i+4+quotedLength(s[i+4:])
		}
	}
	if from == to {
		if i := indexFold(s, "subject:"); i >= 0 {
			from = i + len("subject:")
			to = from + lineLength(s[from:])
		}
	}
	text := bytes.TrimSpace(s[from:to])
	if len(text) == 0 || isLabelled(string(text), "text-") {
		return s
	}
	from += bytes.Index(s[from:to], text)
	out := append([]byte(nil), s[:from]...)
	out = append(out, r.labelled("text-", kindText, string(text))...)
	return append(out, s[from+len(text):]...)
}

// header finds what stands in "header Subject: TEXT from HOST[IP]; from=<...".
func header(s []byte) (from, to int) {
	for _, part := range []string{": header ", ": body ", ": nested header ", ": mime header "} {
		i := bytes.Index(s, []byte(part))
		if i < 0 {
			continue
		}
		from = i + len(part)
		if name := bytes.Index(s[from:], []byte(": ")); part != ": body " && name >= 0 {
			from += name + 2
		}
		to = len(s)
		// What the author wrote may look like the end, so it is the last one that counts.
		if j := bytes.LastIndex(s[from:], []byte(" from ")); j >= 0 && bytes.IndexByte(s[from+j:], '[') > 0 {
			to = from + j
		} else if j := bytes.LastIndex(s[from:], []byte(" from local;")); j >= 0 {
			to = from + j
		}
		return from, to
	}
	return 0, 0
}

// headers are those of a message that tell who wrote what to whom, or by what way it came.
var headers = []string{
	"from", "to", "cc", "bcc", "reply-to", "sender", "return-path", "delivered-to", "envelope-to", "received", "subject", "message-id", "in-reply-to", "references", "comments",
	"organization", "thread-topic", "x-", "list-", "dkim-", "arc-", "resent-", "authentication-results", "disposition-notification-to", "errors-to",
}

// headerLine tells where the value begins in a line that is a header of a message, as Exim
// writes them to its reject log: "F From: Alice <a@example.com>", perhaps behind "[2/3]".
func headerLine(line []byte) (value int, ok bool) {
	i := 0
	if j := bytes.Index(line, []byte("] ")); j > 3 && bytes.IndexByte(line[j-3:j], '/') >= 0 {
		i = j + 2
	}
	for i < len(line) && (line[i] == ' ' || line[i] == '\t') {
		i++
	}
	if i+2 < len(line) && line[i+1] == ' ' && (line[i] == '*' || line[i]-'A' < 26) {
		i += 2
	}
	n := bytes.IndexByte(line[i:], ':')
	if n < 2 || i+n+2 > len(line) || line[i]-'A' >= 26 || line[i+1]-'A' < 26 {
		return 0, false // MAIL FROM: is a command
	}
	name := strings.ToLower(string(line[i : i+n]))
	for _, h := range headers {
		if name == h || strings.HasSuffix(h, "-") && strings.HasPrefix(name, h) && !strings.Contains(name, " ") {
			i += n + 1
			for i < len(line) && line[i] == ' ' {
				i++
			}
			return i, i < len(line)
		}
	}
	return 0, false
}

// quotedLength is how far a text goes until its closing quote.
func quotedLength(s []byte) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(s)
}

func lineLength(s []byte) int {
	if i := bytes.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// indexFold is bytes.Index for a word in lower case, in any case.
func indexFold(s []byte, word string) int {
	for i := 0; i+len(word) <= len(s); i++ {
		j := bytes.IndexAny(s[i:], "Ss")
		if j < 0 || i+j+len(word) > len(s) {
			return -1
		}
		if i += j; bytes.EqualFold(s[i:i+len(word)], []byte(word)) {
			return i
		}
	}
	return -1
}
