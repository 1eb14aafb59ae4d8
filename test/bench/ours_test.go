package bench

import (
	"cmp"
	"fmt"
	"net/http"
	"testing"

	"golang.org/x/sync/errgroup"

	"secondaryd/test/harness"
)

// ours is the daemon under its defaults.
var ours = product{
	name:   "secondaryd",
	args:   []string{"serve", "--config", "{conf}"},
	config: oursConfig,
	order:  oursOrder,
}

func oursConfig(s *secondary) string {
	return fmt.Sprintf("data_dir: %q\ndns:\n  listen: [%q]\napi:\n  listen: %q\n  requests_per_second_per_token: 0\n%s", s.dir, s.addr, s.api, s.settings)
}

const token = "test-token-of-the-benchmark-0123456789"

func (s *secondary) client() *harness.Client {
	return &harness.Client{Base: "http://" + s.api.String(), Token: token}
}

// posters is how many requests are on their way at once.
const posters = 16

// oursOrder configures the peer and the zones by API.
func oursOrder(t *testing.T, s *secondary) {
	t.Helper()
	c := s.client()
	peer := c.CreatePeer(t, harness.Peer{
		Name: "primary", IP: s.primary.addr.Addr().String(), Port: int(s.primary.addr.Port()), IXFR: s.primary.incremental,
	})
	var g errgroup.Group
	g.SetLimit(posters)
	for _, zone := range s.primary.zones {
		g.Go(func() error {
			return post(c, harness.Incoming{Name: zone, Peers: []string{peer.ID}, AutoRefreshSeconds: cmp.Or(s.refresh, 86400)})
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}

func post(c *harness.Client, in harness.Incoming) error {
	answer, err := c.Do(http.MethodPost, "/zones/"+harness.ZoneID(in.Name)+"/secondary_dns/incoming", in)
	if err != nil {
		return err
	}
	if !answer.Success {
		return fmt.Errorf("zone %s: status %d, errors %+v", in.Name, answer.Status, answer.Errors)
	}
	return nil
}
