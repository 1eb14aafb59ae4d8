package harness

import (
	"cmp"
	"fmt"
	"net/netip"
	"testing"
)

// NSD starts an NSD that serves the given zones.
func NSD(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	return startServer(t, product{
		name:    "NSD",
		program: "nsd",
		args:    []string{"-d", "-c", "{conf}"},
		config:  nsdConfig,
	}, o)
}

func nsdConfig(s *Server) string {
	return fmt.Sprintf(`
server:
    ip-address: %s@%d
    username: ""
    chroot: ""
    zonesdir: %q
    database: ""
    pidfile: %q
    xfrdfile: %q
    xfrdir: %q
    zonelistfile: %q
    server-count: 1
    xfrd-reload-timeout: 0
    rrl-ratelimit: 0
    verbosity: 1
%sremote-control:
    control-enable: no
`, s.Addr.Addr(), s.Addr.Port(), s.dir, s.path("nsd.pid"), s.path("xfrd.state"), s.dir, s.path("zone.list"), s.nsdTLS()) +
		lines(s.options.Keys, func(k Key) string {
			return fmt.Sprintf("key:\n    name: %q\n    algorithm: %s\n    secret: %q", bare(k.Name), bare(k.Algorithm), k.Secret)
		}) +
		lines(s.options.Zones, s.nsdZone)
}

func (s *Server) nsdZone(z Zone) string {
	key := cmp.Or(bare(z.Key), "NOKEY")
	text := fmt.Sprintf("zone:\n    name: %q\n    zonefile: %q\n    provide-xfr: 127.0.0.0/8 %s\n", z.Name, zoneFile(z.Name), key)
	if s.secondary() {
		text += s.nsdPrimary(z, key)
	} else if z.History {
		text += "    create-ixfr: yes\n"
	}
	if z.History {
		text += "    store-ixfr: yes\n    ixfr-number: 100\n"
	}
	if from := s.options.NotifyFrom; from.IsValid() {
		text += fmt.Sprintf("    outgoing-interface: %s\n", from)
	}
	return text + lines(s.options.Notify, func(a netip.AddrPort) string {
		return fmt.Sprintf("    notify: %s@%d %s", a.Addr(), a.Port(), key)
	})
}

// nsdPrimary is where a secondary has its zone from. It takes a NOTIFY from
// anybody on this machine.
func (s *Server) nsdPrimary(z Zone, key string) string {
	how := "AXFR "
	if z.History {
		how = ""
	}
	return fmt.Sprintf("    request-xfr: %s%s@%d %s\n    allow-notify: 127.0.0.0/8 NOKEY\n",
		how, s.options.Primary.Addr(), s.options.Primary.Port(), key)
}
