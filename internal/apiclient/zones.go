package apiclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// zonesPerPage is the most that the API gives.
const zonesPerPage = 1000

// Zone is an entry of the list of zones.
type Zone struct {
	ID      string `json:"id"`
	Name    string `json:"name"` // without the last dot
	Status  string `json:"status"`
	Account struct {
		ID string `json:"id"`
	} `json:"account"`
}

// Unconfigured is the status of a zone that has no incoming configuration.
const Unconfigured = "initializing"

// Incoming is the configuration of a zone.
type Incoming struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Peers       []string  `json:"peers"`
	AutoRefresh int64     `json:"auto_refresh_seconds"`
	Serial      uint32    `json:"soa_serial"`
	Created     time.Time `json:"created_time"`
	Modified    time.Time `json:"modified_time"`
	Checked     time.Time `json:"checked_time"`
}

// IncomingPath is where the configuration of a zone stands; more may follow it.
func IncomingPath(zoneID string) string {
	return ZonePath(zoneID) + "/secondary_dns/incoming"
}

// ZonePath is where a zone as a whole stands.
func ZonePath(zoneID string) string { return "/zones/" + url.PathEscape(zoneID) }

// ExportPath is where the copy of a zone is read as a zone file.
func ExportPath(zoneID string) string { return ZonePath(zoneID) + "/dns_records/export" }

// ForcePath is where a full transfer is ordered.
func ForcePath(zoneID string) string {
	return ZonePath(zoneID) + "/secondary_dns/force_axfr"
}

// Zones reads the list of zones, page by page; name and account narrow it and
// may be empty. The answer's result is all pages in one list.
func (c *Client) Zones(ctx context.Context, name, account string) ([]json.RawMessage, error) {
	query := url.Values{"per_page": {strconv.Itoa(zonesPerPage)}}
	if name != "" {
		query.Set("name", name)
	}
	if account != "" {
		query.Set("account.id", account)
	}
	all := []json.RawMessage{}
	for page := 1; ; page++ {
		query.Set("page", strconv.Itoa(page))
		answer, err := c.Get(ctx, "/zones?"+query.Encode())
		if e, ok := errors.AsType[*Error](err); ok && e.NoSuchPath() {
			return nil, errors.New("the server does not list zones: name the zone by its id")
		}
		if err != nil {
			return nil, err
		}
		var zones []json.RawMessage
		if err := json.Unmarshal(answer.Result, &zones); err != nil {
			return nil, fmt.Errorf("GET /zones: %w", err)
		}
		all = append(all, zones...)
		if len(zones) == 0 || answer.Info == nil || page >= answer.Info.TotalPages {
			return all, nil
		}
	}
}

// ListZones is Zones, decoded.
func (c *Client) ListZones(ctx context.Context, name, account string) ([]Zone, error) {
	raw, err := c.Zones(ctx, name, account)
	if err != nil {
		return nil, err
	}
	zones := make([]Zone, len(raw))
	for i, text := range raw {
		if err := json.Unmarshal(text, &zones[i]); err != nil {
			return nil, fmt.Errorf("GET /zones: %w", err)
		}
	}
	return zones, nil
}

// FindZone finds a zone by its id or its name. What looks like an id that was
// made is one, and is not asked for.
func (c *Client) FindZone(ctx context.Context, ref, account string) (Zone, error) {
	if MadeID(ref) {
		return Zone{ID: ref}, nil
	}
	name := FoldName(ref)
	zones, err := c.ListZones(ctx, name, account)
	if err != nil {
		return Zone{}, err
	}
	var found []Zone
	for _, zone := range zones {
		if FoldName(zone.Name) == name || zone.ID == ref {
			found = append(found, zone)
		}
	}
	switch len(found) {
	case 0:
		return c.zoneByID(ctx, ref)
	case 1:
		return found[0], nil
	}
	return Zone{}, AmbiguousZone(ref, found)
}

// AmbiguousZone tells of the zones that a name may mean.
func AmbiguousZone(ref string, candidates []Zone) *AmbiguousError {
	e := &AmbiguousError{Kind: "zone", Name: ref}
	for _, zone := range candidates {
		e.Candidates = append(e.Candidates, fmt.Sprintf("%s  %s, account %s", zone.ID, zone.Name, zone.Account.ID))
	}
	return e
}

// zoneByID is for ids that a client chose, which may look like names.
func (c *Client) zoneByID(ctx context.Context, id string) (Zone, error) {
	if !ValidID(id) {
		return Zone{}, &NotFoundError{Kind: "zone", Name: id}
	}
	_, err := c.Get(ctx, IncomingPath(id))
	if e, ok := errors.AsType[*Error](err); ok && e.Status == http.StatusNotFound {
		return Zone{}, &NotFoundError{Kind: "zone", Name: id}
	}
	return Zone{ID: id}, err
}

// ValidID reports whether text can be an id in a path.
func ValidID(text string) bool {
	return text != "" && len(text) <= 64 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

// MadeID reports whether text has the form of the ids that the server makes.
func MadeID(text string) bool {
	return len(text) == 32 && strings.Trim(text, "0123456789abcdef") == ""
}

// FoldName makes domain names comparable: ASCII letters of one case, and no last
// dot, as the list of zones has them.
func FoldName(name string) string {
	if name == "." {
		return name
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// Zone reads the entry of one zone.
func (c *Client) Zone(ctx context.Context, id string) (Zone, error) {
	var zone Zone
	answer, err := c.Get(ctx, ZonePath(id))
	if err != nil {
		return zone, err
	}
	return zone, json.Unmarshal(answer.Result, &zone)
}
