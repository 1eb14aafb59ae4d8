package api

import "secondaryd/zonestore/registry"

// tsigs are the keys of an account. Answers hold the secret in clear: clients
// compare it with what they sent.
var tsigs = collection[registry.TSIG]{
	name:     "tsigs",
	notFound: problem{code: codeNoTSIG, message: "no such tsig"},
	list:     (*registry.Registry).TSIGs,
	find:     (*registry.Registry).TSIG,
	account:  func(t registry.TSIG) string { return t.Account },
	parse: func(f *form, account, id string) registry.TSIG {
		return registry.TSIG{
			ID: id, Account: account, Name: f.text("name"), Algorithm: f.text("algo"),
			Secret: registry.Secret(f.text("secret")),
		}
	},
	get:    (*registry.Tx).TSIG,
	put:    (*registry.Tx).PutTSIG,
	remove: (*registry.Tx).DeleteTSIG,
	show: func(t registry.TSIG) any {
		return struct {
			ID        string `json:"id"`
			Name      string `json:"name"`
			Algorithm string `json:"algo"`
			Secret    string `json:"secret"`
		}{t.ID, t.Name, t.Algorithm, t.Secret.Reveal()}
	},
}
