package trace

import (
	"maps"
	"slices"
)

const (
	// nearEach is how many lines of a block may tell what is nearly what was asked for.
	nearEach = 4
	// maxNear is how much of it is shown.
	maxNear = 8
)

// nearly looks for what is nearly what was asked for: the same in another case, or as a
// part of something longer.
func (t *Tracer) nearly() error {
	t.want(wants{what: &t.o.What, near: true})
	if err := t.scanner.scan(all, t.take, func(int, ending) {}); err != nil {
		return err
	}
	t.result.Near = slices.Sorted(maps.Keys(t.near))
	return nil
}

// takeNear notes the names of a line that hold what was asked for.
func (t *Tracer) takeNear(l *Line) {
	ev := l.Event
	for _, name := range [][]byte{ev.Queue, ev.MessageID, ev.From, ev.To, ev.OrigTo, ev.QueuedAs, ev.Peer.Name, ev.Peer.IP, ev.ReplyHost.Name, ev.User, ev.Helo} {
		if len(t.near) < maxNear && contains(name, t.o.What.Text) {
			t.near[string(name)] = true
		}
	}
}
