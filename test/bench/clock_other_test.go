//go:build !linux

package bench

import "time"

// processCPU needs Linux, as all measuring does.
func processCPU(int) time.Duration { return 0 }

func pause(d time.Duration) { time.Sleep(d) }
