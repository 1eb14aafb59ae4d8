package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"secondaryd/internal/apiclient"
)

// follower looks at the status of a zone again and again.
type follower struct {
	client *apiclient.Client
	zone   string // id
	every  time.Duration
	show   shower
}

// shower shows the statuses as they come. The last call, with over, has none.
type shower func(s apiclient.Status, raw json.RawMessage, over bool)

func showProgress(w io.Writer) shower {
	p := newProgress(w)
	return func(s apiclient.Status, _ json.RawMessage, over bool) {
		if over {
			p.end()
			return
		}
		p.show(inShort(s))
	}
}

// showJSON writes each status that differs from the one before, in a line.
func showJSON(w io.Writer) shower {
	var last json.RawMessage
	return func(_ apiclient.Status, raw json.RawMessage, over bool) {
		if !over && !bytes.Equal(raw, last) {
			fmt.Fprintf(w, "%s\n", raw)
			last = raw
		}
	}
}

// until returns the status with which it was over, or failed.
func (f *follower) until(ctx context.Context, over func(apiclient.Status) (bool, error)) (apiclient.Status, json.RawMessage, error) {
	defer f.show(apiclient.Status{}, nil, true)
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		s, raw, err := f.client.Status(ctx, f.zone)
		if err != nil {
			return s, nil, err
		}
		f.show(s, raw, false)
		if done, err := over(s); done || err != nil {
			return s, raw, err
		}
		select {
		case <-ctx.Done():
			return s, raw, ctx.Err()
		case <-tick.C:
		}
	}
}

// inShort is a zone's status in a line.
func inShort(s apiclient.Status) string {
	text := stateOf(s)
	if s.Serial != nil {
		text += fmt.Sprintf(", serial %d, %s records", *s.Serial, number(s.Records))
	}
	if why := s.Failures(); why != "" {
		text += ", failed: " + harmless(why)
	}
	return text
}
