package clients

import (
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// TestTerraformZone has Terraform make the zone too, configure both directions
// at once in whatever order, and delete incoming before outgoing.
func TestTerraformZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tf := w.terraform(t)
	addr := w.primary.Addr()
	tsig := ofAccount("tsigs", map[string]any{"name": key.Name, "algo": key.Algorithm, "secret": key.Secret})
	zone := &resource{all: "/zones", config: map[string]any{
		"name": strings.TrimSuffix(zoneName, "."), "account": map[string]any{"id": harness.AccountID}, "type": "secondary", "paused": false,
	}}
	second := ofAccount("peers", map[string]any{"name": "second"})
	tf.create(tsig, second)
	peer := ofAccount("peers", map[string]any{"name": "primary", "ip": addr.Addr().String(), "port": addr.Port(), "tsig_id": tsig.id})
	tf.create(peer)
	tf.create(zone)
	below := "/zones/" + zone.id + "/secondary_dns/"
	outgoing := &resource{all: below + "outgoing", single: true, config: map[string]any{"name": zoneName, "peers": []string{second.id}}}
	incoming := &resource{all: below + "incoming", single: true, config: map[string]any{
		"name": zoneName, "peers": []string{peer.id}, "auto_refresh_seconds": 86400,
	}}
	tf.create(outgoing, incoming)
	w.served(t, 1)
	all := []*resource{tsig, second, peer, zone, outgoing, incoming}
	tf.plan(all...)
	tf.update(outgoing, map[string]any{"peers": []string{second.id, peer.id}})
	tf.plan(all...)

	tf.destroy(incoming)
	w.gone(t)
	tf.plan(outgoing)
	tf.destroy(outgoing)
	tf.destroy(zone)
	tf.destroy(peer, second)
	tf.destroy(tsig)
}
