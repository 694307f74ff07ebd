package summary

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// some is a summary of failures of so many hosts and recipients.
func some(from, n int) *Summary {
	s := New()
	s.CountWordings()
	for i := range n {
		to := fmt.Sprintf("u%d@example.net", from+i)
		host := fmt.Sprintf("mx%d.example.net", (from+i)%40)
		ev := refused(host, to, 550)
		ev.Reply.Text = fmt.Appendf(nil, "<%s>: User unknown", to)
		s.Event(ev, &Note{Cause: knowledge.RecipientUnknown, Severity: knowledge.Error}, hostKey(host), noSample)
	}
	s.Session(smtp.Outbound, smtp.EndQuit, false, noon, Note{})
	s.Coverage.Lines, s.Coverage.Understood = int64(n), int64(n)
	return s
}

func bytesOf(t testing.TB, s *Summary) string {
	t.Helper()
	var b bytes.Buffer
	if err := s.Save(&b, knowledge.Load()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func again(t testing.TB, s *Summary) *Summary {
	t.Helper()
	read, err := Load(strings.NewReader(bytesOf(t, s)), knowledge.Load())
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestMerge: parts add up to the whole, recipients among them, exact and beyond.
func TestMerge(t *testing.T) {
	for _, n := range []int{1, 500, 2 * maxExact} {
		a, b, whole := some(0, n), some(n/2, n), some(0, n)
		whole.Merge(some(n/2, n))
		both, reversed := again(t, a), again(t, b)
		both.Merge(again(t, b))
		reversed.Merge(again(t, a))
		if bytesOf(t, both) != bytesOf(t, reversed) || bytesOf(t, both) != bytesOf(t, whole) {
			t.Errorf("%d: the order or the file makes a difference", n)
		}
		direct := some(0, n+n/2) // those in the middle are the same recipients
		if got, want := both.Causes()[0].Recipients(), direct.Causes()[0].Recipients(); got != want {
			t.Errorf("%d: %d recipients, want %d", n, got, want)
		}
		if c := both.Causes()[0]; c.Count != int64(2*n) || both.Parts != 2 || len(both.Wordings()) != 1 || both.Wordings()[0].Count != int64(2*n) {
			t.Errorf("%d: %d counted of %d parts, wordings %v", n, c.Count, both.Parts, both.Wordings())
		}
		if estimated := strings.Contains(fmt.Sprint(both.Estimates()), "causes.recipients"); estimated != (n > maxExact) {
			t.Errorf("%d: estimates %v", n, both.Estimates())
		}
	}
}

// TestMergeBounds: sums of full tables stay within the bounds, and what did not fit is told.
func TestMergeBounds(t *testing.T) {
	sum := New()
	n := int64(0)
	for part := range 3 {
		s := New()
		s.CountWordings()
		for i := range maxNames {
			host := fmt.Sprintf("h%d-%d.example.net", part, i)
			ev := refused(host, "x", smtp.Code(400+i%200))
			ev.Reply.Enhanced = smtp.EnhancedCode{5, uint16(part), uint16(i % 1000)}
			ev.Reply.Text = []byte("words " + strings.Repeat("a", 1+i%90) + " " + strings.Repeat("b", 1+i/90) + strings.Repeat("c", part))
			s.Event(ev, &Note{Cause: knowledge.Policy}, hostKey(host), noSample)
			n++
		}
		s.Coverage.Lines = maxNames
		sum.Merge(s)
	}
	if len(sum.peers.counts) > maxNames || len(sum.causes) > maxCauses || len(sum.replies) > maxReplies || len(sum.wordings) > maxWordings {
		t.Errorf("%d peers, %d causes, %d replies, %d wordings", len(sum.peers.counts), len(sum.causes), len(sum.replies), len(sum.wordings))
	}
	var peers, causes, wordings int64
	for i := range sum.peers.counts {
		peers += sum.peers.counts[i].total()
	}
	for _, c := range sum.causes {
		causes += c.Count
	}
	for _, w := range sum.wordings {
		wordings += w.Count
	}
	if d := sum.Dropped; peers+d.Peers != n || causes+d.Causes != n || wordings+d.Wordings != n {
		t.Errorf("of %d: peers %d, causes %d, wordings %d, dropped %+v", n, peers, causes, wordings, d)
	}
	again(t, sum)
}

// TestLoadRefuses: what cannot be a summary is refused with words.
func TestLoadRefuses(t *testing.T) {
	good := bytesOf(t, some(0, 3))
	for text, want := range map[string]string{
		"":                        "no saved summary",
		"Mar 11 12:00:00 mx":      "no saved summary",
		good[:len(good)/2]:        "damaged",
		magic + `,"version":2}`:   "newer mailwhy",
		magic + `,"version":"x"}`: "damaged",
		strings.Replace(good, `"count":3`, `"count":-3`, 1):                             "a count of -3",
		strings.Replace(good, `"recipient_unknown"`, `"made_up"`, 1):                    "made_up",
		strings.Replace(good, `"bucket_seconds":`, `"bucket_seconds":9999999999`, 1):    "stretches",
		magic + `,"version":1,"replies":[` + strings.Repeat("{},", maxReplies) + `{}]}`: "rows",
		magic + strings.Repeat(" ", maxSaved):                                           "larger",
	} {
		_, err := Load(strings.NewReader(text), knowledge.Load())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

// TestLoadOwnRule: what a rule of somebody's own said is told by its cause where the rule is not.
func TestLoadOwnRule(t *testing.T) {
	s := some(0, 1)
	text := bytesOf(t, s)
	entry := `"entry":"` + knowledge.Load().Entry(0).ID + `"`
	if !strings.Contains(text, entry) {
		t.Fatalf("no %s in %s", entry, text)
	}
	read, err := Load(strings.NewReader(strings.ReplaceAll(text, entry, `"entry":"our_rule"`)), knowledge.Load())
	if err != nil {
		t.Fatal(err)
	}
	if e := knowledge.Load().Entry(knowledge.EntryID(read.Causes()[0].Note.Entry)); e.Cause != knowledge.RecipientUnknown {
		t.Errorf("it is told by %s", e.ID)
	}
}

// FuzzLoad: whatever a file says, what was loaded can be added to another, compared and saved.
func FuzzLoad(f *testing.F) {
	f.Add(bytesOf(f, some(0, 3)))
	f.Add(bytesOf(f, New()))
	f.Add(magic + `,"version":1,"timeline":{"bucket_seconds":3,"buckets":[{"start":-7,"deliveries":{"sent":2}}]},"deliveries":{"":{"":1}}}`)
	f.Add(magic + `,"version":1,"causes":[{"cause":"policy","severity":"error","hosts":{"":1,"a":2},"sketch":"Ag4AAAAAAAE="}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Load(strings.NewReader(text), knowledge.Load())
		if err != nil {
			return
		}
		o := some(0, 3)
		o.Merge(s)
		o.Against(s)
		s.Against(o)
		s.Groups()
		s.Replies()
		bytesOf(t, o)
	})
}
