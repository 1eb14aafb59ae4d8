package configs

import "time"

// Default returns the settings of a daemon that was told nothing. The limits
// hold a hostile primary and a hostile client; each is a key of its own.
func Default() Config {
	return Config{
		DataDir:         "/var/lib/secondaryd",
		ShutdownTimeout: 10 * time.Second,
		Audit:           Audit{Files: 8},
		Log:             Log{Level: "info", Format: "json"},
		DNS: DNS{
			Listen:                      []string{"0.0.0.0:53", "[::]:53"},
			UDPSize:                     1232,
			Workers:                     0,
			Batch:                       32,
			ReceiveBuffer:               4 * MiB,
			SendBuffer:                  4 * MiB,
			TCPMaxConnections:           10_000,
			TCPMaxConnectionsPerAddress: 100,
			TCPIdleTimeout:              10 * time.Second,
			TCPReadTimeout:              5 * time.Second,
			TCPWriteTimeout:             5 * time.Second,
			TCPMaxInFlight:              64,
			Cookies:                     true,
			Any:                         AnyMinimal,
			RateLimit: RateLimit{
				Slip:             2,
				Window:           15 * time.Second,
				IPv4PrefixLength: 24,
				IPv6PrefixLength: 56,
				Exempt:           []string{},
				MaxTableSize:     100_000,
			},
		},
		API: API{
			Listen:      "127.0.0.1:8080",
			MaxBody:     1 * MiB,
			MaxBulkBody: 8 * MiB,
			ReadTimeout: 10 * time.Second,
			IdleTimeout: 60 * time.Second,

			RequestsPerSecondPerToken: 2000,
		},
		Metrics: Metrics{RequireToken: false, PerZone: true, ZoneQueries: false},
		Transfer: Transfer{
			ConnectTimeout:             5 * time.Second,
			FirstMessageTimeout:        10 * time.Second,
			MessageTimeout:             10 * time.Second,
			TotalTimeout:               15 * time.Minute,
			MinRate:                    1 * KiB,
			MaxBytes:                   512 * MiB,
			MaxBytesRunning:            1 * GiB,
			MaxMessages:                10_000_000,
			MaxRecords:                 10_000_000,
			MaxRRsetRecords:            1_000,
			MaxTypesPerName:            100,
			MaxRunning:                 64,
			MaxRunningPerPeer:          8,
			SOAQueriesPerSecondPerPeer: 200,
			MaxShrinkPercent:           50,
			MaxShrinkFrom:              50,
			OnFaults:                   ReactionWarn,
			OnBadZONEMD:                ReactionHold,
			OnBadDNSSEC:                ReactionIgnore,
			TrustAnchors:               []string{},
			MinRetry:                   1 * time.Second,
			MinExpire:                  1 * time.Second,
			MaxBackoff:                 1 * time.Hour,
			DefaultRetry:               10 * time.Minute,
			DefaultExpire:              7 * 24 * time.Hour,
			ForbidPrivatePeers:         false,
		},
		Notify: Notify{RequireKey: false, MaxPerSecondPerSource: 1_000, LogLinesPerSecond: 5},
		Zones:  Zones{Versions: 3},
	}
}
