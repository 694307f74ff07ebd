package source

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// binaryField is a field as the export writes it when its value is not plain text.
func binaryField(name, value string) string {
	return name + "\n" + string(binary.LittleEndian.AppendUint64(nil, uint64(len(value)))) + value + "\n"
}

const (
	recordHead = "__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1795328701123456\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=0\n_HOSTNAME=mx\nPRIORITY=6\n"
	recordLine = "2026-11-22T06:25:01.123456+00:00 mx "
	smtpd      = "SYSLOG_IDENTIFIER=postfix/smtpd\nSYSLOG_PID=1234\n_PID=9\n_COMM=smtpd\n"
)

func TestJournal(t *testing.T) {
	long := strings.Repeat("x", MaxMessage+10)
	for _, c := range []struct{ name, export, want, err string }{
		{"a record", recordHead + smtpd + "MESSAGE=connect from client.example.net[192.0.2.1]\n\n",
			recordLine + "postfix/smtpd[1234]: connect from client.example.net[192.0.2.1]\n", ""},
		{"two records", recordHead + smtpd + "MESSAGE=one\n\n" + recordHead + smtpd + "MESSAGE=two\n\n",
			recordLine + "postfix/smtpd[1234]: one\n" + recordLine + "postfix/smtpd[1234]: two\n", ""},
		{"more empty lines", recordHead + "\n\n\n", recordLine + "unknown: \n", ""},
		{"no empty line at the end", recordHead + "MESSAGE=m\n", recordLine + "unknown: m\n", ""},
		{"a binary message", recordHead + smtpd + binaryField("MESSAGE", "one\n\ntwo\x00=\xff\n") + "\n",
			recordLine + "postfix/smtpd[1234]: one  two\x00=\xff \n", ""},
		{"a forged line", recordHead + binaryField("SYSLOG_IDENTIFIER", "a\nb") + "\n", recordLine + "a b: \n", ""},
		{"another binary field", recordHead + binaryField("COREDUMP", long+"\n\nMESSAGE=no\n\n") + smtpd + "MESSAGE=m\n\n",
			recordLine + "postfix/smtpd[1234]: m\n", ""},
		{"an empty binary field", recordHead + binaryField("MESSAGE", "") + "_COMM=exim4\n_PID=7\n\n", recordLine + "exim4[7]: \n", ""},
		{"the program's own time", recordHead + "_SOURCE_REALTIME_TIMESTAMP=1795328701000001\nMESSAGE=m\n\n",
			"2026-11-22T06:25:01.000001+00:00 mx unknown: m\n", ""},
		{"nothing known", "__CURSOR=1\nMESSAGE=m\n\n", "- - unknown: m\n", ""},
		{"no time", "__CURSOR=1\n__REALTIME_TIMESTAMP=soon\nMESSAGE=m=n\n\n", "- - unknown: m=n\n", ""},
		{"a long message", recordHead + "MESSAGE=" + long + "\n\n" + recordHead + "MESSAGE=m\n\n",
			recordLine + "unknown: " + long[:MaxMessage] + "\n" + recordLine + "unknown: m\n", ""},
		{"a long field", recordHead + "OTHER=" + long + "\nMESSAGE=m\n\n", recordLine + "unknown: m\n", ""},
		{"cut in a field", recordHead + "MESSAGE=m\nPRIO", recordLine + "unknown: m\n", "the journal export ends within record 1"},
		{"cut in a value", recordHead + "MESSAGE=half", recordLine + "unknown: half\n", "the journal export ends within record 1"},
		{"cut in a length", recordHead + "MESSAGE\n\x05\x00", recordLine + "unknown: \n", "the journal export ends within record 1"},
		{"cut in a binary value", recordHead + binaryField("MESSAGE", "connect")[:19], recordLine + "unknown: con\n", "the journal export ends within record 1"},
		{"other text", recordHead + "\nNov 22 06:25:01 mx\n\n", recordLine + "unknown: \n", "the journal export is damaged after record 1"},
		{"an impossible length", recordHead + "\n__CURSOR=2\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff", recordLine + "unknown: \n", "the journal export is damaged after record 1: a field is longer"},
		{"a wrong length", recordHead + "\n__CURSOR=2\nMESSAGE\n\x01\x00\x00\x00\x00\x00\x00\x00long\n\n", recordLine + "unknown: \n", "the journal export is damaged after record 1: a field does not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.export), iotest.OneByteReader(strings.NewReader(c.export)), iotest.DataErrReader(strings.NewReader(c.export))} {
				got, err := io.ReadAll(newJournal(r))
				if string(got) != c.want {
					t.Errorf("got %.200q, want %.200q", got, c.want)
				}
				if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
					t.Errorf("error %v, want %q", err, c.err)
				}
			}
		})
	}
}

func TestJournalInput(t *testing.T) {
	export := strings.Repeat(recordHead+smtpd+"MESSAGE=connect\n\n", 2000)
	want := strings.Repeat(recordLine+"postfix/smtpd[1234]: connect\n", 2000)
	checkInput(t, writeInput(t, "journal", []byte(export)), "", "journal export", []byte(want))
	checkInput(t, findOne(t, "-", strings.NewReader(export)), "", "journal export", []byte(want))

	in := writeInput(t, "journal", []byte(export[:len(export)-9]))
	if _, err := readInput(t, in); err == nil || !strings.HasPrefix(err.Error(), in.Path+": the journal export ends within record 2000; ") {
		t.Errorf("a cut export: %v", err)
	}
	// A message that is too long is longer than a line may be, so that whoever cuts lines counts it.
	long := recordHead + "MESSAGE=" + strings.Repeat("x", 2*MaxMessage) + "\n\n"
	if line, err := io.ReadAll(newJournal(strings.NewReader(long))); err != nil || len(line) <= MaxMessage || len(line) > MaxMessage+200 {
		t.Errorf("a long message: %d bytes, %v", len(line), err)
	}
}

// TestJournalLive: a record is handed on when it ends.
func TestJournalLive(t *testing.T) {
	r, w := io.Pipe()
	j := newJournal(r)
	buf := make([]byte, 4096)
	for range 3 {
		go w.Write([]byte(recordHead + "MESSAGE=m\n\n"))
		if n, err := j.Read(buf); err != nil || string(buf[:n]) != recordLine+"unknown: m\n" {
			t.Fatalf("got %q, %v", buf[:n], err)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(recordHead+smtpd+"MESSAGE=m\n\n"), uint8(3))
	f.Add([]byte(recordHead+binaryField("MESSAGE", "one\ntwo")+"\n"), uint8(100))
	f.Add([]byte("__CURSOR=1\nMESSAGE\n\x05\x00\x00\x00\x00\x00\x00\x00ab"), uint8(1))
	f.Add([]byte("\n\n=\n"), uint8(0))
	f.Fuzz(func(t *testing.T, export []byte, step uint8) {
		j := newJournal(bytes.NewReader(export))
		whole, err := io.ReadAll(j)
		if n := bytes.Count(whole, newline); int64(n) != j.records {
			t.Fatalf("%d lines of %d records", n, j.records)
		}
		if len(whole) > 0 && whole[len(whole)-1] != '\n' {
			t.Fatal("the last line does not end")
		}
		if err == nil && len(bytes.Trim(export, "\n")) > 0 && j.records == 0 {
			t.Fatal("fields and no record")
		}
		pieces, err2 := io.ReadAll(newJournal(&stepReader{bytes.NewReader(export), int(step) + 1}))
		if !bytes.Equal(whole, pieces) || (err == nil) != (err2 == nil) {
			t.Fatalf("%q, %v; in pieces %q, %v", whole, err, pieces, err2)
		}
	})
}

func BenchmarkJournal(b *testing.B) {
	export := []byte(strings.Repeat(recordHead+smtpd+"_TRANSPORT=syslog\n_CMDLINE=smtpd -n smtp -t inet -u\nMESSAGE=connect from client.example.net[192.0.2.1]\n\n", 1000))
	b.SetBytes(int64(len(export)))
	for b.Loop() {
		io.Copy(io.Discard, newJournal(bytes.NewReader(export)))
	}
}

// stepReader gives step bytes at a time.
type stepReader struct {
	r    io.Reader
	step int
}

func (r *stepReader) Read(p []byte) (int, error) { return r.r.Read(p[:min(r.step, len(p))]) }
