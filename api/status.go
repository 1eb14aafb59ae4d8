package api

import (
	"errors"
	"time"

	"github.com/labstack/echo/v4"
)

// What an order about a held version can fail with.
var (
	ErrNothingHeld = errors.New("no version of the zone is held")
	ErrOtherHeld   = errors.New("another version of the zone is held by now")
)

// Status is what is known of a zone's copy. Times are zero for never.
type Status struct {
	State     string // empty, serving or expired
	Activity  string // of refreshing it: idle, queued or running
	Serial    uint32 // of the copy held; 0 without one
	Records   int
	Checked   time.Time // when a primary was last asked
	Confirmed time.Time // when one last confirmed the copy
	Expires   time.Time
	Next      time.Time // the next check
	Unsaved   bool      // the copy is not on disk
	Held      *Held     // nil: no version is kept back
	Peers     []PeerStatus
}

// Held is a version that was kept back.
type Held struct {
	Serial    uint32
	Records   int    // 0 when it is discarded, or not known
	Peer      string // that it came from, empty for not known
	Cause     string // a fixed phrase
	Detail    string
	Since     time.Time
	Discarded bool

	RolledBack bool // an operator went back from it
}

// PeerStatus is what is known of a zone's peer.
type PeerStatus struct {
	ID      string
	Address string // and port; empty without one
	Result  string // of the last try: ok, failed, left_out (it does not answer and was not asked) or never
	Earlier bool   // it was not asked in the last check
	Tried   time.Time
	Serial  *uint32       // that it gave last
	RTT     time.Duration // of the last SOA query, 0 for none
	Step    string        // of a failure
	Cause   string
	Detail  string
	Kind    string // of the last transfer: axfr or ixfr, empty for none
	IXFR    string // why an incremental one did not do, empty for nothing
	Octets  int64
	Took    time.Duration
	Differs bool // it has other content than the copy, with the same serial
}

// statusView is a zone's status as clients see it. What is not known is null.
type statusView struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	State     string       `json:"state"`
	Activity  string       `json:"activity"`
	Serial    *uint32      `json:"soa_serial"`
	Records   *int         `json:"records"`
	Checked   *timestamp   `json:"checked_time"`
	Confirmed *timestamp   `json:"confirmed_time"`
	Expires   *timestamp   `json:"expiry_time"`
	Next      *timestamp   `json:"next_check_time"`
	Unsaved   bool         `json:"unsaved"`
	Held      *heldView    `json:"held"`
	Peers     []peerStatus `json:"peers"`
}

type heldView struct {
	Serial    uint32    `json:"soa_serial"`
	Records   *int      `json:"records"`
	Peer      string    `json:"peer"`
	Cause     string    `json:"cause"`
	Detail    string    `json:"detail"`
	Since     timestamp `json:"held_time"`
	Discarded bool      `json:"discarded"`

	RolledBack bool `json:"rolled_back"`
}

type peerStatus struct {
	ID       string        `json:"id"`
	Address  *string       `json:"address"`
	Result   string        `json:"result"`
	Earlier  bool          `json:"earlier"`
	Tried    *timestamp    `json:"tried_time"`
	Serial   *uint32       `json:"soa_serial"`
	RTT      *float64      `json:"rtt_seconds"`
	Step     *string       `json:"step"`
	Cause    *string       `json:"cause"`
	Detail   *string       `json:"detail"`
	Transfer *transferView `json:"transfer"`
	Differs  bool          `json:"differs,omitempty"`
}

type transferView struct {
	Kind   string  `json:"kind"`
	Octets int64   `json:"bytes"`
	Took   float64 `json:"duration_seconds"`
	IXFR   *string `json:"ixfr_error"`
}

// getStatus shows what the server knows of a zone's copy and of its peers.
func (s *Server) getStatus(c echo.Context) error {
	if err := s.wait(c); err != nil {
		return err
	}
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	status, ok := s.Zones.Status(zone.ID)
	if !ok {
		status.State, status.Activity = "empty", "idle" // so new that nothing is known
	}
	view := statusView{
		ID: zone.ID, Name: zone.Name, State: status.State, Activity: status.Activity, Unsaved: status.Unsaved,
		Checked: moment(status.Checked), Confirmed: moment(status.Confirmed), Expires: moment(status.Expires), Next: moment(status.Next),
		Peers: make([]peerStatus, len(status.Peers)),
	}
	if status.State != "empty" {
		view.Serial, view.Records = &status.Serial, &status.Records
	}
	if h := status.Held; h != nil {
		view.Held = &heldView{
			Serial: h.Serial, Peer: h.Peer, Cause: h.Cause, Detail: h.Detail, Since: timestamp(h.Since), Discarded: h.Discarded,
			RolledBack: h.RolledBack,
		}
		if h.Records > 0 {
			view.Held.Records = &h.Records
		}
	}
	for i, p := range status.Peers {
		view.Peers[i] = p.view()
	}
	return respond(c, view)
}

func (p PeerStatus) view() peerStatus {
	v := peerStatus{
		ID: p.ID, Address: known(p.Address), Result: p.Result, Earlier: p.Earlier, Tried: moment(p.Tried), Serial: p.Serial,
		Step: known(p.Step), Cause: known(p.Cause), Detail: known(p.Detail),
		Differs: p.Differs,
	}
	if p.RTT > 0 {
		v.RTT = new(p.RTT.Seconds())
	}
	if p.Kind != "" {
		v.Transfer = &transferView{Kind: p.Kind, Octets: p.Octets, Took: p.Took.Seconds(), IXFR: known(p.IXFR)}
	}
	return v
}

func moment(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	return new(timestamp(t))
}

func known(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
