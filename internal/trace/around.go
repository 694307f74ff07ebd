package trace

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/mailwhy/mailwhy/internal/pipeline"
	"github.com/mailwhy/mailwhy/internal/session"
	"github.com/mailwhy/mailwhy/parsers/smtp"
)

const (
	// sessionIdle is how long a process may say nothing within a session, as the session
	// tables have it: smtpd times out after minutes.
	sessionIdle = time.Hour
	// maxAround is how many lines of a session are kept besides those of the message.
	maxAround = 50
	// maxSessions is how many sessions are looked for.
	maxSessions = 64
)

// around fetches the lines of the sessions in which messages came and went: what a process
// of Postfix said without a queue ID, between the connect and the disconnect line, or since
// the last message that it delivered.
func (t *Tracer) around(roots []*Leg) {
	var all []*anchor
	for _, root := range roots {
		for _, g := range legsFrom(root) {
			all = append(all, anchorsOf(g)...)
		}
	}
	if len(all) > maxSessions {
		for _, a := range all[maxSessions:] {
			a.leg.Unsearched = true
		}
		all = all[:maxSessions]
	}
	for i := range t.o.Inputs {
		var here []*anchor
		for _, a := range all {
			if a.line.Input == i {
				here = append(here, a)
			}
		}
		if t.o.Inputs[i].Plain == nil && len(here) > 0 {
			t.walk(i, 0, here)
			continue
		}
		for _, a := range here {
			t.near1(i, a)
		}
	}
	for _, a := range all {
		t.before(a)
		t.after(a)
		a.settle()
	}
}

func legsFrom(g *Leg) []*Leg {
	all := []*Leg{g}
	for _, k := range g.Kids {
		all = append(all, legsFrom(k)...)
	}
	return all
}

// anchor is a line whose process is followed to both sides.
type anchor struct {
	leg   *Leg
	line  *Line
	word  needle // what the lines of the process hold
	in    bool   // a client's session: from connect to disconnect
	lines []*Line
	begun bool // its beginning was found
	past  bool // the walk is behind the line
	over  bool // and behind the session
	since time.Time
}

// anchorsOf returns the lines of a leg whose processes said more around them.
func anchorsOf(g *Leg) (all []*anchor) {
	if r := g.Received; r != nil && r.Event.Direction == smtp.Inbound && r.Event.Format == smtp.FormatPostfix && r.Event.PID != 0 {
		all = append(all, &anchor{leg: g, line: r, in: true})
	}
	for _, l := range g.Lines {
		ev := l.Event
		if ev.Kind == smtp.KindDelivery && ev.Direction == smtp.Outbound && ev.Format == smtp.FormatPostfix && ev.PID != 0 && ev.Delays[0] != smtp.NoDelay {
			// What it did for this message began no sooner than it took to connect and to
			// transmit; stamps are rounded.
			took := ev.Delays[2] + ev.Delays[3] + 2*time.Second
			all = append(all, &anchor{leg: g, line: l, since: l.When.Add(-took)})
		}
	}
	kept := all[:0]
	for _, a := range all {
		if a.word = processWord(a.line); len(a.word.text) >= minName {
			kept = append(kept, a)
		} else if a.in {
			g.Unsearched = true
		}
	}
	return kept
}

// processWord returns what all lines of a line's process hold, written as this one is.
func processWord(l *Line) needle {
	pid := strconv.Itoa(int(l.Event.PID))
	for _, word := range []string{string(l.Event.Process) + "[" + pid + "]", string(l.Event.Process), pid} {
		if bytes.Contains(l.Raw, []byte(word)) && word != "" {
			return needle{word, false}
		}
	}
	return needle{}
}

// near1 walks over a plain file around an anchor, from further and further before it until
// the session's beginning is there.
func (t *Tracer) near1(i int, a *anchor) {
	for back := int64(blockSize); ; back *= 8 {
		from := max(0, a.line.At-back)
		*a = anchor{leg: a.leg, line: a.line, word: a.word, in: a.in, since: a.since}
		t.walk(i, from, []*anchor{a})
		if a.begun || from == 0 || t.scanner.stopped() {
			return
		}
	}
}

// before looks in the inputs before for the beginning of a session that is not in its own, as
// where the log was rotated meanwhile.
func (t *Tracer) before(a *anchor) {
	for i := a.line.Input - 1; i >= 0 && !a.begun; i-- {
		if !a.mayGoBack(t.result.Spans[i]) {
			continue
		}
		own := a.lines
		b := anchor{leg: a.leg, line: a.line, word: a.word, in: a.in, since: a.since}
		from := int64(0)
		if t.o.Inputs[i].Plain != nil {
			from = t.lastHours(i, a.first())
		}
		t.walk(i, from, []*anchor{&b})
		a.lines, a.begun = append(b.lines, own...), b.begun
	}
}

// after looks in the inputs behind for the end of a client's session that is not in its own.
func (t *Tracer) after(a *anchor) {
	for i := a.line.Input + 1; i < len(t.o.Inputs) && a.in && a.past && !a.over; i++ {
		if a.mayGoOn(t.result.Spans[i]) {
			t.walk(i, 0, []*anchor{a})
		}
	}
}

// mayGoOn reports that a session can have ended in a log.
func (a *anchor) mayGoOn(s Span) bool {
	return !s.First.After(a.lastTime().Add(sessionIdle)) && !s.Last.Before(a.lastTime())
}

// first is the time of the first line that is known of the session.
func (a *anchor) first() time.Time {
	if len(a.lines) > 0 {
		return a.lines[0].When
	}
	return a.line.When
}

// mayGoBack reports that a session can have begun in a log.
func (a *anchor) mayGoBack(s Span) bool {
	return !s.Last.Before(a.first().Add(-sessionIdle)) && !s.First.After(a.first())
}

// lastHours returns a place before the last hour before a time, by what is remembered of
// the input.
func (t *Tracer) lastHours(i int, when time.Time) int64 {
	for _, m := range slices.Backward(t.scanner.marks[i]) {
		if m.last.Before(when.Add(-2*sessionIdle)) && !m.last.IsZero() {
			return m.at
		}
	}
	return 0
}

// walk goes over an input from a place on until all sessions are over.
func (t *Tracer) walk(i int, from int64, anchors []*anchor) {
	in := t.o.Inputs[i]
	var names []needle
	for _, a := range anchors {
		names = append(names, a.word)
	}
	finder := newFinder(names, in.Head)
	blocks, closer, err := t.blocksFrom(in, from)
	if err != nil || finder == nil {
		return
	}
	defer closer.Close()
	w := worker{in: in}
	lines, clock, last := t.at(i, from)
	for !t.scanner.stopped() && slices.ContainsFunc(anchors, func(a *anchor) bool { return !a.over }) {
		if err := blocks(&w.blk); err != nil {
			return
		}
		data := w.blk.data
		counted := 0
		stamps := w.stamps(data)
		settle := func(s smtp.Stamp) time.Time {
			when := clock.Settle(s)
			if !when.IsZero() {
				last = when
			}
			return when
		}
		next := 0
		finder.eachLine(data, func(start, end int) {
			w.in.Parser.Parse(data[start:end], &w.ev)
			wanted := slices.ContainsFunc(anchors, func(a *anchor) bool { return !a.over && a.sameProcess(&w.ev) })
			if !wanted {
				return
			}
			for ; next < len(stamps) && stamps[next].at < start; next++ {
				settle(stamps[next].stamp)
			}
			lines += int64(bytes.Count(data[counted:start], newline))
			counted = start
			l := w.keep(data[start:end], int64(start))
			l.Event.Time = settle(l.Event.Stamp)
			l.Guessed = clock.Guessed() && !l.Event.Time.IsZero()
			l.Input, l.Path, l.Number, l.When = i, in.Path, lines+1, last
			for _, a := range anchors {
				a.take(&l, in)
			}
		})
		for ; next < len(stamps); next++ {
			settle(stamps[next].stamp)
		}
		lines += int64(bytes.Count(data[counted:], newline))
		for _, a := range anchors {
			a.passed(last)
		}
	}
}

// blocksFrom returns what reads an input's blocks from the one on that a place is in.
func (t *Tracer) blocksFrom(in *Input, from int64) (next func(*block) error, closer io.Closer, err error) {
	if in.Plain == nil {
		body, err := in.Open()
		if err != nil {
			return nil, nil, err
		}
		blocks := pipeline.NewBlocks(body, blockSize)
		var blk pipeline.Block
		at := int64(0)
		return func(b *block) error {
			err := blocks.Next(&blk)
			*b = block{data: blk.Data, at: at}
			at += int64(len(blk.Data)) + blk.CutBytes
			return err
		}, body, err
	}
	file, err := in.Plain()
	if err != nil {
		return nil, nil, err
	}
	at := from / blockSize * blockSize
	return func(b *block) error {
		if at >= file.Size() {
			return io.EOF
		}
		err := readBlock(file, file.Size(), at, b)
		at += blockSize
		return err
	}, file, nil
}

// at returns what is known at the start of the block that a place is in: how many lines are
// before it, and the clock.
func (t *Tracer) at(i int, from int64) (lines int64, clock *session.Clock, last time.Time) {
	in := t.o.Inputs[i]
	from = from / blockSize * blockSize
	clock = in.Clock()
	at := int64(0)
	for _, m := range t.scanner.marks[i] {
		if m.at/blockSize*blockSize > from {
			break
		}
		c := m.clock
		at, lines, clock, last = m.at/blockSize*blockSize, m.lines, &c, m.last
	}
	if in.Plain == nil || at == from {
		return lines, clock, last
	}
	next, closer, err := t.blocksFrom(in, at)
	if err != nil {
		return lines, clock, last
	}
	defer closer.Close()
	w := worker{in: in}
	for ; at < from; at += blockSize {
		if next(&w.blk) != nil {
			break
		}
		lines += int64(bytes.Count(w.blk.data, newline))
		for _, s := range w.stamps(w.blk.data) {
			if when := clock.Settle(s.stamp); !when.IsZero() {
				last = when
			}
		}
	}
	return lines, clock, last
}

// sameProcess reports that an event is of the anchor's process.
func (a *anchor) sameProcess(ev *smtp.Event) bool {
	own := a.line.Event
	return ev.PID == own.PID && bytes.Equal(ev.Process, own.Process) && bytes.Equal(ev.Service, own.Service) && bytes.Equal(ev.Host, own.Host)
}

// take takes the next line of the process.
func (a *anchor) take(l *Line, _ *Input) {
	if a.over || !a.sameProcess(l.Event) {
		return
	}
	if l.Input == a.line.Input && l.At == a.line.At {
		a.past = true
		if a.in && len(a.lines) > 0 && l.When.Sub(a.lines[len(a.lines)-1].When) > sessionIdle {
			a.lines, a.begun = nil, true
		}
		a.over = !a.in
		return
	}
	if l.Input > a.line.Input && l.When.Before(a.line.When) {
		return // a log beside it, which tells of the process's sessions before, too
	}
	kind := l.Event.Kind
	switch {
	case a.in && !a.past && kind == smtp.KindConnect:
		a.lines, a.begun = []*Line{l}, true
		return
	case a.in && !a.past && kind == smtp.KindDisconnect:
		a.lines, a.begun = nil, true // what follows has no connect line
		return
	case a.in && kind == smtp.KindConnect, a.past && l.When.Sub(a.lastTime()) > sessionIdle:
		a.over = true
		return
	case !a.in && l.Event.Queue != nil && string(l.Event.Queue) != a.leg.Queue, !a.in && l.Event.Kind == smtp.KindDelivery:
		a.lines, a.begun = nil, true // the end of another delivery
		return
	case !a.in && l.When.Before(a.since):
		a.begun = true
		return
	}
	if a.in || l.Event.Queue == nil {
		a.lines = append(a.lines, l)
	}
	a.over = a.in && a.past && kind == smtp.KindDisconnect
}

// lastTime is when the process last said something.
func (a *anchor) lastTime() time.Time {
	last := a.line.When
	if n := len(a.lines); n > 0 && a.lines[n-1].When.After(last) {
		last = a.lines[n-1].When
	}
	return last
}

// passed says how far the walk has come.
func (a *anchor) passed(when time.Time) {
	if when.IsZero() {
		return
	}
	switch {
	case a.past && when.Sub(a.lastTime()) > sessionIdle:
		a.over = true
	case !a.past && a.in && when.Before(a.line.When.Add(-sessionIdle)) && len(a.lines) == 0:
		// Nothing of the last hour before is missing.
	case !a.past && !a.in && when.Before(a.since):
		a.begun = true
	}
}

// settle gives the lines that were found to the leg.
func (a *anchor) settle() {
	if a.in && (len(a.lines) == 0 || a.lines[0].Event.Kind != smtp.KindConnect) {
		a.leg.NoConnect = true
	}
	there := map[place]bool{}
	for _, l := range append(a.leg.Lines, a.leg.Around...) {
		there[place{l.Input, l.At}] = true
	}
	var texts [][]byte
	for _, l := range a.lines {
		if l.Input != a.line.Input && slices.ContainsFunc(texts, func(b []byte) bool { return bytes.Equal(b, l.Raw) }) {
			continue // a syslog may write one line into two files
		}
		texts = append(texts, l.Raw)
		// Another message that came in the same session is another message.
		if l.Event.Queue == nil && !there[place{l.Input, l.At}] && len(a.leg.Around) < maxAround {
			a.leg.Around = append(a.leg.Around, l)
		}
	}
	slices.SortStableFunc(a.leg.Around, byTime)
}

// mention gives the lines in which other programs name a queue ID or a Message-ID to the
// leg that they are about.
func (t *Tracer) mention(legs []*Leg) {
	for name, lines := range t.mentions {
		for _, l := range lines {
			host := t.hostOf(l)
			var best *Leg
			for _, g := range legs {
				if g.Queue != name && string(g.MessageID) != name || g.key.host != host && best != nil {
					continue
				}
				if best == nil || best.key.host != host || apart(g, l) < apart(best, l) {
					best = g
				}
			}
			if best != nil {
				best.Around = append(best.Around, l)
			}
		}
	}
	for _, g := range legs {
		slices.SortStableFunc(g.Around, byTime)
		g.Around = slices.CompactFunc(g.Around, func(a, b *Line) bool { return a.Input == b.Input && a.At == b.At })
	}
}

// apart is how far a line is from the time of a leg.
func apart(g *Leg, l *Line) time.Duration {
	return max(0, g.Start.Sub(l.When), l.When.Sub(g.End))
}
