package main

import (
	"context"
	"time"
)

// mendEvery is how often the copies of the configuration are looked after.
const mendEvery = 10 * time.Second

// keepMended has a copy of the configuration made anew that was lost to a disk
// that refused, as soon as it does not, until ctx ends.
func keepMended(ctx context.Context, config interface {
	Degraded() error
	Mend()
},
) {
	tick := time.NewTicker(mendEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if config.Degraded() != nil {
				config.Mend()
			}
		}
	}
}
