package summary

import (
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	maxWordings = 4096 // rows; a year of a large provider's log has some hundred
	maxReply    = 300  // bytes of the text that stands for a wording
)

// Wording is how often a failure was told in the same words. They are counted only when
// somebody asks, because each costs another look at its line.
type Wording struct {
	Direction   smtp.Direction
	Cause       knowledge.Cause
	Hash        uint64 // of its words
	Text        string // its words, '#' for what differs from line to line
	Sample      string // one such text as it was logged
	Count       int64
	First, Last time.Time
}

// wordingKey is the direction and the hash of the words.
type wordingKey struct {
	direction smtp.Direction
	hash      uint64
}

// CountWordings has wordings counted from now on.
func (s *Summary) CountWordings() {
	if s.wordings == nil {
		s.wordings = map[wordingKey]*Wording{}
	}
}

// wording counts the words of a failure.
func (s *Summary) wording(l *Line, note *Note, text []byte) {
	if len(text) == 0 {
		return
	}
	text = smtp.AppendMasked(nil, text[:min(len(text), 4*maxWording)])
	var room [maxWording + 2]byte // the last word ends with a space
	words := AppendWording(room[:0], text)
	key := wordingKey{l.Direction, xxhash.Sum64(words)}
	row := s.wordings[key]
	if row == nil {
		if len(s.wordings) >= maxWordings {
			s.Dropped.Wordings += l.N
			return
		}
		row = &Wording{Direction: l.Direction, Cause: note.Cause, Hash: key.hash, Text: plain(words), Sample: plain(text)}
		s.wordings[key] = row
	}
	row.Count += l.N
	row.First, row.Last = span(row.First, row.Last, l.When)
}

// plain is a text that may be kept: valid, and not long.
func plain(text []byte) string {
	return strings.TrimSpace(strings.ToValidUTF8(string(text[:min(len(text), maxReply)]), "\uFFFD"))
}
