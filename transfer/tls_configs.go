package transfer

import (
	"crypto/tls"
	"sync"

	"secondaryd/zonestore/registry"
)

// tlsConfigs are what peers are spoken to with. Each is made once for a
// revision of its peer, as very many zones may have the same. It is safe for
// concurrent use.
type tlsConfigs struct {
	mu   sync.Mutex // guards made
	made map[string]tlsConfig
}

type tlsConfig struct {
	revision uint64
	config   *tls.Config
	err      error
}

// of returns the configuration of a peer with TLS.
func (c *tlsConfigs) of(p registry.Peer) (*tls.Config, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held, ok := c.made[p.ID]
	if !ok || held.revision != p.Revision {
		held.revision = p.Revision
		held.config, held.err = newTLS(p.TLS)
		if c.made == nil {
			c.made = map[string]tlsConfig{}
		}
		c.made[p.ID] = held
	}
	return held.config, held.err
}

// forget drops what was made for a peer that has changed or is gone.
func (c *tlsConfigs) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.made, id)
}

// clear drops everything.
func (c *tlsConfigs) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.made)
}
