package days

import "fmt"

// remote is who takes our mail.
type remote struct {
	domains []string
	host    string
	ip      string
	weight  int
}

// The first remotes; smaller ones follow, each with one domain.
const (
	Google = iota
	Microsoft
	Yahoo
	GMX
	numGreat
	smallFirms = 60
)

var great = [numGreat]remote{
	{[]string{"gmail.example", "workspace1.example", "workspace2.example"}, "gmail-smtp-in.l.google.com", "198.51.100.10", 36},
	{[]string{"contoso.example", "fabrikam.example", "tailspin.example", "northwind.example"}, "contoso-example.mail.protection.outlook.com", "198.51.100.20", 30},
	{[]string{"yahoo.example"}, "mta5.am0.yahoodns.net", "198.51.100.30", 10},
	{[]string{"gmx.example"}, "mx00.gmx.net", "198.51.100.40", 6},
}

func firm(i int) remote {
	domain := fmt.Sprintf("firm%d.example", i)
	return remote{[]string{domain}, "mail." + domain, fmt.Sprintf("203.0.113.%d", 20+i), 1}
}

// mailbox is a recipient with its domain, at a remote.
type mailbox struct {
	address, domain string
	at              int
	remote          remote
}

func (w *world) remote() int {
	x := w.rng.IntN(100)
	for i := range great {
		if x -= great[i].weight; x < 0 {
			return i
		}
	}
	return numGreat + w.rng.IntN(smallFirms)
}

func (w *world) mailbox(at int) mailbox {
	r := remote{}
	if at < numGreat {
		r = great[at]
	} else {
		r = firm(at - numGreat)
	}
	domain := r.domains[w.rng.IntN(len(r.domains))]
	if w.Relay {
		r = remote{host: "relay.isp.example", ip: "192.0.2.200"}
	}
	return mailbox{fmt.Sprintf("user%d@%s", w.rng.IntN(4000), domain), domain, at, r}
}

var locals = [...]string{"anna", "karl", "sales", "billing", "orders", "support", "info", "newsletter"}

func (w *world) ours() string { return locals[w.rng.IntN(len(locals))] + "@corp.example" }

func (w *world) client() (name, ip string) {
	n := w.rng.IntN(200)
	return fmt.Sprintf("out%d.sender.example", n), fmt.Sprintf("203.0.113.%d", n)
}

func (w *world) bot() string { return fmt.Sprintf("198.51.100.%d", 200+w.rng.IntN(16)) }

func (w *world) guessed() string {
	return [...]string{"test", "root", "admin", "info"}[w.rng.IntN(4)] + "@corp.example"
}

func (w *world) hex(n int) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[w.rng.IntN(16)]
	}
	return string(b)
}
