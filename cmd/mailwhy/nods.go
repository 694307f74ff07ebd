package main

import (
	"github.com/mailwhy/mailwhy/internal/classify"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// nods are the replies to deliveries that went through, with what they mean. That rests on their
// numbers alone, and there are few of them. They are for one goroutine.
type nods struct {
	by    *classify.Classifier
	known [64]nod
}

type nod struct {
	key  uint64
	said classify.Annotation
}

func newNods(by *classify.Classifier) *nods { return &nods{by: by} }

// annotate returns what classify says of a line in which nothing went wrong. Where the line shows
// no reply nobody asks what it means.
func (n *nods) annotate(s *session.Step) (a classify.Annotation, known bool) {
	if s.Code == 0 {
		return a, s.Outcome != smtp.OutcomeNone
	}
	e := s.Enhanced
	key := uint64(s.Code)<<48 | uint64(e[0]&15)<<44 | uint64(e[1]&1023)<<34 | uint64(e[2]&1023)<<24 |
		uint64(s.Kind)<<16 | uint64(s.Stage)<<8 | uint64(s.Direction)<<4 | uint64(s.Outcome)
	slot := &n.known[key*0x9e3779b97f4a7c15>>58]
	if slot.key != key {
		ev := smtp.Event{Kind: s.Kind, Direction: s.Direction, Stage: s.Stage, Outcome: s.Outcome, Reply: smtp.Reply{Code: s.Code, Enhanced: e}}
		slot.key = key
		slot.said, _ = n.by.Event(&ev)
	}
	return slot.said, true
}
