package knowledge

import (
	"fmt"
	"strings"
	"testing"
)

const ownRule = `# ours
[[rule]]
id = "our-gateway"
cause = "policy"
any = '''
gateway says no
'''
sample = "550 5.7.1 The gateway says no"
title = "Our gateway refused it"
fix = "Ask the gateway's people."
steps = ["Look at its log.", "Ask."]
`

func TestOwnRulesGoFirst(t *testing.T) {
	b, err := WithRules(RuleFile{"own.toml", []byte(ownRule)})
	if err != nil {
		t.Fatal(err)
	}
	if b.OwnRules != 1 || b.Rules[0].ID != "our-gateway" || len(b.Rules) != len(Load().Rules)+1 {
		t.Errorf("%d own rules of %d, the first is %s", b.OwnRules, len(b.Rules), b.Rules[0].ID)
	}
	if Load().OwnRules != 0 {
		t.Error("the built-in base was changed")
	}
}

// An editor of another system ends its lines in two characters.
func TestRulesWithCRLF(t *testing.T) {
	b, err := WithRules(RuleFile{"own.toml", []byte(strings.ReplaceAll(ownRule, "\n", "\r\n"))})
	if err != nil || b.Rules[0].Any[0] != "gateway says no" {
		t.Fatal(err)
	}
}

// A message names the file, the line and what to do, and all that is wrong is told at once.
func TestWrongRules(t *testing.T) {
	for _, c := range []struct{ file, want string }{
		{"", "own.toml: there is no [[rule]]"},
		{"[[rule]]\nid = ", "own.toml:2: "},
		{strings.Replace(ownRule, "gateway says no\n", "gateway says no\nab\n", 1), `own.toml:7: rule "our-gateway": phrase "ab" is shorter than 4 bytes; take more`},
		{strings.Replace(ownRule, "gateway says no\n", "Gateway says no\n", 1), `own.toml:6: rule "our-gateway": phrase "Gateway says no" has capitals; write`},
		{strings.Replace(ownRule, `"policy"`, `"weather"`, 1), `own.toml:2: rule "our-gateway": no cause "weather"; mailwhy causes`},
		{strings.Replace(ownRule, `our-gateway`, `user-unknown`, 1), `own.toml:2: rule "user-unknown": entry name "user-unknown" is empty or used twice`},
		{ownRule + "an = 1\n", `own.toml:12: unknown key "an"; a rule has id`},
		{ownRule + "an = 1\n" + ownRule, `own.toml:14: rule "our-gateway": entry name`},
		{strings.Replace(ownRule, "sample =", "said =", 1), `own.toml:2: rule "our-gateway": no sample; give it`},
		{ownRule + "provider = \"nobody\"", `own.toml:2: rule "our-gateway": no provider "nobody"; the providers are google`},
		{strings.Replace(ownRule, `our-gateway`, `our\u001b[2J`, 1), `use letters, digits and -`},
		{ownRule + "class = 9\n", "class 9 is neither"},
		{ownRule + "code = [70086]\n", "code 70086 is of no failure"}, // 550 in 16 bits
		{strings.Repeat("[[rule]]\n", 20000), "only the first"},
		{tooMany(), "there is room for"},
	} {
		b, err := WithRules(RuleFile{"own.toml", []byte(c.file)})
		if err == nil || b != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.file[:min(len(c.file), 400)], err, c.want)
		}
	}
}

func tooMany() string {
	s := strings.Builder{}
	s.WriteString("[[rule]]\nid = \"many\"\ncause = \"policy\"\nsample = \"550 No\"\nany = '''\n")
	for i := range MaxOwnPhrases + 1 {
		fmt.Fprintf(&s, "phrase %d\n", i)
	}
	s.WriteString("'''\n")
	return s.String()
}

func FuzzWithRules(f *testing.F) {
	f.Add([]byte(ownRule))
	f.Add([]byte("[[rule]]\nenhanced = [\"x.7.*\"]\nprovider = \"google\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := WithRules(RuleFile{"own.toml", data}); (b == nil) == (err == nil) {
			t.Fatalf("%v, %v", b, err)
		}
	})
}

func TestHost(t *testing.T) {
	b := Load()
	for host, want := range map[string]string{
		"aspmx.l.google.com": "google", "ASPMX.L.Google.COM.": "google", "notgoogle.com": "",
		"example-net.mail.protection.outlook.com": "microsoft", "example.org": "", "": "", "com": "",
		"mta5.am0.yahoodns.net": "yahoo", strings.Repeat("a.", 300) + "google.com": "",
	} {
		if got := b.ProviderID(b.Host([]byte(host))); got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

// A base in place of another knows by its number what that one knew.
func TestRulesAnew(t *testing.T) {
	second := strings.ReplaceAll(ownRule, "our-gateway", "second")
	old, err := WithRules(RuleFile{"own.toml", []byte(ownRule + strings.ReplaceAll(second, "gateway says no", "second says no"))})
	if err != nil {
		t.Fatal(err)
	}
	first, _ := old.EntryByID("our-gateway")
	gone, _ := old.EntryByID("second")
	b, err := old.With(RuleFile{"own.toml", []byte(strings.ReplaceAll(second, "second", "third") + strings.Replace(ownRule, "Our gateway", "Their gateway", 1))})
	if err != nil {
		t.Fatal(err)
	}
	words := In(English).Of(b)
	if again, ok := b.EntryByID("our-gateway"); !ok || again != first || words.Entry(first).Title != "Their gateway refused it" {
		t.Errorf("%d is now %d, %q", first, again, words.Entry(first).Title)
	}
	if words.Entry(gone).Title != "Our gateway refused it" || b.Entry(gone).ID != "second" {
		t.Errorf("the rule that is gone is %q, %q", b.Entry(gone).ID, words.Entry(gone).Title)
	}
	if third, ok := b.EntryByID("third"); !ok || third == first || third == gone || b.OwnRules != 2 {
		t.Errorf("the new rule is %d of %d", third, b.OwnRules)
	}
	if none, err := b.With(); err != nil || none.OwnRules != 0 || none.Entry(first).ID != "our-gateway" {
		t.Errorf("no rules any more: %v", err)
	}
}
