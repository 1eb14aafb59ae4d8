package zonestore

import (
	"encoding/hex"
	"os"
	"testing"
	"time"
)

func wantHold(t *testing.T, s *Store, served *Served, serial uint32, since time.Time) {
	t.Helper()
	h, ok := s.Held(served)
	if ok != (serial != 0) || h.Serial != serial || !h.Since.Equal(since) {
		t.Errorf("held %d since %s (%v), want %d since %s", h.Serial, h.Since, ok, serial, since)
	}
}

// TestHold: what is held is on disk at once, since when it was held first, until it is
// held no longer.
func TestHold(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Microsecond).UTC()
	for name, c := range map[string]struct {
		then   func(t *testing.T, s *Store, served *Served)
		serial uint32
		since  time.Time
	}{
		"killed":        {func(*testing.T, *Store, *Served) {}, 6, at},
		"confirmed":     {func(_ *testing.T, s *Store, z *Served) { s.Confirm(z, confirmed(at.Add(time.Minute))) }, 6, at},
		"held again":    {func(_ *testing.T, s *Store, z *Served) { s.Hold(z, 6, at.Add(time.Minute)) }, 6, at},
		"another":       {func(_ *testing.T, s *Store, z *Served) { s.Hold(z, 7, at.Add(time.Minute)) }, 7, at.Add(time.Minute)},
		"not that":      {func(_ *testing.T, s *Store, z *Served) { s.Unhold(z, 5) }, 6, at},
		"discarded":     {func(_ *testing.T, s *Store, z *Served) { s.Unhold(z, 6) }, 0, time.Time{}},
		"clock adjusts": {func(_ *testing.T, s *Store, z *Served) { s.rebase(z, at.Add(time.Minute)) }, 6, at},
		"published": {func(t *testing.T, s *Store, z *Served) {
			if err := s.Publish(z, version(t, s, 6), confirmed(at)); err != nil {
				t.Error(err)
			}
		}, 0, time.Time{}},
		"gone back": {func(t *testing.T, s *Store, z *Served) {
			if err := s.Rollback(z, version(t, s, 4), confirmed(at)); err != nil {
				t.Error(err)
			}
		}, 6, at},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, dir := filled(t, at), t.TempDir()
			s, served, _ := restore(t, from, at)
			if since := s.Hold(served, 6, at); !since.Equal(at) {
				t.Errorf("held since %s, want %s", since, at)
			}
			c.then(t, s, served)
			wantHold(t, s, served, c.serial, c.since)
			if name != "killed" {
				s.flush()
			}
			if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
				t.Fatal(err)
			}
			closeStore(t, s)
			s, served, _ = restore(t, dir, at.Add(time.Hour/2))
			defer closeStore(t, s)
			wantHold(t, s, served, c.serial, c.since)
			if v := served.View(); v.State != StateServing || v.Confirmed.Before(at) {
				t.Errorf("%s, confirmed %s", v.State, v.Confirmed)
			}
		})
	}
}

// TestHoldAtStart: what was held before the zone was created is of another zone, and
// nothing is held since a time to come.
func TestHoldAtStart(t *testing.T) {
	t.Parallel()
	at := time.Now().Truncate(time.Microsecond).UTC()
	for name, c := range map[string]struct {
		since, want time.Time
		serial      uint32
	}{
		"of another zone": {since: at.Add(-25 * time.Hour)},
		"to come":         {at.Add(time.Hour), at, 6},
		"long ago":        {at.Add(-23 * time.Hour), at.Add(-23 * time.Hour), 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, _ := openStore(t, dir)
			s.Hold(s.Configure(zoneID, apex), 6, c.since) // of a zone that has no copy
			closeStore(t, s)
			s, served, _ := restore(t, dir, at)
			defer closeStore(t, s)
			wantHold(t, s, served, c.serial, c.want)
			s.Remove(zoneID)
			wantHold(t, s, served, 0, time.Time{})
		})
	}
}

// TestEntries: what is on disk is what the manual says, and nothing else is read.
func TestEntries(t *testing.T) {
	t.Parallel()
	at := func(n int64) time.Time { return time.UnixMicro(n).UTC() }
	timers, hold := Timers{Checked: at(1), Confirmed: at(2), Expires: at(3)}, Hold{Serial: 5, Since: at(4)}
	for _, tc := range []struct {
		want   string
		octets []byte
		read   func(b []byte) (same, ok bool)
	}{
		{"01" + "0100000000000000" + "0200000000000000" + "0300000000000000", timers.encode(), func(b []byte) (same, ok bool) {
			s, ok := decodeStamps(b)
			return s.timers() == timers, ok
		}},
		{"01" + "0400000000000000" + "05000000", hold.encode(), func(b []byte) (same, ok bool) {
			h, ok := decodeHold(b)
			return ok && *h == hold, ok
		}},
	} {
		b := tc.octets
		if got := hex.EncodeToString(b[:len(b)-4]); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
		if same, ok := tc.read(b); !same || !ok {
			t.Errorf("%s is read as something else", tc.want)
		}
		for i := range b {
			spoiled := append([]byte{}, b...)
			spoiled[i] ^= 1
			if _, ok := tc.read(spoiled); ok {
				t.Errorf("octet %d of %s is wrong, and it is read", i, tc.want)
			}
			if _, ok := tc.read(b[:i]); ok {
				t.Errorf("%d octets of %s are read", i, tc.want)
			}
		}
	}
}
