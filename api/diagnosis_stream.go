package api

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// stepEvent is a step of a diagnosis as it is done.
type stepEvent struct {
	Peer    string  `json:"peer"` // id
	Address *string `json:"address"`
	stepDiagnosis
}

// streamDiagnosis tries the peers of a zone and tells of each step as it is done,
// and at the end of all of them. An error before the first step has the envelope.
func (s *Server) streamDiagnosis(ctx context.Context, c echo.Context, zone registry.Zone) error {
	var w *eventWriter
	done := func() {}
	defer func() { done() }()
	write := func(kind string, data any) {
		if w == nil {
			w, done = beginEvents(ctx, c)
		}
		text, _ := json.Marshal(data) // it has no value that can't be written
		w.event(kind, "", string(text))
		w.flush()
	}
	found, err := s.Diagnoser.Diagnose(ctx, zone.ID, func(d Diagnosis) {
		if v := d.view(); ctx.Err() == nil {
			write("step", stepEvent{v.ID, v.Address, v.Steps[len(v.Steps)-1]})
		}
	})
	switch {
	case ctx.Err() != nil && w != nil:
		if reason := s.endOf(ctx); reason != "" {
			w.event("end", "", reason)
			w.flush()
		}
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, ErrBusy):
		return errDiagnosing()
	case err != nil:
		return err
	default:
		write("diagnosis", viewOfDiagnosis(zone, found))
	}
	return nil
}
