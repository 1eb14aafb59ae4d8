package conformance

import (
	"bytes"
	"fmt"

	"github.com/miekg/dns"
)

// maxName is the longest name in octets, the root label included.
const maxName = 255

// pack is the wire form of a name, letters as they are.
func pack(name string) []byte {
	buf := make([]byte, maxName+1)
	n, err := dns.PackDomainName(name, buf, 0, nil, false)
	if err != nil {
		panic(fmt.Sprintf("name %q: %v", name, err)) // the tests' own names
	}
	return buf[:n]
}

// canonical is the one way in which a name is written here: lower case, escapes
// only where they are needed. It returns false for what is too long to be a name.
func canonical(wire []byte) (string, bool) {
	if len(wire) > maxName {
		return "", false
	}
	name, _, err := dns.UnpackDomainName(wire, 0)
	return dns.CanonicalName(name), err == nil
}

// fold turns the ASCII letters of a name in wire form to lower case, and touches
// no length octet since those are below 'A'.
func fold(wire []byte) []byte { return bytes.ToLower(wire) }

// prepend puts a label before a name. It returns false where that is too long.
func prepend(label []byte, name string) (string, bool) {
	if len(label) > 63 {
		return "", false
	}
	return canonical(append(append([]byte{byte(len(label))}, label...), pack(name)...))
}

// first is the first label of a name and what follows it; of the root, nothing.
func first(name string) (label []byte, parent string) {
	wire := pack(name)
	if wire[0] == 0 {
		return nil, "."
	}
	end := 1 + int(wire[0])
	parent, _ = canonical(wire[end:])
	return wire[1:end], parent
}

// above yields a name's ancestors from the nearest up to top, which must be one
// of them.
func above(name, top string) []string {
	var all []string
	for name != top {
		_, name = first(name)
		all = append(all, name)
	}
	return all
}

// below says whether name is top or lies under it.
func below(name, top string) bool { return dns.IsSubDomain(top, name) }

// mixed writes every other letter of a name in upper case.
func mixed(wire []byte) []byte {
	out := bytes.Clone(wire)
	for i, c := range out {
		if i%2 == 1 && 'a' <= c && c <= 'z' {
			out[i] = c - 'a' + 'A'
		}
	}
	return out
}
