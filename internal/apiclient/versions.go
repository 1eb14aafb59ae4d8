package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Version is a version of a zone that a server keeps. What is not known is nil.
type Version struct {
	Serial      uint32     `json:"soa_serial"`
	State       string     `json:"state"` // served, expired, held, kept
	Received    *time.Time `json:"received_time"`
	Records     *int       `json:"records"`
	Incremental bool       `json:"incremental"`
}

// Diff is what leads from one version to another.
type Diff struct {
	From      uint32         `json:"from_soa_serial"`
	To        uint32         `json:"to_soa_serial"`
	Removed   int            `json:"removed"`
	Added     int            `json:"added"`
	Truncated bool           `json:"truncated"` // Changes are not all
	Changes   []RecordChange `json:"changes"`
}

// RecordChange is a record that one version has and the other does not.
type RecordChange struct {
	Change string `json:"change"` // removed, added
	Name   string `json:"name"`
	Type   string `json:"type"`
	TTL    uint32 `json:"ttl"`
	Data   string `json:"data"`
}

// Versions lists the versions of a zone, the newest first, and gives the list as
// it came too.
func (c *Client) Versions(ctx context.Context, zoneID string) ([]Version, json.RawMessage, error) {
	var list []Version
	raw, err := c.read(ctx, IncomingPath(zoneID)+"/versions", &list)
	return list, raw, err
}

// Diff asks for the differences between two versions of a zone, and gives them as
// they came too.
func (c *Client) Diff(ctx context.Context, zoneID string, from, to uint32) (Diff, json.RawMessage, error) {
	var d Diff
	raw, err := c.read(ctx, fmt.Sprintf("%s/versions/%d/diff?to=%d", IncomingPath(zoneID), from, to), &d)
	return d, raw, err
}

// read reads what is at the path.
func (c *Client) read(ctx context.Context, path string, into any) (json.RawMessage, error) {
	answer, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(answer.Result, into); err != nil {
		return nil, fmt.Errorf("GET %s: %w", path, err)
	}
	return answer.Result, nil
}
