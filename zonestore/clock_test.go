package zonestore

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var c clock
	for _, step := range []struct {
		wall, running, want time.Duration
	}{
		{0, 0, 0},
		{2 * time.Second, 2 * time.Second, 0},
		{4*time.Second + 500*time.Millisecond, 4 * time.Second, 0}, // adjusted
		{24 * time.Hour, 6 * time.Second, 24*time.Hour - 4*time.Second - 500*time.Millisecond - 2*time.Second},
		{24*time.Hour + 2*time.Second, 8 * time.Second, 0},
		{10 * time.Second, 10 * time.Second, -24*time.Hour + 8*time.Second - 2*time.Second},
		{12 * time.Second, 12 * time.Second, 0},
	} {
		if got := c.observe(start.Add(step.wall), step.running); got != step.want {
			t.Errorf("at %s, which is %s after the start: jump of %s, want %s", step.wall, step.running, got, step.want)
		}
	}
}

// What was on disk is of the wall clock; what runs has the monotonic clock too,
// which Round strips.
func TestRunningTimers(t *testing.T) {
	t.Parallel()
	now := time.Now()
	disk := confirmed(now.Add(-10 * time.Minute).Round(0))
	got, behind := disk.running(now)
	if behind || !got.Confirmed.Equal(disk.Confirmed) || !got.Expires.Equal(disk.Expires) || !got.Checked.Equal(disk.Checked) {
		t.Errorf("got %+v, behind %v; want %+v", got, behind, disk)
	}
	for name, at := range map[string]time.Time{"confirmed": got.Confirmed, "expires": got.Expires, "checked": got.Checked} {
		if at == at.Round(0) { //nolint:staticcheck // to see whether it has a monotonic reading
			t.Errorf("%s is moved by a jump of the clock", name)
		}
	}
	// A clock that went back over the restart neither expires a zone nor keeps it
	// for longer than its SOA says.
	ahead := confirmed(now.Add(365 * 24 * time.Hour).Round(0))
	got, behind = ahead.running(now)
	if want := now.Add(time.Hour); !behind || !got.Confirmed.Equal(now) || !got.Expires.Equal(want) {
		t.Errorf("got %+v, behind %v; want it confirmed now", got, behind)
	}
	// What passed until a check that confirmed nothing has passed all the same.
	ahead.Checked = ahead.Checked.Add(20 * time.Minute)
	got, behind = ahead.running(now)
	if want := now.Add(40 * time.Minute); !behind || !got.Checked.Equal(now) || !got.Unconfirmed() || !got.Expires.Equal(want) {
		t.Errorf("got %+v, behind %v; want it checked now, in vain", got, behind)
	}
	if got, _ := (Timers{}).running(now); !got.Confirmed.IsZero() || !got.Expires.IsZero() {
		t.Errorf("never has become %+v", got)
	}
}

// TestClockJumps: the clock may go where it likes, the copy lives as long as it
// would have, and what is on disk says the same in the new time.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	s, logs := openStore(t, t.TempDir())
	defer closeStore(t, s)
	served := s.Configure(zoneID, version(t, s, 1).Apex())
	now := time.Now()
	// As if written when the clock was a day behind: half an hour is left.
	before := confirmed(now.Add(-30 * time.Minute))
	if err := s.Publish(served, version(t, s, 1), before); err != nil {
		t.Fatal(err)
	}
	c := clock{wall: now.Add(-24 * time.Hour).Round(0)}
	s.watchClock(&c, now, now)
	if n := logs.FilterMessage("the clock has jumped: zones expire when they would have without it").Len(); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
	if got := served.View().Expires; !got.Equal(before.Expires) || served.Timers().Life() != time.Hour {
		t.Errorf("expires at %s, want %s", got, before.Expires)
	}
	s.watchClock(&c, now, now.Add(time.Second))
	if n := logs.FilterMessageSnippet("the clock has jumped").Len(); n != 1 {
		t.Errorf("%d lines of one jump", n)
	}
}
