package main

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"secondaryd/configs"
	"secondaryd/transfer"
)

// TestLimitsOf gives each setting a value of its own, to find it where it counts.
func TestLimitsOf(t *testing.T) {
	t.Parallel()
	settings := configs.Transfer{
		ConnectTimeout:             1 * time.Second,
		FirstMessageTimeout:        2 * time.Second,
		MessageTimeout:             3 * time.Second,
		TotalTimeout:               4 * time.Second,
		MinRate:                    5,
		MaxBytes:                   6,
		MaxBytesRunning:            7,
		MaxMessages:                8,
		MaxRecords:                 9,
		MaxRRsetRecords:            10,
		MaxTypesPerName:            11,
		MaxRunning:                 12,
		MaxRunningPerPeer:          13,
		SOAQueriesPerSecondPerPeer: 14,
		AskAllPeers:                true,
		IXFRByUDP:                  true,
		RequireAA:                  true,
		SourceIPv4:                 "192.0.2.15",
		SourceIPv6:                 "2001:db8::16",
		MaxShrinkPercent:           17,
		MaxShrinkFrom:              18,
		OnFaults:                   configs.ReactionIgnore,
		OnBadZONEMD:                configs.ReactionWarn,
		OnBadDNSSEC:                configs.ReactionHold,
		MinRetry:                   19 * time.Second,
		MaxRetry:                   20 * time.Second,
		MinExpire:                  21 * time.Second,
		MaxExpire:                  22 * time.Second,
		MaxBackoff:                 23 * time.Second,
		DefaultRetry:               24 * time.Second,
		DefaultExpire:              25 * time.Second,
		ForbidPrivatePeers:         true,
	}
	wantAllSet(t, settings, "TrustAnchors") // they are parsed apart
	want := transfer.Limits{
		Connect:        1 * time.Second,
		FirstMessage:   2 * time.Second,
		Message:        3 * time.Second,
		Total:          4 * time.Second,
		MinRate:        5,
		Bytes:          6,
		BytesRunning:   7,
		Messages:       8,
		Records:        9,
		RRsetRecords:   10,
		TypesPerName:   11,
		Running:        12,
		RunningPerPeer: 13,
		PollsPerSecond: 14,
		AskAll:         true,
		IXFRByUDP:      true,
		RequireAA:      true,
		Source4:        netip.MustParseAddr("192.0.2.15"),
		Source6:        netip.MustParseAddr("2001:db8::16"),
		Guard:          transfer.Guard{ShrinkPercent: 17, ShrinkFrom: 18, Faults: transfer.Ignore, ZONEMD: transfer.Warn, DNSSEC: transfer.Hold},
		MinRetry:       19 * time.Second,
		MaxRetry:       20 * time.Second,
		MinExpire:      21 * time.Second,
		MaxExpire:      22 * time.Second,
		MaxBackoff:     23 * time.Second,
		DefaultRetry:   24 * time.Second,
		DefaultExpire:  25 * time.Second,
		ForbidPrivate:  true,
	}
	wantAllSet(t, want)
	wantLimits(t, settings, want)
}

// TestSwitchesOf turns each switch on alone, since true is no value of its own, and
// what stood at its zero above.
func TestSwitchesOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings configs.Transfer
		want     transfer.Limits
	}{
		{configs.Transfer{}, transfer.Limits{}},
		{configs.Transfer{AskAllPeers: true}, transfer.Limits{AskAll: true}},
		{configs.Transfer{IXFRByUDP: true}, transfer.Limits{IXFRByUDP: true}},
		{configs.Transfer{RequireAA: true}, transfer.Limits{RequireAA: true}},
		{configs.Transfer{ForbidPrivatePeers: true}, transfer.Limits{ForbidPrivate: true}},
		{configs.Transfer{OnFaults: configs.ReactionHold}, transfer.Limits{Guard: transfer.Guard{Faults: transfer.Hold}}},
	} {
		wantLimits(t, c.settings, c.want)
	}
}

func wantLimits(t *testing.T, settings configs.Transfer, want transfer.Limits) {
	t.Helper()
	if diff := cmp.Diff(want, limitsOf(settings), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
		t.Errorf("limits of %+v, -want +got:\n%s", settings, diff)
	}
}

// wantAllSet finds fields that the test has left out, but for those excepted.
func wantAllSet(t *testing.T, of any, except ...string) {
	t.Helper()
	for field, value := range reflect.ValueOf(of).Fields() {
		if value.IsZero() && !slices.Contains(except, field.Name) {
			t.Errorf("%T has no value for %s", of, field.Name)
		}
	}
}
