package configs

import (
	"slices"

	"github.com/miekg/dns"
)

// What can be done about a new version of a zone that is not as it should be.
const (
	ReactionIgnore = "ignore"
	ReactionWarn   = "warn"
	ReactionHold   = "hold"
)

func reaction(p *Problems, key, text string) {
	if !slices.Contains([]string{ReactionIgnore, ReactionWarn, ReactionHold}, text) {
		p.add("", key, "%q is not one of ignore, warn and hold", text)
	}
}

// trustAnchor checks a record that a zone's keys are trusted for.
func trustAnchor(p *Problems, key, text string) {
	rr, err := dns.NewRR(text)
	if err != nil || rr == nil || rr.Header().Rrtype != dns.TypeDS && rr.Header().Rrtype != dns.TypeDNSKEY {
		p.add("", key, "%q is no DS or DNSKEY record, as in \"example.org. DS 12345 13 2 0123...\"", text)
	}
}
