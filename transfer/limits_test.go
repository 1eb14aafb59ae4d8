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
		{zone.SOA{Retry: 1<<32 - 1, Expire: 1<<32 - 1}, 365 * 24 * time.Hour, 24 * time.Hour},
		{zone.SOA{Retry: 86401, Expire: 365*86400 + 1}, 365 * 24 * time.Hour, 24 * time.Hour},
		{zone.SOA{Retry: 86399, Expire: 365*86400 - 1}, 365*24*time.Hour - time.Second, 24*time.Hour - time.Second},
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

// RFC 7314 section 4: a peer's EXPIRE option shortens what the SOA says, within the
// limits.
func TestGranted(t *testing.T) {
	t.Parallel()
	l := defaultLimits()
	l.MinExpire, l.MaxExpire = time.Minute, time.Hour
	for _, c := range []struct {
		soa  uint32
		told expiry
		want time.Duration
	}{
		{1800, expiry{}, 30 * time.Minute},
		{7200, expiry{}, time.Hour},
		{1800, expiry{600, true}, 10 * time.Minute},
		{1800, expiry{1, true}, time.Minute},
		{7200, expiry{1<<32 - 1, true}, time.Hour},
		{1, expiry{1<<32 - 1, true}, time.Minute},
	} {
		if got := l.granted(zone.SOA{Expire: c.soa}, c.told); got != c.want {
			t.Errorf("SOA EXPIRE %d and option %+v: got %s, want %s", c.soa, c.told, got, c.want)
		}
	}
}
