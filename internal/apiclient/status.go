package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Status is what a server knows of a zone's copy. What is not known is nil.
type Status struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	State     string       `json:"state"` // empty, serving, expired
	Serial    *uint32      `json:"soa_serial"`
	Records   *int         `json:"records"`
	Checked   *time.Time   `json:"checked_time"`
	Confirmed *time.Time   `json:"confirmed_time"`
	Expires   *time.Time   `json:"expiry_time"`
	Next      *time.Time   `json:"next_check_time"`
	Unsaved   bool         `json:"unsaved"`
	Held      *Held        `json:"held"`
	Peers     []PeerStatus `json:"peers"`
}

// Held is a version that waits for a person.
type Held struct {
	Serial    uint32    `json:"soa_serial"`
	Records   *int      `json:"records"`
	Peer      string    `json:"peer"`
	Cause     string    `json:"cause"`
	Detail    string    `json:"detail"`
	Since     time.Time `json:"held_time"`
	Discarded bool      `json:"discarded"`

	RolledBack bool `json:"rolled_back"` // an operator went back from it
}

// PeerStatus is what a peer did when it was asked last.
type PeerStatus struct {
	ID       string     `json:"id"`
	Address  string     `json:"address"`
	Result   string     `json:"result"`  // ok, failed, left_out
	Earlier  bool       `json:"earlier"` // not in the last check
	Tried    *time.Time `json:"tried_time"`
	Serial   *uint32    `json:"soa_serial"`
	RTT      *float64   `json:"rtt_seconds"`
	Step     string     `json:"step"`
	Cause    string     `json:"cause"`
	Detail   string     `json:"detail"`
	Transfer *Transfer  `json:"transfer"`
	Differs  bool       `json:"differs"` // it has other content with our serial
}

// Transfer is the last one from a peer.
type Transfer struct {
	Kind      string  `json:"kind"` // axfr, ixfr
	Octets    int64   `json:"bytes"`
	Seconds   float64 `json:"duration_seconds"`
	IXFRError string  `json:"ixfr_error"`
}

// Status reads a zone's status, and gives it as it came too.
func (c *Client) Status(ctx context.Context, zoneID string) (Status, json.RawMessage, error) {
	answer, err := c.Get(ctx, IncomingPath(zoneID)+"/status")
	if err != nil {
		return Status{}, nil, err
	}
	var s Status
	if err := json.Unmarshal(answer.Result, &s); err != nil {
		return Status{}, nil, fmt.Errorf("GET %s/status: %w", IncomingPath(zoneID), err)
	}
	return s, answer.Result, nil
}

// CheckedSince reports whether a check of the peers has ended since before. If
// none of them gave or confirmed the zone, or what one gave is held, err says why.
func (s Status) CheckedSince(before Status) (ended bool, err error) {
	if h := s.Held; h != nil && !h.Discarded && (before.Held == nil || !before.Held.Since.Equal(h.Since)) {
		return true, fmt.Errorf("the new version, serial %d, is held: %s", h.Serial, h.Detail)
	}
	if !s.lastTry().After(before.lastTry()) {
		return false, nil
	}
	if s.confirmed() {
		return true, nil
	}
	return true, errors.New(s.Failures())
}

// TransferredSince reports whether the zone was transferred as a whole since
// before; err is as with CheckedSince.
func (s Status) TransferredSince(before Status) (ended bool, err error) {
	ended, err = s.CheckedSince(before)
	if !ended || err != nil {
		return ended, err
	}
	earlier := map[string]Transfer{}
	for _, p := range before.Peers {
		if p.Transfer != nil {
			earlier[p.ID] = *p.Transfer
		}
	}
	for _, p := range s.Peers {
		if p.asked() && p.Result == "ok" && p.Transfer != nil && p.Transfer.Kind == "axfr" && *p.Transfer != earlier[p.ID] {
			return true, nil
		}
	}
	return false, nil // a check that was on its way before the order
}

// Failures says in one line what the peers failed with in the last check.
func (s Status) Failures() string {
	var reasons []string
	for _, p := range s.Peers {
		if p.asked() && p.Result != "ok" {
			reasons = append(reasons, p.Label()+": "+p.Reason())
		}
	}
	return strings.Join(reasons, "; ")
}

// Label is the peer's address, or its id if it has none.
func (p PeerStatus) Label() string {
	if p.Address == "" {
		return p.ID
	}
	return p.Address
}

// Reason says why the peer failed.
func (p PeerStatus) Reason() string {
	for _, text := range []string{p.Detail, p.Cause} {
		if text != "" {
			return text
		}
	}
	return p.Result
}

func (p PeerStatus) asked() bool { return !p.Earlier }

func (s Status) lastTry() time.Time {
	var last time.Time
	for _, p := range s.Peers {
		if p.asked() && p.Tried != nil && p.Tried.After(last) {
			last = *p.Tried
		}
	}
	return last
}

// confirmed reports whether a peer gave or confirmed the zone in the last check.
func (s Status) confirmed() bool {
	for _, p := range s.Peers {
		if p.asked() && p.Result == "ok" {
			return true
		}
	}
	return false
}
