package alert

import "time"

// slots is into how many parts a window's time is cut. What is counted is exact to one of
// them: of 10 minutes, to 10 seconds.
const slots = 60

// window counts what happened in the time before now. There is one slot more than the
// time has, for the one that is running.
type window struct {
	newest int64 // the number of the running slot
	total  int64
	counts [slots + 1]int64
}

// slotOf numbers the slots of all time.
func slotOf(now time.Time, within time.Duration) int64 {
	return now.UnixNano() / max(int64(within)/slots, 1)
}

// move forgets what is too long ago. Slots in the past are the running one's.
func (w *window) move(slot int64) {
	switch n := slot - w.newest; {
	case n <= 0:
		return
	case n > slots:
		*w = window{}
	default:
		for ; n > 0; n-- {
			w.newest++
			at := &w.counts[w.newest%(slots+1)]
			w.total -= *at
			*at = 0
		}
	}
	w.newest = slot
}

func (w *window) add(slot, n int64) {
	w.move(slot)
	w.counts[w.newest%(slots+1)] += n
	w.total += n
}

// shift moves the running slot to another number, for a clock that was set back.
func (w *window) shift(slot int64) {
	old := *w
	for i := range int64(slots + 1) {
		w.counts[(slot+slots+1-i)%(slots+1)] = old.counts[(old.newest+slots+1-i)%(slots+1)]
	}
	w.newest = slot
}
