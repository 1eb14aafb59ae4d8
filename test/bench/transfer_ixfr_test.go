package bench

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

// restTime is how long a server that serves a change is given for what it does
// about it afterwards. It counts as CPU of the change.
const restTime = 200 * time.Millisecond

// measureOne measures changes of one record of the large zone.
func measureOne(t *testing.T, r results, chosen []product) {
	t.Helper()
	from := startChanging(t)
	added := 0
	each(t, chosen, from, func(s *secondary) {
		s.fetchFirst(t, false)
		settle()
		s.measureChanges(t, r, oneWall, oneCPU, *changes, func() {
			added++
			from.change(t, []string{fmt.Sprintf("one-%d", added), "86400", "NS", "ns1.hoster1.example."})
		})
	})
}

// bulkChanges is how many large changes there are in each round.
const bulkChanges = 3

// measureBulk measures changes of many records at once.
func measureBulk(t *testing.T, r results, chosen []product) {
	t.Helper()
	from := startChanging(t)
	change := func() {
		from.serial++
		from.reload(t, func(f *os.File) error { return writeChanging(f, from.serial) })
	}
	each(t, chosen, from, func(s *secondary) {
		s.fetchFirst(t, false)
		settle()
		s.measureChanges(t, r, bulkWall, bulkCPU, bulkChanges, change)
	})
}

// startChanging starts a primary of the large zone that transfers what changes.
func startChanging(t *testing.T) *primary {
	t.Helper()
	say("large zone: %d delegations", *delegations)
	return startIncremental(t, []string{largeName}, func(f *os.File) error { return writeChanging(f, serial) })
}

// writeChanging writes the large zone and, all over it, half as many delegations
// as a large change has records: other ones for each serial, so that a change
// deletes and adds them.
func writeChanging(f *os.File, serial uint32) error {
	if _, err := writeLarge(f, *delegations, serial); err != nil {
		return err
	}
	w, random := bufio.NewWriter(f), rand.New(rand.NewPCG(5, uint64(serial)))
	for i := range *bulkRecords / 2 {
		fmt.Fprintf(w, "%s-%d NS ns1.hoster1.example.\n", label(random, i), serial) // Flush reports what went wrong
	}
	return w.Flush()
}

// measureChanges measures n changes, and fails unless all of them came as
// differences.
func (s *secondary) measureChanges(t *testing.T, r results, wall, cpu *metric, n int, change func()) {
	t.Helper()
	before := s.primary.logged(t, outgoingIncremental)
	var spent time.Duration
	for range n {
		change()
		spent -= s.group().cpu()
		took := s.fetchAt(t, fineStep, false, func() { s.notify(t) })
		time.Sleep(restTime)
		spent += s.group().cpu()
		r.add(wall, s.name, milliseconds(took.wall))
	}
	r.add(cpu, s.name, milliseconds(spent)/float64(n))
	if got := s.primary.logged(t, outgoingIncremental) - before; got != n {
		t.Errorf("%s: %d of %d changes were incremental transfers", s.name, got, n)
	}
}
