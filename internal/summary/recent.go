package summary

// recent remembers rows by their keys, so that the few that most lines count into are
// found without a search. Where two keys want one slot the later one has it.
type recent[T any] struct {
	slots [64]struct {
		key uint64
		row *T
	}
}

// slotOf spreads keys, whose lower bits are much alike, by a multiplication with 2^64
// divided by the golden ratio.
func slotOf(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> 58 }

// get returns the row of a key, nil when it is not remembered.
func (r *recent[T]) get(key uint64) *T {
	if s := &r.slots[slotOf(key)]; s.key == key {
		return s.row
	}
	return nil
}

func (r *recent[T]) put(key uint64, row *T) {
	s := &r.slots[slotOf(key)]
	s.key, s.row = key, row
}
