//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// server is a running MTA.
type server struct {
	address string
	log     string
	try     func(decided int) // has it try to deliver all it has, and waits until the log shows so many decisions
	stop    func()            // stops it; may be called twice
}

// workdir makes a folder that the MTA's own users may enter, which t.TempDir is not.
func workdir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "mailwhy-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freePort asks the system for a port that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// chown gives a folder to one of the MTA's users.
func chown(t *testing.T, name, path string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("%v: run internal/e2e/run.sh, which installs what is needed", err)
	}
	uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// await waits until the server takes connections, with one session of its own: greeting is what the log must tell of it.
func await(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := greeting.hold(address); err == nil {
			return
		}
	}
	t.Fatalf("nobody answers at %s after %v", address, patience)
}

// settle waits until the log has so many lines with one of the words, and does not mind more: check counts them.
func settle(t *testing.T, log string, n int, words ...string) {
	t.Helper()
	found := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		text, _ := os.ReadFile(log) // not there yet: nothing to count
		found = 0
		for line := range strings.Lines(string(text)) {
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
				found++
			}
		}
		if found >= n {
			return
		}
	}
	t.Errorf("after %v the log has decided %d deliveries, want %d", patience, found, n)
}

// awaitNoFiles waits until the folders hold no file at any depth: Postfix writes a decision to its log before it moves the
// message to where a flush finds it.
func awaitNoFiles(t *testing.T, dirs ...string) {
	t.Helper()
	var found string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		found = ""
		for _, dir := range dirs {
			filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() { // a file that is just going away is an error, and as good as gone
					found = path
				}
				return nil
			})
		}
		if found == "" {
			return
		}
	}
	t.Errorf("after %v %s is still there", patience, found)
}

// startPostfix starts a private Postfix: its own configuration, queue and log.
func startPostfix(t *testing.T, remotes []remote) *server {
	dir, port := workdir(t), freePort(t)
	etc, log := filepath.Join(dir, "etc"), filepath.Join(dir, "mail.log")
	var transports strings.Builder
	for _, r := range remotes {
		fmt.Fprintf(&transports, " { %s = smtp:[%s]:%d }", r.domain, r.address, r.port)
	}
	writeFile(t, filepath.Join(etc, "sasl", "smtpd.conf"), "pwcheck_method: auxprop\nmech_list: PLAIN LOGIN\nsasldb_path: "+dir+"/none\n")
	writeFile(t, filepath.Join(etc, "main.cf"), fmt.Sprintf(`
compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
maillog_file = %[1]s/mail.log
maillog_file_prefixes = %[1]s
myhostname = mx1.e2e.example
mydestination =
local_recipient_maps =
alias_maps =
virtual_mailbox_domains = e2e.example
virtual_mailbox_maps = inline:{ anna@e2e.example=anna, ben@e2e.example=ben }
virtual_transport = discard
transport_maps = inline:{%[2]s }
mynetworks = 127.0.0.2/32
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_host_lookup = native
smtp_tls_security_level = none
smtpd_peername_lookup = no
smtpd_helo_restrictions = reject_invalid_helo_hostname
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = %[1]s/etc/sasl
smtpd_timeout = 3s
smtpd_hard_error_limit = 3
smtpd_error_sleep_time = 0
message_size_limit = 1000000
`, dir, transports.String()))
	writeFile(t, filepath.Join(etc, "master.cf"), "127.0.0.1:"+port+` inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`)
	for _, f := range []string{"postfix-files", "dynamicmaps.cf"} {
		if text, err := os.ReadFile("/etc/postfix/" + f); err == nil { // Debian keeps them here; others compile them in
			writeFile(t, filepath.Join(etc, f), string(text))
		}
	}
	for _, d := range []string{"spool", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chown(t, "postfix", filepath.Join(dir, "data"))
	tried, stopped := false, false
	s := &server{address: "127.0.0.1:" + port, log: log,
		try: func(decided int) { // the first try comes by itself
			if tried {
				command(t, "postqueue", "-c", etc, "-f")
			}
			tried = true
			settle(t, log, decided, "status=sent", "status=deferred", "status=bounced")
			awaitNoFiles(t, filepath.Join(dir, "spool", "incoming"), filepath.Join(dir, "spool", "active"))
		},
		stop: func() {
			if !stopped {
				stopped = true
				command(t, "postfix", "-c", etc, "stop")
			}
		},
	}
	command(t, "postfix", "-c", etc, "start")
	t.Cleanup(s.stop)
	await(t, s.address)
	return s
}

// startExim starts a private Exim. It only queues; try runs the queue, so that each try comes when the test wants it.
// The selector is added to log_selector.
func startExim(t *testing.T, remotes []remote, selector string) *server {
	exim := os.Getenv("EXIM")
	if exim == "" {
		t.Fatal("EXIM does not say where Exim's program is: run internal/e2e/run.sh")
	}
	dir, port := workdir(t), freePort(t)
	conf, log := filepath.Join(dir, "exim.conf"), filepath.Join(dir, "log", "mainlog")
	var routes strings.Builder
	for _, r := range remotes {
		fmt.Fprintf(&routes, "%s %s::%d ; ", r.domain, r.address, r.port)
	}
	writeFile(t, conf, fmt.Sprintf(`
primary_hostname = mx1.e2e.example
exim_path = %[1]s
spool_directory = %[2]s/spool
log_file_path = %[2]s/log/%%slog
log_selector = +smtp_connection +smtp_syntax_error +smtp_protocol_error %[5]s
pid_file_path = %[2]s/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = %[3]s
queue_only = true
keep_environment =
rfc1413_hosts =
smtp_receive_timeout = 3s
smtp_max_synprot_errors = 3
tls_advertise_hosts =
message_size_limit = 1000000
qualify_domain = e2e.example
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  accept hosts = 127.0.0.2
  deny message = 550 5.7.1 relay not permitted
       !domains = e2e.example
  deny message = 550 5.1.1 Unknown user
       !local_parts = anna : ben
  accept
begin routers
remotes:
  driver = manualroute
  domains = ! e2e.example
  route_list = %[4]s
  self = send
  transport = remote_smtp
ours:
  driver = accept
  transport = box
begin transports
remote_smtp:
  driver = smtp
  allow_localhost
  hosts_try_fastopen =
  connection_max_messages = 1
box:
  driver = appendfile
  file = %[2]s/box/all
  user = Debian-exim
begin retry
* * F,2h,1s
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = false
  server_set_id = $auth2
`, exim, dir, port, routes.String(), selector))
	for _, d := range []string{"spool", "log", "box"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		chown(t, "Debian-exim", filepath.Join(dir, d))
	}
	daemon := exec.Command(exim, "-C", conf, "-bdf")
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	s := &server{address: "127.0.0.1:" + port, log: log,
		try: func(decided int) {
			command(t, exim, "-C", conf, "-qff")
			settle(t, log, decided, " => ", " == ", " ** ")
		},
		stop: func() {
			if !stopped {
				stopped = true
				daemon.Process.Signal(os.Interrupt)
				daemon.Wait() // it reports the signal that we sent
			}
		},
	}
	t.Cleanup(s.stop)
	await(t, s.address)
	return s
}
