package interop

import (
	"net/netip"
	"testing"

	"secondaryd/test/harness"
)

// TestInteropNotify has the primaries send NOTIFY from an address that is not the
// peer's: only their signature can tell that it is from the primary.
func TestInteropNotify(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			const open, signed = "open.test.", "signed.test."
			key := &keys[0]
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			primary := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{
					{Name: open, Text: edited(t, open, 1)},
					{Name: signed, Text: edited(t, signed, 1), Key: key.Name},
				},
				Keys:       keys,
				Notify:     []netip.AddrPort{d.DNS},
				NotifyFrom: netip.AddrFrom4([4]byte{127, 0, 0, 2}),
			})
			d.Zone(t, open, d.Peer(t, "open", primary.Addr, nil))
			d.Zone(t, signed, d.Peer(t, "signed", primary.Addr, key))
			harness.WaitSerial(t, d.DNS, open, 1)
			harness.WaitSerial(t, d.DNS, signed, 1)

			refused := notifies(t, d, "refused")
			primary.Reload(t, open, edited(t, open, 2), 2)
			harness.Wait(t, func() bool { return notifies(t, d, "refused") > refused }, "an unsigned NOTIFY from elsewhere to be refused")

			accepted := notifies(t, d, "accepted")
			primary.Reload(t, signed, edited(t, signed, 2, edits...), 2)
			harness.WaitSerial(t, d.DNS, signed, 2)
			check(t, d.DNS, primary, signed, key, 1)
			if notifies(t, d, "accepted") == accepted {
				t.Error("transferred without a NOTIFY")
			}
			if serial, _ := harness.Serial(d.DNS, open); serial != 1 {
				t.Errorf("the refused NOTIFY led to serial %d", serial)
			}
		})
	}
}

func notifies(t *testing.T, d *harness.Daemon, result string) float64 {
	t.Helper()
	v, _ := d.Client.Metrics(t).Value("secondaryd_notifies_total", "result", result)
	return v
}
