package interop

import (
	"testing"

	"secondaryd/test/harness"
)

// signable is the small zone with changes, and without a TTL that outlives any
// signature.
func signable(t *testing.T, name string, edits ...edit) string {
	t.Helper()
	return edited(t, name, 1, append([]edit{{"giant TTL", "ttl-max 2147483647 A", "ttl-max A"}}, edits...)...)
}

// TestInteropSigned has Knot sign a zone, change it, sign it anew with NSEC3
// instead of NSEC, and undo the changes. All of it comes as differences, with the
// signatures and the chains in them.
func TestInteropSigned(t *testing.T) {
	t.Parallel()
	const name = "signed.test."
	key := &keys[0]
	primary := harness.Knot(t, harness.ServerOptions{
		Zones: []harness.Zone{{Name: name, Text: signable(t, name), Key: key.Name, Signing: harness.SigningNSEC}},
		Keys:  keys,
	})
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	d.Zone(t, name, ixfrPeer(t, d, primary.Addr, key))
	harness.WaitOtherSerial(t, d.DNS, name, 0)
	check(t, d.DNS, primary, name, key, 1)
	taken := transfers{axfr: 1}
	take := func(serial uint32, what string) {
		update(t, d, name, serial)
		taken.ixfr++
		if check(t, d.DNS, primary, name, key, 1); t.Failed() {
			t.Fatalf("after the change: %s", what)
		}
	}
	for i, e := range edits {
		if e.old != e.new {
			take(primary.Resign(t, name, signable(t, name, edits[:i+1]...)), e.name)
		}
	}
	before, _ := harness.Serial(primary.Addr, name)
	primary.Change(t, func(o *harness.ServerOptions) { o.Zones[0].Signing = harness.SigningNSEC3 })
	take(harness.WaitOtherSerial(t, primary.Addr, name, before), "NSEC3")
	for i, e := range edits {
		if e.old != e.new {
			take(primary.Resign(t, name, signable(t, name, edits[i+1:]...)), e.name+", undone")
		}
	}
	wantTransfers(t, d, taken)
}
