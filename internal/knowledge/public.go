package knowledge

import (
	"fmt"
	"strings"
)

// Public is what identifies nobody, all in lower case but Paths.
type Public struct {
	Domains []string // names that everybody knows: providers', blocklists', and others
	Labels  []string // of servers' names that say what a server is for
	Words   []string // said of nobody, though somebody may be called so
	Paths   []string // folders and files that are the same on every machine
}

func loadPublic(b *Base) error {
	var in struct {
		Domains, Labels []string
		Words, Paths    string
	}
	if err := decode("public.toml", &in); err != nil {
		return err
	}
	p := &b.Public
	p.Domains, p.Labels, p.Words, p.Paths = in.Domains, in.Labels, strings.Fields(in.Words), strings.Fields(in.Paths)
	for _, d := range p.Domains {
		if d != strings.ToLower(d) || !strings.Contains(d, ".") {
			return fmt.Errorf("public.toml: %s is no domain in lower case", d)
		}
	}
	for i := range b.Providers {
		p.Domains = append(p.Domains, b.Providers[i].Hosts...)
		p.Domains = append(p.Domains, zones(b.Providers[i].Marks)...)
	}
	for i := range b.Blocklists {
		p.Domains = append(p.Domains, zones(append(b.Blocklists[i].Marks, strings.TrimPrefix(b.Blocklists[i].Page, "https://")))...)
	}
	return nil
}

// zones returns the names among marks by which a list or a provider is known: "zen.spamhaus.org",
// and "support.google.com" of "support.google.com/".
func zones(marks []string) (names []string) {
	for _, m := range marks {
		name, _, _ := strings.Cut(strings.TrimPrefix(m, "."), "/")
		if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i > 2 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" {
			names = append(names, name)
		}
	}
	return names
}
