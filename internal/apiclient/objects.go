package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"
)

// Kind is a kind of the objects that belong to an account, or to the server.
type Kind struct {
	Word       string // for one of them
	Path       string // last part of the path of all
	DomainName bool   // their names are domain names, and compared as such
	Root       string // path of all that belong to the server; empty: to an account
}

// The kinds that there are.
var (
	Peers = Kind{Word: "peer", Path: "peers"}
	TSIGs = Kind{Word: "tsig", Path: "tsigs", DomainName: true}
	ACLs  = Kind{Word: "acl", Path: "acls"}

	Tokens = Kind{Word: "token", Path: "tokens", Root: "/secondaryd/tokens"}
)

// Peer is a server that zones are fetched from. What is not set is zero.
type Peer struct {
	ID   string   `json:"id"`
	Name string   `json:"name"`
	IP   string   `json:"ip"`
	Port int      `json:"port"`
	IXFR bool     `json:"ixfr_enable"`
	TSIG string   `json:"tsig_id"`
	TLS  *PeerTLS `json:"tls"`
}

// PeerTLS is how a peer is asked by TLS, without the private key.
type PeerTLS struct {
	Name              string   `json:"name"`
	Pins              []string `json:"pins"`
	CACertificate     string   `json:"ca_certificate"`
	ClientCertificate string   `json:"client_certificate"`
}

// TSIG is a key.
type TSIG struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Algorithm string `json:"algo"`
	Secret    string `json:"secret"`
}

// ACL is a range of addresses.
type ACL struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Range string `json:"ip_range"`
}

// Token is what lets somebody use the API, but for the token itself.
type Token struct {
	ID      string     `json:"id"`
	Name    string     `json:"name"`
	Status  string     `json:"status"` // active, expired
	Scope   string     `json:"scope"`
	Account string     `json:"account_id"`
	Access  string     `json:"access"`
	Issued  time.Time  `json:"issued_on"`
	Expires *time.Time `json:"expires_on"` // nil: never
	Value   string     `json:"value"`      // the token, in the answer to its creation only
}

// All is the path of the objects of an account. Where they belong to the server,
// the account does not matter.
func (k Kind) All(account string) string {
	if k.Root != "" {
		return k.Root
	}
	return "/accounts/" + url.PathEscape(account) + "/secondary_dns/" + k.Path
}

// One is the path of an object.
func (k Kind) One(account, id string) string { return k.All(account) + "/" + url.PathEscape(id) }

// Names maps the ids of an account's objects to their names.
func (c *Client) Names(ctx context.Context, k Kind, account string) (map[string]string, error) {
	objects, err := c.named(ctx, k, account)
	names := make(map[string]string, len(objects))
	for _, o := range objects {
		names[o.ID] = o.Name
	}
	return names, err
}

// Find gives the id of the object that has it, or that has the name alone.
func (c *Client) Find(ctx context.Context, k Kind, account, ref string) (id string, err error) {
	objects, err := c.named(ctx, k, account)
	if err != nil {
		return "", err
	}
	var found []named
	for _, o := range objects {
		if o.ID == ref {
			return ref, nil
		}
		if o.Name == ref || k.DomainName && FoldName(o.Name) == FoldName(ref) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 0:
		return "", &NotFoundError{Kind: k.Word, Name: ref}
	case 1:
		return found[0].ID, nil
	}
	ambiguous := &AmbiguousError{Kind: k.Word, Name: ref}
	for _, o := range found {
		ambiguous.Candidates = append(ambiguous.Candidates, fmt.Sprintf("%s  %s", o.ID, o.tell()))
	}
	return "", ambiguous
}

// named is what tells objects of all kinds apart.
type named struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	IP        string `json:"ip"`
	Algorithm string `json:"algo"`
	Range     string `json:"ip_range"`
	Scope     string `json:"scope"`
}

func (n named) tell() string { return n.Name + " " + n.IP + n.Algorithm + n.Range + n.Scope }

func (c *Client) named(ctx context.Context, k Kind, account string) ([]named, error) {
	answer, err := c.Get(ctx, k.All(account))
	if err != nil {
		return nil, err
	}
	var objects []named
	if err := json.Unmarshal(answer.Result, &objects); err != nil {
		return nil, fmt.Errorf("GET %s: %w", k.All(account), err)
	}
	return objects, nil
}
