package knowledge

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Provider is one of the great mail providers and filter makers whose replies have
// meanings of their own: an index into Base.Providers. Zero is nobody.
type Provider uint8

// ProviderFacts are what a provider is recognised by.
type ProviderFacts struct {
	ID    string // in machine-readable output: "google"
	Name  string // for people, in every language: "Google"
	Hosts []string
	Marks []string // phrases that only its replies have, folded to lower case
	Page  string   // where it explains its replies; "" where there is no such page
	Form  string   // where one asks it for help: a page, or an address as mailto:
	Asks  []string // what it wants to be told there: of Wanted
}

// Wanted is what providers want to be told by those who ask for help.
var Wanted = []string{"ip", "domain", "reply", "lines", "headers", "times", "case", "ptr", "imprint", "contact"}

// ProviderID returns a provider's machine-readable name, "" for nobody.
func (b *Base) ProviderID(p Provider) string { return b.provider(p).ID }

// ProviderName returns what people call a provider, "" for nobody.
func (b *Base) ProviderName(p Provider) string { return b.provider(p).Name }

// ProviderFacts returns what is known of a provider, nothing of nobody.
func (b *Base) ProviderFacts(p Provider) *ProviderFacts { return b.provider(p) }

func (b *Base) provider(p Provider) *ProviderFacts {
	if int(p) >= len(b.Providers) {
		p = 0
	}
	return &b.Providers[p]
}

// Host finds the provider that a host's name belongs to, by the name's last labels: the
// MX or the relay that said a reply, in any case.
func (b *Base) Host(name []byte) Provider {
	name = bytes.TrimSuffix(name, []byte("."))
	if len(name) > maxHost {
		return 0
	}
	var folded [maxHost]byte
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	name = folded[:len(name)]
	for {
		if p, ok := b.byHost[string(name)]; ok {
			return p
		}
		i := bytes.IndexByte(name, '.')
		if i < 0 {
			return 0
		}
		name = name[i+1:]
	}
}

// maxHost is the longest name that DNS allows (RFC 1035, section 2.3.4).
const maxHost = 255

// Blocklist is a list of addresses or domains that receivers ask.
type Blocklist struct {
	Name  string
	Marks []string // what its name looks like in a reply: zones, links; folded to lower case
	Page  string   // where one looks an entry up and asks for its removal
}

type providerRow struct {
	ID, Name string
	Hosts    []string
	Marks    string // phrases, one a line
	Page     string
	Form     string
	Asks     []string
	Rule     []ruleRow
}

func loadProviders(b *Base) error {
	var in struct{ Provider []providerRow }
	if err := decode("providers.toml", &in); err != nil {
		return err
	}
	b.Providers = []ProviderFacts{{}}
	b.byHost = map[string]Provider{}
	for i := range in.Provider {
		if err := b.addProvider(&in.Provider[i]); err != nil {
			return fmt.Errorf("providers.toml: %s: %w", in.Provider[i].ID, err)
		}
	}
	return nil
}

func (b *Base) addProvider(in *providerRow) error {
	if in.ID == "" || in.Name == "" || b.providerByID(in.ID) != 0 {
		return fmt.Errorf("it has no id or no name, or is there twice")
	}
	p := Provider(len(b.Providers))
	facts := ProviderFacts{ID: in.ID, Name: in.Name, Hosts: in.Hosts, Marks: lines(in.Marks), Page: in.Page, Form: in.Form, Asks: in.Asks}
	for _, what := range in.Asks {
		if !slices.Contains(Wanted, what) {
			return fmt.Errorf("asks for %q, which is none of %v", what, Wanted)
		}
	}
	if len(facts.Marks) > 0 {
		if err := checkPhrases(facts.Marks); err != nil {
			return err
		}
	}
	for _, h := range in.Hosts {
		if b.byHost[h] != 0 || h != strings.ToLower(h) {
			return fmt.Errorf("host %s is not in lower case, or another provider's too", h)
		}
		b.byHost[h] = p
	}
	b.Providers = append(b.Providers, facts)
	for i := range in.Rule {
		in.Rule[i].Provider = in.ID
		if err := b.addRule(&in.Rule[i]); err != nil {
			return fmt.Errorf("%s: %w", in.Rule[i].ID, err)
		}
	}
	return nil
}

// providerByID finds a provider by its machine-readable name, 0 when there is none.
func (b *Base) providerByID(id string) Provider {
	for i := range b.Providers {
		if b.Providers[i].ID == id && id != "" {
			return Provider(i)
		}
	}
	return 0
}

func loadBlocklists(b *Base) error {
	var in struct {
		Blocklist []struct{ Name, Marks, Page string }
	}
	if err := decode("blocklists.toml", &in); err != nil {
		return err
	}
	for _, row := range in.Blocklist {
		l := Blocklist{Name: row.Name, Marks: lines(row.Marks), Page: row.Page}
		if err := checkPhrases(l.Marks); err != nil || l.Name == "" {
			return fmt.Errorf("blocklists.toml: %q: no name, or %w", row.Name, err)
		}
		b.Blocklists = append(b.Blocklists, l)
	}
	return nil
}
