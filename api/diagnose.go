package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// Diagnoser finds out what is wrong with the peers of zones.
type Diagnoser interface {
	// Diagnose tries each peer of a zone, for diagnoseTime at most. It ends with
	// ctx, changes nothing, and fails with ErrBusy while it can't be done. tell, if
	// it is not nil, is called for each step as it is done, with what was found of
	// its peer so far, one call at a time.
	Diagnose(ctx context.Context, zoneID string, tell func(Diagnosis)) ([]Diagnosis, error)
}

// ErrBusy means that as many as may already do what was asked for.
var ErrBusy = errors.New("too many at once")

// Bounds on diagnoses.
const (
	diagnoseTime = 30 * time.Second
	maxDiagnoses = 4 // at once
)

// Diagnosis is what was found of a peer.
type Diagnosis struct {
	Peer    string         // id
	Address string         // and port; empty without one
	Skew    *time.Duration // of the peer's clock ahead of ours; nil: it was not told
	Steps   []DiagnosisStep
}

// DiagnosisStep is one of the steps in which a peer is tried.
type DiagnosisStep struct {
	Name   string
	Result string // ok, failed or skipped
	Cause  string // of a failure, a fixed phrase
	Detail string
	Advice string // what to do; empty for nothing
	Took   time.Duration
}

type diagnosisView struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Healthy bool            `json:"healthy"`
	Peers   []peerDiagnosis `json:"peers"`
}

type peerDiagnosis struct {
	ID      string          `json:"id"`
	Address *string         `json:"address"`
	Result  string          `json:"result"`
	Summary string          `json:"summary"`
	Skew    *float64        `json:"clock_offset_seconds"`
	Steps   []stepDiagnosis `json:"steps"`
}

type stepDiagnosis struct {
	Name   string  `json:"name"`
	Result string  `json:"result"`
	Cause  *string `json:"cause"`
	Detail *string `json:"detail"`
	Advice *string `json:"advice"`
	Took   float64 `json:"duration_seconds"`
}

// diagnose tries the peers of a zone. Its body is not looked at.
func (s *Server) diagnose(c echo.Context) error {
	zone, err := zoneOfPath(c, s.Registry.Zone)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(c.Response(), c.Request().Body, s.MaxBody)); err != nil {
		return bodyError(err)
	}
	account, _ := confinedTo(c)
	if !s.diagnoses.begin(account) {
		return errDiagnosing()
	}
	defer s.diagnoses.end(account)
	ctx, stop := s.long(c, diagnoseTime)
	defer stop()
	if strings.HasPrefix(strings.TrimSpace(c.Request().Header.Get(echo.HeaderAccept)), eventStream) {
		return s.streamDiagnosis(ctx, c, zone)
	}
	found, err := s.Diagnoser.Diagnose(ctx, zone.ID, nil)
	if errors.Is(err, ErrBusy) {
		return errDiagnosing()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	return respond(c, viewOfDiagnosis(zone, found))
}

func viewOfDiagnosis(zone registry.Zone, found []Diagnosis) diagnosisView {
	view := diagnosisView{ID: zone.ID, Name: zone.Name, Healthy: true, Peers: make([]peerDiagnosis, len(found))}
	for i, d := range found {
		view.Peers[i] = d.view()
		view.Healthy = view.Healthy && view.Peers[i].Result == "ok"
	}
	return view
}

func errDiagnosing() error {
	return refuse(codeDiagnosing, "the zone is being diagnosed already, or several others are")
}

func (d Diagnosis) view() peerDiagnosis {
	v := peerDiagnosis{ID: d.Peer, Address: known(d.Address), Result: "ok", Summary: "nothing is wrong", Steps: make([]stepDiagnosis, len(d.Steps))}
	if d.Skew != nil {
		v.Skew = new(d.Skew.Seconds())
	}
	for i, step := range d.Steps {
		v.Steps[i] = stepDiagnosis{
			Name: step.Name, Result: step.Result, Cause: known(step.Cause), Detail: known(step.Detail), Advice: known(step.Advice),
			Took: step.Took.Seconds(),
		}
		if step.Result == "failed" && v.Result == "ok" {
			v.Result, v.Summary = "failed", step.Name+": "+step.Cause
		}
	}
	return v
}
