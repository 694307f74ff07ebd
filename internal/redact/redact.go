package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"net/netip"
	"strings"
	"sync"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

const (
	// tokenLength is how many characters of 5 bits tell pseudonyms apart: among a hundred
	// thousand names, two have the same with a chance of one in seven.
	tokenLength = 7

	// maxMemo is how many pseudonyms are remembered, because most names come often. All
	// are forgotten when there are more: they would be made again as they were.
	maxMemo = 1 << 16

	// maxName bounds what is remembered by its text.
	maxName = 512
)

// alphabet has no letters and digits that are taken for one another.
const alphabet = "abcdefghijkmnpqrstuvwxyz23456789"

// Redactor makes pseudonyms with one key. It is safe for several goroutines.
type Redactor struct {
	mu     sync.Mutex
	mac    hash.Hash
	sum    []byte
	memo   map[memoKey]string
	public map[string]bool // domains
	labels map[string]bool
	words  map[string]bool
	paths  map[string]bool
	own    context                          // of the event at hand
	files  map[string]string                // paths that were given, with their pseudonyms
	told   func(original, pseudonym string) // nil: nobody asks
}

type memoKey struct {
	kind byte
	name string
}

// The kinds of names. The same text gets another token as a name of another kind.
const (
	kindAddress = 'a'
	kindUser    = 'u'
	kindHost    = 'h'
	kindIP      = 'i'
	kindText    = 't'
	kindFile    = 'f'
)

// New returns a redactor with a key, for what is public by the knowledge base.
func New(key []byte, base *knowledge.Base) *Redactor {
	return &Redactor{
		mac: hmac.New(sha256.New, key), memo: map[memoKey]string{}, own: context{}, files: map[string]string{},
		public: set(base.Public.Domains), labels: set(base.Public.Labels), words: set(base.Public.Words), paths: set(base.Public.Paths),
	}
}

func set(names []string) map[string]bool {
	all := make(map[string]bool, len(names))
	for _, n := range names {
		all[n] = true
	}
	return all
}

// Tell has f called with each original and its pseudonym, at least once for each.
func (r *Redactor) Tell(f func(original, pseudonym string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = f
	clear(r.memo)
}

// digest is the HMAC of a name. It is good until the next one.
func (r *Redactor) digest(kind byte, name string) []byte {
	r.mac.Reset()
	r.mac.Write([]byte{kind})
	r.mac.Write([]byte(name))
	r.sum = r.mac.Sum(r.sum[:0])
	return r.sum
}

// token tells a name apart from others.
func (r *Redactor) token(kind byte, name string) string {
	sum := r.digest(kind, name)
	var t [tokenLength]byte
	for i := range t {
		t[i] = alphabet[sum[i]&31]
	}
	return string(t[:])
}

// once returns what make makes of a name, remembered.
func (r *Redactor) once(kind byte, name string, make func() string) string {
	if len(name) > maxName {
		return make()
	}
	key := memoKey{kind, name}
	if p, ok := r.memo[key]; ok {
		return p
	}
	p := make()
	if len(r.memo) >= maxMemo {
		clear(r.memo)
	}
	r.memo[memoKey{kind, strings.Clone(name)}] = p
	r.tell(name, p)
	return p
}

func (r *Redactor) tell(original, pseudonym string) {
	if r.told != nil && original != pseudonym {
		r.told(original, pseudonym)
	}
}

// Hash is a hash of a text that nobody can try texts against who has not the key.
func (r *Redactor) Hash(text []byte) (h uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.digest('#', string(text))[:8] {
		h = h<<8 | uint64(b)
	}
	return h
}

// host is the pseudonym of a host's name, or of a domain. An IP may stand in its place.
func (r *Redactor) host(name string) string {
	return r.once(kindHost, name, func() string { return r.makeHost(name) })
}

func (r *Redactor) makeHost(name string) string {
	if ip, ok := r.ipOf(name); ok {
		return ip
	}
	n := strings.ToLower(strings.TrimRight(name, "."))
	if ascii, err := idna.Punycode.ToASCII(n); err == nil {
		n = ascii // one name, however it is written
	}
	if n == "" || r.words[n] || n == "localhost.localdomain" || isPseudonym(n) {
		return name
	}
	if public, before := r.publicPart(n); public != "" {
		return r.under(public, before)
	}
	if !strings.Contains(n, ".") {
		return "host-" + r.token(kindHost, n)
	}
	for _, reverse := range []string{"in-addr.arpa", "ip6.arpa"} {
		if before, ok := strings.CutSuffix(n, "."+reverse); ok {
			return r.under(reverse, before)
		}
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(n)
	if err != nil {
		registered = n
	}
	domain := "dom-" + r.token(kindHost, registered) + ".example"
	if registered == n {
		return domain
	}
	r.tell(registered, domain)
	return "h-" + r.token(kindHost, n) + "." + domain
}

// publicPart returns the longest public domain that a name is in, and what stands before it.
func (r *Redactor) publicPart(name string) (public, before string) {
	for rest := name; rest != ""; {
		if r.public[rest] {
			return rest, strings.TrimSuffix(name[:len(name)-len(rest)], ".")
		}
		_, rest, _ = strings.Cut(rest, ".")
	}
	return "", ""
}

// under is the pseudonym of a name under a domain that stays. Of what stands before it the last
// labels stay that only say what a host is for; an address written backwards becomes that of
// its pseudonym.
func (r *Redactor) under(domain, before string) string {
	labels := strings.Split(before, ".")
	for len(labels) > 0 && r.general(labels[len(labels)-1]) {
		domain = labels[len(labels)-1] + "." + domain
		labels = labels[:len(labels)-1]
	}
	if len(labels) == 0 || before == "" {
		return domain
	}
	rest := strings.Join(labels, ".")
	if len(labels) == 4 {
		if a, err := netip.ParseAddr(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0]); err == nil {
			four := r.ip(a).As4()
			return netip.AddrFrom4([4]byte{four[3], four[2], four[1], four[0]}).String() + "." + domain
		}
	}
	if isPseudonym(rest) {
		return rest + "." + domain
	}
	return "h-" + r.token(kindHost, rest+"."+domain) + "." + domain
}

// general reports a label that only says what a host is for, like "mx03" and "gmail-smtp-in".
func (r *Redactor) general(label string) bool {
	if label == "" || len(label) > 24 {
		return false
	}
	for part := range strings.SplitSeq(label, "-") {
		word := strings.TrimRight(part, "0123456789")
		if len(part)-len(word) > 3 || word == "" && (part == label || len(part) > 2) || word != "" && !r.labels[word] {
			return false
		}
	}
	return true
}

// address is the pseudonym of an address or a Message-ID, whose label tells which.
func (r *Redactor) address(label, addr string) string {
	at := strings.LastIndexByte(addr, '@')
	if at < 0 {
		return r.user(label, addr)
	}
	return r.once(label[0], addr, func() string {
		local, domain := addr[:at], addr[at+1:]
		there := domain
		if in, ok := strings.CutPrefix(domain, "["); ok {
			there = "[" + r.literal(strings.TrimSuffix(in, "]")) + "]"
		} else {
			there = r.host(domain)
		}
		if local == "" || isLabelled(local, "user-", "id-") {
			return local + "@" + there
		}
		return label + r.token(kindAddress, strings.ToLower(local)+"@"+strings.ToLower(domain)) + "@" + there
	})
}

// literal is the pseudonym of what stands between the brackets of an address literal (RFC
// 5321, 4.1.3).
func (r *Redactor) literal(s string) string {
	if tag := "IPv6:"; len(s) > len(tag) && strings.EqualFold(s[:len(tag)], tag) {
		return s[:len(tag)] + r.host(s[len(tag):])
	}
	return r.host(s)
}

// user is the pseudonym of a login name, or of a local part without its domain.
func (r *Redactor) user(label, name string) string {
	if name == "" || isLabelled(name, "user-", "id-") {
		return name
	}
	return r.once(label[0]-'a'+'A', name, func() string { return label + r.token(kindUser, strings.ToLower(name)) })
}

// labelled is the pseudonym of a text that is none of these.
func (r *Redactor) labelled(label string, kind byte, text string) string {
	if text == "" || isLabelled(text, label) {
		return text
	}
	p := label + r.token(kind, text)
	r.tell(text, p)
	return p
}
