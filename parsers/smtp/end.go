package smtp

// End is how a session ended.
type End uint8

// The ends.
const (
	EndNotLogged    End = iota // the log does not tell (Exim without +smtp_connection)
	EndQuit                    // QUIT, 221
	EndServerClosed            // 421, or a 221 nobody asked for
	EndLost                    // the connection broke
	EndTimedOut
	EndRefused // refused at connect: by the greeting, or no connection at all
	EndAborted // ended without QUIT by the client, or by an error below SMTP (TLS)
	EndOpen    // still open at the end of the log
	numEnds
)

// NumEnds is the number of ends, for tables that are indexed by one.
const NumEnds = int(numEnds)

var endNames = [numEnds]string{"not_logged", "quit", "server_closed", "lost", "timed_out", "refused", "aborted", "open"}

// String returns the end's name as machine-readable output has it.
func (e End) String() string {
	if e < numEnds {
		return endNames[e]
	}
	return ""
}
