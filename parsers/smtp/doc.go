// Package smtp holds the words of SMTP that every part of mailwhy shares: reply codes,
// enhanced status codes, the stages of a session, and the Event that one line of a log
// or transcript becomes. The names are those of RFC 5321 and its neighbours: RFC 3463
// (enhanced status codes), RFC 2034 (their place in a reply), RFC 4954 (AUTH),
// RFC 3207 (STARTTLS), RFC 3030 (BDAT).
//
// The package imports nothing of mailwhy, so that a program that wants only the parsers
// gets only the parsers.
package smtp
