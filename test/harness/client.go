package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Client speaks the REST API as a stranger would: plain HTTP and JSON.
type Client struct {
	Base  string // http://host:port
	Token string // sent as bearer unless empty
}

// Problem is one entry of an answer's list of errors.
type Problem struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Source  struct {
		Pointer string `json:"pointer"`
	} `json:"source"`
}

// Answer is the envelope of every answer.
type Answer struct {
	Status  int             `json:"-"`
	Success bool            `json:"success"`
	Errors  []Problem       `json:"errors"`
	Result  json.RawMessage `json:"result"`
}

// TSIG is a key as the API has it.
type TSIG struct {
	ID     string `json:"id,omitempty"`
	Name   string `json:"name"`
	Algo   string `json:"algo"`
	Secret string `json:"secret"`
}

// Peer is a primary as the API has it.
type Peer struct {
	ID         string `json:"id,omitempty"`
	Name       string `json:"name"`
	IP         string `json:"ip,omitempty"`
	Port       int    `json:"port,omitempty"`
	IXFREnable bool   `json:"ixfr_enable,omitempty"`
	TSIGID     string `json:"tsig_id,omitempty"`
}

// Incoming is a zone's configuration as the API has it.
type Incoming struct {
	ID                 string   `json:"id,omitempty"`
	Name               string   `json:"name"`
	Peers              []string `json:"peers"`
	AutoRefreshSeconds int      `json:"auto_refresh_seconds"`
	SOASerial          uint32   `json:"soa_serial,omitempty"`
	CreatedTime        string   `json:"created_time,omitempty"`
	ModifiedTime       string   `json:"modified_time,omitempty"`
	CheckedTime        string   `json:"checked_time,omitempty"`
}

// Do sends one request; body nil means none. It is safe for concurrent use.
func (c *Client) Do(method, path string, body any) (*Answer, error) {
	status, text, err := c.raw(method, path, body)
	if err != nil {
		return nil, err
	}
	a := &Answer{Status: status}
	if err := json.Unmarshal(text, a); err != nil {
		return nil, fmt.Errorf("%s %s: status %d, not an envelope: %w: %s", method, path, status, err, text)
	}
	return a, nil
}

func (c *Client) raw(method, path string, body any) (int, []byte, error) {
	var reader io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequest(method, c.Base+path, reader)
	if err != nil {
		return 0, nil, err
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second}).Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, text, err
}

// call is Do for what must work: 200, success, and a result of T's form.
func call[T any](t testing.TB, c *Client, method, path string, body any) T {
	t.Helper()
	var result T
	a, err := c.Do(method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != http.StatusOK || !a.Success {
		t.Fatalf("%s %s: status %d, errors %+v", method, path, a.Status, a.Errors)
	}
	if err := json.Unmarshal(a.Result, &result); err != nil {
		t.Fatalf("%s %s: result %s: %v", method, path, a.Result, err)
	}
	return result
}

func account(kind string) string {
	return "/accounts/" + AccountID + "/secondary_dns/" + kind
}

func incoming(zone string) string {
	return "/zones/" + ZoneID(zone) + "/secondary_dns/incoming"
}

// CreateTSIG stores a key.
func (c *Client) CreateTSIG(t testing.TB, k Key) TSIG {
	t.Helper()
	return call[TSIG](t, c, http.MethodPost, account("tsigs"), TSIG{Name: k.Name, Algo: k.Algorithm, Secret: k.Secret})
}

// PutTSIG replaces a key.
func (c *Client) PutTSIG(t testing.TB, id string, k Key) TSIG {
	t.Helper()
	return call[TSIG](t, c, http.MethodPut, account("tsigs/"+id), TSIG{Name: k.Name, Algo: k.Algorithm, Secret: k.Secret})
}

// CreatePeer stores a primary.
func (c *Client) CreatePeer(t testing.TB, p Peer) Peer {
	t.Helper()
	return call[Peer](t, c, http.MethodPost, account("peers"), p)
}

// PutPeer replaces a primary.
func (c *Client) PutPeer(t testing.TB, p Peer) Peer {
	t.Helper()
	return call[Peer](t, c, http.MethodPut, account("peers/"+p.ID), p)
}

// CreateIncoming configures a zone under ZoneID of its name.
func (c *Client) CreateIncoming(t testing.TB, in Incoming) Incoming {
	t.Helper()
	return call[Incoming](t, c, http.MethodPost, incoming(in.Name), in)
}

// PutIncoming replaces a zone's configuration.
func (c *Client) PutIncoming(t testing.TB, in Incoming) Incoming {
	t.Helper()
	return call[Incoming](t, c, http.MethodPut, incoming(in.Name), in)
}

// GetIncoming reads a zone's configuration.
func (c *Client) GetIncoming(t testing.TB, zone string) Incoming {
	t.Helper()
	return call[Incoming](t, c, http.MethodGet, incoming(zone), nil)
}

// DeleteIncoming removes a zone's configuration.
func (c *Client) DeleteIncoming(t testing.TB, zone string) {
	t.Helper()
	call[struct{ ID string }](t, c, http.MethodDelete, incoming(zone), nil)
}

// ForceAXFR orders a transfer now.
func (c *Client) ForceAXFR(t testing.TB, zone string) {
	t.Helper()
	call[string](t, c, http.MethodPost, strings.TrimSuffix(incoming(zone), "incoming")+"force_axfr", nil)
}

// Metrics scrapes.
func (c *Client) Metrics(t testing.TB) Metrics {
	t.Helper()
	m, err := c.Scrape()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Scrape is Metrics that returns the error. It is safe for concurrent use.
func (c *Client) Scrape() (Metrics, error) {
	status, text, err := c.raw(http.MethodGet, "/metrics", nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("metrics: status %d", status)
	}
	return ParseMetrics(string(text))
}

// Ready says whether GET /readyz is answered with 200. It is safe for concurrent
// use.
func (c *Client) Ready() bool {
	status, _, err := c.raw(http.MethodGet, "/readyz", nil)
	return err == nil && status == http.StatusOK
}
