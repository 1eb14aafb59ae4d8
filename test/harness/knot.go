package harness

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

// Knot starts a Knot DNS that serves the given zones.
func Knot(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	return startServer(t, product{
		name:    "Knot",
		program: "knotd",
		args:    []string{"-c", "{conf}"},
		config:  knotConfig,
	}, o)
}

func knotConfig(s *Server) string {
	text := fmt.Sprintf(`
server:
    rundir: %q
    listen: [ "%s@%d" ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
control:
    listen: %q
database:
    storage: %q
log:
  - target: stderr
    any: info
`, s.dir, s.Addr.Addr(), s.Addr.Port(), s.path("knot.sock"), s.dir)
	if len(s.options.Keys) > 0 {
		text += "key:\n" + lines(s.options.Keys, func(k Key) string {
			return fmt.Sprintf("  - id: %q\n    algorithm: %s\n    secret: %q", bare(k.Name), bare(k.Algorithm), k.Secret)
		})
	}
	return text + s.knotRemotes() + s.knotAccess() + "zone:\n" + lines(s.options.Zones, s.knotZone)
}

// knotRemotes has the primary, and each target of NOTIFY, once a key, because the
// key belongs to the remote.
func (s *Server) knotRemotes() string {
	remotes := s.options.Notify
	if s.secondary() {
		remotes = append([]netip.AddrPort{s.options.Primary}, remotes...)
	}
	if len(remotes) == 0 {
		return ""
	}
	return "remote:\n" + lines(s.options.Zones, func(z Zone) string {
		return lines(remotes, func(a netip.AddrPort) string {
			text := fmt.Sprintf("  - id: %q\n    address: \"%s@%d\"\n", knotRemote(z, a), a.Addr(), a.Port())
			if z.Key != "" {
				text += fmt.Sprintf("    key: %q", bare(z.Key))
			}
			return text
		})
	})
}

func knotRemote(z Zone, a netip.AddrPort) string {
	return fmt.Sprintf("to-%s-%d", bare(z.Name), a.Port())
}

func (s *Server) knotAccess() string {
	return "acl:\n" + lines(s.options.Zones, func(z Zone) string {
		text := fmt.Sprintf("  - id: \"xfr-%s\"\n    action: transfer\n    address: 127.0.0.0/8\n", bare(z.Name))
		if z.Key != "" {
			text += fmt.Sprintf("    key: %q", bare(z.Key))
		}
		return text
	})
}

func (s *Server) knotZone(z Zone) string {
	load := "whole"
	if s.secondary() {
		load = "none"
	}
	text := fmt.Sprintf("  - domain: %q\n    storage: %q\n    file: %q\n    acl: [ \"xfr-%s\" ]\n    zonefile-load: %s\n    journal-content: none\n",
		z.Name, s.dir, zoneFile(z.Name), bare(z.Name), load)
	if s.secondary() {
		text += fmt.Sprintf("    master: %q\n", knotRemote(z, s.options.Primary))
	}
	if len(s.options.Notify) > 0 {
		var ids []string
		for _, a := range s.options.Notify {
			ids = append(ids, strconv.Quote(knotRemote(z, a)))
		}
		text += "    notify: [ " + strings.Join(ids, ", ") + " ]\n"
	}
	return text
}
