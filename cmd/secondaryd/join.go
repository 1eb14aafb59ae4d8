package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"

	"secondaryd/api"
	"secondaryd/configs"
	"secondaryd/metrics"
	"secondaryd/transfer"
	"secondaryd/zonestore"
	"secondaryd/zonestore/dnssec"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
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
		Messages:       c.MaxMessages,
		Records:        c.MaxRecords,
		RRsetRecords:   c.MaxRRsetRecords,
		TypesPerName:   c.MaxTypesPerName,
		Running:        c.MaxRunning,
		RunningPerPeer: c.MaxRunningPerPeer,
		PollsPerSecond: c.SOAQueriesPerSecondPerPeer,
		Guard:          guardOf(c),
		AskAll:         c.AskAllPeers,
		IXFRByUDP:      c.IXFRByUDP,
		RequireAA:      c.RequireAA,
		Source4:        sourceOf(c.SourceIPv4),
		Source6:        sourceOf(c.SourceIPv6),
		MinRetry:       c.MinRetry,
		MaxRetry:       c.MaxRetry,
		MinExpire:      c.MinExpire,
		MaxExpire:      c.MaxExpire,
		MaxBackoff:     c.MaxBackoff,
		DefaultRetry:   c.DefaultRetry,
		DefaultExpire:  c.DefaultExpire,
		ForbidPrivate:  c.ForbidPrivatePeers,
	}
}

func guardOf(c configs.Transfer) transfer.Guard {
	reactions := map[string]transfer.Reaction{
		configs.ReactionIgnore: transfer.Ignore, configs.ReactionWarn: transfer.Warn, configs.ReactionHold: transfer.Hold,
	}
	return transfer.Guard{
		ShrinkPercent: c.MaxShrinkPercent, ShrinkFrom: c.MaxShrinkFrom,
		Faults: reactions[c.OnFaults], ZONEMD: reactions[c.OnBadZONEMD], DNSSEC: reactions[c.OnBadDNSSEC],
	}
}

// anchorsOf reads the trust anchors, by the folded names of their zones.
func anchorsOf(c configs.Transfer) (map[string][]dnssec.Anchor, error) {
	anchors := map[string][]dnssec.Anchor{}
	for _, text := range c.TrustAnchors {
		apex, anchor, err := dnssec.ParseAnchor(text)
		if err != nil {
			return nil, fmt.Errorf("transfer.trust_anchors: %w", err)
		}
		name := string(apex.Fold())
		anchors[name] = append(anchors[name], anchor)
	}
	return anchors, nil
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
	status := api.Status{
		State: s.State.String(), Activity: s.Activity, Serial: s.Serial, Records: s.Records, Unsaved: s.Unsaved,
		Checked: s.Checked, Confirmed: s.Confirmed, Expires: s.Expires, Next: s.Next,
	}
	if h := s.Held; h != nil {
		status.Held = &api.Held{
			Serial: h.Serial, Records: h.Records, Peer: h.Peer, Cause: string(h.Cause), Detail: h.Text, Since: h.Since, Discarded: h.Discarded,
			RolledBack: h.RolledBack,
		}
	}
	for _, t := range s.Tries {
		status.Peers = append(status.Peers, peerStatus(t))
	}
	return status, ok
}

func (z zoneStatus) WaitSerial(ctx context.Context, zoneID string, serial *uint32) error {
	return busyError(z.engine.WaitSerial(ctx, zoneID, serial))
}

// busyError gives what the engine has too much of the API's words.
func busyError(err error) error {
	if errors.Is(err, transfer.ErrBusy) {
		return api.ErrBusy
	}
	return err
}

func peerStatus(t transfer.Try) api.PeerStatus {
	p := api.PeerStatus{
		ID: t.Peer, Address: t.Address, Tried: t.At, Earlier: t.Earlier, RTT: t.RTT, Kind: t.Kind, Octets: t.Octets, Took: t.Took, Result: "ok",
		Differs: t.Differs,
	}
	if t.Known {
		p.Serial = &t.Serial
	}
	if t.IXFR != nil {
		p.IXFR = t.IXFR.Error()
	}
	if t.Err != nil {
		p.Result, p.Step, p.Cause, p.Detail = "failed", string(t.Err.Step), string(t.Err.Cause), t.Err.Error()
	}
	if t.LeftOut {
		p.Result = "left_out"
	}
	return p
}

// servedCopies gives the API the copies that are served.
type servedCopies struct{ store *zonestore.Store }

func (s servedCopies) Copy(zoneID string) (*zone.Zone, bool) {
	served, ok := s.store.Get(zoneID)
	if !ok {
		return nil, false
	}
	z := served.View().Zone
	return z, z != nil
}

// orders hands the API's orders to the engine.
type orders struct{ *transfer.Engine }

func (o orders) Release(zoneID string, serial uint32) error {
	return orderError(o.Engine.Release(zoneID, serial))
}

func (o orders) Discard(zoneID string, serial uint32) error {
	return orderError(o.Engine.Discard(zoneID, serial))
}

func (o orders) Rollback(ctx context.Context, zoneID string, serial *uint32, by string) (uint32, error) {
	to, err := o.Engine.Rollback(ctx, zoneID, serial, by)
	return to, orderError(err)
}

// zoneVersions gives the API the versions of zones.
type zoneVersions struct{ engine *transfer.Engine }

func (z zoneVersions) Versions(zoneID string) ([]api.Version, error) {
	list, err := z.engine.Versions(zoneID)
	all := make([]api.Version, len(list))
	for i, v := range list {
		all[i] = api.Version{Serial: v.Serial, Received: v.Received, State: string(v.State), Records: v.Records, Changes: v.Changes}
	}
	return all, err
}

func (z zoneVersions) Version(zoneID string, serial uint32) (*zone.Zone, error) {
	version, err := z.engine.Version(zoneID, serial)
	return version, orderError(err)
}

// orderError gives what the engine says the API's words.
func orderError(err error) error {
	switch {
	case errors.Is(err, transfer.ErrBusy):
		return api.ErrBusy
	case errors.Is(err, transfer.ErrNoCopy):
		return api.ErrNoCopy
	case errors.Is(err, transfer.ErrNoVersion):
		return api.ErrNoVersion
	case errors.Is(err, transfer.ErrServed):
		return api.ErrServed
	case errors.Is(err, transfer.ErrOutOfTime):
		return api.ErrOutOfTime
	case errors.Is(err, transfer.ErrNothingHeld):
		return api.ErrNothingHeld
	case errors.Is(err, transfer.ErrOtherHeld):
		return api.ErrOtherHeld
	default:
		return err
	}
}

// eventOf gives an event of the engine the API's words.
func eventOf(ev transfer.Event) api.Event {
	event := api.Event{
		Kind: string(ev.Kind), At: ev.At, ZoneID: ev.ZoneID, Zone: ev.Zone, Peer: ev.Peer,
		Serial: ev.Serial, OldSerial: ev.OldSerial, Transfer: ev.Transfer,
	}
	if ev.Err != nil {
		event.Step, event.Cause, event.Detail = string(ev.Err.Step), string(ev.Err.Cause), ev.Err.Error()
	}
	return event
}

// diagnoser has the engine look at peers for the API.
type diagnoser struct{ engine *transfer.Engine }

func (d diagnoser) Diagnose(ctx context.Context, zoneID string, tell func(api.Diagnosis)) ([]api.Diagnosis, error) {
	found, err := d.engine.Diagnose(ctx, zoneID, func(f transfer.Diagnosis) {
		if tell != nil {
			tell(diagnosisOf(f))
		}
	})
	all := make([]api.Diagnosis, len(found))
	for i, f := range found {
		all[i] = diagnosisOf(f)
	}
	return all, busyError(err)
}

func diagnosisOf(f transfer.Diagnosis) api.Diagnosis {
	d := api.Diagnosis{Peer: f.Peer, Address: f.Address, Skew: f.Skew}
	for _, step := range f.Findings {
		d.Steps = append(d.Steps, api.DiagnosisStep{
			Name: step.Name, Result: string(step.Outcome), Cause: string(step.Cause), Detail: step.Detail, Advice: step.Advice, Took: step.Took,
		})
	}
	return d
}

// configCopies is how many copies of the configuration are up to date.
func configCopies(r *registry.Registry) int {
	if r.Degraded() != nil {
		return 1
	}
	return 2
}

// zoneSeries yields what a scrape shows of each zone.
func zoneSeries(engine *transfer.Engine) iter.Seq[metrics.Zone] {
	return func(yield func(metrics.Zone) bool) {
		for s := range engine.Statuses() {
			if !yield(seriesOf(s)) {
				return
			}
		}
	}
}

func seriesOf(s transfer.Status) metrics.Zone {
	z := metrics.Zone{
		Name:      s.Zone,
		State:     s.State.String(),
		Serial:    s.Serial,
		Records:   s.Records,
		Checked:   s.Checked,
		Confirmed: s.Confirmed,
		Expires:   s.Expires,
		Unsaved:   s.Unsaved,
		Activity:  s.Activity,
		Differs:   s.Differs,
		Queries:   s.Queries,
	}
	if s.Held != nil && !s.Held.Discarded {
		z.Held, z.HeldCause = s.Held.Since, string(s.Held.Cause)
	}
	for _, f := range s.Failures {
		z.Failing = append(z.Failing, metrics.FailingPeer{Peer: f.Peer, Step: string(f.Step), Cause: string(f.Cause), NextTry: s.Next})
	}
	return z
}
