// Package configs holds the daemon's own settings: the struct, its defaults,
// the strict loader (a YAML file, then the environment) and the checks.
// It promises that Load either returns settings that passed every check or
// names every problem at once, each with the place it came from; it opens
// nothing but the file it is told to read and acts on no setting itself.
// A Config is a plain value: copy it freely, nothing in the package is shared.
package configs

import "time"

// Config is everything that can be set. The comment of a field is its
// documentation; Default says what holds when nothing is said. A field's key
// is the path of its yaml tags joined by dots, and its environment variable
// is SECONDARYD_ and that path in capitals joined by underscores.
type Config struct {
	// DataDir is the folder of everything that outlives the process: the
	// registry, the zones' last good copies and the generated token.
	DataDir string `yaml:"data_dir"`
	// SecretsKey is the file of the key that secrets are encrypted with, in
	// data_dir while it is empty; a copy of it lies beside it, with -copy before
	// the extension.
	SecretsKey string `yaml:"secrets_key"`
	// ShutdownTimeout is how long a stopping daemon waits for what is under
	// way before it closes connections.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`

	Audit    Audit    `yaml:"audit"`
	Log      Log      `yaml:"log"`
	DNS      DNS      `yaml:"dns"`
	API      API      `yaml:"api"`
	Metrics  Metrics  `yaml:"metrics"`
	Transfer Transfer `yaml:"transfer"`
	Notify   Notify   `yaml:"notify"`
	Zones    Zones    `yaml:"zones"`
}

// Audit sets what is kept of the log of all changes of the configuration.
type Audit struct {
	// Files is the number of files that are kept besides the one being written;
	// 0 keeps all.
	Files int `yaml:"files"`
}

// Log says what is logged and in which form. Logs go to standard error.
type Log struct {
	// Level is the least level that is written: debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is json (one object a line) or console (for people).
	Format string `yaml:"format"`
}

// DNS sets the listeners that answer queries and take NOTIFY.
type DNS struct {
	// Listen lists the addresses to answer on, each with its port, each by
	// UDP and TCP. An IPv6 wildcard does not include IPv4.
	Listen []string `yaml:"listen"`
	// UDPSize is the largest answer by UDP in octets, whatever a client offers.
	UDPSize int `yaml:"udp_size"`
	// Workers is the number of UDP sockets an address, one worker each;
	// 0 means one for each CPU.
	Workers int `yaml:"workers"`
	// Batch is the number of queries that a worker takes from its socket, and
	// of answers it hands over, with one system call.
	Batch int `yaml:"batch"`
	// ReceiveBuffer is the room for queries that wait in a UDP socket, as far
	// as the system allows; 0 leaves it to the system.
	ReceiveBuffer Size `yaml:"receive_buffer"`
	// SendBuffer is the same for answers.
	SendBuffer Size `yaml:"send_buffer"`
	// PinWorkers ties each worker to a CPU of its own.
	PinWorkers bool `yaml:"pin_workers"`
	// TCPMaxConnections is the number of TCP connections open at once.
	TCPMaxConnections int `yaml:"tcp_max_connections"`
	// TCPMaxConnectionsPerAddress is the same for one client address.
	TCPMaxConnectionsPerAddress int `yaml:"tcp_max_connections_per_address"`
	// TCPIdleTimeout is how long a connection may wait for its next query.
	TCPIdleTimeout time.Duration `yaml:"tcp_idle_timeout"`
	// TCPReadTimeout is how long a query that has begun may take to arrive.
	TCPReadTimeout time.Duration `yaml:"tcp_read_timeout"`
	// TCPWriteTimeout is how long a client may take to accept an answer.
	TCPWriteTimeout time.Duration `yaml:"tcp_write_timeout"`
	// TCPMaxInFlight is the number of queries of one connection that are
	// being answered at once; reading pauses beyond it.
	TCPMaxInFlight int `yaml:"tcp_max_in_flight"`
	// Identity answers id.server and hostname.bind (class CH, RFC 4892);
	// those are REFUSED while it is empty.
	Identity string `yaml:"identity"`
	// NSID names this server to who asks with the EDNS option of that name
	// (RFC 5001): text, or 0x and hexadecimal digits; off while it is empty.
	NSID string `yaml:"nsid"`
	// Cookies answers DNS cookies (RFC 7873); false ignores them.
	Cookies bool `yaml:"cookies"`
	// CookieSecretFile is a file of cookie secrets, to share among servers that
	// answer at one address; a random one is made while it is empty.
	CookieSecretFile string `yaml:"cookie_secret_file"`
	// ErrorReportingAgent is the domain that resolvers report errors to
	// (RFC 9567); they are not asked to while it is empty.
	ErrorReportingAgent string `yaml:"error_reporting_agent"`
	// Any is what QTYPE ANY gets: minimal (one RRset, RFC 8482) or full (all).
	Any string `yaml:"any"`
	// RateLimit bounds what forged queries can have sent to others.
	RateLimit RateLimit `yaml:"rate_limit"`
}

// RateLimit limits the answers by UDP that are alike and go to one block of
// client addresses. Answers to a good DNS cookie are not limited.
type RateLimit struct {
	// ResponsesPerSecond is the rate of answers to one name and type; 0 turns
	// all limits off.
	ResponsesPerSecond int `yaml:"responses_per_second"`
	// NoDataPerSecond is the rate of answers that a name has no such data; 0
	// means responses_per_second, -1 no limit.
	NoDataPerSecond int `yaml:"nodata_per_second"`
	// ReferralsPerSecond is the same for referrals to one delegation.
	ReferralsPerSecond int `yaml:"referrals_per_second"`
	// NXDomainsPerSecond is the same for names that do not exist.
	NXDomainsPerSecond int `yaml:"nxdomains_per_second"`
	// ErrorsPerSecond is the same for errors, such as REFUSED.
	ErrorsPerSecond int `yaml:"errors_per_second"`
	// Slip has one of so many answers over the rate go out truncated, so that
	// a client that asked itself comes back by TCP; 0 drops all.
	Slip int `yaml:"slip"`
	// Window is how long a client that stays above the rate is held back after
	// it has stopped; 0 lets the rate itself through all the time.
	Window time.Duration `yaml:"window"`
	// IPv4PrefixLength is the size of the blocks of IPv4 addresses.
	IPv4PrefixLength int `yaml:"ipv4_prefix_length"`
	// IPv6PrefixLength is the size of the blocks of IPv6 addresses.
	IPv6PrefixLength int `yaml:"ipv6_prefix_length"`
	// Exempt lists the networks that are not limited.
	Exempt []string `yaml:"exempt"`
	// LogOnly counts and logs what would be limited, and sends it.
	LogOnly bool `yaml:"log_only"`
	// MaxTableSize is the number of limits that are kept at once.
	MaxTableSize int `yaml:"max_table_size"`
}

// API sets the HTTP listener of the API, the health checks and the metrics.
type API struct {
	// Listen is the one address and port of the HTTP listener.
	Listen string `yaml:"listen"`
	// TLS turns HTTPS on when both files are given.
	TLS TLS `yaml:"tls"`
	// MaxBody is the largest request body.
	MaxBody Size `yaml:"max_body"`
	// MaxBulkBody is the largest body of a request about many zones.
	MaxBulkBody Size `yaml:"max_bulk_body"`
	// ReadTimeout is how long a request may take to arrive, body included.
	ReadTimeout time.Duration `yaml:"read_timeout"`
	// IdleTimeout is how long a connection may wait for its next request.
	IdleTimeout time.Duration `yaml:"idle_timeout"`
	// RequestsPerSecondPerToken is the rate of requests with one token; 0 means
	// any.
	RequestsPerSecondPerToken int `yaml:"requests_per_second_per_token"`
}

// TLS names a certificate and its key. Both files are read again on SIGHUP.
type TLS struct {
	// CertFile is a PEM file with the certificate and its intermediates.
	CertFile string `yaml:"cert_file"`
	// KeyFile is the PEM file of the certificate's private key.
	KeyFile string `yaml:"key_file"`
}

// Metrics sets what Prometheus gets at GET /metrics.
type Metrics struct {
	// RequireToken asks for an API token on /metrics. The health checks never
	// need one: they say nothing that a stranger could use.
	RequireToken bool `yaml:"require_token"`
	// PerZone adds the series that exist once a zone; turn it off for a large
	// fleet of zones.
	PerZone bool `yaml:"per_zone"`
	// ZoneQueries counts the queries about each zone.
	ZoneQueries bool `yaml:"zone_queries"`
}

// Transfer sets what a primary may take of us, and the bounds put on the
// timers of a zone's SOA record. A transfer over any limit is ended and the
// version served before stays.
type Transfer struct {
	// ConnectTimeout is how long a connection to a peer may take, with the handshake of TLS.
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	// FirstMessageTimeout is how long a peer may take to begin its answer.
	FirstMessageTimeout time.Duration `yaml:"first_message_timeout"`
	// MessageTimeout is the longest wait between two messages of a transfer.
	MessageTimeout time.Duration `yaml:"message_timeout"`
	// TotalTimeout is the longest that a whole transfer may take.
	TotalTimeout time.Duration `yaml:"total_timeout"`
	// MinRate is the least number of octets a second, on average, once a
	// transfer has run for 30 seconds; 0 means any.
	MinRate Size `yaml:"min_rate"`
	// MaxBytes is the largest transfer, in octets received.
	MaxBytes Size `yaml:"max_bytes"`
	// MaxBytesRunning is the same for all running transfers together.
	MaxBytesRunning Size `yaml:"max_bytes_running"`
	// MaxMessages is the largest number of messages in a transfer.
	MaxMessages int `yaml:"max_messages"`
	// MaxRecords is the largest number of records in a zone.
	MaxRecords int `yaml:"max_records"`
	// MaxRRsetRecords is the largest number of records in an RRset.
	MaxRRsetRecords int `yaml:"max_rrset_records"`
	// MaxTypesPerName is the largest number of types at a name.
	MaxTypesPerName int `yaml:"max_types_per_name"`
	// MaxRunning is the number of transfers that run at once.
	MaxRunning int `yaml:"max_running"`
	// MaxRunningPerPeer is the same for one peer address.
	MaxRunningPerPeer int `yaml:"max_running_per_peer"`
	// SOAQueriesPerSecondPerPeer is the rate of SOA polls to one peer address.
	SOAQueriesPerSecondPerPeer int `yaml:"soa_queries_per_second_per_peer"`
	// AskAllPeers asks every peer of a zone for its serial and takes the newest
	// version; false takes the first in order that is newer, or as new.
	AskAllPeers bool `yaml:"ask_all_peers"`
	// IXFRByUDP asks peers with ixfr_enable for the differences by UDP, in place
	// of the serial: small changes then take one question in all.
	IXFRByUDP bool `yaml:"ixfr_by_udp"`
	// RequireAA refuses transfers whose messages are not marked as authoritative
	// (RFC 5936 section 2.2.1), as those of some primaries are not.
	RequireAA bool `yaml:"require_aa"`
	// SourceIPv4 is the address that IPv4 peers are asked from; the system
	// chooses while it is empty.
	SourceIPv4 string `yaml:"source_ipv4"`
	// SourceIPv6 is the same for IPv6 peers.
	SourceIPv6 string `yaml:"source_ipv6"`
	// MaxShrinkPercent is the share of its records that a zone may lose from one
	// version to the next, those for DNSSEC not counted; a version that loses
	// more is held. 100 holds none. A zone can have a setting of its own.
	MaxShrinkPercent int `yaml:"max_shrink_percent"`
	// MaxShrinkFrom is how many records a zone must have had for that.
	MaxShrinkFrom int `yaml:"max_shrink_from"`
	// OnFaults is what is done about a new version with records that must not be
	// together, such as a CNAME beside others: ignore, warn or hold.
	OnFaults string `yaml:"on_faults"`
	// OnBadZONEMD is the same for one that is not what its ZONEMD record says
	// (RFC 8976).
	OnBadZONEMD string `yaml:"on_bad_zonemd"`
	// OnBadDNSSEC is the same for a signed zone whose signatures, or whose proofs
	// of what does not exist, a resolver would not accept.
	OnBadDNSSEC string `yaml:"on_bad_dnssec"`
	// TrustAnchors are DS or DNSKEY records that zones must be signed for. A
	// zone without one is trusted as it stands.
	TrustAnchors []string `yaml:"trust_anchors"`
	// MinRetry is the shortest SOA RETRY that is honoured.
	MinRetry time.Duration `yaml:"min_retry"`
	// MaxRetry is the longest SOA RETRY that is honoured.
	MaxRetry time.Duration `yaml:"max_retry"`
	// MinExpire is the shortest SOA EXPIRE that is honoured.
	MinExpire time.Duration `yaml:"min_expire"`
	// MaxExpire is the longest SOA EXPIRE that is honoured.
	MaxExpire time.Duration `yaml:"max_expire"`
	// MaxBackoff is the longest wait between tries after repeated failures.
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// DefaultRetry stands in for a SOA RETRY of 0.
	DefaultRetry time.Duration `yaml:"default_retry"`
	// DefaultExpire stands in for a SOA EXPIRE of 0.
	DefaultExpire time.Duration `yaml:"default_expire"`
	// ForbidPrivatePeers refuses loopback and private addresses as peers,
	// when they are configured and again when they are dialled.
	ForbidPrivatePeers bool `yaml:"forbid_private_peers"`
}

// Notify sets what NOTIFY messages may take of us.
type Notify struct {
	// RequireKey refuses an unsigned NOTIFY from the address of a peer that
	// has a TSIG key. Without it such a NOTIFY starts a check, which is signed.
	RequireKey bool `yaml:"require_key"`
	// MaxPerSecondPerSource is the rate at which NOTIFY of one address is
	// refused with an answer; what is over it gets none. NOTIFY from those who
	// may send it is never dropped.
	MaxPerSecondPerSource int `yaml:"max_per_second_per_source"`
	// LogLinesPerSecond is how many lines a second NOTIFY may write to the
	// log; 0 means none.
	LogLinesPerSecond int `yaml:"log_lines_per_second"`
}

// Zones sets what is kept of zones.
type Zones struct {
	// Versions is how many versions of each zone are kept on disk, that which is
	// served among them: what a zone can be compared with and rolled back to. 1
	// keeps the served one alone.
	Versions int `yaml:"versions"`
}
