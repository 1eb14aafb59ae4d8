package e2e

import (
	"encoding/json"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// diagnosis is what the tests look at of one.
type diagnosis struct {
	Healthy bool `json:"healthy"`
	Peers   []struct {
		Result  string `json:"result"`
		Summary string `json:"summary"`
		Steps   []struct {
			Name   string `json:"name"`
			Result string `json:"result"`
			Advice string `json:"advice"`
		} `json:"steps"`
	} `json:"peers"`
}

func diagnose(t *testing.T, d *harness.Daemon, zone string) (found diagnosis) {
	t.Helper()
	if err := json.Unmarshal(order(t, d, "POST", zone, "diagnose", nil).Result, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Peers) != 1 || len(found.Peers[0].Steps) != 11 {
		t.Fatalf("got %+v", found)
	}
	return found
}

// TestDiagnoseRealPrimaries has each primary found without fault, and then the
// fault that our configuration has.
func TestDiagnoseRealPrimaries(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			server := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: zoneName, Text: "$ORIGIN " + zoneName + "\n" + zoneText(1, lazy), Key: key.Name}},
				Keys:  []harness.Key{key},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			peer := d.Peer(t, "p", server.Addr, &key)
			d.Zone(t, zoneName, peer)
			harness.WaitSerial(t, d.DNS, zoneName, 1)
			if found := diagnose(t, d, zoneName); !found.Healthy {
				t.Errorf("without a fault: %+v", found)
			}
			for want, change := range map[string]func(*harness.Key){
				"tsig: the peer does not know the name of the key": func(k *harness.Key) { k.Name = "another.key." },
				"tsig: the secrets of the key differ":              func(k *harness.Key) { k.Secret = "YW5vdGhlciBzZWNyZXQ=" },
			} {
				bad := key
				change(&bad)
				d.Client.PutTSIG(t, peer.TSIGID, bad)
				if found := diagnose(t, d, zoneName); found.Healthy || found.Peers[0].Summary != want {
					t.Errorf("got %+v\nwant %s", found, want)
				}
			}
			bad := key
			bad.Algorithm = dns.HmacSHA512
			d.Client.PutTSIG(t, peer.TSIGID, bad)
			// NSD takes any algorithm for the SOA and refuses the AXFR.
			const cause = "the peer has the key with another algorithm"
			if got := diagnose(t, d, zoneName).Peers[0].Summary; got != "tsig: "+cause && got != "axfr: "+cause {
				t.Errorf("algorithm: got %s", got)
			}
		})
	}
}
