package transcript

import (
	"bytes"

	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxLearned = 64 // different marks that are counted; a transcript has two
	minLearned = 3  // lines that must fit before a stranger's marks are believed
)

// learned counts how often a word stands before replies and before commands.
type learned struct {
	mark              string
	replies, commands int
}

// learn finds the marks of a tool that is not in the table: the word that stands before
// replies and the one that stands before commands. Where it is the same word, each line
// tells by itself who speaks. It
// also returns how many lines fit.
func learn(sample []byte) (d *dialect, fit int) {
	var marks []learned
	for len(sample) > 0 {
		line := sample
		if i := bytes.IndexByte(sample, '\n'); i >= 0 {
			line, sample = sample[:i], sample[i+1:]
		} else {
			sample = nil
		}
		marks = count(marks, bytes.TrimRight(line, "\r"))
	}
	var s, c *learned
	for i := range marks {
		if m := &marks[i]; s == nil || m.replies > s.replies {
			s = m
		}
	}
	for i := range marks {
		if m := &marks[i]; c == nil || m.commands > c.commands {
			c = m
		}
	}
	if s == nil || s.replies == 0 || c.commands == 0 || s.replies+c.commands < minLearned {
		return nil, 0
	}
	d = &dialect{name: "unknown", direction: smtp.Outbound, anywhere: true, byContent: s == c, server: []string{s.mark}, client: []string{c.mark}}
	return d, s.replies + c.commands
}

// count looks for the first reply or command behind a word of a line.
func count(marks []learned, line []byte) []learned {
	start := 0
	for i := 1; i < min(len(line), maxPrefix); i++ {
		c := line[i-1]
		if c != ' ' && c != '\t' && c != ':' && c != '>' && c != '"' && c != '\'' {
			continue
		}
		reply := isReply(line[i:])
		if !reply && !isCommand(cutEscapes(line[i:])) {
			if c == ' ' || c == '\t' {
				start = i
			}
			continue
		}
		mark := template(line[start:i])
		for j := range marks {
			if marks[j].mark == mark {
				marks[j].add(reply)
				return marks
			}
		}
		if len(marks) < maxLearned && len(trim([]byte(mark))) > 0 {
			marks = append(marks, learned{mark: mark})
			marks[len(marks)-1].add(reply)
		}
		return marks
	}
	return marks
}

func (l *learned) add(reply bool) {
	if reply {
		l.replies++
	} else {
		l.commands++
	}
}

// template writes # for each number of a mark.
func template(b []byte) string {
	var out []byte
	for i, c := range b {
		switch {
		case !isDigit(c):
			out = append(out, c)
		case i == 0 || !isDigit(b[i-1]):
			out = append(out, '#')
		}
	}
	return string(out)
}
