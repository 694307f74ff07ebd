//go:build e2e

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait on a socket: a server that says nothing for so long is broken.
const patience = 20 * time.Second

// talk is one session with a server: what the client sends and which code it must get for each, the greeting first.
type talk struct {
	name  string
	from  string   // the client's address; 127.0.0.2 may relay
	steps []string // "CODE what to send before it"; the first has nothing to send; 50 stands for 500 to 509
	ends  string   // how mailwhy must say that it ended
	// refused are the codes that the server also writes to its log; not every refusal is logged.
	refused []int
}

const (
	stranger = "127.0.0.3"
	ours     = "127.0.0.2"
)

const body = "Subject: test\r\n\r\nOne line.\r\n."

// hold a talk; the error says at which step the server said something else.
func (k talk) hold(server string) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(k.from)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	for _, step := range k.steps {
		want, send, _ := strings.Cut(step, " ")
		if send != "" {
			if _, err := fmt.Fprintf(conn, "%s\r\n", send); err != nil {
				return fmt.Errorf("%q: %w", send, err)
			}
		}
		if want == "-" { // nothing is answered: the client goes away, or waits until the server does
			continue
		}
		code, text, err := readReply(r)
		if err != nil || !strings.HasPrefix(strconv.Itoa(code), want) {
			return fmt.Errorf("%q was answered %d %q (%v), want %s", send, code, text, err, want)
		}
	}
	return nil
}

// readReply reads a reply of one or more lines (RFC 5321, 4.2.1).
func readReply(r *bufio.Reader) (code int, text string, err error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, text, err
		}
		text += line
		if len(line) < 4 {
			return 0, text, fmt.Errorf("short reply line %q", line)
		}
		if line[3] != '-' {
			code, err = strconv.Atoi(line[:3])
			return code, text, err
		}
	}
}

// A remote is a server that our MTA delivers to. Each serves one domain and has one way to behave.
type remote struct {
	domain  string
	address string // each has its own: Exim's retry database and its open connections go by the address alone
	port    int
}

// behaviours are what a remote answers to a command; "" hangs up. The second argument counts the tries so far.
var behaviours = map[string]func(verb string, try int) string{
	"ok.example":      func(string, int) string { return "" },
	"gone.example":    func(verb string, _ int) string { return only(verb, "RCPT", "550 5.1.1 No such user here") },
	"refused.example": func(verb string, _ int) string { return only(verb, ".", "554 5.7.1 Message refused by policy") },
	"busy.example":    func(verb string, _ int) string { return only(verb, "RCPT", "421 4.7.0 Too busy, try later") },
	"drops.example":   func(verb string, _ int) string { return only(verb, "DATA", hangUp) },
	"later.example": func(verb string, try int) string {
		if try > 1 {
			return ""
		}
		return only(verb, "RCPT", "450 4.2.0 Greylisted, please try again")
	},
}

const hangUp = "hang up"

func only(verb, at, reply string) string {
	if verb == at {
		return reply
	}
	return ""
}

// serve starts all remotes on loopback ports; they stop with the test.
func serve(t *testing.T) (remotes []remote) {
	t.Helper()
	for domain, behave := range behaviours {
		address := fmt.Sprintf("127.0.1.%d", len(remotes)+1)
		l, err := net.Listen("tcp", address+":0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		remotes = append(remotes, remote{domain, address, l.Addr().(*net.TCPAddr).Port})
		go func() {
			for try := 1; ; try++ {
				conn, err := l.Accept()
				if err != nil {
					return // closed: the test is over
				}
				answer(conn, domain, func(verb string) string { return behave(verb, try) })
			}
		}()
	}
	return remotes
}

// answer is the server's side of one session. An error of the socket ends it, as it would for a real server.
func answer(conn net.Conn, domain string, behave func(verb string) string) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReader(conn)
	fmt.Fprintf(conn, "220 mx.%s ESMTP\r\n", domain)
	usual := map[string]string{"EHLO": "250 mx." + domain, "HELO": "250 mx." + domain, "DATA": "354 Go ahead", ".": "250 2.0.0 Ok: queued as 12345ABC", "QUIT": "221 2.0.0 Bye"}
	inBody := false
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if inBody && line != "." {
			continue
		}
		inBody = false
		verb := strings.ToUpper(strings.SplitN(line, " ", 2)[0])
		reply := behave(verb)
		if reply == "" {
			if reply = usual[verb]; reply == "" {
				reply = "250 2.0.0 Ok"
			}
		}
		if reply == hangUp {
			return
		}
		fmt.Fprintf(conn, "%s\r\n", reply)
		if verb == "QUIT" || strings.HasPrefix(reply, "421") {
			return
		}
		inBody = strings.HasPrefix(reply, "354")
	}
}
