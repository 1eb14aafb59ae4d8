package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// A requester sends requests to the API over connections that are kept, as the
// clients of a fleet do.
type requester struct {
	base string
	http http.Client
}

func newRequester(base string) *requester {
	return &requester{base, http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: posters}}}
}

func (c *requester) close() { c.http.CloseIdleConnections() }

// listed is where a page stands in a list.
type listed struct {
	TotalPages int `json:"total_pages"`
}

// do sends a request that has to work, and reads its result.
func (c *requester) do(ctx context.Context, method, path string, body, result any) (info listed, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return info, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(text))
	if err != nil {
		return info, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		return info, err
	}
	defer resp.Body.Close()
	answer := struct {
		Result any             `json:"result"`
		Errors json.RawMessage `json:"errors"`
		Info   *listed         `json:"result_info"`
	}{Result: result, Info: &info}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return info, err
	}
	if resp.StatusCode != http.StatusOK {
		return info, fmt.Errorf("%s %s: status %d, errors %s", method, path, resp.StatusCode, answer.Errors)
	}
	return info, nil
}
