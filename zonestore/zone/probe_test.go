package zone

import (
	"fmt"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// A probe that looks far enough comes to the node that Find finds.
func TestProbe(t *testing.T) {
	t.Parallel()
	records := []string{"example. 60 IN SOA a. b. 1 1 1 1 1", "a.b.c.example. 60 IN A 192.0.2.1", "sub.example. 60 IN NS ns.sub.example."}
	for i := range 5000 {
		records = append(records, fmt.Sprintf("h%d.example. 60 IN A 192.0.2.1", i))
	}
	z := build(t, "example.", records...)
	for name, want := range map[string]bool{
		"example.":                 true,
		"h4711.example.":           true,
		"x.h17.example.":           true,
		"a.b.c.example.":           true,
		"x.a.b.c.example.":         true,
		"y.x.a.b.c.example.":       true, // three suffixes, of which the last is there
		"z.y.x.a.b.c.example.":     false,
		"nothing.example.":         true,
		"1.2.nothing.example.":     true,
		"1.2.3.nothing.example.":   false,
		"x.sub.example.":           true,
		"no.such.name.at.example.": false,
	} {
		var s wire.Suffixes
		s.Set(wiretest.Name(t, name), z.seed)
		var p Probe
		p.Start(z, &s)
		p.Node()
		p.Data()
		if got := p.node != nil && p.node == z.Find(&s).Node.data(); got != want {
			t.Errorf("%s: the probe is right: %v, want %v", name, got, want)
		}
		if p.Start(nil, &s); p.zone != nil || p.node != nil {
			t.Errorf("%s: a probe of no zone has %v", name, p)
		}
		p.Node()
		p.Data()
	}
}
