package ratelimit

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		options Options
		want    []string
	}{
		{Options{}, nil},
		{Options{Rate: MaxRate, Slip: MaxSlip, Window: MaxWindow, IPv4Prefix: 32, IPv6Prefix: 128, Size: 1}, nil},
		{Options{Rate: Unlimited, NXDomainRate: 5, IPv4Prefix: 1, IPv6Prefix: 1}, nil},
		{Options{Rate: -2}, []string{
			"rate limit: rate is -2, must be -1 to 1000000",
			"rate limit: NODATA rate is -2, must be -1 to 1000000",
			"rate limit: referral rate is -2, must be -1 to 1000000",
			"rate limit: NXDOMAIN rate is -2, must be -1 to 1000000",
			"rate limit: error rate is -2, must be -1 to 1000000",
		}},
		{Options{ErrorRate: MaxRate + 1, Slip: -1}, []string{
			"rate limit: error rate is 1000001, must be -1 to 1000000",
			"rate limit: slip is -1, must be 0 to 100",
		}},
		{Options{Slip: MaxSlip + 1, IPv4Prefix: 33, IPv6Prefix: 129}, []string{
			"rate limit: slip is 101, must be 0 to 100",
			"rate limit: IPv4 prefix length is 33, must be 1 to 32",
			"rate limit: IPv6 prefix length is 129, must be 1 to 128",
		}},
		{Options{Size: MaxSize + 1, Window: MaxWindow + 1}, []string{
			"rate limit: size is 16777217, must be 1 to 16777216",
			"rate limit: window is 1h0m0.000000001s, must be 0s to 1h0m0s",
		}},
		{Options{Size: -1, Window: -time.Second, Exempt: make([]netip.Prefix, 1)}, []string{
			"rate limit: size is -1, must be 1 to 16777216",
			"rate limit: window is -1s, must be 0s to 1h0m0s",
			"rate limit: exempt prefix 1 of 1 is not valid",
		}},
	} {
		var got []string
		if _, err := New(tc.options); err != nil {
			got = strings.Split(err.Error(), "\n")
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tc.options, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		options Options
		want    bool
	}{
		{Options{}, false},
		{Options{Slip: 2, Window: time.Second, Size: 5}, false},
		{Options{Rate: Unlimited, NXDomainRate: Unlimited}, false},
		{Options{Rate: 1}, true},
		{Options{NXDomainRate: 1}, true},
		{Options{Rate: Unlimited, ErrorRate: 1}, true},
	} {
		if got := tc.options.Limits(); got != tc.want {
			t.Errorf("%+v: got %v, want %v", tc.options, got, tc.want)
		}
	}
}

func TestClassNames(t *testing.T) {
	t.Parallel()
	seen := map[string]Class{}
	for class := range classes {
		name := class.String()
		if other, twice := seen[name]; name == "" || twice {
			t.Errorf("class %d is called %q, as is %d", class, name, other)
		}
		seen[name] = class
	}
}
