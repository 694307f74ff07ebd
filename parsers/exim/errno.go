package exim

import (
	"bytes"
	"strings"
)

// ErrnoName returns the name of the number that Exim logs in "defer (N)", without its
// prefix ERRNO_: RCPT4XX, TLSREQUIRED, HRETRY. Up to -50 the number tells (Exim,
// src/macros.h); below, the numbers moved by one in 4.95, and positive ones are the
// system's and differ from one to the next, so there text tells, which is what follows
// the number. It returns "" when neither does.
func ErrnoName(n int32, text []byte) string {
	if n < 0 && n > -int32(len(errnoNames)) {
		return errnoNames[-n]
	}
	if n == 0 {
		return "" // no number was recorded
	}
	table := systemErrors
	if n < 0 {
		table = retryTexts
	}
	for _, e := range table {
		if bytes.Contains(text, []byte(e.text)) {
			return e.name
		}
	}
	return ""
}

// errnoNames are the numbers from 0 down to -50.
var errnoNames = strings.Fields(`
	OK
	UNKNOWNERROR USERSLASH EXISTRACE NOTREGULAR NOTDIRECTORY BADUGID BADMODE INODECHANGED LOCKFAILED BADADDRESS2
	FORBIDPIPE FORBIDFILE FORBIDREPLY MISSINGPIPE MISSINGFILE MISSINGREPLY BADREDIRECT SMTPCLOSED SMTPFORMAT SPOOLFORMAT
	NOTABSOLUTE EXIMQUOTA HELD FILTER_FAIL CHHEADER_FAIL WRITEINCOMPLETE EXPANDFAIL GIDFAIL UIDFAIL BADTRANSPORT
	MBXLENGTH UNKNOWNHOST FORMATUNKNOWN BADCREATE LISTDEFER DNSDEFER TLSFAILURE TLSREQUIRED CHOWNFAIL PIPEFAIL
	CALLOUTDEFER AUTHFAIL CONNECTTIMEOUT RCPT4XX MAIL4XX DATA4XX PROXYFAIL AUTHPROB UTF8_FWD HOST_IS_LOCAL`)

type errorText struct{ text, name string }

// retryTexts are those of -51 and below, the more telling first.
var retryTexts = []errorText{
	{"Tainted", "TAINT"},
	{"Retry time not yet reached", "LRETRY"},
	{"retry time not reached for any host", "HRETRY"},
	{"connection limit reached for all hosts", "HRETRY"},
	{"retry time not reached", "RRETRY"},
	{"previous routing defer", "RRETRY"},
	{"local-only", "LOCAL_ONLY"},
	{"domain is in queue_domains", "QUEUE_DOMAIN"},
	{"concurrency limit reached", "TRETRY"},
}

// systemErrors are the words of strerror for what befalls mail.
var systemErrors = []errorText{
	{"Connection refused", "ECONNREFUSED"},
	{"Connection timed out", "ETIMEDOUT"},
	{"Operation timed out", "ETIMEDOUT"},
	{"SMTP timeout", "ETIMEDOUT"},
	{"Connection reset by peer", "ECONNRESET"},
	{"Broken pipe", "EPIPE"},
	{"Network is unreachable", "ENETUNREACH"},
	{"No route to host", "EHOSTUNREACH"},
	{"Host is down", "EHOSTDOWN"},
	{"Permission denied", "EACCES"},
	{"Operation not permitted", "EPERM"},
	{"No such file or directory", "ENOENT"},
	{"Not a directory", "ENOTDIR"},
	{"Is a directory", "EISDIR"},
	{"File exists", "EEXIST"},
	{"No space left on device", "ENOSPC"},
	{"Disk quota exceeded", "EDQUOT"},
	{"Disc quota exceeded", "EDQUOT"},
	{"Read-only file system", "EROFS"},
	{"Too many open files", "EMFILE"},
	{"Argument list too long", "E2BIG"},
	{"Cannot allocate memory", "ENOMEM"},
}
