package transfer

import (
	"math/rand/v2"
	"testing"
	"time"
)

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

func TestAfterSuccess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name               string
		interval, lifetime time.Duration
		most               time.Duration
	}{
		{"the zone's interval", 300 * time.Second, 7 * 24 * time.Hour, 300 * time.Second},
		{"half of what the copy lives", 24 * time.Hour, time.Hour, 30 * time.Minute},
		{"the shortest life", 300 * time.Second, time.Second, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantSpread(t, c.most, func(r *rand.Rand) time.Duration { return afterSuccess(c.interval, c.lifetime, r) })
		})
	}
}

func TestAfterFailure(t *testing.T) {
	t.Parallel()
	const never = time.Duration(-1)
	for _, c := range []struct {
		name                         string
		failures                     int
		retry, interval, limit, left time.Duration
		most                         time.Duration
	}{
		{"first", 1, time.Minute, time.Hour, time.Hour, never, time.Minute},
		{"second doubles", 2, time.Minute, time.Hour, time.Hour, never, 2 * time.Minute},
		{"fifth", 5, time.Minute, time.Hour, time.Hour, never, 16 * time.Minute},
		{"the limit", 12, time.Minute, 24 * time.Hour, time.Hour, never, time.Hour},
		{"a million in a row", 1_000_000, time.Second, 24 * time.Hour, time.Hour, never, time.Hour},
		{"the zone's interval, if less", 12, time.Minute, 5 * time.Minute, time.Hour, never, 5 * time.Minute},
		{"never below retry", 1, 2 * time.Hour, 5 * time.Minute, time.Hour, never, 2 * time.Hour},
		{"half of what the copy has to live", 6, time.Minute, time.Hour, time.Hour, 20 * time.Minute, 10 * time.Minute},
		{"not more often than retry", 6, time.Minute, time.Hour, time.Hour, 90 * time.Second, time.Minute},
		{"to the end of the copy's life", 6, time.Minute, time.Hour, time.Hour, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wantSpread(t, c.most, func(r *rand.Rand) time.Duration {
				return afterFailure(c.failures, c.retry, c.interval, c.limit, c.left, r)
			})
		})
	}
}

// wantSpread checks that waits are spread over the last tenth before most.
func wantSpread(t *testing.T, most time.Duration, wait func(*rand.Rand) time.Duration) {
	t.Helper()
	r := seeded()
	least := most - most/10
	low, high := most, time.Duration(0)
	for range 1000 {
		got := wait(r)
		if got < least || got > most {
			t.Fatalf("got %s, want %s to %s", got, least, most)
		}
		low, high = min(low, got), max(high, got)
	}
	if low > most-most/12 || high < most-most/60 {
		t.Errorf("waits from %s to %s, want them spread over %s to %s", low, high, least, most)
	}
}
