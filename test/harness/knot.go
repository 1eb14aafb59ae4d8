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
		signs:   true,
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
	return text + knotPolicies + s.knotRemotes() + s.knotAccess() + "zone:\n" + lines(s.options.Zones, s.knotZone)
}

// knotPolicies are the ways of signing, by name.
const knotPolicies = `
policy:
  - id: nsec
    algorithm: ecdsap256sha256
    single-type-signing: on
  - id: nsec3
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
`

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
			if from := s.options.NotifyFrom; from.IsValid() {
				text += fmt.Sprintf("    via: %s\n", from)
			}
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
	text := fmt.Sprintf("  - domain: %q\n    storage: %q\n    file: %q\n    acl: [ \"xfr-%s\" ]\n",
		z.Name, s.dir, zoneFile(z.Name), bare(z.Name)) + s.knotHistory(z)
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

// knotHistory says what of the zone's file and journal counts. The file is never
// written: it is the test's.
func (s *Server) knotHistory(z Zone) string {
	load, journal, signing := "whole", "none", ""
	switch {
	case s.secondary():
		load = "none"
	case z.Signing != "":
		load, journal = "difference-no-serial", "all"
		signing = fmt.Sprintf("    dnssec-signing: on\n    dnssec-policy: %s\n", z.Signing)
	case z.History:
		load, journal = "difference", "changes"
	}
	return fmt.Sprintf("    zonefile-load: %s\n    zonefile-sync: -1\n    journal-content: %s\n    journal-max-depth: 100\n%s", load, journal, signing)
}
