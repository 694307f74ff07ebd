package classify

import (
	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// SaidOf makes what a sample of the knowledge base describes.
func SaidOf(s *knowledge.Sample) Said {
	out := Said{Stage: s.Stage, Unasked: s.Unasked, Kind: s.Kind, Outcome: s.Outcome, Direction: smtp.Outbound, Host: []byte(s.Host)}
	if s.By == knowledge.Local {
		out.Direction = smtp.Inbound
	}
	if s.Own {
		out.Note = []byte(s.Text)
		return out
	}
	r := smtp.ParseReply([]byte(s.Text))
	out.Code, out.Enhanced, out.Text = r.Code, r.Enhanced, r.Text
	return out
}

// Taker returns the rule that takes a rule's own sample, nil when none does. A rule whose
// taker is another is never heard.
func (c *Classifier) Taker(r *knowledge.Rule) *knowledge.Rule {
	s := SaidOf(&r.Sample)
	taker, _ := c.match(&s)
	return taker
}
