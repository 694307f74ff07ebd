package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	goldhtml "github.com/yuin/goldmark/renderer/html"
	"golang.org/x/net/html"

	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/internal/summary"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// TestPages holds what each form of the pages looks like, in each language.
func TestPages(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		var b bytes.Buffer
		day := dayIn(lang, sampleDay())
		if err := day.HTML(&b, nil); err != nil {
			t.Fatal(err)
		}
		golden(t, "day."+lang+".html", unstyled(b.String()))
		for _, form := range []string{"table", "md", "html"} {
			b.Reset()
			if err := incidentsIn(lang, sampleIncidents()).Print(&b, form, Terminal{Width: 100}, false); err != nil {
				t.Fatal(err)
			}
			golden(t, "incident."+lang+"."+strings.Replace(form, "table", "txt", 1), unstyled(b.String()))
		}
		b.Reset()
		none := &incident.Report{Coverage: sampleDay().Coverage, Whole: incident.Counts{Sent: 1893, Deferred: 61, Bounced: 40}}
		for _, r := range []*incident.Report{sampleIncidents(), none} {
			if err := incidentsIn(lang, r).Print(&b, "table", Terminal{Width: 80}, true); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, "short."+lang+".txt", b.String())
	}
	var b bytes.Buffer
	if err := incidentsIn("hi", sampleIncidents()).Print(&b, "csv", Terminal{}, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "incident.csv", b.String())
}

// unstyled leaves out of a page what is alike in all of them: the style and its sum.
func unstyled(page string) string {
	return strings.NewReplacer(pageStyle, "…", html.EscapeString(PagePolicy), "…", strings.ReplaceAll(html.EscapeString(PagePolicy), "+", "&#43;"), "…").Replace(page)
}

// hostile are texts that strangers could write, each with the mark by which they are found
// again.
var hostile = []string{
	"zqx<script>alert(1)</script>", "zqx\"><img src=x onerror=alert(1)>", "zqx' onmouseover='alert(1)", "zqx</pre></code></title></svg></table><h1>", "zqx<!--", "zqx]]>",
	"zqx</style><style>*{display:none}", "zqx&lt;b&gt;&#60;b&#62;", "zqx`code` ```", "```\nzqx\n```\n# heading", "zqx | a | b |", "zqx\n| a |\n|---|\n", "zqx](javascript:alert(1))", "[zqx](http://evil.example)",
	"![zqx](http://evil.example/x.png)", "zqx http://evil.example/ www.evil.example evil@evil.example", "zqx **bold** _it_ ~~no~~ # ## - + 1.", "- [ ] zqx", "> zqx", "    zqx", "zqx\x1b[2J\x1b]0;x\x07\x9b31m",
	"zqx\x00\r\n\t\x7f\u0085", "zqx\u202egpj.exe\u2066\u2069\u200f\u061c", "zqx\u2028\u2029\ufeff", "=zqx+cmd|' /C calc'!A0", "+zqx", "-zqx", "@zqx", "\tzqx=1", "zqx\xff\xfe\xc0", "javascript:zqx", "- zqx", "1. zqx", "7) zqx", "===", "---", "* * *", "zqx'; rm -rf / #",
	"zqx$(reboot)`reboot`", "$zqx", "-zqx --help", "zqx {{.}} {{template}}", "<a href=zqx>", "<details open>zqx", "zqx\\", "https://zqx.example/?a=b&c=<d>", "zqx " + strings.Repeat("x", 5000), "@everyone #1 zqx !1 :a: %1",
}

// hostileDay is a day of which each text is another of them.
func hostileDay(text string) *summary.Summary {
	s := sampleDay()
	for i := range s.Coverage.Files {
		s.Coverage.Files[i].Path = text
	}
	for code := smtp.Code(400); code < 560; code += 50 {
		ev := &smtp.Event{Kind: smtp.KindDelivery, Direction: smtp.Outbound, Stage: smtp.StageRCPT, Outcome: smtp.Bounced, Failed: true, Head: smtp.Head{Time: at(9, 0, 0)}, Peer: smtp.Peer{Name: []byte(text)}, To: []byte(text)}
		ev.Reply = smtp.Reply{Code: code, Text: []byte("blocked using zen.spamhaus.org " + text)}
		s.Event(ev, &summary.Note{Cause: knowledge.Blocklisted, Severity: knowledge.Critical}, uint64(code)<<2, func() summary.Sample { return summary.Sample{File: text, Line: 1, Text: text} })
	}
	return s
}

// hostileIncidents is a report of which each text is another of them.
func hostileIncidents(text string) *incident.Report {
	r := sampleIncidents()
	replaced(reflect.ValueOf(r), func(string) string { return text })
	return r
}

// rendered is each page with a text in all its places, by its name and form.
func rendered(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	form := func(name string, write func(io.Writer) error) {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatalf("%s: %q: %v", name, text, err)
		}
		all[name] = b.String()
	}
	day, in := dayIn("en", hostileDay(text)), incidentsIn("en", hostileIncidents(text))
	form("day.html", func(w io.Writer) error { return day.HTML(w, nil) })
	form("day.md", func(w io.Writer) error { return day.Page(nil).Markdown(w) })
	form("day.txt", func(w io.Writer) error { return day.Page(nil).Text(w, Terminal{Width: 80}) })
	form("report.md", func(w io.Writer) error { return day.Markdown(w, day.Tables(nil)) })
	form("report.txt", func(w io.Writer) error { return day.Text(w, Terminal{Width: 80}, day.Tables(nil), 0) })
	form("report.csv", func(w io.Writer) error { return CSV(w, day.Tables([]string{"causes"})...) })
	form("report.json", day.JSON)
	for as, name := range map[string]string{"html": "html", "md": "md", "table": "txt", "csv": "csv", "json": "json"} {
		form("incident."+name, func(w io.Writer) error { return in.Print(w, as, Terminal{Width: 80}, false) })
		form("short."+name, func(w io.Writer) error { return in.Print(w, as, Terminal{Width: 80}, true) })
	}
	return all
}

// TestHostile holds that what strangers write does no harm in any form.
func TestHostile(t *testing.T) {
	base := rendered(t, "mail.example")
	for _, text := range hostile {
		for name, out := range rendered(t, text) {
			for _, r := range out {
				if r != '\n' && r != utf8.RuneError && harmful(r) {
					t.Errorf("%s: %q leaves %q", name, text, r)
					break
				}
			}
			_, form, _ := strings.Cut(name, ".")
			switch form {
			case "html":
				sameElements(t, name, text, base[name], out)
			case "md":
				sameElements(t, name, text, markdownHTML(t, base[name]), markdownHTML(t, out))
			case "csv":
				noFormula(t, name, text, out)
			}
		}
	}
}

// markdownHTML is what GitHub makes of Markdown.
func markdownHTML(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(goldhtml.WithUnsafe()))
	if err := md.Convert([]byte(s), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// elements counts which elements with which attributes there are, and tests that none of the
// latter holds a text of a stranger.
func elements(t *testing.T, name, page string) map[string]int {
	t.Helper()
	all := map[string]int{}
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return all
		case html.CommentToken:
			t.Errorf("%s: a comment: %s", name, z.Token())
		case html.StartTagToken, html.SelfClosingTagToken:
			tok := z.Token()
			key := tok.Data
			for _, a := range tok.Attr {
				key += " " + a.Key
				if strings.Contains(a.Val, "zqx") || strings.Contains(a.Val, "evil") {
					t.Errorf("%s: <%s %s=%q> holds what a stranger wrote", name, tok.Data, a.Key, a.Val)
				}
			}
			all[key]++
		}
	}
}

// sameElements tests that a page is made of the same elements whatever stands in it. Lines
// that a text is broken into may give more of those that hold a line.
func sameElements(t *testing.T, name, text, base, page string) {
	t.Helper()
	want, got := elements(t, name, base), elements(t, name, page)
	for key := range got {
		if want[key] == 0 {
			t.Errorf("%s: %q makes an element <%s>", name, text, key)
		}
	}
	for _, once := range []string{"h1", "h2", "h3", "table", "svg", "article", "details", "ul", "ol", "blockquote", "hr"} {
		for _, key := range slices.Collect(maps.Keys(want)) {
			if tag, _, _ := strings.Cut(key, " "); tag == once && got[key] != want[key] {
				t.Errorf("%s: %q makes %d <%s> of %d", name, text, got[key], key, want[key])
			}
		}
	}
}

// noFormula tests that no cell begins as a formula does.
func noFormula(t *testing.T, name, text, out string) {
	t.Helper()
	for _, part := range strings.Split(out, "\n\n") {
		rows, err := csv.NewReader(strings.NewReader(part)).ReadAll()
		if err != nil {
			t.Errorf("%s: %q: %v", name, text, err)
		}
		for _, row := range rows {
			for _, c := range row {
				if s := strings.TrimSpace(c); s != "" && strings.ContainsRune("=+-@", rune(s[0])) && !isNumber(s) {
					t.Errorf("%s: %q gives the cell %q", name, text, c)
				}
			}
		}
	}
}

// TestPageIsSound holds of the HTML what a reader with or without eyes, a printer and a
// browser that trusts nobody need.
func TestPageIsSound(t *testing.T) {
	var day, in bytes.Buffer
	if err := dayIn("tr", sampleDay()).HTML(&day, nil); err != nil {
		t.Fatal(err)
	}
	if err := incidentsIn("hi", sampleIncidents()).Print(&in, "html", Terminal{}, false); err != nil {
		t.Fatal(err)
	}
	for lang, page := range map[string]string{"tr": day.String(), "hi": in.String()} {
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
		hash := sha256.Sum256([]byte(style[1]))
		if !strings.Contains(html.UnescapeString(page), "style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'") {
			t.Error("the policy does not allow the page's own style")
		}
		doc, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		c := pageCheck{T: t, lang: lang, ids: map[string]bool{}, asked: []string{}}
		c.walk(doc)
		for _, id := range c.asked {
			if !c.ids[id] {
				t.Errorf("%s: nothing has the id %q", lang, id)
			}
		}
		if c.h1 != 1 {
			t.Errorf("%s: %d first headings", lang, c.h1)
		}
		if c.charts == 0 || c.tables == 0 {
			t.Errorf("%s: %d charts, %d tables", lang, c.charts, c.tables)
		}
	}
}

type pageCheck struct {
	*testing.T
	lang               string
	h1, charts, tables int
	level              byte
	ids                map[string]bool
	asked              []string
}

func (c *pageCheck) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for child := range n.ChildNodes() {
		c.walk(child)
	}
}

func (c *pageCheck) element(n *html.Node) {
	for _, a := range n.Attr {
		switch {
		case a.Key == "style" || strings.HasPrefix(a.Key, "on") || a.Key == "src":
			c.Errorf("<%s> has %s=%q, which the policy forbids", n.Data, a.Key, a.Val)
		case a.Key == "href" && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "mailto:"):
			c.Errorf("a link to %q", a.Val)
		case a.Key == "id" && c.ids[a.Val]:
			c.Errorf("the id %q twice", a.Val)
		case a.Key == "id":
			c.ids[a.Val] = true
		case a.Key == "aria-labelledby":
			c.asked = append(c.asked, strings.Fields(a.Val)...)
		}
	}
	switch n.Data {
	case "script", "link", "img", "iframe", "form":
		c.Errorf("there is a <%s>", n.Data)
	case "html":
		if attr(n, "lang") != c.lang {
			c.Errorf("lang is %q", attr(n, "lang"))
		}
	case "h1", "h2", "h3", "h4":
		if n.Data == "h1" {
			c.h1++
		}
		if n.Data[1] > c.level+1 && c.level > 0 {
			c.Errorf("<%s> follows on <h%c>", n.Data, c.level)
		}
		c.level = n.Data[1]
	case "table":
		c.tables++
		if first := n.FirstChild.NextSibling; first.Data != "caption" || first.FirstChild == nil {
			c.Error("a table without a caption")
		}
	case "th":
		if attr(n, "scope") == "" {
			c.Error("a <th> without scope")
		}
	case "svg":
		if attr(n, "role") == "img" {
			c.charts++
			if n.FirstChild.Data != "title" || n.FirstChild.NextSibling.Data != "desc" || n.FirstChild.NextSibling.FirstChild == nil {
				c.Error("a chart that says nothing to whom does not see it")
			}
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// TestContrast holds that text can be read on its ground: 4.5 to 1, as WCAG 2.2 has it for
// its level AA, in the light and in the dark.
func TestContrast(t *testing.T) {
	themes := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(pageStyle, -1)
	if len(themes) != 2 {
		t.Fatalf("%d themes", len(themes))
	}
	for _, theme := range themes {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]+)`).FindAllStringSubmatch(theme[1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		ratio := func(a, b string) float64 {
			hi, lo := max(colours[a], colours[b]), min(colours[a], colours[b])
			return (hi + .05) / (lo + .05)
		}
		for _, ground := range []string{"page", "card", "bad-soft", "warn-soft", "good-soft"} {
			for _, ink := range []string{"ink", "mark", "dim"} {
				if r := ratio(ink, ground); r < 4.5 {
					t.Errorf("%s on %s: %.2f", ink, ground, r)
				}
			}
		}
		for _, ink := range []string{"bad", "warn", "good"} {
			if r := min(ratio(ink, "page"), ratio(ink, ink+"-soft")); r < 4.5 {
				t.Errorf("%s: %.2f", ink, r)
			}
		}
		for _, bar := range []string{"sent", "deferred", "bounced", "rejected", "other"} {
			if r := ratio(bar, "page"); r < 3 {
				t.Errorf("bars of %s: %.2f", bar, r)
			}
		}
	}
}

// luminance is how light a colour is, as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	if len(hex) == 3 {
		hex = strings.Join([]string{hex[:1], hex[:1], hex[1:2], hex[1:2], hex[2:], hex[2:]}, "")
	}
	var rgb [3]int
	if _, err := fmt.Sscanf(hex, "%2x%2x%2x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatal(hex, err)
	}
	linear := func(c int) float64 {
		f := float64(c) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return .2126*linear(rgb[0]) + .7152*linear(rgb[1]) + .0722*linear(rgb[2])
}

// What a stranger wrote cannot break out of the fence that his line stands in, nor out of the
// command that names him.
func TestFence(t *testing.T) {
	for _, hostile := range []string{"```", "````\n# title", "~~~", "<script>alert(1)</script>", "</details><img src=x onerror=y>", "a```b``````c", "\u2028```\u202e", "`", "$(id) `id` '; id; '"} {
		var out bytes.Buffer
		p := Page{Title: "t", Words: knowledge.In("en"), Sections: []Section{{Title: "s", Blocks: []Block{{Lines: &Lines{Title: hostile, All: []Line{{Place: hostile, Text: hostile}, {Text: hostile}}}}, {Facts: []Fact{{Name: "n", Text: hostile, Raw: true}, {Name: "n", Text: hostile}}}}}}}
		if err := p.Markdown(&out); err != nil {
			t.Fatal(err)
		}
		fence, inside := "", 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			switch {
			case fence == "" && strings.HasPrefix(line, "```") && strings.HasSuffix(line, "text"):
				fence = strings.TrimSuffix(line, "text")
			case fence != "" && line == fence:
				fence = "done"
			case fence != "" && fence != "done":
				inside++
			case strings.Contains(line, "<script") || strings.Contains(line, "<img") || strings.HasPrefix(line, "~~~") || strings.HasPrefix(line, "```"):
				if !strings.Contains(line, "`<") && !strings.Contains(line, "\\<") {
					t.Errorf("%q: %q stands outside", hostile, line)
				}
			}
		}
		if fence != "done" || inside != 2 {
			t.Errorf("%q: %d lines in the fence %q:\n%s", hostile, inside, fence, out.String())
		}
	}
}
