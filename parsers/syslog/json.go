package syslog

import (
	"bytes"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// fields is what a JSON object tells of a line, in whichever words its writer has.
type fields struct {
	message, time, micros, host, tag, pid []byte // raw values: strings with their quotes
}

// object reads a line that is a JSON object: "journalctl -o json" (systemd's "Journal
// JSON Format"), Docker's json-file driver, filebeat, fluentd. The message may hold a
// syslog line of its own; what it does not tell is taken from the object.
func object(b []byte, ev *smtp.Event, depth int) ([]byte, bool) {
	var f fields
	if !scan(b, &f) || len(f.message) == 0 {
		return nil, false
	}
	msg, ok := text(f.message, ev)
	if !ok {
		return nil, false
	}
	msg = message(trim(msg))
	if us, n := number(unquoted(f.micros), 16); n > 0 {
		keep(ev, utc(int64(us)*int64(time.Microsecond)))
	} else if s, n := stamp(unquoted(f.time)); n > 0 {
		keep(ev, s)
	}
	ev.Host = value(f.host)
	if name := value(f.tag); name != nil {
		pid, _ := number(unquoted(f.pid), 10)
		setName(ev, name, bytes.LastIndexByte(name, '/'))
		ev.PID = uint32(pid)
		if ev.Service != nil {
			return msg, true
		}
		return relayed(msg, ev, depth), true
	}
	return parse(msg, ev, depth+1), true
}

// scan finds the values of an object's own keys that matter; what is nested deeper is
// passed over. It reports whether b is an object as far as it goes: a line may be cut.
func scan(b []byte, f *fields) bool {
	i := 1
	for {
		i = space(b, i)
		if i >= len(b) || b[i] == '}' {
			return true
		}
		if b[i] == ',' {
			i++
			continue
		}
		end := skip(b, i)
		if b[i] != '"' || end == i {
			return false
		}
		key := b[i+1 : max(end-1, i+1)]
		i = space(b, end)
		if i >= len(b) || b[i] != ':' {
			return false
		}
		i = space(b, i+1)
		end = skip(b, i)
		if end == i {
			return false
		}
		f.set(key, b[i:end])
		i = end
	}
}

// set takes a value in when its key is one of those that writers of logs use.
func (f *fields) set(key, val []byte) {
	switch string(key) {
	case "MESSAGE", "message", "log", "msg":
		f.message = val
	case "__REALTIME_TIMESTAMP":
		if f.micros == nil {
			f.micros = val
		}
	case "_SOURCE_REALTIME_TIMESTAMP":
		f.micros = val
	case "time", "timestamp", "@timestamp", "ts":
		f.time = val
	case "_HOSTNAME", "hostname", "host":
		f.host = val
	case "SYSLOG_IDENTIFIER", "ident", "program", "syslogtag", "tag", "appname", "app-name":
		f.tag = val
	case "SYSLOG_PID", "pid", "procid":
		f.pid = val
	case "_PID":
		if f.pid == nil {
			f.pid = val
		}
	}
}

// value returns a plain string that names a host or a program, nil for anything else.
func value(raw []byte) []byte {
	v := unquoted(raw)
	if len(v) == 0 || len(v) == len(raw) || bytes.IndexByte(v, '\\') >= 0 {
		return nil
	}
	return bytes.TrimSuffix(v, []byte(":"))
}

// unquoted takes the quotes off a raw string.
func unquoted(raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return raw
	}
	return raw[1 : len(raw)-1]
}

// space passes over white space from i on.
func space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' {
		i++
	}
	return i
}

// skip returns where the value that begins at i ends; i itself when none begins there.
// A value that is cut ends with b.
func skip(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		for j := i + 1; j < len(b); j++ {
			switch b[j] {
			case '\\':
				j++
			case '"':
				return j + 1
			}
		}
		return len(b)
	case '{', '[':
		open := 0
		for j := i; j < len(b); j++ {
			switch b[j] {
			case '"':
				j = skip(b, j) - 1
			case '{', '[':
				open++
			case '}', ']':
				if open--; open == 0 {
					return j + 1
				}
			}
		}
		return len(b)
	}
	j := i
	for j < len(b) && b[j] > ' ' && b[j] != ',' && b[j] != '}' && b[j] != ']' && b[j] != ':' {
		j++
	}
	return j
}

// text decodes a message: a string, or the array of bytes that the journal writes when
// a message is not UTF-8.
func text(raw []byte, ev *smtp.Event) ([]byte, bool) {
	switch raw[0] {
	case '[':
		return byteArray(raw, ev)
	case '"':
		raw = raw[1:]
		if n := len(raw); n > 0 && raw[n-1] == '"' {
			raw = raw[:n-1]
		}
		if bytes.IndexByte(raw, '\\') < 0 {
			return raw, true
		}
		return unescape(raw, ev), true
	}
	return nil, false
}

// byteArray decodes [72,101,108].
func byteArray(raw []byte, ev *smtp.Event) ([]byte, bool) {
	out := ev.Scratch(len(raw))[:0]
	for i := 1; i < len(raw); {
		i = space(raw, i)
		if i < len(raw) && (raw[i] == ',' || raw[i] == ']') {
			i++
			continue
		}
		v, n := number(raw[i:], 3)
		if n == 0 || v > 255 {
			return out, i >= len(raw)
		}
		out = append(out, byte(v))
		i += n
	}
	return out, true
}

// unescape decodes the escapes of a JSON string (RFC 8259, 7). A broken one stays as it
// is written.
func unescape(raw []byte, ev *smtp.Event) []byte {
	// No escape becomes longer than it is written, but for a lone surrogate's
	// replacement, which takes three bytes for six.
	out := ev.Scratch(len(raw))[:0]
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case '"', '\\', '/':
			out = append(out, raw[i])
		case 'u':
			r, n := unicode(raw[i+1:])
			if n == 0 {
				out = append(out, '\\', 'u')
				continue
			}
			out = utf8.AppendRune(out, r)
			i += n
		default:
			out = append(out, '\\', raw[i])
		}
	}
	return out
}

// unicode reads the digits of \uXXXX, and of the second half of a surrogate pair.
func unicode(b []byte) (r rune, n int) {
	if r, n = hex4(b); n == 0 || !utf16.IsSurrogate(r) {
		return r, n
	}
	if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, m := hex4(b[6:]); m > 0 {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10
			}
		}
	}
	return utf8.RuneError, 4
}

func hex4(b []byte) (r rune, n int) {
	if len(b) < 4 {
		return 0, 0
	}
	for _, c := range b[:4] {
		switch {
		case c-'0' < 10:
			c -= '0'
		case (c|0x20)-'a' < 6:
			c = (c | 0x20) - 'a' + 10
		default:
			return 0, 0
		}
		r = r<<4 | rune(c)
	}
	return r, 4
}
