package harness

import (
	"cmp"
	"context"
	"sync"
	"testing"

	"secondaryd/internal/primary"
)

// StartPrimary runs a primary in this process, on a free port unless o says
// where, until the test ends or it is stopped, which may be done again.
func StartPrimary(t testing.TB, o primary.Options) (server *primary.Server, stop func()) {
	t.Helper()
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	server, err := primary.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := server.Run(ctx); err != nil {
			t.Errorf("primary: %v", err)
		}
	})
	stop = func() {
		cancel()
		running.Wait()
	}
	t.Cleanup(stop)
	return server, stop
}
