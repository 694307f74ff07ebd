package redact

import (
	"net/netip"
	"strconv"
	"strings"
)

// Where the pseudonyms of IPs are.
var (
	pseudonyms4 = netip.MustParsePrefix("240.0.0.0/4")
	ownMachine  = netip.MustParsePrefix("127.240.0.0/12") // for what is of this machine, because that makes a difference
	pseudonyms6 = netip.MustParsePrefix("3fff::/20")
)

// ip is the pseudonym of an address. The loopback, and none at all, tell nothing of anybody.
func (r *Redactor) ip(a netip.Addr) netip.Addr {
	p := r.makeIP(a.WithZone(""))
	r.tell(a.String(), p.String())
	return p
}

func (r *Redactor) makeIP(a netip.Addr) netip.Addr {
	plain := a.Unmap()
	if plain == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || plain == netip.IPv6Loopback() || plain.IsUnspecified() ||
		pseudonyms4.Contains(plain) || ownMachine.Contains(plain) || pseudonyms6.Contains(plain) {
		return a
	}
	sixteen := plain.As16()
	sum := r.digest(kindIP, string(sixteen[:]))
	if plain.Is4() {
		four := [4]byte{240 + sum[0]%15, sum[1], sum[2], sum[3]} // 255.… has a meaning
		if plain.IsLoopback() {
			four = [4]byte{127, 240 | sum[1]&15, sum[2], sum[3]}
		}
		if a.Is4In6() {
			return netip.AddrFrom16(netip.AddrFrom4(four).As16())
		}
		return netip.AddrFrom4(four)
	}
	copy(sixteen[:], sum)
	sixteen[0], sixteen[1], sixteen[2] = 0x3f, 0xff, sum[2]&0x0f
	return netip.AddrFrom16(sixteen)
}

// ipOf is the pseudonym of an address in any of the ways that it is written: with leading
// zeros, with a zone, with a prefix's length behind it.
func (r *Redactor) ipOf(s string) (string, bool) {
	name, prefix, cut := strings.Cut(s, "/")
	if cut {
		if n, err := strconv.Atoi(prefix); err != nil || n < 0 || n > 128 {
			return "", false
		}
		prefix = "/" + prefix
	}
	a, err := netip.ParseAddr(name)
	if err != nil {
		four, n := quad(name, '.')
		if n == 0 || n != len(name) {
			return "", false
		}
		a = netip.AddrFrom4(four)
	}
	return r.ip(a).String() + prefix, true
}

// quad reads four numbers up to 255 at the start of s, between which sep stands, and returns
// how long they are; 0 when they are not there or more digits follow.
func quad(s string, sep byte) (four [4]byte, length int) {
	i := 0
	for part := range four {
		start, v := i, 0
		for i < len(s) && i < start+3 && s[i]-'0' < 10 {
			v = v*10 + int(s[i]-'0')
			i++
		}
		if i == start || v > 255 {
			return four, 0
		}
		four[part] = byte(v)
		if part == 3 {
			break
		}
		if i >= len(s) || s[i] != sep {
			return four, 0
		}
		i++
	}
	if i < len(s) && s[i]-'0' < 10 {
		return four, 0
	}
	return four, i
}

// findQuad finds an address of four numbers within a name: "192-0-2-7" in
// "dsl-192-0-2-7-pool". Equal numbers for nowhere.
func findQuad(s string) (from, to int, sep byte) {
	for i := 0; i+6 < len(s); i++ {
		if s[i]-'0' >= 10 || i > 0 && s[i-1]-'0' < 10 {
			continue
		}
		j := i
		for j < len(s) && s[j]-'0' < 10 {
			j++
		}
		if j == len(s) || s[j] != '.' && s[j] != '-' && s[j] != '_' {
			continue
		}
		if _, n := quad(s[i:], s[j]); n > 0 {
			return i, i + n, s[j]
		}
	}
	return 0, 0, 0
}

// spellings are the ways in which an IP is hidden in names and links: hexadecimal, and as one
// number.
func spellings(a netip.Addr) []string {
	a = a.Unmap()
	if !a.Is4() {
		return nil
	}
	four := a.As4()
	n := uint64(four[0])<<24 | uint64(four[1])<<16 | uint64(four[2])<<8 | uint64(four[3])
	hex := strconv.FormatUint(n|1<<32, 16)[1:]
	return []string{hex, "0x" + hex, strconv.FormatUint(n, 10)}
}
