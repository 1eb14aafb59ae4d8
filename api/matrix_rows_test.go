package api

import (
	"fmt"
	"strings"
)

// bodyOf is a body that is the same whatever there is.
func bodyOf(text string) func(fixture) string { return func(fixture) string { return text } }

// zoneNamed and outgoingNamed are bodies with the seeded peer.
func zoneNamed(name string) func(fixture) string {
	return func(f fixture) string { return f.zoneBody(name) }
}

func outgoingNamed(name string) func(fixture) string {
	return func(f fixture) string { return f.outgoingBody(name) }
}

// peerList is a body of a configuration with these peers, written as JSON.
func peerList(list func(f fixture) string) func(fixture) string {
	return func(f fixture) string { return fmt.Sprintf(`{"name":"a.example","peers":%s}`, list(f)) }
}

const (
	matrixIncoming = "/zones/:zone_id/secondary_dns/incoming"
	matrixOutgoing = "/zones/:zone_id/secondary_dns/outgoing"
	matrixAccount  = "/accounts/:account_id/secondary_dns"

	matrixTSIG  = `{"name":"k.example","algo":"hmac-sha256.","secret":"c2VjcmV0"}`
	matrixACL   = `{"name":"n","ip_range":"192.0.2.0/24"}`
	matrixToken = `{"name":"n","scope":"account","account_id":"` + accountA + `","access":"read","expires_on":"2027-01-02T03:04:05.000000Z"}`
	matrixZone  = `{"name":"new.example","account":{"id":"` + accountA + `"},"type":"secondary","paused":true,"vanity_name_servers":["ns.example"]}`
)

// matrix has a row for every route of Server.resources.
var matrix = map[string]row{
	"GET /zones": {wrong: []trial{
		{query: "?page=0", faults: "2308"}, {query: "?per_page=1001", faults: "2308"}, {query: "?match=some", faults: "2308"},
	}},
	"POST /zones": {
		body: bodyOf(matrixZone), changes: true,
		wrong: []trial{
			{body: bodyOf(strings.Replace(matrixZone, "new", "a b", 1)), faults: "1002 /name"},
			{body: bodyOf(strings.Replace(matrixZone, "new.example", "Example.ORG.", 1)), faults: "1061 /name"},
			{body: bodyOf(strings.Replace(matrixZone, `"secondary"`, `"full"`, 1)), faults: "2105 /type"},
			{body: bodyOf(strings.Replace(matrixZone, accountA, "a/b", 1)), faults: "2103 /account/id"},
			{body: bodyOf(strings.Replace(matrixZone, "ns.example", "a b", 1)), faults: "2103 /vanity_name_servers/0"},
		},
	},
	"GET /zones/:zone_id": {absent: codeNoZone},
	"PATCH /zones/:zone_id": {
		body: bodyOf(`{"type":"secondary","paused":true,"vanity_name_servers":["ns.example"]}`), absent: codeNoZone, changes: true,
		wrong: []trial{
			{body: bodyOf(`{"type":"partial","paused":true}`), faults: "2105 /type"},
			{body: bodyOf(`{"vanity_name_servers":["a b"]}`), faults: "2103 /vanity_name_servers/0"},
		},
	},
	"DELETE /zones/:zone_id": {absent: codeNoZone, changes: true},
	"GET /zones/:zone_id/dns_records/export": {absent: codeNoZone, kind: "text/plain; charset=UTF-8", wrong: []trial{
		{path: func(fixture) string { return exportPath(zoneOut) }, status: 404, faults: "2206"},
	}},

	"GET " + matrixIncoming: {absent: codeNoIncoming},
	"POST " + matrixIncoming: {
		body: zoneNamed("new.example"), zone: zoneTwo, absent: codeNoIncoming, creates: true, changes: true,
		wrong: append([]trial{
			{path: func(fixture) string { return incomingPath(zoneOne) }, faults: "2301"},
			{path: func(fixture) string { return incomingPath(zoneOut) }, faults: "2307 /name"},
			{body: zoneNamed("EXAMPLE.org."), faults: "2109 /name"},
		}, wrongPeers...),
	},
	"PUT " + matrixIncoming: {
		body: zoneNamed("Example.ORG."), absent: codeNoIncoming, changes: true,
		wrong: []trial{
			{body: zoneNamed("out.example"), faults: "2307 /name"},
			{body: func(f fixture) string { return strings.Replace(f.zoneBody("example.org"), f.peer, f.foreign, 1) }, faults: "2106 /peers/0"},
			{path: func(fixture) string { return incomingPath(zoneOut) }, status: 404, faults: "2201"},
		},
	},
	"DELETE " + matrixIncoming:                      {absent: codeNoIncoming, changes: true},
	"POST /zones/:zone_id/secondary_dns/force_axfr": {absent: codeNoIncoming},
	"GET " + matrixIncoming + "/status": {absent: codeNoIncoming, wrong: []trial{
		{query: "?wait=61", faults: "2320"},
		{query: "?wait=x", faults: "2320"},
		{query: "?serial=1", faults: "2320"},
		{query: "?wait=1&serial=4294967296", faults: "2320"},
	}},
	"POST " + matrixIncoming + "/diagnose": {absent: codeNoIncoming},
	"POST " + matrixIncoming + "/release":  {body: bodyOf(`{"soa_serial":7}`), absent: codeNoIncoming, wrong: wrongHeld("release")},
	"POST " + matrixIncoming + "/discard":  {body: bodyOf(`{"soa_serial":7}`), absent: codeNoIncoming, wrong: wrongHeld("discard")},
	"GET " + matrixIncoming + "/versions":  {absent: codeNoIncoming},
	"GET " + matrixIncoming + "/versions/:soa_serial/diff": {absent: codeNoIncoming, id: bodyOf("5"), wrong: []trial{
		{path: func(fixture) string { return diffPath(zoneOne, 4, "") }, status: 404, faults: "2212"},
		{query: "?to=x", faults: "2320"},
		{query: "?format=x", faults: "2320"},
	}},
	"POST " + matrixIncoming + "/rollback": {body: bodyOf(`{"soa_serial":5}`), absent: codeNoIncoming},
	"GET " + matrixIncoming + "/settings":  {absent: codeNoIncoming},
	"PUT " + matrixIncoming + "/settings":  {body: bodyOf(`{"max_shrink_percent":50}`), absent: codeNoIncoming, changes: true},
	"GET /secondaryd/events": {kind: "text/event-stream", wrong: []trial{
		{query: "?zone_id=", faults: "2320"}, {query: "?zone_id=a%2Fb", faults: "2320"},
	}},

	"GET " + matrixOutgoing: {absent: codeNoOutgoing},
	"POST " + matrixOutgoing: {
		body: outgoingNamed("new.example"), zone: zoneTwo, absent: codeNoOutgoing, creates: true, changes: true,
		wrong: append([]trial{
			{path: func(fixture) string { return outgoingPath(zoneOut) }, faults: "2306"},
			{body: outgoingNamed("EXAMPLE.org."), faults: "2109 /name"},
		}, wrongPeers...),
	},
	"PUT " + matrixOutgoing: {
		body: outgoingNamed("Example.ORG."), absent: codeNoOutgoing, changes: true,
		wrong: []trial{
			{body: outgoingNamed("out.example"), faults: "2307 /name"},
			{body: func(f fixture) string { return strings.Replace(f.outgoingBody("example.org"), f.peer, f.foreign, 1) }, faults: "2106 /peers/0"},
		},
	},
	"DELETE " + matrixOutgoing:                 {absent: codeNoOutgoing, changes: true},
	"POST " + matrixOutgoing + "/enable":       {absent: codeNoOutgoing, changes: true},
	"POST " + matrixOutgoing + "/disable":      {absent: codeNoOutgoing},
	"GET " + matrixOutgoing + "/status":        {absent: codeNoOutgoing},
	"POST " + matrixOutgoing + "/force_notify": {absent: codeNoOutgoing},
	"GET " + userVerifyPath:                    {},
	"GET " + accountVerifyPath:                 {},
	"GET " + tokensPath:                        {},
	"POST " + tokensPath: {
		body: bodyOf(matrixToken), changes: true,
		wrong: []trial{
			{body: bodyOf(`{"name":"n","scope":"account"}`), faults: "2102 /account_id, 2102 /access"},
			{body: bodyOf(`{"name":"n","scope":"admin","account_id":"` + accountA + `"}`), faults: "2105 /account_id"},
			{body: bodyOf(`{"name":"n","scope":"metrics","access":"read"}`), faults: "2105 /access"},
			{body: bodyOf(strings.Replace(matrixToken, accountA, "a/b", 1)), faults: "2103 /account_id"},
			{body: bodyOf(strings.Replace(matrixToken, "2027", "2020", 1)), faults: "2104 /expires_on"},
		},
	},
	"GET " + tokenPath:    {absent: codeNoToken, id: func(f fixture) string { return f.tokenID }},
	"DELETE " + tokenPath: {absent: codeNoToken, id: func(f fixture) string { return f.tokenID }, changes: true},

	"GET " + matrixAccount + "/peers":     {},
	"POST " + matrixAccount + "/peers":    {body: func(f fixture) string { return f.tlsPeer }, changes: true, wrong: wrongPeer},
	"GET " + matrixAccount + "/peers/:id": {absent: codeNoPeer},
	"PUT " + matrixAccount + "/peers/:id": {body: func(f fixture) string { return f.tlsPeer }, absent: codeNoPeer, changes: true, wrong: wrongPeer},
	"DELETE " + matrixAccount + "/peers/:id": {absent: codeNoPeer, changes: true, wrong: []trial{
		{path: func(f fixture) string { return peersPath + "/" + f.peer }, faults: "2302"},
		{path: func(f fixture) string { return peersPath + "/" + f.foreign }, status: 404, faults: "2202"},
	}},

	"GET " + matrixAccount + "/tsigs":     {},
	"POST " + matrixAccount + "/tsigs":    {body: bodyOf(matrixTSIG), changes: true, wrong: wrongTSIG},
	"GET " + matrixAccount + "/tsigs/:id": {absent: codeNoTSIG, id: func(f fixture) string { return f.spareKey }},
	"PUT " + matrixAccount + "/tsigs/:id": {
		body: bodyOf(matrixTSIG), absent: codeNoTSIG, id: func(f fixture) string { return f.spareKey }, changes: true, wrong: wrongTSIG,
	},
	"DELETE " + matrixAccount + "/tsigs/:id": {absent: codeNoTSIG, id: func(f fixture) string { return f.spareKey }, changes: true, wrong: []trial{
		{path: func(f fixture) string { return tsigsPath + "/" + f.key }, faults: "2303"},
	}},

	"GET " + matrixAccount + "/acls":     {},
	"POST " + matrixAccount + "/acls":    {body: bodyOf(matrixACL), changes: true, wrong: wrongACL},
	"GET " + matrixAccount + "/acls/:id": {absent: codeNoACL, id: func(f fixture) string { return f.acl }},
	"PUT " + matrixAccount + "/acls/:id": {
		body: bodyOf(matrixACL), absent: codeNoACL, id: func(f fixture) string { return f.acl }, changes: true, wrong: wrongACL,
	},
	"DELETE " + matrixAccount + "/acls/:id": {absent: codeNoACL, id: func(f fixture) string { return f.acl }, changes: true},

	// What can be wrong with a single zone is tried in bulk_test.go.
	"POST /accounts/:account_id" + bulkPath: {
		body: func(f fixture) string {
			return bulkBody([]string{`{"name":"example.org"}`}, []string{f.zoneBody("new.example")})
		},
		changes: true, each: true,
		wrong: []trial{{body: bodyOf(`{}`), faults: "2102"}},
	},
}

// wrongPeers is what can be wrong with the name and the references of a
// configuration.
var wrongPeers = []trial{
	{body: zoneNamed("a b"), faults: "2103 /name"},
	{body: zoneNamed("a..b"), faults: "2103 /name"},
	{body: zoneNamed("bücher.example"), faults: "2103 /name"},
	{body: zoneNamed(strings.Repeat("a", 64) + ".example"), faults: "2103 /name"},
	{body: peerList(func(f fixture) string { return `["` + f.peer + `","nobody"]` }), faults: "2106 /peers/1"},
	{body: peerList(func(f fixture) string { return `["` + f.peer + `","` + f.foreign + `"]` }), faults: "2106 /peers/1"},
	{body: peerList(func(f fixture) string { return `["` + f.peer + `",null]` }), faults: "2101 /peers/1"},
}

// wrongHeld is what can be wrong with an order about a held version.
func wrongHeld(order string) []trial {
	return []trial{
		{body: bodyOf(`{"soa_serial":8}`), faults: "2305 /soa_serial"},
		{
			path:   func(fixture) string { return incomingPath(zoneOut) + "/" + order },
			status: 404, faults: "2201",
		},
	}
}

var wrongPeer = []trial{
	{body: bodyOf(`{"name":"n","ip":"ns.example"}`), faults: "2103 /ip"},
	{body: bodyOf(`{"name":"n","ip":"224.0.0.1"}`), faults: "2105 /ip"},
	{body: bodyOf(`{"name":"n","ip":"192.0.2.1","source_ip":"2001:db8::1"}`), faults: "2105 /source_ip"},
	{body: bodyOf(`{"name":"n","source_ip":"x"}`), faults: "2103 /source_ip"},
	{body: bodyOf(`{"name":"n","tsig_id":"nobody"}`), faults: "2106 /tsig_id"},
	{body: bodyOf(`{"name":"n","tls":{}}`), faults: "2102 /tls"},
	{body: bodyOf(`{"name":"n","tls":{"name":"a b"}}`), faults: "2103 /tls/name"},
	{body: bodyOf(`{"name":"n","tls":{"name":"a","client_certificate":"x"}}`), faults: "2102 /tls/client_key"},
	{body: bodyOf(`{"name":"n","tls":{"name":"a","ca_certificate":"x"}}`), faults: "2103 /tls/ca_certificate"},
	{body: bodyOf(`{"name":"n","tls":{"pins":["YQ=="]}}`), faults: "2103 /tls/pins/0"},
}

var wrongTSIG = []trial{
	{body: bodyOf(`{"name":"a b","algo":"hmac-md5","secret":"?"}`), faults: "2103 /name, 2103 /algo, 2103 /secret"},
	{body: bodyOf(`{"name":"k","algo":"hmac-sha1","secret":"` + string(maskedSecret) + `"}`), faults: "2103 /secret"},
}

var wrongACL = []trial{
	{body: bodyOf(`{"name":"n","ip_range":"192.0.2.1"}`), faults: "2103 /ip_range"},
	{body: bodyOf(`{"name":"n","ip_range":"192.0.2.0/23"}`), faults: "2104 /ip_range"},
	{body: bodyOf(`{"name":"n","ip_range":"2001:db8::/63"}`), faults: "2104 /ip_range"},
}
