package api

import "secondaryd/zonestore/registry"

// tsigs are the keys of an account. Answers to those who may edit hold the
// secret in clear: clients compare it with what they sent.
var tsigs = collection[registry.TSIG]{
	name:     "tsigs",
	notFound: problem{code: codeNoTSIG, message: "no such tsig"},
	list:     (*registry.Registry).TSIGs,
	find:     (*registry.Registry).TSIG,
	account:  func(t registry.TSIG) string { return t.Account },
	revision: func(t registry.TSIG) uint64 { return t.Revision },
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
	mask: func(t registry.TSIG) registry.TSIG {
		t.Secret = maskedSecret
		return t
	},
}

// maskedSecret stands for a secret that the caller may not see: a string, as
// typed clients need, that is no base64, so that it is refused where somebody
// sends it back.
const maskedSecret registry.Secret = "***"
