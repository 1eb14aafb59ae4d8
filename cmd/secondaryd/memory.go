package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"

	"go.uber.org/zap"

	"secondaryd/internal/hugepage"
	"secondaryd/zonestore/registry"
)

// A keeper gives memory back to the system when the daemon has become quiet
// after work that needed much of it: first transfers, new versions of large
// zones. The collector alone would keep as much again as is in use for minutes,
// since hardly anything is allocated while queries are answered.
type keeper struct {
	next  uint64    // octets held from which on giving back is worth while
	spent uint64    // octets allocated so far
	after time.Time // not before
}

const (
	keepEvery = time.Second
	// busy is how many octets a second the daemon allocates while it works.
	busy = 16 << 20
	// spare is what the heap may hold beyond what it held after the last time,
	// besides a sixteenth of that.
	spare = 1 << 20
	// Giving back may take that part of a processor.
	keepShare = 50
)

// heap is how the heap stands.
type heap struct {
	held      uint64 // octets not given back
	allocated uint64 // octets, ever
}

// due reports whether now is a moment to give memory back.
func (k *keeper) due(h heap, now time.Time) bool {
	quiet := h.allocated-k.spent < busy
	k.spent = h.allocated
	k.next = min(k.next, ceiling(h))
	return quiet && h.held > k.next && now.After(k.after)
}

func ceiling(h heap) uint64 { return h.held + h.held/16 + spare }

// done notes that memory was given back, which took so much CPU.
func (k *keeper) done(h heap, now time.Time, took time.Duration) {
	k.next = ceiling(h)
	k.spent = h.allocated
	k.after = now.Add(keepShare * took)
}

// usedCPU is what the process has had of the processors so far. How long something
// took says more of what the machine is busy with otherwise.
func usedCPU() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// keepMemory gives memory back whenever it is due, and has files release theirs,
// until ctx ends.
func keepMemory(ctx context.Context, log *zap.Logger, files ...interface{ Release() error }) {
	var k keeper
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if k.due(readHeap(), now) {
				used := usedCPU()
				runtime.GC() // pools give up what they hold in two collections
				debug.FreeOSMemory()
				for _, f := range files {
					if err := f.Release(); err != nil {
						log.Warn("can't release the memory of a file", zap.Error(err))
					}
				}
				k.done(readHeap(), now, usedCPU()-used)
			}
		}
	}
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(samples)
	return heap{
		held:      samples[0].Value.Uint64() + samples[1].Value.Uint64() + samples[2].Value.Uint64(),
		allocated: samples[3].Value.Uint64(),
	}
}

// beginLoading makes ready for the work of a start, which allocates much and frees
// little: memory is there, and collections are fewer than are right otherwise, until
// loaded is called.
func beginLoading(dir string) (loaded func()) {
	percent := debug.SetGCPercent(loadingPercent)
	filled := hugepage.Reserve(loadingHeap(dir))
	return func() {
		filled()
		debug.SetGCPercent(percent)
	}
}

const (
	loadingPercent = 400
	// loadingShare is how many octets of the heap small zones take, with all that
	// is read to make them, for each of the configuration. Large zones see to
	// theirs.
	loadingShare   = 12
	maxLoadingHeap = 1 << 30
)

// loadingHeap is about how much the start will need besides large zones. What it
// does not need costs nothing.
func loadingHeap(dir string) int {
	return int(min(registry.Octets(dir)*loadingShare, maxLoadingHeap))
}
