package api

import "secondaryd/zonestore/registry"

// acls are the address ranges of an account, given back as they were sent.
var acls = collection[registry.ACL]{
	name:     "acls",
	notFound: problem{code: codeNoACL, message: "no such acl"},
	list:     (*registry.Registry).ACLs,
	find:     (*registry.Registry).ACL,
	account:  func(a registry.ACL) string { return a.Account },
	revision: func(a registry.ACL) uint64 { return a.Revision },
	parse: func(f *form, account, id string) registry.ACL {
		return registry.ACL{ID: id, Account: account, Name: f.text("name"), IPRange: f.text("ip_range")}
	},
	get:    (*registry.Tx).ACL,
	put:    (*registry.Tx).PutACL,
	remove: (*registry.Tx).DeleteACL,
	show: func(a registry.ACL) any {
		return struct {
			ID       string    `json:"id"`
			Name     string    `json:"name"`
			IPRange  string    `json:"ip_range"`
			Created  timestamp `json:"created_time"`
			Modified timestamp `json:"modified_time"`
		}{a.ID, a.Name, a.IPRange, timestamp(a.Created), timestamp(a.Modified)}
	},
}
