package configs

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// What QTYPE ANY can get.
const (
	AnyMinimal = "minimal"
	AnyFull    = "full"
)

// maxNSID leaves room for an answer beside it in 512 octets.
const maxNSID = 128

// ServerID returns the octets of NSID, none if it is off.
func (d DNS) ServerID() ([]byte, error) {
	id := []byte(d.NSID)
	if digits, isHex := strings.CutPrefix(d.NSID, "0x"); isHex {
		var err error
		if id, err = hex.DecodeString(digits); err != nil || len(id) == 0 {
			return nil, errors.New("after 0x there must be pairs of hexadecimal digits")
		}
	}
	if len(id) > maxNSID {
		return nil, fmt.Errorf("has %d octets, more than %d", len(id), maxNSID)
	}
	return id, nil
}

// Bounds of a domain name as text without the last dot (RFC 1035 section 3.1).
const (
	maxLabelText = 63
	maxNameText  = 253
)

// isHostName reports whether text is a domain name below the root that needs no
// escapes, with or without the last dot.
func isHostName(text string) bool {
	text = strings.TrimSuffix(text, ".")
	if len(text) > maxNameText {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || len(label) > maxLabelText || strings.ContainsFunc(label, isNoLabelRune) {
			return false
		}
	}
	return true
}

func isNoLabelRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
		return false
	}
	return true
}

// ExemptNetworks returns the networks of Exempt. The configuration must be valid.
func (r RateLimit) ExemptNetworks() ([]netip.Prefix, error) {
	networks := make([]netip.Prefix, len(r.Exempt))
	for i, text := range r.Exempt {
		var err error
		if networks[i], err = parseNetwork(text); err != nil {
			return nil, err
		}
	}
	return networks, nil
}

// parseNetwork reads an address, or one with the length of a prefix.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address or network, as in 192.0.2.1 or 2001:db8::/32", text)
	}
	if network != network.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits set behind its prefix: %s is the network", text, network.Masked())
	}
	return network, nil
}
