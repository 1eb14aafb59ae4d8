package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// proof is how a signed zone denies that something exists: the arguments that
// dnssec-signzone wants for it.
type proof []string

var (
	nsec     = proof{}
	nsec3    = proof{"-3", "-", "-H", "0"}
	nsec3Old = proof{"-3", "0badcafe", "-H", "5"} // salt and iterations, as before RFC 9276
	optOut   = proof{"-3", "-", "-H", "0", "-A"}
)

// signed is a zone that was signed, and what is needed to validate it.
type signed struct {
	records []dns.RR
	anchor  string // in the form that delv reads
	ds      string // a line of zone text
}

// sign signs a zone with one new key, for a time that no test run leaves.
func sign(t testing.TB, apex string, records []dns.RR, how proof) signed {
	t.Helper()
	dir := t.TempDir()
	out := run(t, dir, "dnssec-keygen", "-q", "-K", dir, "-a", "ECDSAP256SHA256", "-f", "KSK", apex)
	key, err := os.ReadFile(filepath.Join(dir, strings.TrimSpace(out)+".key"))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, rr := range records {
		fmt.Fprintln(&b, rr)
	}
	b.Write(key)
	file := filepath.Join(dir, "zone")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-q", "-P", "-z", "-s", "20200101000000", "-e", "20500101000000",
		"-K", dir, "-d", dir, "-o", apex, "-O", "full", "-f", "-"}, how...)
	text := run(t, dir, "dnssec-signzone", append(args, file)...)
	return signed{records: parseText(t, apex, text), anchor: anchor(t, apex, string(key)), ds: dsOf(t, string(key))}
}

func run(t testing.TB, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, stderr.String())
	}
	return string(out)
}

func dnskey(t testing.TB, text string) *dns.DNSKEY {
	t.Helper()
	for _, rr := range parseText(t, ".", text) {
		if key, ok := rr.(*dns.DNSKEY); ok {
			return key
		}
	}
	t.Fatalf("no DNSKEY in %q", text)
	return nil
}

func anchor(t testing.TB, apex, text string) string {
	t.Helper()
	key := dnskey(t, text)
	return fmt.Sprintf("trust-anchors { %q static-key %d %d %d %q; };\n", apex, key.Flags, key.Protocol, key.Algorithm, key.PublicKey)
}

func dsOf(t testing.TB, text string) string {
	t.Helper()
	return dnskey(t, text).ToDS(dns.SHA256).String() + "\n"
}
