package incident

import (
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"

	"github.com/mailwhy/mailwhy/internal/source"
)

// The days in testdata, made by another program, have the incidents that stand beside them, and
// no others; all figures are equal.
func TestDays(t *testing.T) {
	for _, name := range []string{"calm", "dns", "throttle"} {
		t.Run(name, func(t *testing.T) {
			path := "../../testdata/incident/day-" + name
			inputs, errs := source.Find([]string{path + ".log.zst"}, nil)
			if len(errs) > 0 || len(inputs) != 1 {
				t.Fatal(errs)
			}
			body, err := inputs[0].Open()
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			log, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(path + ".truth.json")
			if err != nil {
				t.Fatal(err)
			}
			var truth struct {
				Incidents []struct {
					Start, End                        string
					Deferred, Bounced, Rejected, Auth int64
					DeliveredLate                     int64 `json:"delivered_late"`
					Recipients, Domains               int64
				}
			}
			if err := json.Unmarshal(data, &truth); err != nil {
				t.Fatal(err)
			}
			r := find(t, log, "postfix", nil)
			if len(r.Incidents) != len(truth.Incidents) {
				for _, in := range r.Incidents {
					t.Log(show(in))
				}
				t.Fatalf("%d incidents, want %d", len(r.Incidents), len(truth.Incidents))
			}
			for _, want := range truth.Incidents {
				found := false
				for _, in := range r.Incidents {
					m := &in.Impact
					from, _ := time.Parse("2006-01-02T15:04:05", want.Start)
					to, _ := time.Parse("2006-01-02T15:04:05", want.End)
					found = found || in.Start.Truncate(time.Minute).Equal(from) && in.End.Truncate(time.Minute).Add(time.Minute).Equal(to) &&
						[7]int64{m.Deferred, m.Bounced, m.Rejected, m.Logins, m.DeliveredLate, m.Recipients, m.Domains} ==
							[7]int64{want.Deferred, want.Bounced, want.Rejected, want.Auth, want.DeliveredLate, want.Recipients, want.Domains}
				}
				if !found {
					t.Errorf("not found: %+v", want)
				}
			}
		})
	}
}
