package main

import (
	"net/netip"

	"secondaryd/api"
	"secondaryd/configs"
	"secondaryd/metrics"
	"secondaryd/transfer"
)

// limitsOf turns settings into what the transfer engine holds primaries to.
func limitsOf(c configs.Transfer) transfer.Limits {
	return transfer.Limits{
		Connect:        c.ConnectTimeout,
		FirstMessage:   c.FirstMessageTimeout,
		Message:        c.MessageTimeout,
		Total:          c.TotalTimeout,
		MinRate:        int64(c.MinRate),
		Bytes:          int64(c.MaxBytes),
		BytesRunning:   int64(c.MaxBytesRunning),
		Records:        c.MaxRecords,
		RRsetRecords:   c.MaxRRsetRecords,
		TypesPerName:   c.MaxTypesPerName,
		Running:        c.MaxRunning,
		RunningPerPeer: c.MaxRunningPerPeer,
		PollsPerSecond: c.SOAQueriesPerSecondPerPeer,
		AskAll:         c.AskAllPeers,
		RequireAA:      c.RequireAA,
		Source4:        sourceOf(c.SourceIPv4),
		Source6:        sourceOf(c.SourceIPv6),
		MinRetry:       c.MinRetry,
		MinExpire:      c.MinExpire,
		MaxBackoff:     c.MaxBackoff,
		DefaultRetry:   c.DefaultRetry,
		DefaultExpire:  c.DefaultExpire,
		ForbidPrivate:  c.ForbidPrivatePeers,
	}
}

// sourceOf reads an address that passed the settings' checks; none leaves the
// choice to the system.
func sourceOf(text string) netip.Addr {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// zoneStatus tells the API what the engine knows of a zone.
type zoneStatus struct{ engine *transfer.Engine }

func (z zoneStatus) Status(zoneID string) (api.Status, bool) {
	s, ok := z.engine.Status(zoneID)
	return api.Status{Serial: s.Serial, Checked: s.Checked}, ok
}

// zoneSeries makes what a scrape shows of the zones.
func zoneSeries(engine *transfer.Engine) []metrics.Zone {
	statuses := engine.Statuses()
	zones := make([]metrics.Zone, len(statuses))
	for i, s := range statuses {
		zones[i] = metrics.Zone{
			Name:      s.Zone,
			State:     s.State.String(),
			Serial:    s.Serial,
			Records:   s.Records,
			Checked:   s.Checked,
			Confirmed: s.Confirmed,
			Expires:   s.Expires,
			Unsaved:   s.Unsaved,
		}
		for _, f := range s.Failures {
			zones[i].Failing = append(zones[i].Failing, metrics.FailingPeer{
				Peer: f.Peer, Step: string(f.Step), Cause: string(f.Cause), NextTry: s.Next,
			})
		}
	}
	return zones
}
