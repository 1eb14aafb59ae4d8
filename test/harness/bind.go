package harness

import (
	"fmt"
	"net/netip"
	"testing"
)

// BIND starts a named that serves the given zones.
func BIND(t testing.TB, o ServerOptions) *Server {
	t.Helper()
	return startServer(t, product{
		name:    "BIND",
		program: "named",
		args:    []string{"-g", "-n", "1", "-c", "{conf}"},
		config:  bindConfig,
	}, o)
}

func bindConfig(s *Server) string {
	return s.bindTLS() + fmt.Sprintf(`
options {
    directory %q;
    pid-file %q;
    session-keyfile %q;
    managed-keys-directory %q;
    listen-on port %d { %s; };
%s
    listen-on-v6 { none; };
    recursion no;
    empty-zones-enable no;
    dnssec-validation no;
    allow-transfer { none; };
    notify explicit;
    notify-delay 0;
%s    check-names master ignore;
    check-names secondary ignore;
    max-records-per-type 0;
    max-types-per-name 0;
    check-mx ignore;
    check-integrity no;
};
controls { };
`, s.dir, s.path("named.pid"), s.path("session.key"), s.dir, s.Addr.Port(), s.Addr.Addr(), s.bindListenTLS(), s.bindNotifySource()) +
		lines(s.options.Keys, func(k Key) string {
			return fmt.Sprintf("key %q { algorithm %s; secret %q; };", bare(k.Name), bare(k.Algorithm), k.Secret)
		}) +
		lines(s.options.Zones, s.bindZone)
}

func (s *Server) bindNotifySource() string {
	if from := s.options.NotifyFrom; from.IsValid() {
		return fmt.Sprintf("    notify-source %s;\n", from)
	}
	return ""
}

func (s *Server) bindZone(z Zone) string {
	if s.secondary() {
		return s.bindSecondary(z)
	}
	access, key := "any;", ""
	if z.Key != "" {
		key = fmt.Sprintf("key %q", bare(z.Key))
		access = key + ";"
	}
	notify := lines(s.options.Notify, func(a netip.AddrPort) string {
		return fmt.Sprintf("        %s port %d %s;", a.Addr(), a.Port(), key)
	})
	history := ""
	if z.History {
		history = "    ixfr-from-differences yes;\n"
	}
	return fmt.Sprintf("zone %q {\n    type primary;\n    file %q;\n%s    %s\n    also-notify {\n%s    };\n};",
		z.Name, zoneFile(z.Name), history, s.bindTransfers(access), notify)
}

func (s *Server) bindSecondary(z Zone) string {
	key := ""
	if z.Key != "" {
		key = fmt.Sprintf("key %q", bare(z.Key))
	}
	return fmt.Sprintf("zone %q {\n    type secondary;\n    file %q;\n    primaries { %s port %d %s; };\n    request-ixfr no;\n};",
		z.Name, zoneFile(z.Name), s.options.Primary.Addr(), s.options.Primary.Port(), key)
}
