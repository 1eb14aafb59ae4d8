package interop

import (
	"testing"

	"secondaryd/test/harness"
)

// origin is where the daemon has a zone from, and the server where the zone is
// changed, which may be the same.
type origin struct {
	*harness.Server
	source *harness.Server
}

// origins are the servers that hand out differences.
var origins = []struct {
	name  string
	start func(*testing.T, harness.ServerOptions) origin
}{
	{"Knot", direct(harness.Knot)},
	{"BIND", direct(harness.BIND)},
	{"NSD behind Knot", nsdBehindKnot},
}

func direct(start starter) func(*testing.T, harness.ServerOptions) origin {
	return func(t *testing.T, o harness.ServerOptions) origin {
		s := start(t, o)
		return origin{s, s}
	}
}

// nsdBehindKnot has NSD hand on what it was given. For what NSD makes itself see
// TestInteropIXFRForgotten.
func nsdBehindKnot(t *testing.T, o harness.ServerOptions) origin {
	t.Helper()
	knot := harness.Knot(t, o)
	o.Primary = knot.Addr
	return origin{harness.NSD(t, o), knot}
}

// reload makes a new version of the zone and waits until the daemon could have it.
func (o origin) reload(t *testing.T, name, text string, serial uint32) {
	t.Helper()
	o.source.Reload(t, name, text, serial)
	if o.source != o.Server {
		notify(t, o.Addr, name)
		o.WaitSettled(t, name, serial)
	}
}

// chain makes a version for each edit without telling the daemon, and returns the
// last serial. It makes sure that the origin has all differences from the first.
func (o origin) chain(t *testing.T, name string, key *harness.Key, serial uint32, text func(i int, serial uint32) string) uint32 {
	t.Helper()
	from := serial
	for i := range edits {
		serial++
		o.reload(t, name, text(i, serial), serial)
	}
	if got := differences(t, o.Addr, name, key, from); got != len(edits) {
		t.Fatalf("the primary has %d differences from serial %d on, want %d", got, from, len(edits))
	}
	return serial
}

// TestInteropIXFR makes every kind of change at a real primary, each a version of
// its own, and has them transferred one by one. Then all are undone, one version
// after the other, before the daemon hears of it: it gets a chain of differences.
// What it has got so it still has after a restart. On the way the serial passes
// 4294967295 (RFC 1982).
func TestInteropIXFR(t *testing.T) {
	t.Parallel()
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			const name = "ixfr.test."
			key := &keys[len(keys)-1]
			serial := uint32(4294967290)
			primary := o.start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: edited(t, name, serial), Key: key.Name, History: true}},
				Keys:  keys,
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, ixfrPeer(t, d, primary.Addr, key))
			harness.WaitSerial(t, d.DNS, name, serial)

			for i := range edits {
				serial++
				primary.reload(t, name, edited(t, name, serial, edits[:i+1]...), serial)
				update(t, d, name, serial)
				if check(t, d.DNS, primary.Server, name, key, 1); t.Failed() {
					t.Fatalf("after the change: %s", edits[i].name)
				}
			}
			serial = primary.chain(t, name, key, serial, func(i int, serial uint32) string {
				return edited(t, name, serial, edits[i+1:]...)
			})
			update(t, d, name, serial)
			check(t, d.DNS, primary.Server, name, key, 1)
			wantTransfers(t, d, transfers{axfr: 1, ixfr: float64(len(edits)) + 1})

			d.Restart(t)
			harness.WaitSerial(t, d.DNS, name, serial)
			check(t, d.DNS, primary.Server, name, key, 1)
			wantTransfers(t, d, transfers{})
		})
	}
}

// TestInteropIXFRWrap has the serial pass 4294967295 inside a chain (RFC 1982).
func TestInteropIXFRWrap(t *testing.T) {
	t.Parallel()
	for _, o := range origins {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			const name = "wrap.test."
			serial := uint32(4294967290)
			primary := o.start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: name, Text: edited(t, name, serial), History: true}},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			d.Zone(t, name, ixfrPeer(t, d, primary.Addr, nil))
			harness.WaitSerial(t, d.DNS, name, serial)
			serial = primary.chain(t, name, nil, serial, func(i int, serial uint32) string {
				return edited(t, name, serial, edits[:i+1]...)
			})
			update(t, d, name, serial)
			check(t, d.DNS, primary.Server, name, nil, 1)
			wantTransfers(t, d, transfers{axfr: 1, ixfr: 1})
		})
	}
}
