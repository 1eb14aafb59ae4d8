package main

import (
	"context"
	"time"
)

// mendEvery is how often the copies of the configuration are looked after.
const mendEvery = 10 * time.Second

// keepMended has a copy of the configuration made anew that was lost, to a disk that
// refused or to whoever removed it, as soon as that can be done, until ctx ends.
func keepMended(ctx context.Context, config interface{ Mend() }) {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			config.Mend()
		}
	}
}
