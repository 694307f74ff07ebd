package trace

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/internal/testlog"
	"github.com/mailwhy/mailwhy/parsers"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

// memory is a plain file in memory.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// logInput is a log as an input; stream is one that can only be read from its start.
func logInput(path string, text []byte, stream bool) *Input {
	in := &Input{
		Path: path, Place: filepath.Dir(path), Size: int64(len(text)), Parser: parsers.Mixed{}, Head: text[:min(len(text), 64<<10)],
		Copies: strings.Contains(path, "reject"),
		Clock: func() *session.Clock {
			return session.NewClock(time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), time.UTC, 0)
		},
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil },
	}
	if !stream {
		in.Plain = func() (File, error) { return memory{bytes.NewReader(text)}, nil }
	}
	return in
}

// logs are those that the tests look in.
func logs(t testing.TB) map[string][]*Input {
	t.Helper()
	generated := func(format string) []byte {
		var b bytes.Buffer
		if err := testlog.Write(&b, testlog.Options{Format: format, Size: 1 << 20, Seed: 7}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	in := func(stream bool, names ...string) (all []*Input) {
		for _, name := range names {
			all = append(all, logInput(name, sample(t, filepath.Join("../../testdata", name)), stream))
		}
		return all
	}
	pf := generated("postfix")
	cut := bytes.IndexByte(pf[len(pf)/2:], '\n') + 1 + len(pf)/2
	return map[string][]*Input{
		"two hosts":  in(false, "postfix/server-in.log.gz", "postfix/server-out.log.gz"),
		"compressed": in(true, "postfix/server-out.log.gz", "postfix/server-in.log.gz"),
		"exim":       in(false, "exim/server-main.log.gz", "exim/server-reject.log.gz"),
		"small":      in(false, "postfix/queue.log", "postfix/heads.log", "postfix/smtp.log", "exim/main.log", "exim/syslog.log"),
		"rotated":    {logInput("mail.log.1", pf[:cut], true), logInput("mail.log", pf[cut:], false)},
		"generated":  {logInput("mainlog", generated("exim"), false)},
	}
}

// parsed returns all lines of some inputs, with their times settled in order.
func parsed(inputs []*Input) (all []*Line) {
	for i, in := range inputs {
		body, _ := in.Open()
		text, _ := io.ReadAll(body)
		clock := in.Clock()
		at, number := int64(0), int64(0)
		for raw := range bytes.Lines(text) {
			number++
			l := &Line{Input: i, Path: in.Path, Number: number, At: at, Raw: bytes.TrimSuffix(raw, newline), Event: new(smtp.Event)}
			in.Parser.Parse(l.Raw, l.Event)
			l.Event.Time = clock.Settle(l.Event.Stamp)
			all = append(all, l)
			at += int64(len(raw))
		}
	}
	return all
}

// asked returns things to ask for, of all kinds, that lines show.
func asked(lines []*Line, rng *rand.Rand, n int) (all []string) {
	kinds := map[int]map[string]bool{}
	for _, l := range lines {
		ev := l.Event
		for k, name := range [][]byte{ev.Queue, ev.MessageID, ev.From, ev.To, ev.OrigTo, ev.QueuedAs, ev.Related, ev.Peer.IP, ev.Peer.Name} {
			if len(name) >= minName {
				if kinds[k] == nil {
					kinds[k] = map[string]bool{}
				}
				kinds[k][string(name)] = true
			}
		}
	}
	for k := range 9 {
		names := slices.Sorted(maps.Keys(kinds[k]))
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		all = append(all, names[:min(len(names), n)]...)
	}
	return append(all, "@example.com", "nobody.knows@example.com", "4NoSuchID", "mx1.acme.example")
}

// told is a result as it can be compared.
func told(r *Result) string {
	var b strings.Builder
	line := func(l *Line) {
		if l == nil {
			fmt.Fprintln(&b, "    none")
			return
		}
		fmt.Fprintf(&b, "    %s:%d %v %v %q\n", l.Path, l.Number, l.Seed.Names(), l.Event.Time, l.Raw)
	}
	fmt.Fprintf(&b, "%v of %d %v full %v, copies %d %v, loose %d, others %d, near %q, dropped %d %d\n", r.As.Names(), r.Total, r.AtLeast, r.Full, r.Copies, r.CopyIDs, r.LooseTotal, r.Sessions, r.Near, r.Dropped, r.DroppedLegs)
	for _, s := range r.Spans {
		fmt.Fprintln(&b, s.Path, s.Bytes, s.Lines, s.First, s.Last, s.Err)
	}
	for _, m := range r.Messages {
		fmt.Fprintf(&b, "message from %q id %q %v to %v, untold %d\n", m.From, m.MessageID, m.Start, m.End, m.Untold)
		for _, g := range m.Legs {
			fmt.Fprintf(&b, "  leg %s on %s, %v, no connect %v\n", g.Queue, g.Host, g.How, g.NoConnect)
		}
		for _, r := range m.Recipients {
			fmt.Fprintf(&b, "  to %s: %v, %d tries, after %v, next %v, handed %v\n", r.To, r.Outcome, r.Tries, r.After, r.Next, r.Handed)
		}
		for _, l := range m.Lines {
			line(l)
		}
	}
	for _, l := range r.Loose {
		line(l)
	}
	return b.String()
}

// TestSameAsSlow holds that nothing is found that a search does not find which parses all
// lines, and nothing is missed.
func TestSameAsSlow(t *testing.T) {
	for name, inputs := range logs(t) {
		t.Run(name, func(t *testing.T) {
			lines := parsed(inputs)
			truth := map[place]*Line{}
			for _, l := range lines {
				truth[place{l.Input, l.At}] = l
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for _, s := range asked(lines, rng, 3) {
				what, err := ParseWhat(s, "")
				if err != nil {
					t.Fatal(err)
				}
				o := Options{Inputs: inputs, What: what, Workers: 1 + rng.IntN(3), Top: 5}
				fast := Run(o)
				o.everyLine = true
				if diff := cmp.Diff(strings.Split(told(Run(o)), "\n"), strings.Split(told(fast), "\n")); diff != "" {
					t.Fatalf("%s: the fast search differs (-slow +fast):\n%s", s, diff)
				}
				for _, m := range fast.Messages {
					for _, l := range m.Lines {
						want := truth[place{l.Input, l.At}]
						if want == nil || want.Number != l.Number || !want.Event.Time.Equal(l.Event.Time) || !bytes.Equal(want.Raw, l.Raw) {
							t.Fatalf("%s: line %s:%d %v %q is not what stands there: %+v", s, l.Path, l.Number, l.Event.Time, l.Raw, want)
						}
					}
				}
			}
		})
	}
}
