package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// broken is whole after it was mended a few times.
type broken struct{ tries atomic.Int64 }

func (b *broken) Degraded() error {
	if b.tries.Load() > 0 {
		return errors.New("no space left on device")
	}
	return nil
}

func (b *broken) Mend() { b.tries.Add(-1) }

func TestKeepMended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		b, ended := new(broken), make(chan struct{})
		b.tries.Store(3)
		go func() {
			defer close(ended)
			keepMended(ctx, b)
		}()
		time.Sleep(3*mendEvery - time.Second)
		synctest.Wait()
		if left := b.tries.Load(); left != 1 {
			t.Errorf("%d tries are left after two intervals", left)
		}
		time.Sleep(10 * mendEvery)
		synctest.Wait()
		if left := b.tries.Load(); left != 0 {
			t.Errorf("mended what is whole: %d", left)
		}
		stop()
		<-ended
	})
}
