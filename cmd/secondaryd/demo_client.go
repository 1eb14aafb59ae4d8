package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"secondaryd/internal/apiclient"
)

const demoAccount = "01a7362d577a6c3019a474fd6f485823"

// demoClient speaks to the daemon's API as any user would.
type demoClient struct {
	base, token string
	api         *apiclient.Client
}

func newDemoClient(api, token string) (*demoClient, error) {
	c := &demoClient{base: "http://" + api, token: token}
	var err error
	c.api, err = apiclient.New(apiclient.Options{URL: c.base, Token: token})
	return c, err
}

// waitReady waits until the daemon says that it is.
func (c *demoClient) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	for checkHealth(ctx, c.base+"/readyz") != nil {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the daemon does not get ready: %w", context.Cause(ctx))
		case <-time.After(10 * time.Millisecond):
		}
	}
	return nil
}

func (c *demoClient) createPeer(ctx context.Context, addr netip.AddrPort) (id string, err error) {
	var peer struct{ ID string }
	err = c.post(ctx, apiclient.Peers.All(demoAccount), map[string]any{
		"name": "sample-primary", "ip": addr.Addr().String(), "port": addr.Port(),
	}, &peer)
	return peer.ID, err
}

func (c *demoClient) createZone(ctx context.Context, peer string) error {
	return c.post(ctx, apiclient.IncomingPath(demoZoneID), map[string]any{
		"name": demoZone, "auto_refresh_seconds": 300, "peers": []string{peer},
	}, &struct{}{})
}

// post sends body, says so, and reads the result.
func (c *demoClient) post(ctx context.Context, path string, body map[string]any, result any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	say("POST %s\n     %s", path, data)
	ctx, cancel := context.WithTimeout(ctx, demoWait)
	defer cancel()
	answer, err := c.api.Post(ctx, path, json.RawMessage(data))
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	say("OK   %s\n", answer.Result)
	return json.Unmarshal(answer.Result, result)
}

// sayCurl prints the lines that do by hand what the demo has done.
func (c *demoClient) sayCurl() {
	auth := `-H "Authorization: Bearer ` + c.token + `"`
	say("  curl -s %s %s/zones/%s/secondary_dns/incoming", auth, c.base, demoZoneID)
	say("  curl -s %s -X POST %s/zones/%s/secondary_dns/force_axfr", auth, c.base, demoZoneID)
	say("  curl -s %s/metrics | grep secondaryd_zone", c.base)
}
