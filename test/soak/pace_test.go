package soak

import (
	"context"
	"time"
)

// scale is how much is done at once and how long everybody rests in between.
type scale struct {
	zones        int
	largeRecords int
	clients      int // of UDP, and of TCP
	hoarded      int // useless TCP connections
	changePause  time.Duration
	notifyPause  time.Duration
	queryPause   time.Duration
	apiPause     time.Duration
}

// full keeps a machine busy.
var full = scale{
	zones: 50, largeRecords: 20_000, clients: 4, hoarded: 80,
	changePause: 5 * time.Millisecond, notifyPause: 20 * time.Millisecond,
	queryPause: 40 * time.Millisecond, apiPause: 5 * time.Millisecond,
}

// modest leaves room for the tests that run beside it.
var modest = scale{
	zones: 20, largeRecords: 5_000, clients: 2, hoarded: 70,
	changePause: 20 * time.Millisecond, notifyPause: 100 * time.Millisecond,
	queryPause: 100 * time.Millisecond, apiPause: 50 * time.Millisecond,
}

// rest waits and reports whether ctx goes on.
func rest(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
