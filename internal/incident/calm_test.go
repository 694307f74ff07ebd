package incident

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailwhy/mailwhy/internal/testlog/days"
)

// Days on which nothing is wrong but what is wrong on any day have no incident and no gap,
// whether there is much mail or little, and neither has a month of them.
func TestCalm(t *testing.T) {
	for _, format := range []string{"postfix", "exim"} {
		for i, o := range []days.Options{{Days: 30, PerDay: 600}, {Days: 7, PerDay: 1500}, {Days: 1, PerDay: 8000}, {Days: 1, PerDay: 300}, {Days: 10, PerDay: 100}, {Days: 1, PerDay: 20}} {
			for seed := range uint64(2) {
				o.Format, o.Seed = format, seed+uint64(i)*10
				t.Run(fmt.Sprint(format, " ", o.Days, " days of ", o.PerDay, " ", seed), func(t *testing.T) {
					t.Parallel()
					log, _ := write(t, o)
					r := find(t, log, format, nil)
					for _, in := range r.Incidents {
						t.Error(show(in))
					}
					for _, g := range r.Gaps {
						t.Error("gap", g)
					}
					if o.PerDay < 50 != r.Thin {
						t.Error("too little to compare:", r.Thin)
					}
				})
			}
		}
	}
}

// Ten lines tell what they tell, and no incident.
func TestTenLines(t *testing.T) {
	log, _ := write(t, days.Options{Format: "postfix", PerDay: 500, Plans: []days.Plan{{What: days.DNS, At: 8 * hour, Long: 2 * hour, Share: 1}}})
	lines := strings.SplitAfter(string(log), "\n")
	for i, l := range lines {
		if strings.Contains(l, "Name service error") {
			r := find(t, []byte(strings.Join(lines[i-4:i+6], "")), "postfix", nil)
			if len(r.Incidents) != 0 || !r.Thin || r.Whole.Deferred == 0 {
				t.Errorf("%d incidents, thin %v, whole %+v", len(r.Incidents), r.Thin, r.Whole)
			}
			return
		}
	}
	t.Fatal("no such line")
}

func TestNothing(t *testing.T) {
	r := find(t, nil, "postfix", nil)
	if len(r.Incidents) != 0 || len(r.Gaps) != 0 || !r.Thin {
		t.Errorf("%+v", r)
	}
}
