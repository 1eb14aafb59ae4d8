package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func (r *remote) zoneShow() *cobra.Command {
	return r.zoneVerb("show", "Show the configuration of a zone", func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
		answer, err := c.Get(cmd.Context(), apiclient.IncomingPath(zone.ID))
		if err != nil {
			return err
		}
		return r.print(cmd.OutOrStdout(), answer.Result, func(w io.Writer) error {
			var incoming apiclient.Incoming
			if err := json.Unmarshal(answer.Result, &incoming); err != nil {
				return err
			}
			return printZone(w, incoming, r.peerNames(cmd.Context(), c, zone), time.Now())
		})
	})
}

func printZone(w io.Writer, z apiclient.Incoming, names map[string]string, now time.Time) error {
	rows := [][]string{
		{"ZONE", z.Name},
		{"ID", z.ID},
		{"SERIAL", fmt.Sprint(z.Serial)},
		{"REFRESH", fmt.Sprintf("every %d s", z.AutoRefresh)},
	}
	for i, id := range z.Peers {
		peer := id
		if name := names[id]; name != "" {
			peer = name + " (" + id + ")"
		}
		rows = append(rows, []string{fmt.Sprintf("PEER %d", i+1), peer})
	}
	return printTable(w, nil, append(rows,
		[]string{"CREATED", at(z.Created, ago(now, &z.Created))},
		[]string{"CHANGED", at(z.Modified, ago(now, &z.Modified))},
		[]string{"CHECKED", at(z.Checked, ago(now, &z.Checked))}))
}

func (r *remote) zoneStatus() *cobra.Command {
	return r.zoneVerb("status", "Show the copy of a zone, what each peer did, and a version that is held",
		func(cmd *cobra.Command, c *apiclient.Client, zone apiclient.Zone) error {
			s, raw, err := c.Status(cmd.Context(), zone.ID)
			if err != nil {
				return err
			}
			return r.print(cmd.OutOrStdout(), raw, func(w io.Writer) error {
				return printStatus(w, s, r.peerNames(cmd.Context(), c, zone), time.Now())
			})
		})
}

func printStatus(w io.Writer, s apiclient.Status, names map[string]string, now time.Time) error {
	err := printTable(w, nil, [][]string{
		{"ZONE", s.Name},
		{"ID", s.ID},
		{"STATE", stateOf(s)},
		{"SERIAL", number(s.Serial)},
		{"RECORDS", number(s.Records)},
		{"CHECKED", ago(now, s.Checked)},
		{"CONFIRMED", ago(now, s.Confirmed)},
		{"NEXT CHECK", in(now, s.Next)},
		{"EXPIRES", expiry(now, s.Expires)},
	})
	if err != nil {
		return err
	}
	if err := printPeers(w, s.Peers, names, now); err != nil {
		return err
	}
	return printHeld(w, s)
}

func expiry(now time.Time, t *time.Time) string {
	if t != nil && t.Before(now) {
		return ago(now, t)
	}
	return in(now, t)
}

// printPeers shows what each peer did, and below the table why one failed, or what is
// odd about it.
func printPeers(w io.Writer, peers []apiclient.PeerStatus, names map[string]string, now time.Time) error {
	if len(peers) == 0 {
		_, err := fmt.Fprintln(w, "\nNo peer has been asked yet.")
		return err
	}
	fmt.Fprintln(w)
	name := func(p apiclient.PeerStatus) string { return cmp.Or(names[p.ID], p.ID) }
	err := printTable(w, []string{"PEER", "ADDRESS", "RESULT", "ASKED", "SERIAL", "RTT", "LAST TRANSFER"},
		rowsOf(peers, func(_ int, p apiclient.PeerStatus) []string {
			return []string{
				name(p), orDash(p.Address), peerResult(p), ago(now, p.Tried), number(p.Serial), milliseconds(p.RTT), transferred(p.Transfer),
			}
		}))
	if err != nil {
		return err
	}
	for _, p := range peers {
		if p.Result != "ok" {
			fmt.Fprintf(w, "%s: %s\n", harmless(name(p)), harmless(p.Reason()))
		}
		if p.Differs {
			fmt.Fprintf(w, "%s: has our serial, but other content\n", harmless(name(p)))
		}
		if p.Transfer != nil && p.Transfer.IXFRError != "" {
			fmt.Fprintf(w, "%s: no incremental transfer: %s\n", harmless(name(p)), harmless(p.Transfer.IXFRError))
		}
	}
	return nil
}

func peerResult(p apiclient.PeerStatus) string {
	switch {
	case p.Result == "failed" && p.Step != "":
		return "failed at " + p.Step
	case p.Result == "left_out":
		return "left out"
	default:
		return p.Result
	}
}

func milliseconds(seconds *float64) string {
	if seconds == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", *seconds*1e3)
}

func transferred(t *apiclient.Transfer) string {
	if t == nil {
		return "-"
	}
	return fmt.Sprintf("%s, %d octets in %.3f s", t.Kind, t.Octets, t.Seconds)
}

// printHeld shows a version that is held, and what can be done about it.
func printHeld(w io.Writer, s apiclient.Status) error {
	h := s.Held
	if h == nil {
		return nil
	}
	if h.RolledBack && !h.Discarded {
		_, err := fmt.Fprintf(w, `
The zone was rolled back from version %d: %s
  serve it again:  secondaryd zone release %s --serial %d
  end the alarm:   secondaryd zone discard %s --serial %d
  or mend the zone at the primary and raise its serial: a newer version is taken as always
`, h.Serial, harmless(h.Detail), s.ID, h.Serial, s.ID, h.Serial)
		return err
	}
	if h.Discarded {
		_, err := fmt.Fprintf(w, "\nVersion %d was discarded: %s\n", h.Serial, harmless(h.Detail))
		return err
	}
	_, err := fmt.Fprintf(w, `
Version %d from %s is held: %s
  serve it:  secondaryd zone release %s --serial %d
  drop it:   secondaryd zone discard %s --serial %d
  or mend the zone at the primary: a good version takes its place
`, h.Serial, harmless(h.Peer), harmless(h.Detail), s.ID, h.Serial, s.ID, h.Serial)
	return err
}
