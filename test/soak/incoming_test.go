package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"secondaryd/test/harness"
)

// createPeers makes those that all zones share.
func (s *soak) createPeers(t testing.TB) {
	t.Helper()
	d := s.daemon
	s.plain = d.Peer(t, "plain", s.primary.Addr(), nil)
	s.keyed = d.Peer(t, "keyed", s.primary.Addr(), &goodKey)
	s.turning = d.Peer(t, "turning", s.primary.Addr(), &turningKey)
	s.others = []harness.Peer{
		s.turning,
		d.Peer(t, "liar", s.liar.Addr(), nil),
		d.Peer(t, "closed", s.closed, nil),
		d.Client.CreatePeer(t, harness.Peer{Name: "without an address"}),
	}
}

// incoming is a configuration with both good peers and perhaps one bad one, in
// any order.
func (s *soak) incoming(z *zone) harness.Incoming {
	peers := []string{s.plain.ID, s.keyed.ID}
	if rand.IntN(2) == 0 {
		peers = append(peers, s.others[rand.IntN(len(s.others))].ID)
	}
	rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	return harness.Incoming{Name: mixedCase(z.name), Peers: peers, AutoRefreshSeconds: 300 + rand.IntN(1000)}
}

// paths of a zone under one of the two ids that it may have.
func zonePaths(z *zone, second bool) (incoming, force string) {
	id := harness.ZoneID(z.name)
	if second {
		id = harness.ZoneID("second." + z.name)
	}
	base := "/zones/" + id + "/secondary_dns/"
	return base + "incoming", base + "force_axfr"
}

// keepZones changes the stable zones, which never goes wrong.
func (s *soak) keepZones(ctx context.Context) {
	for rest(ctx, 2*s.scale.apiPause) {
		z := s.zones[rand.IntN(len(s.zones))]
		if !z.stable {
			continue
		}
		path, force := zonePaths(z, false)
		switch rand.IntN(10) {
		case 0, 1, 2:
			s.call(ctx, http.MethodPut, path, s.incoming(z), http.StatusOK)
		case 3:
			s.call(ctx, http.MethodPost, force, nil, http.StatusOK)
		case 4:
			s.call(ctx, http.MethodPost, path, s.incoming(z), http.StatusBadRequest) // is there already
		case 5:
			s.lookBack(ctx, path)
		default:
			s.call(ctx, http.MethodGet, path, nil, http.StatusOK)
		}
	}
}

// lookBack compares versions of a zone, which may go while it looks.
func (s *soak) lookBack(ctx context.Context, path string) {
	var list []struct {
		Serial uint32 `json:"soa_serial"`
	}
	answer := s.call(ctx, http.MethodGet, path+"/versions", nil, http.StatusOK)
	if err := json.Unmarshal(answer.Result, &list); err != nil && ctx.Err() == nil {
		s.faults.add("API: versions: %v in %s", err, answer.Result)
	}
	for _, v := range list {
		s.call(ctx, http.MethodGet, fmt.Sprintf("%s/versions/%d/diff", path, v.Serial), nil, http.StatusOK, http.StatusNotFound, http.StatusServiceUnavailable)
	}
}

// turnZones adds, changes and removes the other zones, against others who do the
// same.
func (s *soak) turnZones(ctx context.Context) {
	possible := []int{http.StatusOK, http.StatusBadRequest, http.StatusNotFound}
	for rest(ctx, s.scale.apiPause) {
		z := s.zones[rand.IntN(len(s.zones))]
		if z.stable {
			continue
		}
		path, force := zonePaths(z, rand.IntN(2) == 0)
		switch rand.IntN(12) {
		case 0, 1, 2, 3, 4:
			s.call(ctx, http.MethodPost, path, s.incoming(z), possible...)
		case 5, 6:
			s.call(ctx, http.MethodPut, path, s.incoming(z), possible...)
		case 7:
			s.call(ctx, http.MethodDelete, path, nil, possible...)
		case 8:
			s.call(ctx, http.MethodPost, force, nil, possible...)
		default:
			s.call(ctx, http.MethodGet, path, nil, possible...)
		}
	}
}

// settle has all zones configured, under whichever id.
func (s *soak) settle(ctx context.Context) {
	for _, z := range s.zones {
		first, _ := zonePaths(z, false)
		second, _ := zonePaths(z, true)
		if s.call(ctx, http.MethodGet, second, nil, http.StatusOK, http.StatusNotFound).Status == http.StatusOK {
			continue
		}
		if s.call(ctx, http.MethodGet, first, nil, http.StatusOK, http.StatusNotFound).Status == http.StatusNotFound {
			s.call(ctx, http.MethodPost, first, s.incoming(z), http.StatusOK)
		}
	}
}
