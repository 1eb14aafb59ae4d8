package apiclient

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Diagnosis is what was found when each peer of a zone was tried.
type Diagnosis struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Healthy bool            `json:"healthy"`
	Peers   []PeerDiagnosis `json:"peers"`
}

// PeerDiagnosis is what was found of one peer.
type PeerDiagnosis struct {
	ID      string          `json:"id"`
	Address string          `json:"address"`
	Result  string          `json:"result"` // ok, failed
	Summary string          `json:"summary"`
	Skew    *float64        `json:"clock_offset_seconds"` // of its clock ahead of the server's; nil: not known
	Steps   []DiagnosisStep `json:"steps"`
}

// DiagnosisStep is one thing that was tried.
type DiagnosisStep struct {
	Name    string  `json:"name"`
	Result  string  `json:"result"` // ok, failed, skipped
	Cause   string  `json:"cause"`
	Detail  string  `json:"detail"`
	Advice  string  `json:"advice"`
	Seconds float64 `json:"duration_seconds"`
}

// DiagnosePath is where the peers of a zone are tried.
func DiagnosePath(zoneID string) string { return IncomingPath(zoneID) + "/diagnose" }

// StepEvent is a step of a diagnosis that was just done.
type StepEvent struct {
	Peer    string `json:"peer"` // id
	Address string `json:"address"`
	DiagnosisStep
}

// Diagnose has the peers of a zone tried and tells of each step as it is done, by
// a server that streams them. It returns what was found, and that as it came too.
func (c *Client) Diagnose(ctx context.Context, zoneID string, tell func(StepEvent)) (Diagnosis, json.RawMessage, error) {
	var d Diagnosis
	answer, err := again(ctx, func() (Answer, error) { return c.diagnose(ctx, zoneID, tell) })
	if err == nil {
		err = json.Unmarshal(answer.Result, &d)
	}
	return d, answer.Result, err
}

func (c *Client) diagnose(ctx context.Context, zoneID string, tell func(StepEvent)) (Answer, error) {
	r := request{method: http.MethodPost, path: DiagnosePath(zoneID)}
	req, err := c.prepare(ctx, r)
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Accept", "text/event-stream, application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, c.unreached(err)
	}
	defer func() { _ = resp.Body.Close() }() // nothing was written
	body := io.LimitReader(resp.Body, maxAnswer)
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		text, err := io.ReadAll(body)
		if err != nil {
			return Answer{}, c.unreached(err)
		}
		return r.read(resp, text)
	}
	kind := ""
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxAnswer)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			kind = name
			continue
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case !ok:
		case kind == "diagnosis":
			return Answer{Result: json.RawMessage(data)}, nil
		case kind == "step":
			var step StepEvent
			if err := json.Unmarshal([]byte(data), &step); err != nil {
				return Answer{}, fmt.Errorf("POST %s: %w", r.path, err)
			}
			tell(step)
		case kind == "end":
			var end struct{ Reason string }
			err := json.Unmarshal([]byte(data), &end)
			return Answer{}, cmp.Or(err, fmt.Errorf("POST %s: cut off: %s", r.path, end.Reason))
		}
	}
	return Answer{}, c.unreached(cmp.Or(lines.Err(), io.ErrUnexpectedEOF))
}
