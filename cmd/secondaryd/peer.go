package main

import (
	"cmp"
	"context"
	"net"
	"strconv"

	"github.com/spf13/cobra"

	"secondaryd/internal/apiclient"
)

func peerCommand() *cobra.Command {
	r := new(remote)
	keys := map[string]string{} // names by id
	peers := &objects[apiclient.Peer]{
		kind: apiclient.Peers, remote: r,
		head: []string{"NAME", "ADDRESS", "TRANSPORT", "IXFR", "KEY", "ID"},
		row: func(p apiclient.Peer) []string {
			return []string{p.Name, peerAddress(p), peerTransport(p), yes(p.IXFR), orDash(cmp.Or(keys[p.TSIG], p.TSIG)), p.ID}
		},
		learn: func(ctx context.Context, c *apiclient.Client) (err error) {
			keys, err = c.Names(ctx, apiclient.TSIGs, r.wanted())
			return err
		},
		more: func(p apiclient.Peer) [][]string { return peerTLSRows(p.TLS) },
	}
	return managed("peer", "Manage the peers: the primaries that zones are fetched from", r,
		peers.list(), peers.show(), peers.add(r.peerFlags), peers.set(r.peerFlags), peers.remove())
}

// peerFlags declares what can be said of a peer.
func (r *remote) peerFlags(cmd *cobra.Command) fill {
	flags := cmd.Flags()
	ip := flags.String("ip", "", "`ADDRESS`, IPv4 or IPv6; empty for none yet")
	port := flags.Uint16("port", 0, "`PORT`; 0 is 53, or 853 with TLS")
	ixfr := flags.Bool("ixfr", false, "ask for incremental transfers")
	key := flags.String("tsig", "", "`NAME|ID` of the key that signs; empty for none")
	_ = cmd.RegisterFlagCompletionFunc("tsig", r.completeNames(apiclient.TSIGs)) // the flag is there
	tls := declareTLS(cmd)
	return func(ctx context.Context, c *apiclient.Client, account string, object apiclient.Object) error {
		set := members{object: object, changed: flags.Changed}
		set.text("ip", "ip", *ip)
		set.value("port", "port", *port)
		set.value("ixfr", "ixfr_enable", *ixfr)
		id := ""
		if *key != "" {
			var err error
			if id, err = c.Find(ctx, apiclient.TSIGs, account, *key); err != nil {
				return err
			}
		}
		set.text("tsig", "tsig_id", id)
		if set.err != nil {
			return set.err
		}
		return tls.fill(object)
	}
}

// members puts what flags say into an object.
type members struct {
	object  apiclient.Object
	changed func(flag string) bool
	err     error
}

// allMembers takes what is said for given, whichever flags were.
func allMembers(object apiclient.Object) members {
	return members{object: object, changed: func(string) bool { return true }}
}

// value sets a member if the flag was given.
func (m *members) value(flag, member string, value any) {
	if m.err == nil && m.changed(flag) {
		m.err = m.object.Set(member, value)
	}
}

// text does so too, and takes the member away for an empty text.
func (m *members) text(flag, member, text string) {
	if text == "" && m.changed(flag) {
		delete(m.object, member)
		return
	}
	m.value(flag, member, text)
}

func peerAddress(p apiclient.Peer) string {
	port := p.Port
	switch {
	case p.IP == "":
		return "-"
	case port == 0 && p.TLS != nil:
		port = 853
	case port == 0:
		port = 53
	}
	return net.JoinHostPort(p.IP, strconv.Itoa(port))
}

func peerTransport(p apiclient.Peer) string {
	if p.TLS != nil {
		return "TLS"
	}
	return "plain"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
