package bench

import (
	"os"
	"testing"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

const largeName = "tld."

// startLarge starts a primary of the large zone.
func startLarge(t *testing.T) (from *primary, records int) {
	t.Helper()
	from = startPrimary(t, []string{largeName}, func(f *os.File) (err error) {
		records, err = writeLarge(f, *delegations, serial)
		return err
	})
	say("large zone: %d delegations, %d records", *delegations, records)
	return from, records
}

// measureWhole measures the first transfer of the large zone and one that
// replaces it.
func measureWhole(t *testing.T, r results, s *secondary) {
	t.Helper()
	first := s.fetchFirst(t, false)
	r.add(firstWall, s.name, first.wall.Seconds())
	r.add(firstCPU, s.name, first.cpu.Seconds())
	settle()
	next := s.fetchNext(t, false)
	r.add(nextWall, s.name, next.wall.Seconds())
	r.add(nextCPU, s.name, next.cpu.Seconds())
}

// measureLarge measures one zone of many records. Memory is watched in transfers
// whose time doesn't count, since watching takes some.
func measureLarge(t *testing.T, r results, chosen []product) {
	t.Helper()
	from, records := startLarge(t)
	each(t, chosen, from, func(s *secondary) {
		perRecord := func() float64 { return float64(s.group().memory()) / float64(records) }

		measureWhole(t, r, s)
		settle()
		s.program.Stop()

		s.empty(t)
		r.add(firstPeak, s.name, float64(s.fetchFirst(t, true).peak)/mib)
		r.add(firstHighest, s.name, float64(s.group().highest())/mib)
		settle()
		r.add(largeMemory, s.name, perRecord())
		r.add(nextPeak, s.name, float64(s.fetchNext(t, true).peak)/mib)
		settle()
		r.add(nextMemory, s.name, perRecord())

		measureRestart(t, r, largeRestart, s)
		settle()
		r.add(restartMemory, s.name, perRecord())
	})
}

// startSmall starts a primary of the small zones.
func startSmall(t *testing.T) *primary {
	t.Helper()
	from := startPrimary(t, smallNames(*smallZones), func(f *os.File) error {
		_, err := f.WriteString(small)
		return err
	})
	say("small zones: %d of %d records", *smallZones, smallRecords)
	return from
}

// measureSmall measures many zones of few records.
func measureSmall(t *testing.T, r results, chosen []product) {
	t.Helper()
	from := startSmall(t)
	each(t, chosen, from, func(s *secondary) {
		perZone := func() float64 { return float64(s.group().memory()) / kib / float64(*smallZones) }

		r.add(smallCold, s.name, s.fetchFirst(t, false).wall.Seconds())
		settle()
		r.add(smallMemory, s.name, perZone())
		measureRestart(t, r, smallRestart, s)
		settle()
		r.add(smallAfter, s.name, perZone())
	})
}

func measureRestart(t *testing.T, r results, m *metric, s *secondary) {
	t.Helper()
	if took, fromDisk := s.restart(t); fromDisk {
		r.add(m, s.name, took.Seconds())
	}
}
