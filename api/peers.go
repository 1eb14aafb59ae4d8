package api

import "secondaryd/zonestore/registry"

// peers are the primaries of an account. Members that are not set are left out
// of answers: clients that compare would see a difference in a zero.
var peers = collection[registry.Peer]{
	name:     "peers",
	notFound: problem{code: codeNoPeer, message: "no such peer"},
	list:     (*registry.Registry).Peers,
	find:     (*registry.Registry).Peer,
	account:  func(p registry.Peer) string { return p.Account },
	revision: func(p registry.Peer) uint64 { return p.Revision },
	parse: func(f *form, account, id string) registry.Peer {
		return registry.Peer{
			ID: id, Account: account, Name: f.text("name"), IP: f.optionalText("ip"),
			Port: f.optionalPort("port"), IXFR: f.optionalBool("ixfr_enable"), TSIG: f.optionalText("tsig_id"),
			TLS: peerTLSOf(f), Source: f.optionalText("source_ip"),
		}
	},
	get:    (*registry.Tx).Peer,
	put:    (*registry.Tx).PutPeer,
	remove: (*registry.Tx).DeletePeer,
	show: func(p registry.Peer) any {
		return struct {
			ID   string   `json:"id"`
			Name string   `json:"name"`
			IP   *string  `json:"ip,omitempty"`
			Port *uint16  `json:"port,omitempty"`
			IXFR *bool    `json:"ixfr_enable,omitempty"`
			TSIG *string  `json:"tsig_id,omitempty"`
			TLS  *peerTLS `json:"tls,omitempty"`
			From *string  `json:"source_ip,omitempty"`
		}{p.ID, p.Name, p.IP, p.Port, p.IXFR, p.TSIG, showPeerTLS(p.TLS), p.Source}
	},
}
