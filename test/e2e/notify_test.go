package e2e

import (
	"testing"

	"secondaryd/test/harness"
)

// TestNotifyOfPrimary has our primary send what its zones need.
func TestNotifyOfPrimary(t *testing.T) {
	t.Parallel()
	for name, keyName := range map[string]string{"plain": "", "signed": key.Name} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := primaryOf(t, zoneName, keyName, lazy)
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			peer := d.Peer(t, "p", u.Addr(), nil)
			if keyName != "" {
				peer = d.Peer(t, "p", u.Addr(), &key)
			}
			d.Zone(t, zoneName, peer)
			harness.WaitSerial(t, d.DNS, zoneName, 1)
			for range 3 {
				serial := u.bump(t, zoneName)
				if err := u.Notify(t.Context(), zoneName, d.DNS.String()); err != nil {
					t.Fatal(err)
				}
				harness.WaitSerial(t, d.DNS, zoneName, serial)
			}
		})
	}
}
