package main

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// looked counts how often it is looked after.
type looked struct{ times atomic.Int64 }

func (l *looked) Mend() { l.times.Add(1) }

func TestKeepMended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		l, ended := new(looked), make(chan struct{})
		go func() {
			defer close(ended)
			keepMended(ctx, l)
		}()
		time.Sleep(3*mendEvery - time.Second)
		synctest.Wait()
		if times := l.times.Load(); times != 2 {
			t.Errorf("looked after %d times in two intervals", times)
		}
		stop()
		<-ended
	})
}
