// Package transcript reads conversations with a mail server as people paste them: the
// debug output of swaks, curl, openssl, smtplib, PHPMailer, Nodemailer, Exim, sendmail
// and some sixty more, plain telnet sessions, the protocol logs of servers, and delivery
// status notifications.
//
// A transcript's lines mean nothing without those before them: who speaks, where the
// body of a message ends, which command a reply answers. So this parser reads a whole
// file in order, unlike those of logs, and yields the same events.
//
// It has two halves. A dialect (dialects.go) says how one tool marks the server's and
// the client's lines; most are a row of a table. The dialogue is one for all of
// them: session.go keeps it, reply.go joins the lines of a reply (RFC 5321, 4.2.1) and
// pairs it with its command, first in, first out (RFC 2920), command.go keeps bodies apart
// and hides what AUTH carries (RFC 4954).
package transcript
