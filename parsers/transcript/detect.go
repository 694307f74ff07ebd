package transcript

import "bytes"

// Detect says how sure it is that sample, the first 64 KiB of a file, is a transcript:
// the dialect's name and a confidence from 0 to 100. Logs of Postfix and Exim are not
// transcripts, although a debug log of theirs holds some.
func Detect(sample []byte) (dialect string, confidence int) {
	sample, _ = unindent(sample[:min(len(sample), sampleSize)])
	d, _, sure := recognise(sample)
	if d == nil {
		return "", 0
	}
	name := d.nameIn(sample)
	if d.name == "plain" && name != d.name {
		sure = max(sure, 60) // the tool left its own traces
	}
	return name, sure
}

// maxMargin is the widest margin: a quotation within a quotation, or a code block in a
// list.
const maxMargin = 16

// unindent returns the margin that all lines of a sample share, as mail and Markdown put
// before what they quote, and the sample without it. The last line may have been cut and
// does not count.
func unindent(sample []byte) (stripped, margin []byte) {
	lines := bytes.Split(sample, []byte{'\n'})
	for i, l := range lines {
		if len(bytes.Trim(l, "> \t\r")) == 0 || i > 0 && i == len(lines)-1 {
			continue
		}
		n := 0
		for n < min(len(l), maxMargin) && (l[n] == ' ' || l[n] == '\t' || l[n] == '>' && n+1 < len(l) && l[n+1] == ' ') {
			n++
		}
		if margin == nil {
			margin = l[:n]
		}
		for !bytes.HasPrefix(l, margin) {
			margin = margin[:len(margin)-1]
		}
		if len(margin) == 0 {
			return sample, nil
		}
	}
	if len(margin) == 0 {
		return sample, nil
	}
	for i, l := range lines {
		lines[i] = bytes.TrimPrefix(l, margin)
	}
	return bytes.Join(lines, []byte{'\n'}), margin
}

// plainTools are the tools without marks, by what else they print.
var plainTools = [][2]string{
	{"DEBUG SMTP: ", "javamail"}, {"CONNECTED(0", "openssl"}, {"Escape character is '", "telnet"}, {"**** SMTP testing session", "exim-bh"},
	{"=== Connected to ", "swaks"}, {"=== Trying ", "swaks"}, {"\n>>> EHLO ", "sendmail"}, {"\n>>> HELO ", "sendmail"}, {"via relay...", "sendmail"},
}

// nameIn returns the dialect's name, for a plain one the tool's whose traces stand in the
// sample.
func (d *dialect) nameIn(sample []byte) string {
	if d.name != "plain" {
		return d.name
	}
	for _, t := range plainTools {
		if bytes.Contains(sample, []byte(t[0])) {
			return t[1]
		}
	}
	return d.name
}

// score is what a sample shows of a dialect.
type score struct {
	d                 *dialect
	straight, crossed int // lines that fit with the marks as they are and the other way round
	replies, commands int
	greeted           bool // the first reply is a greeting, or one has several lines
	first             int  // the first line that fits; body lines that quote other tools come later
	crossFirst        int
}

// recognise finds the dialect of a sample. Among those that fit many lines, the one
// whose first line comes first wins: a body may quote any other dialect, but stands
// behind the greeting.
func recognise(sample []byte) (d *dialect, swapped bool, confidence int) {
	if isFTP(sample) {
		return nil, false, 0
	}
	for i := range dialects {
		if dialects[i].is != nil && dialects[i].is(sample) {
			return &dialects[i], false, dialects[i].sure
		}
	}
	scores := measure(sample)
	most := 0
	for i := range scores {
		most = max(most, scores[i].fit())
	}
	var best *score
	for i := range scores {
		s := &scores[i]
		if s.fit() == 0 || s.fit()*4 < most || s.d.weak && (s.replies == 0 || s.commands == 0) {
			continue
		}
		if best == nil || s.begin() < best.begin() || s.begin() == best.begin() && s.fit() > best.fit() {
			best = s
		}
	}
	// A debug log of both sides may stand among the replies that it is about.
	for i := range scores {
		if s := &scores[i]; best != nil && best.d.name == "plain" && best.commands == 0 && s.replies > 0 && s.commands > 0 && !s.d.weak {
			best = s
		}
	}
	if best == nil || best.d.weak || best.d.name == "plain" {
		if d, fit := learn(sample); d != nil && (best == nil || fit > 2*best.fit()) {
			return d, false, 25 // enough for one who says that it is a transcript
		}
	}
	if best == nil {
		return silent(sample), false, 10
	}
	return best.d, best.crossed > best.straight, best.confidence()
}

// silent finds the dialect of a sample in which neither side says a word: a connection
// that failed.
func silent(sample []byte) *dialect {
	for _, sign := range [][2]string{{"=== Trying ", "swaks"}, {"CONNECTED(0", "plain"}, {"Escape character is '^]'", "plain"}, {"*   Trying ", "curl"}} {
		if !startsLine(sample, sign[0]) {
			continue
		}
		for i := range dialects {
			if dialects[i].name == sign[1] {
				return &dialects[i]
			}
		}
	}
	return nil
}

func (s *score) fit() int { return max(s.straight, s.crossed) }

func (s *score) begin() int {
	if s.crossed > s.straight {
		return s.crossFirst
	}
	return s.first
}

// confidence grows with the lines that fit; a dialogue of both sides is surer than
// replies alone, and marks are surer than none.
func (s *score) confidence() int {
	n := s.fit()
	both := s.replies > 0 && s.commands > 0
	switch {
	case both && n >= 3 && (s.d.name != "plain" || n >= 4):
		return 95
	case both && (s.d.name != "plain" || s.greeted):
		return 75
	case s.d.name != "plain" && n >= 2:
		return 80
	case s.d.name != "plain":
		return 50
	case s.greeted && n >= 3:
		return 45
	}
	return 20
}

// measure counts the lines of a sample that fit each dialect.
func measure(sample []byte) []score {
	scores := make([]score, len(dialects))
	for i := range dialects {
		scores[i].d = &dialects[i]
	}
	for n := 0; len(sample) > 0; n++ {
		line := sample
		if i := bytes.IndexByte(sample, '\n'); i >= 0 {
			line, sample = sample[:i], sample[i+1:]
		} else {
			sample = nil
		}
		line = bytes.TrimRight(line, "\r")
		for i := range scores {
			scores[i].take(line, n)
		}
	}
	return scores
}

func (s *score) take(line []byte, n int) {
	d := s.d
	if d.is != nil {
		return
	}
	who, text, _ := d.split(line)
	if who == nobody {
		return
	}
	reply, cmd := isReply(text), isCommand(bytes.TrimRight(cutEscapes(text), "\\ "))
	if d.byContent && (reply || cmd) || who == server && reply || who == client && cmd {
		if s.straight == 0 {
			s.first = n
		}
		s.straight++
	} else if d.flips && (who == client && reply || who == server && cmd) {
		if s.crossed == 0 {
			s.crossFirst = n
		}
		s.crossed++
	}
	if reply {
		s.greeted = s.greeted || s.replies == 0 && bytes.HasPrefix(text, []byte("220")) || len(text) > 3 && text[3] == '-'
		s.replies++
	}
	if cmd {
		s.commands++
	}
}

// isFTP reports that a sample is a conversation with a file server, whose replies look
// like SMTP's (RFC 959, 4.2).
func isFTP(sample []byte) bool {
	for len(sample) > 0 {
		line := sample
		if i := bytes.IndexByte(sample, '\n'); i >= 0 {
			line, sample = sample[:i], sample[i+1:]
		} else {
			sample = nil
		}
		line = trim(line)
		if !isReply(line) {
			continue
		}
		if bytes.HasPrefix(line, []byte("331")) {
			return true
		}
		if bytes.HasPrefix(line, []byte("220")) {
			return bytes.Contains(line, []byte("FTP")) && !bytes.Contains(line, []byte("SMTP"))
		}
		return false
	}
	return false
}
