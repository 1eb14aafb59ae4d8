package harness

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// Denial is how a signed zone proves that something does not exist: the
// arguments that dnssec-signzone wants for it.
type Denial []string

// The kinds of denial.
var (
	NSEC     = Denial{}
	NSEC3    = Denial{"-3", "-", "-H", "0"}
	NSEC3Old = Denial{"-3", "0badcafe", "-H", "5"} // salt and iterations, as before RFC 9276
	OptOut   = Denial{"-3", "-", "-H", "0", "-A"}
)

// Signed is a zone with signatures, and what a validator must trust for it.
type Signed struct {
	Text   string // one record a line, names absolute
	Anchor string // in the form that delv reads
}

// Sign signs zone text, names absolute, with one new key for a time that no test
// run leaves. It needs BIND's tools: without them the test is skipped, in CI failed.
func Sign(t testing.TB, apex, text string, how Denial) Signed {
	t.Helper()
	for _, tool := range []string{"dnssec-keygen", "dnssec-signzone", "delv"} {
		installed(t, "BIND", tool)
	}
	dir := t.TempDir()
	name := strings.TrimSpace(runTool(t, dir, "dnssec-keygen", "-q", "-K", dir, "-a", "ECDSAP256SHA256", "-f", "KSK", apex))
	key, err := os.ReadFile(filepath.Join(dir, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "zone")
	if err := os.WriteFile(file, []byte(text+"\n"+string(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{
		"-q", "-P", "-z", "-s", "20200101000000", "-e", "20500101000000",
		"-K", dir, "-d", dir, "-o", apex, "-O", "full", "-f", "-",
	}, how...)
	return Signed{Text: runTool(t, dir, "dnssec-signzone", append(args, file)...), Anchor: anchor(t, apex, string(key))}
}

func runTool(t testing.TB, dir, program string, args ...string) string {
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

// anchor makes a trust anchor of the key in zone text.
func anchor(t testing.TB, apex, text string) string {
	t.Helper()
	parser := dns.NewZoneParser(strings.NewReader(text), apex, "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if key, ok := rr.(*dns.DNSKEY); ok {
			return fmt.Sprintf("trust-anchors { %q static-key %d %d %d %q; };\n", apex, key.Flags, key.Protocol, key.Algorithm, key.PublicKey)
		}
	}
	t.Fatalf("no DNSKEY in %q", text)
	return ""
}

// Validate asks a server for name and type as a validating resolver
// does, and returns what delv says of the answer.
func Validate(t testing.TB, server netip.AddrPort, apex, anchorText, name, qtype string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "anchor")
	if err := os.WriteFile(file, []byte(anchorText), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "delv", "@"+server.Addr().String(), "-p", strconv.Itoa(int(server.Port())),
		"-a", file, "+root="+apex, name, qtype)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}
