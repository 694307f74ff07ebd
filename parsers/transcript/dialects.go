package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// side says who a line is from.
type side uint8

const (
	nobody side = iota
	server
	client
)

// dialect is how one tool writes a conversation. In a mark, # stands for a number and @ for
// an id in brackets.
type dialect struct {
	name      string
	direction smtp.Direction // Outbound: the tool is a client
	server    []string       // marks of the server's lines
	client    []string       // marks of the client's lines

	anywhere    bool   // the mark may stand behind other text: a log's head, an id
	flips       bool   // other tools of the same marks use them the other way round
	byContent   bool   // which side is which depends on the tool's role; no bodies are shown, so each line tells by itself
	hidesBody   bool   // bodies are not shown
	stuffed     bool   // bodies are shown as sent: the first lone dot is the end
	strict      bool   // the client's mark is on other lines, too
	weak        bool   // the marks are common in other text: both sides must be seen
	lockstep    bool   // replies may be missing: the last command is the one answered
	interleaved bool   // a client's line may stand within a reply
	parts       bool   // a line may be shown in parts, all but the last with a + behind
	folds       bool   // long lines are folded; the rest is indented
	bareBody    string // what a body's lines show in place of the client's mark
	key         func(prefix []byte) []byte
	read        func(p *parser, line []byte) verdict // where marks are not enough
	is          func(sample []byte) bool             // a sign that is surer than counting
	sure        int                                  // the confidence that the sign gives
}

// dialects, the more telling ones first. Where no mark decides the direction, the tools
// are those of clients: few servers write such logs.
var dialects = []dialect{
	{name: "dsn", direction: smtp.Outbound, is: isDSN, sure: 85, read: readDSN},
	{name: "exchange", direction: smtp.Inbound, is: isExchange, sure: 95, read: readExchange},
	{name: "iis-w3c", direction: smtp.Inbound, is: isW3C, sure: 95, read: readW3C},
	{name: "iis-ncsa", direction: smtp.Inbound, is: isNCSA, sure: 95, read: readNCSA},
	{name: "hmailserver", direction: smtp.Inbound, is: isHMail, sure: 95, read: readHMail},
	{name: "mailenable", direction: smtp.Outbound, is: isMailEnable, sure: 95, read: readMailEnable},
	{name: "tshark-follow", direction: smtp.Outbound, is: isFollow, sure: 90, read: readFollow},
	{name: "curl-trace", direction: smtp.Outbound, is: isCurlTrace, sure: 95, read: readCurlTrace},
	{name: "swiftmailer-json", direction: smtp.Outbound, is: isSwiftJSON, sure: 80, read: readSwiftJSON, hidesBody: true},
	{name: "dovecot-rawlog", direction: smtp.Outbound, is: isRawlog, sure: 85, read: readRawlog, stuffed: true},
	{name: "postfix-verbose", is: isPostfixVerbose, sure: 40, read: readPostfixVerbose, hidesBody: true},

	{name: "phpmailer", direction: smtp.Outbound, anywhere: true, read: readPHPMailer,
		server: []string{"SERVER -> CLIENT: ", "SERVER -&gt; CLIENT: ", "FROM SERVER:"}, client: []string{"CLIENT -> SERVER: ", "CLIENT -&gt; SERVER: ", "CLIENT -> SMTP: ", "CLIENT -&gt; SMTP: "}},
	{name: "phpmailer-errors", direction: smtp.Outbound, anywhere: true, lockstep: true, hidesBody: true,
		server: []string{"command failed: "}, client: []string{"CLIENT -> SERVER: ", "CLIENT -&gt; SERVER: "}},
	{name: "gomail", direction: smtp.Outbound, anywhere: true, hidesBody: true, lockstep: true,
		server: []string{"C <-- S: "}, client: []string{"C --> S: "}},
	{name: "haraka", direction: smtp.Inbound, anywhere: true, key: firstBracketID,
		server: []string{"[core] S: "}, client: []string{"[core] C: "}},
	{name: "nodemailer", direction: smtp.Outbound, anywhere: true, key: lastBracket, bareBody: "DEBUG [",
		server: []string{"DEBUG [@] S: "}, client: []string{"DEBUG [@] C: "}},
	{name: "nodemailer-old", direction: smtp.Outbound, is: isOldNodemailer, sure: 80, read: readOldNodemailer},
	{name: "stalwart", direction: smtp.Inbound, anywhere: true, key: remotePort,
		server: []string{`event="write" data="`}, client: []string{`event="read" data="`}},
	{name: "tshark", direction: smtp.Outbound, anywhere: true, hidesBody: true,
		server: []string{"SMTP # S: "}, client: []string{"SMTP # C: "}},
	{name: "tshark-verbose", direction: smtp.Outbound, server: []string{"Response: "}, client: []string{"Command Line: "}},
	{name: "smtplib", direction: smtp.Outbound, server: []string{`reply: b'`, `reply: '`, `reply: b"`, `reply: "`},
		client: []string{`send: b'`, `send: '`, `send: b"`, `send: "`}},
	{name: "rubysmtp", direction: smtp.Outbound, server: []string{`-> "`}, client: []string{`<- "`}, hidesBody: true},
	{name: "perlsmtp", direction: smtp.Outbound, anywhere: true, server: []string{")<<< "}, client: []string{")>>> "}},
	{name: "exim", direction: smtp.Outbound, anywhere: true, byContent: true, hidesBody: true,
		server: []string{"SMTP<< "}, client: []string{"SMTP>> ", "SMTP|> ", "SMTP+> ", "SMTP>| "}},
	{name: "postfix-notice", direction: smtp.Inbound, byContent: true, hidesBody: true, folds: true,
		server: []string{"Out: "}, client: []string{"In: "}},
	{name: "s-nail", direction: smtp.Outbound, anywhere: true, server: []string{">>> SERVER: "}, client: []string{">>> "}},
	{name: "smtp-source", direction: smtp.Outbound, strict: true, server: []string{"smtp-source: <<< "}, client: []string{"smtp-source: "}},
	{name: "sylpheed", direction: smtp.Outbound, anywhere: true, hidesBody: true,
		server: []string{"ESMTP< ", "SMTP< ", "ESMTP<", "SMTP<"}, client: []string{"ESMTP> ", "SMTP> ", "ESMTP>", "SMTP>"}},
	{name: "evolution", direction: smtp.Outbound, anywhere: true, interleaved: true, strict: true,
		server: []string{"received: "}, client: []string{"sending : "}},
	{name: "thunderbird", direction: smtp.Outbound, anywhere: true, server: []string{"SMTP Response:"}, client: []string{"SMTP Send:"}},
	{name: "smtpmock", direction: smtp.Inbound, anywhere: true, server: []string{"SMTP response:"}, client: []string{"SMTP request:"}},
	{name: "pearmail", direction: smtp.Outbound, anywhere: true, server: []string{"DEBUG: Recv:"}, client: []string{"DEBUG: Send:"}},
	{name: "smartermail", direction: smtp.Inbound, anywhere: true, key: lastBracket,
		server: []string{"rsp:", "RSP:"}, client: []string{"cmd:", "CMD:"}},
	{name: "blat", direction: smtp.Outbound, anywhere: true, server: []string{"<<<getline<<<"}, client: []string{">>>putline>>>"}},
	{name: "opmlog", direction: smtp.Outbound, anywhere: true, server: []string{"<rx> "}, client: []string{"<tx> "}},
	{name: "indy", direction: smtp.Outbound, server: []string{"Recv "}, client: []string{"Sent "}},
	{name: "fakesmtp", direction: smtp.Inbound, weak: true, anywhere: true, server: []string{"Server:"}, client: []string{"Client:"}},
	{name: "dokuwiki", direction: smtp.Outbound, weak: true, anywhere: true, server: []string{"Got:"}, client: []string{"Sent:"}},

	{name: "swaks", direction: smtp.Outbound, server: []string{"<-  ", "<** ", "<~  ", "<~* ", "<- "}, client: []string{"-> ", "~> ", "->", "~>"}},
	{name: "msmtp", direction: smtp.Outbound, server: []string{"<-- "}, client: []string{"--> "}, flips: true},
	{name: "ssmtp", direction: smtp.Outbound, server: []string{"[<-] "}, client: []string{"[->] "}},
	{name: "sendmail-traffic", direction: smtp.Outbound, server: []string{"# <<< "}, client: []string{"# >>> "}, flips: true},
	{name: "recordio", direction: smtp.Inbound, parts: true, server: []string{"# > "}, client: []string{"# < "}, flips: true},
	{name: "smtp-cli", direction: smtp.Outbound, is: isSMTPCLI, sure: 80, read: readSMTPCLI},
	{name: "mutt", direction: smtp.Outbound, anywhere: true, server: []string{"#< "}, client: []string{"#> "}},
	{name: "eximclient", direction: smtp.Outbound, server: []string{"<<< "}, client: []string{">>> "}},
	{name: "swiftmailer", direction: smtp.Outbound, server: []string{"<< "}, client: []string{">> "}, hidesBody: true},
	{name: "curl", direction: smtp.Outbound, server: []string{"< "}, client: []string{"> "}, hidesBody: true, flips: true},
	{name: "rfc", direction: smtp.Outbound, server: []string{"S: ", "s: ", "S:"}, client: []string{"C: ", "c: ", "C:"}},
	{name: "arrows", direction: smtp.Outbound, weak: true, anywhere: true, server: []string{" <-- ", " <- "}, client: []string{" --> ", " -> "}, flips: true, key: lastBracket},
	{name: "double-arrows", direction: smtp.Inbound, weak: true, anywhere: true, server: []string{" => "}, client: []string{" <= "}, flips: true, key: lastBracket},
	{name: "angles", direction: smtp.Outbound, weak: true, anywhere: true, server: []string{" < "}, client: []string{" > "}, flips: true},

	{name: "plain", direction: smtp.Outbound, read: readPlain, stuffed: true, server: []string{""}},
}

// maxPrefix is how far into a line a mark is looked for. A log's head with a session's
// ids is shorter; a mark behind it would be a quotation.
const maxPrefix = 240

// split finds the mark of a line: who speaks, what is said, and what stands before.
func (d *dialect) split(line []byte) (who side, text, prefix []byte) {
	if d.name == "plain" {
		return splitPlain(line)
	}
	if !d.anywhere {
		rest := stripHead(line)
		if who, n := d.mark(rest); who != nobody {
			return who, d.unquote(rest, n), line[:len(line)-len(rest)]
		}
		return nobody, nil, nil
	}
	for i := 0; i < min(len(line), maxPrefix); i++ {
		if who, n := d.mark(line[i:]); who != nobody && (i == 0 || !isWord(line[i]) || !isWord(line[i-1])) {
			return who, d.unquote(line[i:], n), line[:i+n]
		}
	}
	return nobody, nil, nil
}

func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '<' || c == '>' }

// mark tells whose mark b begins with, and its length. The server's are tried first: a
// client's may be the beginning of one.
func (d *dialect) mark(b []byte) (side, int) {
	for _, m := range d.server {
		if n := matchMark(b, m); n > 0 {
			return server, n
		}
	}
	for _, m := range d.client {
		if n := matchMark(b, m); n > 0 {
			return client, n
		}
	}
	return nobody, 0
}

// matchMark returns the length of the mark m at the start of b, 0 when it is not there.
// A mark that ends with a blank also fits a line that ends where the blank would be.
func matchMark(b []byte, m string) int {
	i := 0
	for j := 0; j < len(m); j++ {
		if m[j] == '#' {
			start := i
			for i < len(b) && i < start+12 && isDigit(b[i]) {
				i++
			}
			if i == start {
				return 0
			}
			continue
		}
		if m[j] == '@' {
			for i < len(b) && b[i] != ']' && b[i] != ' ' {
				i++
			}
			continue
		}
		if i == len(b) && j == len(m)-1 && m[j] == ' ' && j > 1 {
			return i
		}
		if i == len(b) || b[i] != m[j] {
			return 0
		}
		i++
	}
	return i
}

// unquote returns what follows a mark of n bytes. Where the mark opens a quotation, it
// ends with the last quote of the line.
func (d *dialect) unquote(b []byte, n int) []byte {
	text := bytes.TrimLeft(b[n:], " \t")
	if q := b[n-1]; q == '"' || q == '\'' {
		if i := bytes.LastIndexByte(text, q); i >= 0 {
			text = text[:i]
		}
	}
	return text
}

// stripHead returns the line without what any tool may put before its marks: blanks,
// "// ", and times and dates, bare or in brackets.
func stripHead(line []byte) []byte {
	rest := bytes.TrimLeft(line, " \t")
	rest = bytes.TrimPrefix(rest, []byte("// "))
	for range 3 {
		n := timeLength(rest)
		if n == 0 {
			break
		}
		rest = bytes.TrimLeft(rest[n:], " \t")
	}
	return rest
}

// timeLength returns the length of the time or date at the start of b: a run of digits
// and the signs between them, with at least two of those signs.
func timeLength(b []byte) int {
	i, signs, digits := 0, 0, 0
	if len(b) > 0 && b[0] == '[' {
		i = 1
	}
	for i < len(b) && i < 40 {
		switch c := b[i]; {
		case isDigit(c):
			digits++
		case c == ':' || c == '-' && digits > 0 || c == '/' || c == '.' || c == 'T' && digits > 0 || c == 'Z' && digits > 0:
			signs++
		case c == ' ' && b[0] == '[':
		case c == ']' && b[0] == '[' && signs >= 2:
			return i + 1
		case c == ' ' || c == '\t':
			if signs >= 2 && digits >= 5 {
				return i
			}
			return 0
		default:
			return 0
		}
		i++
	}
	return 0
}

// lastBracket returns what stands in the last pair of brackets of a prefix, the session
// in many logs.
func lastBracket(prefix []byte) []byte {
	if i := bytes.LastIndexByte(prefix, '['); i >= 0 {
		id := prefix[i+1:]
		if j := bytes.IndexByte(id, ']'); j >= 0 {
			id = id[:j]
		}
		if timeLength(append(append([]byte{'['}, id...), ']')) == 0 {
			return id
		}
	}
	return nil
}

// firstBracketID returns Haraka's connection: a UUID, with the transaction's number cut.
func firstBracketID(prefix []byte) []byte {
	for {
		i := bytes.IndexByte(prefix, '[')
		if i < 0 {
			return nil
		}
		prefix = prefix[i+1:]
		j := bytes.IndexByte(prefix, ']')
		if j < 0 {
			return nil
		}
		if id := prefix[:j]; bytes.Count(id, []byte{'-'}) == 4 {
			if dot := bytes.IndexByte(id, '.'); dot > 0 {
				id = id[:dot]
			}
			return id
		}
	}
}

// remotePort returns Stalwart's remote.port, which tells its sessions apart.
func remotePort(prefix []byte) []byte {
	_, after, ok := bytes.Cut(prefix, []byte("remote.port="))
	if !ok {
		return nil
	}
	i := 0
	for i < len(after) && isDigit(after[i]) {
		i++
	}
	return after[:i]
}
