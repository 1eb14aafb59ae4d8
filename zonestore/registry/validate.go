package registry

import (
	"encoding/base64"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
)

// Limits on members.
const (
	MinAutoRefresh = 300           // seconds
	MaxAutoRefresh = math.MaxInt32 // seconds
	maxText        = 255           // characters of a free name
	maxNameText    = 1024          // octets of a domain name's text: 255 octets, each escaped as \DDD
	maxID          = 64            // characters of an id
	minACLBits4    = 24            // of an IPv4 range
	minACLBits6    = 64            // of an IPv6 range
)

func validateZone(zone *Zone) error {
	return errors.Join(
		validateID("", zone.ID),
		validateDomainName("/name", zone.Name),
		validateAutoRefresh(int64(zone.AutoRefresh)),
	)
}

func validatePeer(peer *Peer, forbidPrivate bool) error {
	errs := []error{validateText("/name", peer.Name)}
	if peer.IP != nil {
		errs = append(errs, validateIP(*peer.IP, forbidPrivate))
	}
	if peer.Source != nil {
		errs = append(errs, validateSource(*peer.Source, peer.IP))
	}
	return errors.Join(append(errs, validatePeerTLS(peer.TLS))...)
}

// validateSource checks the address that a peer is asked from: one of this host,
// in the family of the peer's own.
func validateSource(text string, ip *string) error {
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil || addr.Zone() != "":
		return invalid("/source_ip", ReasonMalformed, "%.64q is not an IPv4 or IPv6 address", text)
	case addr.IsUnspecified() || addr.IsMulticast():
		return invalid("/source_ip", ReasonForbidden, "%s is no address of this host", addr)
	case ip == nil:
		return nil
	}
	if peer, err := netip.ParseAddr(*ip); err == nil && peer.Unmap().Is4() != addr.Unmap().Is4() {
		return invalid("/source_ip", ReasonForbidden, "%s and the peer's address %s are of different families", addr, peer)
	}
	return nil
}

func validateTSIG(key *TSIG) error {
	return errors.Join(
		validateDomainName("/name", key.Name),
		validateAlgorithm(key.Algorithm),
		validateSecret(key.Secret),
	)
}

func validateACL(acl *ACL) error {
	return errors.Join(validateText("/name", acl.Name), validateRange(acl.IPRange))
}

// ValidID reports whether an id of an object or account can be one.
func ValidID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	return !strings.ContainsFunc(id, func(c rune) bool {
		return c != '-' && c != '_' && !isAlphanumeric(c)
	})
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func validateID(pointer, id string) error {
	if !ValidID(id) {
		return invalid(pointer, ReasonMalformed, "an id has 1 to %d letters, digits, hyphens and underscores", maxID)
	}
	return nil
}

// validateText checks a name that means nothing to the DNS.
func validateText(pointer, text string) error {
	switch {
	case text == "":
		return invalid(pointer, ReasonMissing, "a name is needed")
	case !utf8.ValidString(text):
		return invalid(pointer, ReasonMalformed, "the text is not valid UTF-8")
	case utf8.RuneCountInString(text) > maxText:
		return invalid(pointer, ReasonTooLarge, "the name is longer than %d characters", maxText)
	case strings.ContainsFunc(text, unicode.IsControl):
		return invalid(pointer, ReasonMalformed, "control characters are not permitted")
	}
	return nil
}

// validateDomainName checks a name in presentation form: letters, digits,
// hyphen, underscore, slash and asterisk, everything else as an escape, with
// the limits of RFC 1035 section 2.3.4.
func validateDomainName(pointer, name string) error {
	if name == "" {
		return invalid(pointer, ReasonMissing, "a domain name is needed")
	}
	if len(name) > maxNameText {
		return invalid(pointer, ReasonTooLarge, "a domain name has at most %d octets", wire.MaxName)
	}
	escaped := false
	for i, c := range name {
		if !escaped && !inDomainName(c) || escaped && (c <= ' ' || c > '~') {
			return invalid(pointer, ReasonMalformed,
				"the character %q at position %d can't be in a domain name; other octets are written as escapes (\\DDD), other scripts as A-labels (xn--)",
				c, i)
		}
		escaped = !escaped && c == '\\'
	}
	if _, err := wire.ParseName(name); err != nil {
		return invalid(pointer, ReasonMalformed, "%q is not a domain name: %s", name, nameProblem(err))
	}
	return nil
}

func inDomainName(c rune) bool { return isAlphanumeric(c) || strings.ContainsRune(`-_/*.\`, c) }

// nameProblem is the innermost text of an error, which does not quote the name
// a second time.
func nameProblem(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err.Error()
}

func validateAutoRefresh(seconds int64) error {
	if seconds < MinAutoRefresh || seconds > MaxAutoRefresh {
		return invalid("/auto_refresh_seconds", ReasonRange,
			"%d seconds is not between %d and %d", seconds, MinAutoRefresh, MaxAutoRefresh)
	}
	return nil
}

func validateIP(text string, forbidPrivate bool) error {
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return invalid("/ip", ReasonMalformed, "%.64q is not an IPv4 or IPv6 address", text)
	}
	if err := CheckPeerAddr(addr, forbidPrivate); err != nil {
		return invalid("/ip", ReasonForbidden, "%s", err)
	}
	return nil
}

var (
	limitedBroadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})
	thisNetwork      = netip.MustParsePrefix("0.0.0.0/8")
	sharedAddresses  = netip.MustParsePrefix("100.64.0.0/10")
)

// CheckPeerAddr says why an address must not be contacted; nil if it may be.
// Loopback and private addresses may, unless forbidPrivate is set. It is asked
// when a peer is configured and again before dialling.
func CheckPeerAddr(addr netip.Addr, forbidPrivate bool) error {
	addr = addr.Unmap()
	switch {
	case !addr.IsValid():
		return errors.New("there is no address")
	case addr.IsUnspecified() || thisNetwork.Contains(addr):
		return errors.New("the unspecified address can't be a peer's")
	case addr.IsMulticast():
		return errors.New("a multicast address can't be a peer's")
	case addr == limitedBroadcast:
		return errors.New("the broadcast address can't be a peer's")
	case addr.IsLinkLocalUnicast():
		return errors.New("a link-local address can't be a peer's")
	case forbidPrivate && (addr.IsLoopback() || addr.IsPrivate() || sharedAddresses.Contains(addr)):
		return errors.New("loopback and private addresses are not permitted here")
	}
	return nil
}

func validateAlgorithm(name string) error {
	if name == "" {
		return invalid("/algo", ReasonMissing, "an algorithm is needed, one of %s", algorithms())
	}
	if !slices.Contains(tsig.Algorithms, strings.ToLower(strings.TrimSuffix(name, "."))) {
		return invalid("/algo", ReasonMalformed, "the algorithm is not one of %s", algorithms())
	}
	return nil
}

func algorithms() string { return strings.Join(tsig.Algorithms, "., ") + "." }

// validateSecret never quotes what it was given.
func validateSecret(secret Secret) error {
	text := secret.Reveal()
	if text == "" {
		return invalid("/secret", ReasonMissing, "a secret is needed")
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	// The decoder skips line ends, which other DNS software may not.
	if err != nil || len(raw) == 0 || strings.ContainsAny(text, "\r\n") {
		return invalid("/secret", ReasonMalformed, "the secret is not base64 (RFC 4648 section 4)")
	}
	return nil
}

func validateRange(text string) error {
	if text == "" {
		return invalid("/ip_range", ReasonMissing, "a range is needed, such as 192.0.2.0/28")
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return invalid("/ip_range", ReasonMalformed, "%.64q is not a range in CIDR form, such as 192.0.2.0/28", text)
	case prefix.Addr().Is4In6():
		return invalid("/ip_range", ReasonMalformed, "an IPv4 range is written as one, not inside IPv6")
	case prefix.Addr().Is4() && prefix.Bits() < minACLBits4:
		return invalid("/ip_range", ReasonRange, "an IPv4 range is at most a /%d", minACLBits4)
	case prefix.Addr().Is6() && prefix.Bits() < minACLBits6:
		return invalid("/ip_range", ReasonRange, "an IPv6 range is at most a /%d", minACLBits6)
	}
	return nil
}

// index points at entry i of a list.
func index(list string, i int) string { return list + "/" + strconv.Itoa(i) }
