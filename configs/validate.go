package configs

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Bounds that many keys share.
const (
	maxTimeout = 24 * time.Hour
	maxTimer   = math.MaxInt32 * time.Second // the timers of a SOA record have 31 bits
	maxCount   = math.MaxInt32
)

// Validate returns everything that is wrong with c at once, as a Problems,
// or nil. It looks at values only: whether an address is free or a file is
// readable shows when it is used.
func (c Config) Validate() error {
	return check(c).orNil()
}

func check(c Config) Problems {
	var p Problems
	if c.DataDir == "" {
		p.add("", "data_dir", "must not be empty")
	}
	within(&p, "shutdown_timeout", c.ShutdownTimeout, 0, maxTimeout)
	within(&p, "audit.files", c.Audit.Files, 0, maxCount)
	c.Log.check(&p)
	c.DNS.check(&p)
	c.API.check(&p, c.DNS.Listen)
	c.Transfer.check(&p)
	c.Notify.check(&p)
	within(&p, "zones.versions", c.Zones.Versions, 1, 100)
	return p
}

func (l Log) check(p *Problems) {
	oneOf(p, "log.level", l.Level, "debug", "info", "warn", "error")
	oneOf(p, "log.format", l.Format, "json", "console")
}

func (d DNS) check(p *Problems) {
	if len(d.Listen) == 0 {
		p.add("", "dns.listen", "needs at least one address")
	}
	for i, addr := range d.Listen {
		listenAddress(p, "dns.listen", addr)
		if slices.Contains(d.Listen[:i], addr) {
			p.add("", "dns.listen", "%s is listed twice", addr)
		}
	}
	within(p, "dns.udp_size", d.UDPSize, 512, 4096)
	within(p, "dns.workers", d.Workers, 0, 1024)
	within(p, "dns.batch", d.Batch, 1, 1024)
	within(p, "dns.receive_buffer", d.ReceiveBuffer, 0, 1*GiB)
	within(p, "dns.send_buffer", d.SendBuffer, 0, 1*GiB)
	within(p, "dns.tcp_max_connections", d.TCPMaxConnections, 1, maxCount)
	within(p, "dns.tcp_max_connections_per_address", d.TCPMaxConnectionsPerAddress, 1, maxCount)
	timeout(p, "dns.tcp_idle_timeout", d.TCPIdleTimeout)
	timeout(p, "dns.tcp_read_timeout", d.TCPReadTimeout)
	timeout(p, "dns.tcp_write_timeout", d.TCPWriteTimeout)
	within(p, "dns.tcp_max_in_flight", d.TCPMaxInFlight, 1, 65536)
	identity(p, d.Identity)
	d.checkEDNS(p)
	oneOf(p, "dns.any", d.Any, AnyMinimal, AnyFull)
	d.RateLimit.check(p)
}

func (r RateLimit) check(p *Problems) {
	within(p, "dns.rate_limit.responses_per_second", r.ResponsesPerSecond, 0, maxRate)
	within(p, "dns.rate_limit.nodata_per_second", r.NoDataPerSecond, -1, maxRate)
	within(p, "dns.rate_limit.referrals_per_second", r.ReferralsPerSecond, -1, maxRate)
	within(p, "dns.rate_limit.nxdomains_per_second", r.NXDomainsPerSecond, -1, maxRate)
	within(p, "dns.rate_limit.errors_per_second", r.ErrorsPerSecond, -1, maxRate)
	within(p, "dns.rate_limit.slip", r.Slip, 0, 100)
	within(p, "dns.rate_limit.window", r.Window, 0, time.Hour)
	within(p, "dns.rate_limit.ipv4_prefix_length", r.IPv4PrefixLength, 1, 32)
	within(p, "dns.rate_limit.ipv6_prefix_length", r.IPv6PrefixLength, 1, 128)
	within(p, "dns.rate_limit.max_table_size", r.MaxTableSize, 1, 1<<24)
	for _, text := range r.Exempt {
		if _, err := parseNetwork(text); err != nil {
			p.add("", "dns.rate_limit.exempt", "%s", err)
		}
	}
}

// maxRate is the highest limit of answers a second.
const maxRate = 1_000_000

func (d DNS) checkEDNS(p *Problems) {
	if _, err := d.ServerID(); err != nil {
		p.add("", "dns.nsid", "%s", err)
	}
	if d.CookieSecretFile != "" && !d.Cookies {
		p.add("", "dns.cookie_secret_file", "is of no use while dns.cookies is false")
	}
	if d.ErrorReportingAgent != "" && !isHostName(d.ErrorReportingAgent) {
		p.add("", "dns.error_reporting_agent", "%q is not a domain name of letters, digits, hyphens and underscores", d.ErrorReportingAgent)
	}
}

func (a API) check(p *Problems, dnsListen []string) {
	listenAddress(p, "api.listen", a.Listen)
	if slices.Contains(dnsListen, a.Listen) {
		p.add("", "api.listen", "%s is taken by dns.listen", a.Listen)
	}
	if a.TLS.CertFile == "" && a.TLS.KeyFile != "" {
		p.add("", "api.tls.cert_file", "is missing: api.tls.key_file needs it")
	}
	if a.TLS.CertFile != "" && a.TLS.KeyFile == "" {
		p.add("", "api.tls.key_file", "is missing: api.tls.cert_file needs it")
	}
	within(p, "api.max_body", a.MaxBody, 1*KiB, 1*GiB)
	within(p, "api.max_bulk_body", a.MaxBulkBody, 1*KiB, 1*GiB)
	timeout(p, "api.read_timeout", a.ReadTimeout)
	timeout(p, "api.idle_timeout", a.IdleTimeout)
	within(p, "api.requests_per_second_per_token", a.RequestsPerSecondPerToken, 0, maxCount)
}

func (t Transfer) check(p *Problems) {
	timeout(p, "transfer.connect_timeout", t.ConnectTimeout)
	timeout(p, "transfer.first_message_timeout", t.FirstMessageTimeout)
	timeout(p, "transfer.message_timeout", t.MessageTimeout)
	timeout(p, "transfer.total_timeout", t.TotalTimeout)
	within(p, "transfer.min_rate", t.MinRate, 0, 1*GiB)
	within(p, "transfer.max_bytes", t.MaxBytes, 64*KiB, 1*TiB)
	within(p, "transfer.max_bytes_running", t.MaxBytesRunning, 64*KiB, 1*TiB)
	if t.MaxBytes > t.MaxBytesRunning {
		p.add("", "transfer.max_bytes", "%s is more than transfer.max_bytes_running (%s) lets any transfer have",
			t.MaxBytes, t.MaxBytesRunning)
	}
	within(p, "transfer.max_messages", t.MaxMessages, 1, maxCount)
	within(p, "transfer.max_records", t.MaxRecords, 2, maxCount) // no zone is without SOA and NS
	within(p, "transfer.max_rrset_records", t.MaxRRsetRecords, 1, maxCount)
	within(p, "transfer.max_types_per_name", t.MaxTypesPerName, 2, 65535)
	within(p, "transfer.max_running", t.MaxRunning, 1, 65536)
	within(p, "transfer.max_running_per_peer", t.MaxRunningPerPeer, 1, 65536)
	within(p, "transfer.soa_queries_per_second_per_peer", t.SOAQueriesPerSecondPerPeer, 1, maxCount)
	within(p, "transfer.max_shrink_percent", t.MaxShrinkPercent, 0, 100)
	within(p, "transfer.max_shrink_from", t.MaxShrinkFrom, 1, maxCount)
	reaction(p, "transfer.on_faults", t.OnFaults)
	reaction(p, "transfer.on_bad_zonemd", t.OnBadZONEMD)
	reaction(p, "transfer.on_bad_dnssec", t.OnBadDNSSEC)
	for _, text := range t.TrustAnchors {
		trustAnchor(p, "transfer.trust_anchors", text)
	}
	source(p, "transfer.source_ipv4", t.SourceIPv4, netip.Addr.Is4)
	source(p, "transfer.source_ipv6", t.SourceIPv6, netip.Addr.Is6)
	soaTimer(p, "transfer.max_backoff", t.MaxBackoff)
	soaTimers(p, "retry", t.MinRetry, t.MaxRetry, t.DefaultRetry)
	soaTimers(p, "expire", t.MinExpire, t.MaxExpire, t.DefaultExpire)
}

func (n Notify) check(p *Problems) {
	within(p, "notify.max_per_second_per_source", n.MaxPerSecondPerSource, 1, maxCount)
	within(p, "notify.log_lines_per_second", n.LogLinesPerSecond, 0, maxCount)
}

// source checks an address of our own, which may be left to the system.
func source(p *Problems, key, text string, family func(netip.Addr) bool) {
	if text == "" {
		return
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || !family(addr) || addr.Is4In6() || addr.IsUnspecified() || addr.IsMulticast() {
		p.add("", key, "%q is no address of this host in that family; leave it empty for the system's choice", text)
	}
}

// timeout allows no 0: a wait without an end is what each of them prevents.
func timeout(p *Problems, key string, d time.Duration) {
	within(p, key, d, time.Millisecond, maxTimeout)
}

func soaTimer(p *Problems, key string, d time.Duration) {
	within(p, key, d, time.Second, maxTimer)
}

// soaTimers checks the bounds of one timer of the SOA record, and what stands in
// for it.
func soaTimers(p *Problems, timer string, least, most, standIn time.Duration) {
	soaTimer(p, "transfer.min_"+timer, least)
	soaTimer(p, "transfer.max_"+timer, most)
	soaTimer(p, "transfer.default_"+timer, standIn)
	if least > most {
		p.add("", "transfer.min_"+timer, "%s is more than transfer.max_%s (%s)", formatDuration(least), timer, formatDuration(most))
	}
	if standIn > most {
		p.add("", "transfer.default_"+timer, "%s is more than transfer.max_%s (%s)", formatDuration(standIn), timer, formatDuration(most))
	}
}

func within[T cmp.Ordered](p *Problems, key string, got, least, most T) {
	switch {
	case got < least:
		p.add("", key, "%s is less than %s", format(got), format(least))
	case got > most:
		p.add("", key, "%s is more than %s", format(got), format(most))
	}
}

func oneOf(p *Problems, key, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		p.add("", key, "%q is none of %s%s", got, strings.Join(allowed, ", "), didYouMean(got, allowed))
	}
}

// listenAddress takes literal addresses only: a name would have to be looked
// up, and the wildcard is written out because it has two forms.
func listenAddress(p *Problems, key, addr string) {
	if _, err := netip.ParseAddrPort(addr); err != nil {
		p.add("", key, "%q is not an address and port, as in 192.0.2.1:53 or [2001:db8::1]:53 (0.0.0.0 and [::] mean all)", addr)
	}
}

// identity must fit one character-string of a TXT record (RFC 1035 section 3.3.14).
func identity(p *Problems, text string) {
	if len(text) > 255 {
		p.add("", "dns.identity", "has %d octets, at most 255 fit a TXT record", len(text))
	}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		p.add("", "dns.identity", "may hold printable ASCII only")
	}
}
