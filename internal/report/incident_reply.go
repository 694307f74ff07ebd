package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/incident"
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// explainer explains replies for the report.
func (r Incidents) explainer() *Explainer {
	return &Explainer{Base: r.By.Base(), Words: r.Words}
}

// answer is what is known of a reply.
func (r Incidents) answer(in *incident.Incident, said *incident.Reply) *Answer {
	a := &Answer{Text: said.Text, Code: said.Code, Enhanced: said.Enhanced, Stage: said.Stage, Direction: in.Direction, Annotation: said.Note}
	if a.Enhanced.IsZero() && a.Code == 0 {
		a.Enhanced = said.DSN
	}
	a.Details = r.By.Details(&classify.Said{Code: said.Code, Enhanced: said.Enhanced, DSN: said.DSN, Text: []byte(said.Text), Host: []byte(said.Host), Direction: in.Direction, Stage: said.Stage})
	return a
}

// reply is the reply that was met most: verbatim, what it means, whose side it is on, and
// what to do; the others in a line each.
func (r Incidents) reply(in *incident.Incident) Section {
	if len(in.Replies) == 0 {
		return Section{}
	}
	e, said := r.explainer(), &in.Replies[0]
	a := r.answer(in, said)
	fix, steps := r.advice(in)
	facts := []Fact{
		{Name: r.Words.Text("explain.code"), Text: strings.TrimSpace(replyOf(said.Code, said.Enhanced))},
		{Name: r.Words.Text("explain.stage"), Text: said.Stage.String()},
		{Name: r.text("said_by"), Text: cmp.Or(said.Host, r.text("own_server"))},
		{Name: r.text("times"), Text: r.text("times_of", "n", r.n(said.Count), "first", atClock(said.First, in.Start), "last", atClock(said.Last, in.Start))},
		{Name: r.Words.Text("explain.meaning"), Text: e.meant(a)},
		{Name: r.text("side"), Text: r.Words.Side(r.actor(in), in.Direction)},
		{Name: r.text("confidence"), Text: r.confidence(said.Note.Basis)},
		{Name: r.Words.Text("explain.normal"), Text: e.normal(a)},
	}
	if said.New {
		facts = append(facts, Fact{Name: r.text("new"), Text: r.text("new_wording")})
	}
	for _, s := range e.noted(&a.Details) {
		facts = append(facts, Fact{Name: r.text("note"), Text: s})
	}
	s := section(r.text("reply"), Block{Lines: verbatim(said)}, Block{Facts: notEmpty(facts)}, Block{Para: underMark + fix})
	if steps = append(slices.Clone(steps), e.offered(a)...); len(steps) > 0 {
		s.Blocks = append(s.Blocks, Block{List: &List{Ordered: true, Items: steps}})
	}
	if links := r.sources(a); len(links) > 0 {
		s.Blocks = append(s.Blocks, Block{List: &List{Links: links}})
	}
	if others := r.others(in); len(others.Rows) > 0 {
		s.Blocks = append(s.Blocks, Block{Table: &others})
	}
	return s
}

// verbatim is a reply as it was said.
func verbatim(said *incident.Reply) *Lines {
	l := &Lines{}
	for _, text := range strings.Split(strings.TrimSpace(said.Text), "\n") {
		l.All = append(l.All, Line{Text: text})
	}
	return l
}

// confidence says how sure the meaning is, and what it rests on.
func (r Incidents) confidence(b classify.Basis) string {
	sure := r.text("sure")
	switch {
	case b == classify.FirstDigit:
		sure = r.text("unsure")
	case b < classify.Text:
		sure = r.text("fairly_sure")
	}
	return sure + ": " + r.Words.Basis(b.String())
}

// sources are where the meaning comes from.
func (r Incidents) sources(a *Answer) (links []Link) {
	if s := r.explainer().reference(a); s != "" {
		links = append(links, Link{Text: labelled(r.Words.Text("explain.reference")) + " " + s})
	}
	if p := r.By.Base().ProviderFacts(a.Provider); p.Page != "" {
		links = append(links, Link{Text: labelled(r.text("page", "who", p.Name)), URL: p.Page})
	}
	return links
}

// others are the replies besides the first one.
func (r Incidents) others(in *incident.Incident) Table {
	t := Table{Title: r.text("others"), Columns: []Column{left(r.text("code")), right(r.text("lines")), left(r.text("meaning")).min(16), left(r.text("from")).drop(1), left(r.text("text")).min(20).drop(2)}}
	for _, said := range in.Replies[1:] {
		t.Rows = append(t.Rows, []Cell{
			{Text: replyOf(said.Code, said.Enhanced)}, num(r.Words, said.Count), {Text: r.Words.Entry(said.Note.Entry).Title}, {Text: atClock(said.First, in.Start)},
			{Text: shortened(said.Text)},
		})
	}
	return t
}

// shortened cuts a text to what a row of a table has room for.
func shortened(s string) string {
	runes := []rune(s)
	if len(runes) <= shortText {
		return s
	}
	return string(runes[:shortText]) + "…"
}

const shortText = 120

// careful are the causes at which more mail at once makes things worse: the queue is left to
// itself.
var careful = []knowledge.Cause{knowledge.RateLimited, knowledge.Reputation, knowledge.Greylisted, knowledge.Blocklisted, knowledge.SpamContent, knowledge.ClientBlocked}

// next is what to do now, how to see that it helped, whom to ask for what, and how to be told
// the next time.
func (r Incidents) next(in *incident.Incident) Section {
	s := section(r.text("next"), Block{List: r.firstSteps(in)})
	if line := Swaks(in); line != "" {
		s.Blocks = append(s.Blocks, Block{Lines: &Lines{Title: r.text("verify"), All: []Line{{Text: line}}}})
	}
	if l := r.contact(in); l != nil {
		s.Blocks = append(s.Blocks, Block{Para: r.text("contact")}, Block{List: l})
	}
	if alert := alertFor(in); alert != nil && !r.brief {
		s.Blocks = append(s.Blocks, Block{Lines: &Lines{Title: r.text("prevent"), All: alert}})
	}
	return s
}

// firstSteps are what to do now.
func (r Incidents) firstSteps(in *incident.Incident) *List {
	l := &List{Ordered: true}
	add := func(so bool, s string) {
		if so && s != "" {
			l.Items = append(l.Items, s)
		}
	}
	if len(in.Replies) > 0 {
		fix, _ := r.advice(in)
		add(true, fix)
	}
	im := &in.Impact
	waits := im.Queued > 0 || in.Status == incident.Ongoing && im.Deferred > 0
	add(waits && slices.Contains(careful, in.Cause), r.text("no_flush"))
	add(waits && !slices.Contains(careful, in.Cause), r.text("flush"))
	add(im.Queued > 0, r.expiry(im))
	add(im.Lost > 0, r.text("tell_senders", "n", r.n(im.Lost)))
	add(in.Kind == incident.Stopped, r.text("look_stopped"))
	add(in.Status == incident.Recovered && !waits, r.text("nothing_now"))
	return l
}

// contact is whom to ask, and what for that is asked; nil where nobody is to be asked.
func (r Incidents) contact(in *incident.Incident) *List {
	if in.Direction == smtp.Inbound || len(in.Replies) == 0 {
		return nil
	}
	said := &in.Replies[0]
	a := r.answer(in, said)
	l := &List{}
	base := r.By.Base()
	p := base.ProviderFacts(cmp.Or(a.Provider, in.Provider))
	if a.Details.Blocklist != "" && a.Details.Removal != "" {
		l.Links = append(l.Links, Link{Text: labelled(r.text("removal", "list", a.Details.Blocklist)), URL: a.Details.Removal})
	}
	if p.Form != "" && p.Form != a.Details.Removal {
		l.Links = append(l.Links, Link{Text: labelled(r.text("form", "who", p.Name)), URL: p.Form})
	}
	if len(p.Asks) > 0 {
		var wants []string
		for _, what := range p.Asks {
			wants = append(wants, r.wanted(in, a, what))
		}
		l.Items = append(l.Items, labelled(r.text("asks", "who", p.Name))+" "+strings.Join(wants, "; "))
	}
	if len(l.Items)+len(l.Links) == 0 {
		return nil
	}
	return l
}

// wanted is what a provider wants to be told, as the log has it where it has it.
func (r Incidents) wanted(in *incident.Incident, a *Answer, what string) string {
	words := map[string]string{
		"ip": r.text("ask_ip"), "domain": r.text("ask_domain"), "reply": r.text("ask_reply"), "lines": r.text("ask_lines"), "headers": r.text("ask_headers"),
		"times": r.text("ask_times"), "case": r.text("ask_case"), "ptr": r.text("ask_ptr"), "imprint": r.text("ask_imprint"), "contact": r.text("ask_contact"),
	}
	known := ""
	switch what {
	case "ip":
		if all := r.addresses(in); len(all) > 0 {
			known = all[0].Name
		}
	case "domain":
		if len(in.Hit.Senders) > 0 {
			_, known, _ = strings.Cut(in.Hit.Senders[0].Name, "@")
		}
	case "times":
		known = bothEnds(in.Start, in.End)
	case "case":
		if len(a.Details.Links) > 0 {
			known = a.Details.Links[0]
		}
	case "reply":
		known = a.Details.Reference
	}
	if known == "" {
		return words[what]
	}
	return words[what] + " (" + known + ")"
}
