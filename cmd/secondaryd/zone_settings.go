package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneSettings() *cobra.Command {
	var shrink string
	cmd := r.zoneVerb("settings", "Show a zone's own settings, or change those that are given",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) (err error) {
			path := apiclient.IncomingPath(zone.ID) + "/settings"
			var answer apiclient.Answer
			if cmd.Flags().Changed("max-shrink-percent") {
				answer, err = c.Change(cmd.Context(), path, func(object apiclient.Object) error { return setShrink(object, shrink) })
			} else {
				answer, err = c.Get(cmd.Context(), path)
			}
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error { return tellSettings(w, answer.Result) })
		})
	cmd.Flags().StringVar(&shrink, "max-shrink-percent", "",
		"the share of its records that the zone may lose at once, `0 to 100`; default: the daemon's transfer.max_shrink_percent")
	return cmd
}

// setShrink takes a number, or the word for the daemon's setting.
func setShrink(object apiclient.Object, text string) error {
	if text == "default" {
		return object.Set("max_shrink_percent", nil)
	}
	percent, err := strconv.Atoi(text)
	if err != nil {
		return misuse("--max-shrink-percent %q is neither a whole number nor default", text)
	}
	return object.Set("max_shrink_percent", percent)
}

func tellSettings(w io.Writer, result json.RawMessage) error {
	var settings struct {
		MaxShrink *int `json:"max_shrink_percent"`
	}
	if err := json.Unmarshal(result, &settings); err != nil {
		return err
	}
	shrink := "default (transfer.max_shrink_percent)"
	if settings.MaxShrink != nil {
		shrink = fmt.Sprint(*settings.MaxShrink)
	}
	return printTable(w, nil, [][]string{{"MAX SHRINK PERCENT", shrink}})
}
