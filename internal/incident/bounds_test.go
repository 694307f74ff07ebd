package incident

import (
	"github.com/mailwhy/mailwhy/parsers/smtp"
	"math/rand/v2"
	"testing"

	"github.com/mailwhy/mailwhy/internal/knowledge"
)

// However many failures there are, no more than so many are kept line by line, and each one that
// is given up is counted; all count for their minute.
func TestRecordsAreBounded(t *testing.T) {
	f := New(base())
	var many, few *series
	for i := range 3 * maxRecords {
		if many = f.table.of(kind{wording: 1}); i%1000 == 0 {
			few = f.table.of(kind{wording: 2})
			few.note.Severity = knowledge.Error
			f.table.count(few, record{at: int64(i), count: 1, pair: none})
		}
		f.table.count(many, record{at: int64(i), count: 1, pair: none})
	}
	if f.table.records > maxRecords || f.table.details == 0 {
		t.Errorf("%d records, %d given up", f.table.records, f.table.details)
	}
	if many.gone+int64(len(many.records)) != many.total || many.total != 3*maxRecords {
		t.Errorf("%d gone and %d kept of %d", many.gone, len(many.records), many.total)
	}
	if few.gone != 0 {
		t.Error("the few were given up for the many")
	}
	f.divide()
	total := int64(0)
	for _, s := range f.all {
		total += s.total
	}
	if total != many.total+few.total {
		t.Errorf("%d lines after they were divided, want %d", total, many.total+few.total)
	}
}

// Wider buckets lose nothing but when it was.
func TestTrackKeepsCounts(t *testing.T) {
	var track hitTrack
	cells, total := 0, hits(0)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		n := hits(rng.IntN(5))
		*track.at(minute(rng.IntN(3000)), &cells) += n
		total += n
	}
	for range 6 {
		cells -= track.widen()
		sum, last := hits(0), minute(-1)
		track.within(0, endless, func(m minute, n *hits) {
			if m <= last || m%(1<<track.shift) != 0 {
				t.Fatalf("bucket %d after %d", m, last)
			}
			last = m
			sum += *n
		})
		if sum != total || cells != len(track.cells) {
			t.Fatalf("%d in %d cells, want %d in %d", sum, len(track.cells), total, cells)
		}
	}
}

func TestNamesAreBounded(t *testing.T) {
	n := newNames()
	var b [8]byte
	for i := range maxNames + 10 {
		for j := range b {
			b[j] = 'a' + byte(i>>(3*j)&7)
		}
		id := n.of(b[:])
		if id != noName && n.text(id) != string(b[:]) || id == noName && i < maxNames-1 {
			t.Fatal(i, id)
		}
	}
	if n.dropped != 11 || n.of([]byte("aaaaaaaa")) != 1 || n.known([]byte("not there")) != noName {
		t.Errorf("%d dropped", n.dropped)
	}
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	for i := range uint64(3 * maxMail) {
		m := q.find((i+1)*0x9e3779b97f4a7c15, int64(i)) // spread as hashes are
		if q.wait(m, name(1), 0, int64(i)) == none && q.dropped == 0 {
			t.Fatal("a delivery was dropped without a word")
		}
	}
	if len(q.mails) > maxMail || q.evicted != 2*maxMail {
		t.Errorf("%d messages, %d evicted", len(q.mails), q.evicted)
	}
}

// The recipients of one message are found without looking at the others: with a look at each
// of them, this would take hours.
func TestManyRecipientsOfOneMessage(t *testing.T) {
	q := newQueue()
	m := q.find(7, 0)
	for try := range int64(2) {
		for i := range maxPairs {
			q.wait(m, name(i+1), 0, try)
		}
	}
	if len(q.pairs) != maxPairs || q.dropped != 0 || q.pairs[maxPairs-1].tries != 2 {
		t.Fatalf("%d deliveries, %d dropped", len(q.pairs), q.dropped)
	}
	for i := range maxPairs {
		if q.end(m, name(i+1), smtp.Sent, 9) == none || q.end(m, name(i+1), smtp.Sent, 9) != none {
			t.Fatalf("recipient %d does not end once", i)
		}
	}
	q.remove(7)
	if again := q.find(7, 10); q.end(again, name(1), smtp.Sent, 11) != none || q.wait(again, name(1), 0, 11) != none {
		t.Error("a queue ID that is used again has the deliveries of the message before")
	}
}
