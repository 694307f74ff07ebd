package report

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/olekukonko/tablewriter/pkg/twwidth"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

func explainer(lang string, width int) *Explainer {
	return &Explainer{Base: knowledge.Load(), Words: knowledge.In(lang), Terminal: Terminal{Width: width}}
}

// answerTo is the answer to a whole reply.
func answerTo(text string) *Answer {
	r := smtp.ParseReply([]byte(text))
	s := classify.Said{Code: r.Code, Enhanced: r.Enhanced, Text: r.Text, Direction: smtp.Outbound}
	return &Answer{Text: text, Code: r.Code, Enhanced: r.Enhanced, Direction: smtp.Outbound, Annotation: classify.Reply(&s), Details: classify.DetailsOf(&s)}
}

// TestEveryCodeIsTold holds that in each language each code has all that a reader looks
// for, within the width of a terminal: measured in its cells, of which Devanagari's marks
// take none.
func TestEveryCodeIsTold(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		for _, width := range []int{60, 80} {
			e := explainer(lang, width)
			for _, a := range Codes(e.Base, classify.Default()) {
				name := lang + " " + a.name()
				said := e.tell(a)
				if said.title == "" || said.fix == "" || len(said.facts) < 4 || len(said.after) < 2 {
					t.Errorf("%s: something is missing: %+v", name, said)
				}
				var out bytes.Buffer
				if err := e.Text(&out, a); err != nil {
					t.Fatal(err)
				}
				for line := range strings.Lines(out.String()) {
					line = strings.TrimRight(line, "\n")
					if twwidth.Width(line) > width && strings.Contains(strings.TrimSpace(line), " ") {
						t.Errorf("%s: wider than %d: %q", name, width, line)
					}
					if line != strings.TrimRight(line, " ") {
						t.Errorf("%s: blanks at the end: %q", name, line)
					}
				}
				if b := e.AppendAnswer(nil, a); !json.Valid(b) {
					t.Errorf("%s: no JSON: %s", name, b)
				}
			}
		}
	}
}

// TestHostileReply holds that what a stranger wrote drives no terminal, is no markup and
// shows no secret.
func TestHostileReply(t *testing.T) {
	a := answerTo("550-5.7.1 \x1b]0;x\a <b>https://example.com/**x**</b>\n550 5.7.1 AUTH PLAIN AGJvYgBzZWNyZXQ= \u202e\x9b31m")
	e := explainer(knowledge.English, 80)
	var text, md bytes.Buffer
	if err := e.Text(&text, a); err != nil {
		t.Fatal(err)
	}
	if err := e.Markdown(&md, a); err != nil {
		t.Fatal(err)
	}
	object := e.AppendAnswer(nil, a)
	for form, out := range map[string]string{"text": text.String(), "md": md.String(), "json": string(object)} {
		if strings.ContainsAny(out, "\x1b\a\u202e") || strings.Contains(out, "AGJvYgBzZWNyZXQ") {
			t.Errorf("%s: %q", form, out)
		}
	}
	if strings.Contains(md.String(), "<b>") || strings.Contains(md.String(), "**x**") {
		t.Errorf("markup: %s", md.String())
	}
	if !json.Valid(object) {
		t.Errorf("no JSON: %s", object)
	}
}

// TestMeaningIsOfWhatWasRecognised holds that a reply known by its wording is not told
// the generic meaning of its numbers.
func TestMeaningIsOfWhatWasRecognised(t *testing.T) {
	e := explainer(knowledge.English, 80)
	a := answerTo("550 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org")
	if got := e.meant(a); !strings.Contains(got, "blocklist") {
		t.Errorf("meaning %q", got)
	}
	if got, want := e.tell(a).steps[0], "Ask Spamhaus ZEN to remove 192.0.2.7"; !strings.HasPrefix(got, want) {
		t.Errorf("first step %q, want %q", got, want)
	}
}

// TestUnasked221IsNotGraceful holds the difference between a good-bye and a hang-up.
func TestUnasked221IsNotGraceful(t *testing.T) {
	e := explainer(knowledge.English, 80)
	s := classify.Said{Code: 221, Text: []byte("221 2.7.0 Error: I can break rules, too. Goodbye."), Direction: smtp.Outbound, Unasked: true}
	a := &Answer{Text: string(s.Text), Code: 221, Direction: smtp.Outbound, Annotation: classify.Reply(&s)}
	if normal := e.normal(a); normal == e.Words.Text("normal.2") || a.Cause != knowledge.Connection {
		t.Errorf("cause %v, normal: %q", a.Cause, normal)
	}
}

// TestComparison holds that a comparison has every part for every code, and a difference
// for codes of different classes.
func TestComparison(t *testing.T) {
	for _, lang := range knowledge.Languages() {
		e := explainer(lang, 80)
		c := e.compare([]*Answer{
			Alone(classify.Default(), 221, smtp.EnhancedCode{}),
			Alone(classify.Default(), 553, smtp.EnhancedCode{}),
			Alone(classify.Default(), 0, smtp.EnhancedCode{4, 7, 1}),
		})
		if len(c.summary) != 3 || len(c.codes) != 3 || len(c.which) != 3 || len(c.differences) < 3 {
			t.Errorf("%s: %+v", lang, c)
		}
		for _, code := range c.codes {
			for _, f := range code.facts {
				if f.text == "" {
					t.Errorf("%s: %s has no %s", lang, code.name, f.name)
				}
			}
		}
	}
}

// TestCodesPage holds that the page is whole: each choice leads to a card, each card has
// a name of its own, and nothing is fetched.
func TestCodesPage(t *testing.T) {
	e := explainer(knowledge.English, 0)
	var page bytes.Buffer
	if err := e.CodesHTML(&page, Codes(e.Base, classify.Default())); err != nil {
		t.Fatal(err)
	}
	cards := map[string]bool{}
	for _, m := range regexp.MustCompile(`<article id="([^"]*)"`).FindAllStringSubmatch(page.String(), -1) {
		if cards[m[1]] {
			t.Errorf("two cards %s", m[1])
		}
		cards[m[1]] = true
	}
	choices := regexp.MustCompile(`<option value="([^"]+)"`).FindAllStringSubmatch(page.String(), -1)
	if len(choices) != 2*len(cards) || len(cards) < 100 {
		t.Errorf("%d choices, %d cards", len(choices), len(cards))
	}
	for _, m := range choices {
		if !cards[m[1]] {
			t.Errorf("choice %s has no card", m[1])
		}
	}
	if m := regexp.MustCompile(`(?i)<(link|img|iframe)|src=|href=|@import|url\(|fetch\(`).FindString(page.String()); m != "" {
		t.Errorf("the page asks for something else: %s", m)
	}
	for _, tag := range []string{"article", "section", "dl", "select", "form", "main", "script", "style", "p", "h3"} {
		opened := len(regexp.MustCompile(`<`+tag+`[ >]`).FindAllString(page.String(), -1))
		if closed := strings.Count(page.String(), "</"+tag+">"); opened != closed {
			t.Errorf("<%s>: opened %d times, closed %d times", tag, opened, closed)
		}
	}
}
