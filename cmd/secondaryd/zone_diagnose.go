package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneDiagnose() *cobra.Command {
	return r.zoneVerb("diagnose", "Try each peer of a zone now, step by step, and say what is wrong",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) (err error) {
			var d apiclient.Diagnosis
			var result json.RawMessage
			names := r.peerNames(cmd.Context(), c, zone)
			p := newProgress(cmd.ErrOrStderr())
			err = p.during("trying the peers, for 30 s at most", func(show func(string)) (err error) {
				d, result, err = c.Diagnose(cmd.Context(), zone.ID, func(s apiclient.StepEvent) { show(stepText(s, names)) })
				return err
			})
			if err != nil {
				return err
			}
			err = r.print(cmd.OutOrStdout(), result, func(w io.Writer) error { return printDiagnosis(w, d, names) })
			if err != nil || d.Healthy {
				return err
			}
			return fmt.Errorf("something is wrong with %s", wrongPeers(d))
		})
}

// wrongPeers lists the peers of which a step failed, and with what.
func wrongPeers(d apiclient.Diagnosis) string {
	var wrong []string
	for _, p := range d.Peers {
		if p.Result != "ok" {
			wrong = append(wrong, cmp.Or(p.Address, p.ID)+": "+p.Summary)
		}
	}
	return strings.Join(wrong, "; ")
}

// stepWords are the steps of a diagnosis in words; one that is not among them is
// of a newer server.
var stepWords = map[string]string{
	"address":   "address and key",
	"soa_udp":   "SOA query by UDP",
	"tcp":       "connection by TCP",
	"tls":       "session of TLS",
	"soa_tcp":   "SOA query by TCP or TLS",
	"authority": "answers with authority",
	"tsig":      "signatures",
	"clock":     "clock",
	"axfr":      "full transfer",
	"ixfr":      "incremental transfer",
	"serial":    "serial",
}

func stepName(s apiclient.DiagnosisStep) string { return cmp.Or(stepWords[s.Name], s.Name) }

// stepText tells of a step that was just done.
func stepText(s apiclient.StepEvent, names map[string]string) string {
	text := cmp.Or(names[s.Peer], s.Address, s.Peer) + ": " + stepName(s.DiagnosisStep) + " " + s.Result
	if said := cmp.Or(s.Detail, s.Cause); said != "" {
		text += ": " + said
	}
	return harmless(text)
}

// printDiagnosis shows each peer with its steps, and below the table what to do
// about those that failed.
func printDiagnosis(w io.Writer, d apiclient.Diagnosis, names map[string]string) error {
	for i, p := range d.Peers {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s (%s): %s\n", harmless(cmp.Or(names[p.ID], p.ID)), harmless(cmp.Or(p.Address, "no address")), harmless(p.Summary))
		err := printTable(w, nil, rowsOf(p.Steps, func(_ int, s apiclient.DiagnosisStep) []string {
			return []string{"  " + stepName(s), s.Result, milliseconds(&s.Seconds), cmp.Or(s.Detail, s.Cause, "-")}
		}))
		if err != nil {
			return err
		}
		for _, s := range p.Steps {
			if s.Advice != "" {
				fmt.Fprintf(w, "  %s: %s\n", harmless(stepName(s)), harmless(s.Advice))
			}
		}
	}
	return nil
}
