package knowledge

import "testing"

// Each marker takes its own sample, and ordinary warnings are none's.
func TestMarks(t *testing.T) {
	b := Load()
	if len(b.markers) != int(numMarks)-1 {
		t.Errorf("%d markers for %d marks", len(b.markers), numMarks-1)
	}
	for _, m := range b.markers {
		if got := b.Mark([]byte(m.sample)); got != m.mark {
			t.Errorf("%q is %s, want %s", m.sample, got, m.mark)
		}
	}
	for _, text := range []string{"", "hostname out1.example.net does not resolve to address 192.0.2.1: Name or service not known", "statistics: max connection rate 3/60s"} {
		if got := b.Mark([]byte(text)); got != NoMark {
			t.Errorf("%q is %s, want none", text, got)
		}
	}
}
