package smtp

// Stage is the point of a session: the command that a reply answers, or after which a
// session broke. It is the verb itself but for three places where no verb stands.
type Stage uint8

// The stages, in the order in which a session usually passes them.
const (
	StageNone    Stage = iota // not told
	StageConnect              // the greeting, before any command
	StageEHLO                 // EHLO, HELO or LHLO
	StageSTARTTLS
	StageAUTH // AUTH and every answer of its exchange
	StageMAIL
	StageRCPT
	StageDATA // the DATA command itself
	StageBDAT // RFC 3030
	StageDOT  // after the message's body
	StageRSET
	StageVRFY
	StageEXPN
	StageHELP
	StageNOOP
	StageQUIT
	StageXCLIENT
	StageXFORWARD
	StageETRN    // RFC 1985
	StageTURN    // RFC 821
	StageATRN    // RFC 2645
	StageUNKNOWN // a command that no standard knows
	numStages
)

// NumStages is the number of stages, for tables that are indexed by one.
const NumStages = int(numStages)

var stageNames = [numStages]string{
	"", "CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", "DOT", "RSET", "VRFY",
	"EXPN", "HELP", "NOOP", "QUIT", "XCLIENT", "XFORWARD", "ETRN", "TURN", "ATRN", "UNKNOWN",
}

// String returns the verb in capitals, or CONNECT, DOT, UNKNOWN; "" for StageNone.
func (s Stage) String() string {
	if s < numStages {
		return stageNames[s]
	}
	return ""
}

// ParseStage reads the name of a stage or a verb in any case. HELO and LHLO are EHLO;
// "END-OF-MESSAGE", "END-OF-DATA" and "." are DOT. Another word gives UNKNOWN, an
// empty one StageNone.
func ParseStage(word []byte) Stage {
	if len(word) == 0 {
		return StageNone
	}
	var up [16]byte
	if len(word) > len(up) {
		return StageUNKNOWN
	}
	for i, c := range word {
		if c-'a' < 26 {
			c -= 'a' - 'A'
		}
		up[i] = c
	}
	switch string(up[:len(word)]) {
	case "HELO", "LHLO":
		return StageEHLO
	case ".", "END-OF-MESSAGE", "END-OF-DATA":
		return StageDOT
	}
	for i := StageConnect; i < numStages; i++ {
		if stageNames[i] == string(up[:len(word)]) {
			return i
		}
	}
	return StageUNKNOWN
}
