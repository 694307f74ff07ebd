package exim

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// maskCommand returns the text of a dropped call, `too many ... (last command was
// "AUTH PLAIN ****")`, with what follows an AUTH mechanism masked. Exim logs a client's
// commands as they came, and a login is among those that fail most.
func maskCommand(b []byte, ev *smtp.Event) []byte {
	const opens = " was \""
	i := bytes.Index(b, []byte(opens))
	if i < 0 {
		return b
	}
	start := i + len(opens)
	end := bytes.LastIndexByte(b, '"')
	if end <= start {
		end = len(b)
	}
	from, to := secret(b[start:end])
	if from == to {
		return b
	}
	from, to = start+from, start+to
	const mask = smtp.Mask
	out := ev.Scratch(len(b) - (to - from) + len(mask))
	n := copy(out, b[:from])
	n += copy(out[n:], mask)
	copy(out[n:], b[to:])
	return out
}

// secret returns where a command holds one: all behind the mechanism of an AUTH, or a
// whole word that can only be the answer to a prompt, being base64 and no verb.
func secret(command []byte) (from, to int) {
	n := word(command)
	if len(command) > 4 && bytes.EqualFold(command[:n], []byte("AUTH")) {
		n += gap(command[n:])
		n += word(command[n:])
		n += gap(command[n:])
		return n, len(command)
	}
	if n == len(command) && smtp.LooksEncoded(command) && verb(command) == smtp.StageUNKNOWN {
		return 0, n
	}
	return 0, 0
}
