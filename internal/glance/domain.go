package glance

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

var postfixTo = []byte(": to=<")

// Domain finds the domain of the recipient of a delivery that went through, where it usually
// stands in the line; nil where a parser is to say it.
func Domain(line []byte, format smtp.Format) []byte {
	if format == smtp.FormatPostfix {
		if i := span(line, '<'); i >= 0 && bytes.HasSuffix(line[:i+1], postfixTo) {
			to := line[i+1:]
			if n := span(to, '>'); n > 0 && (hasPrefix(to[n+1:], ", relay=") || hasPrefix(to[n+1:], ", orig_to=<")) {
				return domainOf(to[:n])
			}
		}
		return nil
	}
	// The flag: " => ", or " -> " for a further recipient of the same delivery.
	if i := span(line, '>'); i >= 2 && (hasPrefix(line[i-2:], " => ") || hasPrefix(line[i-2:], " -> ")) {
		if to, _ := recipient(line[i+2:]); to != nil {
			return domainOf(to)
		}
	}
	return nil
}

// domainOf returns what follows the only @ of an address.
func domainOf(to []byte) []byte {
	i := span(to, '@')
	if i <= 0 || i+1 == len(to) || span(to[i+1:], '@') >= 0 || span(to, '"') >= 0 || span(to, '<') >= 0 {
		return nil
	}
	return to[i+1:]
}
