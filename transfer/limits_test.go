package transfer

import (
	"testing"
	"time"

	"secondaryd/zonestore/zone"
)

func TestSOATimers(t *testing.T) {
	t.Parallel()
	l := defaultLimits()
	for _, c := range []struct {
		soa             zone.SOA
		lifetime, retry time.Duration
	}{
		{zone.SOA{Retry: 600, Expire: 86400}, 24 * time.Hour, 10 * time.Minute},
		{zone.SOA{Retry: 1, Expire: 1}, time.Second, time.Second},
		{zone.SOA{}, l.DefaultExpire, l.DefaultRetry},
		{zone.SOA{Retry: 1<<32 - 1, Expire: 1<<32 - 1}, (1<<32 - 1) * time.Second, (1<<32 - 1) * time.Second},
	} {
		if got := l.Lifetime(c.soa); got != c.lifetime {
			t.Errorf("lifetime of %+v: got %s, want %s", c.soa, got, c.lifetime)
		}
		if got := l.retry(c.soa); got != c.retry {
			t.Errorf("retry of %+v: got %s, want %s", c.soa, got, c.retry)
		}
	}
	l.MinRetry, l.MinExpire = time.Minute, time.Hour
	if got := l.Lifetime(zone.SOA{Expire: 1}); got != time.Hour {
		t.Errorf("lifetime: got %s, want the least that is honoured", got)
	}
	if got := l.retry(zone.SOA{Retry: 1}); got != time.Minute {
		t.Errorf("retry: got %s, want the least that is honoured", got)
	}
}
