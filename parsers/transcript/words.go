package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// isReply reports that a line has the form of a reply: a code, then a blank, a hyphen
// or the end (RFC 5321, 4.2).
func isReply(b []byte) bool {
	c := smtp.ParseCode(b)
	return c >= 200 && c < 600 && (len(b) == 3 || b[3] == ' ' || b[3] == '-' || b[3] == '\t')
}

// isCommand reports that a line is surely a command: a verb with the arguments that it
// must have. Prose that begins with "Mail" or "Help" is not one.
func isCommand(b []byte) bool {
	verb, rest := word(b)
	switch s := stageOf(verb); s {
	case smtp.StageEHLO, smtp.StageDATA, smtp.StageQUIT, smtp.StageRSET, smtp.StageSTARTTLS:
		// "data set was" is prose; "QUIT now" is, too.
		return len(rest) == 0 || s == smtp.StageEHLO && oneWord(rest)
	case smtp.StageMAIL:
		return hasPrefixFold(rest, "from:") || hasPrefixFold(rest, "from ")
	case smtp.StageRCPT:
		return hasPrefixFold(rest, "to:") || hasPrefixFold(rest, "to ")
	case smtp.StageBDAT:
		return len(rest) > 0 && isDigit(rest[0])
	case smtp.StageAUTH:
		mech, _ := word(rest)
		return mechanism(mech) != nil
	case smtp.StageNOOP, smtp.StageHELP, smtp.StageVRFY, smtp.StageEXPN, smtp.StageETRN, smtp.StageTURN, smtp.StageATRN:
		return oneWord(rest) && verb[0]&0x20 == verb[1]&0x20 // not "Help yourself."
	case smtp.StageXCLIENT, smtp.StageXFORWARD:
		return bytes.IndexByte(rest, '=') > 0
	}
	return equalFold(verb, "VERB") && len(rest) == 0
}

// stageOf returns the stage of a verb. CONNECT and DOT are stages, but no verbs.
func stageOf(verb []byte) smtp.Stage {
	s := smtp.ParseStage(verb)
	if s == smtp.StageConnect || s == smtp.StageDOT {
		return smtp.StageUNKNOWN
	}
	return s
}

// mechanisms are the SASL mechanisms that may be shown. Anything else behind AUTH could
// be a secret that stands in the wrong place.
var mechanisms = []string{
	"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "XOAUTH2", "XOAUTH", "OAUTHBEARER", "GSSAPI", "EXTERNAL", "ANONYMOUS",
	"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "CRAM-SHA1", "KERBEROS_V4", "GSS-SPNEGO", "PLAIN-CLIENTTOKEN",
}

// mechanism returns b when it names a SASL mechanism, nil otherwise.
func mechanism(b []byte) []byte {
	for _, m := range mechanisms {
		if equalFold(b, m) {
			return b
		}
	}
	return nil
}

// word cuts the first word off b and returns it and what follows, without blanks.
func word(b []byte) (first, rest []byte) {
	b = bytes.TrimLeft(b, " \t")
	i := bytes.IndexAny(b, " \t")
	if i < 0 {
		return b, nil
	}
	return b[:i], trim(b[i:])
}

func oneWord(b []byte) bool { return !bytes.ContainsAny(b, " \t") }

func trim(b []byte) []byte { return bytes.Trim(b, " \t\r") }

func isDigit(c byte) bool  { return c-'0' < 10 }
func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }
func isHex(c byte) bool    { return isDigit(c) || (c|0x20)-'a' < 6 }

// hasPrefixFold reports that b begins with the lower-case prefix, in any case.
func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && equalFold(b[:len(prefix)], prefix)
}

// equalFold compares ASCII without regard to case and without allocating.
func equalFold(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		x, y := b[i], s[i]
		if x != y && (!isLetter(x) || x|0x20 != y|0x20) {
			return false
		}
	}
	return true
}

// address returns the address of a MAIL or RCPT argument ("FROM:<a@b> SIZE=1") without
// brackets; empty and not nil for "<>", nil when there is none.
func address(arg []byte) []byte {
	i := bytes.IndexByte(arg, ':')
	if i < 0 {
		return nil
	}
	arg = trim(arg[i+1:])
	if len(arg) > 0 && arg[0] == '<' {
		end := bytes.IndexByte(arg, '>')
		if end < 0 {
			return nil
		}
		return arg[1:end:end]
	}
	first, _ := word(arg)
	if len(first) == 0 {
		return nil
	}
	return first
}
